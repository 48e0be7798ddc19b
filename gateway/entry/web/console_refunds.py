"""The console's pages for giving money back: ask, look, agree or refuse, prove."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from gateway.domain.errors import Refusal
from gateway.domain.texts import reason_of
from gateway.entry.web.console import Console
from gateway.entry.web.console_form import amount_of, fields_of, require
from gateway.services.access import Officer
from gateway.services.desk import cut
from gateway.services.refund_list import RefundList
from gateway.services.refund_sender import RefundSender
from gateway.services.refunds import RefundDesk, reason_chars_max
from gateway.services.stuck_refunds import StuckRefunds

MAY_ASK: Final = frozenset({"accountant", "approver", "clerk"})
MAY_DECIDE: Final = frozenset({"approver", "accountant"})
document_chars_max: Final = 120
PAYEE: Final = {"bank": 120, "account": 40, "name": 120}  # What a transfer needs, and how long.


@dataclass(frozen=True, slots=True)
class RefundPages:
    """The routes under ``/console/refunds``, and the two forms that begin one."""

    console: Console
    desk: RefundDesk
    sender: RefundSender
    seen: RefundList
    stuck: StuckRefunds

    async def list(self, request: Request, officer: Officer) -> Response:
        """Show refunds, those that wait for somebody first."""
        asked = request.query_params
        state = asked.get("state", "")[:16]
        rows, last = cut(
            await self.seen.of_agency(officer.agency_id, state, asked.get("before", "")[:40])
        )
        return self.console.page("refunds", request, officer, {
            "rows": rows, "state": state,
            "next": f"?state={state}&before={last['id']}" if last else "",
        })  # fmt: skip

    async def one(
        self, request: Request, officer: Officer, refund_id: str,
        payee: Mapping[str, str] | None = None, *, is_erased: bool = False,
    ) -> Response:  # fmt: skip
        """Show one refund, and what this officer may do about it."""
        row = await self.seen.one(officer.agency_id, refund_id)
        me = f"staff:{officer.username}"
        return self.console.page("refund", request, officer, {
            "r": row, "payee": payee, "erased": is_erased, "steps": PAYEE,
            "may_decide": officer.role in MAY_DECIDE and row["state"] == "requested"
            and row["requested_by"] != me,
            "is_mine": row["requested_by"] == me and row["state"] == "requested",
            "may_prove": officer.role in MAY_DECIDE and row["state"] == "approved"
            and row["route"] != "provider" and row["decided_by"] != me,
            "may_turn": officer.role in MAY_DECIDE and row["requested_by"] != me
            and await self.stuck.is_stuck(officer.agency_id, refund_id),
            "may_see_payee": officer.role in MAY_DECIDE and row["has_payee"],
        })  # fmt: skip

    async def ask(self, request: Request, officer: Officer, payment_id: str) -> Response:
        """Ask for a refund of a payment."""
        require(officer, MAY_ASK)
        form = await fields_of(request)
        wanted = (
            amount_of(form.get("amount", "")),
            _reason(form),
            amount_of(form.get("expected", "")),
        )
        made = await self.desk.ask_for_officer(
            officer.agency_id, payment_id, wanted, f"staff:{officer.username}", _payee(form)
        )
        return RedirectResponse(f"/console/refunds/{made}", 303)

    async def ask_for_case(self, request: Request, officer: Officer, break_id: str) -> Response:
        """Ask to give back the money of a case."""
        require(officer, MAY_ASK)
        form = await fields_of(request)
        made = await self.desk.ask_for_case(
            officer.agency_id, break_id, _reason(form), f"staff:{officer.username}", _payee(form)
        )
        return RedirectResponse(f"/console/refunds/{made}", 303)

    async def decide(self, request: Request, officer: Officer, refund_id: str) -> Response:
        """Approve or reject, as a second person."""
        require(officer, MAY_DECIDE)
        agree = (await fields_of(request)).get("decision") == "approve"
        actor = f"staff:{officer.username}"
        await self.desk.decide(officer.agency_id, refund_id, actor, agree=agree)
        return RedirectResponse(f"/console/refunds/{refund_id}", 303)

    async def prove(self, request: Request, officer: Officer, refund_id: str) -> Response:
        """Name the document that proves a transfer, or say that it will not come.

        What the provider will not end is turned into a transfer here, with a document too.
        """
        require(officer, MAY_DECIDE)
        form, actor = await fields_of(request), f"staff:{officer.username}"
        if form.get("outcome") == "failed":
            await self.sender.give_up(officer.agency_id, refund_id, actor)
        else:
            document = form.get("document", "").strip()
            if not 1 <= len(document) <= document_chars_max:
                raise Refusal("invalid-request", "Name the document that proves the transfer.")
            if form.get("outcome") == "transfer":
                await self.stuck.by_transfer(officer.agency_id, refund_id, document, actor)
                return RedirectResponse(f"/console/refunds/{refund_id}", 303)
            await self.sender.prove(officer.agency_id, refund_id, document, actor)
        return RedirectResponse(f"/console/refunds/{refund_id}", 303)

    async def name_payee(self, request: Request, officer: Officer, refund_id: str) -> Response:
        """Keep whom a transfer goes to."""
        require(officer, MAY_ASK)
        payee = _payee(await fields_of(request))
        if payee is None:
            raise Refusal("refund-needs-payee", "Write the bank, the account and the name.")
        actor = f"staff:{officer.username}"
        await self.desk.name_payee(officer.agency_id, refund_id, payee, actor)
        return RedirectResponse(f"/console/refunds/{refund_id}", 303)

    async def payee(self, request: Request, officer: Officer, refund_id: str) -> Response:
        """Show whom a transfer goes to, this once; the reading is written down."""
        require(officer, MAY_DECIDE)
        actor = f"staff:{officer.username}"
        payee = await self.desk.payee(officer.agency_id, refund_id, actor)
        return await self.one(request, officer, refund_id, payee, is_erased=payee is None)


def _reason(form: Mapping[str, Any]) -> str:
    return reason_of(str(form.get("reason", "")), reason_chars_max)


def _payee(form: Mapping[str, Any]) -> dict[str, str] | None:
    """Read bank, account and name: all of them, or none."""
    said = {k: str(form.get(f"payee_{k}", "")).strip()[:most] for k, most in PAYEE.items()}
    if not any(said.values()):
        return None
    if not all(said.values()):
        raise Refusal("refund-needs-payee", "Write the bank, the account and the name.")
    return said
