"""A whole gateway and the simulated banks, each on its socket, with one clock between them."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from front_door import Site, free_port, open_site
from sqlalchemy import text

from adapters.simulator import (
    Choice,
    Fault,
    Simulator,
    SimulatorConfig,
    build_simulator,
    sandbox_settings,
)
from gateway.entry.web.serving import serving
from gateway.infra.clock import TestClock

CAPTURES = text("SELECT provider, amount, result FROM capture ORDER BY taken_at, id")


@dataclass
class City:
    """Citizens pay at the simulator, and the worker is driven by hand."""

    site: Site
    simulator: Simulator

    async def pay(
        self, attempt: dict[str, Any], choice: Choice = Choice.PAY, fault: Fault | None = None
    ) -> None:
        """Let the citizen choose at the provider, and the notices that are due arrive."""
        side = self.simulator.side_of(attempt["redirect_url"])
        self.simulator.faults.set(side.opened(attempt["redirect_url"]).reference, fault)
        self.simulator.pay(attempt["redirect_url"], choice)
        await self.simulator.pump()

    async def wait(self, by: timedelta) -> None:
        """Let time pass: notices arrive, doubts are asked about, receipts and events go out."""
        self.site.clock.move(by)
        await self.simulator.pump()
        parts = self.site.parts
        for work in (parts.attempts.ask, parts.receipts.issue, parts.outbox.sequence):
            while await work():
                pass

    async def captures(self) -> list[tuple[str, int, str]]:
        """List what was captured: provider, amount, and what it came to."""
        async with self.site.parts.store.begin() as tx:
            rows = await tx.rows(CAPTURES)
        return [(r["provider"], r["amount"], r["result"]) for r in rows]


@asynccontextmanager
async def city(database_url: str, clock: TestClock, **more: str) -> AsyncIterator[City]:
    """Run both sides; ``more`` are settings of ours without ``THUPHI_``."""
    ours, theirs = free_port(), free_port()
    origin = f"http://127.0.0.1:{theirs}"
    settings = sandbox_settings(origin, lambda name: f"simulated-{name.lower()}") | more
    config = SimulatorConfig(settings, f"http://127.0.0.1:{ours}/notices", slow_s=0.05)
    simulator = build_simulator(clock, config)
    values = {f"THUPHI_{name}": value for name, value in settings.items()}
    async with (
        serving(simulator.app, theirs),
        open_site(database_url, clock, ours, values) as site,
    ):
        yield City(site, simulator)
        await simulator.close()


async def forge(here: City, attempt: Mapping[str, Any], **changes: object) -> tuple[int, str]:
    """Call back as anybody can who has learned the one secret; give the answer."""
    said = {
        "LoaiBanTin": "CONFIRM", "MaLoi": "00", "MaDoiTac": "THUPHI",
        "MaThamChieu": attempt["provider_reference"], "SoTien": attempt["amount"],
        "MaTienTe": "VND", "MaGiaoDich": "MADEUP", "MaNganHang": "VCB",
        "ThoiGianGD": "20261118081000", "ThongTinGiaoDich": "x",
    } | changes  # fmt: skip
    joined = "|".join([*(str(v) for v in said.values()), "simulated-national_secret"])
    said["MaXacThuc"] = hashlib.sha256(joined.encode()).hexdigest()
    answer = await here.site.http.post("/notices/national/default", json=said)
    return answer.status_code, answer.json()["MaLoi"]
