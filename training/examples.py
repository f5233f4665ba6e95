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
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge_base.chunk import CountTokens, chunk

log = logging.getLogger(__name__)

LONGEST_ROW = 64_000  # characters; a longer row is a mistake
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
    groups: list[Group] = []
    for file in training_files(paths):
        if file.name.startswith("topics_"):
            groups += map(_topic_group, read_topics(file))
        elif file.name.startswith("intents_"):
            groups += _intents(file)
        elif file.name.startswith("pairs_"):
            groups += _pairs(file)
        elif file.name.startswith("faq_") and not file.name.startswith("faq_queries_"):
            groups += _faqs(file)
        elif file.name.startswith("qa_"):
            groups += _contexts(file, count_tokens, size)
        elif not file.name.startswith(("faq_queries_", "passages_")):
            raise TrainingDataError(f"{file}: its name does not tell what it holds; see training/examples.py")
    return groups


def read_topics(file: Path) -> list[Topic]:
    """The topics of one file."""
    return [
        Topic(
            id=text(row, "id", at),
            cluster=text(row, "cluster", at),
            title=_both(row, "title", at),
            questions={language: _texts(row, language, at) for language in ("zh", "en")},
            passage=_both(row, "passage", at),
            answer=_both(row, "answer", at),
        )
        for row, at in rows(file)
    ]


def rows(file: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Rows of a JSON Lines file, each with "file, line n" for messages.

    Rows that are empty or over-long are left out with a warning; whatever else is wrong raises TrainingDataError.
    """
    try:
        lines = file.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingDataError(f"{file} cannot be read ({error}); it must be JSON Lines in UTF-8") from error
    for number, line in enumerate(lines, 1):
        at = f"{file}, line {number}"
        if not line.strip():
            continue
        if len(line) > LONGEST_ROW:
            log.warning("%s is left out: it has %d characters, more than %d.", at, len(line), LONGEST_ROW)
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise TrainingDataError(f"{at} is not JSON ({error})") from error
        if not isinstance(row, dict):
            raise TrainingDataError(f"{at} is not a JSON object")
        if empty := [name for name, value in row.items() if value == "" and name not in _MAY_BE_EMPTY]:
            log.warning("%s is left out: its field %r is empty.", at, empty[0])
            continue
        yield row, at


def text(row: dict[str, Any], name: str, at: str) -> str:
    """A field that must hold text that is more than blanks."""
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise TrainingDataError(f"{at}: the field {name!r} must hold text")
    return value.strip()


def _texts(row: dict[str, Any], name: str, at: str) -> tuple[str, ...]:
    values = row.get(name)
    if not isinstance(values, list) or not values or not all(isinstance(v, str) and v.strip() for v in values):
        raise TrainingDataError(f"{at}: the field {name!r} must be a list of texts, none of them empty")
    return tuple(dict.fromkeys(value.strip() for value in values))


def _both(row: dict[str, Any], name: str, at: str) -> dict[str, str]:
    value = row.get(name)
    if not isinstance(value, dict):
        raise TrainingDataError(f'{at}: the field {name!r} must be an object with "zh" and "en"')
    return {language: text(value, language, f"{at}, {name}") for language in ("zh", "en")}


def _topic_group(topic: Topic) -> Group:
    passages = tuple(f"{topic.title[language]}\n{topic.passage[language]}" for language in ("zh", "en"))
    return Group("topics", topic.id, topic.questions["zh"] + topic.questions["en"], passages, topic.cluster)


def _collect(file: Path, found: dict[str, dict[str, None]]) -> list[Group]:
    return [Group(file.stem, key, tuple(queries)) for key, queries in found.items() if len(queries) > 1]


def _intents(file: Path) -> list[Group]:
    found: dict[str, dict[str, None]] = {}
    for row, at in rows(file):
        if not row.get("out_of_scope"):
            found.setdefault(text(row, "intent", at), {})[text(row, "text", at)] = None
    return _collect(file, found)


def _pairs(file: Path) -> list[Group]:
    found: dict[str, dict[str, None]] = {}
    for row, at in rows(file):
        if row.get("label") == 1:
            a = text(row, "a", at)
            found.setdefault(a, {a: None})[text(row, "b", at)] = None
    return _collect(file, found)


def _faqs(file: Path) -> list[Group]:
    queries: dict[str, dict[str, None]] = {}
    extra = file.with_name(file.name.replace("faq_", "faq_queries_", 1))
    for row, at in rows(extra) if extra.exists() else ():
        queries.setdefault(text(row, "faq_id", at), {})[text(row, "query", at)] = None
    groups = []
    for row, at in rows(file):
        question, i = text(row, "question", at), text(row, "id", at)
        groups.append(Group(file.stem, i, (question, *queries.get(i, {})), (text(row, "answer", at),)))
    return groups


def _contexts(file: Path, count_tokens: CountTokens, size: int) -> list[Group]:
    """One group a passage of a document, with the questions whose answer stands in it."""
    passages = file.with_name(file.name.replace("qa_", "passages_", 1))
    if not passages.exists():
        raise TrainingDataError(f"{file} needs {passages.name} beside it")
    documents = {text(row, "id", at): (row.get("title", ""), text(row, "text", at)) for row, at in rows(passages)}
    asked: dict[str, list[tuple[str, list[str]]]] = {}
    for row, at in rows(file):
        context = text(row, "context_id", at)
        if context not in documents:
            raise TrainingDataError(f"{at}: context_id {context!r} is not in {passages.name}")
        asked.setdefault(context, []).append((text(row, "question", at), row.get("answers") or []))
    return [
        group
        for context, questions in asked.items()
        for group in _passages(
            file.stem, context, documents[context], questions, lambda s: chunk(s, count_tokens, size)
        )
    ]


def _passages(
    source: str,
    context: str,
    document: tuple[str, str],
    asked: Sequence[tuple[str, list[str]]],
    cut: Callable[[str], Sequence[Any]],
) -> Iterator[Group]:
    title, body = document
    for number, piece in enumerate(cut(body)):
        queries = [query for query, answers in asked if any(answer in piece.text for answer in answers)]
        if queries:
            yield Group(source, f"{context}/{number}", tuple(queries), (f"{title}\n{piece.text}",), context, False)
