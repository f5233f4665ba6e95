"""Writes down what the gate found, for people in both languages: judgement.json, and the release's card.

Judges nothing itself.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from knowledge_base.types import Language
from training.evaluate import judged
from training.gate import Check, Compared, Limits, Verdict
from training.golden import read_golden_set
from training.metrics import Judged
from training.rows import read_rows

_LANGUAGES: tuple[Language, ...] = ("zh", "en")
_MOST = 200  # questions listed of those that got worse, and of those that got better
_LONGEST = 2_000  # characters of an answer


def compared(folders: Sequence[Path], current: Path, candidate: Path) -> list[Compared]:
    """The golden questions with the answers of two evaluations, whose folders are `current` and `candidate`."""
    found = []
    for folder in folders:
        golden = read_golden_set(folder)
        before, after = (
            {line.id(): judged(line.content) for line in read_rows(out / golden.name / "answers.jsonl")}
            for out in (current, candidate)
        )
        found += [Compared(golden.name, one, before[one.id], after[one.id]) for one in golden.questions]
    return found


def judgement(verdict: Verdict, limits: Limits, about: Mapping[str, Any]) -> dict[str, Any]:
    """The content of judgement.json. about: the names of both releases, the dataset, what was trained and why."""
    return {
        **about,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "passed": verdict.passed,
        "reasons": [{language: _reason(check, limits, language) for language in _LANGUAGES} for check in
                    verdict.reasons],
        "checks": [_check(check) for check in verdict.checks],
        "changed": {"worse": len(verdict.worse), "better": len(verdict.better)},
        "worse": [_pair(one) for one in verdict.worse[:_MOST]],
        "better": [_pair(one) for one in verdict.better[:_MOST]],
    }  # fmt: skip


def card(content: Mapping[str, Any]) -> str:
    """The release's README.md: what it was made from, and how it compares with the one before it."""
    lines = [f"# {content['candidate']}", ""]
    lines += [f"Trained by a round of `kefu train round`; compared with `{content['current']}`.", ""]
    dataset = content["dataset"]
    lines += [f"- examples: {dataset['train']} to train with, {dataset['fit']} to fit thresholds, "
              f"{dataset['held_out']} held out; dataset {dataset['hash'][:12]}"]  # fmt: skip
    lines += [f"- {one['name']['en']}: {one['why']['en']}" for one in content["lessons"]]
    lines += [f"- {one['name']['zh']}：{one['why']['zh']}" for one in content["lessons"]]
    for language in _LANGUAGES:
        said = _words()["passed" if content["passed"] else "refused"][language]
        lines += ["", said, *(f"- {reason[language]}" for reason in content["reasons"])]
    lines += ["", "| figure | language | before | after | difference (95 %) |", "|---|---|---|---|---|"]
    for one in content["checks"]:
        cells = (one["name"]["en"], one["language"] or "both", number(one["current"]), number(one["candidate"]))
        interval = one["interval"]
        lines.append(f"| {' | '.join(cells)} | {f'{interval[0]:+.3f} … {interval[1]:+.3f}' if interval else '–'} |")
    return "\n".join(lines) + "\n"


def number(value: float) -> str:
    """A figure for people: shares with three decimals, counts and milliseconds with none."""
    return f"{value:,.0f}" if abs(value) > 1 else f"{value:.3f}"


def _check(check: Check) -> dict[str, Any]:
    interval = check.difference.interval() if check.difference else None
    return {
        "figure": check.figure,
        "name": _words()[check.figure],
        "language": check.language,
        "current": round(check.current, 4),
        "candidate": round(check.candidate, 4),
        "interval": [round(bound, 4) for bound in interval] if interval else None,
        "refused": check.refused,
    }


def _reason(check: Check, limits: Limits, language: Language) -> str:
    assert check.refused is not None
    words = _words()
    said = words[check.refused][language].format(
        figure=words[check.figure][language],
        current=number(check.current),
        candidate=number(check.candidate),
        limit=number(limits.false_answers),
        fewest=limits.fewest,
        doubtful=number(limits.doubtful),
    )
    between = "：" if language == "zh" else ": "
    return f"{words[check.language][language]}{between}{said}" if check.language else said


def _pair(one: Compared) -> dict[str, Any]:
    return {
        "set": one.golden,
        "id": one.question.id,
        "language": one.question.language,
        "question": one.question.text,
        "relevant": sorted(one.question.relevant),
        "change": one.change,
        "current": _answer(one.current),
        "candidate": _answer(one.candidate),
    }


def _answer(answer: Judged) -> dict[str, Any]:
    return {
        "kind": answer.kind,
        "text": answer.text[:_LONGEST],
        "confidence": round(answer.confidence, 4),
        "citations": list(answer.citations),
    }


def write(content: Mapping[str, Any], folder: Path) -> None:
    """Write judgement.json and README.md into a release's folder."""
    (folder / "judgement.json").write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf8")
    (folder / "README.md").write_text(card(content), "utf8")


@cache
def _words() -> dict[str, dict[Language, str]]:
    return tomllib.loads(Path(__file__).with_name("judgement.toml").read_text("utf8"))
