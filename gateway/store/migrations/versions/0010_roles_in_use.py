"""Processes take their roles: memberships, the missing grants, and partitions without the owner."""

from alembic import op

from gateway.store import roles

revision = "0010"
down_revision = "0009"

# With its owner's power, for these tables and whole months alone. The search path is fixed, with
# temporary tables last, so that the caller cannot put another table in one's place.
_MAKE_PARTITION = """
DO $do$ BEGIN EXECUTE format($sql$
CREATE OR REPLACE FUNCTION make_partition(parent text, first date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp AS $$
DECLARE
  stamp text := CASE parent WHEN 'notice' THEN 'received_at'
    WHEN 'delivery_log' THEN 'at' WHEN 'audit' THEN 'at' END;
  place text := parent || to_char(first, '_YYYY_MM');
  rest text := parent || '_default';
  guard text := parent || '_append_only';
  begins timestamptz := first::timestamp AT TIME ZONE 'UTC';
  ends timestamptz := (first + interval '1 month') AT TIME ZONE 'UTC';
  is_guarded boolean;
BEGIN
  IF stamp IS NULL OR first IS DISTINCT FROM date_trunc('month', first)::date THEN
    RAISE EXCEPTION 'no partition of this table and month' USING ERRCODE = 'check_violation';
  END IF;
  EXECUTE format('LOCK TABLE %%I IN ACCESS EXCLUSIVE MODE', parent);
  EXECUTE format('CREATE TABLE %%I (LIKE %%I INCLUDING DEFAULTS INCLUDING INDEXES)', place, parent);
  EXECUTE format('INSERT INTO %%I SELECT * FROM %%I WHERE %%I >= %%L AND %%I < %%L',
    place, rest, stamp, begins, stamp, ends);
  -- The append-only guard stands aside for this one move alone.
  is_guarded := EXISTS (
    SELECT 1 FROM pg_trigger WHERE tgname = guard AND tgrelid = rest::regclass);
  IF is_guarded THEN EXECUTE format('ALTER TABLE %%I DISABLE TRIGGER %%I', rest, guard); END IF;
  EXECUTE format('DELETE FROM %%I WHERE %%I >= %%L AND %%I < %%L',
    rest, stamp, begins, stamp, ends);
  IF is_guarded THEN EXECUTE format('ALTER TABLE %%I ENABLE TRIGGER %%I', rest, guard); END IF;
  EXECUTE format('ALTER TABLE %%I ATTACH PARTITION %%I FOR VALUES FROM (%%L) TO (%%L)',
    parent, place, begins, ends);
END $$
$sql$, current_schema()); END $do$
"""


def upgrade() -> None:
    op.execute(_MAKE_PARTITION)
    op.execute("REVOKE ALL ON FUNCTION make_partition(text, date) FROM PUBLIC")
    roles.keep(op.get_bind())
