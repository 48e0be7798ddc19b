"""Provider accounts that agencies open beside the one of the environment."""

from alembic import op

from gateway.store import tables as t

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    t.metadata.create_all(op.get_bind(), tables=[t.provider_account], checkfirst=True)
