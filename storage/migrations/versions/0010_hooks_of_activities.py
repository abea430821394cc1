"""Activities have hooks: a post at the height of the talk, or at their end"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "hooks",
        sa.Column("id", BIG, nullable=False),
        sa.Column("group_id", BIG, nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("occurrence", BIG, server_default="0", nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("started_at", BIG, nullable=False),
        sa.Column("ended_at", BIG, server_default="0", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("at", BIG, server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_hooks_group_id"),
        sa.PrimaryKeyConstraint("id", name="pk_hooks"),
    )
    op.create_index("ix_hooks_group_id_hooks_state", "hooks", ["group_id", "state"])


def downgrade() -> None:
    raise RuntimeError("restore a backup instead")
