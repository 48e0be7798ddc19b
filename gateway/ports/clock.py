"""The one clock: now() in UTC, and what depends on it."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Business time and chance, passed in everywhere; nobody calls datetime.now()."""

    def now(self) -> datetime:
        """Give the instant, aware, in UTC."""
        ...

    def new_id(self, prefix: str) -> str:
        """Give a time-ordered id such as ``pay_…``."""
        ...

    def chance(self, size: int) -> bytes:
        """Give unpredictable bytes."""
        ...
