"""What became of a notice belongs to an agency: its account's, which is known before it is read.

The column for a capture was never written. A process of an earlier version keeps no notice beside
this one: its provider hears an error, and tells again.
"""

from alembic import op

from gateway.store import roles

revision = "0017"
down_revision = "0016"

_COLUMN = "ALTER TABLE notice_work ADD COLUMN IF NOT EXISTS agency_id text"
_BACKFILL = """
UPDATE notice_work w SET agency_id = n.agency_id FROM notice n
WHERE n.id = w.notice_id AND n.received_at = w.received_at AND w.agency_id IS NULL
"""
# Without its notice, or without an agency, it can never be read; what was kept stays.
_NOBODYS = """
DELETE FROM notice_work w WHERE NOT EXISTS (SELECT 1 FROM agency a WHERE a.id = w.agency_id)
"""
_CONTRACT = """
ALTER TABLE notice_work ALTER COLUMN agency_id SET NOT NULL, DROP COLUMN IF EXISTS capture_id,
  DROP CONSTRAINT IF EXISTS fk_notice_work_agency,
  ADD CONSTRAINT fk_notice_work_agency FOREIGN KEY (agency_id) REFERENCES agency (id)
"""


def upgrade() -> None:
    for statement in (_COLUMN, _BACKFILL, _NOBODYS, _CONTRACT):
        op.execute(statement)
    roles.grant(op.get_bind(), "notice_work")
