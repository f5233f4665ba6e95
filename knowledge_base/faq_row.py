"""One FAQ to and from one row of a file: which fields there are and what may stand in them.

Knows nothing of files: a row comes as a mapping, from JSON or from a spreadsheet's cells.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, get_args

from knowledge_base.language import language_of, normalise
from knowledge_base.types import LONGEST_ID, Faq, KnowledgeBaseError, Language, Status

FIELDS = (
    "id",
    "question",
    "answer",
    "language",
    "similar",
    "never",
    "category",
    "valid_from",
    "valid_until",
    "status",
)
_LISTS = ("similar", "never")
_LIST_MARK = re.compile(r"\s*[|｜]\s*")
_FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")  # what a spreadsheet may take for a formula, and such a text marked

Row = Mapping[str, Any]


class WrongFieldError(Exception):
    """One field of a row cannot be understood; the reader of the file adds the row.

    code, values: the problem for those who tell it in another language.
    """

    def __init__(self, field: str, problem: str, code: str, **values: object) -> None:
        super().__init__(problem)
        self.field = field
        self.code = code
        self.values = values


def faq_of(row: Row) -> Faq:
    """The FAQ that a row says. Raises WrongFieldError.

    A missing language is told from the question; a missing id is derived from language and question, so that
    the same row always gives the same FAQ.
    """
    unknown = [name for name in row if name not in FIELDS]
    if unknown:
        raise WrongFieldError(
            unknown[0], f"unknown; the fields are {', '.join(FIELDS)}", "unknown", listed=", ".join(FIELDS)
        )
    question, answer = _required(row, "question"), _required(row, "answer")
    if len(id := _string(row, "id")) > LONGEST_ID:
        raise WrongFieldError(
            "id", f"has {len(id)} characters; shorten it to {LONGEST_ID}", "too_long", most=LONGEST_ID
        )
    if "\n" in id or "\r" in id:
        raise WrongFieldError("id", f"{id!r} has several lines; write it on one", "several_lines")
    language = _choice(row, "language", get_args(Language)) or language_of(question)
    faq = Faq(
        id=id or _derived_id(language, question),
        question=question,
        answer=answer,
        language=language,
        similar=_strings(row, "similar"),
        never=_strings(row, "never"),
        category=_string(row, "category"),
        valid_from=_day(row, "valid_from"),
        valid_until=_day(row, "valid_until"),
    )
    if faq.valid_from and faq.valid_until and faq.valid_until < faq.valid_from:
        raise WrongFieldError(
            "valid_until", f"{faq.valid_until} is before valid_from, {faq.valid_from}", "before_begin"
        )
    status = _choice(row, "status", get_args(Status))
    return replace(faq, status=status) if status else faq


def _derived_id(language: str, question: str) -> str:
    key = f"{language}\n{normalise(question)}"
    return "faq-" + hashlib.sha256(key.encode()).hexdigest()[:16]


def _string(row: Row, field: str) -> str:
    value = row.get(field)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a spreadsheet's 12 is 12.0
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float | date):
        raise WrongFieldError(field, f"{value!r} must be text", "not_text")
    text = str(value).replace("\r\n", "\n").strip()
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise WrongFieldError(field, f"{text!r} holds half a character; write it again", "half")
    return text


def _required(row: Row, field: str) -> str:
    value = _string(row, field)
    if not value:
        raise WrongFieldError(field, "is empty", "empty")
    return value


def _strings(row: Row, field: str) -> tuple[str, ...]:
    value = row.get(field)
    if isinstance(value, list):
        parts = [_string({field: part}, field) for part in value]
    else:
        parts = _LIST_MARK.split(_string(row, field))
    return tuple(part for part in parts if part)


def _choice(row: Row, field: str, choices: tuple[str, ...]) -> Any:
    value = _string(row, field).lower()
    if value and value not in choices:
        raise WrongFieldError(
            field,
            f"{value!r} must be one of {', '.join(choices)}",
            "choice",
            value=value[:40],
            listed=", ".join(choices),
        )
    return value


def _day(row: Row, field: str) -> date | None:
    value = row.get(field)
    if isinstance(value, datetime):
        return value.date()
    text = _string(row, field)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise WrongFieldError(
            field, f"{text!r} is no date; write it as 2026-01-31", "no_date", value=text[:40]
        ) from None


def row_of(faq: Faq) -> dict[str, Any]:
    """The row of an FAQ, of values that JSON has."""
    values = {field: getattr(faq, field) for field in FIELDS}
    return {
        field: list(value) if field in _LISTS else value.isoformat() if isinstance(value, date) else value
        for field, value in values.items()
    }


def cells_of(row: Row) -> dict[str, str]:
    """The cells of a `row_of` in a table, where a list is one cell with " | " between its parts.

    Raises KnowledgeBaseError when a part holds that mark itself.
    """
    for field in _LISTS:
        for part in row[field]:
            if _LIST_MARK.search(part):
                raise KnowledgeBaseError(
                    f"FAQ {row['id']}, field {field}: {part!r} holds a |, which parts the phrasings in a "
                    "table; write a .jsonl file, or reword it"
                )
    return {field: " | ".join(row[field]) if field in _LISTS else row[field] or "" for field in FIELDS}


def safe_cell(text: str) -> str:
    """A text as a CSV cell that no spreadsheet takes for a formula: marked with "'" where it opens like one."""
    return f"'{text}" if _FORMULA.match(text) else text


def plain_cell(value: Any) -> Any:
    """The value of a cell without the mark of `safe_cell`."""
    return value[1:] if isinstance(value, str) and value.startswith("'") and _FORMULA.match(value) else value
