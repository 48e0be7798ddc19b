"""How well a provider answers, and what follows: offered first, offered last, or hidden a while.

Only our own calls count, in a window that moves with the clock. A provider that fails is never
taken off for good: when its rest is over it is offered again, last, and what happens then decides.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

window: Final = timedelta(minutes=5)
calls_min: Final = 5  # Fewer calls say nothing: one time-out is no outage.
demoted_share: Final = 0.2  # One call in five fails: others are offered before it.
hidden_share: Final = 0.5  # Every second call fails: citizens are not sent there.
slow_ms: Final = 8_000  # A checkout that takes longer is given up by people, not by us.
rest_first: Final = timedelta(minutes=1)  # The rest doubles each time it fails again.
rest_last: Final = timedelta(minutes=15)
forget_after: Final = timedelta(hours=1)  # Healthy for so long: the next rest is short again.


class Standing(StrEnum):
    """Where a provider stands."""

    HEALTHY = "healthy"
    DEMOTED = "demoted"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Calls:
    """Our calls to one provider account in the window; ``middle_ms`` is their median time."""

    count: int = 0
    failed: int = 0
    middle_ms: int = 0

    @property
    def share(self) -> float:
        """Give the share that failed."""
        return self.failed / self.count if self.count else 0.0


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of one provider account. ``why`` is a code that pages put into words."""

    standing: Standing = Standing.HEALTHY
    why: str = ""
    since_at: datetime | None = None  # The window never reaches back before a change.
    retry_at: datetime | None = None
    rests: int = 0


def judge(before: Health, calls: Calls, now: datetime) -> Health:
    """Say where a provider stands now; the same figures again change nothing."""
    if before.standing is Standing.HIDDEN:
        if before.retry_at and now < before.retry_at:
            return before
        return Health(Standing.DEMOTED, "probation", now, None, before.rests)
    if calls.count < calls_min:
        return before
    if calls.share >= hidden_share:
        rest = min(rest_first * 2**before.rests, rest_last)
        return Health(Standing.HIDDEN, "failing", now, now + rest, before.rests + 1)
    ails = _ails(calls)
    if ails:
        is_new = before.standing is Standing.HEALTHY
        since = now if is_new else before.since_at
        return Health(Standing.DEMOTED, ails, since, None, before.rests)
    return _well(before, now)


def _ails(calls: Calls) -> str:
    """Name what is wrong, or nothing."""
    if calls.share >= demoted_share:
        return "failing"
    return "slow" if calls.middle_ms >= slow_ms else ""


def _well(before: Health, now: datetime) -> Health:
    if before.standing is Standing.DEMOTED:
        return Health(Standing.HEALTHY, "", now, None, before.rests)
    has_been_long = before.since_at and now - before.since_at >= forget_after
    return replace(before, rests=0) if before.rests and has_been_long else before
