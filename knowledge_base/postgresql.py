"""What PostgreSQL's driver must do otherwise for Kefu. Knows no table."""

from typing import Any

from psycopg.abc import Buffer
from psycopg.types.string import StrDumper


class _WithoutNul(StrDumper):
    """Writes the replacement character for NUL, which is a character to SQLite and cannot be stored here."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)


def configure(connection: Any, _record: object) -> None:
    """Set a new connection up."""
    connection.adapters.register_dumper(str, _WithoutNul)
