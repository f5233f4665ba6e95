"""Looks through a round's examples for labels that seem wrong: what they name is nowhere among what is found for them.

Where many labels are wrong, a candidate learns wrong answers and is judged by wrong answers too, so that no comparison
shows it. Right labels of hard questions are found seldom as well, hence only many of them speak against a round.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.examples import Example
from training.company_sets import Company, without_wordings, write_set
from training.dataset import question_rows
from training.golden import read_golden_set
from training.rows import read_rows

_SHOWN = 200  # doubtful labels that are kept for people


def write_labels(folder: Path, examples: Sequence[Example], known: Company) -> int:
    """A golden set of all examples, over what the company knew without them; how many questions it has."""
    asked = [example.question for example in examples]
    return write_set(folder, without_wordings(known, asked), question_rows(examples, known.ids))


def doubtful(folder: Path, answers: Path, examples: Iterable[Example]) -> dict[str, Any]:
    """How many of the set's labels were looked for, how many not found, and those. answers: of an evaluation.

    A label that staff have looked at again is not doubtful. Questions for which nothing was searched do not count; nor
    is there anything where no set was written.
    """
    if not folder.exists():
        return {"looked": 0, "doubtful": 0, "shown": []}
    golden = read_golden_set(folder)
    hits = {line.id(): line.content["hits"] for line in read_rows(answers)}
    looked = [one for one in golden.questions if one.answerable and hits[one.id]]
    sure = {one.id for one in examples if one.sure}
    lost = [one for one in looked if one.id not in sure and one.relevant.isdisjoint(hits[one.id])]
    named = {faq.id: faq.question for faq in golden.faqs} | {one.id: one.title for one in golden.documents}
    shown = [
        {
            "id": one.id,
            "language": one.language,
            "question": one.text,
            "label": _named(sorted(one.relevant), named),
            "found": _named(hits[one.id][:1], named),
        }
        for one in lost[:_SHOWN]
    ]
    return {"looked": len(looked), "doubtful": len(lost), "shown": shown}


def _named(ids: Iterable[str], named: Mapping[str, str]) -> str:
    return " / ".join(named[id] for id in ids)
