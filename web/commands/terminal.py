"""How the command line speaks: results to stdout, bars and complaints to stderr. Knows no verb."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress


def console() -> Console:
    """The console that results are printed on."""
    from rich.console import Console

    return Console(highlight=False)


def complaints() -> Console:
    """The console for bars, hints and errors."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def say(text: str = "", style: str = "") -> None:
    """Print one result line on stdout; wrapped by words on a terminal, never in a pipe."""
    from rich.text import Text

    screen = console()
    screen.print(Text(text, style=style), soft_wrap=not screen.is_terminal)


def hint(text: str, style: str = "yellow") -> None:
    """Print one line on stderr."""
    from rich.text import Text

    complaints().print(Text(text, style=style), soft_wrap=True)


def say_json(value: object) -> None:
    """Print one JSON value on one line and flush it; a dataclass becomes an object, dates ISO 8601."""
    plain = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    sys.stdout.write(json.dumps(plain, ensure_ascii=False, default=_plain) + "\n")
    sys.stdout.flush()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def quiet_libraries() -> None:
    """Keep the bars and advice of the model libraries off the screen, unless KEFU_DEBUG=1."""
    if not os.environ.get("KEFU_DEBUG"):
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        os.environ.setdefault("TQDM_DISABLE", "1")


class Bar:
    """A progress callback with a bar on stderr: shows from its first call on, gone when all is done.

    Off a terminal it draws nothing. Nothing may be printed on stdout while it shows.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: RichProgress | None = None

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` is done; the bar goes when all of it is."""
        if done >= total:
            self.hide()
            return
        if self._bar is None:
            self._bar = _drawn()
            self._bar.add_task(self._label, total=total)
            self._bar.start()
        self._bar.update(self._bar.tasks[0].id, completed=done, total=total)

    def hide(self) -> None:
        """Take the bar off the screen; the next call shows it again."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


@contextmanager
def bar(label: str) -> Iterator[Bar]:
    """A bar that is gone when the block ends, however it ends."""
    shown = Bar(label)
    try:
        yield shown
    finally:
        shown.hide()


def _drawn() -> RichProgress:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    screen = complaints()
    return RichProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        disable=not screen.is_terminal,
    )
