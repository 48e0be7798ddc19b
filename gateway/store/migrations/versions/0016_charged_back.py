"""What payers won back of a payment at the agency's cost is a sum of the payment, and is shown.

The column keeps a default, so that a process of before it was there still opens payments.
"""

from alembic import op

from gateway.store import roles

revision = "0016"
down_revision = "0015"

_NEW = "ALTER TABLE payment ADD COLUMN IF NOT EXISTS amount_charged_back bigint NOT NULL DEFAULT 0"
_BACKFILL = """
UPDATE payment p SET amount_charged_back = least(p.amount_received, x.won)
FROM (SELECT a.agency_id, a.payment_id, sum(least(a.amount, b.borne)) AS won
  FROM allocation a JOIN (SELECT d.agency_id, d.capture_id, sum(e.amount) AS borne
    FROM dispute d JOIN entry e ON e.agency_id = d.agency_id AND e.voucher_kind = 'dispute'
    AND e.voucher_id = d.id AND e.rule = 'dispute_lost' AND e.debit = '6430'
    GROUP BY d.agency_id, d.capture_id) b
  ON b.agency_id = a.agency_id AND b.capture_id = a.capture_id
  WHERE a.use IN ('debt','on_account') GROUP BY a.agency_id, a.payment_id) x
WHERE x.agency_id = p.agency_id AND x.payment_id = p.id
"""


def upgrade() -> None:
    op.execute(_NEW)
    op.execute(_BACKFILL)
    op.execute("ALTER TABLE payment DROP CONSTRAINT IF EXISTS ck_payment_charged_back")
    op.execute(
        "ALTER TABLE payment ADD CONSTRAINT ck_payment_charged_back"
        " CHECK (amount_charged_back BETWEEN 0 AND amount_received)"
    )
    roles.grant(op.get_bind(), "payment")
