"""What of a document or an FAQ is searched: pure functions from a source to its entries."""

import re
from collections.abc import Callable, Iterator, Sequence

from knowledge_base.chunk import chunk
from knowledge_base.language import has_chinese, language_of, normalise
from knowledge_base.records import Entry, Role
from knowledge_base.types import Document, Faq, Language, path_of, section

_BETWEEN_CLAUSES = re.compile(r"[，,；;、。？！?!/\n]+|(?<=[a-z])\. +")
_FEWEST = 2  # Chinese characters or English words: with fewer a clause says too little
_MOST_CLAUSES = 8  # of one phrasing


def document_entries(document: Document, count_tokens: Callable[[Sequence[str]], list[int]], size: int) -> list[Entry]:
    """One entry a passage, searched with the document's title and the passage's heading path.

    The first of a section answers to the section's name. size: the longest passage, in the tokens that count_tokens
    counts.
    """
    named: set[str] = set()
    entries = []
    for piece in chunk(document.text, count_tokens, size):
        name, path = section(document.title, piece.headings), path_of(document.title, piece.headings)
        entries.append(
            Entry(
                role="passage",
                language=_passage_language(piece.text, document.language),
                text=piece.text,
                search_text="\n".join(filter(None, (" > ".join(path), piece.text))),
                headings=piece.headings,
                normal="" if name in named else normalise(name),
            )
        )
        named.add(name)
    return entries


def faq_entries(faq: Faq) -> list[Entry]:
    """One entry a phrasing, and one a clause of it; a draft has none.

    A question is often a list ("Delivery times, shipping costs"), and customers ask for one thing of it. The
    phrasings to refuse are entries too, to be compared with.
    """
    if faq.status != "published":
        return []
    phrasings = [text for text in dict.fromkeys((faq.question, *faq.similar)) if text.strip()]
    return [
        *(_phrasing(faq, text, "question") for text in phrasings),
        *_clauses(faq, phrasings),
        *(_phrasing(faq, text, "never") for text in dict.fromkeys(faq.never) if text.strip()),
    ]


def _clauses(faq: Faq, phrasings: Sequence[str]) -> Iterator[Entry]:
    """Entries for the parts of phrasings that have several; what is shown of them is the whole phrasing."""
    known = {normalise(text) for text in phrasings}
    for text in phrasings:
        for clause in [part.strip() for part in _BETWEEN_CLAUSES.split(text)][:_MOST_CLAUSES]:
            language = language_of(clause, faq.language)
            length = len(clause) if language == "zh" else len(clause.split())
            if length >= _FEWEST and (normal := normalise(clause)) not in known:
                known.add(normal)
                yield Entry(role="clause", language=language, text=text, search_text=clause)


def _passage_language(text: str, document: Language) -> Language:
    """A passage of a Chinese document is Chinese, however many English terms it holds, unless it holds nothing else."""
    if document == "zh" and has_chinese(text):
        return "zh"
    return language_of(text, document)


def _phrasing(faq: Faq, text: str, role: Role) -> Entry:
    return Entry(
        role=role,
        language=language_of(text, faq.language),
        text=text,
        search_text=text,
        normal=normalise(text),
    )
