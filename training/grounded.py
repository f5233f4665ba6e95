"""Examples for the generator: passages, the dialogue so far and a question; a short answer from them, or none.

Built with the very prompt that the bot uses. Topics give answers in full sentences, written for customers;
paragraphs with marked answers give the sentence that holds the answer. Knows no model.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.prompt import ABSTAIN, prompt
from bot.types import Message
from knowledge_base.language import language_of
from knowledge_base.sentences import sentences
from knowledge_base.types import Hit, Language, Passage
from training.augment import augment
from training.examples import Group, Topic, rows, topic_group

_LANGUAGES: tuple[Language, ...] = ("zh", "en")
_MOST_OTHERS = 2  # passages beside the one that answers
_ABSTAINING = 0.25  # share of examples whose passages do not answer
_WITH_HISTORY = 0.15
_TYPED = 0.25
_LONGEST_ANSWER = 220  # characters
_BEGAN = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Example:
    """One training row: chat messages, and what the generator is to write."""

    messages: tuple[dict[str, str], ...]
    answer: str
    held_out: bool


def topic_examples(topics: Sequence[Topic], rng: random.Random, per_topic: int) -> Iterator[Example]:
    """`per_topic` examples of each topic, half of them in each language."""
    clusters: dict[str, list[Topic]] = {}
    for topic in topics:
        clusters.setdefault(topic.cluster, []).append(topic)
    for topic in topics:
        near = [other for other in clusters[topic.cluster] if other is not topic]
        held_out = topic_group(topic).held_out
        for number in range(per_topic):
            language = _LANGUAGES[number % 2]
            others = rng.sample(near, min(len(near), _MOST_OTHERS))
            others += rng.sample(topics, _MOST_OTHERS - len(others))
            yield _topic_example(topic, [t for t in others if t is not topic], language, held_out, rng)


def _topic_example(
    topic: Topic, others: Sequence[Topic], language: Language, held_out: bool, rng: random.Random
) -> Example:
    answered = rng.random() >= _ABSTAINING
    shown = [*others[: rng.randint(0, len(others))], topic] if answered else list(others)
    rng.shuffle(shown)
    question = rng.choice(topic.questions[language])
    if rng.random() < _TYPED:
        question = augment(question, rng)
    history: list[Message] = []
    if others and rng.random() < _WITH_HISTORY:
        before = rng.choice(others)
        history = [
            Message("1", "customer", before.questions[language][0], _BEGAN),
            Message("2", "bot", before.answer[language], _BEGAN),
        ]
    hits = [_hit(t.title[language], t.passage[language], language) for t in shown]
    messages = prompt(question, language, hits, history)
    return Example(tuple(messages), topic.answer[language] if answered else ABSTAIN, held_out)


def paragraph_examples(
    groups: Sequence[Group], answers: dict[str, str], rng: random.Random, count: int
) -> Iterator[Example]:
    """`count` examples from paragraphs with questions. answers: question → the words that answer it."""
    usable = [group for group in groups if group.passages and any(query in answers for query in group.queries)]
    for group in rng.sample(usable, min(count, len(usable))):
        query = rng.choice([query for query in group.queries if query in answers])
        title, _, text = group.passages[0].partition("\n")
        language = language_of(text)
        answer = next((s.strip() for s in sentences(text) if answers[query] in s), "")
        if not answer or len(answer) > _LONGEST_ANSWER:
            continue
        hits = [_hit(title, text, language)]
        if rng.random() < _ABSTAINING:
            other = rng.choice(usable)
            if other.family == group.family or language_of(other.passages[0]) != language:
                continue
            title, _, text = other.passages[0].partition("\n")
            hits, answer = [_hit(title, text, language)], ABSTAIN
        yield Example(tuple(prompt(query, language, hits)), answer, group.held_out)


def _hit(title: str, text: str, language: Language) -> Hit:
    return Hit(Passage(0, "document", "", title, (), text, language, 1, _BEGAN), 1.0)


def answers_in(file: Path) -> dict[str, str]:
    """The first reference answer of each question of a qa_* file. Raises RowError naming file and line."""
    return {row.text("question"): answers[0] for row in rows(file) if (answers := row.texts("answers"))}
