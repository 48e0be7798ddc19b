"""Hanoi's days: the office's calendar, the date line at 17:00 UTC, and month names."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

HANOI: Final = ZoneInfo("Asia/Ho_Chi_Minh")


def hanoi_day(at: datetime) -> date:
    """Give the Hanoi day of an instant; 17:00 UTC is already tomorrow."""
    return at.astimezone(HANOI).date()


def day_start(on: date) -> datetime:
    """Give the UTC instant at which a Hanoi day begins."""
    return datetime(on.year, on.month, on.day, tzinfo=HANOI).astimezone(UTC)


def day_end(on: date) -> datetime:
    """Give the UTC instant at which a Hanoi day is over (exclusive)."""
    return day_start(on + timedelta(days=1))


def rfc3339(at: datetime) -> str:
    """Write an instant as ``2026-11-18T01:02:03.456789Z``, without needless zeros."""
    text = at.astimezone(UTC).isoformat().removesuffix("+00:00")
    return f"{text}Z"
