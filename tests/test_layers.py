"""Imports go one way: knowledge_base ← bot ← {training, web}; only the command line sees all four."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("knowledge_base", "bot", "training", "web")
COMMAND_LINE = ("web.cli", "web.commands")
BELOW = {
    "knowledge_base": {"knowledge_base"},
    "bot": {"bot", "knowledge_base"},
    "training": {"training", "bot", "knowledge_base"},
    "web": {"web", "bot", "knowledge_base"},
}


def _module(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_command_line(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in COMMAND_LINE)


def _imported(path: Path, root: Path) -> Iterator[str]:
    """Full names of what a file imports anywhere in it: in functions, under TYPE_CHECKING, by importlib."""
    package = _module(path, root).split(".")
    package = package if path.name == "__init__.py" else package[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{origin}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            yield from (
                value.value for value in node.args if isinstance(value, ast.Constant) and isinstance(value.value, str)
            )


def violations(root: Path) -> list[str]:
    """Each import under `root` that goes the wrong way, as "module imports module"."""
    wrong = []
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            module = _module(path, root)
            allowed = set(PACKAGES) if _is_command_line(module) else BELOW[package]
            for name in _imported(path, root):
                top = name.split(".")[0]
                sees_command_line = _is_command_line(name) and not _is_command_line(module)
                if top in {*PACKAGES, "tests", "benchmarks"} - allowed or sees_command_line:
                    wrong.append(f"{module} imports {name}")
    return wrong


def test_imports_go_one_way() -> None:
    assert violations(ROOT) == []


def test_every_package_is_looked_at() -> None:
    for package in PACKAGES:
        assert list((ROOT / package).rglob("*.py")), package


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("knowledge_base/store.py", "import bot.types"),
        ("knowledge_base/store.py", "def later():\n    from web import app"),
        ("knowledge_base/deep/env.py", "from ...bot import types"),
        ("bot/bot.py", "from training.gate import gate"),
        ("bot/bot.py", "import importlib\nimportlib.import_module('web.app')"),
        ("web/app.py", "if 1:\n    import training"),
        ("web/app.py", "from .commands import serve"),
        ("web/app.py", "from web import cli"),
        ("training/gate.py", "from web.settings import Settings"),
        ("bot/bot.py", "from tests.fakes import HashEncoder"),
    ],
)
def test_wrong_import_is_seen(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text, encoding="utf-8")
    assert len(violations(tmp_path)) == 1


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("bot/bot.py", "from knowledge_base.types import Hit"),
        ("web/cli.py", "def train():\n    from training.train import train"),
        ("web/commands/train.py", "from training.train import train"),
        ("web/routes/chat.py", "from .. import app\nfrom bot.types import Event"),
        ("training/dataset.py", "import bot.types, knowledge_base.types, torch"),
    ],
)
def test_right_import_is_let_through(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text, encoding="utf-8")
    assert violations(tmp_path) == []
