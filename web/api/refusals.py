"""How the API's document describes a refused request. Refuses nothing itself."""

from typing import Any

_REASON = {
    "type": "object",
    "title": "Refusal",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "description": "why, for programs"},
                "message": {"type": "string", "description": "why, and the remedy"},
            },
        }
    },
}
_BODY = {"application/json": {"schema": _REASON}}
REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "content": _BODY,
        "description": "Refused: 400 what is sent is not valid, 401 not signed in, 403 not allowed, 404 not there, "
        "409 changed in the meantime, 413 too large, 429 too often",
    },
    503: {"content": _BODY, "description": "The bot is still starting, or is busy"},
}
"""What every route under /api may answer besides its own result, whatever media type that has."""
