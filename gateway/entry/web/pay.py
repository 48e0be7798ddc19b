"""``/pay/{token}``: what is due, how to pay it, and how it stands; it works without JavaScript."""

from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from gateway.domain.errors import Refusal
from gateway.domain.payment import Payment
from gateway.domain.states import State
from gateway.entry.web.page import SCRIPTED, language, page, send
from gateway.entry.web.pay_view import Seen, news, standing, view
from gateway.entry.web.qr import qr_png
from gateway.entry.web.reading import PageRoute, is_only_looking
from gateway.ports.provider import Verdict
from gateway.services.attempts import Attempts
from gateway.services.bills import Bills
from gateway.store import tables as t
from gateway.store.tx import Store
from gateway.store.views import receipt_view

TOLD: Final = ("declined", "failed")  # What became of the last try, said in the page's address.
_BACK: Final = "thuphi_back"
back_s_max: Final = 3_600  # A citizen who stays longer at the provider uses the link again.
_ENDED: Final = (Verdict.DECLINED, Verdict.CANCELLED, Verdict.EXPIRED)


@dataclass(frozen=True, slots=True)
class PayPages:
    """The payment page's routes."""

    store: Store
    attempts: Attempts
    bills: Bills

    async def show(self, request: Request, token: str) -> Response:
        """Show how a payment stands; a bank's return is taken note of and cut from the address."""
        lang = language(request)
        payment = await self._payment(token)
        query = request.scope["query_string"].decode("latin-1")
        if query and not query.startswith("lang="):
            looks = is_only_looking(request)
            verdict = None if looks else await self.attempts.returned(payment, query)
            left_from, left_in = _left(request)
            lang = left_in if left_from == token else lang
            return _to_page(token, lang, "declined" if verdict in _ENDED else "")
        told = request.query_params.get("told", "")
        seen = await self._seen(payment, lang, told if told in TOLD else "")
        return page("pay_now.html", view(seen, lang), more=SCRIPTED)

    async def state(self, token: str) -> str:
        """Say how it stands, in the words that the page was made with."""
        payment = await self._payment(token)
        return news(payment, self.store.clock.now(), len(await self._receipts(payment)))

    async def go(self, request: Request, token: str, provider: str) -> Response:
        """Send the citizen to a provider; the live attempt is used again."""
        payment = await self._payment(token)
        lang = language(request)
        address = request.client.host if request.client else "127.0.0.1"
        if is_only_looking(request):
            return Response(status_code=204, headers={"cache-control": "no-store"})
        try:
            begun = await self.attempts.start(
                payment.agency_id, payment.id, provider, address, lang,
                request.query_params.get("method", ""),
            )  # fmt: skip
        except Refusal:
            return _to_page(token, lang, "failed")
        if begun["redirect_url"] is None:
            return _to_page(token, lang)
        answer = RedirectResponse(begun["redirect_url"], 303)
        answer.set_cookie(
            _BACK, f"{token}.{lang}", max_age=back_s_max, path="/pay", httponly=True,
            samesite="lax", secure=self.store.public_url.startswith("https"),
        )  # fmt: skip
        return answer

    async def back(self, request: Request, provider: str) -> Response:
        """Take a citizen back whose provider knows one address for all: the browser knows which.

        That somebody came back is a reason to ask the provider, and proves nothing.
        """
        token, lang = _left(request)
        async with self.store.begin() as tx:
            payment = await tx.payment_by_token(token)
        if payment is None:
            return RedirectResponse("/", 303)
        await self.attempts.came_back(payment, provider)
        return _to_page(token, lang)

    async def bill(self, token: str) -> Response:
        """Hand over the receipt that a provider's platform issued."""
        bill = await self.bills.fetch(await self._payment(token))
        name = {"content-disposition": 'inline; filename="bien-lai.pdf"'}
        return send(bill.pdf, "application/pdf", more=name)

    async def qr(self, token: str) -> Response:
        """Draw the VietQR of what is still due."""
        payment = await self._payment(token)
        transfer = await self.attempts.transfer(payment)
        if payment.state is not State.OPEN or transfer is None or not transfer.qr_text:
            raise Refusal("not-found", "No transfer is offered for this payment.")
        return send(qr_png(transfer.qr_text), "image/png")

    async def _payment(self, token: str) -> Payment:
        async with self.store.begin() as tx:
            payment = await tx.payment_by_token(token)
        if payment is None:
            raise Refusal("not-found", "There is no such payment link.")
        return payment

    async def _receipts(self, payment: Payment) -> list[dict[str, Any]]:
        async with self.store.begin() as tx:
            rows = await tx.receipts(payment.agency_id, [payment.id])
        return [receipt_view(row, "") for row in rows]

    async def _elsewhere(self, payment: Payment, lang: str) -> str:
        """Name who issues the receipt, when it is not us."""
        attempt = await self.bills.paid_by(payment)
        if attempt is None:
            return ""
        provider = self.attempts.providers.get((attempt["provider"], attempt["account"]))
        if provider is None:
            return str(attempt["provider"])
        return provider.can.title_en if lang == "en" else provider.can.title_vi

    async def _seen(self, payment: Payment, lang: str, told: str) -> Seen:
        now = self.store.clock.now()
        async with self.store.begin() as tx:
            agency = await tx.row(select(t.agency).where(t.agency.c.id == payment.agency_id))
        if agency is None:
            raise LookupError(payment.agency_id)
        stands = standing(payment, now)
        is_payable = stands in ("open", "partly")
        ways = self.attempts.ways
        offers = await ways.offered(payment) if is_payable else []
        return Seen(
            payment, agency["name"], agency["is_sandbox"], now, await self._receipts(payment),
            [(offer, ways.methods(payment, offer.provider)) for offer in offers],
            await self.attempts.transfer(payment) if is_payable else None, told,
            await self._elsewhere(payment, lang) if stands == "paid" else "",
        )  # fmt: skip


def _left(request: Request) -> tuple[str, str]:
    """Tell from which page this browser left for a provider, and in which language."""
    token, _, lang = request.cookies.get(_BACK, "").partition(".")
    return token, "en" if lang == "en" else "vi"


def _to_page(token: str, lang: str, told: str = "") -> Response:
    """Lead back to the page, which says what became of the try."""
    return RedirectResponse(f"/pay/{token}?lang={lang}" + (f"&told={told}" if told else ""), 303)


def routes(pages: PayPages) -> APIRouter:
    """Give the routes."""
    door = APIRouter(include_in_schema=False, route_class=PageRoute)

    @door.get("/pay/{token}")
    async def show(request: Request, token: str) -> Response:
        return await pages.show(request, token)

    @door.get("/pay/{token}/status")
    async def status(token: str) -> dict[str, str]:
        return {"state": await pages.state(token)}

    @door.get("/pay/{token}/qr.png")
    async def qr(token: str) -> Response:
        return await pages.qr(token)

    @door.get("/pay/{token}/bill")
    async def bill(token: str) -> Response:
        return await pages.bill(token)

    @door.get("/pay/back/{provider}")
    async def back(request: Request, provider: str) -> Response:
        return await pages.back(request, provider)

    @door.get("/pay/{token}/{provider}")
    async def go(request: Request, token: str, provider: str) -> Response:
        return await pages.go(request, token, provider)

    return door
