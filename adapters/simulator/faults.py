"""The fault script: which order is told wrongly, and how; the same seed gives the same day."""

import contextlib
import hashlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Fault(StrEnum):
    """One way in which a bank, a network or a forger misbehaves."""

    DUPLICATE = "duplicate"
    BURST = "burst"  # The same notice twenty times at once.
    LATE = "late"
    OUT_OF_ORDER = "out_of_order"
    SILENT = "silent"
    FORGED = "forged"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_MERCHANT = "wrong_merchant"
    SERVER_ERROR = "server_error"  # 5xx after the money was taken.
    SLOW = "slow"
    EARLY = "early"  # Money is taken and told before our own call is answered.
    RESET = "reset"  # The answer breaks off after our call was obeyed.
    TWELVE_HOURS = "twelve_hours"  # Times by a 12-hour clock, where the provider's peers do that.
    MAINTENANCE = "maintenance"  # A page of HTML instead of an answer, for as long as it lasts.


class Variant(StrEnum):
    """What is sent: the truth, or something near it."""

    GENUINE = "genuine"
    FORGED = "forged"
    FOREIGN = "foreign"  # Well signed, for another merchant or account.
    STALE = "stale"  # Genuine, and older than what was said already.


@dataclass(frozen=True, slots=True)
class Delivery:
    """One planned notice: what, how long after the money, how many at once."""

    variant: Variant = Variant.GENUINE
    after: timedelta = timedelta(0)
    times: int = 1


_SOON: Final = timedelta(seconds=2)
_NOW: Final = Delivery()
_PLANS: Final = MappingProxyType(
    {
        Fault.DUPLICATE: (_NOW, Delivery(after=_SOON)),
        Fault.BURST: (Delivery(times=20),),
        Fault.LATE: (Delivery(after=timedelta(hours=3)),),
        Fault.OUT_OF_ORDER: (_NOW, Delivery(Variant.STALE, _SOON)),
        Fault.SILENT: (),
        Fault.FORGED: (Delivery(Variant.FORGED), Delivery(after=_SOON)),
        Fault.WRONG_MERCHANT: (Delivery(Variant.FOREIGN), Delivery(after=_SOON)),
    }
)


def plan(fault: Fault | None) -> tuple[Delivery, ...]:
    """Say what is sent for an order with this fault."""
    return _PLANS.get(fault, (_NOW,)) if fault else (_NOW,)


def wrong(amount: int) -> int:
    """Give the amount a citizen pays by mistake."""
    return amount - 1_000 if amount > 1_000 else amount + 1_000  # noqa: PLR2004 - one note less.


# The last three digits of an amount that name a fault: no tariff ends like these.
ENDINGS: Final = MappingProxyType({901 + n: fault for n, fault in enumerate(Fault)})
_ending: Final = 1_000

header: Final = "x-simulate-fault"  # Any call to the simulator may carry it.
no_fault: Final = "none"
_asked: ContextVar[str] = ContextVar("the fault that this call asks for", default="")


@contextlib.contextmanager
def asked(name: str) -> Iterator[None]:
    """Keep what one call asks for, for the order or transfer that it is about."""
    token = _asked.set(name)
    try:
        yield
    finally:
        _asked.reset(token)


@dataclass(slots=True)
class FaultScript:
    """Faults by order: set by hand, else drawn by the seed at the given share."""

    seed: int
    share: float
    by_amount: bool = False  # Whether an amount's last three digits name its fault.
    _set: dict[str, Fault | None] = field(default_factory=dict)

    def set(self, key: str, fault: Fault | None) -> None:
        """Choose the fault of one order or transfer text; None means none."""
        self._set[key] = fault

    def set_asked(self, key: str) -> None:
        """Choose what the call asks for by its header, if it does."""
        if name := _asked.get():
            self.set(key, None if name == no_fault else Fault(name))

    def has(self, key: str) -> bool:
        """Tell whether somebody chose for this key, be it that nothing goes wrong."""
        return key in self._set

    def of(self, key: str, amount: int = 0) -> Fault | None:
        """Read or draw the fault of an order; asking twice gives the same."""
        if key in self._set:
            return self._set[key]
        if self.by_amount and amount % _ending in ENDINGS:
            return ENDINGS[amount % _ending]
        drawn = hashlib.sha256(f"{self.seed}|{key}".encode()).digest()
        if int.from_bytes(drawn[:8], "big") / 2**64 >= self.share:
            return None
        kinds = list(Fault)
        return kinds[int.from_bytes(drawn[8:12], "big") % len(kinds)]
