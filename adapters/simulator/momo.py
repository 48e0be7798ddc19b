"""MoMo's side: create, the page, the notice, query with its refunds, refund."""

import asyncio
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.simulator import pages
from adapters.simulator.config import SimulatorConfig
from adapters.simulator.faults import FaultScript, Variant
from adapters.simulator.journal import Journal
from adapters.simulator.orders import Orders, PageError, PayOrder, Txn, TxnState, with_query
from adapters.simulator.post import Letter, Post, Request
from gateway.ports.clock import Clock

API: Final = "/momo/v2/gateway/api"
PAGE: Final = "/momo/v2/gateway/pay"
PARTNER: Final = "THUPHIMOMO"
FOREIGN_PARTNER: Final = "OTHERPARTNER"
first_number: Final = 4_088_000_000
dong_min: Final = 1_000
dong_max: Final = 50_000_000
# MoMo publishes neither how long its page lives nor how often it repeats: both are illustrative.
page_lifetime: Final = timedelta(minutes=100)
RETRIES: Final = tuple(timedelta(minutes=m) for m in (1, 5, 30))
_CODES: Final = MappingProxyType(
    {
        TxnState.TAKEN: 0, TxnState.WAITING: 1000, TxnState.DECLINED: 1001,
        TxnState.CANCELLED: 1006, TxnState.EXPIRED: 1005,
    }
)  # fmt: skip
_CREATE: Final = (
    "accessKey={a}&amount={amount}&extraData={extraData}&ipnUrl={ipnUrl}&orderId={orderId}"
    "&orderInfo={orderInfo}&partnerCode={partnerCode}&redirectUrl={redirectUrl}"
    "&requestId={requestId}&requestType={requestType}"
)
_QUERY: Final = "accessKey={a}&orderId={orderId}&partnerCode={partnerCode}&requestId={requestId}"
_REFUND: Final = (
    "accessKey={a}&amount={amount}&description={description}&orderId={orderId}"
    "&partnerCode={partnerCode}&requestId={requestId}&transId={transId}"
)
_IPN: Final = (
    "accessKey={a}&amount={amount}&extraData={extraData}&message={message}&orderId={orderId}"
    "&orderInfo={orderInfo}&orderType={orderType}&partnerCode={partnerCode}&payType={payType}"
    "&requestId={requestId}&responseTime={responseTime}&resultCode={resultCode}&transId={transId}"
)


def settings(origin: str, secret: Callable[[str], str]) -> dict[str, str]:
    """Give our settings for a simulator at this origin; ``secret`` makes one for a field."""
    return {
        "MOMO_PARTNER_CODE": PARTNER, "MOMO_ACCESS_KEY": secret("MOMO_ACCESS_KEY"),
        "MOMO_SECRET_KEY": secret("MOMO_SECRET_KEY"), "MOMO_BASE_URL": f"{origin}/momo",
    }  # fmt: skip


class CodeError(Exception):
    """MoMo refuses a call, with a resultCode."""

    def __init__(self, code: int, message: str) -> None:
        """Keep the code."""
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class MomoSide:
    """One partner's MoMo."""

    clock: Clock
    config: SimulatorConfig
    journal: Journal
    post: Post
    faults: FaultScript
    name: str = "momo"
    orders: Orders = field(init=False)

    def __post_init__(self) -> None:
        """Open the order book."""
        self.orders = Orders(
            self.clock, self.journal, self.post, self.faults, self, PARTNER, first_number
        )

    def routes(self) -> Sequence[Route]:
        """Give the API and the page."""
        return [
            Route(f"{API}/create", self.create, methods=["POST"]),
            Route(f"{API}/query", self.query, methods=["POST"]),
            Route(f"{API}/refund", self.refund, methods=["POST"]),
            Route(PAGE, self.page, methods=["GET"]),
        ]

    async def page(self, request: Asked) -> Response:
        """Show the page of an order."""
        return pages.order(self.name, "MoMo", self.opened(str(request.url)))

    def opened(self, redirect_url: str) -> PayOrder:
        """Find the order whose token stands in the address."""
        token = parse_qs(urlsplit(redirect_url).query).get("t", [""])[0]
        reference, _, mac = token.partition(".")
        if reference not in self.orders.known or not hmac.compare_digest(mac, self._mac(reference)):
            raise PageError("MoMo has no such order.")
        return self.orders.known[reference]

    async def create(self, request: Asked) -> Response:
        """Open an order; the same requestId is answered the same, another orderId's is 41."""
        said = await _body(request)
        try:
            self._verify(_CREATE, said)
            order = self._open(said)
        except CodeError as error:
            return self._no(said, error)
        await self.orders.open_early(order)
        url = f"{_origin(request)}{PAGE}?{urlencode({'t': self._token(order)})}"
        return await self._answered(
            order, said, {"amount": order.amount, "payUrl": url, "deeplink": "momo://app"}
        )

    def _open(self, said: Mapping[str, Any]) -> PayOrder:
        amount, reference = said["amount"], str(said["orderId"])
        if type(amount) is not int or not dong_min <= amount <= dong_max:
            raise CodeError(22, "Amount out of range")
        if not re.fullmatch(r"[0-9a-zA-Z]([-_.]*[0-9a-zA-Z]+)*", reference):
            raise CodeError(20, "Bad orderId")
        if not said["ipnUrl"] or urlsplit(said["ipnUrl"]).query:
            raise CodeError(20, "Bad ipnUrl")
        known = self.orders.known.get(reference)
        if known and known.more.get("requestId") not in (None, said["requestId"]):
            raise CodeError(41, "Duplicated orderId")
        return self.orders.open(
            PayOrder(
                reference, amount, said["orderInfo"], said["redirectUrl"],
                known.expires_at if known else self.clock.now() + page_lifetime,
                {"requestId": said["requestId"], "ipnUrl": said["ipnUrl"],
                 "extraData": said["extraData"]},
            )
        )  # fmt: skip

    async def query(self, request: Asked) -> Response:
        """Say what became of an order, and of its refunds."""
        said = await _body(request)
        try:
            self._verify(_QUERY, said)
            order = self._known(str(said["orderId"]))
        except CodeError as error:
            return self._no(said, error)
        now = self.clock.now()
        waiting = TxnState.EXPIRED if now >= order.expires_at else TxnState.WAITING
        txn = order.last or Txn("0", order.amount, waiting, now)
        refunds = [
            {"orderId": r.reference, "amount": r.amount, "transId": int(r.txn_id),
             "resultCode": 0 if r.is_done else 7002, "createdTime": _ms(r.at)}
            for r in order.refunds
        ]  # fmt: skip
        return await self._answered(
            order, said,
            {"amount": txn.amount, "transId": int(txn.number), "resultCode": _CODES[txn.state],
             "refundTrans": refunds, "payType": "qr", "extraData": ""},
        )  # fmt: skip

    async def refund(self, request: Asked) -> Response:
        """Give money back, once for each orderId."""
        said = await _body(request)
        order: PayOrder | None = None
        try:
            self._verify(_REFUND, said)
            order = self._paid_by(str(said["transId"]), said["amount"])
            given = self.orders.give_back(order, str(said["orderId"]), said["amount"])
        except PageError:
            spent = order is not None and order.taken and order.given_back >= order.taken.amount
            return self._no(said, CodeError(1081 if spent else 1088, "Cannot be refunded"))
        except CodeError as error:
            return self._no(said, error)
        return await self._answered(
            order, said, {"amount": given.amount, "transId": int(given.txn_id)}
        )

    def _known(self, reference: str) -> PayOrder:
        if reference not in self.orders.known:
            raise CodeError(42, "Order not found")
        return self.orders.known[reference]

    def _paid_by(self, number: str, amount: int) -> PayOrder:
        if not dong_min <= amount <= dong_max:
            raise CodeError(22, "Amount out of range")
        for order in self.orders.known.values():
            if any(t.number == number and t.state is TxnState.TAKEN for t in order.txns):
                return order
        raise CodeError(1088, "No such transaction")

    def _verify(self, template: str, said: Mapping[str, Any]) -> None:
        try:
            wanted = self._sign(template, said)
        except KeyError as error:
            raise CodeError(20, "A field is missing") from error
        if not hmac.compare_digest(wanted, str(said.get("signature", ""))):
            raise CodeError(11, "Wrong signature")
        if said["partnerCode"] != PARTNER:
            raise CodeError(13, "Unknown partner")

    def _sign(self, template: str, said: Mapping[str, Any], secret: str = "") -> str:
        text = template.format(a=self.config.values["MOMO_ACCESS_KEY"], **said)
        key = secret or self.config.values["MOMO_SECRET_KEY"]
        return hmac.digest(key.encode(), text.encode("utf-8"), "sha256").hex()

    def _mac(self, reference: str) -> str:
        key = self.config.values["MOMO_SECRET_KEY"].encode()
        return hmac.digest(key, b"page|" + reference.encode(), "sha256").hex()[:16]

    def _token(self, order: PayOrder) -> str:
        return f"{order.reference}.{self._mac(order.reference)}"

    async def _answered(
        self, order: PayOrder, said: Mapping[str, Any], more: Mapping[str, Any]
    ) -> Response:
        if self.orders.is_slow(order):
            await asyncio.sleep(self.config.slow_s)
        answer = self._echo(said) | {"resultCode": 0, "message": "Successful."} | dict(more)
        return self.orders.misbehaved(order) or JSONResponse(answer)

    def _echo(self, said: Mapping[str, Any]) -> dict[str, Any]:
        names = ("partnerCode", "orderId", "requestId")
        return {n: said.get(n, "") for n in names} | {"responseTime": _ms(self.clock.now())}

    def _no(self, said: Mapping[str, Any], error: CodeError) -> Response:
        answer = self._echo(said) | {"resultCode": error.code, "message": str(error)}
        return JSONResponse(answer)

    def letter(self, order: PayOrder, txn: Txn, variant: Variant) -> Letter | None:
        """Write the notice: POST JSON to the address that the order named."""
        body = json.dumps(self._notice(order, txn, variant), ensure_ascii=False).encode()
        to = order.more.get("ipnUrl") or self.config.notice_url(self.name)
        return Letter(_Post(to, body), lambda status, _body: status == 204, RETRIES)  # noqa: PLR2004 - MoMo's own word for thanks.

    def back(self, order: PayOrder, txn: Txn) -> str:
        """Send the browser back with the same signed fields."""
        return with_query(order.return_url, urlencode(self._notice(order, txn, Variant.GENUINE)))

    def _notice(self, order: PayOrder, txn: Txn, variant: Variant) -> dict[str, Any]:
        code = _CODES[TxnState.WAITING if variant is Variant.STALE else txn.state]
        fields: dict[str, Any] = {
            "partnerCode": FOREIGN_PARTNER if variant is Variant.FOREIGN else PARTNER,
            "orderId": order.reference, "requestId": order.more.get("requestId", order.reference),
            "amount": txn.amount, "orderInfo": order.info, "orderType": "momo_wallet",
            "transId": int(txn.number), "resultCode": code,
            "message": "Thành công." if code == 0 else "Giao dịch chưa thành công.",
            "payType": "qr", "responseTime": _ms(txn.at), "extraData": "",
        }  # fmt: skip
        secret = "a-secret-that-a-forger-made-up" if variant is Variant.FORGED else ""
        return fields | {"signature": self._sign(_IPN, fields, secret)}


@dataclass(frozen=True, slots=True)
class _Post:
    """The notice: the same bytes at every try."""

    url: str
    body: bytes = field(repr=False)

    def __call__(self, _now: datetime) -> Request:
        """Make the request."""
        headers = {"content-type": "application/json; charset=UTF-8"}
        return Request("POST", self.url, headers, self.body)


async def _body(request: Asked) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(await request.body())
    return said


def _origin(request: Asked) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
