"""Work in lanes: each lane in its own order, all at once, so one that hangs delays no other."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, Generic, TypeVar

from gateway.services.sweeps import SweepError

log: Final = logging.getLogger("thuphi.sweeps")
Lane = TypeVar("Lane", bound=Hashable)
Item = TypeVar("Item")

lanes_max: Final = 200  # More hang at once only when we ourselves are cut off.
look_again_s: Final = 1.0  # New work waits no longer than this while some lane hangs.
silences_max: Final = 3  # No answer so often in a row: the rest of the lane would get none either.
begin_s_max: Final = 60.0  # Then a tick begins nothing new: its lease is two minutes.


@dataclass(slots=True)
class _Tick(Generic[Lane]):
    """What one run has done so far."""

    ends: float
    tried: int = 0
    failed: list[str] = field(default_factory=list)
    resting: set[Lane] = field(default_factory=set)
    busy: dict[Lane, asyncio.Task[None]] = field(default_factory=dict)
    broken: Exception | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether anything new may be begun."""
        return self.broken is None and monotonic() < self.ends

    def has_room_for(self, lane: Lane) -> bool:
        """Tell whether a lane may be walked now."""
        return lane not in self.busy and lane not in self.resting and len(self.busy) < lanes_max


@dataclass(frozen=True, slots=True)
class Lanes(Generic[Lane, Item]):
    """One job's lanes. An item is claimed when its turn comes, so nobody else's try is used up."""

    job: str
    waiting: Callable[[], Awaitable[Iterable[Lane]]]  # Which lanes have something due.
    claim: Callable[[Lane], Awaitable[tuple[str, Item] | None]]  # The next of one, by its id.
    do: Callable[[Item], Awaitable[bool]]  # Tells whether it was answered.

    async def run(self) -> int:
        """Do what is due; gives how many were tried. Raises SweepError if some failed.

        While a lane is busy the others look again: what comes due meanwhile is done meanwhile. A
        lane that gets no answer rests until the next tick, and uses up no more tries.
        """
        tick: _Tick[Lane] = _Tick(monotonic() + begin_s_max)
        try:
            await self._look(tick)
        except asyncio.CancelledError:
            for task in tick.busy.values():
                task.cancel()
            raise
        finally:  # Nobody's call is broken off because somebody else's claim failed.
            if tick.busy:
                await asyncio.wait(tick.busy.values())
        if tick.broken:
            raise tick.broken
        if tick.failed:
            raise SweepError(tick.failed)
        return tick.tried

    async def _look(self, tick: _Tick[Lane]) -> None:
        """Open lanes, and look again, until nothing is due."""
        while tick.is_open:
            for lane in await self.waiting():
                if tick.has_room_for(lane):
                    tick.busy[lane] = asyncio.create_task(self._walk(lane, tick))
            if tick.busy:
                await asyncio.wait(tick.busy.values(), timeout=look_again_s)
            tick.busy = {k: task for k, task in tick.busy.items() if not task.done()}
            if not tick.busy:
                break

    async def _walk(self, lane: Lane, tick: _Tick[Lane]) -> None:
        """Do what is due of one lane, in its order; an error in claiming ends the whole tick."""
        try:
            await self._in_order(lane, tick)
        except Exception as error:  # noqa: BLE001 - raised again when the others are done.
            tick.broken = tick.broken or error

    async def _in_order(self, lane: Lane, tick: _Tick[Lane]) -> None:
        silences = 0
        while tick.is_open and (claimed := await self.claim(lane)):
            item_id, item = claimed
            tick.tried += 1
            try:
                silences = 0 if await self.do(item) else silences + 1
            except Exception:
                log.exception("one of a sweep failed", extra={"job": self.job, "item": item_id})
                tick.failed.append(item_id)
            if silences >= silences_max:
                tick.resting.add(lane)
                return
