"""What the agency pays into the budget, by two people."""

from alembic import op

from gateway.store import roles
from gateway.store import tables as t

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    t.metadata.create_all(op.get_bind(), tables=[t.remittance], checkfirst=True)
    roles.grant(op.get_bind(), "remittance")
