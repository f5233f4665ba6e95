"""Puts a knowledge base together from its settings: the one place that knows which class stands where."""

import logging
from collections.abc import Callable
from pathlib import Path

from knowledge_base.adapter import Adapter
from knowledge_base.backend import Backend
from knowledge_base.database import migrate, open_database
from knowledge_base.encoder import SentenceTransformerEncoder
from knowledge_base.keywords import KeywordIndex
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.local import LocalBackend
from knowledge_base.retrieval import Retrieval
from knowledge_base.settings import Settings
from knowledge_base.store import Store
from knowledge_base.types import Progress

_LOG = logging.getLogger(__name__)
MIGRATIONS = Path(__file__).parent / "migrations"


def assemble(
    settings: Settings, progress: Progress | None = None, opened: Callable[[], Retrieval] | None = None
) -> KnowledgeBase:
    """Open the knowledge base of `settings.data`, converting the embedded encoder on first use.

    opened: opens what a release searches with; the plain encoder when None. It is called once the database has been
    found in order, since it may convert models, which takes a minute. Texts that its encoder has not encoded, as
    after a change of encoder, are encoded first. progress: of the conversion in bytes, then of the encoding in texts.
    Raises KnowledgeBaseError naming what is wrong and the remedy.
    """
    engine = open_database(settings.database)
    try:
        migrate(engine, MIGRATIONS, "knowledge_base_version")
        retrieval = opened() if opened else Retrieval(open_encoder(settings, progress))
    except BaseException:
        engine.dispose()
        raise
    store = Store(engine, retrieval.encoder.fingerprint)
    knowledge = KnowledgeBase(
        store, retrieval, _backend(store, retrieval, settings.data, settings.milvus, settings.milvus_token)
    )
    if missing := knowledge.needs_encoding():
        _LOG.warning("%d texts are not encoded by this encoder yet; encoding them now.", missing)
        knowledge.encode_missing(progress)
    return knowledge


def open_in(folder: Path, retrieval: Retrieval, database: str = "", milvus: str = "") -> KnowledgeBase:
    """The knowledge base that lives in a folder of its own, for a given encoder.

    database: its URL; SQLite in the folder when empty. milvus: as in the settings.
    """
    engine = open_database(database or f"sqlite:///{folder / 'kefu.sqlite'}")
    migrate(engine, MIGRATIONS, "knowledge_base_version")
    store = Store(engine, retrieval.encoder.fingerprint)
    return KnowledgeBase(store, retrieval, _backend(store, retrieval, folder, milvus))


def _backend(store: Store, retrieval: Retrieval, folder: Path, milvus: str, token: str = "") -> Backend:
    if not milvus:
        return LocalBackend(store, KeywordIndex(folder / "keywords"), retrieval.encoder.dimension)
    from knowledge_base.milvus import open_milvus

    return open_milvus(store, retrieval.encoder, milvus, token)


def open_encoder(
    settings: Settings, progress: Progress | None = None, adapter: Adapter | None = None
) -> SentenceTransformerEncoder:
    """The encoder that the settings name: "embedded", a Hugging Face name or a local folder."""
    models, name = settings.models_folder, settings.encoder
    if name == "embedded":
        from knowledge_base.embedded_encoder import embedded_encoder

        name = str(embedded_encoder(models, progress))
    return SentenceTransformerEncoder(name, settings.device, adapter, models)
