"""A client may bring statement files over the API, if it was let."""

from alembic import op

from gateway.store import roles

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE client ADD COLUMN IF NOT EXISTS may_bring_files boolean NOT NULL DEFAULT false"
    )
    op.execute("ALTER TABLE client ALTER COLUMN may_bring_files DROP DEFAULT")
    roles.grant(op.get_bind(), "client")
