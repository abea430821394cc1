"""A row that tells, after a connection to a server broke in mid-commit, whether the commit went through"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "commits",
        sa.Column("id", BIG, nullable=False),
        sa.Column("token", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_commits"),
    )


def downgrade() -> None:
    raise RuntimeError("restore a backup instead")
