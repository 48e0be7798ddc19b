"""What must hold for money that goes back."""

# ruff: noqa: S101 - this is a test suite; its assertions are what it is for.

from dataclasses import replace
from datetime import timedelta

from adapters.suite.calls import CallSuite
from adapters.suite.spoil import nonsense, refuses, unreachable
from adapters.suite.vectors import Power, about
from adapters.suite.wire import ScriptedWire
from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.ports.provider import (
    AsksRefunds,
    RefundOrder,
    RefundRule,
    Refunds,
    RefundSaid,
    RefundVerdict,
)
from gateway.ports.wire import Reply


class RefundSuite(CallSuite):
    """Money goes back once, and never because nobody knew that it had gone already."""

    def test_it_says_whether_it_refunds(self) -> None:
        """The console offers a refund where the data say so, and the adapter must then have it."""
        provider = self._quiet()
        refunds = isinstance(provider, Refunds)

        assert refunds == (provider.can.refund is not None), "Can.refund and Refunds disagree"
        assert refunds == (self.refund_order() is not None), "refund_order() is for a Refunds"
        assert refunds == bool(self.refund_answers()), "refund_answers() are for a Refunds"
        asks = isinstance(provider, AsksRefunds)
        assert asks == (RefundVerdict.DONE in self.refund_inquiries()), (
            "refund_inquiries() are for an AsksRefunds"
        )

    @about(Power.REFUNDS)
    async def test_refund_answers_are_told_apart(self) -> None:
        """A refund in progress is not done, and one that was refused can be made otherwise."""
        if self.refund_order() is None:
            return
        given = self.refund_answers()
        assert given.keys() & {RefundVerdict.DONE, RefundVerdict.PENDING}
        for verdict, answer in given.items():
            said = await self._refund_one(answer)
            assert said.verdict is verdict, f"an answer of {verdict} was read as {said.verdict}"
            assert said.reference == self._refunded().reference, "it names another refund"
            assert said.txn_id or verdict is not RefundVerdict.DONE, "a done refund has a number"

    @about(Power.REFUNDS)
    async def test_a_repeated_refund_is_the_same_refund_there(self) -> None:
        """Its key is the same, so the provider moves the money once, however often we ask."""
        if self.refund_order() is None:
            return
        wire = ScriptedWire([self._taken(), self._taken()])

        first, second = await self._refund(wire), await self._refund(wire)

        assert first == second
        assert len(wire.calls) > 1
        half = len(wire.calls) // 2
        assert wire.calls[:half] == wire.calls[half:], "the repeat is another refund there"

    @about(Power.REFUNDS)
    async def test_another_refund_of_the_same_amount_is_another_refund(self) -> None:
        """Two halves of one fee, given back one after the other, are both to arrive."""
        if self.refund_order() is None:
            return
        order = self._refunded()
        other = replace(order, reference=f"{order.reference[:-1]}Z", serial=order.serial + 1)
        wires = [ScriptedWire(), ScriptedWire()]

        for wire, asked in zip(wires, (order, other), strict=True):
            with refuses(InDoubtError, "a refund that nobody answers"):
                await self._refund(wire, asked)

        assert wires[0].calls != wires[1].calls, "two refunds are asked for alike"

    @about(Power.REFUNDS)
    async def test_a_refund_that_was_asked_for_before_is_not_refused(self) -> None:
        """The provider did it while we heard nothing: that is no failure to report."""
        repeated = self.refund_repeated()
        if repeated is None:
            return
        try:
            said = await self._refund_one(repeated)
        except InDoubtError:
            return
        assert said.verdict is not RefundVerdict.REFUSED

    @about(Power.REFUNDS)
    async def test_an_unusable_answer_leaves_a_refund_in_doubt(self) -> None:
        """SCENARIOS 7: the call timed out, we said failed, and the provider did it."""
        if self.refund_order() is None:
            return
        for what, answer in nonsense(self._taken()):
            with refuses(InDoubtError, f"{what} at a refund"):
                await self._refund_one(answer)
        what, nobody = unreachable()
        with refuses(DeclinedError, f"{what} at a refund"):
            await self._refund_one(nobody)

    @about(Power.REFUNDS)
    async def test_a_changed_answer_leaves_a_refund_in_doubt(self) -> None:
        """A forged «done» keeps the citizen's money, a forged «refused» pays it twice."""
        if self.refund_order() is None:
            return
        for answer in self.refund_answers().values():
            await self._changed("refund", self._refund_one, answer)

    @about(Power.REFUNDS)
    async def test_an_answer_about_another_refund_leaves_doubt(self) -> None:
        """A signed answer about another refund is a replay."""
        for number, answer in enumerate(self.foreign_refund_answers()):
            with refuses(InDoubtError, f"foreign answer {number} to a refund"):
                await self._refund_one(answer)

    @about(Power.REFUNDS)
    async def test_a_refund_outside_the_limits_is_declined(self) -> None:
        """More than was taken is a gift of public money."""
        rule = self._quiet().can.refund
        if self.refund_order() is None or rule is None:
            return
        for wrong in self._wrong_refunds(rule):
            wire = ScriptedWire()
            with refuses(DeclinedError, f"a refund of {wrong.amount} of {wrong.captured} đồng"):
                await self._refund(wire, wrong)
            assert not wire.asked, "nobody is asked for what cannot be"

    @about(Power.ASKS_REFUNDS)
    async def test_refund_inquiries_are_told_apart(self) -> None:
        """Doubt about money that went back ends with an answer, whichever it is."""
        for verdict, answer in self.refund_inquiries().items():
            said = await self._ask_refund(answer)
            assert said.verdict is verdict, f"an answer of {verdict} was read as {said.verdict}"
            assert said.reference == self._refunded().reference, "it names another refund"

    @about(Power.ASKS_REFUNDS)
    async def test_an_unusable_answer_to_a_refund_inquiry_leaves_doubt(self) -> None:
        """An error is not an outcome."""
        given = self.refund_inquiries().get(RefundVerdict.DONE)
        if given is None:
            return
        for what, answer in [*nonsense(given), unreachable()]:
            with refuses(InDoubtError, f"{what} at a refund's inquiry"):
                await self._ask_refund(answer)
        await self._changed("refund_inquiry", self._ask_refund, given)

    def _refunded(self) -> RefundOrder:
        given = self.refund_order()
        assert given is not None
        return given

    def _taken(self) -> Reply:
        """Give the answer to a refund that the provider took: done, else in progress."""
        given = self.refund_answers()
        return given.get(RefundVerdict.DONE) or given[RefundVerdict.PENDING]

    def _wrong_refunds(self, rule: RefundRule) -> list[RefundOrder]:
        order = self._refunded()
        wrong = [replace(order, amount=a) for a in (0, -1, rule.amount_min - 1, order.captured + 1)]
        much = rule.amount_max + 1
        wrong.append(replace(order, captured=much, amount=much))
        if not rule.partial:
            wrong.append(replace(order, amount=order.captured - 1))
        return wrong

    async def _refund(self, wire: ScriptedWire, order: RefundOrder | None = None) -> RefundSaid:
        provider = self.provider(wire)
        assert isinstance(provider, Refunds)
        return await provider.refund(order or self._refunded())

    async def _refund_one(self, answer: Reply | Exception) -> RefundSaid:
        return await self._refund(ScriptedWire([answer]))

    async def _ask_refund(self, answer: Reply | Exception) -> RefundSaid:
        provider, order = self.provider(ScriptedWire([answer])), self._refunded()
        assert isinstance(provider, AsksRefunds)
        return await provider.ask_refund(order, order.asked_at + timedelta(hours=1))
