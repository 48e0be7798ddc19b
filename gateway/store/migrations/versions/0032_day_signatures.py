"""Two people sign a day."""

from alembic import op

from gateway.store import roles
from gateway.store import tables as t

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.execute("ALTER TABLE day ADD COLUMN IF NOT EXISTS reopened_at timestamptz")
    t.metadata.create_all(op.get_bind(), tables=[t.day_signature], checkfirst=True)
    op.execute(
        "CREATE OR REPLACE TRIGGER day_signature_append_only BEFORE UPDATE OR DELETE"
        " ON day_signature FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    roles.grant(op.get_bind(), "day_signature", "day")
