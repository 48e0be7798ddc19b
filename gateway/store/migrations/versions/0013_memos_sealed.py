"""What banks and the treasury write beside a movement is kept sealed: citizens' names stand in it.

Of earlier lines the marks stay, and the text stands in its file, which was sealed always; a
process of an earlier version stops rather than write one more name in the open.
"""

from alembic import op
from sqlalchemy import text

from gateway.store import roles

revision = "0013"
down_revision = "0012"

# What the rules looked for in the text until now.
_MARKS = [
    "VNPAY THANH TOAN", "MOMO THANH TOAN", "ZALOPAY THANH TOAN", "NATIONAL THANH TOAN",
    "COUNTER THANH TOAN", "NOP NSNN", "BU PHI THANH TOAN",
]  # fmt: skip
_NEW = (
    "ALTER TABLE statement_line ADD COLUMN IF NOT EXISTS memo_sealed bytea,"
    " ADD COLUMN IF NOT EXISTS marks text[] NOT NULL DEFAULT '{}'"
)
_OLD = text(
    "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('statement_line')"
    " AND attname = 'memo_folded' AND NOT attisdropped)"
)
# A dropped column stays in its rows on disk, so they are written anew without it first.
_ERASED = text(
    "UPDATE statement_line SET memo_folded = NULL, marks = ARRAY(SELECT m FROM"
    " unnest(CAST(:marks AS text[])) m WHERE position(m IN memo_folded) > 0)"
    " WHERE memo_folded IS NOT NULL"
)


def upgrade() -> None:
    connection = op.get_bind()
    op.execute(_NEW)
    if connection.scalar(_OLD):
        connection.execute(_ERASED, {"marks": _MARKS})
        op.execute("ALTER TABLE statement_line DROP COLUMN memo_folded")
    op.execute("ALTER TABLE statement_line ALTER COLUMN marks DROP DEFAULT")
    roles.grant(connection, "statement_line")
