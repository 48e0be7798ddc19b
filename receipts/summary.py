"""What the tax authority is told: the day's receipts (01/TH-BLDT), and errors (04/SS-CTDT).

The columns are those of TT 91/2026/TT-BTC. The published tags were not found, so the elements are
ours, in the family style, documented in ``bang-tong-hop-1.xsd``; a channel may map them. Written
canonically and sealed as a receipt is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from gateway.domain.calendar import rfc3339
from receipts.receipt import Receipt
from receipts.xml import Element, emit, group

NAMESPACE: Final = "urn:thuphi:bang-tong-hop:1"
HEAD: Final = f'<BTHop xmlns="{NAMESPACE}">'.encode()
TAIL: Final = b"<DSCKS></DSCKS></BTHop>"
VERSION: Final = "1.0"
SUMMARY, NOTICE = "summary", "notice"
FORMS: Final[Mapping[str, str]] = {SUMMARY: "01/TH-BLDT", NOTICE: "04/SS-CTDT"}
# What became of a receipt, as its row says.
NEW, REPLACEMENT = "moi", "thay_the"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, and which certificate signs."""

    name: str
    tax_code: str
    certificate_sha256: str
    is_sandbox: bool


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its name, kind, day and part of the day."""

    id: str
    kind: str
    on: date
    part: int
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Mistake:
    """Words of a receipt that are wrong, without what would be right: that may name people."""

    form: str
    series: str
    number: int
    issued_on: date
    texts: tuple[str, ...]
    reason: str


def write_summary(message: Message, sender: Sender, receipts: Sequence[Receipt]) -> bytes:
    """Write form 01/TH-BLDT: one row for each line of each receipt."""
    rows = (row for r in receipts for row in _rows(r))
    return _write(message, sender, rows, sum(r.amount for r in receipts))


def write_notice(message: Message, sender: Sender, mistakes: Sequence[Mistake]) -> bytes:
    """Write form 04/SS-CTDT: one row for each receipt with wrong words."""
    rows = (
        (
            ("KHMSCTu", m.form), ("KHCTu", m.series), ("SCTu", str(m.number)),
            ("NLap", m.issued_on.isoformat()), ("LCTDT", "bien_lai"),
            ("SSot", ",".join(m.texts)), ("LDo", m.reason),
        )
        for m in mistakes
    )  # fmt: skip
    return _write(message, sender, rows, None)


def _rows(r: Receipt) -> Iterable[tuple[tuple[str, str], ...]]:
    former = r.replaces
    related = (
        ("KHMSLQuan", former.form), ("KHLQuan", former.series), ("SLQuan", str(former.number)),
        ("KDChinh", former.issued_on.isoformat()), ("GThich", former.cause),
    ) if former else ()  # fmt: skip
    for line in r.lines:
        yield (
            ("KHMSBLai", r.form), ("KHBLai", r.series), ("SBLai", str(r.number)),
            ("NLap", r.issued_on.isoformat()), ("TKThu", line.name), ("TTien", str(line.amount)),
            ("TGia", "1"), ("TThai", REPLACEMENT if former else NEW), *related,
        )  # fmt: skip


def _write(
    message: Message, sender: Sender, rows: Iterable[tuple[tuple[str, str], ...]], total: int | None
) -> bytes:
    lines = [group("Dong", ("STT", str(n)), *row) for n, row in enumerate(rows, 1)]
    head = group(
        "TTChung", ("PBan", VERSION), ("MSo", FORMS[message.kind]), ("MTDiep", message.id),
        ("KTHop", message.on.isoformat()), ("LThu", str(message.part)),
        ("TGLap", rfc3339(message.made_at)), ("TNghiem", "1" if sender.is_sandbox else "0"),
        ("Ten", sender.name), ("MST", sender.tax_code), ("DVTTe", "VND"),
        ("VTCTSo", sender.certificate_sha256),
    )  # fmt: skip
    parts = [head, Element("DSDong", children=lines)]
    if total is not None:
        parts.append(group("TToan", ("SDong", str(len(lines))), ("TgTTTBSo", str(total))))
    inner = "".join(emit(part) for part in parts)
    return HEAD + f"<DLTHop>{inner}</DLTHop>".encode() + TAIL


def mistake_of(row: Mapping[str, Any]) -> Mistake:
    """Build one from a correction's row, joined to its receipt."""
    return Mistake(
        row["form"], row["series"], row["number"], row["issued_on"], tuple(row["said"]["texts"]),
        row["reason"],
    )  # fmt: skip
