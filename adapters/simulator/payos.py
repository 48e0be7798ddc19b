"""payOS's side: payment requests on the agency's bank account, told transfer by transfer.

payOS holds no money: a citizen scans the order's QR, the bank's account is credited, and payOS, who
watches that account, finds the order by the code it put before the text.
"""

import asyncio
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.simulator import pages
from adapters.simulator.bank import BankSide, draw_qr
from adapters.simulator.config import SimulatorConfig
from adapters.simulator.faults import Fault, FaultScript, Variant
from adapters.simulator.journal import BudgetLine, Journal, JournalEntry
from adapters.simulator.orders import Orders, PageError, PayOrder, Txn, TxnState, with_query
from adapters.simulator.payos_words import SAMPLE, Sender, code_of, link_of, no, signed, understood
from adapters.simulator.post import Letter, Post
from gateway.domain.calendar import HANOI, rfc3339
from gateway.ports.clock import Clock

API_PATH: Final = "/payos/v2/payment-requests"
PAGE_PATH: Final = "/payos/web"
# payOS publishes no rule; these are a guess.
RETRIES: Final = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60))
UNASKED: Final = 7_000_000_000_000  # Order codes of transfers that no order asked for.
_STATUSES: Final = MappingProxyType(
    {
        TxnState.CANCELLED: "CANCELLED", TxnState.DECLINED: "FAILED", TxnState.EXPIRED: "EXPIRED",
    }
)  # fmt: skip


@dataclass(slots=True)
class PayosSide:
    """One payment channel."""

    clock: Clock
    config: SimulatorConfig
    journal: Journal
    post: Post
    faults: FaultScript
    name: str = "payos"
    orders: Orders = field(init=False)
    bank: BankSide | None = None
    tells_all: bool = False  # Also of credits on the account that no order asked for.
    lists_transfers: bool = True  # False: an answer sums up what came, and names nothing.

    def __post_init__(self) -> None:
        """Open the order book, with what an earlier run took."""
        self.orders = Orders(
            self.clock, self.journal, self.post, self.faults, self,
            self.config.values["PAYOS_ACCOUNT"], move=self._move,
        )  # fmt: skip
        for e in self.journal.entries("bank"):
            if e.order:
                order = PayOrder(e.order, e.expected, e.memo, "", e.at)
                self.orders.known.setdefault(e.order, order).txns.append(_txn(e))

    def watch(self, bank: BankSide) -> None:
        """Watch a bank's account from now on."""
        self.bank = bank
        bank.watchers.append(self.saw)

    def routes(self) -> Sequence[Route]:
        """Give the API and the page."""
        return [
            Route(API_PATH, self.create, methods=["POST"]),
            Route(f"{API_PATH}/{{code}}", self.info, methods=["GET"]),
            Route(f"{API_PATH}/{{code}}/cancel", self.cancel, methods=["POST"]),
            Route("/payos/confirm-webhook", self.confirm, methods=["POST"]),
            Route(f"{PAGE_PATH}/{{link}}", self.page, methods=["GET"]),
        ]

    async def create(self, request: Asked) -> Response:
        """Open an order."""
        if not self._knows(request):
            return no("401", "Unauthorized", 401)
        said: dict[str, Any] = json.loads(await request.body())
        names = ("amount", "cancelUrl", "description", "orderCode", "returnUrl")
        mine = signed(self._key, {name: said[name] for name in names})
        if not hmac.compare_digest(mine, str(said.get("signature"))):
            return no("201", "Mã kiểm tra(signature) không hợp lệ")
        code = str(said["orderCode"])
        if code in self.orders.known:
            return no("231", "Đơn thanh toán đã tồn tại")
        order = self.orders.open(
            PayOrder(
                reference=code, amount=int(said["amount"]), info=said["description"],
                return_url=said["returnUrl"],
                expires_at=datetime.fromtimestamp(int(said["expiredAt"]), UTC),
            )
        )  # fmt: skip
        await self.orders.open_early(order)
        return await self._answer(order, self._opened(order))

    def _opened(self, order: PayOrder) -> dict[str, Any]:
        values = self.config.values
        return {
            "bin": values["VIETQR_BANK_BIN"], "accountNumber": self.config.bank_account,
            "accountName": values["VIETQR_ACCOUNT_NAME"], "amount": order.amount,
            "description": self._memo(order), "orderCode": int(order.reference), "currency": "VND",
            "paymentLinkId": link_of(order), "status": "PENDING",
            "checkoutUrl": f"{values['PAYOS_BASE_URL']}/web/{link_of(order)}",
            "qrCode": draw_qr(values, order.amount, self._memo(order)),
        }  # fmt: skip

    async def info(self, request: Asked) -> Response:
        """Say how an order stands."""
        order = self._asked(request)
        if isinstance(order, Response):
            return order
        return await self._answer(order, self._state(order))

    def _asked(self, request: Asked) -> PayOrder | Response:
        if not self._knows(request):
            return no("401", "Unauthorized", 401)
        order = self.orders.known.get(request.path_params["code"])
        return order or no("101", "Mã thanh toán không tồn tại")

    async def cancel(self, request: Asked) -> Response:
        """Withdraw an order that is not paid."""
        order = self._asked(request)
        if isinstance(order, Response):
            return order
        if self.status(order) in ("PAID", "EXPIRED"):
            return no("20", "Đơn thanh toán không thể huỷ")  # The code is a guess.
        if self.status(order) != "CANCELLED":
            order.txns.append(Txn("0", order.amount, TxnState.CANCELLED, self.clock.now()))
        return await self._answer(order, self._state(order))

    async def confirm(self, request: Asked) -> Response:
        """Try a notice address with the sample, as payOS does before it is registered."""
        heard: list[bool] = []

        def hear(status: int, body: bytes) -> bool:
            heard.append(understood(status, body))
            return True

        url = str(json.loads(await request.body())["webhookUrl"])
        self.post.later(self.clock.now(), Letter(Sender(url, self._body(SAMPLE)), hear))
        await self.post.pump()
        if heard != [True]:
            return no("20", "Webhook url invalid", 400)
        return JSONResponse({"code": "00", "desc": "success", "data": {"webhookUrl": url}})

    async def page(self, request: Asked) -> Response:
        """Show the page of an order."""
        return pages.order(self.name, "payOS", self.opened(request.url.path))

    def opened(self, redirect_url: str) -> PayOrder:
        """Find the order behind a page's address."""
        link = redirect_url.rstrip("/").rsplit("/", 1)[-1]
        for order in self.orders.known.values():
            if link_of(order) == link:
                return order
        raise PageError("There is no such order.")

    def saw(self, entry: JournalEntry, fault: Fault | None) -> None:
        """See a credit on the account, and tell of it."""
        order = self.orders.known.get(entry.order) or self._named(entry.noisy_memo)
        if order is None and not self.tells_all:
            return
        if order is None:
            code = UNASKED + len(self.journal)
            order = PayOrder(str(code), entry.amount, entry.noisy_memo, "", entry.at)
        order.txns.append(_txn(entry))
        self.orders.tell(order, order.txns[-1], fault)

    def _named(self, memo: str) -> PayOrder | None:
        packed = re.sub(r"[^0-9A-Z]", "", memo.upper())
        return next((o for o in self.orders.known.values() if code_of(o) in packed), None)

    def _move(
        self, order: PayOrder, amount: int, fault: Fault | None, obligation_id: str,
        lines: tuple[BudgetLine, ...],
    ) -> Txn:  # fmt: skip
        """Let the citizen pay the order's QR from a bank app."""
        if self.bank is None:
            raise PageError("payOS watches no bank.")
        self.bank.credit(
            amount, self._memo(order), order.amount, fault, obligation_id, lines, order.reference
        )
        return order.txns[-1]

    def letter(self, order: PayOrder, txn: Txn, variant: Variant) -> Letter | None:
        """Write the notice about one transfer; payOS sends none about anything else."""
        if txn.state is not TxnState.TAKEN:
            return None
        data = self._transfer(order, txn) | {
            "orderCode": int(order.reference), "currency": "VND", "paymentLinkId": link_of(order),
            "code": "00", "desc": "success",
        }  # fmt: skip
        if variant is Variant.STALE:  # The transfer on its way: known, and nothing to book yet.
            data |= {"code": "01", "desc": "pending"}
        keys = {Variant.FORGED: "a forger's own key", Variant.FOREIGN: "another channel's key"}
        body = self._body(data, keys.get(variant, ""))
        return Letter(Sender(self.config.notice_url("payos"), body), understood, RETRIES)

    def back(self, order: PayOrder, txn: Txn) -> str:
        """Send the browser back; payOS signs nothing there."""
        status = self.status(order)
        cancelled = str(txn.state is TxnState.CANCELLED).lower()
        query = f"code=00&id={link_of(order)}&cancel={cancelled}&status={status}"
        return with_query(order.return_url, f"{query}&orderCode={order.reference}")

    def _transfer(self, order: PayOrder, txn: Txn) -> dict[str, Any]:
        number = int(txn.number.removeprefix("sepay-"))
        return {
            "amount": txn.amount, "description": self._memo(order),
            "accountNumber": self.config.bank_account, "reference": f"FT{number:012d}",
            "transactionDateTime": txn.at.astimezone(HANOI).strftime("%Y-%m-%d %H:%M:%S"),
            "virtualAccountName": None, "virtualAccountNumber": "",
            "counterAccountBankId": None, "counterAccountBankName": None,
            "counterAccountName": None, "counterAccountNumber": None,
        }  # fmt: skip

    def _state(self, order: PayOrder) -> dict[str, Any]:
        came = [t for t in order.txns if t.state is TxnState.TAKEN]
        paid = sum(t.amount for t in came)
        return {
            "id": link_of(order), "orderCode": int(order.reference), "amount": order.amount,
            "amountPaid": paid, "amountRemaining": max(0, order.amount - paid),
            "status": self.status(order),
            "createdAt": rfc3339(order.opened_at or self.clock.now()),
            "transactions": [self._transfer(order, t) for t in came if self.lists_transfers],
            "canceledAt": None, "cancellationReason": None,
        }  # fmt: skip

    def status(self, order: PayOrder) -> str:
        """Say how an order stands, in payOS's word."""
        paid = sum(t.amount for t in order.txns if t.state is TxnState.TAKEN)
        if paid >= order.amount:
            return "PAID"
        ended = [_STATUSES[t.state] for t in order.txns if t.state in _STATUSES]
        if ended:
            return ended[-1]
        if self.clock.now() >= order.expires_at:
            return "EXPIRED"
        return "UNDERPAID" if paid else "PENDING"

    async def _answer(self, order: PayOrder, data: dict[str, Any]) -> Response:
        if self.orders.is_slow(order):
            await asyncio.sleep(self.config.slow_s)
        said = {"code": "00", "desc": "success", "data": data, "signature": signed(self._key, data)}
        return self.orders.misbehaved(order) or JSONResponse(said)

    def _memo(self, order: PayOrder) -> str:
        return (
            f"{code_of(order)} {order.info}" if order.reference in self.orders.known else order.info
        )

    def _body(self, data: Mapping[str, Any], key: str = "") -> bytes:
        mac = signed(key or self._key, data)
        said = {"code": "00", "desc": "success", "success": True, "data": dict(data)}
        return json.dumps(said | {"signature": mac}, ensure_ascii=False).encode()

    @property
    def _key(self) -> str:
        return self.config.values["PAYOS_CHECKSUM_KEY"]

    def _knows(self, request: Asked) -> bool:
        wanted = (self.config.values["PAYOS_CLIENT_ID"], self.config.values["PAYOS_API_KEY"])
        return (request.headers.get("x-client-id"), request.headers.get("x-api-key")) == wanted


def _txn(entry: JournalEntry) -> Txn:
    return Txn(entry.txn_id, entry.amount, TxnState.TAKEN, entry.at)
