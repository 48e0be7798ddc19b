"""What more ways to pay need: an attempt's method and its name at the provider, refunds, disputes.

New databases have it already, because the first migration makes every table that there is now.
"""

from alembic import op

from gateway.store import tables as t

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for column in ("method", "provider_id"):
        op.execute(f"ALTER TABLE attempt ADD COLUMN IF NOT EXISTS {column} text")
    t.metadata.create_all(op.get_bind(), tables=[t.refund, t.dispute], checkfirst=True)
