"""Provider accounts are kept on the console too, so the web role writes them."""

from alembic import op

from gateway.store import roles

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    roles.grant(op.get_bind(), "provider_account")
