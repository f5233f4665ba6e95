"""The composition root of the command line: settings in, open parts out. The only place that builds them.

Tests put fakes in place of `open_knowledge`, `open_bot` and `open_audit`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from web.commands.terminal import bar, quiet_libraries

if TYPE_CHECKING:
    from bot.bot import Bot
    from knowledge_base.knowledge_base import KnowledgeBase
    from web.settings import Settings
    from web.staff.audit import Audit


def read_settings(data: Path | None, **overrides: Any) -> Settings:
    """The settings from KEFU_* variables; `data` and those overrides that are not None win over them."""
    from web.settings import Settings

    given = {name: value for name, value in {"data": data, **overrides}.items() if value is not None}
    return Settings(**given)


@contextmanager
def open_knowledge(data: Path | None) -> Iterator[KnowledgeBase]:
    """The knowledge base of a data folder, closed when the block ends."""
    quiet_libraries()
    settings = read_settings(data)
    from bot.assemble import open_knowledge as open_with_release
    from bot.assemble import open_release

    with bar("preparing models") as shown:
        knowledge = open_with_release(settings, open_release(settings), shown)
    try:
        yield knowledge
    finally:
        knowledge.close()


@contextmanager
def open_bot(data: Path | None) -> Iterator[Bot]:
    """The bot of a data folder, closed when the block ends."""
    quiet_libraries()
    settings = read_settings(data)
    from bot.assemble import assemble

    with bar("preparing models") as shown:
        bot = assemble(settings, shown)
    try:
        yield bot
    finally:
        bot.close()


@contextmanager
def open_audit(data: Path | None) -> Iterator[Audit]:
    """The audit log of a data folder: what is changed from here is told there too."""
    from web.staff.access import open_access

    access = open_access(read_settings(data))
    try:
        yield access.audit
    finally:
        access.engine.dispose()
