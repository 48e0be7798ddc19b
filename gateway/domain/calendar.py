"""Hanoi's days: the date line at 17:00 UTC, and the working days and cut-offs that move them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from gateway.domain.errors import Refusal

HANOI: Final = ZoneInfo("Asia/Ho_Chi_Minh")
_SATURDAY: Final = 5  # As date.weekday() counts; public bodies rest on Saturday and Sunday.
_DAY: Final = timedelta(days=1)
# After a cut-off the next business day is, over Tết and its weekends, 9 or 10 days away, not more.
business_day_ahead_max: Final = timedelta(days=14)


def hanoi_day(at: datetime) -> date:
    """Give the Hanoi day of an instant; 17:00 UTC is already tomorrow."""
    return at.astimezone(HANOI).date()


def day_start(on: date) -> datetime:
    """Give the UTC instant at which a Hanoi day begins."""
    return datetime(on.year, on.month, on.day, tzinfo=HANOI).astimezone(UTC)


def day_end(on: date) -> datetime:
    """Give the UTC instant at which a Hanoi day is over (exclusive)."""
    return day_start(on + _DAY)


def booking_day(on: date, today: date, last_closed_on: date | None) -> date:
    """Give the day on which to book what belongs to ``on``: it, or the first after a closed one.

    A closed day's balances are sealed, and they stand on every day before it. A day that no
    account can mean, because somebody's clock is wrong, is today.
    """
    found = on if on - today <= business_day_ahead_max else today
    return found if last_closed_on is None else max(found, last_closed_on + _DAY)


def rfc3339(at: datetime) -> str:
    """Write an instant as ``2026-11-18T01:02:03.456789Z``, without needless zeros."""
    text = at.astimezone(UTC).isoformat().removesuffix("+00:00")
    return f"{text}Z"


def day_by_cut_off(at: datetime, cut_off: time | None) -> date:
    """Give the Hanoi day of an instant, or the next one from the cut-off on; None is midnight."""
    local = at.astimezone(HANOI)
    late = cut_off is not None and local.time() >= cut_off
    return local.date() + _DAY if late else local.date()


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are worked, in the years that it covers; any other year is refused.

    A year without its list would look like a year without holidays, so deadlines would be wrong by
    a week at Tết and nobody would be told.
    """

    years: frozenset[int]
    days_off: Mapping[date, str]  # Besides Saturdays and Sundays, with the reason.
    worked: frozenset[date]  # Saturdays and Sundays that are worked, each in exchange for a day.
    undecided: frozenset[date] = frozenset()  # Days off that we expect and nobody has decreed.

    def is_working(self, day: date) -> bool:
        """Tell whether a day is worked. Raises Refusal for a year that is not covered."""
        if day.year not in self.years:
            raise Refusal("no-calendar-for-year", f"No working calendar covers {day.year}.")
        if day in self.worked:
            return True
        return day.weekday() < _SATURDAY and day not in self.days_off

    def next_working(self, day: date) -> date:
        """Give this day if it is worked, else the first one after it that is."""
        while not self.is_working(day):
            day += _DAY
        return day

    def add_working_days(self, day: date, n: int) -> date:
        """Give the n-th working day after a day; with none to add, the day a deadline moves to."""
        if n < 0:
            raise ValueError("Deadlines are counted forwards.")
        found = day if n else self.next_working(day)
        for _ in range(n):
            found = self.next_working(found + _DAY)
        return found

    def business_day(self, at: datetime, cut_off: time | None) -> date:
        """Give the working day that an instant belongs to: by the cut-off, then the calendar."""
        return self.next_working(day_by_cut_off(at, cut_off))


class Works(StrEnum):
    """On which days an account books."""

    EVERY_DAY = "every_day"  # Retail transfers and wallets run day and night.
    WORKING_DAYS = "working_days"


@dataclass(frozen=True, slots=True)
class BusinessDays:
    """How a provider account tells its business day; by itself it is the Hanoi day."""

    cut_off: time | None = None
    works: Works = Works.EVERY_DAY

    def of(self, at: datetime, calendar: Calendar) -> date:
        """Give the business day of an instant; only an account that rests asks the calendar."""
        if self.works is Works.WORKING_DAYS:
            return calendar.business_day(at, self.cut_off)
        return day_by_cut_off(at, self.cut_off)
