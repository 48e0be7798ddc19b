"""The independent journal: every đồng a citizen moved, whatever anyone was told of it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
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

    provider: str  # vnpay or bank
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
            lines = self.path.read_text(encoding="utf-8").splitlines()
            self._entries = [_from_json(line) for line in lines if line.strip()]

    def add(self, entry: JournalEntry) -> None:
        """Write one movement down; it is never changed."""
        self._entries.append(entry)
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry.as_json(), ensure_ascii=False) + "\n")

    def entries(self, provider: str = "", on: date | None = None) -> Sequence[JournalEntry]:
        """Give the movements of a provider, of a Hanoi day, or all."""
        return [
            e
            for e in self._entries
            if (not provider or e.provider == provider) and (on is None or hanoi_day(e.at) == on)
        ]

    def fitting(self) -> Iterator[JournalEntry]:
        """Give the first movement of each thing asked for, where the amount was right."""
        seen: set[str] = set()
        for entry in self._entries:
            if entry.amount == entry.expected and entry.key not in seen:
                seen.add(entry.key)
                yield entry

    def __len__(self) -> int:
        return len(self._entries)


def _from_json(line: str) -> JournalEntry:
    said = json.loads(line)
    said["at"] = datetime.fromisoformat(said["at"])
    said["lines"] = tuple(BudgetLine(**part) for part in said["lines"])
    return JournalEntry(**said)
