"""What an owner moved or skipped, and to whom a slot for some of the members wrote last"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "moves",
        sa.Column("group_id", BIG, nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("local", sa.Text(), nullable=False),
        sa.Column("instead", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_moves_group_id"),
        sa.PrimaryKeyConstraint("group_id", "slot", "local", name="pk_moves"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "nudges",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("day", BIG, nullable=False),
        sa.PrimaryKeyConstraint("account", "person", name="pk_nudges"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    raise RuntimeError("restore a backup instead")
