"""What a chat has chosen, and the character that a message was said to, or by."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "chat_settings",
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("thread_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("persona", sa.String(64), nullable=True),
        sa.Column("creativity", sa.String(16), nullable=False),
        sa.Column("length", sa.String(16), nullable=False),
        sa.Column("language", sa.String(16), nullable=True),
        sa.PrimaryKeyConstraint("chat_id", "thread_id", name=op.f("pk_chat_settings")),
    )
    # Empty for the rows that are there: what PERSONA was then is not on record.
    op.add_column("messages", sa.Column("persona", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("messages", "persona")
    op.drop_table("chat_settings")
