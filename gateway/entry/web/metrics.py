"""``/metrics``: what an operator watches, in Prometheus's text format, without personal data."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import text

from gateway.store.tx import Store

# One query each for what waits and ages; the numbers are the installation's, not this process's.
_GAUGES: Final = {
    "thuphi_deliveries_waiting": "SELECT count(*) AS n FROM delivery WHERE state = 'waiting'",
    "thuphi_deliveries_stuck": "SELECT count(*) AS n FROM delivery WHERE state = 'stuck'",
    "thuphi_notices_waiting": "SELECT count(*) AS n FROM notice_work WHERE state = 'stored'",
    "thuphi_events_unstamped": "SELECT count(*) AS n FROM event WHERE position IS NULL",
    "thuphi_breaks_open": "SELECT count(*) AS n FROM break WHERE state = 'open'",
    "thuphi_payments_in_doubt": "SELECT count(*) AS n FROM payment WHERE in_doubt",
    "thuphi_receipts_unnumbered": (
        "SELECT count(*) AS n FROM event WHERE handled_at IS NULL AND type = 'payment.paid'"
    ),
    "thuphi_receipts_unsigned": "SELECT count(*) AS n FROM receipt WHERE xml IS NULL",
    "thuphi_receipts_undrawn": (
        "SELECT count(*) AS n FROM receipt WHERE xml IS NOT NULL AND pdf IS NULL"
    ),
}


@dataclass(slots=True)
class Metrics:
    """Counts this process's answers by the first word of their path, method and status."""

    answers: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def count(self, path: str, method: str, status: int, seconds: float) -> None:
        """Count one answer; unknown first words share one label, so nobody can flood us."""
        door = path.split("/", 2)[1] if path.startswith("/") else ""
        if door not in ("v1", "notices", "pay", "console", "receipts", "verify", "healthz"):
            door = "other"
        known = method if method in ("GET", "POST", "HEAD") else "other"
        self.answers[door, known, status] += 1
        self.seconds[door] += seconds

    async def text(self, store: Store) -> str:
        """Write everything."""
        lines = ["# TYPE thuphi_answers_total counter"]
        lines += [
            f'thuphi_answers_total{{door="{door}",method="{method}",status="{status}"}} {n}'
            for (door, method, status), n in sorted(self.answers.items())
        ]
        lines.append("# TYPE thuphi_answer_seconds_total counter")
        lines += [
            f'thuphi_answer_seconds_total{{door="{door}"}} {n:.6f}'
            for door, n in sorted(self.seconds.items())
        ]
        async with store.begin() as tx:
            for name, query in _GAUGES.items():
                row = await tx.row(text(query))
                lines += [f"# TYPE {name} gauge", f"{name} {row['n'] if row else 0}"]
        return "\n".join(lines) + "\n"
