"""How officers read receipts: a payer's name stands in them, so by role, and each reading is noted.

The links that citizens have open a receipt to anybody, so the console shows none of them.
"""

from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from gateway.domain.errors import Refusal
from gateway.entry.web.console import MAY_SEE_PAYER, Console
from gateway.entry.web.console_form import fields_of, require
from gateway.entry.web.page import send
from gateway.entry.web.receipts import ENDINGS, copy_of, not_drawn_yet
from gateway.services.access import Officer
from gateway.services.bills import Bills
from receipts.mailing import Mailing
from receipts.papers import Papers
from receipts.service import Receipts


@dataclass(frozen=True, slots=True)
class ReceiptCopies:
    """The routes ``/console/receipts/{id}.{ending}`` and ``/console/payments/{id}/bill``."""

    console: Console
    receipts: Receipts
    papers: Papers
    mailing: Mailing
    bills: Bills

    async def copy(
        self, request: Request, officer: Officer, receipt_id: str, ending: str
    ) -> Response:
        """Give a copy of one of the agency's receipts."""
        require(officer, MAY_SEE_PAYER)
        kept = await self.receipts.shelf.of_agency(officer.agency_id, receipt_id)
        if kept is None or ending not in ENDINGS:
            raise Refusal("not-found", "There is no such receipt in this agency.")
        if ending != "svg":  # The page's picture shows nobody's name.
            await self._note(officer, receipt_id)
        since = await self.receipts.shelf.since(kept)
        brand = await self.papers.look(officer.agency_id)
        return copy_of(request, kept, ending, f"/console/receipts/{receipt_id}", since, brand)

    async def convert(self, _request: Request, officer: Officer, receipt_id: str) -> Response:
        """Make a paper copy that says who made it and when."""
        require(officer, MAY_SEE_PAYER)
        if await self.receipts.shelf.of_agency(officer.agency_id, receipt_id) is None:
            raise Refusal("not-found", "There is no such receipt in this agency.")
        actor = f"staff:{officer.username}"
        paper = await self.papers.convert(officer.agency_id, receipt_id, officer.username, actor)
        return RedirectResponse(f"/console/papers/{paper}.pdf", 303)

    async def mail(self, request: Request, officer: Officer, receipt_id: str) -> Response:
        """Send the PDF again: to the address typed, or else to the one that the payer gave."""
        require(officer, MAY_SEE_PAYER)
        if await self.receipts.shelf.of_agency(officer.agency_id, receipt_id) is None:
            raise Refusal("not-found", "There is no such receipt in this agency.")
        to = (await fields_of(request)).get("to", "").strip()
        await self.mailing.ask(officer.agency_id, receipt_id, to, f"staff:{officer.username}")
        return RedirectResponse(f"/console/receipts/{receipt_id}", 303)

    async def paper(self, request: Request, officer: Officer, paper_id: str) -> Response:
        """Give a paper copy once it is drawn."""
        require(officer, MAY_SEE_PAYER)
        receipt_id, pdf = await self.papers.copy(officer.agency_id, paper_id)
        if pdf is None:
            return not_drawn_yet(request, f"/console/receipts/{receipt_id}")
        await self._note(officer, receipt_id)
        name = {"content-disposition": 'inline; filename="bien-lai-ban-giay.pdf"'}
        return send(pdf, "application/pdf", more=name)

    async def bill(self, _request: Request, officer: Officer, payment_id: str) -> Response:
        """Give the receipt that a provider's platform issued."""
        require(officer, MAY_SEE_PAYER)
        async with self.console.store.begin() as tx:
            payment = await tx.payment(officer.agency_id, payment_id)
        if payment is None:
            raise Refusal("not-found", "There is no such payment in this agency.")
        bill = await self.bills.fetch(payment)
        await self._note(officer, payment_id)
        name = {"content-disposition": 'inline; filename="bien-lai.pdf"'}
        return send(bill.pdf, "application/pdf", more=name)

    async def _note(self, officer: Officer, object_id: str) -> None:
        actor = f"staff:{officer.username}"
        async with self.console.store.begin() as tx:
            await tx.note(officer.agency_id, actor, "receipt.read", object_id)
