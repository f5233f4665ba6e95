"""Puts a bot together from its settings: the one place that knows which class stands where."""

import logging
from pathlib import Path

from bot.bot import Bot
from bot.calibration import load
from bot.log import MIGRATIONS, VERSION_TABLE, ConversationLog
from bot.releases import Release, Releases
from bot.settings import Settings
from bot.types import BotError, TextGenerator
from knowledge_base.assemble import assemble as assemble_knowledge_base
from knowledge_base.assemble import open_encoder
from knowledge_base.cross_encoder import CrossEncoderReranker
from knowledge_base.database import migrate, open_database
from knowledge_base.fuse import FITTED, Weights, read_weights
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.late_interaction import LateInteractionReranker
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Progress, Reranker

_log = logging.getLogger(__name__)


def assemble(settings: Settings, progress: Progress | None = None, beside: Bot | None = None) -> Bot:
    """The bot of `settings`, serving the release that they name; models are converted on first use.

    progress: of each conversion, in its own units. beside: of the same settings but for the release, and open; what
    it searches with is used by both where their releases search alike. Raises BotError or KnowledgeBaseError with
    the remedy.
    """
    release = open_release(settings)
    calibration = load(release.calibration)
    if beside is not None and _searches_like(release, beside, settings):
        assert isinstance(beside.knowledge, KnowledgeBase)
        knowledge = beside.knowledge
    else:
        knowledge, beside = open_knowledge(settings, release, progress), None
    try:
        if calibration.encoder != knowledge.encoder.files_sha256:
            _log.warning("The thresholds were fitted with another encoder; fit them anew with this one.")
        engine = open_database(settings.database)
        migrate(engine, MIGRATIONS, VERSION_TABLE)
        generator = open_generator(settings, release, progress)
    except BaseException:
        if beside is None:
            knowledge.close()
        raise
    return Bot(knowledge, ConversationLog(engine), calibration, generator, release.name)


def _searches_like(release: Release, beside: Bot, settings: Settings) -> bool:
    try:
        other = Releases(settings.data / "releases").get(beside.release)
    except BotError:  # it serves, but its files are damaged since
        return False
    return release.searches_like(other)


def open_knowledge(settings: Settings, release: Release, progress: Progress | None = None) -> KnowledgeBase:
    """The knowledge base, searched as the release says. Raises KnowledgeBaseError with the remedy."""
    return assemble_knowledge_base(settings, progress, lambda: open_retrieval(settings, release, progress))


def open_retrieval(settings: Settings, release: Release, progress: Progress | None = None) -> Retrieval:
    """The encoder, fusion and reranker of the release; no adapter of it where the operator serves another encoder.

    Raises KnowledgeBaseError or BotError with the remedy.
    """
    own = settings.encoder == release.encoder.base
    if not own:
        _log.warning("Release %r was made for another encoder; serving KEFU_ENCODER without adapter.", release.name)
    encoder = open_encoder(settings, progress, release.encoder.adapter if own else None)
    reranker: Reranker = LateInteractionReranker(encoder)
    if own and release.reranker.adapter:
        reranker = CrossEncoderReranker(encoder.name, release.reranker.adapter, settings.device)
    return Retrieval(encoder, weights(release), reranker)


def weights(release: Release) -> Weights:
    """The release's way to join scores, else the package's. Raises BotError for a file that cannot be used."""
    path = release.fusion or FITTED
    try:
        return read_weights(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BotError(f"{path} is not valid ({error}); roll back to another release") from error


def open_release(settings: Settings) -> Release:
    """The release that the settings name, its files checked. Raises BotError."""
    releases = Releases(settings.data / "releases")
    return releases.current() if settings.release == "current" else releases.get(settings.release)


def open_generator(settings: Settings, release: Release, progress: Progress | None = None) -> TextGenerator | None:
    """The generator to answer with; None while answers from documents are to be quoted.

    A server or model that the operator names is used; the release's own only once the release says it is fit.
    """
    if not (settings.generator_url or settings.generator != "embedded" or release.generator.fit):
        return None
    if settings.generator_url:
        from bot.remote_generator import RemoteGenerator

        model, key, seconds = settings.generator_model, settings.generator_key, settings.generator_seconds
        return RemoteGenerator(settings.generator_url, model, key, seconds)
    from bot.generator import LocalGenerator

    models = settings.models_folder
    if settings.generator != "embedded":
        return LocalGenerator(settings.generator, None, settings.device, models)
    folder = _folder(release.generator.base, models, progress)
    return LocalGenerator(folder, release.generator.adapter, settings.device, models)


def _folder(base: str, models: Path, progress: Progress | None) -> str:
    if base != "embedded":
        return base
    from bot.embedded_generator import embedded_generator

    return str(embedded_generator(models, progress))
