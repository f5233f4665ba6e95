"""The audit log as admins read it: who did what to what, in words, with links to what is still there."""

from __future__ import annotations

from os.path import commonprefix
from typing import Any

from nicegui import ui

from web.console.links import source_address
from web.console.visit import Visit
from web.console.words import say, words
from web.staff.audit import Change

_PAGE = 50
_SUBJECT = (
    '<q-td :props="props"><a v-if="props.row.url" class="k-link" :href="props.row.url">{{ props.row.subject }}</a>'
    "<span v-else>{{ props.row.subject }}</span></q-td>"
)
_KINDS = {"faq": "faq", "document": "document"}
_MANY = ("faq.import", "faq.bulk_change", "faq.bulk_delete")
_GONE = (*_MANY, "faq.delete", "document.erase", "conversation.erase")
_LONGEST = 80
_AROUND = 12  # characters shown before a difference


class AuditList:
    """The audit log, page by page from the database."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    async def show(self) -> None:
        """Build the list."""
        t = self._visit.t
        looks = {"when": "k-nowrap", "who": "k-nowrap", "what": "k-nowrap"}
        columns = [
            {"name": name, "label": t(name), "field": name, "align": "left", "classes": looks.get(name, "")}
            for name in ("when", "who", "what", "subject", "details")
        ]
        self._table = ui.table(columns=columns, rows=[], row_key="id").props("flat bordered wrap-cells dense")
        self._table.classes("w-full").add_slot("body-cell-subject", _SUBJECT)
        self._table.add_slot("no-data", f'<div class="k-empty">{t("none_yet")}</div>')
        self._pages = ui.pagination(1, 1, value=1, on_change=self.load).props("max-pages=7")
        await self.load()

    async def load(self) -> None:
        """Read the page of the log that is shown."""
        visit = self._visit
        offset = (int(self._pages.value or 1) - 1) * _PAGE
        changes, total = await visit.act("staff.manage", visit.desk.access.audit.page, _PAGE, offset)
        self._pages.max = max(1, -(-total // _PAGE))
        self._pages.set_visibility(total > _PAGE)
        self._table.rows = [_row(visit, change) for change in changes]
        self._table.update()


def _row(visit: Visit, change: Change) -> dict[str, Any]:
    before, after = change.before or {}, change.after or {}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    parts = [_part(visit, name, before.get(name), after.get(name)) for name in names]
    subject, url = _subject(visit, change)
    return {
        "id": change.id,
        "when": f"{change.at.astimezone():%Y-%m-%d %H:%M:%S}",
        "who": change.staff_name,
        "what": _words(visit, change.action.replace(".", "_"), change.action),
        "subject": subject,
        "url": url,
        "details": ("；" if visit.language == "zh" else "; ").join(parts),
    }


def _subject(visit: Visit, change: Change) -> tuple[str, str]:
    """What was changed, as people know it, and where it is now, if anywhere."""
    group = change.action.partition(".")[0]
    named = {**(change.before or {}), **(change.after or {})}.get("name")
    if group in ("staff", "session", "key"):
        return str(named or change.staff_name), ""
    is_conversation = group == "conversation" or change.action in ("desk.claim", "desk.return", "desk.close")
    if is_conversation and change.subject:
        id = change.subject.partition("/")[0]
        url = "" if change.action in _GONE else f"/console/conversations/{id}"
        return f"{_words(visit, 'customer', '')} {id[:4].upper()}", url
    if group in _KINDS and change.action not in _GONE:
        return change.subject, "/console" + source_address(group, change.subject)
    if group == "golden":
        return _words(visit, "golden", ""), "/console/try-it?tab=golden"
    if group in ("desk", "unanswered", "example"):
        return "", ""  # what was done says all
    count, _, rest = change.subject.partition(" ")
    if change.action in _MANY and rest and count.isdigit():
        return say("audit", "many", visit.language, count=count), "/console/faqs"
    return change.subject, ""


def _part(visit: Visit, name: str, before: Any, after: Any) -> str:
    shown = _words(visit, f"field_{name}", name) + ("：" if visit.language == "zh" else ": ")
    new = _told(visit, name, after)
    if before is None:
        return shown + _cut(new)
    return shown + " → ".join(_apart(_told(visit, name, before), new))


def _apart(old: str, new: str) -> tuple[str, str]:
    """Two texts cut short, so that where they begin to differ is seen."""
    alike = len(commonprefix([old, new]))
    begin = max(0, alike - _AROUND) if max(len(old), len(new)) > _LONGEST else 0
    before = "…" if begin else ""
    return before + _cut(old[begin:]), before + _cut(new[begin:])


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _told(visit: Visit, name: str, value: Any) -> str:
    comma = "，" if visit.language == "zh" else ", "
    if value is None or value in ("", [], {}):
        return "—"
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, dict):
        return comma.join(_part(visit, one, None, told) for one, told in value.items())
    if isinstance(value, list):
        return comma.join(_told(visit, name, one) for one in value)
    return _words(visit, f"role_{value}" if name == "role" else f"value_{value}", str(value))


def _words(visit: Visit, name: str, otherwise: str) -> str:
    return say("audit", name, visit.language) if name in words("audit") or name in words("shell") else otherwise
