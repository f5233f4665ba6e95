"""Makes a customer's text safe to store and show: pure functions on text. Knows nothing of frames."""

import unicodedata

_INVISIBLE = ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp")
_BIDI_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def clean(text: str) -> str:
    """`text` without control characters, lone surrogates, direction overrides and outer space.

    Newlines and tabs stay. Empty when nothing visible is left. Joiners inside emoji stay.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(character for character in text if _keep(character)).strip()
    return kept if any(unicodedata.category(character) not in _INVISIBLE for character in kept) else ""


def _keep(character: str) -> bool:
    if character in "\n\t":
        return True
    return unicodedata.category(character) not in ("Cc", "Cs") and character not in _BIDI_OVERRIDES
