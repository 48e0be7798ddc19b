"""What was erased is said outside the database too, so that a restored backup erases it again."""

from alembic import op

from gateway.store import roles

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.execute("ALTER TABLE erasure ADD COLUMN IF NOT EXISTS outside_at timestamptz")
    op.execute(
        "CREATE INDEX IF NOT EXISTS ix_erasure_inside ON erasure (decided_at, id)"
        " WHERE state = 'agreed' AND outside_at IS NULL"
    )
    roles.grant(op.get_bind(), "erasure")
