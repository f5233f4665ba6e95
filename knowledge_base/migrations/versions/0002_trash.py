"""Documents may be in the trash, from when on."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("document", sa.Column("trashed", sa.DateTime))
    op.create_index("ix_document_trashed", "document", ["trashed"])
