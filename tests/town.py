"""Both sides on their sockets: our adapters, a bare office that reads notices, and the banks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest_asyncio
from front_door import free_port
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.simulator import Simulator, SimulatorConfig, build_simulator, sandbox_settings
from gateway.domain.errors import ForgedError
from gateway.domain.ids import make_reference
from gateway.entry.plugins import adapters
from gateway.entry.web.serving import serving
from gateway.infra.clock import TestClock
from gateway.infra.wire import GuardedWire
from gateway.ports.provider import Notice, Order, Outcome, Provider, RawNotice

START = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
REFERENCE = make_reference(b"thuphi!")
SECRETS = {"VNPAY_SECRET": "simulated-vnpay-secret", "SEPAY_SECRET": "simulated-sepay-secret"}


@dataclass(slots=True)
class Office:
    """Our side: reads each notice with the adapter and answers as it was told to."""

    clock: TestClock
    providers: dict[str, Provider] = field(default_factory=dict)
    read: list[Notice] = field(default_factory=list)
    forged: int = 0
    failing: bool = False

    async def take(self, request: Request) -> Response:
        provider = self.providers[request.path_params["name"]]
        raw = RawNotice(
            request.method,
            request.url.query,
            dict(request.headers),
            await request.body(),
            self.clock.now(),
        )
        try:
            said = provider.read(raw)
        except ForgedError:
            self.forged += 1
            return self._answer(provider, Outcome.FORGED)
        if self.failing:
            return self._answer(provider, Outcome.FAILED)
        outcome = Outcome.REPEATED if said in self.read else Outcome.RECORDED
        self.read.append(said)
        return self._answer(provider, outcome)

    def _answer(self, provider: Provider, outcome: Outcome) -> Response:
        ack = provider.acknowledge(outcome)
        return Response(ack.body, ack.status, media_type=ack.media_type)


@dataclass(slots=True)
class Town:
    """Both sides on their sockets, and the one clock."""

    clock: TestClock
    office: Office
    simulator: Simulator
    origin: str
    notices: str
    providers: dict[str, Provider]
    orders: int = 0

    def order(self, amount: int = 150_000, notices: str = "") -> Order:
        """Make an order; ``notices`` is the path name where its notices are to come."""
        self.orders += 1
        return Order(
            reference=f"ATT{self.orders:09d}",
            serial=self.orders,
            payment_reference=REFERENCE,
            amount=amount,
            text=f"TP{REFERENCE} 1.004222",
            return_url="http://127.0.0.1:9/return?l=vi",
            created_at=self.clock.now(),
            expires_at=self.clock.now() + timedelta(minutes=15),
            notice_url=f"{self.notices}/{notices}/default" if notices else "",
        )

    async def open(self, order: Order, name: str = "vnpay") -> str:
        """Begin an order, and give the address where it is paid."""
        checkout = await self.providers[name].checkout(order)
        assert checkout.redirect_url
        return checkout.redirect_url

    async def qr(self, order: Order) -> str:
        """Give the QR text of an order."""
        checkout = await self.providers["vietqr"].checkout(order)
        assert checkout.qr_text
        return checkout.qr_text

    async def wait(self, by: timedelta) -> int:
        """Let time pass, and the banks' post arrive; give how many notices were sent."""
        self.clock.move(by)
        return await self.simulator.pump()


@pytest_asyncio.fixture
async def town() -> AsyncIterator[Town]:
    """Run the simulated banks and an office that hears them, on loopback."""
    clock = TestClock(START)
    ours, theirs = free_port(), free_port()
    origin, notices = f"http://127.0.0.1:{theirs}", f"http://127.0.0.1:{ours}/notices"
    settings = sandbox_settings(origin, lambda name: SECRETS.get(name, f"sim-{name.lower()}"))
    simulator = build_simulator(clock, SimulatorConfig(settings, notices, slow_s=0.05))
    wire = GuardedWire(frozenset({origin}))
    providers = {
        spec.name: spec.build(settings, wire, "default")
        for spec in adapters()
        if settings.keys() >= set(spec.fields)
    }
    office = Office(clock)
    for name, provider in providers.items():
        office.providers |= dict.fromkeys(provider.can.notice_names or (name,), provider)
    routes = [Route("/notices/{name}/default", office.take, methods=["GET", "POST"])]
    async with serving(Starlette(routes=routes), ours), serving(simulator.app, theirs):
        yield Town(clock, office, simulator, origin, notices, providers)
        await simulator.close()
