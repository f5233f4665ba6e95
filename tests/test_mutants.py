"""What `make mutants` counts, and that what it is to change and to run is there."""

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.mutants import counted, share, table

ROOT = Path(__file__).resolve().parents[1]


def test_the_modules_and_tests_of_the_mutants_are_there() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    named = [*settings["only_mutate"], *settings["pytest_add_cli_args_test_selection"]]
    assert [path for path in named if not (ROOT / path).exists()] == []
    must = {"bot/decide.py", "bot/verify.py", "web/auth.py", "training/redact.py"}
    assert must <= set(settings["only_mutate"])


def test_mutants_are_counted_by_module_and_only_a_failed_or_endless_test_kills() -> None:
    found = counted(
        [
            "    bot.decide.x_decide__mutmut_1: killed",
            "    bot.decide.x__tied__mutmut_1: survived",
            "    bot.decide.x__tied__mutmut_2: timeout",
            "",
            "    web.auth.xǁApiKeyǁadmits__mutmut_3: no tests",
        ]
    )
    assert found == {"bot.decide": Counter({True: 2, False: 1}), "web.auth": Counter({False: 1})}
    assert share(found["bot.decide"]) == 2 / 3 and share(found["web.auth"]) == 0
    assert table(found).splitlines()[-1].split() == ["all", "4", "2", "50.0%"]


def test_another_list_is_not_counted() -> None:
    with pytest.raises(ValueError, match="make mutants"):
        counted(["killed: 12"])
