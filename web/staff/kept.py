"""Settings that staff change in the console, kept in the database. Knows not what they steer."""

from typing import Any

from sqlalchemy import Engine, delete, insert, select

from knowledge_base.database import writing
from web.staff import tables


class Kept:
    """Named values that JSON has."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name."""
        with self._engine.connect() as connection:
            row = connection.execute(select(tables.setting.c.value).where(tables.setting.c.name == name)).first()
        return default if row is None else row.value

    def put(self, name: str, value: Any) -> None:
        """Keep a value under a name."""
        with writing(self._engine) as connection:
            connection.execute(delete(tables.setting).where(tables.setting.c.name == name))
            connection.execute(insert(tables.setting).values(name=name, value=value))
