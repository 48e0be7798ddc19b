"""The time of a provider's transaction, so that a cut-off also moves what only a file told of."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE statement_line ADD COLUMN IF NOT EXISTS txn_at timestamptz")
    op.execute(
        "DO $do$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'thuphi_auditor') THEN"
        " GRANT SELECT (txn_at) ON statement_line TO thuphi_auditor; END IF; END $do$"
    )
