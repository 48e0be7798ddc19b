"""The counter's pages: a shift, a payment, cash or a card; everything a clerk does standing up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from gateway.domain.errors import Refusal
from gateway.domain.states import State
from gateway.entry.web.console import Console
from gateway.entry.web.console_form import amount_of, fields_of, require
from gateway.services import catalogue
from gateway.services.access import Officer
from gateway.services.counter import MAY_TAKE, Counters
from gateway.services.displays import Displays
from receipts.words import in_words

words_chars_max: Final = 300  # A payment link from a scanner is about 90 characters.
short_chars_max: Final = 40  # A drawer, a slip, a bag.
MAY_SIGN: Final = frozenset({"clerk", "accountant", "approver"})
MAY_SETTLE: Final = frozenset({"accountant", "approver"})


@dataclass(frozen=True, slots=True)
class CounterPages:
    """The routes under ``/console/counter`` and ``/console/shifts``."""

    console: Console
    counters: Counters
    displays: Displays

    async def counter(self, request: Request, officer: Officer) -> Response:
        """Show what a clerk does next: open a shift, find a payment, take it."""
        require(officer, MAY_TAKE)
        asked = request.query_params
        words = asked.get("q", "").strip()[:words_chars_max]
        shift = await self.counters.my_shift(officer)
        found = await self.counters.find(officer, words) if words and shift else []
        owed = [p for p in found if p.state is State.OPEN]
        if len(found) == 1:
            return RedirectResponse(f"/console/counter/{found[0].id}", 303)
        look = self.console.look(request, officer)
        return self.console.page("counter", request, officer, {
            "shift": shift, "q": words, "found": owed or found,
            "names": {p.id: catalogue.name_of(p.agency_id, p.procedure)[look.lang == "en"]
                      for p in found},
            "branches": await self.console.desk.branches(officer.agency_id),
            "is_paired": await self.displays.is_paired(officer), "told": asked.get("told", ""),
        })  # fmt: skip

    async def payment(self, request: Request, officer: Officer, payment_id: str) -> Response:
        """Show one payment to take, on the payer's display too."""
        return await self._payment(request, officer, payment_id)

    async def _payment(
        self, request: Request, officer: Officer, payment_id: str, refused: Refusal | None = None
    ) -> Response:
        require(officer, MAY_TAKE)
        shift = await self.counters.my_shift(officer)
        found = await self.counters.find(officer, payment_id)
        if not found:
            raise Refusal("not-found", "There is no such payment in this agency.")
        payment, look = found[0], self.console.look(request, officer)
        has_display = await self.displays.show(officer, payment.id)
        due = payment.amount - payment.amount_on_account
        return self.console.page("counter_payment", request, officer, {
            "p": payment, "due": due, "in_words": in_words(due), "shift": shift,
            "has_display": has_display, "told": request.query_params.get("told", ""),
            "refused": refused,
            "title": catalogue.name_of(payment.agency_id, payment.procedure)[look.lang == "en"],
            "can_take": payment.state is State.OPEN and not payment.in_doubt
            and shift is not None and shift["state"] == "open",
        })  # fmt: skip

    async def open_shift(self, request: Request, officer: Officer) -> Response:
        """Open a shift."""
        require(officer, MAY_TAKE)
        form = await fields_of(request)
        drawer = _short(form, "drawer", "Name the drawer.")
        await self.counters.open_shift(
            officer, form.get("branch", "")[:64], drawer, amount_of(form.get("float", "0") or "0")
        )
        return RedirectResponse("/console/counter", 303)

    async def take(self, request: Request, officer: Officer, payment_id: str) -> Response:
        """Take cash, or write down a card's slip."""
        form = await fields_of(request)
        method = "card" if form.get("method") == "card" else "cash"
        slip = _short(form, "slip", "Write the slip's number.") if method == "card" else ""
        try:
            await self.counters.take(officer, payment_id, method, slip)
        except Refusal as refusal:
            if "slip" not in refusal.extra:
                raise
            # The card is charged already: the form comes back with what may be written.
            again = await self._payment(request, officer, payment_id, refusal)
            again.status_code = 400
            return again
        return RedirectResponse(f"/console/counter/{payment_id}?told=taken", 303)

    async def pair(self, request: Request, officer: Officer) -> Response:
        """Pair the payer's display."""
        require(officer, MAY_TAKE)
        await self.displays.pair(officer, (await fields_of(request)).get("code", ""))
        return RedirectResponse("/console/counter?told=paired", 303)

    async def next(self, _request: Request, officer: Officer) -> Response:
        """Clear the display, and go on with the next payer."""
        await self.displays.show(officer, None)
        return RedirectResponse("/console/counter", 303)

    async def shifts(self, request: Request, officer: Officer) -> Response:
        """Show shifts, those that wait for a signature first."""
        return self.console.page("shifts", request, officer, {
            "rows": await self.counters.shifts(officer.agency_id), "me": officer.id,
            "may_sign": officer.role in MAY_SIGN, "may_settle": officer.role in MAY_SETTLE,
        })  # fmt: skip

    async def count(self, request: Request, officer: Officer, shift_id: str) -> Response:
        """Take the clerk's own count."""
        counted = amount_of((await fields_of(request)).get("counted", ""))
        await self.counters.count(officer, shift_id, counted)
        return RedirectResponse("/console/shifts", 303)

    async def sign(self, request: Request, officer: Officer, shift_id: str) -> Response:
        """Sign somebody else's count."""
        require(officer, MAY_SIGN)
        bag = _short(await fields_of(request), "bag", "Write the number of the deposit bag.")
        await self.counters.sign(officer, shift_id, bag)
        return RedirectResponse("/console/shifts", 303)

    async def settle(self, request: Request, officer: Officer, difference_id: str) -> Response:
        """Say, or agree, what becomes of missing cash."""
        require(officer, MAY_SETTLE)
        outcome = (await fields_of(request)).get("outcome", "")
        if outcome not in ("made_good", "written_off"):
            raise Refusal("invalid-request", "Choose what becomes of the missing cash.")
        await self.counters.settle_shortage(officer, difference_id, outcome)
        return RedirectResponse("/console/shifts", 303)


def _short(form: Mapping[str, Any], name: str, otherwise: str) -> str:
    said = str(form.get(name, "")).strip()
    if not (1 <= len(said) <= short_chars_max and said.isprintable()):
        raise Refusal("invalid-request", otherwise)
    return said
