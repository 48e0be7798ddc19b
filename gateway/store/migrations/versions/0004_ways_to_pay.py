"""What more ways to pay need: an attempt's method and its name at the provider, refunds, disputes.

New databases have it already, because the first migration makes every table that there is now.
"""

from alembic import op

from gateway.store import tables as t

revision = "0004"
down_revision = "0003"

_SUM = "amount_refunding >= 0 AND amount_refunded + amount_refunding <= amount_received"


def upgrade() -> None:
    for column in ("method", "provider_id"):
        op.execute(f"ALTER TABLE attempt ADD COLUMN IF NOT EXISTS {column} text")
    t.metadata.create_all(op.get_bind(), tables=[t.refund, t.dispute], checkfirst=True)
    op.execute(
        "ALTER TABLE payment ADD COLUMN IF NOT EXISTS amount_refunding bigint NOT NULL DEFAULT 0"
    )
    op.execute("ALTER TABLE payment ALTER COLUMN amount_refunding DROP DEFAULT")
    op.execute("ALTER TABLE payment DROP CONSTRAINT IF EXISTS ck_payment_refunds")
    op.execute(f"ALTER TABLE payment ADD CONSTRAINT ck_payment_refunds CHECK ({_SUM})")
