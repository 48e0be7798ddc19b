"""``/control/``: what scripts and tests drive; JSON in, JSON out."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.simulator.authority import Mood
from adapters.simulator.faults import Fault, header, no_fault
from adapters.simulator.journal import BudgetLine, JournalEntry
from adapters.simulator.orders import Choice, PageError, PayOrder, Side
from gateway.domain.calendar import rfc3339

if TYPE_CHECKING:
    from adapters.simulator.app import Simulator


moved_max: Final = timedelta(days=366)  # At once; what waits longest here waits three days.


@runtime_checkable
class Movable(Protocol):
    """A clock that stands still until it is moved; the machine's own is none."""

    def move(self, by: timedelta) -> None:
        """Move on."""
        ...


@runtime_checkable
class Disputes(Protocol):
    """A side whose payers can quarrel with their card's bank."""

    statuses: Collection[str]

    def dispute(self, reference: str, status: str) -> None:
        """Let the payer of an order quarrel, or the quarrel go on, and tell of it."""
        ...


@dataclass(frozen=True, slots=True)
class Control:
    """What scripts and tests drive; JSON in, JSON out."""

    simulator: "Simulator"

    async def pay(self, request: Request) -> Response:
        """Pay (or not) the order of a redirect address, or in the app the one that names a text."""
        said = await request.json()
        if "redirect_url" in said:
            side = self.simulator.side_of(said["redirect_url"])
            order = side.opened(said["redirect_url"])
            self._fault(request, said, order.reference)
        else:
            side = self.simulator.sides[said["provider"]]
            order = _named(side, said["named"])
        chosen = side.orders.choose(
            order.reference, Choice(said.get("choice", "pay")), said.get("obligation_id", ""),
            _lines(said),
        )  # fmt: skip
        return JSONResponse(
            {
                "reference": order.reference,
                "txn_ids": chosen.txn_ids,
                "return_url": chosen.return_url,
                "fault": chosen.fault,
            }
        )

    async def authority(self, request: Request) -> Response:
        """Change how the tax authority is today, and say what it was told."""
        side = self.simulator.authority
        side.mood = Mood((await request.json()).get("mood", side.mood))
        told = {k: {n: v for n, v in x.items() if n != "xml"} for k, x in side.told.items()}
        return JSONResponse({"mood": side.mood, "tries": side.tries, "told": told})

    async def transfer(self, request: Request) -> Response:
        """Pay a QR text, or transfer to an account."""
        said = await request.json()
        holder, memo = self.simulator.bank, said.get("memo")
        more = (said.get("obligation_id", ""), _lines(said))
        key = memo if memo is not None else said.get("fault_key", "")
        self._fault(request, said, key)
        entry: JournalEntry
        if said.get("qr_text"):
            entry = holder.transfer_by_qr(said["qr_text"], said.get("amount"), memo, *more)
        else:
            entry = holder.transfer(said["account"], said["amount"], memo or "", 0, *more)
        return JSONResponse(entry.as_json())

    async def counter(self, request: Request) -> JSONResponse:
        """Pay at a counter: a card if there is a slip, else cash."""
        said = await request.json()
        more = (said.get("obligation_id", ""), _lines(said))
        entry = self.simulator.counter.paid(said["slip"], said["amount"], said["memo"], *more)
        return JSONResponse(entry.as_json())

    async def bag(self, request: Request) -> JSONResponse:
        """Bring a deposit bag to the bank."""
        said = await request.json()
        return JSONResponse(self.simulator.counter.bagged(said["bag"], said["amount"]).as_json())

    def _fault(self, request: Request, said: dict[str, Any], key: str) -> None:
        named = said.get("fault") or request.headers.get(header)
        if named:
            self.simulator.faults.set(key, None if named == no_fault else Fault(named))

    async def pump(self, _request: Request) -> Response:
        """Send what is due."""
        return JSONResponse({"sent": await self.simulator.pump()})

    async def clock(self, request: Request) -> Response:
        """Let time pass on a test clock, and send what is due by then."""
        clock, said = self.simulator.post.clock, dict(await request.json())
        if not isinstance(clock, Movable):
            raise PageError("Time here is the machine's own: start with THUPHI_CLOCK to move it.")
        by = timedelta(hours=int(said.get("hours", 0)), minutes=int(said.get("minutes", 0)))
        if not timedelta(0) < by <= moved_max:
            raise PageError("Give hours or minutes above zero, at most 366 days of them.")
        clock.move(by)
        sent = await self.simulator.pump()
        return JSONResponse({"now": rfc3339(clock.now()), "sent": sent})

    async def dispute(self, request: Request) -> Response:
        """Let a card's payer dispute an order, or the dispute go on; its word is sent at once."""
        said = dict(await request.json())
        name, reference = said.get("provider", "stripe"), said["reference"]
        status = said.get("status", "needs_response")
        side = self.simulator.sides[name]
        if not isinstance(side, Disputes):
            raise PageError("This provider has no disputes; stripe has.")
        if status not in side.statuses:
            raise PageError(f"A status is one of: {', '.join(side.statuses)}.")
        if reference not in side.orders.known:
            raise PageError("There is no such order.")
        side.dispute(reference, status)
        sent = await self.simulator.pump()
        return JSONResponse({"reference": reference, "status": status, "sent": sent})

    async def files(self, request: Request) -> Response:
        """Write the files of a day to a folder."""
        said = await request.json()
        on, folder = date.fromisoformat(said["date"]), Path(said["folder"])
        written = self.simulator.write_files(on, folder)
        return JSONResponse({"files": [[profile, str(path)] for profile, path in written]})

    async def fault(self, request: Request) -> Response:
        """Set the fault of an order's reference or a transfer's text."""
        said = await request.json()
        self._fault(request, said, said["key"])
        return JSONResponse({"key": said["key"], "fault": said.get("fault")})

    async def journal(self, _request: Request) -> Response:
        """Give every movement of money."""
        entries = [e.as_json() for e in self.simulator.journal.entries(kind="")]
        return JSONResponse({"entries": entries})


def _named(side: Side, text: str) -> PayOrder:
    """Find the newest order that names a text, as its payer sees it in the app."""
    for order in reversed(side.orders.known.values()):
        if order.info.split(" ", 1)[0] == text:
            return order
    raise PageError("There is no such order.")


def _lines(said: dict[str, Any]) -> tuple[BudgetLine, ...]:
    return tuple(BudgetLine(str(x["tieu_muc"]), int(x["amount"])) for x in said.get("lines", []))
