"""Whether staff have looked at an example's label again and found it right."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("example", sa.Column("sure", sa.Boolean, nullable=False, server_default=sa.false()))
