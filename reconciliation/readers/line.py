"""One movement as the other side reports it: what every reader makes, and how each refuses."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from gateway.domain.errors import FieldError, Refusal

file_bytes_max: Final = 134_217_728  # A million lines of a bank's statement are 110 MB.
file_lines_max: Final = 1_000_000

# A row of a file in the order and the words of a canonical profile, with its line in the file.
Row = Sequence[str]
Rows = Iterator[tuple[int, Row]]


class StatementLine(NamedTuple):
    """One movement; the shape of ``statement_line``. A tuple, for a file may have a million."""

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
    memo: str = ""  # A person's name may stand in it: it is sealed, and no repr shows it.
    marks: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Show everything but the memo."""
        shown = ", ".join(f"{k}={v!r}" for k, v in self._asdict().items() if k != "memo")
        return f"StatementLine({shown})"


def refuse(line_no: int, column: str, detail: str) -> Refusal:
    """Make the refusal of a file, which names the line and the column."""
    where = f"/lines/{line_no}/{column}" if column else f"/lines/{line_no}"
    what = f"{column} {detail}" if column else detail
    return Refusal("file-refused", f"Line {line_no}: {what}.", (FieldError(where, detail),))
