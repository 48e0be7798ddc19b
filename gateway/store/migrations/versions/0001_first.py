"""The first shape: every table, the append-only guards, the closed-day guard, partitions."""

from alembic import op

from gateway.store.tables import APPEND_ONLY, PARTITIONED, metadata

revision = "0001"
down_revision = None

_GUARDS = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'append-only: % on % is refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';
END $$;

-- The share lock on the day's row makes "close" wait for entries in flight, and entries for close.
CREATE FUNCTION refuse_closed_day() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM day WHERE agency_id = NEW.agency_id
             AND booked_on = NEW.booked_on AND state = 'closed') THEN
    RAISE EXCEPTION 'the day % is closed', NEW.booked_on
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'day_closed';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER entry_day_is_open BEFORE INSERT ON entry
  FOR EACH ROW EXECUTE FUNCTION refuse_closed_day();
"""


def upgrade() -> None:
    connection = op.get_bind()
    metadata.create_all(connection)
    for table in PARTITIONED:
        op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
    for statement in _GUARDS.split("\n\n"):
        op.execute(statement)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
