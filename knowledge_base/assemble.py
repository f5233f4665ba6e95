"""Puts a knowledge base together from its settings: the one place that knows which class stands where."""

from pathlib import Path

from knowledge_base.database import migrate, open_database
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.settings import Settings
from knowledge_base.store import Store
from knowledge_base.types import Encoder, Progress

MIGRATIONS = Path(__file__).parent / "migrations"


def assemble(settings: Settings, progress: Progress | None = None) -> KnowledgeBase:
    """Open the knowledge base of `settings.data`, converting the embedded encoder on first use.

    progress: of the conversion, in bytes. Raises KnowledgeBaseError naming what is wrong and the remedy.
    """
    engine = open_database(settings.database)
    migrate(engine, MIGRATIONS, "knowledge_base_version")
    encoder = open_encoder(settings, progress)
    return KnowledgeBase(Store(engine, encoder.fingerprint), encoder, settings.data / "keywords")


def open_encoder(settings: Settings, progress: Progress | None = None) -> Encoder:
    """The encoder that the settings name: "embedded", a Hugging Face name or a local folder."""
    from knowledge_base.encoder import SentenceTransformerEncoder

    if settings.encoder != "embedded":
        return SentenceTransformerEncoder(settings.encoder, settings.device)
    from knowledge_base.embedded_encoder import embedded_encoder

    return SentenceTransformerEncoder(
        str(embedded_encoder(settings.data / "models", progress)), settings.device
    )
