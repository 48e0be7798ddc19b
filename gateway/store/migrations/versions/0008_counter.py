"""Shifts, what is taken at counters, shortages, and the payers' displays."""

from alembic import op

from gateway.store import tables as t

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    made = [t.shift, t.counter_take, t.shift_difference, t.display]
    t.metadata.create_all(op.get_bind(), tables=made, checkfirst=True)
