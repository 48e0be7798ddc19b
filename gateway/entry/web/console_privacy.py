"""The console's page about a payer's data: who looked, and its erasure by two people."""

from dataclasses import dataclass
from typing import Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from gateway.domain.errors import Refusal
from gateway.entry.web.console import MAY_SEE_PAYER, Console
from gateway.entry.web.console_form import fields_of, require
from gateway.services.access import Officer
from gateway.services.desk import cut
from gateway.services.erasure import Erasure
from gateway.services.readings import Readings
from receipts.kept import Shelf

MAY_ASK: Final = MAY_SEE_PAYER
MAY_DECIDE: Final = frozenset({"accountant", "approver"})
MAY_WATCH: Final = frozenset({"auditor", "accountant", "approver"})


@dataclass(frozen=True, slots=True)
class PrivacyPages:
    """The routes ``/console/payments/{id}/privacy`` and ``/console/erasures``."""

    console: Console
    erasure: Erasure
    readings: Readings
    shelf: Shelf

    async def one(self, request: Request, officer: Officer, payment_id: str) -> Response:
        """Show what became of a payer's data, and to whom it was shown."""
        require(officer, MAY_ASK | MAY_WATCH)
        agency_id, may_watch = officer.agency_id, officer.role in MAY_WATCH
        payment, _, _ = await self.console.desk.story(agency_id, payment_id)
        before = request.query_params.get("before", "")[:40]
        found = await self.readings.of_payer(agency_id, payment_id, before) if may_watch else ()
        rows, last = cut(found)
        return self.console.page("privacy", request, officer, {
            "p": payment, "erased": await self.console.desk.is_erased(payment),
            "named": await self.shelf.naming(agency_id, payment_id),
            "asked": await self.erasure.of_payment(agency_id, payment_id),
            "me": f"staff:{officer.username}", "may_decide": officer.role in MAY_DECIDE,
            "may_ask": officer.role in MAY_ASK, "may_watch": may_watch, "rows": rows,
            "next": f"?before={last['id']}" if last else "",
        })  # fmt: skip

    async def waiting(self, request: Request, officer: Officer) -> Response:
        """List what waits for a second person."""
        require(officer, MAY_ASK | MAY_WATCH)
        rows = await self.erasure.waiting(officer.agency_id)
        return self.console.page("erasures", request, officer, {"rows": rows})

    async def ask(self, request: Request, officer: Officer, payment_id: str) -> Response:
        """Ask to erase the payer of a payment."""
        require(officer, MAY_ASK)
        reason, actor = (await fields_of(request)).get("reason", ""), f"staff:{officer.username}"
        await self.erasure.ask(officer.agency_id, [payment_id], reason, actor)
        return RedirectResponse(f"/console/payments/{payment_id}/privacy", 303)

    async def decide(self, request: Request, officer: Officer, erasure_id: str) -> Response:
        """Agree or refuse, as a second person."""
        require(officer, MAY_DECIDE)
        decision = (await fields_of(request)).get("decision", "")
        if decision not in ("agree", "refuse"):
            raise Refusal("invalid-request", "Agree or refuse.")
        payment_id = await self.erasure.decide(
            officer.agency_id, erasure_id, f"staff:{officer.username}", agree=decision == "agree"
        )
        return RedirectResponse(f"/console/payments/{payment_id}/privacy", 303)
