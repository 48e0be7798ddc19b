"""An index on the receipts that are sealed and not drawn yet; new databases have it already."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX IF NOT EXISTS ix_receipt_undrawn ON receipt (id)"
        " WHERE xml IS NOT NULL AND pdf IS NULL"
    )
