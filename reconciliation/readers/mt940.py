"""Reads MT940 statements: one or many messages in a file, as banks export or send them.

A :61: is a line, its :86: the text beside it: free, or in sub-fields ?20 to ?29 and ?60 to ?63.
RC takes a credit back and RD a debit. The balances around the lines (:60F: to :62F:, M where a
statement goes on in the next message) must be what the lines make of each other.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from reconciliation.readers.encodings import composed_lines
from reconciliation.readers.line import Row, Rows, refuse
from reconciliation.readers.profile import Profile
from reconciliation.readers.totals import Totals, differs

tag_lines_max: Final = 40  # A :86: has six lines by the standard; banks write some more.
_TAG: Final = re.compile(r":([0-9]{2}[A-Z]?):(.*)", re.DOTALL)
_BALANCE: Final = re.compile(r"([CD])([0-9]{6})([A-Z]{3})([0-9]{1,15},[0-9]{0,2})")
_MOVE: Final = re.compile(
    r"(?P<value>[0-9]{6})(?P<entry>[0-9]{4})?(?P<way>R?[CD])(?P<funds>[A-Z])?"
    r"(?P<amount>[0-9]{1,15},[0-9]{0,2})(?P<code>[A-Z][A-Z0-9]{3})(?P<ours>[^\n]{0,40})"
    r"(?:\n(?P<more>.*))?", re.DOTALL,
)  # fmt: skip
_SUB: Final = re.compile(r"\?([0-9]{2})([^?]*)")
_MEMO_SUBS: Final = frozenset((*map(str, range(20, 30)), *map(str, range(60, 64))))
_ENVELOPE: Final = re.compile(r"^(?:\{[1-5]:[^\n]*|-\}?\s*)$")
_NO_REFERENCE: Final = "NONREF"
sub_chars: Final = 27  # A full sub-field breaks a word, a shorter one ends it.
free_chars: Final = 65  # The same of a line of free text.
century: Final = 2000
months: Final = 12
ENCODINGS: Final = ("utf-8", "windows-1258")
Field = tuple[int, str, str]  # Where it begins, its tag, what it says.


def rows(_: Profile, content: bytes, totals: Totals) -> Rows:
    """Give the lines of a file as rows of the canonical statement."""
    message = _Message(totals)
    for line_no, tag, said in _fields(composed_lines(content, ENCODINGS)):
        yield from message.take(line_no, tag, said)
    message.end()


def _fields(lines: Iterator[str]) -> Iterator[Field]:
    """Put the lines of a field together; SWIFT's envelope around a message is left out."""
    at, tag, said = 0, "", list[str]()
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        found = _TAG.match(text)
        if found:
            if tag:
                yield at, tag, "\n".join(said)
            at, tag, said = number, found[1], [found[2]]
        elif tag and not _ENVELOPE.match(text):
            said.append(text)
            if len(said) > tag_lines_max:
                raise refuse(number, "", f"is beyond the limit of {tag_lines_max} lines of a field")
        elif not tag and text.strip() and not _ENVELOPE.match(text):
            raise refuse(number, "", "is not MT940: a field begins with its tag, as :20:")
    if tag:
        yield at, tag, "\n".join(said).rstrip()


@dataclass(slots=True)
class _Message:
    """Statements on their way through, one after the other."""

    totals: Totals
    account: str = ""
    opening: int | None = None
    moved: int = 0
    line: tuple[int, list[str]] | None = None  # Until its :86: has come.
    last_at: int = 1
    statements: int = 0
    is_open: bool = False  # Something of a statement was read, and its last balance was not.

    def take(self, line_no: int, tag: str, said: str) -> Iterator[tuple[int, Row]]:
        """Take a field; a line goes on when its text is known."""
        self.last_at = line_no
        if tag == "86" and self.line:
            self.line[1][8] = (
                _memo(said) if not self.line[1][8] else f"{_memo(said)} {self.line[1][8]}"
            )
        if self.line:
            at, row = self.line
            if tag == "86" or tag in ("61", "62F", "62M"):
                self.line = None
                yield at, row
        match tag:
            case "20":
                self._closed_before(line_no)
                self.is_open = True
            case "25":
                self.account = said.strip().partition("/")[2] or said.strip()
            case "60F" | "60M":
                self._closed_before(line_no)
                self.opening, self.moved = _balance(line_no, said), 0
            case "61":
                self.line = line_no, self._move(line_no, said)
            case "62F" | "62M":
                self._close(line_no, _balance(line_no, said))
                self.is_open = tag == "62M"  # It goes on in the next message.

    def _closed_before(self, line_no: int) -> None:
        if self.opening is not None:
            raise refuse(line_no, "", "begins a statement before the one above has its :62F:")

    def _move(self, line_no: int, said: str) -> list[str]:
        found = _MOVE.fullmatch(said.rstrip())
        if found is None:
            raise refuse(line_no, "", "is no line of MT940 (:61:)")
        if self.opening is None or not self.account:
            raise refuse(line_no, "", "stands before :25: and :60F:")
        amount = _dong(line_no, found["amount"])
        amount = amount if found["way"] in ("C", "RD") else -amount
        self.moved += amount
        value = _day(line_no, found["value"])
        booked = _entry_day(line_no, value, found["entry"]) if found["entry"] else value
        ours, _, bank = found["ours"].partition("//")
        named = next((x.strip() for x in (bank, ours) if x.strip() not in ("", _NO_REFERENCE)), "")
        more = " ".join((found["more"] or "").split())
        return [self.account, "", booked.isoformat(), value.isoformat(), str(amount), "VND", "",
                named, more, ""]  # fmt: skip

    def _close(self, line_no: int, closing: int) -> None:
        if self.opening is None:
            raise refuse(line_no, "", "closes a statement that has no :60F:")
        made = self.opening + self.moved
        if made != closing:
            raise refuse(line_no, "", differs("the closing balance", closing, made))
        self.totals.section(line_no, self.account, self.opening, closing)
        self.statements += 1
        self.opening = None

    def end(self) -> None:
        """See that the last statement was not cut off."""
        if self.is_open or self.opening is not None or self.line:
            raise refuse(self.last_at, "", "is the last, and :62F: is missing")
        if not self.statements:
            raise refuse(1, "", "has no statement")


def _balance(line_no: int, said: str) -> int:
    found = _BALANCE.fullmatch(said.strip())
    if found is None or found[3] != "VND":
        raise refuse(line_no, "", "is no balance in VND")
    amount = _dong(line_no, found[4])
    return amount if found[1] == "C" else -amount


def _dong(line_no: int, written: str) -> int:
    whole, _, part = written.partition(",")
    if part.strip("0"):
        raise refuse(line_no, "", "has an amount that is not whole đồng (VND)")
    return int(whole)


def _day(line_no: int, yymmdd: str) -> date:
    try:
        return date(century + int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:]))
    except ValueError:
        raise refuse(line_no, "", "is no day of the calendar") from None


def _entry_day(line_no: int, value: date, mmdd: str) -> date:
    """Give the day of entry, whose year is not written: the one nearest to the value date."""
    month = int(mmdd[:2])
    turns = (month - value.month + months // 2) // months  # -1, 0 or 1, around the new year.
    return _day(line_no, f"{value.year - turns - century:02}{mmdd}")


def _memo(said: str) -> str:
    """Give the text of a :86:, its sub-fields or its lines put together."""
    subs = _SUB.findall(said.replace("\n", ""))
    if subs and said.lstrip("0123456789").startswith("?"):
        return _joined([text for number, text in subs if number in _MEMO_SUBS], sub_chars)
    return _joined(said.split("\n"), free_chars)


def _joined(parts: list[str], full: int) -> str:
    """Join pieces; a full one was broken anywhere, so nothing stands between it and the next."""
    text = "".join(part if len(part) >= full else f"{part} " for part in parts)
    return " ".join(text.split())
