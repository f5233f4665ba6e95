import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from bot.calibration import BUILT_IN
from bot.releases import SHIPPED, Releases
from bot.types import BotError
from knowledge_base.adapter import Adapter


def make(folder: Path, name: str, **content: Any) -> Path:
    """A release with an adapter and a calibration, its hashes right."""
    release = folder / name
    (release / "adapter").mkdir(parents=True)
    (release / "adapter" / "weights.bin").write_bytes(b"weights")
    (release / "calibration.json").write_bytes(BUILT_IN.read_bytes())
    paths = ("adapter/weights.bin", "calibration.json")
    files = {path: hashlib.sha256((release / path).read_bytes()).hexdigest() for path in paths}
    described = {
        "name": name,
        "encoder": {"adapter": "adapter", "base_sha256": "abc"},
        "generator": {"base": "embedded", "adapter": "adapter", "fit": True},
        "calibration": "calibration.json",
        "files": files,
    }
    (release / "release.json").write_text(json.dumps(described | content))
    return release


def test_without_releases_the_one_that_ships_serves_its_files_as_they_were_made(tmp_path: Path) -> None:
    release = Releases(tmp_path / "none").current()
    assert (release.name, release.calibration) == ("default", BUILT_IN)
    assert Releases(tmp_path / "none").names() == ["default"]
    described = sorted(release.files)
    assert described == sorted(
        p.relative_to(SHIPPED).as_posix() for p in SHIPPED.rglob("*") if p.is_file() and p.name != "release.json"
    )


def test_promote_then_roll_back_step_by_step(tmp_path: Path) -> None:
    make(tmp_path, "a")
    make(tmp_path, "b", generator={"fit": "yes"})
    releases = Releases(tmp_path)
    assert releases.names() == ["default", "a", "b"]
    assert releases.promote("a").generator.adapter == Adapter(tmp_path / "a" / "adapter")
    assert releases.promote("b").name == releases.promote("b").name == "b"
    current = Releases(tmp_path).current()
    assert (current.name, current.encoder.fit, current.generator.fit) == ("b", True, False)
    assert current.encoder.adapter == Adapter(tmp_path / "b" / "adapter", base="abc")
    assert current.calibration == tmp_path / "b" / "calibration.json"
    assert releases.rollback().name == "a" == releases.current().name
    assert releases.rollback().name == "default" == releases.current().name
    with pytest.raises(BotError, match="no release before 'default'"):
        releases.rollback()


def test_the_story_tells_what_became_of_each_release_even_after_a_crash(tmp_path: Path) -> None:
    make(tmp_path, "a")
    releases = Releases(tmp_path)
    assert releases.story() == []
    releases.promote("a", "coverage 71 % → 80 %")
    releases.promote("a")
    with (tmp_path / "story.jsonl").open("a") as file:
        file.write('{"at": "2026')
    assert [chapter.release for chapter in releases.story()] == ["a"]
    releases.rollback("thumbs down")
    told = [(chapter.act, chapter.release, chapter.before, chapter.why) for chapter in releases.story()]
    assert told == [("promote", "a", "default", "coverage 71 % → 80 %"), ("rollback", "default", "a", "thumbs down")]


@pytest.mark.parametrize("path", ["adapter/weights.bin", "calibration.json"])
def test_an_altered_file_is_refused_and_nothing_is_promoted(tmp_path: Path, path: str) -> None:
    make(tmp_path, "a")
    bad = make(tmp_path, "bad")
    releases = Releases(tmp_path)
    releases.promote("a")
    with (bad / path).open("ab") as file:
        file.write(b"x")
    with pytest.raises(BotError, match="was altered.*roll back"):
        releases.promote("bad")
    assert releases.current().name == "a"


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    (make(tmp_path, "a") / "adapter" / "weights.bin").unlink()
    with pytest.raises(BotError, match=r"lacks .*weights\.bin.*Restore"):
        Releases(tmp_path).get("a")


def test_an_unknown_release_names_those_there_are(tmp_path: Path) -> None:
    make(tmp_path, "a")
    with pytest.raises(BotError, match="no release 'c'.*default, a"):
        Releases(tmp_path).promote("c")


@pytest.mark.parametrize("content", ["{", "[]", '{"files": 3}', '{"generator": []}', '{"files": {}}'])
def test_a_broken_description_is_said(tmp_path: Path, content: str) -> None:
    (make(tmp_path, "a") / "release.json").write_text(content)
    with pytest.raises(BotError, match="not a valid release"):
        Releases(tmp_path).get("a")


def test_an_empty_pointer_is_said(tmp_path: Path) -> None:
    (tmp_path / "current").write_text("\n")
    with pytest.raises(BotError, match="is empty. Delete it"):
        Releases(tmp_path).current()


def test_a_gone_release_that_is_current_is_said(tmp_path: Path) -> None:
    (tmp_path / "current").write_text("default\ngone\n")
    with pytest.raises(BotError, match="no release 'gone'"):
        Releases(tmp_path).current()


def test_a_trial_ends_with_a_promotion_a_rollback_and_when_its_other_side_is_gone(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make(tmp_path, name)
    releases = Releases(tmp_path)
    for share in (0.0, 1.0):
        with pytest.raises(BotError, match="no share of conversations"):
            releases.begin_trial("a", share)
    with pytest.raises(BotError, match="serves all conversations already"):
        releases.begin_trial("default", 0.1)
    assert releases.begin_trial("a", 0.1) == releases.trial() and releases.can_roll_back()
    assert releases.rollback("no better").name == "default" and releases.trial() is None
    releases.begin_trial("a", 0.1)
    kept = (tmp_path / "trial").read_bytes()
    releases.promote("a")
    assert releases.trial() is None
    (tmp_path / "trial").write_bytes(kept)  # as a crash could leave it
    assert releases.trial() is None
    acts = [(chapter.act, chapter.release) for chapter in releases.story()]
    assert acts == [("try", "a"), ("withdraw", "a"), ("try", "a"), ("promote", "a")]
    (tmp_path / "trial").write_text("{")
    with pytest.raises(BotError, match="Delete it; that ends the trial"):
        releases.trial()


def test_what_was_told_but_never_happened_is_no_part_of_the_story(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make(tmp_path, name)
    releases = Releases(tmp_path)
    releases.tell("promote", "a", "default", "killed")
    assert releases.story() == []
    releases.promote("a", "at last")
    releases.promote("b")
    releases.tell("rollback", "a", "b", "killed")
    releases.tell("try", "a", "b", "killed as well")
    assert [(chapter.release, chapter.why) for chapter in releases.story()] == [("a", "at last"), ("b", "")]
    releases.rollback("done")
    moves = [chapter for chapter in releases.story() if chapter.act != "try"]
    assert [(chapter.release, chapter.why) for chapter in moves][2:] == [("a", "done")]


def test_the_watch_takes_back_only_what_it_has_judged(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make(tmp_path, name)
    releases = Releases(tmp_path)
    releases.promote("a")
    releases.promote("b")
    assert releases.rollback(only="a").name == "b" and releases.serving() == "b"
    assert releases.rollback(only="b", found={"figure": "abstained"}).name == "a"
    assert releases.story()[-1].found == {"figure": "abstained"}
