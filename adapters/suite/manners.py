"""What must hold whatever an adapter does: it keeps secrets, and says truly what it can."""

# ruff: noqa: S101 - this is a test suite; its assertions are what it is for.

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Final

from adapters.suite.calls import Call
from adapters.suite.refunds import RefundSuite
from adapters.suite.spoil import chain, changed_values, nonsense, refuses
from adapters.suite.wire import ScriptedWire
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.ports.provider import Inquires, Reports
from gateway.ports.wire import Reply

_NAME: Final = r"[a-z][a-z0-9_-]{1,30}"  # It stands in paths, settings and the API.
spoiled_answers_max: Final = 20  # Enough to reach each refusal of an answer at least once.


class MannerSuite(RefundSuite):
    """What is shown ends in a log; what is declared is built upon."""

    async def test_no_secret_is_shown(self) -> None:
        """No secret, signature or payer's data in an exception, a log, a repr or an address."""
        with listening() as heard:
            shown = [*await self._shown_when_well(), *await self._shown_when_wrong()]
        shown += heard

        hidden = [*self.secrets(), self.signature(self._genuine()), *self.order().payer.values()]
        assert all(self.secrets()), "secrets() must name what is looked for"
        for number, secret in enumerate(hidden):
            found = [text for text in shown if secret and secret in text]
            assert not found, f"secret {number} of {len(hidden)} is shown, {len(found)} times"

    def test_it_says_who_it_is(self) -> None:
        """Paths, settings and pages are made from these words."""
        provider = self._quiet()
        can = provider.can

        assert re.fullmatch(_NAME, provider.name), "the name stands in addresses"
        assert provider.account
        assert can.title_vi
        assert can.title_en
        assert can.notice_names or can.at_counter, "notices reach it by a name, or it takes cash"
        assert can.inquires == isinstance(provider, Inquires), "Can.inquires is not true"
        assert can.reports == isinstance(provider, Reports), "Can.reports is not true"

    def test_a_hint_can_be_asked_about(self) -> None:
        """A notice that proves nothing is only worth something with an answer that does."""
        provider = self._quiet()

        assert not provider.can.notice_is_hint or isinstance(provider, Inquires)

    def test_its_limits_are_limits(self) -> None:
        """An amount that a method cannot take is not offered, so the limits must make sense."""
        can = self._quiet().can
        codes = [method.code for method in can.methods]

        assert 0 < can.amount_min <= can.amount_max
        assert len(set(codes)) == len(codes), "two methods share a code"
        for method in can.methods:
            assert 0 < method.amount_min <= method.amount_max, f"the limits of {method.code}"
            assert method.title_vi, f"{method.code} has no Vietnamese name"
            assert method.title_en, f"{method.code} has no English name"
        if can.refund:
            assert 0 < can.refund.amount_min <= can.refund.amount_max
            assert can.refund.days_max > 0

    async def _shown_when_well(self) -> list[str]:
        """Do everything once, as it should go; give what can be seen of it."""
        provider, raw = self._quiet(), self._genuine()
        shown = [repr(provider), str(provider), repr(raw), repr(self.order())]
        shown.append(repr(provider.read(raw)))
        accepted, wire = self.accepted(), ScriptedWire()
        wire.answers += [accepted] if accepted else []
        checkout = await self.provider(wire).checkout(self.order())
        shown += [repr(checkout), checkout.redirect_url or ""]
        for verdict_answer in self.answers().values():
            shown.append(repr(await self._ask(verdict_answer)))
        for refund_answer in self.refund_answers().values():
            shown.append(repr(await self._refund_one(refund_answer)))
        return [*shown, *(url for _, url, _ in wire.asked)]

    async def _shown_when_wrong(self) -> list[str]:
        """Spoil everything in turn; give the refusals, with all that led to them."""
        provider, raw = self._quiet(), self._genuine()
        shown: list[str] = []
        for strange in (self.resigned(raw, "0"), *self.foreign(), *self.repeated()):
            with refuses(ForgedError, "a notice that nobody signed") as caught:
                provider.read(strange)
            shown += [repr(error) for error in chain(caught.error)]
        for call, genuine in self._calls():
            spoiled = [answer for _, answer in nonsense(genuine)]
            changes = (changed for _, changed in changed_values(genuine))
            spoiled += [c for c, _ in zip(changes, range(spoiled_answers_max), strict=False)]
            for answer in spoiled:
                shown += await _refusal(call, answer)
        return shown

    def _calls(self) -> Iterator[tuple[Call, Reply]]:
        """List the calls of this adapter, each with one of its genuine answers."""
        if accepted := self.accepted():
            yield self._checkout, accepted
        for answer in list(self.answers().values())[:1]:
            yield self._ask, answer
        for answer in list(self.refund_answers().values())[:1]:
            yield self._refund_one, answer
        for answer in list(self.refund_inquiries().values())[:1]:
            yield self._ask_refund, answer


async def _refusal(call: Call, answer: Reply | Exception) -> list[str]:
    try:
        return [repr(await call(answer))]
    except (InDoubtError, DeclinedError) as refusal:
        return [repr(error) for error in chain(refusal)]


@contextmanager
def listening() -> Iterator[list[str]]:
    """Hear whatever is logged or printed in the block, at every level, with all its fields."""
    heard: list[str] = []
    printed = io.StringIO()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(f"{self.format(record)} {vars(record)}")

    root, ear = logging.getLogger(), Ear(logging.NOTSET)
    before = root.level
    root.addHandler(ear)
    root.setLevel(logging.NOTSET)
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            yield heard
    finally:
        root.setLevel(before)
        root.removeHandler(ear)
        heard.append(printed.getvalue())
