"""What must hold when an adapter calls its provider: checkout, inquiry, withdrawal."""

# ruff: noqa: S101 - this is a test suite; its assertions are what it is for.

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from adapters.suite.notices import NoticeSuite
from adapters.suite.spoil import changed_values, flipped_bytes, nonsense, refuses, unreachable
from adapters.suite.vectors import Operation, Power, about
from adapters.suite.wire import ScriptedWire
from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.ports.provider import Cancels, Checkout, Inquires, Notice, Order, Verdict
from gateway.ports.wire import Reply

Call = Callable[[Reply | Exception], Awaitable[object]]


class CallSuite(NoticeSuite):
    """No answer is a state of its own, never a failure and never money."""

    # Checkout.

    async def test_a_checkout_can_be_repeated(self) -> None:
        """The browser's back button and our own retry must not make a second order."""
        accepted = self.accepted()
        wire = ScriptedWire([accepted, accepted] if accepted else [])

        first = await self.provider(wire).checkout(self.order())
        asked = len(wire.calls)
        second = await self.provider(wire).checkout(self.order())

        assert first == second, "the repeat leads elsewhere"
        assert first.redirect_url or first.qr_text, "nobody can pay there"
        assert bool(asked) == (accepted is not None), "accepted() is what the provider answers"
        assert wire.calls[:asked] == wire.calls[asked:], "the repeat is another order there"

    @about(Power.CALLS)
    async def test_another_attempt_is_another_order(self) -> None:
        """A key that two attempts share would give the second citizen the first one's order."""
        if self.accepted() is None:
            return
        other = replace(self.order(), reference=f"{self.order().reference[:-1]}Z", serial=77)
        wires = [ScriptedWire(), ScriptedWire()]

        for wire, order in zip(wires, (self.order(), other), strict=True):
            with refuses(InDoubtError, "a checkout that nobody answers"):
                await self.provider(wire).checkout(order)

        assert wires[0].calls != wires[1].calls, "two attempts are asked for alike"

    async def test_an_amount_outside_the_limits_is_declined(self) -> None:
        """An amount that a field cannot carry would be cut, and money with it."""
        can = self._quiet().can

        for amount in (0, -1, can.amount_min - 1, can.amount_max + 1):
            wire = ScriptedWire()
            with refuses(DeclinedError, f"a checkout of {amount} đồng"):
                await self.provider(wire).checkout(replace(self.order(), amount=amount))
            assert not wire.asked, "nobody is asked for what cannot be"

    async def test_each_method_can_be_chosen(self) -> None:
        """The payment page offers what the adapter declares."""
        for method in self._quiet().can.methods:
            amount = min(max(self.order().amount, method.amount_min), method.amount_max)
            order = replace(self.order(), method=method.code, amount=amount)
            accepted = self.accepted() if amount == self.order().amount else None
            if accepted or self.accepted() is None:
                await self._checkout(accepted, order)

    @about(Power.CALLS)
    async def test_an_unusable_answer_to_a_checkout_leaves_it_in_doubt(self) -> None:
        """A time-out, a reset and a 5xx come after acceptance as often as before."""
        accepted = self.accepted()
        for what, answer in nonsense(accepted) if accepted else []:
            with refuses(InDoubtError, f"{what} at checkout"):
                await self._checkout(answer)

    @about(Power.CALLS)
    async def test_a_clear_no_to_a_checkout_is_a_no(self) -> None:
        """What surely did not happen must not keep the citizen waiting."""
        if self.accepted() is None:
            return
        what, nobody = unreachable()
        with refuses(DeclinedError, f"{what} at checkout"):
            await self._checkout(nobody)
        for number, no in enumerate(self.refusals()):
            with refuses(DeclinedError, f"refusal {number}"):
                await self._checkout(no)

    @about(Power.CALLS)
    async def test_an_order_that_is_there_already_is_no_failure(self) -> None:
        """It is our own order, asked for twice: it may be paid at this moment."""
        known = self.known_already()
        if known is None:
            return
        try:
            checkout = await self._checkout(known)
        except InDoubtError:
            return
        assert checkout.redirect_url or checkout.qr_text

    @about(Power.CALLS)
    async def test_an_answer_about_another_order_is_not_believed_at_checkout(self) -> None:
        """The citizen would pay somebody else's fee."""
        for number, answer in enumerate(self.foreign_accepted()):
            with refuses(InDoubtError, f"foreign answer {number} to a checkout"):
                await self._checkout(answer)

    @about(Power.CALLS)
    async def test_a_changed_answer_to_a_checkout_leaves_doubt(self) -> None:
        """Where the provider signs its answers, an address that was changed is a trap."""
        if accepted := self.accepted():
            await self._changed("checkout", self._checkout, accepted)

    # Inquiries.

    @about(Power.ASKS)
    async def test_answers_are_told_apart(self) -> None:
        """Declined, pending, cancelled and expired mean different things to a citizen."""
        given, provider = self.answers(), self._quiet()
        if isinstance(provider, Inquires):
            assert Verdict.CAPTURED in given, "an adapter that asks gives the answers"
        else:
            assert not given, "answers() are for an adapter that asks"
        for verdict, answer in given.items():
            said = await self._ask(answer)
            assert said.verdict is verdict, f"an answer of {verdict} was read as {said.verdict}"

    @about(Power.ASKS)
    async def test_the_inquiry_agrees_with_the_notice(self) -> None:
        """Whoever speaks first, it is one capture: the same number, amount and order."""
        given = self.answers().get(Verdict.CAPTURED)
        if given is None:
            return
        asked, told = await self._ask(given), self._quiet().read(self._genuine())

        assert asked.verdict is Verdict.CAPTURED
        assert asked.amount == self.order().amount
        assert self._names(asked, self.order()), "the answer names another order"
        assert self._names(told, self.order()), "the notice names another order"
        if not self._quiet().can.notice_is_hint:
            assert (asked.txn_id, asked.amount) == (told.txn_id, told.amount)
            assert asked.merchant in (None, told.merchant)

    @about(Power.ASKS)
    async def test_an_unusable_answer_leaves_the_order_in_doubt(self) -> None:
        """An error is not an outcome, and a page of maintenance is no answer."""
        given = self.answers().get(Verdict.CAPTURED)
        for what, answer in [*nonsense(given), unreachable()] if given else []:
            with refuses(InDoubtError, f"{what} at an inquiry"):
                await self._ask(answer)

    @about(Power.ASKS)
    async def test_an_unknown_code_in_an_answer_is_never_captured(self) -> None:
        """The same rule as for a notice."""
        for number, answer in enumerate(self.unknown_answers()):
            said = await self._ask_or_doubt(answer)
            assert said is None or said.verdict is not Verdict.CAPTURED, (
                f"unknown answer {number} was captured"
            )

    @about(Power.ASKS)
    async def test_a_changed_answer_to_an_inquiry_leaves_doubt(self) -> None:
        """An answer is believed as little as a notice, until its signature holds.

        Where there is none, it may still never be read as a word about another order.
        """
        for answer in self.answers().values():
            await self._changed("inquiry", self._ask, answer)
            for where, changed in changed_values(answer):
                said = await self._ask_or_doubt(changed)
                assert said is None or self._names(said, self.order()), f"changing {where}"

    @about(Power.ASKS)
    async def test_an_answer_about_another_order_leaves_doubt(self) -> None:
        """A signed answer about another order is a replay."""
        for number, answer in enumerate(self.foreign_answers()):
            with refuses(InDoubtError, f"foreign answer {number}"):
                await self._ask(answer)

    @about(Power.ASKS)
    async def test_an_order_nobody_knows_is_pending_until_it_expired(self) -> None:
        """The citizen may still be looking for the card."""
        missing, order = self.unknown_order(), self.order()
        if missing is None:
            return
        early = await self._ask(missing, order.expires_at - timedelta(seconds=1))
        late = await self._ask(missing, order.expires_at)

        assert (early.verdict, late.verdict) == (Verdict.PENDING, Verdict.EXPIRED)

    # Withdrawing.

    @about(Power.CANCELS)
    async def test_an_order_is_withdrawn_or_in_doubt(self) -> None:
        """An order that we believe withdrawn, and that is not, is paid by mistake."""
        provider, withdrawn = self._quiet(), self.withdrawn()
        if not isinstance(provider, Cancels):
            assert withdrawn is None, "withdrawn() is for an adapter that cancels"
            return
        assert withdrawn is not None, "an adapter that cancels gives withdrawn()"

        await self._cancel(withdrawn)
        for what, answer in nonsense(withdrawn):
            with refuses(InDoubtError, f"{what} at a withdrawal"):
                await self._cancel(answer)

    # How it is called.

    async def _changed(self, operation: Operation, call: Call, genuine: Reply) -> None:
        """Change an answer everywhere: what its signature covers is not believed any more.

        A byte that means nothing, such as the case of a hash, may be read as before. An answer
        that is not signed must at least be read or refused in good order.
        """
        before = await call(genuine)
        if operation in self.unsigned_answers:
            for _, changed in flipped_bytes(genuine):
                with suppress(InDoubtError, DeclinedError):
                    await call(changed)
            return
        for where, changed in changed_values(genuine, self.unsigned_names):
            with refuses(InDoubtError, f"changing {where} of an answer ({operation})"):
                await call(changed)
        for where, changed in flipped_bytes(genuine):
            with suppress(InDoubtError):
                after = await call(changed)
                assert after == before, f"flipping {where} of an answer ({operation})"

    async def _checkout(
        self, answer: Reply | Exception | None, order: Order | None = None
    ) -> Checkout:
        wire = ScriptedWire([answer] if answer else [])
        return await self.provider(wire).checkout(order or self.order())

    async def _ask(self, answer: Reply | Exception, at: datetime | None = None) -> Notice:
        provider, order = self.provider(ScriptedWire([answer])), self.order()
        assert isinstance(provider, Inquires)
        return await provider.ask(order, at or order.created_at + timedelta(minutes=5))

    async def _ask_or_doubt(self, answer: Reply) -> Notice | None:
        try:
            return await self._ask(answer)
        except InDoubtError:
            return None

    async def _cancel(self, answer: Reply | Exception) -> None:
        provider = self.provider(ScriptedWire([answer]))
        assert isinstance(provider, Cancels)
        await provider.cancel(self.order())

    def _names(self, said: Notice, order: Order) -> bool:
        """Tell whether a word is about this order, by our reference or by our number."""
        return said.order_reference == order.reference or said.order_serial == order.serial
