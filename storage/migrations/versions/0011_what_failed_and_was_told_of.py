"""What failed and was told of is not looked through at each ring of the alarm"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NOT_SENT = "state <> 'sent'"


def upgrade() -> None:
    op.drop_index("ix_outbox_not_sent", "outbox")
    op.create_index(
        "ix_outbox_not_sent",
        "outbox",
        ["state", "noticed"],
        sqlite_where=sa.text(NOT_SENT),
        postgresql_where=sa.text(NOT_SENT),
    )


def downgrade() -> None:
    raise RuntimeError("restore a backup instead")
