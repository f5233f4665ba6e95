"""A model folder is whole or absent, whatever happens while it is made, and damage is found and named."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge_base.model_folder import MANIFEST, Recipe, Source, check, prepare
from knowledge_base.types import KnowledgeBaseError, Progress

REMEDY = "reinstall it with: pip install some-model"


class Conversion:
    """Writes two small files and counts how often it is asked to."""

    def __init__(self, content: bytes = b"weights") -> None:
        self.content = content
        self.runs = 0

    def __call__(self, folder: Path, progress: Progress) -> None:
        self.runs += 1
        progress(1, 2)
        (folder / "weights.bin").write_bytes(self.content)
        (folder / "part").mkdir()
        (folder / "part" / "config.json").write_text("{}")
        progress(2, 2)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "source.bin"
    path.write_bytes(b"the source")
    return Source(path, hashlib.sha256(b"the source").hexdigest(), REMEDY)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def test_is_made_once_with_progress(models: Path, source: Source) -> None:
    conversion, seen = Conversion(), []
    recipe = Recipe("tiny", "1", (source,), conversion)
    folder = prepare(models, recipe, lambda done, total: seen.append((done, total)))
    assert folder == models / "tiny"
    assert (folder / "weights.bin").read_bytes() == b"weights"
    assert (folder / "part" / "config.json").exists()
    assert seen == [(1, 2), (2, 2)]
    assert prepare(models, recipe) == folder
    assert conversion.runs == 1
    assert check(folder).ok


def test_missing_source_names_the_remedy(models: Path, tmp_path: Path) -> None:
    recipe = Recipe("tiny", "1", (Source(tmp_path / "none.bin", "00", REMEDY),), Conversion())
    with pytest.raises(KnowledgeBaseError, match=r"none\.bin is missing; reinstall it with"):
        prepare(models, recipe)
    assert not (models / "tiny").exists()


def test_damaged_source_names_the_remedy(models: Path, source: Source) -> None:
    source.path.write_bytes(b"the sourcf")
    conversion = Conversion()
    with pytest.raises(KnowledgeBaseError, match=r"source\.bin is damaged .*; reinstall it with"):
        prepare(models, Recipe("tiny", "1", (source,), conversion))
    assert conversion.runs == 0


def test_failed_conversion_leaves_nothing_and_can_be_repeated(models: Path, source: Source) -> None:
    def fails(folder: Path, progress: Progress) -> None:
        (folder / "weights.bin").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(KnowledgeBaseError, match="No space left on device; make its disk writable"):
        prepare(models, Recipe("tiny", "1", (source,), fails))
    assert [path.name for path in models.iterdir() if path.is_dir()] == []
    assert prepare(models, Recipe("tiny", "1", (source,), Conversion())).is_dir()


def test_killed_conversion_is_not_mistaken_for_a_model(models: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "from knowledge_base.model_folder import Recipe, prepare\n"
        "def convert(folder, progress):\n"
        "    (folder / 'weights.bin').write_bytes(b'half'); os._exit(9)\n"
        "prepare(Path(sys.argv[1]), Recipe('tiny', '1', (), convert))\n"
    )
    root = Path(__file__).parents[2]
    killed = subprocess.run([sys.executable, "-c", script, str(models)], cwd=root, timeout=60)
    assert killed.returncode == 9
    assert not (models / "tiny").exists()
    assert (models / ".tiny.partial" / "weights.bin").read_bytes() == b"half"
    folder = prepare(models, Recipe("tiny", "1", (), Conversion()))
    assert (folder / "weights.bin").read_bytes() == b"weights"
    assert not (models / ".tiny.partial").exists()


def _truncate(folder: Path) -> None:
    (folder / "weights.bin").write_bytes(b"weigh")


def _scribble(folder: Path) -> None:
    path = folder / "weights.bin"
    path.write_bytes(b"WEIGHTS")
    os.utime(path, ns=(0, 1))


def _remove(folder: Path) -> None:
    (folder / "part" / "config.json").unlink()


def _spoil_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text("[1, 2")


def _remove_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_truncate, r"weights\.bin has 5 bytes instead of 7"),
        (_scribble, r"weights\.bin does not match its SHA-256"),
        (_remove, r"lacks part/config\.json"),
        (_spoil_manifest, "has a damaged kefu-model.json"),
        (_remove_manifest, "has no kefu-model.json"),
    ],
)
def test_damaged_folder_is_refused_and_kept(models: Path, damage: Callable[[Path], None], says: str) -> None:
    conversion = Conversion()
    recipe = Recipe("tiny", "1", (), conversion)
    folder = prepare(models, recipe)
    damage(folder)
    with pytest.raises(KnowledgeBaseError, match=f"{says}.*; delete .*tiny and start again"):
        prepare(models, recipe)
    assert conversion.runs == 1
    finding = check(folder)
    assert not finding.ok
    assert finding.remedy.startswith("delete ")


def test_touched_but_unchanged_folder_is_fine(models: Path) -> None:
    recipe = Recipe("tiny", "1", (), Conversion())
    folder = prepare(models, recipe)
    os.utime(folder / "weights.bin", ns=(0, 1))
    assert prepare(models, recipe) == folder


def test_check_reads_every_byte(models: Path) -> None:
    recipe = Recipe("tiny", "1", (), Conversion())
    weights = prepare(models, recipe) / "weights.bin"
    before = weights.stat()
    weights.write_bytes(b"WEIGHTS")
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    prepare(models, recipe)  # same size, same time: not seen at start
    finding = check(weights.parent)
    assert not finding.ok
    assert "weights.bin does not match its SHA-256" in finding.detail


def test_folder_of_an_older_recipe_is_replaced(models: Path, source: Source) -> None:
    prepare(models, Recipe("tiny", "1", (source,), Conversion(b"old")))
    folder = prepare(models, Recipe("tiny", "2", (source,), Conversion(b"new")))
    assert (folder / "weights.bin").read_bytes() == b"new"
    assert sorted(path.name for path in models.iterdir() if path.is_dir()) == ["tiny"]


def test_two_at_once_convert_once(models: Path) -> None:
    both, conversion = threading.Barrier(2), Conversion()
    folders = []

    def start() -> None:
        both.wait()
        folders.append(prepare(models, Recipe("tiny", "1", (), conversion)))

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert folders == [models / "tiny"] * 2
    assert conversion.runs == 1


def test_unwritable_place_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file, not a folder")
    with pytest.raises(KnowledgeBaseError, match="cannot write the model folder .* set KEFU_DATA"):
        prepare(tmp_path / "models", Recipe("tiny", "1", (), Conversion()))
