"""What is kept of a payer gets a key of its own, which can be destroyed.

What is new may be empty. Cells that the master key sealed itself are read as before, until
``thuphi reseal`` moves them; a migration has no key to do it with.
"""

from alembic import op

from gateway.store import roles
from gateway.store import tables as t

revision = "0024"
down_revision = "0023"

_PAYMENT = (
    "ALTER TABLE payment ADD COLUMN IF NOT EXISTS key_sealed bytea",
    "ALTER TABLE payment ADD COLUMN IF NOT EXISTS erased_at timestamptz",
)


def upgrade() -> None:
    t.metadata.create_all(op.get_bind(), tables=[t.year_key, t.erasure], checkfirst=True)
    for statement in _PAYMENT:
        op.execute(statement)
    roles.grant(op.get_bind(), "payment", "year_key", "erasure")
