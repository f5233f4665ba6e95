"""README's file map is true: every module is on it with one line, and nothing that is not there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("knowledge_base", "bot", "training", "web", "benchmarks")


def file_map(readme: str) -> dict[str, str]:
    """Path to description from the fenced block under `## File map`; lines read `path  description`.

    Raises ValueError when there is no such block, a line has no description or a path stands twice.
    """
    section = readme.partition("\n## File map\n")[2].partition("\n## ")[0]
    block = re.search(r"^```\w*\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    if block is None:
        raise ValueError("README has no fenced block under `## File map`")
    found: dict[str, str] = {}
    for line in filter(str.strip, block[1].splitlines()):
        path, _, description = line.strip().partition("  ")
        if not description.strip() or path in found:
            raise ValueError(f"file map: {line!r} has no description, or its path stands twice")
        found[path] = description.strip()
    return found


def modules(root: Path) -> set[str]:
    """Every Python module outside tests, but for the `__init__.py` that hold only a docstring."""
    paths = (path for folder in FOLDERS for path in (root / folder).rglob("*.py"))
    return {path.relative_to(root).as_posix() for path in paths if path.name != "__init__.py"}


def test_every_module_is_on_the_map() -> None:
    listed = file_map((ROOT / "README.md").read_text(encoding="utf-8"))
    assert modules(ROOT) - set(listed) == set()


def test_every_path_on_the_map_is_there() -> None:
    listed = file_map((ROOT / "README.md").read_text(encoding="utf-8"))
    assert [path for path in listed if not (ROOT / path).exists()] == []


def test_the_tests_that_security_names_are_there() -> None:
    named = set(re.findall(r"`(tests/\S+\.py)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8")))
    assert len(named) >= 5 and all((ROOT / path).is_file() for path in named)


def test_map_is_parsed() -> None:
    block = "```text\nbot/bot.py   one reply\n\nMakefile  commands\n```\n"
    readme = f"# Kefu\n\n## File map\n\nWords.\n\n{block}## Next\n"
    assert file_map(readme) == {"bot/bot.py": "one reply", "Makefile": "commands"}


@pytest.mark.parametrize(
    "readme",
    [
        "# Kefu\n",
        "\n## File map\nno block\n## Other\n```\na  b\n```\n",
        "\n## File map\n```\nbot/bot.py\n```\n",
        "\n## File map\n```\na  one\na  two\n```\n",
    ],
)
def test_bad_map_is_refused(readme: str) -> None:
    with pytest.raises(ValueError, match="[Ff]ile map"):
        file_map(readme)
