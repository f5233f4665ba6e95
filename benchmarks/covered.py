"""Coverage at a share of false answers: how much a bot could answer if at most so many of all questions went wrong.

Put to Kefu's bot, which logs nothing of it, and to nearest-neighbour matching of FAQs. Knows nothing of the month.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.month import Wanted
from bot.bot import Bot
from bot.types import Conversation
from knowledge_base.types import Encoder, Faq, Language
from training.golden import Question
from training.metrics import ANSWERED, Judged, would_be_correct

LIMIT = 0.05  # false answers, of all questions
LANGUAGES: tuple[Language, ...] = ("zh", "en")
_DRAWS = 1000


class Scored(NamedTuple):
    """One question: what it was answered with, how surely, whether answering so is right, whether it was answered."""

    text: str
    language: Language
    answerable: bool
    found: str  # id of the first hit
    confidence: float
    right: bool
    answered: bool


def of_bot(bot: Bot, questions: Sequence[Wanted], progress: Callable[[int, int], None]) -> list[Scored]:
    """Each question tried out, as staff can in the console."""
    scored = []
    for number, wanted in enumerate(questions, 1):
        answer = bot.try_out(Conversation("measured"), wanted.text)
        first = answer.hits[0].passage.source_id if answer.hits else ""
        sure = answer.confidence if answer.hits else 0.0  # small talk and the like stands on no hit
        answered = answer.kind in ANSWERED
        cited = {citation.source_id for citation in answer.citations}
        right = wanted.faq in cited if answered else wanted.faq == first
        scored.append(Scored(wanted.text, wanted.language, wanted.faq is not None, first, sure, right, answered))
        progress(number, len(questions))
    return scored


def of_neighbours(encoder: Encoder, faqs: Sequence[Faq], questions: Sequence[Wanted]) -> list[Scored]:
    """Each question answered by the FAQ with the nearest wording; the cosine is the confidence."""
    rows = [(faq.id, text) for faq in faqs for text in (faq.question, *faq.similar)]
    near = encoder.encode_queries([one.text for one in questions]) @ encoder.encode_passages([t for _, t in rows]).T
    best = near.argmax(axis=1)
    return [
        Scored(one.text, one.language, one.faq is not None, rows[b][0], float(near[n, b]), one.faq == rows[b][0], True)
        for n, (one, b) in enumerate(zip(questions, best.tolist(), strict=True))
    ]


def of_golden(pairs: Iterable[tuple[Question, Judged]]) -> list[Scored]:
    """The questions of golden sets with the answers of an evaluation."""
    return [
        Scored(
            question.text, question.language, question.answerable, (answer.hits or ("",))[0],
            answer.confidence if answer.hits else 0.0, would_be_correct(question, answer), answer.answers,
        )
        for question, answer in pairs
    ]  # fmt: skip


def figures(scored: Sequence[Scored]) -> dict[str, Any]:
    """By language: coverage at the limit, and what was answered by the bot's own threshold."""
    return {language: _figures([one for one in scored if one.language == language]) for language in LANGUAGES}


def coverage(scored: Sequence[Scored], limit: float = LIMIT) -> float:
    """The greatest share of the answerable questions that a threshold answers with so few false answers."""
    return float(_coverage(_columns(scored), np.ones((1, len(scored))), limit)[0])


def by_set(scored: Sequence[Scored], sets: Mapping[str, str], limit: float = LIMIT) -> dict[str, Any]:
    """By language and set of a question (`sets`: by its text): how many can be answered, and are, within the limit."""
    found: dict[str, Any] = {}
    for language in LANGUAGES:
        own = sorted((one for one in scored if one.language == language), key=lambda one: -one.confidence)
        columns = _columns(own)
        within = np.flatnonzero((np.cumsum(columns["wrong"]) <= limit * len(own)) * columns["ends"])
        answered = own[: within[-1] + 1] if within.size else []
        found[language] = {
            name: {
                "answerable": sum(one.answerable and sets[one.text] == name for one in own),
                "answered": sum(one.answerable and sets[one.text] == name for one in answered),
            }
            for name in sorted({sets[one.text] for one in own if one.answerable})
        }
    return found


def rise(before: Sequence[Scored], after: Sequence[Scored], limit: float = LIMIT) -> tuple[float, float, float]:
    """By how much coverage rose, with the 95 % interval over the same draws of questions."""
    weights = np.random.default_rng(20).multinomial(len(before), np.full(len(before), 1 / len(before)), _DRAWS)
    drawn = [_coverage(_columns(one), weights.astype(float), limit) for one in (before, after)]
    low, high = np.quantile(drawn[1] - drawn[0], [0.025, 0.975])
    return coverage(after, limit) - coverage(before, limit), float(low), float(high)


def _figures(scored: Sequence[Scored]) -> dict[str, Any]:
    able = max(1, sum(one.answerable for one in scored))
    answered = [one for one in scored if one.answered]
    return {
        "questions": len(scored),
        "coverage": round(coverage(scored), 4) if scored else 0.0,
        "hit@1": round(sum(one.right for one in scored if one.answerable) / able, 4),
        "answered": round(sum(one.answerable for one in answered) / able, 4),
        "false_answers": round(sum(not one.right for one in answered) / max(1, len(scored)), 4),
    }


def _columns(scored: Sequence[Scored]) -> Mapping[str, NDArray[np.float64]]:
    """Answerable and wrong, most confident first, and where each confidence ends."""
    ordered = sorted(scored, key=lambda one: -one.confidence)
    sure = np.array([one.confidence for one in ordered] + [-1.0])
    return {
        "able": np.array([one.answerable for one in ordered], float),
        "wrong": np.array([not one.right for one in ordered], float),
        "ends": (sure[:-1] > sure[1:]).astype(float),
        "order": np.array(sorted(range(len(scored)), key=lambda n: -scored[n].confidence), float),
    }


def _coverage(
    columns: Mapping[str, NDArray[np.float64]], weights: NDArray[np.float64], limit: float
) -> NDArray[np.float64]:
    """Of each draw (draws × questions, in the order they were asked)."""
    drawn = weights[:, columns["order"].astype(int)]
    wrong = np.cumsum(drawn * columns["wrong"], axis=1)
    able = drawn * columns["able"]
    within = (wrong <= limit * drawn.sum(axis=1, keepdims=True)) * columns["ends"]
    covered = np.cumsum(able, axis=1) * within
    return np.asarray(covered.max(axis=1, initial=0.0) / np.maximum(able.sum(axis=1), 1))
