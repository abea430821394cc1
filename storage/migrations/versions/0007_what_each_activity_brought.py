"""How much is written, and what belongs to which occurrence: so that a week can be told"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for table, column in (
        ("packets", "occurrence"),
        ("quizzes", "occurrence"),
        ("rounds", "right_answers"),
        ("occurrences", "sent_at"),
        ("occurrences", "members"),
        ("occurrences", "hooked_at"),
    ):
        op.add_column(table, sa.Column(column, BIG, server_default="0", nullable=False))
    op.create_table(
        "written",
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("day", BIG, nullable=False),
        sa.Column("messages", BIG, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_written_member_id"),
        sa.PrimaryKeyConstraint("member_id", "day", name="pk_written"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "talk",
        sa.Column("group_id", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("messages", BIG, nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_talk_group_id"),
        sa.PrimaryKeyConstraint("group_id", "at", name="pk_talk"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    raise RuntimeError("restore a backup instead")
