"""A post may be several messages; the sandbox shows files and links"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "posts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("group_id", BIG, nullable=False),
        sa.Column("rest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_posts_group_id"),
        sa.PrimaryKeyConstraint("id", name="pk_posts"),
    )
    for column in ("file", "card"):
        op.add_column("sandbox_messages", sa.Column(column, sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    raise RuntimeError("restore a backup instead")
