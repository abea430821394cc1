"""What went wrong is told once, and what was told is kept; of what went wrong before, nothing is told"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TROUBLED = "state IN ('late', 'missed', 'failed', 'unknown') AND noticed = 0"


def upgrade() -> None:
    for table in ("occurrences", "timers", "outbox"):
        op.add_column(table, sa.Column("noticed", BIG, server_default="0", nullable=False))
    op.execute("UPDATE occurrences SET noticed = 1 WHERE state IN ('late', 'missed', 'failed', 'unknown')")
    op.execute("UPDATE timers SET noticed = 1 WHERE parked = 1")
    op.execute("UPDATE outbox SET noticed = 1 WHERE state IN ('failed', 'unknown') AND state <> 'sent'")
    op.create_index(
        "ix_occurrences_troubled",
        "occurrences",
        ["due"],
        sqlite_where=sa.text(TROUBLED),
        postgresql_where=sa.text(TROUBLED),
    )
    op.create_table(
        "notices",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )


def downgrade() -> None:
    raise RuntimeError("restore a backup instead")
