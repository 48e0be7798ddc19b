"""The simulator as one web application: each provider, /bank, and /control for scripts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.simulator import (
    bank,
    momo,
    national,
    pages,
    payos,
    payos_words,
    stripe,
    stripe_words,
    vnpay,
    zalopay,
)
from adapters.simulator.authority import AuthoritySide
from adapters.simulator.bank import BankSide, TransferError
from adapters.simulator.config import SimulatorConfig
from adapters.simulator.control import Control
from adapters.simulator.counter import CARD, CounterSide
from adapters.simulator.faults import Fault, FaultScript, asked, header, no_fault
from adapters.simulator.journal import BudgetLine, Journal
from adapters.simulator.orders import Choice, Chosen, PageError, Side
from adapters.simulator.post import Post
from adapters.simulator.reports import Reports
from gateway.ports.clock import Clock

body_bytes_max: Final = 65_536  # No form, query or order here comes near it.


@dataclass(slots=True)
class Simulator:
    """The banks' side as a whole. Nothing moves by itself: ``pump`` sends what is due."""

    config: SimulatorConfig
    journal: Journal
    post: Post
    faults: FaultScript
    sides: dict[str, Side]
    bank: BankSide
    counter: CounterSide
    authority: AuthoritySide
    reports: Reports
    app: Starlette = field(init=False)

    def __post_init__(self) -> None:
        """Make the web application over this state."""
        self.app = Starlette(routes=_routes(self), lifespan=self._lifespan)

    async def pump(self) -> int:
        """Send every notice due by the clock's now; give how many were sent."""
        return await self.post.pump()

    async def close(self) -> None:
        """Close the outgoing connections."""
        await self.post.close()

    def pay(
        self,
        redirect_url: str,
        choice: Choice = Choice.PAY,
        obligation_id: str = "",
        lines: tuple[BudgetLine, ...] = (),
    ) -> Chosen:
        """Do what a citizen does on a provider's page at this address. Raises PageError."""
        side = self.side_of(redirect_url)
        order = side.opened(redirect_url)
        return side.orders.choose(order.reference, choice, obligation_id, lines)

    def side_of(self, redirect_url: str) -> Side:
        """Find the provider whose page stands at an address."""
        name = urlsplit(redirect_url).path.split("/")[1]
        if name not in self.sides:
            raise PageError("There is no such page here.")
        return self.sides[name]

    def write_files(self, on: date, folder: Path) -> list[tuple[str, Path]]:
        """Write the files of a day, each with its profile's name."""
        return self.reports.write(on, folder)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        pumping = asyncio.create_task(self._keep_pumping()) if self.config.pump_every_s else None
        try:
            yield
        finally:
            if pumping:
                pumping.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await pumping
            await self.close()

    async def _keep_pumping(self) -> None:
        """Pump at a steady beat when the simulator runs alone."""
        while True:
            await self.pump()
            await asyncio.sleep(self.config.pump_every_s or 1.0)


def sandbox_settings(origin: str, secret: Callable[[str], str]) -> dict[str, str]:
    """Give our adapters' settings for a simulator at this origin, without ``THUPHI_``."""
    return {k: v for settings in SETTINGS for k, v in settings(origin, secret).items()}


def build_simulator(clock: Clock, config: SimulatorConfig) -> Simulator:
    """Build the banks around one clock."""
    journal, post = Journal(config.journal_path), Post(clock)
    faults = FaultScript(config.seed, config.fault_share, config.faults_by_amount)
    sides: list[Side] = [kind(clock, config, journal, post, faults) for kind in SIDES]
    account = BankSide(clock, config, journal, post, faults)
    for side in sides:
        if isinstance(side, payos.PayosSide):
            side.watch(account)
    return Simulator(
        config=config,
        journal=journal,
        post=post,
        faults=faults,
        sides={side.name: side for side in sides},
        bank=account,
        counter=CounterSide(clock, config, journal),
        authority=AuthoritySide(),
        reports=Reports(config, journal, [*(s.name for s in sides if s.orders.move is None), CARD]),
    )


# The providers that keep an order book; a new one is a file and its class here.
SIDES: Final[tuple[Callable[..., Side], ...]] = (
    vnpay.VnpaySide, momo.MomoSide, zalopay.ZalopaySide, national.NationalSide, payos.PayosSide,
    stripe.StripeSide,
)  # fmt: skip
SETTINGS: Final = (
    vnpay.settings, momo.settings, zalopay.settings, national.settings, payos_words.settings,
    stripe_words.settings, bank.settings,
)  # fmt: skip
type_error: Final = "A field is missing or malformed."
Handler = Callable[[Request], Awaitable[Response]]


def _routes(simulator: Simulator) -> list[Route]:
    doors, control = _Doors(simulator), Control(simulator)
    posts: dict[str, Handler] = {
        "/choose": doors.choose,
        "/bank/transfer": doors.transfer,
        "/control/pay": control.pay,
        "/control/transfer": control.transfer,
        "/control/counter": control.counter,
        "/control/bag": control.bag,
        "/control/pump": control.pump,
        "/control/files": control.files,
        "/control/fault": control.fault,
        "/control/clock": control.clock,
        "/control/dispute": control.dispute,
        "/control/authority": control.authority,
    }
    gets: dict[str, Handler] = {
        "/bank/": doors.bank_page,
        "/simulator.css": doors.stylesheet,
        "/control/journal": control.journal,
    }
    made = [Route(path, _guarded(handler), methods=["POST"]) for path, handler in posts.items()]
    made += [Route(path, _guarded(do), methods=["GET"]) for path, do in gets.items()]
    for side in simulator.sides.values():
        made += [
            Route(r.path, _guarded(r.endpoint), methods=sorted(r.methods or ()))
            for r in side.routes()
        ]
    # Messages are longer than orders, and no citizen's fault is asked for with them.
    return [*made, *simulator.authority.routes()]


def _guarded(handler: Handler) -> Handler:
    """Turn what a caller did wrong into 400, with a sentence."""

    async def guarded(request: Request) -> Response:
        try:
            if int(request.headers.get("content-length", "0")) > body_bytes_max:
                return JSONResponse({"error": "The body is too long."}, 413)
            name = request.headers.get(header, "")
            if name and name not in (no_fault, *Fault):
                return JSONResponse({"error": f"{header} is one of: {', '.join(Fault)}."}, 400)
            with asked(name):
                return await handler(request)
        except (PageError, TransferError) as error:
            wants_page = not request.url.path.startswith("/control/")
            if wants_page:
                return pages.refused(str(error))
            return JSONResponse({"error": str(error)}, 400)
        except (KeyError, OverflowError, TypeError, ValueError):
            return JSONResponse({"error": type_error}, 400)

    return guarded


@dataclass(frozen=True, slots=True)
class _Doors:
    """What a citizen's browser, and our adapter, can reach."""

    simulator: Simulator

    async def choose(self, request: Request) -> Response:
        """Take the citizen's choice, then send the browser back to us."""
        form = await _form(request)
        orders = self.simulator.sides[form["side"]].orders
        reference, choice = form["reference"], Choice(form["choice"])
        self.simulator.faults.set_asked(reference)
        if form.get("fault"):
            self.simulator.faults.set(reference, Fault(form["fault"]))
        chosen = orders.choose(reference, choice)
        if chosen.is_broken:
            return pages.broken()
        if choice is Choice.LEAVE:
            return pages.left()
        return RedirectResponse(chosen.return_url, 303)

    async def bank_page(self, _request: Request) -> Response:
        """Show the bank's transfer form."""
        return pages.bank(self.simulator.config.bank_account, self.simulator.faults)

    async def transfer(self, request: Request) -> Response:
        """Make a transfer, by QR or by hand."""
        form = await _form(request)
        holder = self.simulator.bank
        amount = int(form["amount"]) if form.get("amount") else None
        if form.get("qr_text"):
            entry = holder.transfer_by_qr(form["qr_text"], amount, form.get("memo") or None)
        else:
            entry = holder.transfer(form["account"], amount or 0, form.get("memo", ""))
        return pages.transferred(entry)

    async def stylesheet(self, _request: Request) -> Response:
        """Serve the pages' one stylesheet."""
        return pages.stylesheet()


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
