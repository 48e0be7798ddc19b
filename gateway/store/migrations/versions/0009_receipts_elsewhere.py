"""Who issues the receipt stands on each capture, so that a later setting does not change the past.

New databases have it already, because the first migration makes every table that there is now.
"""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE capture ADD COLUMN IF NOT EXISTS receipt_elsewhere boolean"
        " NOT NULL DEFAULT false"
    )
