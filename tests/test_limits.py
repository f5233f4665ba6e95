"""House style in numbers: outside tests no file is over 300 lines and no function over 40."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("knowledge_base", "bot", "training", "web", "benchmarks")
FILE_LINES = 300
FUNCTION_LINES = 40


def too_long(root: Path) -> Iterator[str]:
    """Each file and function under `root` that is over its limit, with its length."""
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(root).as_posix()
        if (lines := len(text.splitlines())) > FILE_LINES:
            yield f"{name}: {lines} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                if (lines := node.end_lineno - node.lineno + 1) > FUNCTION_LINES:
                    yield f"{name}:{node.lineno} {node.name}: {lines} lines"


def test_no_file_or_function_is_too_long() -> None:
    assert list(too_long(ROOT)) == []


def test_too_long_is_seen(tmp_path: Path) -> None:
    (tmp_path / "bot").mkdir()
    body = "    pass\n" * FUNCTION_LINES
    (tmp_path / "bot" / "bot.py").write_text(f"class A:\n  async def f():\n{body}" + "\n" * FILE_LINES)
    assert list(too_long(tmp_path)) == [
        f"bot/bot.py: {FILE_LINES + FUNCTION_LINES + 2} lines",
        f"bot/bot.py:2 f: {FUNCTION_LINES + 1} lines",
    ]
