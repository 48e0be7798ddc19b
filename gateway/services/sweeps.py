"""A sweep does each item by itself: one that fails stops nobody, and is seen (SCENARIOS 11)."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

log: Final = logging.getLogger("thuphi.sweeps")
Item = TypeVar("Item")


@dataclass(eq=False, slots=True)
class SweepError(Exception):
    """Some of a sweep failed, by their ids, and the log says why; all the others were done."""

    failed: list[str]

    def __str__(self) -> str:
        """Name those that failed."""
        return f"failed: {', '.join(self.failed)}"


async def sweep(
    job: str, items: Mapping[str, Item], do: Callable[[Item], Awaitable[object]]
) -> None:
    """Do each item, by its id. Raises SweepError when all are done and some failed."""
    failed = []
    for item_id, item in items.items():
        try:
            await do(item)
        except Exception:
            log.exception("one of a sweep failed", extra={"job": job, "item": item_id})
            failed.append(item_id)
    if failed:
        raise SweepError(failed)
