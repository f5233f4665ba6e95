"""Three minutes of a busy site at the real server with its models; the hour is `make soak`."""

import os
import subprocess
import sys

import pytest

from tests.web.console.conftest import ROOT

MINUTES = "3"
VISITORS = ("--visitors", "20", "--pause", "4")
DRIFT = "0.15"  # in so short a time, memories that fill up once are not yet full


@pytest.mark.models
@pytest.mark.timeout(900)
def test_nothing_is_lost_doubled_or_left_behind_on_a_busy_site() -> None:
    command = [sys.executable, "-m", "tests.web.soak", "--minutes", MINUTES, *VISITORS, "--drift", DRIFT]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert '"served by a person"' in ran.stdout
