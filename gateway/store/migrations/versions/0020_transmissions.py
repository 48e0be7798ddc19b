"""What the tax authority is told of receipts, over which line, and when that line failed."""

from alembic import op

from gateway.store import roles
from gateway.store import tables as t

revision = "0020"
down_revision = "0019"

_POINTERS = """
ALTER TABLE receipt ADD COLUMN IF NOT EXISTS transmission_id text;
ALTER TABLE receipt DROP CONSTRAINT IF EXISTS fk_receipt_transmission;
ALTER TABLE receipt ADD CONSTRAINT fk_receipt_transmission
  FOREIGN KEY (agency_id, transmission_id) REFERENCES transmission (agency_id, id);
CREATE INDEX IF NOT EXISTS ix_receipt_untold ON receipt (agency_id, issued_on)
  WHERE transmission_id IS NULL AND xml IS NOT NULL
"""


def upgrade() -> None:
    made = [t.transmission, t.channel, t.outage]
    t.metadata.create_all(op.get_bind(), tables=made, checkfirst=True)
    for statement in _POINTERS.split(";"):
        op.execute(statement)
    for table in ("receipt", "transmission", "channel", "outage"):
        roles.grant(op.get_bind(), table)
