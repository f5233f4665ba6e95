"""Mutation testing: changes the modules that decide, verify, admit and redact, one small thing at a time.

As a program (`make mutants`) it lets mutmut make every mutant and run against each the tests that reach the changed
function, prints how many were killed by module, and fails where a module is under the limit. Which modules and which
tests stands in pyproject.toml. A test that fails and one that runs out of time both kill. Knows nothing of how mutants
are made; `.venv/bin/mutmut show NAME` shows one that survived, `.venv/bin/mutmut results` lists them.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEAST = 0.85
_KILLED = frozenset({"killed", "timeout"})


def counted(results: Iterable[str]) -> dict[str, Counter[bool]]:
    """By module, how many mutants were killed (True) and how many were not, from mutmut's list of results.

    A line reads `bot.decide.x_decide__mutmut_4: survived`. Raises ValueError for one that does not.
    """
    found: dict[str, Counter[bool]] = {}
    for line in filter(None, map(str.strip, results)):
        mutant, colon, status = line.partition(": ")
        module, function, _ = mutant.partition(".x")
        if not colon or not function:
            raise ValueError(f"{line!r} is no result of mutmut; run `make mutants` anew")
        found.setdefault(module, Counter())[status in _KILLED] += 1
    return found


def share(module: Counter[bool]) -> float:
    """How many of a module's mutants were killed, 0..1."""
    return module[True] / module.total()


def table(found: dict[str, Counter[bool]]) -> str:
    """The figures of each module and of all, one a line."""
    rows = [*sorted(found.items()), ("all", sum(found.values(), Counter()))]
    lines = [f"{'module':<22}{'mutants':>8}{'killed':>8}{'share':>8}"]
    lines += [f"{name:<22}{one.total():>8}{one[True]:>8}{share(one):>8.1%}" for name, one in rows]
    return "\n".join(lines)


def mutmut(*arguments: str, listed: bool = False) -> str:
    """Run mutmut; listed: give what it prints, else show it. Raises CalledProcessError when it cannot do it."""
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    stdout = subprocess.PIPE if listed else sys.stderr
    return subprocess.run(command, cwd=ROOT, env=environment, stdout=stdout, text=True, check=True).stdout or ""


def main() -> None:
    """Read the command line, make every mutant anew, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--least", type=float, default=LEAST, help="share of each module's mutants to be killed")
    least = parser.parse_args().least
    shutil.rmtree(ROOT / "mutants", ignore_errors=True)
    mutmut("run")
    found = counted(mutmut("results", "--all", "true", listed=True).splitlines())
    sys.stdout.write(table(found) + "\n")
    if under := [name for name, one in sorted(found.items()) if share(one) < least]:
        sys.exit(f"fewer than {least:.0%} of the mutants were killed in {', '.join(under)}")


if __name__ == "__main__":
    main()
