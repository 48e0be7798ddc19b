"""``/display``: what the payer sees at a counter; it turns by itself, without JavaScript too."""

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.errors import Refusal
from gateway.domain.payment import Payment
from gateway.domain.states import State
from gateway.entry.web.page import SCRIPTED, page, send
from gateway.entry.web.qr import qr_png
from gateway.services import catalogue
from gateway.services.attempts import Attempts
from gateway.services.displays import Displays, kept
from gateway.store.tx import Row
from receipts.words import in_words

COOKIE: Final = "thuphi_display"
look_every_s: Final = 3  # Without JavaScript the page looks again so often.


@dataclass(frozen=True, slots=True)
class DisplayPage:
    """The payer's side of a counter."""

    displays: Displays
    attempts: Attempts
    public_url: str

    async def show(self, request: Request) -> Response:
        """Show the code to pair by, a greeting, or what is due now."""
        token = request.cookies.get(COOKIE, "")
        found = await self.displays.of(token) if token else None
        is_new = found is None
        if found is None:
            token = await self.displays.fresh()
            found = await self.displays.of(token)
        if found is None:
            raise LookupError("display")
        row, payment = found
        answer = page("display.html", await self._values(row, payment), more=SCRIPTED)
        if is_new:
            answer.set_cookie(
                COOKIE, token, path="/display", httponly=True, samesite="strict",
                max_age=int(kept.total_seconds()), secure=self.public_url.startswith("https:"),
            )  # fmt: skip
        return answer

    async def _values(self, row: Row, payment: Payment | None) -> dict[str, object]:
        shown: dict[str, object] = {
            "code": row["code"] if row["staff_id"] is None else "", "payment": payment,
            "every_s": look_every_s, "lang": "vi", "state": _word(row, payment),
        }  # fmt: skip
        if payment:
            due = payment.amount - payment.amount_on_account
            vi, en = catalogue.name_of(payment.agency_id, payment.procedure)
            is_open = payment.state is State.OPEN
            transfer = await self.attempts.transfer(payment) if is_open else None
            shown |= {"due": due, "in_words": in_words(due), "title": vi, "title_en": en,
                      "is_open": is_open, "has_qr": transfer is not None,
                      "is_paid": payment.state in (State.PAID, State.SETTLED)}  # fmt: skip
        return shown

    async def state(self, request: Request) -> str:
        """Say what the page stands at, in the word that it was made with."""
        found = await self.displays.of(request.cookies.get(COOKIE, ""))
        return _word(*found) if found else "new"

    async def qr(self, request: Request) -> Response:
        """Draw the VietQR of what is shown."""
        found = await self.displays.of(request.cookies.get(COOKIE, ""))
        payment = found[1] if found else None
        transfer = await self.attempts.transfer(payment) if payment else None
        if (
            payment is None
            or payment.state is not State.OPEN
            or not (transfer and transfer.qr_text)
        ):
            raise Refusal("not-found", "Nothing is due on this display.")
        return send(qr_png(transfer.qr_text), "image/png")


def _word(row: Row, payment: Payment | None) -> str:
    if row["staff_id"] is None:
        return f"code-{row['code']}"
    return f"{payment.id}-{payment.state}-{payment.sequence}" if payment else "idle"


def routes(display: DisplayPage) -> APIRouter:
    """Give the routes."""
    door = APIRouter(include_in_schema=False)

    @door.get("/display")
    async def show(request: Request) -> Response:
        return await display.show(request)

    @door.get("/display/status")
    async def state(request: Request) -> dict[str, str]:
        return {"state": await display.state(request)}

    @door.get("/display/qr.png")
    async def qr(request: Request) -> Response:
        return await display.qr(request)

    return door
