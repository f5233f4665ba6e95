"""Conversations that people have or wait for: the open row of a conversation is its state. Notes among staff.

A connection per call, so any thread may call. Every change is one conditional statement or one transaction that
holds the right to write, so that of two at once one wins. Knows nothing of sockets, hours or pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Engine, Row, bindparam, exists, func, insert, select, update

from bot import said, tables
from bot.types import Message
from knowledge_base.database import writing
from knowledge_base.types import Language

Outcome = Literal["solved", "unsolved", "returned", "cancelled"]
View = Literal["waiting", "mine", "all"]
_HANDOFF, _MESSAGE = tables.handoff.c, tables.message.c
_OPEN = _HANDOFF.ended.is_(None)
_WAITING = _OPEN & _HANDOFF.claimed.is_(None)
_HEARD = select(exists().where(_OPEN, _HANDOFF.conversation_id == bindparam("conversation_id")) | said.IS_SAID.exists())
_RECENT = 20  # handoffs from whose waiting times the next one's is expected


@dataclass(frozen=True, slots=True)
class Handoff:
    """A conversation's time away from the bot. `claimed` None: it waits; `ended` None: it is open."""

    id: int
    conversation_id: str
    reason: str
    language: Language
    asked: datetime
    claimed: datetime | None
    staff_id: str | None
    staff_name: str | None
    ended: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A handoff as a list shows it, with what was said last."""

    handoff: Handoff
    text: str
    role: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """What one of the staff noted for the others."""

    id: int
    staff_name: str
    text: str
    at: datetime


class Handoffs:
    """Reads and changes handoffs in a migrated database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open_of(self, conversation_id: str) -> Handoff | None:
        """The open handoff of a conversation; None while the bot has it."""
        with self._engine.connect() as connection:
            return _open_of(connection, conversation_id)

    def begin(self, conversation_id: str, reason: str, language: Language) -> Handoff:
        """Let a conversation wait for a person; the open handoff, if it has one already."""
        with writing(self._engine, conversation_id) as connection:
            known = _open_of(connection, conversation_id)
            if known is not None:
                return known
            values = {"reason": reason, "language": language, "asked": datetime.now(UTC)}
            connection.execute(insert(tables.handoff).values(conversation_id=conversation_id, **values))
            begun = _open_of(connection, conversation_id)
            assert begun is not None
            return begun

    def claim(self, conversation_id: str, staff_id: str, staff_name: str) -> bool:
        """Give a waiting conversation to one of the staff; False when it does not wait (any more)."""
        values = {"claimed": datetime.now(UTC), "staff_id": staff_id, "staff_name": staff_name}
        return self._changed(conversation_id, _WAITING, values)

    def release(self, staff_id: str) -> list[str]:
        """Let everything that one of the staff has wait again. Returns the conversations' ids."""
        his = _OPEN & (_HANDOFF.staff_id == staff_id)
        values = {"claimed": None, "staff_id": None, "staff_name": None}
        released = update(tables.handoff).where(his).values(values).returning(_HANDOFF.conversation_id)
        with writing(self._engine) as connection:
            return list(connection.execute(released).scalars())

    def end(self, conversation_id: str, outcome: Outcome, staff_id: str | None = None) -> bool:
        """End the open handoff; staff_id: only if that person has it. False when there is none such."""
        wanted = _OPEN if staff_id is None else _OPEN & (_HANDOFF.staff_id == staff_id)
        return self._changed(conversation_id, wanted, {"ended": datetime.now(UTC), "outcome": outcome})

    def hears(self, conversation_id: str, message_id: str) -> bool:
        """Whether people have the conversation, or this message was logged while they had it."""
        asked = {"conversation_id": conversation_id, "message_id": message_id}
        with self._engine.connect() as connection:
            return bool(connection.execute(_HEARD, asked).scalar_one())

    def hear(self, conversation_id: str, message: Message) -> bool:
        """Log what the customer says to people, once. False, nothing being logged, while the bot has it.

        A message that was logged so before is known for ever, whoever has the conversation by now.
        """
        with writing(self._engine, conversation_id) as connection:
            if said.is_said(connection, conversation_id, message.id):
                return True
            if _open_of(connection, conversation_id) is None:
                return False
            said.add(connection, conversation_id, message)
        return True

    def speak(self, conversation_id: str, staff_id: str, message: Message) -> bool:
        """Log what one of the staff says; False when that person does not have the conversation."""
        with writing(self._engine, conversation_id) as connection:
            known = _open_of(connection, conversation_id)
            if known is None or known.staff_id != staff_id:
                return False
            said.add(connection, conversation_id, message)
        return True

    def waiting(self) -> list[Handoff]:
        """Those that wait, longest first."""
        return self._all(_WAITING, limit=None)

    def held(self) -> list[Handoff]:
        """Those that somebody has."""
        return self._all(_OPEN & _HANDOFF.claimed.is_not(None), limit=None)

    def ahead(self, handoff: Handoff) -> int:
        """How many wait longer."""
        with self._engine.connect() as connection:
            counted = select(func.count()).select_from(tables.handoff).where(_WAITING, _HANDOFF.id < handoff.id)
            return int(connection.execute(counted).scalar_one())

    def recent_waits(self) -> list[timedelta]:
        """How long the last ones waited that were claimed, newest first."""
        statement = (
            select(_HANDOFF.asked, _HANDOFF.claimed).where(_HANDOFF.claimed.is_not(None)).order_by(_HANDOFF.id.desc())
        )
        with self._engine.connect() as connection:
            return [row.claimed - row.asked for row in connection.execute(statement.limit(_RECENT))]

    def listed(self, view: View, staff_id: str, limit: int = 50, offset: int = 0) -> tuple[list[Listed], int]:
        """One page of a list, and how many it has in all: waiting and mine longest first, all newest first."""
        wanted = {"waiting": _WAITING, "mine": _OPEN & (_HANDOFF.staff_id == staff_id), "all": _HANDOFF.id > 0}[view]
        with self._engine.connect() as connection:
            counted = select(func.count()).select_from(tables.handoff).where(wanted)
            total = int(connection.execute(counted).scalar_one())
            order = _HANDOFF.id.desc() if view == "all" else _HANDOFF.id
            page = select(tables.handoff).where(wanted).order_by(order).limit(limit).offset(offset)
            handoffs = [_handoff(row) for row in connection.execute(page)]
            last = _last_said(connection, [one.conversation_id for one in handoffs])
        nothing = ("", "customer", None)
        rows = [(one, last.get(one.conversation_id, nothing)) for one in handoffs]
        return [Listed(one, text, role, at or one.asked) for one, (text, role, at) in rows], total

    def latest(self, conversation_id: str) -> Handoff | None:
        """The open handoff of a conversation, else its last."""
        found = self._all(_HANDOFF.conversation_id == conversation_id, limit=1, newest=True)
        return found[0] if found else None

    def note(self, conversation_id: str, staff_name: str, text: str) -> None:
        """Keep a note among staff."""
        values = {"conversation_id": conversation_id, "staff_name": staff_name, "text": text}
        with writing(self._engine, conversation_id) as connection:
            connection.execute(insert(tables.note).values(at=datetime.now(UTC), **values))

    def notes(self, conversation_id: str) -> list[Note]:
        """The notes on a conversation, oldest first."""
        columns = tables.note.c
        wanted = select(columns.id, columns.staff_name, columns.text, columns.at)
        with self._engine.connect() as connection:
            rows = connection.execute(wanted.where(columns.conversation_id == conversation_id).order_by(columns.id))
            return [Note(*row) for row in rows]

    def solved(self, conversation_id: str, solved: bool) -> None:
        """Keep what the customer said to "did this solve it?"."""
        table = tables.conversation
        with writing(self._engine, conversation_id) as connection:
            connection.execute(update(table).where(table.c.id == conversation_id).values(solved=solved))

    def _all(self, wanted: ColumnElement[bool], limit: int | None, newest: bool = False) -> list[Handoff]:
        order = _HANDOFF.id.desc() if newest else _HANDOFF.id
        with self._engine.connect() as connection:
            rows = connection.execute(select(tables.handoff).where(wanted).order_by(order).limit(limit))
            return [_handoff(row) for row in rows]

    def _changed(self, conversation_id: str, wanted: ColumnElement[bool], values: dict[str, Any]) -> bool:
        mine = wanted & (_HANDOFF.conversation_id == conversation_id)
        with writing(self._engine, conversation_id) as connection:
            done = connection.execute(update(tables.handoff).where(mine).values(values))
            return done.rowcount == 1


def _open_of(connection: Connection, conversation_id: str) -> Handoff | None:
    wanted = _OPEN & (_HANDOFF.conversation_id == conversation_id)
    row = connection.execute(select(tables.handoff).where(wanted)).first()
    return _handoff(row) if row else None


def _handoff(row: Row[Any]) -> Handoff:
    return Handoff(**row._mapping)


def _last_said(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, str, datetime]]:
    """Text, role and time of each conversation's last message."""
    numbers = (
        select(func.max(_MESSAGE.number)).where(_MESSAGE.conversation_id.in_(ids)).group_by(_MESSAGE.conversation_id)
    )
    rows = connection.execute(select(tables.message).where(_MESSAGE.number.in_(numbers)))
    return {row.conversation_id: (row.text, row.role, row.at) for row in rows}
