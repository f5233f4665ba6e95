"""The release that a simulated company begins with: the embedded encoder as it comes, thresholds fitted elsewhere.

The release that ships will not do: its encoder has learned from the very sets that the month is simulated with. Made
once for all lots.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock

from bot.assemble import open_retrieval
from bot.calibration import BUILT_IN, load
from bot.releases import Releases
from bot.settings import Settings
from training.calibrate import calibrate
from training.release import describe, make_release
from training.round import REGRESSION

_NAME = "start"
Say = Callable[[str, int, int], None]


def make_newcomer(work: Path, sets: Sequence[Path], say: Say) -> Path:
    """The release's folder. sets: golden sets that no month uses, to which its thresholds are fitted."""
    folder = work / "newcomer" / "releases" / _NAME
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(work / "newcomer.lock"):
        if not (work / "newcomer" / "fitted").exists():
            make_release(folder, {}, BUILT_IN)
            describe(folder, {"encoder": {"base": "embedded", "adapter": None}})
            settings = Settings(data=work, encoder="embedded")
            retrieval = open_retrieval(settings, Releases(folder.parent).get(_NAME))
            tell = lambda done, total: say("thresholds of the first day", done, total)  # noqa: E731
            content = calibrate([*sets, REGRESSION], work / "newcomer" / "sets", retrieval, load(BUILT_IN), tell)
            (folder / "calibration.json").write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf8")
            describe(folder)
            (work / "newcomer" / "fitted").write_text("", "utf8")
    return folder
