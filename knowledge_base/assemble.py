"""Puts a knowledge base together from its settings: the one place that knows which class stands where."""

import logging
from pathlib import Path

from knowledge_base.adapter import Adapter
from knowledge_base.database import migrate, open_database
from knowledge_base.fuse import Weights
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.settings import Settings
from knowledge_base.store import Store
from knowledge_base.types import Encoder, Progress

_LOG = logging.getLogger(__name__)
MIGRATIONS = Path(__file__).parent / "migrations"


def assemble(
    settings: Settings,
    progress: Progress | None = None,
    adapter: Adapter | None = None,
    weights: Weights | None = None,
) -> KnowledgeBase:
    """Open the knowledge base of `settings.data`, converting the embedded encoder on first use.

    adapter, weights: what a release adds to the encoder, and how it joins meaning and words. Texts that this
    encoder has not encoded, as after a change of encoder, are encoded first.
    progress: of the conversion in bytes, then of the encoding in texts.
    Raises KnowledgeBaseError naming what is wrong and the remedy.
    """
    engine = open_database(settings.database)
    migrate(engine, MIGRATIONS, "knowledge_base_version")
    encoder = open_encoder(settings, progress, adapter)
    store = Store(engine, encoder.fingerprint)
    knowledge = KnowledgeBase(store, encoder, settings.data / "keywords", weights=weights)
    if missing := knowledge.needs_encoding():
        _LOG.warning("%d texts are not encoded by this encoder yet; encoding them now.", missing)
        knowledge.encode_missing(progress)
    return knowledge


def open_in(folder: Path, encoder: Encoder, weights: Weights | None = None) -> KnowledgeBase:
    """The knowledge base that lives in a folder of its own, for a given encoder."""
    engine = open_database(f"sqlite:///{folder / 'kefu.sqlite'}")
    migrate(engine, MIGRATIONS, "knowledge_base_version")
    return KnowledgeBase(Store(engine, encoder.fingerprint), encoder, folder / "keywords", weights=weights)


def open_encoder(settings: Settings, progress: Progress | None = None, adapter: Adapter | None = None) -> Encoder:
    """The encoder that the settings name: "embedded", a Hugging Face name or a local folder."""
    from knowledge_base.encoder import SentenceTransformerEncoder

    if settings.encoder != "embedded":
        return SentenceTransformerEncoder(settings.encoder, settings.device, adapter)
    from knowledge_base.embedded_encoder import embedded_encoder

    folder = embedded_encoder(settings.data / "models", progress)
    return SentenceTransformerEncoder(str(folder), settings.device, adapter)
