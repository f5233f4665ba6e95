"""Files made to hurt the reader: every eleventh here, all of them by `make hostile`."""

from pathlib import Path

from knowledge_base.convert import Limits
from tests.knowledge_base.hostile_files import corpus, outcome

EVERY = 11


def test_hostile_files_are_read_or_refused_and_hurt_nobody(tmp_path: Path) -> None:
    files = corpus()
    assert len(files) >= 200 and len({(Path(name).suffix, data) for name, data in files}) >= 200
    outcomes = [outcome(tmp_path, name, data, Limits(seconds=12)) for name, data in files[::EVERY]]
    assert {"read", "refused"} <= set(outcomes)
    assert not Path("/tmp/kefu-was-here").exists() and list(tmp_path.iterdir()) == []
