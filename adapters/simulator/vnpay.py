"""VNPAY's side: the pay page's order, the notice with its retries, querydr, the way back."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from adapters.simulator.config import SimulatorConfig
from adapters.simulator.faults import Fault, FaultScript, Variant, plan, wrong
from adapters.simulator.journal import BudgetLine, Journal, JournalEntry
from adapters.simulator.post import Letter, Post, Request
from gateway.domain.calendar import HANOI
from gateway.ports.clock import Clock

STAMP: Final = "%Y%m%d%H%M%S"
RETRIES: Final = (timedelta(minutes=5),) * 9  # At most ten calls, five minutes apart.
FIRST_NUMBER: Final = 14_000_000
FOREIGN_TMN: Final = "OTHERTMN"


class Choice(StrEnum):
    """What a citizen does on VNPAY's page."""

    PAY = "pay"
    DECLINE = "decline"
    CANCEL = "cancel"
    PAY_LESS = "pay_less"
    PAY_TWICE = "pay_twice"
    PAY_LATE = "pay_late"
    LEAVE = "leave"


_REFUSALS: Final = {Choice.DECLINE: "51", Choice.CANCEL: "24"}
_PAYING: Final = frozenset({Choice.PAY, Choice.PAY_LESS, Choice.PAY_TWICE})


class PageError(Exception):
    """VNPAY's page refuses the request, with its own code."""


@dataclass(frozen=True, slots=True)
class Txn:
    """One transaction at VNPAY; several can belong to one order."""

    number: str
    amount: int
    code: str
    status: str
    at: datetime


@dataclass(slots=True)
class PayOrder:
    """An order as VNPAY knows it since its page was opened."""

    reference: str
    amount: int
    info: str
    return_url: str
    expires_at: datetime
    txns: list[Txn] = field(default_factory=list)
    errors_due: int = 0  # How many querydr calls still fail.
    is_slow: bool = False

    @property
    def taken(self) -> Txn | None:
        """Give the first transaction that took money."""
        return next((t for t in self.txns if t.status == "00"), None)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Where the citizen goes next; ``is_broken`` when the page fails after the choice."""

    return_url: str = field(repr=False)
    txn_ids: tuple[str, ...] = ()
    fault: Fault | None = None

    @property
    def is_broken(self) -> bool:
        """Tell whether the page breaks after the money was taken."""
        return self.fault is Fault.SERVER_ERROR


def signed(secret: str, fields: dict[str, str]) -> str:
    """Sign as VNPAY does; written apart from our adapter on purpose."""
    query = urlencode(sorted((k, v) for k, v in fields.items() if v != ""))
    mac = hmac.digest(secret.encode("utf-8"), query.encode("ascii"), "sha512").hex()
    return f"{query}&vnp_SecureHash={mac}"


def _mac(secret: str, parts: list[str]) -> str:
    return hmac.new(secret.encode(), "|".join(parts).encode(), hashlib.sha512).hexdigest()


@dataclass(slots=True)
class VnpaySide:
    """One merchant's VNPAY."""

    clock: Clock
    config: SimulatorConfig
    journal: Journal
    post: Post
    faults: FaultScript
    orders: dict[str, PayOrder] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Remember what an earlier run took, so that querydr still answers."""
        for e in self.journal.entries("vnpay"):
            known = PayOrder(e.reference, e.expected, "", "", e.at)
            order = self.orders.setdefault(e.reference, known)
            order.txns.append(Txn(e.txn_id, e.amount, "00", "00", e.at))

    def open(self, query: str) -> PayOrder:
        """Check the merchant's signature and take the order up; the same order once."""
        said = dict(parse_qsl(query, keep_blank_values=True))
        given = said.pop("vnp_SecureHash", "")
        theirs = {k: v for k, v in said.items() if k.startswith("vnp_")}
        mine = signed(self.config.vnpay_secret, theirs).rsplit("=", 1)[1]
        if not hmac.compare_digest(mine, given.lower()):
            raise PageError("70: wrong signature")
        if said.get("vnp_TmnCode") != self.config.vnpay_tmn_code:
            raise PageError("72: unknown merchant")
        try:
            fresh = PayOrder(
                reference=said["vnp_TxnRef"],
                amount=int(said["vnp_Amount"]) // 100,
                info=said["vnp_OrderInfo"],
                return_url=said["vnp_ReturnUrl"],
                expires_at=_read(said["vnp_ExpireDate"]),
            )
        except (KeyError, ValueError) as error:
            raise PageError("03: a field is missing or malformed") from error
        order = self.orders.setdefault(fresh.reference, fresh)
        order.info, order.return_url = fresh.info, fresh.return_url
        order.expires_at = fresh.expires_at
        return order

    def choose(
        self,
        reference: str,
        choice: Choice,
        obligation_id: str = "",
        lines: tuple[BudgetLine, ...] = (),
    ) -> Chosen:
        """Do what the citizen chose; choosing to pay what is paid takes nothing again."""
        order, now = self.orders[reference], self.clock.now()
        if choice is Choice.LEAVE:
            return Chosen(order.return_url)
        code = _REFUSALS.get(choice, "")
        if choice in _PAYING and now >= order.expires_at:
            code = "11"
        if code:
            return self._back(order, self._refuse(order, code), None)
        if order.taken and choice is not Choice.PAY_TWICE:
            return self._back(order, order.taken, None)
        fault = self.faults.of(reference)
        if choice is Choice.PAY_LATE:
            when = order.expires_at + timedelta(minutes=1)
            self.post.later(
                when, lambda: _drop(self._take(order, order.amount, None, obligation_id, lines))
            )
            return self._back(order, Txn("0", order.amount, "00", "01", now), None)
        less = choice is Choice.PAY_LESS or fault is Fault.WRONG_AMOUNT
        amount = wrong(order.amount) if less else order.amount
        txn = self._take(order, amount, fault, obligation_id, lines)
        if choice is Choice.PAY_TWICE:
            self._take(order, amount, None, obligation_id, lines)
        return self._back(order, txn, fault)

    def _take(
        self,
        order: PayOrder,
        amount: int,
        fault: Fault | None,
        obligation_id: str,
        lines: tuple[BudgetLine, ...],
    ) -> Txn:
        number = str(FIRST_NUMBER + len(self.journal) + 1)
        txn = Txn(number, amount, "00", "00", self.clock.now())
        order.txns.append(txn)
        order.errors_due = 1 if fault is Fault.SERVER_ERROR else order.errors_due
        order.is_slow = fault is Fault.SLOW
        self.journal.add(
            JournalEntry(
                "vnpay",
                number,
                order.reference,
                "",
                amount,
                order.amount,
                txn.at,
                self.config.vnpay_tmn_code,
                obligation_id=obligation_id,
                lines=lines,
                fault=fault or "",
            )
        )
        self._tell(order, txn, fault)
        return txn

    def _refuse(self, order: PayOrder, code: str) -> Txn:
        txn = Txn("0", order.amount, code, "02", self.clock.now())
        order.txns.append(txn)
        self._tell(order, txn, None)
        return txn

    def _tell(self, order: PayOrder, txn: Txn, fault: Fault | None) -> None:
        for delivery in plan(fault):
            query = self._query(order, txn, delivery.variant)
            url = f"{self.config.vnpay_notice_url}?{query}"
            genuine = delivery.variant is Variant.GENUINE
            letter = Letter(_Get(url), _understood, RETRIES if genuine else ())
            for _ in range(delivery.times):
                self.post.later(txn.at + delivery.after, letter)

    def _query(self, order: PayOrder, txn: Txn, variant: Variant) -> str:
        fields = {
            "vnp_Amount": str(txn.amount * 100),
            "vnp_BankCode": "NCB",
            "vnp_BankTranNo": f"VNP{txn.number}" if txn.number != "0" else "",
            "vnp_CardType": "ATM",
            "vnp_OrderInfo": order.info,
            "vnp_PayDate": _stamp(txn.at),
            "vnp_ResponseCode": txn.code,
            "vnp_TmnCode": self.config.vnpay_tmn_code,
            "vnp_TransactionNo": txn.number,
            "vnp_TransactionStatus": txn.status,
            "vnp_TxnRef": order.reference,
        }
        if variant is Variant.STALE:
            fields["vnp_TransactionStatus"] = "01"
        if variant is Variant.FOREIGN:
            fields["vnp_TmnCode"] = FOREIGN_TMN
        if variant is Variant.FORGED:
            return signed("a-secret-that-a-forger-made-up", fields)
        return signed(self.config.vnpay_secret, fields)

    def _back(self, order: PayOrder, txn: Txn, fault: Fault | None) -> Chosen:
        joint = "&" if urlsplit(order.return_url).query else "?"
        url = f"{order.return_url}{joint}{self._query(order, txn, Variant.GENUINE)}"
        return Chosen(url, tuple(t.number for t in order.txns if t.status == "00"), fault)

    def answer(self, body: bytes) -> tuple[int, dict[str, str]]:
        """Answer querydr, signed; the status is 500 while a fault asks for it."""
        try:
            asked: dict[str, Any] = json.loads(body)
            names = "RequestId Version Command TmnCode TxnRef TransactionDate CreateDate IpAddr"
            parts = [str(asked[f"vnp_{n}"]) for n in [*names.split(), "OrderInfo"]]
            given = str(asked["vnp_SecureHash"])
        except (ValueError, KeyError, TypeError):
            return 200, self._reply({"vnp_ResponseCode": "03", "vnp_Message": "Invalid format"})
        if not hmac.compare_digest(_mac(self.config.vnpay_secret, parts), given.lower()):
            return 200, self._reply({"vnp_ResponseCode": "97", "vnp_Message": "Invalid checksum"})
        if parts[3] != self.config.vnpay_tmn_code:
            return 200, self._reply({"vnp_ResponseCode": "02", "vnp_Message": "Invalid TmnCode"})
        order = self.orders.get(parts[4])
        if order and order.errors_due:
            order.errors_due -= 1
            return 500, {}
        return 200, self._reply({"vnp_TxnRef": parts[4]} | self._state(order))

    def _state(self, order: PayOrder | None) -> dict[str, str]:
        now = self.clock.now()
        if order is None or (not order.txns and now >= order.expires_at):
            return {"vnp_ResponseCode": "91", "vnp_Message": "Transaction not found"}
        waiting = Txn("0", order.amount, "00", "01", now)
        txn = order.taken or (order.txns[-1] if order.txns else waiting)
        return {
            "vnp_ResponseCode": "00",
            "vnp_Message": "QueryDR Success",
            "vnp_Amount": str(txn.amount * 100),
            "vnp_BankCode": "NCB",
            "vnp_PayDate": _stamp(txn.at),
            "vnp_TransactionNo": txn.number,
            "vnp_TransactionType": "01",
            "vnp_TransactionStatus": txn.status,
            "vnp_OrderInfo": order.info,
        }

    def _reply(self, said: dict[str, str]) -> dict[str, str]:
        fields = {
            "vnp_ResponseId": self.clock.new_id("rsp").removeprefix("rsp_"),
            "vnp_Command": "querydr",
            "vnp_TmnCode": self.config.vnpay_tmn_code,
        } | said
        names = (
            "ResponseId Command ResponseCode Message TmnCode TxnRef Amount BankCode PayDate "
            "TransactionNo TransactionType TransactionStatus OrderInfo PromotionCode "
            "PromotionAmount"
        )
        parts = [fields.get(f"vnp_{name}", "") for name in names.split()]
        return fields | {"vnp_SecureHash": _mac(self.config.vnpay_secret, parts)}


@dataclass(frozen=True, slots=True)
class _Get:
    """The notice: the same address at every try."""

    url: str = field(repr=False)

    def __call__(self, _now: datetime) -> Request:
        """Make the request."""
        return Request("GET", self.url)


def _drop(_txn: Txn) -> None:
    """Turn a transaction into an action's nothing."""


def _understood(status: int, body: bytes) -> bool:
    """Stop at 00 and 02; anything else is called again."""
    try:
        return status == 200 and json.loads(body)["RspCode"] in {"00", "02"}  # noqa: PLR2004 - HTTP's own word.
    except (ValueError, KeyError, TypeError):
        return False


def _stamp(at: datetime) -> str:
    return at.astimezone(HANOI).strftime(STAMP)


def _read(stamp: str) -> datetime:
    return datetime.strptime(stamp, STAMP).replace(tzinfo=HANOI).astimezone(UTC)
