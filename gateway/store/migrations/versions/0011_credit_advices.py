"""Credit advices: who told of which bank movement, so that equal credits are told apart.

What was captured before becomes the advice of whoever told of it first; movements without a bank's
reference had no name until now, and stay as they are.
"""

from alembic import op

from gateway.store import roles
from gateway.store import tables as t

revision = "0011"
down_revision = "0010"

# movement_key was account|day|amount|reference.
_BACKFILL = """
INSERT INTO credit_advice (agency_id, reporter, report_id, bank_account, booked_on, amount,
  bank_reference, payment_id, capture_id, at)
SELECT c.agency_id, CASE WHEN c.txn_id LIKE 'statement:%' THEN 'statement'
    ELSE c.provider || '/' || c.account END, c.txn_id, split_part(c.movement_key, '|', 1),
  split_part(c.movement_key, '|', 2)::date, c.amount, split_part(c.movement_key, '|', 4),
  (SELECT min(a.payment_id) FROM allocation a
   WHERE a.agency_id = c.agency_id AND a.capture_id = c.id), c.id, c.taken_at
FROM capture c WHERE c.movement_key IS NOT NULL
ON CONFLICT DO NOTHING
"""
_APPEND_ONLY = """
CREATE OR REPLACE TRIGGER credit_advice_append_only BEFORE UPDATE OR DELETE ON credit_advice
  FOR EACH ROW EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    t.metadata.create_all(op.get_bind(), tables=[t.credit_advice], checkfirst=True)
    op.execute(_BACKFILL)
    op.execute(_APPEND_ONLY)
    roles.keep(op.get_bind())
