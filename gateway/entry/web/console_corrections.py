"""The console's page of one receipt: its chain, and what is put right about it by two people."""

from dataclasses import dataclass
from typing import Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from gateway.domain.errors import Refusal
from gateway.entry.web.console import MAY_SEE_PAYER, Console, next_page
from gateway.entry.web.console_form import amount_of, fields_of, require
from gateway.services.access import Officer
from gateway.services.desk import cut
from receipts.corrections import CAUSES, TEXTS, Corrections, Story, Wanted, text_chars_max
from receipts.face import CAUSES as WHY

MAY_ASK: Final = frozenset({"accountant", "approver"})
MAY_DECIDE: Final = MAY_ASK


@dataclass(frozen=True, slots=True)
class CorrectionPages:
    """The routes ``/console/receipts/{id}`` and ``/console/corrections/{id}``."""

    console: Console
    corrections: Corrections
    can_mail: bool = False

    async def list(self, request: Request, officer: Officer) -> Response:
        """Show receipts, newest first, after what waits for a second person."""
        asked = request.query_params
        number = asked.get("number", "").strip()
        rows, last = cut(
            await self.console.desk.receipts(
                officer.agency_id, asked.get("series", "")[:8],
                int(number) if number.isascii() and number.isdigit() and len(number) < 9 else None,  # noqa: PLR2004 - a receipt's number has eight digits at most.
                asked.get("before", "")[:40],
            )
        )  # fmt: skip
        return self.console.page("receipts", request, officer, {
            "rows": rows, "series": asked.get("series", ""), "number": number,
            "next": next_page(asked, last), "may_read": officer.role in MAY_SEE_PAYER,
            "waiting": await self.corrections.waiting(officer.agency_id),
        })  # fmt: skip

    async def one(self, request: Request, officer: Officer, receipt_id: str) -> Response:
        """Show one receipt, the chain that it is part of, and what was asked about it."""
        return await self._page(request, officer, receipt_id, {})

    async def ask(self, request: Request, officer: Officer, receipt_id: str) -> Response:
        """Ask to put it right."""
        require(officer, MAY_ASK)
        form = await fields_of(request)
        cause = form.get("cause", "")
        if cause not in (*CAUSES, "refund"):
            raise Refusal("invalid-request", "Say what is wrong: a text, an amount, the tax code.")
        amounts = [form.get(f"amount_{n}", "") for n in range(1, 1 + _count(form))]
        wanted = Wanted(
            cause, form.get("reason", ""), {k: form.get(f"text_{k}", "") for k in TEXTS},
            [amount_of(a) for a in amounts] if cause == "amount" else (),
            form.get("refund", "")[:40] if cause == "refund" else None,
        )  # fmt: skip
        actor = f"staff:{officer.username}"
        await self.corrections.ask(officer.agency_id, receipt_id, wanted, actor)
        return RedirectResponse(f"/console/receipts/{receipt_id}", 303)

    async def decide(self, request: Request, officer: Officer, correction_id: str) -> Response:
        """Agree or refuse, as a second person."""
        require(officer, MAY_DECIDE)
        agree = (await fields_of(request)).get("decision") == "agree"
        receipt_id = await self.corrections.decide(
            officer.agency_id, correction_id, f"staff:{officer.username}", agree=agree
        )
        return RedirectResponse(f"/console/receipts/{receipt_id}", 303)

    async def texts(self, request: Request, officer: Officer, correction_id: str) -> Response:
        """Show the right words of a notice of error, this once; the reading is written down."""
        require(officer, MAY_SEE_PAYER)
        said, receipt_id = await self.corrections.texts(
            officer.agency_id, correction_id, f"staff:{officer.username}"
        )
        return await self._page(request, officer, receipt_id, {correction_id: said})

    async def _page(
        self,
        request: Request,
        officer: Officer,
        receipt_id: str,
        seen: dict[str, dict[str, str] | None],
    ) -> Response:
        story = await self.corrections.story(officer.agency_id, receipt_id)
        me = f"staff:{officer.username}"
        return self.console.page("receipt", request, officer, {
            "r": story.receipt, "lines": story.receipt["content"]["lines"],
            "tax_code": story.receipt["content"]["agency_tax_code"], "tax_code_now": story.tax_code,
            "chain": story.chain, "corrections": story.corrections, "seen": seen, "me": me,
            "in_force": story.is_in_force, "untold": _untold(story),
            "texts": TEXTS, "text_max": text_chars_max, "causes": WHY,
            "can_mail": self.can_mail,
            "may_ask": officer.role in MAY_ASK and story.receipt["xml"] is not None,
            "may_decide": officer.role in MAY_DECIDE, "may_read": officer.role in MAY_SEE_PAYER,
        })  # fmt: skip


def _untold(story: Story) -> list[str]:
    """Name the refunds that may be asked for: each at most once."""
    asked = {c["refund_id"] for c in story.corrections if c["state"] != "refused"}
    return [f["id"] for f in story.untold if f["id"] not in asked]


def _count(form: dict[str, str]) -> int:
    return sum(1 for name in form if name.startswith("amount_"))
