"""Keys that stay on a token, who issued a certificate, and evidence for ten years.

What is new may be empty, so processes of the version before go on beside this one.
"""

from alembic import op

from gateway.store import roles
from gateway.store import tables as t

revision = "0018"
down_revision = "0017"

_KEYS = """
ALTER TABLE signing_key ADD COLUMN IF NOT EXISTS chain text;
ALTER TABLE signing_key ADD COLUMN IF NOT EXISTS pkcs11_key text;
ALTER TABLE signing_key ALTER COLUMN key_sealed DROP NOT NULL;
ALTER TABLE signing_key DROP CONSTRAINT IF EXISTS ck_signing_key_one_key;
ALTER TABLE signing_key ADD CONSTRAINT ck_signing_key_one_key
  CHECK ((key_sealed IS NULL) <> (pkcs11_key IS NULL));
ALTER TABLE receipt ADD COLUMN IF NOT EXISTS proof_due_at timestamptz;
CREATE INDEX IF NOT EXISTS ix_receipt_proof ON receipt (proof_due_at)
  WHERE proof_due_at IS NOT NULL
"""
_APPEND_ONLY = """
CREATE OR REPLACE TRIGGER receipt_proof_append_only BEFORE UPDATE OR DELETE ON receipt_proof
  FOR EACH ROW EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    for statement in _KEYS.split(";"):
        op.execute(statement)
    t.metadata.create_all(op.get_bind(), tables=[t.receipt_proof], checkfirst=True)
    op.execute(_APPEND_ONLY)
    roles.grant(op.get_bind(), "signing_key", "receipt", "receipt_proof")
