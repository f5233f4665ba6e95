"""Why a file cannot be read, in the person's language: the readers themselves speak English. Knows no reader."""

from knowledge_base.types import Language
from web.console.words import say

_KINDS = (
    ("id of", "id"),
    ("does not exist", "missing"),
    ("is of a kind", "kind"),
    ("unpacks to", "unpacked"),
    ("password", "password"),
    ("only pictures", "scanned"),
    (" picture. Run text", "scanned"),
    ("in an encoding", "encoding"),
    ("uses fonts", "fonts"),
    ("has no text", "empty"),
    ("of memory", "memory"),
    ("took longer", "slow"),
    ("more than the", "size"),
    ("more than", "long"),
    ("too much text", "long"),
    (" but ", "other"),
)
"""What stands in a reader's sentence, and which of our own says the same; the first that fits."""


def reason(message: str, name: str, language: Language) -> str:
    """The reader's own sentence on the file of that name in English; what it amounts to in Chinese."""
    if language == "en":
        return message
    rest = message.removeprefix(name)
    kind = next((kind for part, kind in _KINDS if part in rest), "broken")
    return say("documents", f"unreadable_{kind}", language)
