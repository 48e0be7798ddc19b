"""People resolve breaks: acts in a chain, files, who owns what until when, matches made by hand."""

from alembic import op

from gateway.store import roles
from gateway.store import tables as t

revision = "0029"
down_revision = "0028"

_BREAK = (
    "ALTER TABLE break ADD COLUMN IF NOT EXISTS owner text",
    "ALTER TABLE break ADD COLUMN IF NOT EXISTS due_on date",
    "ALTER TABLE break ADD COLUMN IF NOT EXISTS waits_until date",
    "ALTER TABLE break ADD COLUMN IF NOT EXISTS action_count integer NOT NULL DEFAULT 0",
    "DROP INDEX IF EXISTS ix_break_open",
    "CREATE INDEX ix_break_open ON break (agency_id, since_on, id) WHERE state = 'open'",
    (
        "CREATE INDEX IF NOT EXISTS ix_break_open_kind ON break (agency_id, kind, since_on, id)"
        " WHERE state = 'open'"
    ),
    "CREATE INDEX IF NOT EXISTS ix_break_capture ON break (agency_id, capture_id)",
    "CREATE INDEX IF NOT EXISTS ix_payment_due ON payment (agency_id, amount) WHERE state = 'open'",
)
_MATCH = (
    "ALTER TABLE recon_match ALTER COLUMN run_id DROP NOT NULL",
    "ALTER TABLE recon_match ADD COLUMN IF NOT EXISTS action_id text",
    "ALTER TABLE recon_match DROP CONSTRAINT IF EXISTS fk_recon_match_case_action",
    (
        "ALTER TABLE recon_match ADD CONSTRAINT fk_recon_match_case_action"
        " FOREIGN KEY (agency_id, action_id) REFERENCES case_action (agency_id, id)"
    ),
    "ALTER TABLE recon_match DROP CONSTRAINT IF EXISTS ck_recon_match_by_hand",
    (
        "ALTER TABLE recon_match ADD CONSTRAINT ck_recon_match_by_hand CHECK"
        " ((run_id IS NULL) = (rule = 'by-hand') AND (action_id IS NOT NULL) = (rule = 'by-hand'))"
    ),
)
_GUARD = (
    """
CREATE OR REPLACE FUNCTION refuse_unless_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.rule <> 'by-hand' THEN
    RAISE EXCEPTION 'a match that a run found is not taken back'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'by_hand';
  END IF;
  RETURN OLD;
END $$
""",
    """
CREATE OR REPLACE TRIGGER recon_match_by_hand BEFORE DELETE ON recon_match
  FOR EACH ROW EXECUTE FUNCTION refuse_unless_by_hand()
""",
)


def upgrade() -> None:
    t.metadata.create_all(op.get_bind(), tables=[t.case_action, t.case_file], checkfirst=True)
    for statement in (*_BREAK, *_MATCH, *_GUARD):
        op.execute(statement)
    # A file is held by its digest in the act, and sealed anew when the master key changes.
    op.execute(
        "CREATE OR REPLACE TRIGGER case_action_append_only BEFORE UPDATE OR DELETE ON case_action"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    roles.grant(op.get_bind(), "break", "recon_match", "case_action", "case_file", "payment")
