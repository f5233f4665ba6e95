"""Some kills in the middle of writing; hundreds by `make kills`."""

import os
import subprocess
import sys

from tests.web.console.conftest import ROOT


def test_nothing_acknowledged_is_lost_and_nothing_half_written_served() -> None:
    command = [sys.executable, "-m", "tests.web.kills", "--kills", "12", "--seed", "7"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert '"kills": 12' in ran.stdout
