"""Reads the evidence out of PostgreSQL in columns: what was told, asked and decided, no booking.

COPY writes each table as a file and DuckDB reads it whole, so a month of a million payments costs
seconds. No payer's data is among the columns. Instants are microseconds since 1970 in UTC.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the calculator: its columns with their types, and where they come from."""

    columns: str
    query: str

    @property
    def types(self) -> dict[str, str]:
        """Give each column's type by its name."""
        return dict(column.split() for column in self.columns.split(", "))


def _us(column: str) -> str:
    return f"(extract(epoch FROM {column}) * 1000000)::bigint"


_AGREED: Final = (
    "case_action a JOIN case_action p ON p.agency_id = a.agency_id AND p.id = a.about_id"
    " WHERE a.agency_id = $1 AND a.kind = 'agree'"
)
# A loss names no parts: the break itself is what is lost.
_AGREED_PARTS: Final = (
    "case_action a JOIN case_action p ON p.agency_id = a.agency_id AND p.id = a.about_id"
    " CROSS JOIN LATERAL (SELECT true AS is_source, n, part FROM jsonb_array_elements(p.said::jsonb"
    " -> 'sources') WITH ORDINALITY AS s (part, n) UNION ALL SELECT false, n, part FROM"
    " jsonb_array_elements(p.said::jsonb -> 'targets') WITH ORDINALITY AS t (part, n) UNION ALL"
    " SELECT true, 1, jsonb_build_array('break', p.break_id) WHERE p.said::jsonb ->> 'what' ="
    " 'write_off') x LEFT JOIN break k ON k.agency_id = a.agency_id AND x.part ->> 0 = 'break'"
    " AND k.id = x.part ->> 1 WHERE a.agency_id = $1 AND a.kind = 'agree'"
)
TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        "payment": Table(
            "id VARCHAR, reference VARCHAR, noted_at BIGINT, debt VARCHAR",
            f"SELECT id, reference, {_us('created_at')}, md5(dossier_id || '|' || procedure || '|'"
            " || instalment) FROM payment WHERE agency_id = $1",
        ),
        "fee_line": Table(
            "payment_id VARCHAR, n INTEGER, kind VARCHAR, amount BIGINT, budget_line VARCHAR",
            "SELECT payment_id, n, kind, amount, budget_line FROM fee_line WHERE agency_id = $1"
            " AND amount > 0",
        ),
        # How an open debt ended without its money: the word that everybody was told.
        "ended": Table(
            "payment_id VARCHAR, how VARCHAR, noted_at BIGINT",
            f"SELECT payment_id, substr(type, 9), {_us('occurred_at')} FROM event WHERE"
            " agency_id = $1 AND type IN ('payment.cancelled', 'payment.expired')",
        ),
        "attempt": Table(
            "id VARCHAR, holder VARCHAR, reference VARCHAR, serial BIGINT, amount BIGINT,"
            " payment_id VARCHAR",
            "SELECT a.id, a.provider || '/' || a.account, a.provider_reference, a.serial, a.amount,"
            " s.payment_id FROM attempt a JOIN attempt_share s ON s.agency_id = a.agency_id"
            " AND s.attempt_id = a.id WHERE a.agency_id = $1",
        ),
        # Names of captures. Their amount and time count only where nothing raw was kept.
        "named": Table(
            "id VARCHAR, holder VARCHAR, txn_id VARCHAR, attempt_id VARCHAR, paid BIGINT,"
            " amount BIGINT, bank_reference VARCHAR",
            "SELECT id, provider || '/' || account, txn_id, attempt_id,"
            f" {_us('paid_at')}, amount, bank_reference FROM capture WHERE agency_id = $1",
        ),
        # Which word was taken for which capture, and when.
        "evidence": Table(
            "capture_id VARCHAR, source VARCHAR, source_id VARCHAR, noted_at BIGINT",
            f"SELECT capture_id, source, source_id, {_us('at')} FROM evidence WHERE agency_id = $1",
        ),
        # A clerk's word: money for this payment, in this shift; how much, the debt says.
        "counter_take": Table(
            "capture_id VARCHAR, shift_id VARCHAR, is_cash BOOLEAN, payment_id VARCHAR",
            "SELECT k.capture_id, k.shift_id, k.method = 'cash', (SELECT min(a.payment_id) FROM"
            " allocation a WHERE a.agency_id = k.agency_id AND a.capture_id = k.capture_id)"
            " FROM counter_take k WHERE k.agency_id = $1",
        ),
        "shift": Table(
            "id VARCHAR, float_amount BIGINT, counted BIGINT, bag VARCHAR, opened BIGINT,"
            " closed BIGINT",
            f"SELECT id, float_amount, counted_amount, bag, {_us('opened_at')},"
            f" {_us('closed_at')} FROM shift WHERE agency_id = $1",
        ),
        "shortage": Table(
            "id VARCHAR, shift_id VARCHAR, state VARCHAR, ended BIGINT",
            f"SELECT id, shift_id, state, {_us('ended_at')} FROM shift_difference"
            " WHERE agency_id = $1",
        ),
        "refund": Table(
            "id VARCHAR, payment_id VARCHAR, capture_id VARCHAR, source VARCHAR, route VARCHAR,"
            " state VARCHAR, amount BIGINT, decided BIGINT, ended BIGINT",
            f"SELECT id, payment_id, capture_id, source, route, state, amount, {_us('decided_at')},"
            f" {_us('ended_at')} FROM refund WHERE agency_id = $1"
            " AND state NOT IN ('requested', 'rejected')",
        ),
        "refund_part": Table(
            "refund_id VARCHAR, n INTEGER, amount BIGINT",
            "SELECT r.id, x.n, x.part FROM refund r, unnest(r.parts) WITH ORDINALITY AS x (part, n)"
            " WHERE r.agency_id = $1 AND x.part > 0 AND r.state NOT IN ('requested', 'rejected')",
        ),
        "dispute": Table(
            "id VARCHAR, holder VARCHAR, name VARCHAR, capture_id VARCHAR, state VARCHAR,"
            " amount BIGINT, fee BIGINT, is_borne BOOLEAN, opened BIGINT, ended BIGINT",
            "SELECT id, provider || '/' || account, provider_dispute_id, capture_id, state, amount,"
            f" fee, is_borne, {_us('opened_at')}, {_us('ended_at')} FROM dispute"
            " WHERE agency_id = $1",
        ),
        # What two people agreed to about breaks: the words of whoever proposed it. A break is only
        # the name of its money here.
        "decision": Table(
            "id VARCHAR, what VARCHAR, undoes VARCHAR, noted_at BIGINT",
            f"SELECT a.id, p.said::jsonb ->> 'what', p.said::jsonb ->> 'of', {_us('a.at')}"
            f" FROM {_AGREED}",
        ),
        "decided_part": Table(
            "decision_id VARCHAR, is_source BOOLEAN, n INTEGER, line_id VARCHAR,"
            " capture_id VARCHAR, payment_id VARCHAR, said BIGINT",
            "SELECT a.id, x.is_source, x.n, k.line_id, CASE WHEN k.line_id IS NULL THEN"
            " coalesce(k.capture_id, CASE x.part ->> 0 WHEN 'capture' THEN x.part ->> 1 END) END,"
            " CASE x.part ->> 0 WHEN 'payment' THEN x.part ->> 1 END,"
            f" coalesce((x.part ->> 2)::bigint, k.amount) FROM {_AGREED_PARTS}",
        ),
        "closing_word": Table(
            "noted_at BIGINT, on_day DATE, is_close BOOLEAN",
            f"SELECT {_us('at')}, object_id, action = 'day.close' FROM audit WHERE agency_id = $1"
            " AND action IN ('day.close', 'day.reopen')",
        ),
        # When somebody looked: what was there by then could be matched, and on which day.
        "run": Table(
            "business_on DATE, as_of BIGINT",
            f"SELECT business_on, {_us('as_of')} FROM recon_run WHERE agency_id = $1",
        ),
        # Names of lines, and what the books took each for; compared with the file's own bytes.
        "kept_line": Table(
            "id VARCHAR, file_id VARCHAR, line_no INTEGER, booked_on DATE, gross BIGINT,"
            " fee BIGINT, net BIGINT, account VARCHAR",
            "SELECT id, file_id, line_no, booked_on, gross, fee, net, account FROM statement_line"
            " WHERE agency_id = $1",
        ),
        "booked": Table(
            "day DATE, debit VARCHAR, credit VARCHAR, amount HUGEINT",
            "SELECT booked_on, debit, credit, sum(amount) FROM entry WHERE agency_id = $1"
            " GROUP BY 1, 2, 3",
        ),
    }
)


async def copy(source: Any, base: Any, agency_id: str, folder: Path) -> None:  # noqa: ANN401 - asyncpg and duckdb ship no types.
    """Bring every table over, each through a file that is gone afterwards.

    One is read while the server writes the next.
    """
    laid: asyncio.Task[None] | None = None
    for name, table in TABLES.items():
        path = folder / f"{name}.csv"
        await source.copy_from_query(table.query, agency_id, output=str(path), format="csv")
        if laid:
            await laid
        laid = asyncio.create_task(asyncio.to_thread(_lay, base, name, table, path))
    if laid:
        await laid


def _lay(base: Any, name: str, table: Table, path: Path) -> None:  # noqa: ANN401 - the same.
    base.execute(
        f"CREATE TABLE {name} AS SELECT * FROM read_csv(?, auto_detect = false, header = false,"
        " delim = ',', quote = '\"', escape = '\"', allow_quoted_nulls = false, columns = ?)",
        [str(path), table.types],
    )
    path.unlink()
