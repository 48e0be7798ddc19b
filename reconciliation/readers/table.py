"""Reads the canonical CSV files strictly: one doubtful cell refuses the whole file, by line.

Money is a plain integer, because a spreadsheet that writes 1.5E+05 or 150.000 has already guessed
once; guessing again would invent money.
"""

import csv
import io
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from importlib.resources import files
from typing import Final

from gateway.domain.calendar import HANOI, hanoi_day
from gateway.domain.errors import FieldError, Refusal
from gateway.domain.ids import ReadReference, find_references, fold, read_reference
from gateway.domain.money import amount_dong_max
from reconciliation.marks import bag_in, marks_in

PROFILES: Final = (
    "canonical-provider", "canonical-statement", "canonical-treasury", "stripe-payouts",
)  # fmt: skip
file_bytes_max: Final = 67_108_864  # A million lines; a day of a whole province is far below.
file_lines_max: Final = 1_000_000
word_chars_max: Final = 128  # Ids and references; the longest known, a UUID with a prefix, is 45.
text_chars_max: Final = 2_000  # Memos; a bank carries 210 at most, an export may join several.

_AMOUNT: Final = re.compile(r"-?(0|[1-9][0-9]{0,15})")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_REMITTANCE: Final = re.compile(r"-[0-9]+$")  # NS20261119-00001 is a line of NS20261119.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement as the other side reports it; the shape of ``statement_line``."""

    line_no: int
    source: str
    account: str
    line_key: str
    booked_on: date
    value_on: date
    kind: str
    gross: int
    fee: int
    net: int
    txn_at: datetime | None = None
    txn_id: str | None = None
    reference: str | None = None
    batch_id: str | None = None
    obligation_id: str | None = None
    budget_line: str | None = None
    chapter: str = ""  # Compared at the door and kept in the file alone.
    memo: str = field(default="", repr=False)  # A person's name may stand in it: it is sealed.
    marks: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a profile."""

    name: str
    type: str
    optional: bool = False
    nonzero: bool = False
    values: tuple[str, ...] = ()

    def check(self, text: str) -> str | None:
        """Say what is wrong with a cell, or None."""
        if not text:
            return None if self.optional else "is empty"
        if _CONTROL.search(text):
            return "has a control character"
        match self.type:
            case "choice":
                wrong = None if text in self.values else "is not one of " + ", ".join(self.values)
            case "amount":
                wrong = self._check_amount(text)
            case "day" | "instant":
                wrong = _check_time(self.type, text)
            case _:
                wrong = self._check_text(text)
        return wrong

    def _check_text(self, text: str) -> str | None:
        if self.type == "word" and text != text.strip():
            return "begins or ends with a space"
        limit = word_chars_max if self.type == "word" else text_chars_max
        return f"is longer than {limit} characters" if len(text) > limit else None

    def _check_amount(self, text: str) -> str | None:
        if not _AMOUNT.fullmatch(text) or text == "-0":
            return "is not a whole number of đồng in plain digits"
        if abs(int(text)) > amount_dong_max:
            return "is larger than any amount can be"
        return "is zero" if self.nonzero and int(text) == 0 else None


@dataclass(frozen=True, slots=True)
class Profile:
    """How one kind of file is laid out."""

    name: str
    source: str
    columns: tuple[Column, ...]


def load_profile(name: str) -> Profile:
    """Load a profile by its name; an unknown one is refused with the names there are."""
    if name not in PROFILES:
        raise Refusal("file-refused", f"The profiles are: {', '.join(PROFILES)}.")
    text = files("reconciliation").joinpath("profiles", f"{name}.toml").read_text("utf-8")
    said = tomllib.loads(text)
    columns = tuple(
        Column(c["name"], c["type"], c.get("optional", False), c.get("nonzero", False),
               tuple(c.get("values", ())))
        for c in said["column"]
    )  # fmt: skip
    return Profile(name, said["source"], columns)


def read_table(profile: Profile, content: bytes) -> tuple[StatementLine, ...]:
    """Read a whole file, or refuse it whole with the line that is wrong."""
    return build_lines(profile.source, _rows(profile, decode(content)))


def build_lines(
    source: str, rows: Iterable[tuple[int, Mapping[str, str]]]
) -> tuple[StatementLine, ...]:
    """Make lines of rows whose cells were checked, each with its number in the file."""
    seen: Counter[str] = Counter()
    build = {"provider": _provider, "statement": _statement, "treasury": _treasury}[source]
    lines = []
    for line_no, row in rows:
        line = build(line_no, row)
        counted = f"{line.account}|{line.line_key}"
        seen[counted] += 1
        # The n-th of equals in one file is the n-th in another, so overlaps add nothing and
        # two real movements that look alike stay two.
        key = line.line_key if seen[counted] == 1 else f"{line.line_key}|{seen[counted]}"
        lines.append(replace(line, line_key=key))
    return tuple(lines)


def refuse(line_no: int, column: str, detail: str) -> Refusal:
    """Make the refusal of a file, which names the line and the column."""
    where = f"/lines/{line_no}/{column}" if column else f"/lines/{line_no}"
    what = f"{column} {detail}" if column else detail
    return Refusal("file-refused", f"Line {line_no}: {what}.", (FieldError(where, detail),))


def decode(content: bytes) -> str:
    """Give a file's text, or refuse it with the line that is not UTF-8."""
    if len(content) > file_bytes_max:
        raise Refusal("file-refused", f"The file is longer than {file_bytes_max} bytes.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line_no = content.count(b"\n", 0, error.start) + 1
        raise refuse(line_no, "", "is not UTF-8") from None


def _rows(profile: Profile, text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    rows = records(text)
    _check_header(next(rows)[1], [c.name for c in profile.columns])
    for line_no, cells in rows:
        yield line_no, checked(profile, line_no, cells)


def records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Give the header and each record, with the line where it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for number, cells in enumerate(reader):
            if number > file_lines_max:
                raise refuse(begins, "", f"is beyond the limit of {file_lines_max} lines")
            yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise refuse(reader.line_num, "", f"is not CSV ({error})") from None
    if begins == 1:
        raise refuse(1, "", "has no header")


def _check_header(cells: list[str], names: list[str]) -> None:
    if cells != names:
        raise refuse(1, "", "must be the header " + ",".join(names))


def checked(profile: Profile, line_no: int, cells: list[str]) -> Mapping[str, str]:
    """Check the cells of a row, and name each by its column."""
    if len(cells) != len(profile.columns):
        detail = f"has {len(cells)} cells where {len(profile.columns)} are wanted"
        raise refuse(line_no, "", detail)
    for column, text in zip(profile.columns, cells, strict=True):
        wrong = column.check(text)
        if wrong:
            raise refuse(line_no, column.name, wrong)
    return {c.name: text for c, text in zip(profile.columns, cells, strict=True)}


def _check_time(kind: str, text: str) -> str | None:
    pattern = _DAY if kind == "day" else _INSTANT
    try:
        if pattern.fullmatch(text) and datetime.fromisoformat(text):
            return None
    except ValueError:
        pass
    return "is not a date YYYY-MM-DD" if kind == "day" else "is not a time YYYY-MM-DDThh:mm:ss"


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=HANOI)


def _references(text: str) -> list[ReadReference]:
    """Read the references that a text carries, undamaged ones first."""
    found = list(find_references(text))
    bare = read_reference(text.strip())
    if bare and not bare.corrected:
        found.append(bare)
    return sorted(found, key=lambda read: read.corrected)


def _candidates(found: Iterable[ReadReference]) -> tuple[str, ...]:
    """Name the payments that may be meant, the likeliest first."""
    return tuple(dict.fromkeys(read.reference for read in found))


def _wrong_amounts(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Say which amounts cannot be of their kind; what goes back to payers is negative.

    No entry can be booked for a payment of nothing, and none for a charge that nobody declared,
    so neither may come further than this.
    """
    kind, gross, fee, net = row["kind"], int(row["gross"]), int(row["fee"]), int(row["net"])
    if kind == "payment" and gross <= 0:
        yield "gross", "of a payment is not above zero"
    if kind == "payment" and fee < 0:
        yield "fee", "of a payment is below zero"
    if kind == "refund" and gross >= 0:
        yield "gross", "of a refund is not below zero"
    if kind == "reversal" and gross == 0:  # Above zero, it takes an earlier one back.
        yield "gross", "of a reversal is zero"
    if kind == "charge" and net >= 0:
        yield "net", "of a charge is not below zero"
    if net != gross - fee:
        yield "net", "is not gross less fee"


def _provider(line_no: int, row: Mapping[str, str]) -> StatementLine:
    # A file names the provider alone when it has one account with us, called "default".
    account = row["provider"] if "/" in row["provider"] else f"{row['provider']}/default"
    txn_at = _instant(row["txn_at"])
    booked_on = hanoi_day(txn_at)
    settled = row["settled_on"]
    for column, detail in _wrong_amounts(row):
        raise refuse(line_no, column, detail)
    key = f"{row['kind']}|{row['provider_txn_id']}"
    if row["kind"] != "payment":  # Two part refunds may go by the number of what was paid.
        key += f"|{row['merchant_reference']}"
    return StatementLine(
        line_no=line_no, source="provider", account=account, line_key=key, booked_on=booked_on,
        value_on=date.fromisoformat(settled) if settled else booked_on, kind=row["kind"],
        gross=int(row["gross"]), fee=int(row["fee"]), net=int(row["net"]),
        txn_at=txn_at, txn_id=row["provider_txn_id"], reference=row["merchant_reference"] or None,
        batch_id=row["batch_id"] or None,
        candidates=_candidates(_references(row["merchant_reference"])),
    )  # fmt: skip


def _statement(line_no: int, row: Mapping[str, str]) -> StatementLine:
    amount, booked_on = int(row["amount"]), date.fromisoformat(row["booked_on"])
    key, found = f"day|{booked_on}|{amount}|{row['reference']}", _references(row["memo"])
    # Whoever names a payment whole pays it, though he writes what a bank writes of a payout.
    folded = "" if any(not read.corrected for read in found) else fold(row["memo"])
    return StatementLine(
        line_no=line_no, source="statement", account=row["account"],
        line_key=f"id|{row['line_id']}" if row["line_id"] else key, booked_on=booked_on,
        value_on=date.fromisoformat(row["value_on"]) if row["value_on"] else booked_on,
        kind="credit" if amount > 0 else "debit", gross=amount, fee=0, net=amount,
        txn_id=row["line_id"] or None, reference=row["reference"] or None,
        batch_id=bag_in(folded) if amount > 0 else None, memo=row["memo"],
        marks=marks_in(folded, amount), candidates=_candidates(found),
    )  # fmt: skip


def _treasury(line_no: int, row: Mapping[str, str]) -> StatementLine:
    amount, booked_on = int(row["amount"]), date.fromisoformat(row["booked_on"])
    return StatementLine(
        line_no=line_no, source="treasury", account=row["agency_code"],
        line_key=f"{row['document_ref']}|{row['obligation_id']}|{row['tieu_muc']}",
        booked_on=booked_on, value_on=booked_on, kind="revenue", gross=amount, fee=0, net=amount,
        txn_id=row["document_ref"], reference=row["document_ref"],
        obligation_id=row["obligation_id"] or None, budget_line=row["tieu_muc"],
        chapter=row["chapter"], batch_id=_REMITTANCE.sub("", row["document_ref"]),
        memo=row["content"], candidates=_candidates(_references(row["content"])),
    )  # fmt: skip
