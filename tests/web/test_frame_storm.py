"""A quick storm of frames; the long one is `make storm`."""

from pathlib import Path

from tests.web.frame_storm import storm, world


def test_no_frame_breaks_the_chat(tmp_path: Path) -> None:
    with world(tmp_path / "data") as made:
        storm(made, 0, examples=8, steps=30)
        assert made.frames > 300 and not made.broken
        assert {"answer", "error: bad_frame", "contact_saved", "desk"} <= set(made.seen)
