"""Receipts on other paper and by e-mail, and how an agency's receipts look."""

from alembic import op

from gateway.store import roles
from gateway.store import tables as t

revision = "0023"
down_revision = "0021"

MADE = (t.receipt_paper, t.receipt_mail, t.brand)


def upgrade() -> None:
    t.metadata.create_all(op.get_bind(), tables=list(MADE), checkfirst=True)
    roles.grant(op.get_bind(), *(table.name for table in MADE))
