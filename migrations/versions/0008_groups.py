"""Groups: what is answered there, and which supergroups were groups before."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    column = sa.Column("attention", sa.String(16), nullable=False, server_default="addressed")
    op.add_column("chat_settings", column)
    op.create_table(
        "moved_groups",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("former_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moved_groups")),
    )


def downgrade() -> None:
    op.drop_table("moved_groups")
    op.drop_column("chat_settings", "attention")
