"""Postings are found by their key alone, so the key is the table: a third less to write for each"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    if op.get_context().dialect.name != "sqlite":
        op.drop_constraint("pk_postings", "postings", type_="primary")
        op.drop_constraint("uq_postings_key_account_id", "postings", type_="unique")
        op.drop_column("postings", "id")
        op.create_primary_key("pk_postings", "postings", ["key", "account_id"])
        return
    op.rename_table("postings", "postings_before")
    op.create_table(
        "postings",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_postings_account_id"),
        sa.PrimaryKeyConstraint("key", "account_id", name="pk_postings"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO postings SELECT key, account_id, amount, at FROM postings_before")
    op.drop_table("postings_before")
