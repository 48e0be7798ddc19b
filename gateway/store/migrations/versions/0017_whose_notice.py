"""What became of a notice belongs to an agency: its account's, which is known before it is read.

The column stays open for processes of the version before, which do not write it and must be able to
keep notices beside this one; a later migration closes it. The column for a capture, which nobody
ever wrote, goes.
"""

from alembic import op

from gateway.store import roles

revision = "0017"
down_revision = "0016"

_EXPAND = """
ALTER TABLE notice_work ADD COLUMN IF NOT EXISTS agency_id text,
  DROP COLUMN IF EXISTS capture_id,
  DROP CONSTRAINT IF EXISTS fk_notice_work_agency,
  ADD CONSTRAINT fk_notice_work_agency FOREIGN KEY (agency_id) REFERENCES agency (id)
"""
_BACKFILL = """
UPDATE notice_work w SET agency_id = n.agency_id FROM notice n
WHERE n.id = w.notice_id AND n.received_at = w.received_at AND w.agency_id IS NULL
"""


def upgrade() -> None:
    for statement in (_EXPAND, _BACKFILL):
        op.execute(statement)
    roles.grant(op.get_bind(), "notice_work")
