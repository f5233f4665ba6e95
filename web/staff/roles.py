"""What each role may do. A pure table; knows no account."""

from typing import Literal

Role = Literal["admin", "editor", "agent", "trainer"]
Permission = Literal[
    "overview.read",
    "knowledge.read",
    "knowledge.write",
    "conversations.read",
    "conversations.correct",
    "conversations.erase",
    "desk.use",
    "training.use",
    "staff.manage",
]

_EVERYBODY: frozenset[Permission] = frozenset({"overview.read", "knowledge.read", "conversations.read"})
ROLES: dict[Role, frozenset[Permission]] = {
    "admin": _EVERYBODY
    | {
        "knowledge.write",
        "conversations.correct",
        "conversations.erase",
        "desk.use",
        "training.use",
        "staff.manage",
    },
    "editor": _EVERYBODY | {"knowledge.write", "conversations.correct"},
    "agent": _EVERYBODY | {"desk.use", "conversations.correct"},
    "trainer": _EVERYBODY | {"conversations.correct", "training.use"},
}
"""Every role with its permissions."""


def may(role: Role, permission: Permission) -> bool:
    """Whether a role may do it."""
    return permission in ROLES[role]
