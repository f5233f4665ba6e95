"""A knowledge base and a bot for one golden set, in a folder of their own. Knows no score.

The folder may be used again: texts that are already encoded there are not encoded again.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from bot.bot import Bot
from bot.calibration import Calibration
from bot.log import MIGRATIONS, VERSION_TABLE, ConversationLog
from bot.types import TextGenerator
from knowledge_base.assemble import open_in
from knowledge_base.database import migrate, open_database
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Progress
from training.golden import GoldenSet

OpenBot = Callable[[KnowledgeBase, ConversationLog], Bot]


@contextmanager
def golden_knowledge(
    golden: GoldenSet, folder: Path, retrieval: Retrieval, progress: Progress, known: Engine | None = None
) -> Iterator[KnowledgeBase]:
    """A knowledge base of exactly what the golden set holds. progress: (sources stored, sources in all).

    known: a database of a knowledge base; what it holds of this encoder's vectors is not computed again.
    """
    knowledge = open_in(folder, retrieval)
    try:
        if known is not None:
            knowledge.borrow(known)
        fill(knowledge, golden, progress)
        yield knowledge
    finally:
        knowledge.close()


@contextmanager
def golden_bot(
    golden: GoldenSet,
    folder: Path,
    retrieval: Retrieval,
    open_bot: OpenBot,
    progress: Progress,
    known: Engine | None = None,
) -> Iterator[Bot]:
    """A bot that knows exactly what the golden set holds and logs into the same folder; see golden_knowledge."""
    with golden_knowledge(golden, folder, retrieval, progress, known) as knowledge:
        engine = open_database(f"sqlite:///{folder / 'kefu.sqlite'}")
        migrate(engine, MIGRATIONS, VERSION_TABLE)
        bot = open_bot(knowledge, ConversationLog(engine))
        try:
            yield bot
        finally:
            bot.close()


def fill(knowledge: KnowledgeBase, golden: GoldenSet, progress: Progress) -> None:
    """Make the knowledge base hold the golden set's sources and no others."""
    wanted = {d.id for d in golden.documents} | {f.id for f in golden.faqs}
    held = {d.id for d in knowledge.documents()} | {f.id for f in knowledge.faqs()}
    knowledge.delete(sorted(held - wanted))
    knowledge.encode_missing(progress)  # the folder may be another encoder's
    total = len(golden.documents) + len(golden.faqs)
    knowledge.put_faqs(golden.faqs, lambda done, _: progress(done, total))
    knowledge.put(golden.documents, lambda done, _: progress(len(golden.faqs) + done, total))


def lend(folder: Path, target: Path) -> None:
    """Copy a folder, if there is one, whole or not at all, to where nothing stands yet."""
    if folder.exists() and not target.exists():
        draft = target.with_name(f".{target.name}")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(folder, draft)
        draft.rename(target)


def with_calibration(calibration: Calibration, generator: TextGenerator | None, release: str) -> OpenBot:
    """Opens bots that decide by `calibration` and write with `generator`."""
    return lambda knowledge, log: Bot(knowledge, log, calibration, generator, release)
