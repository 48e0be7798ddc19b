"""What a statement file adds up to stands beside it: count, sum, opening and closing balance."""

from alembic import op

from gateway.store import roles

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.execute("ALTER TABLE statement_file ADD COLUMN IF NOT EXISTS totals jsonb")
    roles.grant(op.get_bind(), "statement_file")
