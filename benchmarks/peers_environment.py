"""The virtual environment of the peers: their own pins, and Kefu's for what both compute with."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from packaging.utils import canonicalize_name

REQUIREMENTS = Path(__file__).with_name("peers-requirements.txt")
CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"

Say = Callable[[str], None]


def peer_python(work: Path, say: Say) -> Path:
    """The Python of the peers' virtual environment, made or brought up to date where that is needed."""
    folder = work / "venv"
    python, marker = folder / "bin" / "python", folder / "installed"
    wanted = sha256(REQUIREMENTS, CONSTRAINTS)
    if marker.is_file() and marker.read_text("utf8") == wanted:
        return python
    work.mkdir(parents=True, exist_ok=True)
    pins = work / "constraints.txt"
    pins.write_text("\n".join(shared_pins()), "utf8")
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "-c", str(pins)]
    steps = {
        "making the peers' environment": [sys.executable, "-m", "venv", str(folder)],
        "installing torch": [*pip, "torch"],  # first and alone, so that nothing else chooses its build
        "installing the peers": [*pip, "-r", str(REQUIREMENTS)],
    }
    for what, command in steps.items():
        say(what)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{what} failed:\n{done.stdout[-2000:]}")
    marker.write_text(wanted, "utf8")
    return python


def shared_pins() -> list[str]:
    """Kefu's pins, except of what the peers pin themselves."""
    own = _pins(REQUIREMENTS)
    return [line for name, line in _pins(CONSTRAINTS).items() if name not in own]


def _pins(file: Path) -> dict[str, str]:
    """Package → the line that pins it."""
    lines = [line for line in file.read_text("utf8").splitlines() if "==" in line]
    return {canonicalize_name(line.partition("==")[0]): line for line in lines}


def sha256(*files: Path) -> str:
    """Of the files' contents, one after another."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
