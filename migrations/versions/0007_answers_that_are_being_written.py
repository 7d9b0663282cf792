"""In which message an answer is being written, so that a crash leaves none behind half-written."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("inbox", sa.Column("shown_in", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("inbox", "shown_in")
