"""The independent journal: every đồng a citizen moved, whatever anyone was told of it."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from gateway.domain.calendar import hanoi_day, rfc3339


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """A part of what was owed, by budget line; the caller knows it, a bank does not."""

    tieu_muc: str
    amount: int


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One movement of money by a citizen."""

    provider: str  # vnpay, momo, …, bank for a transfer, counter for a card there, or cash
    txn_id: str  # As the provider's notice names it.
    reference: str  # Our attempt's reference; empty for a transfer.
    memo: str  # What the citizen typed; empty at VNPAY.
    amount: int
    expected: int  # What was asked for; 0 when nobody asked.
    at: datetime
    account: str
    bank_reference: str = ""
    noisy_memo: str = ""  # What the bank made of the memo.
    obligation_id: str = ""
    lines: tuple[BudgetLine, ...] = ()
    fault: str = ""
    kind: str = "payment"  # Or refund: the same amount, the other way; or bag: cash to the bank.
    refund_reference: str = ""  # Our name of a refund.
    order: str = ""  # The order at a service that watches the account, for a transfer.

    @property
    def key(self) -> str:
        """Give what was paid for, so that a second payment of it is seen."""
        return self.reference or "".join(self.memo.upper().split())

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return asdict(self) | {"at": rfc3339(self.at)}


@dataclass(slots=True)
class Journal:
    """Entries in the order they happened, kept in a file of JSON lines when one is given."""

    path: Path | None = None
    _entries: list[JournalEntry] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Take up what an earlier run wrote."""
        if self.path and self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                if line.strip():
                    self._take_up(json.loads(line))

    def _take_up(self, said: dict[str, Any]) -> None:
        lines = tuple(BudgetLine(**part) for part in said["lines"])
        if "explains" not in said:
            at = datetime.fromisoformat(said["at"])
            self._entries.append(JournalEntry(**(said | {"at": at, "lines": lines})))
            return
        for n, e in enumerate(self._entries):
            if e.txn_id == said["explains"] and e.kind == "payment":
                self._entries[n] = replace(e, obligation_id=said["obligation_id"], lines=lines)

    def add(self, entry: JournalEntry) -> None:
        """Write one movement down; it is never changed."""
        self._entries.append(entry)
        self._write(entry.as_json())

    def _write(self, said: dict[str, Any]) -> None:
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(said, ensure_ascii=False) + "\n")

    def explain(self, txn_id: str, obligation_id: str, lines: tuple[BudgetLine, ...]) -> None:
        """Add what a payment was for, where that is learned only after the money moved."""
        for n, e in enumerate(self._entries):
            if e.txn_id == txn_id and e.kind == "payment" and not e.lines and lines:
                self._entries[n] = replace(e, obligation_id=obligation_id, lines=lines)
                self._write(
                    {"explains": txn_id, "obligation_id": obligation_id,
                     "lines": [asdict(part) for part in lines]}
                )  # fmt: skip

    def entries(
        self, provider: str = "", on: date | None = None, kind: str = "payment"
    ) -> Sequence[JournalEntry]:
        """Give the movements of one kind, of a provider, of a Hanoi day, or all."""
        return [
            e
            for e in self._entries
            if (not provider or e.provider == provider)
            and (on is None or hanoi_day(e.at) == on)
            and (not kind or e.kind == kind)
        ]

    def fitting(self) -> Iterator[JournalEntry]:
        """Give the first movement of each thing asked for, where the amount was right and kept."""
        kept: dict[str, int] = defaultdict(int)
        for entry in self._entries:
            kept[entry.key] += entry.amount if entry.kind == "payment" else -entry.amount
        seen: set[str] = set()
        for entry in self.entries():
            fits = entry.amount == entry.expected <= kept[entry.key]
            if fits and entry.key not in seen:
                seen.add(entry.key)
                yield entry

    def __len__(self) -> int:
        return len(self._entries)
