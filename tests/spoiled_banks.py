"""East Banks with one fault each: what the conformance suite must find."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any

from eastbank.adapter import EastBank
from eastbank.vectors import ORDER, REFUND, sign

from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.ports.provider import (
    Ack,
    Can,
    Checkout,
    Method,
    Notice,
    Order,
    Outcome,
    RawNotice,
    RefundOrder,
    RefundSaid,
    RefundVerdict,
    Verdict,
)
from gateway.ports.wire import Reply, Wire

NUMBERS = count(1)


class NoCheckWithoutSignature(EastBank):
    """Checks a signature only where there is one."""

    def _verified(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        given = headers.get("x-sign") or self._sign(body)
        return super()._verified({"x-sign": given}, body)


class HalfASignature(EastBank):
    """Compares the first half."""

    def _verified(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        given, whole = headers.get("x-sign", ""), self._sign(body)
        if given and whole.startswith(given[:32]):
            given = whole
        return super()._verified({"x-sign": given}, body)


class AnyoneSigns(EastBank):
    """Computes a signature, and never compares it."""

    def _verified(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        return super()._verified({**headers, "x-sign": self._sign(body)}, body)


class UnknownIsMoney(EastBank):
    """Takes any new word for success."""

    def _notice(self, said: Mapping[str, Any]) -> Notice:
        known = ("SUCCESS", "PROCESSING", "DECLINED", "CANCELLED", "EXPIRED")
        status = said.get("status")
        return super()._notice({**said, "status": status if status in known else "SUCCESS"})


class CancelledIsDeclined(EastBank):
    """Does not tell a change of mind from a refusal."""

    def _notice(self, said: Mapping[str, Any]) -> Notice:
        notice = super()._notice(said)
        cancelled = notice.verdict is Verdict.CANCELLED
        return replace(notice, verdict=Verdict.DECLINED) if cancelled else notice


class MisreadTime(EastBank):
    """Loses a field."""

    def _notice(self, said: Mapping[str, Any]) -> Notice:
        return replace(super()._notice(said), paid_at=None)


class BreaksDown(EastBank):
    """Fails on what it should refuse."""

    def _verified(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        if len(body) > 65_536:
            raise ValueError("Too long.")
        return super()._verified(headers, body)


class OtherThanks(EastBank):
    """Thanks in words of its own."""

    def acknowledge(self, outcome: Outcome) -> Ack:
        return Ack(200, b"") if outcome is Outcome.REPEATED else super().acknowledge(outcome)


class NewOrderEachTime(EastBank):
    """Makes a second order of a repeat."""

    async def checkout(self, order: Order) -> Checkout:
        return await super().checkout(replace(order, text=f"{order.text} {next(NUMBERS)}"))


class OneKeyForAll(EastBank):
    """Gives two attempts one key."""

    async def checkout(self, order: Order) -> Checkout:
        return await super().checkout(replace(order, reference=ORDER.reference))


class NoLimit(EastBank):
    """Takes any amount, and sends another."""

    async def checkout(self, order: Order) -> Checkout:
        return await super().checkout(replace(order, amount=max(order.amount, 1)))


class SilenceIsNo(EastBank):
    """Calls a time-out a refusal."""

    async def checkout(self, order: Order) -> Checkout:
        try:
            return await super().checkout(order)
        except InDoubtError as error:
            raise DeclinedError("No.") from error


class NoIsSilence(EastBank):
    """Calls a refusal a time-out."""

    async def checkout(self, order: Order) -> Checkout:
        try:
            return await super().checkout(order)
        except DeclinedError as error:
            raise InDoubtError("Perhaps.") from error


class FailureIsAnAnswer(EastBank):
    """Believes whatever came back."""

    async def _call(
        self, method: str, path: str, reference: str, asked: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        well = replace(self, wire=AlwaysWell(self.wire))
        return await super(FailureIsAnAnswer, well)._call(method, path, reference, asked)


@dataclass(frozen=True)
class AlwaysWell:
    """A wire that hides a 5xx, and signs what has no signature."""

    wire: Wire

    async def send(self, method: str, url: str, **more: Any) -> Reply:
        reply = await self.wire.send(method, url, **more)
        return replace(reply, status=200, headers={"x-sign": sign(reply.body)})


class Anything(str):
    """A name that is every name."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


class AnyonesOrder(EastBank):
    """Does not look whose order an answer is about."""

    def _verified(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        said = super()._verified(headers, body)
        return {**said, "id": Anything(said.get("id"))}


class OtherNumber(EastBank):
    """Gives one transaction two numbers."""

    async def ask(self, order: Order, at: datetime) -> Notice:
        return replace(await super().ask(order, at), txn_id="EB-78")


class UnknownIsDeclined(EastBank):
    """Gives up an order that may be on its way."""

    async def ask(self, order: Order, at: datetime) -> Notice:
        said = await super().ask(order, at)
        return said if said.txn_id else replace(said, verdict=Verdict.DECLINED)


class SilenceIsRefused(EastBank):
    """Says that a refund failed, when nobody knows."""

    async def refund(self, order: RefundOrder) -> RefundSaid:
        try:
            return await super().refund(order)
        except InDoubtError:
            return RefundSaid(RefundVerdict.REFUSED, order.reference)


class PendingIsDone(EastBank):
    """Says that a refund is done too early."""

    async def refund(self, order: RefundOrder) -> RefundSaid:
        said = await super().refund(order)
        pending = said.verdict is RefundVerdict.PENDING
        return replace(said, verdict=RefundVerdict.DONE) if pending else said


class NewRefundEachTime(EastBank):
    """Makes a second refund of a repeat."""

    async def refund(self, order: RefundOrder) -> RefundSaid:
        return await super().refund(replace(order, txn_id=f"EB-{next(NUMBERS)}"))


class OneRefundForAll(EastBank):
    """Gives two refunds one key."""

    async def refund(self, order: RefundOrder) -> RefundSaid:
        return await super().refund(replace(order, reference=REFUND.reference))


class GivesAwayMoney(EastBank):
    """Gives back another amount than was asked."""

    async def refund(self, order: RefundOrder) -> RefundSaid:
        amount = min(max(order.amount, 1), order.captured)
        return await super().refund(replace(order, amount=amount))


class RefundDoubtIsOver(EastBank):
    """Takes silence for an answer about a refund."""

    async def ask_refund(self, order: RefundOrder, at: datetime) -> RefundSaid:
        try:
            return await super().ask_refund(order, at)
        except InDoubtError:
            return RefundSaid(RefundVerdict.PENDING, order.reference)


class HidesItsRefunds(EastBank):
    """Gives money back, and says that it cannot."""

    @property
    def can(self) -> Can:
        return replace(super().can, refund=None)


class HidesThatItAsks(EastBank):
    """Can be asked, and says that it cannot."""

    @property
    def can(self) -> Can:
        return replace(super().can, inquires=False)


class OddLimits(EastBank):
    """Declares a method that can take nothing."""

    @property
    def can(self) -> Can:
        return replace(super().can, methods=(Method("a", "A", "A", 5, 4),))


class ShowsItself(EastBank):
    """Shows its key in its repr."""

    def __repr__(self) -> str:
        return f"EastBank({self.key})"


class TellsTheSecret(EastBank):
    """Shows its key in a refusal."""

    def read(self, raw: RawNotice) -> Notice:
        try:
            return super().read(raw)
        except ForgedError as error:
            raise ForgedError(f"It is not signed by {self.key}.") from error


class LogsTheSignature(EastBank):
    """Writes a signature into the log."""

    def read(self, raw: RawNotice) -> Notice:
        logging.getLogger("eastbank").debug("A notice", extra={"sign": raw.headers.get("x-sign")})
        return super().read(raw)


class PrintsTheKey(EastBank):
    """Prints its key."""

    async def refund(self, order: RefundOrder) -> RefundSaid:
        print(self.key)  # noqa: T201 - that is what is wrong.
        return await super().refund(order)


class KeyInTheAddress(EastBank):
    """Sends its key in an address."""

    async def _call(
        self, method: str, path: str, reference: str, asked: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        return await super()._call(method, f"{path}?key={self.key}", reference, asked)
