"""The simulator as one web application: /vnpay, /bank, and /control for scripts and tests."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.simulator import pages
from adapters.simulator.bank import BankSide, TransferError
from adapters.simulator.config import API_PATH, PAY_PATH, SimulatorConfig
from adapters.simulator.faults import Fault, FaultScript
from adapters.simulator.journal import BudgetLine, Journal, JournalEntry
from adapters.simulator.post import Post
from adapters.simulator.reports import Reports
from adapters.simulator.vnpay import Choice, Chosen, PageError, VnpaySide
from gateway.ports.clock import Clock

body_bytes_max: Final = 65_536  # No form, query or order here comes near it.


@dataclass(slots=True)
class Simulator:
    """The banks' side as a whole. Nothing moves by itself: ``pump`` sends what is due."""

    config: SimulatorConfig
    journal: Journal
    post: Post
    faults: FaultScript
    vnpay: VnpaySide
    bank: BankSide
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
        """Do what a citizen does on VNPAY's page at this address. Raises PageError."""
        order = self.vnpay.open(urlsplit(redirect_url).query)
        return self.vnpay.choose(order.reference, choice, obligation_id, lines)

    def write_files(self, on: date, folder: Path) -> dict[str, Path]:
        """Write the files of a day, by profile name."""
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


def build_simulator(clock: Clock, config: SimulatorConfig) -> Simulator:
    """Build the banks around one clock."""
    journal, post = Journal(config.journal_path), Post(clock)
    faults = FaultScript(config.seed, config.fault_share)
    return Simulator(
        config=config,
        journal=journal,
        post=post,
        faults=faults,
        vnpay=VnpaySide(clock, config, journal, post, faults),
        bank=BankSide(clock, config, journal, post, faults),
        reports=Reports(config, journal),
    )


type_error: Final = "A field is missing or malformed."
Handler = Callable[[Request], Awaitable[Response]]


def _routes(simulator: Simulator) -> list[Route]:
    doors, control = _Doors(simulator), _Control(simulator)
    posts: dict[str, Handler] = {
        "/vnpay/choose": doors.choose,
        API_PATH: doors.querydr,
        "/bank/transfer": doors.transfer,
        "/control/pay": control.pay,
        "/control/transfer": control.transfer,
        "/control/pump": control.pump,
        "/control/files": control.files,
        "/control/fault": control.fault,
    }
    gets: dict[str, Handler] = {
        PAY_PATH: doors.pay_page,
        "/bank/": doors.bank_page,
        "/simulator.css": doors.stylesheet,
        "/control/journal": control.journal,
    }
    made = [Route(path, _guarded(handler), methods=["POST"]) for path, handler in posts.items()]
    return made + [Route(path, _guarded(do), methods=["GET"]) for path, do in gets.items()]


def _guarded(handler: Handler) -> Handler:
    """Turn what a caller did wrong into 400, with a sentence."""

    async def guarded(request: Request) -> Response:
        try:
            if int(request.headers.get("content-length", "0")) > body_bytes_max:
                return JSONResponse({"error": "The body is too long."}, 413)
            return await handler(request)
        except (PageError, TransferError) as error:
            wants_page = not request.url.path.startswith("/control/")
            if wants_page:
                return pages.refused(str(error))
            return JSONResponse({"error": str(error)}, 400)
        except (KeyError, TypeError, ValueError):
            return JSONResponse({"error": type_error}, 400)

    return guarded


@dataclass(frozen=True, slots=True)
class _Doors:
    """What a citizen's browser, and our adapter, can reach."""

    simulator: Simulator

    async def pay_page(self, request: Request) -> Response:
        """Show VNPAY's page for a signed order."""
        query = request.url.query
        return pages.vnpay(self.simulator.vnpay.open(query), query)

    async def choose(self, request: Request) -> Response:
        """Take the citizen's choice, then send the browser back to us."""
        form = await _form(request)
        self._set_fault(form)
        chosen = self.simulator.pay(f"?{form['order']}", Choice(form["choice"]))
        if chosen.is_broken:
            return pages.broken()
        if form["choice"] == Choice.LEAVE:
            return pages.left()
        return RedirectResponse(chosen.return_url, 303)

    def _set_fault(self, form: dict[str, str]) -> None:
        if form.get("fault"):
            reference = self.simulator.vnpay.open(form["order"]).reference
            self.simulator.faults.set(reference, Fault(form["fault"]))

    async def querydr(self, request: Request) -> Response:
        """Answer what became of an order."""
        body = await request.body()
        status, said = self.simulator.vnpay.answer(body)
        order = self.simulator.vnpay.orders.get(said.get("vnp_TxnRef", ""))
        if order and order.is_slow:
            await asyncio.sleep(self.simulator.config.slow_s)
        return JSONResponse(said, status)

    async def bank_page(self, _request: Request) -> Response:
        """Show the bank's transfer form."""
        return pages.bank(self.simulator.config.bank_account)

    async def transfer(self, request: Request) -> Response:
        """Make a transfer, by QR or by hand."""
        form = await _form(request)
        bank = self.simulator.bank
        amount = int(form["amount"]) if form.get("amount") else None
        if form.get("qr_text"):
            entry = bank.transfer_by_qr(form["qr_text"], amount, form.get("memo") or None)
        else:
            entry = bank.transfer(form["account"], amount or 0, form.get("memo", ""))
        return pages.transferred(entry)

    async def stylesheet(self, _request: Request) -> Response:
        """Serve the pages' one stylesheet."""
        return pages.stylesheet()


@dataclass(frozen=True, slots=True)
class _Control:
    """What scripts and tests drive; JSON in, JSON out."""

    simulator: Simulator

    async def pay(self, request: Request) -> Response:
        """Pay (or not) the order of a redirect address."""
        said = await request.json()
        url = said["redirect_url"]
        reference = self.simulator.vnpay.open(urlsplit(url).query).reference
        self._fault(request, said, reference)
        chosen = self.simulator.pay(
            url, Choice(said.get("choice", "pay")), said.get("obligation_id", ""), _lines(said)
        )
        return JSONResponse(
            {
                "reference": reference,
                "txn_ids": chosen.txn_ids,
                "return_url": chosen.return_url,
                "fault": chosen.fault,
            }
        )

    async def transfer(self, request: Request) -> Response:
        """Pay a QR text, or transfer to an account."""
        said = await request.json()
        bank, memo = self.simulator.bank, said.get("memo")
        more = (said.get("obligation_id", ""), _lines(said))
        key = memo if memo is not None else said.get("fault_key", "")
        self._fault(request, said, key)
        entry: JournalEntry
        if said.get("qr_text"):
            entry = bank.transfer_by_qr(said["qr_text"], said.get("amount"), memo, *more)
        else:
            entry = bank.transfer(said["account"], said["amount"], memo or "", 0, *more)
        return JSONResponse(entry.as_json())

    def _fault(self, request: Request, said: dict[str, Any], key: str) -> None:
        named = said.get("fault") or request.headers.get("x-simulate-fault")
        if named:
            self.simulator.faults.set(key, None if named == "none" else Fault(named))

    async def pump(self, _request: Request) -> Response:
        """Send what is due."""
        return JSONResponse({"sent": await self.simulator.pump()})

    async def files(self, request: Request) -> Response:
        """Write the files of a day to a folder."""
        said = await request.json()
        on, folder = date.fromisoformat(said["date"]), Path(said["folder"])
        written = self.simulator.write_files(on, folder)
        return JSONResponse({profile: str(path) for profile, path in written.items()})

    async def fault(self, request: Request) -> Response:
        """Set the fault of an order's reference or a transfer's text."""
        said = await request.json()
        self._fault(request, said, said["key"])
        return JSONResponse({"key": said["key"], "fault": said.get("fault")})

    async def journal(self, _request: Request) -> Response:
        """Give every movement of money."""
        entries = [e.as_json() for e in self.simulator.journal.entries()]
        return JSONResponse({"entries": entries})


def _lines(said: dict[str, Any]) -> tuple[BudgetLine, ...]:
    return tuple(BudgetLine(str(x["tieu_muc"]), int(x["amount"])) for x in said.get("lines", []))


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
