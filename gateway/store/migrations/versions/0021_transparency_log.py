"""The transparency log; receipts that were sealed before it become its first leaves."""

from alembic import op

from gateway.store import roles
from gateway.store import tables as t

revision = "0021"
down_revision = "0020"

MADE = (t.receipt_log, t.log_leaf, t.log_checkpoint, t.log_push)
_RECEIPT = (
    "ALTER TABLE receipt ADD COLUMN IF NOT EXISTS leaf_index bigint",
    (
        "CREATE INDEX IF NOT EXISTS ix_receipt_unlogged ON receipt (agency_id, id)"
        " WHERE xml IS NOT NULL AND leaf_index IS NULL"
    ),
)


def upgrade() -> None:
    t.metadata.create_all(op.get_bind(), tables=list(MADE), checkfirst=True)
    for statement in _RECEIPT:
        op.execute(statement)
    for table in ("log_leaf", "log_checkpoint"):
        op.execute(
            f"CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    roles.grant(op.get_bind(), *(table.name for table in MADE), "receipt")
