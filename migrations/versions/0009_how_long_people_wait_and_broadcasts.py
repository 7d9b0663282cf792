"""How long an answer took; broadcasts, and who cannot be reached."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("waited", sa.Double(), nullable=True))
    op.create_index(op.f("ix_feedback_created_at"), "feedback", ["created_at"])
    op.add_column("chats", sa.Column("unreachable_since", sa.DateTime(timezone=True), nullable=True))
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "broadcasts",
        sa.Column("id", row_id, nullable=False),
        sa.Column("admin", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("is_stopped", sa.Boolean(), nullable=False),
        sa.Column("message", sa.BigInteger(), nullable=True),
        sa.Column("language", sa.String(16), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcasts")),
        sqlite_autoincrement=True,
    )
    live = sa.text("stage = 'live'")
    op.create_index(
        op.f("ix_broadcasts_stage"), "broadcasts", ["stage"], unique=True, sqlite_where=live, postgresql_where=live
    )
    op.create_table(
        "recipients",
        sa.Column("broadcast", row_id, nullable=False),
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast"], ["broadcasts.id"], name=op.f("fk_recipients_broadcast"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("broadcast", "chat_id", name=op.f("pk_recipients")),
    )
    op.create_index(op.f("ix_recipients_broadcast_state_chat_id"), "recipients", ["broadcast", "state", "chat_id"])


def downgrade() -> None:
    op.drop_table("recipients")
    op.drop_table("broadcasts")
    op.drop_column("chats", "unreachable_since")
    op.drop_index(op.f("ix_feedback_created_at"), "feedback")
    op.drop_column("messages", "waited")
