"""Answers know their question, so that a question can have several; and where both stand in the chat."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Until now the answer followed its question.
FIND_QUESTIONS = """
UPDATE messages SET question = (
    SELECT max(earlier.id) FROM messages AS earlier
    WHERE earlier.chat = messages.chat AND earlier.mode = messages.mode
    AND earlier.id < messages.id AND NOT earlier.is_character
)
WHERE is_character
"""


def upgrade() -> None:
    op.add_column("messages", sa.Column("question", sa.BigInteger(), nullable=True))
    op.add_column("messages", sa.Column("is_shown", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("messages", sa.Column("message", sa.BigInteger(), nullable=True))
    op.add_column("messages", sa.Column("answered_in", sa.JSON(), nullable=True))
    op.add_column("inbox", sa.Column("question", sa.BigInteger(), nullable=True))
    op.execute(FIND_QUESTIONS)
    op.create_index(op.f("ix_messages_question"), "messages", ["question"])


def downgrade() -> None:
    op.drop_index(op.f("ix_messages_question"), "messages")
    op.drop_column("inbox", "question")
    for name in ("answered_in", "message", "is_shown", "question"):
        op.drop_column("messages", name)
