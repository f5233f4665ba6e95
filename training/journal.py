"""What a round has done, kept so that a killed one goes on: state.json, and progress.jsonl for who watches.

Knows no step's work.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

State = Literal["running", "failed", "stopped", "passed", "refused"]
Watch = Callable[[int, int, float | None], None]
"""Called with (done, total, loss or None)."""
_EVERY = 0.5  # seconds between two lines of the same step


class Journal:
    """The notes of one round in its folder."""

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "state.json"
        fresh = {"name": folder.name, "began": _now(), "options": dict(options), "steps": {}}
        self._kept: dict[str, Any] = json.loads(path.read_text("utf8")) if path.exists() else fresh

    @property
    def options(self) -> dict[str, Any]:
        """The options that the round began with; a resumed one keeps them."""
        return dict(self._kept["options"])

    def result(self, step: str) -> dict[str, Any] | None:
        """What came out of a step; None while it is not done."""
        found = self._kept["steps"].get(step)
        return None if found is None else dict(found["result"])

    def done(self, step: str, result: Mapping[str, Any]) -> None:
        """A step is done and need not be done again."""
        self._kept["steps"][step] = {"at": _now(), "result": dict(result)}
        self._write()

    def tell(self, state: State, error: str = "") -> None:
        """What the round as a whole is doing."""
        self._kept |= {"state": state, "error": error, "at": _now()}
        self._write()

    def watch(self, step: str) -> Watch:
        """Writes a step's progress; a step that goes over several things begins anew with each."""
        began = seen = time.monotonic()
        last = (-_EVERY, 0, 0)

        def note(done: int, total: int, loss: float | None = None) -> None:
            nonlocal began, seen, last
            now = time.monotonic()
            if done < last[1] or total != last[2]:
                began = seen  # when the thing before was last heard of
            seen = now
            if loss is None and done < total and now - last[0] < _EVERY:
                return
            last = (now, done, total)
            left = (now - began) / done * (total - done) if done else None
            self._line(
                {
                    "step": step,
                    "done": done,
                    "total": total,
                    "loss": loss,
                    "seconds_left": None if left is None else round(left),
                }
            )

        self._line({"step": step, "done": 0, "total": 0, "loss": None, "seconds_left": None})
        return note

    def _line(self, content: Mapping[str, Any]) -> None:
        path = self._folder / "progress.jsonl"
        with path.open("a", encoding="utf8") as file:
            file.write(json.dumps({"at": _now(), **content}) + "\n")

    def _write(self) -> None:
        draft = self._folder / ".state.json"
        with draft.open("w", encoding="utf8") as file:
            json.dump(self._kept, file, ensure_ascii=False, indent=2)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._folder / "state.json")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
