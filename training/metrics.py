"""Scores of one answer against its question's labels, as the golden-set format defines them. Pure; knows no model."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bot.verify import unsupported
from bot.wording import sentences
from knowledge_base.types import Language
from training.golden import Question

ANSWERED = ("faq", "grounded")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Judged:
    """What of one logged answer is judged."""

    kind: str
    text: str
    confidence: float
    hits: tuple[str, ...]  # ids of documents and FAQs in rank order
    citations: tuple[str, ...]
    evidence: tuple[str, ...] = ()  # the cited passages, each under its title and headings
    latency_ms: Mapping[str, float] = field(default_factory=dict)  # step → milliseconds

    @property
    def answers(self) -> bool:
        """Whether it is an answer, and no question back, refusal or handoff."""
        return self.kind in ANSWERED


def normalised(text: str) -> str:
    """NFKC, lower case, without punctuation, symbols, spaces and control characters."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return "".join(c for c in folded if unicodedata.category(c)[0] not in "PZSC")


def is_correct(question: Question, answer: Judged) -> bool:
    """It answers, cites a relevant id and, where the question has reference answers, contains one of them."""
    if not answer.answers or not question.answerable:
        return False
    if not question.relevant.intersection(answer.citations):
        return False
    text = normalised(answer.text)
    return not question.answers or any(normalised(wanted) in text for wanted in question.answers)


def would_be_correct(question: Question, answer: Judged) -> bool:
    """Whether answering from the best hit is right: for an answer, that it is; else that the first hit is relevant."""
    if answer.answers:
        return is_correct(question, answer)
    return question.answerable and hit_at(1, question.relevant, answer.hits)


def hit_at(rank: int, relevant: Collection[str], ranking: Sequence[str]) -> bool:
    """Whether one of the relevant ids stands among the first `rank` ids."""
    return any(i in relevant for i in ranking[:rank])


def reciprocal_rank(relevant: Collection[str], ranking: Sequence[str], depth: int = 10) -> float:
    """1 / rank of the first relevant id, rank from 1; 0 when none stands among the first `depth`."""
    return next((1 / rank for rank, i in enumerate(ranking[:depth], 1) if i in relevant), 0.0)


def ndcg(relevant: Collection[str], ranking: Sequence[str], depth: int = 10) -> float:
    """Normalised discounted cumulative gain of the first `depth` ids, 0..1; each relevant id gains 1.

    Source: Järvelin & Kekäläinen, TOIS 2002; equal to scikit-learn's ndcg_score, for rankings shorter than `depth` too.
    """
    gained = sum(1 / math.log2(rank + 1) for rank, i in enumerate(ranking[:depth], 1) if i in relevant)
    most = sum(1 / math.log2(rank + 1) for rank in range(1, min(depth, len(relevant)) + 1))
    return gained / most if most else 0.0


def exact_match(text: str, references: Sequence[str]) -> bool:
    """Whether the text is, normalised, one of the references."""
    return normalised(text) in {normalised(reference) for reference in references}


def token_f1(text: str, references: Sequence[str], language: Language) -> float:
    """F1 of the tokens in common with the nearest reference, 0..1: characters in Chinese, words in English.

    Source: Rajpurkar et al., EMNLP 2016 (SQuAD), articles kept.
    """
    said = _tokens(text, language)
    return max((_overlap(said, _tokens(reference, language)) for reference in references), default=0.0)


def unsupported_facts(answer: Judged) -> tuple[str, ...]:
    """Numbers, dates, links and names of the answer that stand in no cited passage; our own lead-in may be said."""
    own = sentences()["other_language"].values()
    return unsupported(answer.text, [*answer.evidence, *own], least_support=0.0)


def tally(question: Question, answer: Judged) -> dict[str, tuple[float, float]]:
    """What one question adds to each rate, as (part, whole); a rate over many is Σ part / Σ whole.

    hit@k, MRR, nDCG, coverage and resolved are over answerable questions; correct and supported over answered
    ones, exact match and F1 over those of them that have references; false answers over all.
    """
    able, answered, right = question.answerable, answer.answers, is_correct(question, answer)
    relevant, ranking = question.relevant, answer.hits
    referenced = answered and bool(question.answers)
    counted: dict[str, tuple[float, float]] = {
        f"hit@{rank}": (hit_at(rank, relevant, ranking), able) for rank in (1, 3, 5, 10)
    }
    counted |= {
        "mrr@10": (reciprocal_rank(relevant, ranking), able),
        "ndcg@10": (ndcg(relevant, ranking), able),
        "coverage": (answered, able),
        "correct_of_answered": (right, answered),
        "resolved": (right, able),
        "false_answer_rate": (answered and not right, True),
        "exact_match": (referenced and exact_match(answer.text, question.answers), referenced),
        "token_f1": (token_f1(answer.text, question.answers, question.language) if referenced else 0, referenced),
        "supported": (answered and not unsupported_facts(answer), answered),
        "refused_unanswerable": (not answered, not able),
        "abstain_precision": (not able, not answered),
        "abstain_f1": (2 * (not able and not answered), (not able) + (not answered)),
    }
    return {name: (float(part) if whole else 0.0, float(whole)) for name, (part, whole) in counted.items()}


def _tokens(text: str, language: Language) -> Counter[str]:
    if language == "zh":
        return Counter(normalised(text))
    return Counter(_WORD.findall(unicodedata.normalize("NFKC", text).lower()))


def _overlap(said: Counter[str], wanted: Counter[str]) -> float:
    common = (said & wanted).total()
    return 2 * common / (said.total() + wanted.total()) if common else 0.0
