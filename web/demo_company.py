"""Puts the demo company, its FAQs and its files, into a knowledge base.

Knows where the demo's files lie; how they are read, cut and stored is the knowledge base's business.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from knowledge_base.types import Progress, Put

if TYPE_CHECKING:  # heavy to import, and only a name here
    from knowledge_base.knowledge_base import KnowledgeBase

DEMO = Path(__file__).parent / "demo"
FAQS = DEMO / "faq.jsonl"
DOCUMENTS = DEMO / "documents"
SITE = DEMO / "site"
QUESTIONS = DEMO / "questions.jsonl"


def load_demo(knowledge: "KnowledgeBase", progress: Progress | None = None) -> list[Put]:
    """Put those FAQs and documents of the demo that are not there by id; the id of a document is its file name.

    What staff have changed or deleted stays so, and a load that broke off is completed; when nothing is missing,
    no file is converted. progress: (FAQs and documents done, those missing).
    Returns what was done with each that was missing.
    """
    from knowledge_base.faq_file import read_faqs
    from knowledge_base.load import load

    known = {faq.id for faq in knowledge.faqs()} | {document.id for document in knowledge.documents()}
    known |= knowledge.deleted_ids()
    faqs = [faq for faq in read_faqs(FAQS) if faq.id not in known]
    paths = [path for path in demo_documents() if path.name not in known]
    total = len(faqs) + len(paths)

    def shifted(by: int) -> Progress:
        return lambda done, _: progress(by + done, total) if progress else None

    if not total:
        return []
    outcomes = knowledge.put_faqs(faqs, shifted(0))
    documents = [load(path, id=path.name) for path in paths]
    return [*outcomes, *knowledge.put(documents, shifted(len(faqs)))]


def demo_documents() -> list[Path]:
    """The demo's document files, by name."""
    return sorted(path for path in DOCUMENTS.iterdir() if not path.name.startswith("."))
