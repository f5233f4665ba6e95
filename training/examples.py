"""Training data: groups of texts that mean the same, read from JSON Lines files and checked line by line.

Knows the file formats; nothing of models or batches. The kind of a file is the beginning of its name:

    topics_*       {"id", "cluster", "title", "zh": […], "en": […], "passage": {zh, en}, "answer": {zh, en}}
    intents_*      {"text", "intent", "out_of_scope"}
    pairs_*        {"a", "b", "label"}                          label 1: the same question
    faq_*          {"id", "question", "answer"}
    faq_queries_*  {"query", "faq_id"}                          for faq_* of the same rest of the name
    passages_*     {"id", "title", "text"}
    qa_*           {"question", "context_id", "answers"}        for passages_* of the same rest of the name
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from knowledge_base.chunk import CountTokens, chunk
from training.rows import Row, RowError, read_rows

log = logging.getLogger(__name__)

LONGEST_TEXT = 64_000  # characters; a longer one is a mistake
_MAY_BE_EMPTY = frozenset({"title", "cluster"})
_HELD_OUT = 10  # one group of so many is kept for measuring


class TrainingDataError(ValueError):
    """A training file that cannot be used; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Group:
    """Queries that one thing answers, in any of the languages, and the passages that answer them.

    family: groups of one family are never split between training and measuring; easily confused ones share it.
    paraphrases: whether the queries mean the same; those of a paragraph ask for different facts in it.
    """

    source: str
    id: str
    queries: tuple[str, ...]
    passages: tuple[str, ...] = ()
    family: str = ""
    paraphrases: bool = True

    @property
    def held_out(self) -> bool:
        """Whether it is kept for measuring; depends on nothing but its name."""
        name = f"{self.source} {self.family or self.id}"
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % _HELD_OUT == 0


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic in both languages: what customers ask, what a document says of it, how staff would answer."""

    id: str
    cluster: str
    title: dict[str, str]
    questions: dict[str, tuple[str, ...]]
    passage: dict[str, str]
    answer: dict[str, str]


def training_files(paths: Sequence[Path]) -> list[Path]:
    """The JSON Lines files among `paths` and in the folders among them. Raises TrainingDataError for none."""
    files = [file for path in paths for file in (sorted(path.glob("*.jsonl")) if path.is_dir() else [path])]
    if not files:
        raise TrainingDataError(f"no .jsonl file in {', '.join(map(str, paths)) or 'nothing'}")
    return files


def read_groups(paths: Sequence[Path], count_tokens: CountTokens, size: int) -> list[Group]:
    """All groups of the files, passages cut to `size` tokens. Raises TrainingDataError naming file and line."""
    try:
        return [group for file in training_files(paths) for group in _groups(file, count_tokens, size)]
    except RowError as error:
        raise TrainingDataError(str(error)) from error


def read_topics(file: Path) -> list[Topic]:
    """The topics of one file. Raises RowError naming file and line."""
    return [
        Topic(
            id=row.id(),
            cluster=row.text("cluster"),
            title=_both(row, "title"),
            questions={language: row.texts(language, optional=False) for language in ("zh", "en")},
            passage=_both(row, "passage"),
            answer=_both(row, "answer"),
        )
        for row in rows(file)
    ]


def rows(file: Path) -> Iterator[Row]:
    """The rows of a training file; those with an empty or over-long text are left out with a warning."""
    for row in read_rows(file):
        texts = {name: value for name, value in row.content.items() if isinstance(value, str)}
        if empty := [name for name, value in texts.items() if not value.strip() and name not in _MAY_BE_EMPTY]:
            log.warning("%s is left out: its field %r is empty.", row.at, empty[0])
        elif long := [name for name, value in texts.items() if len(value) > LONGEST_TEXT]:
            log.warning("%s is left out: its field %r has more than %d characters.", row.at, long[0], LONGEST_TEXT)
        else:
            yield row


def _groups(file: Path, count_tokens: CountTokens, size: int) -> Sequence[Group]:
    """The groups of one file; none of those that only go with another."""
    if file.name.startswith(("faq_queries_", "passages_")):
        return ()
    readers: dict[str, Callable[[Path], Sequence[Group]]] = {
        "topics_": lambda file: [topic_group(topic) for topic in read_topics(file)],
        "intents_": _intents,
        "pairs_": _pairs,
        "faq_": _faqs,
        "qa_": lambda file: _contexts(file, count_tokens, size),
    }
    for prefix, read in readers.items():
        if file.name.startswith(prefix):
            return read(file)
    raise TrainingDataError(f"{file}: its name does not tell what it holds; see training/examples.py")


def _both(row: Row, name: str) -> dict[str, str]:
    inner = row.content.get(name)
    both = Row(inner if isinstance(inner, dict) else {}, f"{row.at}, in {name!r}")
    return {language: both.text(language) for language in ("zh", "en")}


def topic_group(topic: Topic) -> Group:
    """The topic as a group: its questions in both languages, its passages under their titles."""
    passages = tuple(f"{topic.title[language]}\n{topic.passage[language]}" for language in ("zh", "en"))
    return Group("topics", topic.id, topic.questions["zh"] + topic.questions["en"], passages, topic.cluster)


def _intents(file: Path) -> list[Group]:
    found: dict[str, dict[str, None]] = {}
    for row in rows(file):
        if not row.content.get("out_of_scope"):
            found.setdefault(row.text("intent"), {})[row.text("text")] = None
    return _collect(file, found)


def _pairs(file: Path) -> list[Group]:
    found: dict[str, dict[str, None]] = {}
    for row in rows(file):
        if row.content.get("label") == 1:
            a = row.text("a")
            found.setdefault(a, {a: None})[row.text("b")] = None
    return _collect(file, found)


def _collect(file: Path, found: dict[str, dict[str, None]]) -> list[Group]:
    return [Group(file.stem, key, tuple(queries)) for key, queries in found.items() if len(queries) > 1]


def _faqs(file: Path) -> list[Group]:
    queries: dict[str, dict[str, None]] = {}
    extra = file.with_name(file.name.replace("faq_", "faq_queries_", 1))
    for row in rows(extra) if extra.exists() else ():
        queries.setdefault(row.text("faq_id"), {})[row.text("query")] = None
    return [
        Group(file.stem, row.id(), (row.text("question"), *queries.get(row.id(), {})), (row.text("answer"),))
        for row in rows(file)
    ]


def _contexts(file: Path, count_tokens: CountTokens, size: int) -> list[Group]:
    """One group a passage of a document, with the questions whose answer stands in it."""
    passages = file.with_name(file.name.replace("qa_", "passages_", 1))
    if not passages.exists():
        raise TrainingDataError(f"{file} needs {passages.name} beside it")
    documents = {row.id(): (row.text("title", blank=True), row.text("text")) for row in rows(passages)}
    asked: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for row in rows(file):
        if (context := row.text("context_id")) not in documents:
            raise row.wrong(f"context_id {context!r} is not in {passages.name}")
        asked.setdefault(context, []).append((row.text("question"), row.texts("answers")))
    return [
        Group(file.stem, f"{context}/{number}", tuple(queries), (f"{title}\n{piece.text}",), context, False)
        for context, questions in asked.items()
        for title, body in [documents[context]]
        for number, piece in enumerate(chunk(body, count_tokens, size))
        if (queries := [query for query, answers in questions if any(answer in piece.text for answer in answers)])
    ]
