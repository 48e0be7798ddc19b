"""A part of a payment that ended is a case, and can be given back.

What was left on account before gets its cases now, found since the day on which the money came.
"""

from alembic import op

revision = "0012"
down_revision = "0011"

_SOURCES = """
ALTER TABLE refund DROP CONSTRAINT IF EXISTS ck_refund_source;
ALTER TABLE refund ADD CONSTRAINT ck_refund_source
  CHECK (source IN ('debt','surplus','suspended','on_account'))
"""
# A capture holds one part at most, so its case may go by its number.
_CASES = """
INSERT INTO break (agency_id, id, kind, state, subject, amount, payment_id, capture_id, proposal,
  why, owner_role, opened_at, since_on)
SELECT p.agency_id, 'brk_' || substr(c.id, 5), 'partial', 'open', 'capture:' || c.id, a.amount,
  p.id, c.id, 'refund', 'a part came, and the payment ended without the rest', 'accountant',
  p.expires_at, c.value_on
FROM payment p
JOIN allocation a ON a.agency_id = p.agency_id AND a.payment_id = p.id AND a.use = 'on_account'
JOIN capture c ON c.agency_id = a.agency_id AND c.id = a.capture_id
WHERE p.state IN ('cancelled','expired') AND p.amount_on_account > 0
ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    for statement in _SOURCES.split(";"):
        op.execute(statement)
    op.execute(_CASES)
