"""Says what an operator can do about a database that fails. Knows SQLite's and PostgreSQL's codes, no table."""

import re
import sqlite3

_UNWRITABLE = "Make the data folder and its files writable, or point KEFU_DATA to another folder."
DAMAGED = "Restore it from a backup, or move it away to begin anew: point 10 of docs/operations/RUNBOOK.md."
"""What to do about a damaged file of SQLite."""
_SQLITE = {
    sqlite3.SQLITE_PERM: _UNWRITABLE,
    sqlite3.SQLITE_READONLY: _UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: _UNWRITABLE,
    sqlite3.SQLITE_FULL: "Free some disk space, then try again.",
    sqlite3.SQLITE_IOERR: "Check the disk and its free space, then try again.",
    sqlite3.SQLITE_BUSY: "Another program holds it: wait for it or end it, then try again.",
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
}
_UNREACHABLE = "Check KEFU_DATABASE_URL, and that PostgreSQL runs there and lets this account in."
_NO_DATABASE = "Create the database first: createdb --encoding=UTF8 NAME"
_MISSING = re.compile(r'database "[^"]*" does not exist')  # refused connections have no SQLSTATE
_POSTGRESQL = {  # beginnings of SQLSTATEs, the longest that fits counts
    "08": _UNREACHABLE,
    "25006": "It is a standby that takes no writes: point KEFU_DATABASE_URL to the primary.",
    "28": _UNREACHABLE,
    "3D": _NO_DATABASE,
    "42501": "Let this account create tables: GRANT ALL ON SCHEMA public TO it.",
    "53100": "Free some disk space on PostgreSQL's machine, then try again.",
    "53300": "Raise PostgreSQL's max_connections: each Kefu server may open 32.",
    "57P": "PostgreSQL is being stopped or started: wait for it, then try again.",
    "XX": "PostgreSQL reports damage: see its log, and restore a backup if need be.",
}


def remedy(error: BaseException) -> str | None:
    """What an operator can do about an error of a database driver; None: it is our own mistake."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE.get(code & 0xFF)
    state = getattr(error, "sqlstate", "")
    if state:
        return next((_POSTGRESQL[state[:length]] for length in (5, 3, 2) if state[:length] in _POSTGRESQL), None)
    if state is None and type(error).__name__ == "OperationalError":  # libpq could not connect, or was cut off
        return _NO_DATABASE if _MISSING.search(str(error)) else _UNREACHABLE
    return None
