"""Our calls to providers, and where each provider stands because of them."""

from alembic import op

from gateway.store import tables as t

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    made = [t.provider_call, t.provider_standing]
    t.metadata.create_all(op.get_bind(), tables=made, checkfirst=True)
