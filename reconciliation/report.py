"""What one run of the reconciliation says of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from reconciliation.casework import Closed
from reconciliation.open_items import Proof


@dataclass(frozen=True, slots=True)
class Report:
    """What one run found and did. Amounts in đồng."""

    run_id: str
    business_on: date
    as_of: datetime
    lines: int
    matched: int
    breaks: Mapping[str, int]
    recovered: int  # Captures that only a file told of.
    posted: int  # Vouchers booked by this run.
    proof: Proof  # What was open, came, was matched and stays open, per source.
    failed: Sequence[str] = ()  # Lines and files that could not be taken up; the log says why.
    closed: Closed | None = field(default=None)

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        closed = self.closed
        return {
            "run": self.run_id, "date": self.business_on.isoformat(), "lines": self.lines,
            "matched": self.matched, "breaks": dict(self.breaks), "recovered": self.recovered,
            "posted": self.posted, "proof": self.proof, "failed": list(self.failed),
            "closed": bool(closed and closed.is_closed),
            "settled": closed.settled if closed else 0,
            "open_checks": {k: list(v) for k, v in closed.open_checks.items()} if closed else {},
        }  # fmt: skip
