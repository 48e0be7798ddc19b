"""payOS's fields, read: texts, names and times, as its JSON writes them."""

import re
from datetime import UTC, date, datetime

from gateway.domain.calendar import HANOI
from gateway.domain.errors import InDoubtError


def text(value: object) -> str:
    """Take a text, empty where absent; NUL cannot be stored, so it becomes a space."""
    if value is not None and not isinstance(value, str):
        raise ValueError("A text is not a text.")
    return (value or "").replace("\x00", " ")


def name(value: object) -> str:
    """Take payOS's name of an order; it stands in an address."""
    name = text(value)
    if not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", name):
        raise InDoubtError("payOS gave the order no usable name.")
    return name


def paid(value: object, noted_at: datetime) -> tuple[datetime, date]:
    """Read when it was paid, and on which day in Hanoi, whose time it is where no other is named.

    A bad time is no reason to lose money that moved.
    """
    try:
        at = datetime.fromisoformat(text(value))
        if at.tzinfo is None:
            return at.replace(tzinfo=HANOI).astimezone(UTC), at.date()
        return at.astimezone(UTC), at.astimezone(HANOI).date()
    except (ValueError, OverflowError):  # The year 1 has no UTC in Hanoi.
        return noted_at, noted_at.astimezone(HANOI).date()
