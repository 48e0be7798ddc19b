"""Where statement files come from by themselves."""

from alembic import op

from gateway.store import roles
from gateway.store import tables as t

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    t.metadata.create_all(op.get_bind(), tables=[t.source, t.source_file], checkfirst=True)
    roles.grant(op.get_bind(), "source", "source_file")
