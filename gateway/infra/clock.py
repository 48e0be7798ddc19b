"""The real clock, and a test clock that only moves when told (sandbox only)."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway.domain.ids import make_id


class SystemClock:
    """The machine's time, in UTC."""

    def now(self) -> datetime:
        """Give the instant."""
        return datetime.now(UTC)  # noqa: TID251 - this is the one place.

    def new_id(self, prefix: str) -> str:
        """Give a time-ordered id."""
        return make_id(prefix, self.now(), secrets.token_bytes(10))

    def chance(self, size: int) -> bytes:
        """Give unpredictable bytes."""
        return secrets.token_bytes(size)


@dataclass(slots=True)
class TestClock:
    """A clock for tests and demonstrations: it stands still until it is moved."""

    __test__ = False  # Not a test class, whatever its name.

    at: datetime
    _last_ms: int = field(default=0, repr=False)

    def now(self) -> datetime:
        """Give the instant it was last moved to."""
        return self.at

    def new_id(self, prefix: str) -> str:
        """Give a time-ordered id, rising even while time stands still."""
        self._last_ms = max(self._last_ms + 1, int(self.at.timestamp() * 1000))
        at = datetime.fromtimestamp(self._last_ms / 1000, UTC)
        return make_id(prefix, at, self.chance(10))

    def chance(self, size: int) -> bytes:
        """Give unpredictable bytes."""
        return secrets.token_bytes(size)

    def move(self, by: timedelta) -> None:
        """Move on; a clock never goes back."""
        if by < timedelta(0):
            raise ValueError("A clock never goes back.")
        self.at += by
