"""What is installed: each named dependency is pinned in constraints.txt, and no package is left out."""

import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]


def _pins() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, version in pins}


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _named() -> list[Requirement]:
    project = _pyproject()["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    return [Requirement(line) for line in [*project["dependencies"], *extras]]


def test_each_dependency_is_pinned_within_its_range() -> None:
    pins = _pins()
    for wanted in _named():
        assert wanted.specifier.contains(pins[canonicalize_name(wanted.name)]), str(wanted)


def test_no_pin_is_for_one_machine_alone() -> None:
    assert [f"{name}=={version}" for name, version in _pins().items() if version.local] == []


def test_every_folder_with_modules_is_a_package() -> None:
    tops = ("knowledge_base", "bot", "training", "web")
    folders = {path.parent.relative_to(ROOT) for top in tops for path in (ROOT / top).rglob("*.py")}
    folders.discard(Path("web", "demo"))  # shipped as data
    listed = _pyproject()["tool"]["setuptools"]["packages"]
    assert sorted(".".join(folder.parts) for folder in folders | {Path(top) for top in tops}) == sorted(listed)
