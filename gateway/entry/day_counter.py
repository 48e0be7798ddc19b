"""The counters in a ``thuphi day``: two clerks take cash and cards, count blind, sign each other's.

What citizens hand over is written into the banks' journal, which knows nothing of our books.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import httpx
from sqlalchemy import select

from gateway.entry.demo import agency
from gateway.services.access import Access, Officer
from gateway.services.counter import Counters
from gateway.store import tables as t

METHODS: Final = ("cash", "card")
CLERKS: Final = {"hoan-kiem": "lan", "tay-ho": "minh"}
float_dong: Final = 200_000
MISCOUNTS: Final = (-1_000, 0, 2_000)  # A note too few in the drawer, or one too many.


@dataclass
class Booths:
    """A clerk in a shift at each branch that has a counter."""

    counters: Counters
    banks: httpx.AsyncClient
    clerks: dict[str, Officer] = field(default_factory=dict)
    shifts: dict[str, str] = field(default_factory=dict)
    drawers: dict[str, int] = field(default_factory=dict)  # What truly lies in each.
    slips: int = 0

    async def open(self, access: Access) -> None:
        """Let the clerks come, and begin their shifts."""
        c = t.staff.c
        for branch, name in CLERKS.items():
            await access.add_staff(name, "clerk", agency)
            async with access.store.begin() as tx:
                (row,) = await tx.rows(
                    select(c.id).where(c.agency_id == agency, c.username == name)
                )
            clerk = Officer(row["id"], agency, name, "clerk", "")
            shift = await self.counters.open_shift(clerk, branch, "quay-1", float_dong)
            self.clerks[branch], self.shifts[branch] = clerk, shift
            self.drawers[branch] = float_dong

    async def take(self, payment: Mapping[str, Any], branch: str, method: str, more: Any) -> None:  # noqa: ANN401 - what a bank is told of it.
        """Take a payment's money at a counter; the citizen hands over what the clerk names."""
        slip, number = "", ""
        if method == "card":
            self.slips += 1
            number = f"{self.slips:06}"
            slip = f"{branch}/{number}"
        due = await self.counters.take(self.clerks[branch], payment["id"], method, number)
        if method == "cash":
            self.drawers[branch] += due
        said = {"slip": slip, "amount": due, "memo": f"TP{payment['reference']}"} | more
        (await self.banks.post("/control/counter", json=said)).raise_for_status()

    async def close(self, chance: Random) -> None:
        """Count each drawer, sign it as the other clerk, decide on what is missing, and bank it."""
        for number, (branch, clerk) in enumerate(self.clerks.items(), 1):
            (other,) = (c for c in self.clerks.values() if c != clerk)
            counted = self.drawers[branch] + chance.choice(MISCOUNTS)
            bag = f"TUI-{number:06}"  # The bank's text carries it as one word.
            await self.counters.count(clerk, self.shifts[branch], counted)
            await self.counters.sign(other, self.shifts[branch], bag)
            if counted > float_dong:  # The float goes back to the safe.
                said = {"bag": bag, "amount": counted - float_dong}
                (await self.banks.post("/control/bag", json=said)).raise_for_status()
        for shift in await self.counters.shifts(agency):
            if shift["difference_state"] == "open":
                for officer in self.clerks.values():
                    await self.counters.settle_shortage(
                        officer, shift["difference_id"], "written_off"
                    )
