"""Who said a message, or got it as the answer; messages by their age."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # Empty for the rows that are there: nobody wrote down who they were.
    op.add_column("messages", sa.Column("user_id", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_messages_user_id"), "messages", ["user_id"])
    op.create_index(op.f("ix_messages_created_at"), "messages", ["created_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_messages_created_at"), "messages")
    op.drop_index(op.f("ix_messages_user_id"), "messages")
    op.drop_column("messages", "user_id")
