"""Reads a folder of CONTRACT 6 into the engine's tables, column by column.

A text that carries an existing reference whole needs nobody's judgement. All others, and these
alone, go through the product's own reader, one by one: it finds damaged references, and marks.
"""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from bench.reconciliation.world import paths
from reconciliation.engine import marks_of
from reconciliation.readers.canonical import build_lines
from reconciliation.readers.line import StatementLine
from reconciliation.readers.totals import Totals

_READ: Final = {
    "provider": "canonical-provider", "statement": "canonical-statement",
    "treasury": "canonical-treasury", "truth": "truth", "gateway": "gateway",
}  # fmt: skip
_TYPES: Final = (
    dict.fromkeys(("txn_at", "at"), "TIMESTAMP")
    | dict.fromkeys(("settled_on", "booked_on", "value_on", "business_on"), "DATE")
    | dict.fromkeys(("gross", "fee", "net", "amount"), "BIGINT")
)
ENGINE_TABLES: Final = (
    "line", "capture", "share", "payment", "due", "taken_back", "attempt", "candidate", "mark",
    "declared_charge",
)  # fmt: skip
# A whole reference of a payment that exists is what the reader would find, and nothing else.
_WHOLE: Final = """
CREATE TABLE whole AS
SELECT s.n, p.reference FROM (
  SELECT n, regexp_extract(upper(memo), 'TP([0-9A-HJKMNP-TV-Z]{12})', 1) AS reference
  FROM statement WHERE amount > 0) s JOIN payment p ON p.reference = s.reference
"""
# No file tells a transfer's hour, so business days that were rebuilt may be wrong: where not nearly
# every lump of a budget line is the sum of such a day, they are, and a lump that is fits by chance.
_UNKNOWN_DAYS: Final = """
UPDATE due SET day_no = NULL WHERE budget_line IN (
  SELECT l.budget_line FROM line l
  LEFT JOIN (SELECT budget_line, day_no, sum(amount) AS amount FROM due GROUP BY ALL) d
    ON d.budget_line = l.budget_line AND d.amount = l.net
   AND d.day_no BETWEEN l.day_no - 7 AND l.day_no
  WHERE l.source = 'treasury' AND l.obligation_id IS NULL
  GROUP BY l.budget_line
  HAVING count(DISTINCT CASE WHEN d.day_no IS NOT NULL THEN l.id END) * 10
         < count(DISTINCT l.id) * 9)
"""
_REST: Final = (
    "SELECT n, account, '', CAST(booked_on AS VARCHAR), '', CAST(amount AS VARCHAR), 'VND', '',"
    " reference, memo, '' FROM statement"
    " WHERE n NOT IN (SELECT n FROM whole) ORDER BY n"
)
_CONTENTS: Final = (
    "SELECT n, document_ref, obligation_id, CAST(booked_on AS VARCHAR), agency_code, chapter,"
    " tieu_muc, CAST(amount AS VARCHAR), 'VND', content FROM treasury"
    " WHERE obligation_id = '' AND content <> '' ORDER BY n"
)
rows_a_batch: Final = 50_000


def load(base: Any, folder: Path) -> None:  # noqa: ANN401 - duckdb ships no types for this.
    """Fill a connection with the files' tables and the engine's."""
    found = paths(folder)
    for table, name in _READ.items():
        if name in found:
            base.execute(f"CREATE TABLE {table} AS SELECT row_number() OVER () AS n, *"
                         f" FROM {csv_of(found[name])}")  # fmt: skip
    if "gateway" not in found:
        told = files("bench.reconciliation").joinpath("gateway.sql").read_text("utf-8")
        base.execute(told)
        base.execute(
            "CREATE OR REPLACE TABLE gateway AS SELECT row_number() OVER (ORDER BY kind,"
            " payment_reference, provider_txn_id, reference) AS n, * FROM gateway"
        )
    for statement in _statements("tables.sql"):
        base.execute(statement)
    if "gateway" not in found:
        base.execute(_UNKNOWN_DAYS)
    base.execute(_WHOLE)
    base.execute(
        "CREATE TABLE candidate AS SELECT 's' || CAST(n AS VARCHAR) AS line_id, reference,"
        " CAST(1 AS BIGINT) AS place FROM whole"
    )
    base.execute("CREATE TABLE mark (line_id VARCHAR, kind VARCHAR, provider_account VARCHAR)")
    for source, query in (("statement", _REST), ("treasury", _CONTENTS)):
        _judge_rest(base, source, query)


def csv_of(path: Path) -> str:
    """Name a file as DuckDB reads it: by its header, each column of its own kind."""
    with path.open(encoding="utf-8-sig") as file:
        header = file.readline().strip().split(",")
    columns = ", ".join(f"'{c}': '{_TYPES.get(c, 'VARCHAR')}'" for c in header)
    return (
        f"read_csv('{path}', header = true, columns = {{{columns}}}, force_not_null = "
        f"{[c for c in header if c not in _TYPES]}, quote = '\"', delim = ',')"
    )


def _statements(name: str) -> list[str]:
    text = files("bench.reconciliation").joinpath(name).read_text("utf-8")
    return [s for s in text.split(";\n") if s.strip()]


def _judge_rest(base: Any, source: str, query: str) -> None:  # noqa: ANN401
    """Let the product's reader judge what is not plain, and keep what it found."""
    import pyarrow as pa

    accounts = [a for (a,) in base.execute(
        "SELECT DISTINCT provider_account FROM capture ORDER BY 1").fetchall()]  # fmt: skip
    named: list[tuple[str, str, int]] = []
    marked: list[dict[str, str | None]] = []
    for n, line in _read(base, source, query):
        name = f"{source[0]}{n}"
        named += [(name, r, place) for place, r in enumerate(line.candidates, 1)]
        marked += marks_of(name, line.marks, line.net, accounts)
    columns = zip(*named, strict=True) if named else ((), (), ())
    kinds = (pa.string(), pa.string(), pa.int64())
    base.register("found", pa.table([pa.array(c, k) for c, k in zip(columns, kinds, strict=True)],
                                    ["line_id", "reference", "place"]))  # fmt: skip
    base.execute("INSERT INTO candidate SELECT * FROM found")
    base.executemany("INSERT INTO mark VALUES (?, ?, ?)", [list(m.values()) for m in marked]
                     ) if marked else None  # fmt: skip


def _read(base: Any, source: str, query: str) -> Iterator[tuple[int, StatementLine]]:  # noqa: ANN401
    def rows() -> Iterator[tuple[int, list[str]]]:
        cursor = base.cursor()
        cursor.execute(query)
        while batch := cursor.fetchmany(rows_a_batch):
            for n, *cells in batch:
                yield n, cells

    for line in build_lines(source, rows(), Totals(), {}):
        yield line.line_no, line
