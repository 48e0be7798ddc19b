"""Receipts can be replaced, each at most once, and what is put right about them is kept."""

from alembic import op

from gateway.store import roles
from gateway.store import tables as t

revision = "0019"
down_revision = "0018"

_RECEIPT = """
ALTER TABLE receipt ADD COLUMN IF NOT EXISTS replaces_id text;
ALTER TABLE receipt DROP CONSTRAINT IF EXISTS fk_receipt_receipt;
ALTER TABLE receipt ADD CONSTRAINT fk_receipt_receipt
  FOREIGN KEY (agency_id, replaces_id) REFERENCES receipt (agency_id, id);
ALTER TABLE receipt DROP CONSTRAINT IF EXISTS ck_receipt_amount;
ALTER TABLE receipt ADD CONSTRAINT ck_receipt_amount
  CHECK (amount > 0 OR (amount = 0 AND replaces_id IS NOT NULL));
ALTER TABLE receipt DROP CONSTRAINT IF EXISTS ck_receipt_replaces;
ALTER TABLE receipt ADD CONSTRAINT ck_receipt_replaces CHECK (replaces_id <> id);
CREATE UNIQUE INDEX IF NOT EXISTS uq_receipt_first
  ON receipt (agency_id, payment_id, kind) WHERE replaces_id IS NULL;
CREATE UNIQUE INDEX IF NOT EXISTS uq_receipt_replaces
  ON receipt (agency_id, replaces_id) WHERE replaces_id IS NOT NULL;
ALTER TABLE receipt DROP CONSTRAINT IF EXISTS uq_receipt_agency_id_payment_id_kind
"""


def upgrade() -> None:
    for statement in _RECEIPT.split(";"):
        op.execute(statement)
    t.metadata.create_all(op.get_bind(), tables=[t.transmission, t.correction], checkfirst=True)
    roles.grant(op.get_bind(), "correction")
    roles.grant(op.get_bind(), "receipt")  # Auditors see the new column.
