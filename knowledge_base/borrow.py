"""Takes over vectors of the same encoder from another database, so that no text is encoded twice.

Knows no source and no index.
"""

from sqlalchemy import Engine, insert, select

from knowledge_base import tables
from knowledge_base.database import writing

_TOGETHER = 500  # vectors of one transaction


def borrow_vectors(engine: Engine, encoder: str, other: Engine) -> int:
    """Keep in `engine` the vectors of the encoder with this fingerprint that only `other` has; returns how many.

    Interrupted, it goes on where it was when it is called again.
    """
    columns, taken = tables.vector.c, 0
    wanted = select(columns.content_hash, columns.encoder, columns.data).where(columns.encoder == encoder)
    with other.connect().execution_options(yield_per=_TOGETHER) as theirs:
        for rows in theirs.execute(wanted).mappings().partitions():
            hashes = [row["content_hash"] for row in rows]
            mine = select(columns.content_hash).where(columns.encoder == encoder, columns.content_hash.in_(hashes))
            with writing(engine) as connection:
                known = set(connection.execute(mine).scalars())
                if new := [dict(row) for row in rows if row["content_hash"] not in known]:
                    connection.execute(insert(tables.vector), new)
            taken += len(new)
    return taken
