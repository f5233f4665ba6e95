"""The page of one FAQ and its translation, side by side."""

from __future__ import annotations

from typing import get_args
from uuid import uuid4

from nicegui import ui
from starlette.requests import Request

from bot.usage import Usage, usage
from knowledge_base.faq_list import StoredFaq
from knowledge_base.language import language_of
from knowledge_base.types import LONGEST_ID, Faq, Language
from web.api.faq_forms import LONGEST_ANSWER, LONGEST_PHRASING, MOST_PHRASINGS, editing_of
from web.api.faqs import known_faq
from web.api.the_log import log_of
from web.console import faq_import
from web.console.faq_form import FaqForm
from web.console.faqs import PATH
from web.console.frame import forbidden, frame, title
from web.console.visit import Refused, Visit, open_visit
from web.desk import Desk

_FIRST = faq_import.import_page  # registered before this page, which would take its address for an id
_Family = tuple[list[StoredFaq], dict[str, Usage], list[str]]


@ui.page("/faqs/new", response_timeout=20)
async def new_faq(request: Request) -> None:
    """An FAQ that is not stored yet, filled from the query: question, answer, language, similar (any number)."""
    visit = open_visit("faqs", request)
    if not visit.may("knowledge.write"):
        return forbidden(visit)
    given = request.query_params
    question = given.get("question", "").strip()[:LONGEST_PHRASING]
    similar = [text.strip()[:LONGEST_PHRASING] for text in given.getlist("similar") if text.strip()]
    asked = given.get("language", "")
    known: tuple[Language, ...] = get_args(Language)
    language = next((one for one in known if one == asked), language_of(question, visit.language))
    answer = given.get("answer", "")[:LONGEST_ANSWER]
    id = f"faq-{uuid4().hex[:16]}.{language}"  # so that both languages are of one family before either is stored
    draft = Faq(id, question, answer, language, tuple(similar[:MOST_PHRASINGS]), status="draft")
    with frame(visit):
        _head(visit)
        try:
            categories = await visit.act("knowledge.read", lambda: editing_of(visit.desk).list.categories())
        except Refused:
            return
        with ui.element("div").classes("k-two"):
            FaqForm(visit, draft, 0, categories).show(Usage())
            _other_side(visit, draft, "en" if language == "zh" else "zh", categories)


@ui.page("/faqs/{faq_id:path}", response_timeout=20)
async def edit_faq(request: Request, faq_id: str) -> None:
    """A stored FAQ."""
    visit = open_visit("faqs", request)
    if not visit.may("knowledge.read"):
        return forbidden(visit)
    with frame(visit):
        _head(visit)
        try:
            stored = await visit.act("knowledge.read", known_faq, visit.desk, faq_id[:LONGEST_ID])
            family, used, categories = await visit.act("knowledge.read", _family, visit.desk, stored.faq)
        except Refused as refused:
            ui.label(visit.t("no_such_faq")).classes("k-empty").set_visibility(refused.__cause__ is not None)
            return
        sides = {one.faq.language: one for one in (*family, stored)}  # of two in one language, the one asked for
        with ui.element("div").classes("k-two"):
            for language in sorted(get_args(Language), key=lambda one: one != visit.language):
                if side := sides.get(language):
                    form = FaqForm(visit, side.faq, side.version, categories)
                    form.show(used.get(side.faq.id, Usage()))
                else:
                    _other_side(visit, stored.faq, language, categories)


def _family(desk: Desk, faq: Faq) -> _Family:
    editing = editing_of(desk)
    family = editing.list.family(faq.id)
    return family, usage(log_of(desk), "faq", [one.faq.id for one in family]), editing.list.categories()


def _head(visit: Visit) -> None:
    with ui.row().classes("w-full items-center gap-2"):
        ui.button(icon="arrow_back").props(f'flat round href={PATH} aria-label="{visit.t("back")}"')
        title(visit)


def _other_side(visit: Visit, original: Faq, language: Language, categories: list[str]) -> None:
    """Where the translation would stand: a button that begins it."""
    with ui.column().classes("k-card k-pad w-full gap-3 items-center justify-center") as place:
        ui.label(visit.t("no_translation", language=visit.t(language))).classes("k-mute")
        if not visit.may("knowledge.write"):
            return

        def begin() -> None:
            draft = Faq(
                f"{Faq.family(original.id)}.{language}",
                "",
                "",
                language,
                category=original.category,
                valid_from=original.valid_from,
                valid_until=original.valid_until,
                status="draft",
            )
            place.clear()
            place.classes(remove="k-card k-pad items-center justify-center")
            with place:
                FaqForm(visit, draft, 0, categories).show(Usage())

        ui.button(visit.t("translate"), icon="o_translate", on_click=begin).props("outline")
