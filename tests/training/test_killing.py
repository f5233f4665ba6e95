"""kill -9 at random moments of training, evaluating and promoting: what is left serves, is whole and can go on.

`python -m tests.training.killing FOLDER KILLS SEED` does so as often as one likes.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = 50


@pytest.mark.timeout(1300)
def test_whatever_is_killed_leaves_a_serving_bot_and_a_round_that_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.training.killing", str(tmp_path / "data"), str(KILLS), "7"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr[-4000:]
    hit = json.loads(done.stdout)
    rounds = hit.pop("rounds")
    assert rounds >= 1 and sum(hit.values()) == KILLS and set(hit) == {"train", "evaluate", "promote"}, hit
