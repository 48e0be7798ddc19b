"""Vouchers for an agency's own accounting package, by a file that says what it calls our accounts.

Days that are closed are written, and no others: what is sealed does not change, so the same days
give the same bytes, and a voucher's number is its own for ever. A storno is the line that it takes
back, with its amount below zero, as accountants write it.
"""

import csv
import io
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.domain.ledger import TITLES
from gateway.domain.texts import cell_of
from gateway.store.tx import Row, Store

ILLUSTRATIVE: Final = "illustrative"
DELIMITERS: Final = (",", ";", "\t", "|")
STATUSES: Final = ("confirmed", ILLUSTRATIVE)
ENCODINGS: Final = ("utf-8", "utf-8-sig", "utf-16")
TOLD_APART: Final = ("branch", "budget_line", "provider_account")
VALUES: Final = (
    "date", "number", "description", "debit", "credit", "amount", "count", "branch",
    "provider_account", "budget_line", "voucher", "reference", "dossier",
)  # fmt: skip
_PLAIN: Final = (
    "CASE WHEN e.storno THEN e.credit ELSE e.debit END AS debit,"
    " CASE WHEN e.storno THEN e.debit ELSE e.credit END AS credit,"
    " e.branch_id AS branch, e.provider_account, e.budget_line"
)
_SIGNED: Final = "CASE WHEN e.storno THEN -e.amount ELSE e.amount END"
_WHICH: Final = (
    "FROM entry e WHERE e.agency_id = :agency AND e.booked_on BETWEEN :since AND :upto"
    " AND e.debit NOT LIKE 'M%'"
)
# Three million payments a year are a few lines a day.
_DAILY: Final = text(
    f"SELECT e.booked_on AS date, {_PLAIN}, sum({_SIGNED})::bigint AS amount, count(*) AS count"
    f" {_WHICH} GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum({_SIGNED}) <> 0"
    " ORDER BY 1, 2, 3, 4 NULLS FIRST, 5 NULLS FIRST, 6 NULLS FIRST"
)
_EACH: Final = text(
    f"SELECT e.booked_on AS date, {_PLAIN}, {_SIGNED} AS amount, 1 AS count,"
    " e.voucher_kind || ' ' || e.voucher_id AS voucher, p.reference, p.dossier_id AS dossier"
    " FROM entry e LEFT JOIN payment p ON p.agency_id = e.agency_id AND p.id = e.payment_id"
    f" {_WHICH.removeprefix('FROM entry e')} ORDER BY e.booked_on, e.id"
)
_CLOSED: Final = text(
    "SELECT booked_on FROM (SELECT DISTINCT booked_on FROM entry WHERE agency_id = :agency"
    " AND booked_on BETWEEN :since AND :upto) e WHERE NOT EXISTS (SELECT 1 FROM day d"
    " WHERE d.agency_id = :agency AND d.booked_on = e.booked_on AND d.state = 'closed') ORDER BY 1"
)


@dataclass(frozen=True, slots=True)
class Account:
    """What one of our accounts is called there."""

    code: str
    by: str = ""

    def name(self, row: Row) -> str:
        """Give the code, with what tells such accounts apart. Raises Refusal."""
        if not self.by:
            return self.code
        apart = row[self.by]
        return f"{self.code}.{apart}" if apart else self.code


@dataclass(frozen=True, slots=True)
class Package:
    """An accounting package: what it calls our accounts, and the columns of its file."""

    status: str
    source: str
    encoding: str
    delimiter: str
    accounts: Mapping[str, Account]
    columns: Sequence[tuple[str, str, str]]  # Title, value, text.


@dataclass(frozen=True, slots=True)
class Vouchers:
    """What was written: the file, and its totals, to compare with what the package took in."""

    content: bytes
    lines: int
    entries: int
    amount: int
    is_illustrative: bool


def package_of(path: Path | None) -> Package:
    """Read a mapping file, or the one that comes along. Raises Refusal, which names the place."""
    if path is None:
        said = files("reconciliation").joinpath("mappings", "illustrative.toml").read_text("utf-8")
    else:
        try:
            said = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            raise Refusal("file-refused", f"{path} cannot be read as UTF-8 text.") from None
    try:
        given = tomllib.loads(said)
    except tomllib.TOMLDecodeError as error:
        raise Refusal("file-refused", f"The mapping is not TOML: {error}.") from None
    return _package(given)


def _package(given: Mapping[str, Any]) -> Package:
    status, source = given.get("status"), given.get("source")
    if status not in STATUSES or not isinstance(source, str) or not source:
        raise _wrong(f"status is {' or '.join(STATUSES)}, and source says who said so")
    encoding, delimiter = given.get("encoding", "utf-8"), given.get("delimiter", ",")
    if encoding not in ENCODINGS or delimiter not in DELIMITERS:
        raise _wrong(f"encoding is one of {', '.join(ENCODINGS)}, and delimiter a comma, a"
                     " semicolon, a tab or «|»")  # fmt: skip
    accounts, named, listed = {}, given.get("accounts", {}), given.get("column", [])
    if not isinstance(named, dict) or not isinstance(listed, list):
        raise _wrong("accounts is a table, and each column is one: [accounts], [[column]]")
    for ours, said in named.items():
        whole = {"code": said} if isinstance(said, str) else said
        if ours not in TITLES or not isinstance(whole, dict) or not set(whole) <= {"code", "by"}:
            raise _wrong(f"accounts.{ours} is one of ours, and a code, or a table of code and by")
        code, by = whole.get("code"), whole.get("by", "")
        if not isinstance(code, str) or not code or by not in ("", *TOLD_APART):
            raise _wrong(f"accounts.{ours} has a code; by is one of {', '.join(TOLD_APART)}")
        accounts[ours] = Account(code, by)
    columns = [_column(n, column) for n, column in enumerate(listed, 1)]
    if not columns:
        raise _wrong("it has no column")
    return Package(status, source, encoding, delimiter, accounts, columns)


def _column(n: int, said: object) -> tuple[str, str, str]:
    if not isinstance(said, dict):
        raise _wrong(f"column {n} is no table")
    title, value, words = said.get("title"), said.get("value", ""), said.get("text", "")
    is_one = (value in VALUES) != isinstance(said.get("text"), str)
    if not isinstance(title, str) or not title or not is_one or not set(said) <= _OF_COLUMN:
        raise _wrong(f"column {n} has a title, and either a value or a text; the values are"
                     f" {', '.join(VALUES)}")  # fmt: skip
    return title, value, words


_OF_COLUMN: Final = {"title", "value", "text"}


def _wrong(detail: str) -> Refusal:
    return Refusal("file-refused", f"The mapping: {detail}.")


async def write_vouchers(
    store: Store, agency_id: str, days: tuple[date, date], package: Package, by: str
) -> Vouchers:
    """Write the vouchers of some days, day by day or entry by entry.

    Raises Refusal while one of the days is open, or where an account has no name there.
    """
    since, upto = days
    asked = {"agency": agency_id, "since": since, "upto": upto}
    async with store.begin() as tx:
        still = [row["booked_on"] for row in await tx.rows(_CLOSED, asked)]
        if still:
            raise Refusal("invalid-request", f"{_listed(still)} must be closed first: see thuphi"
                          " reconcile --date.")  # fmt: skip
        rows = await tx.rows(_DAILY if by == "day" else _EACH, asked)
    used = {row[side] for row in rows for side in ("debit", "credit")}
    lacking = sorted(used - set(package.accounts))
    if lacking:
        raise _wrong(f"it has no name for {', '.join(f'{a} ({TITLES[a]})' for a in lacking)}")
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=package.delimiter, lineterminator="\r\n")
    writer.writerow([cell_of(title) for title, *_ in package.columns])
    writer.writerows(_lines(rows, package, by))
    return Vouchers(
        out.getvalue().encode(package.encoding), len(rows), sum(row["count"] for row in rows),
        sum(row["amount"] for row in rows), package.status == ILLUSTRATIVE,
    )  # fmt: skip


def _lines(rows: Iterable[Row], package: Package, by: str) -> Iterator[list[str]]:
    """Give the lines, numbered from 1 each day; a number says the day and how it was summed."""
    on, number = None, 0
    for row in rows:
        number = number + 1 if row["date"] == on else 1
        on = row["date"]
        said = {
            **row, "number": f"TP{on:%Y%m%d}-{by[0].upper()}{number:05}",
            "debit": package.accounts[row["debit"]].name(row),
            "credit": package.accounts[row["credit"]].name(row),
            "description": f"{TITLES[row['debit']]} / {TITLES[row['credit']]}",
        }  # fmt: skip
        yield [words or cell_of(said.get(value)) for _, value, words in package.columns]


def _listed(days: Sequence[date]) -> str:
    first = ", ".join(map(str, days[:_named_max]))
    return first if len(days) <= _named_max else f"{first} and {len(days) - _named_max} more"


_named_max: Final = 5
