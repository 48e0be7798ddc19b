"""A series that an agency numbered elsewhere goes on here, after the numbers given there."""

from alembic import op

from gateway.store import roles

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.execute("ALTER TABLE series ADD COLUMN IF NOT EXISTS kind text")
    op.execute("ALTER TABLE series ADD COLUMN IF NOT EXISTS taken_over integer DEFAULT 0 NOT NULL")
    op.execute("ALTER TABLE series DROP CONSTRAINT IF EXISTS ck_series_taken_over")
    op.execute(
        "ALTER TABLE series ADD CONSTRAINT ck_series_taken_over CHECK (taken_over BETWEEN 0 AND"
        " last_number AND (kind IS NOT NULL) = (taken_over > 0))"
    )
    roles.grant(op.get_bind(), "series")
