"""ZaloPay's side: create, the page, the callback, query, refund and its slow end."""

import asyncio
import hmac
import json
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
from adapters.simulator.orders import Orders, PageError, PayOrder, Txn, TxnState
from adapters.simulator.post import Letter, Post, Request
from gateway.domain.calendar import HANOI
from gateway.ports.clock import Clock

API: Final = "/zalopay/v2"
PAGE: Final = "/zalopay/openinapp"
APP_ID: Final = "2553"
FOREIGN_APP: Final = 2554
first_number: Final = 261_118_000_000_000
app_time_off_max: Final = timedelta(minutes=15)
# ZaloPay repeats at most three times; how far apart is not published, so it is illustrative.
RETRIES: Final = (timedelta(minutes=5),) * 3
refund_takes: Final = timedelta(minutes=1)  # Illustrative: a refund is asynchronous there.
_FAILED: Final = 2
# -54 and -329 are ZaloPay's; what it says of a declined or unknown order is our guess [G].
_ENDS: Final = MappingProxyType(
    {TxnState.DECLINED: -1, TxnState.CANCELLED: -329, TxnState.EXPIRED: -54}
)
_UNKNOWN: Final = -101
_DUPLICATE: Final = -68


def settings(origin: str, secret: Callable[[str], str]) -> dict[str, str]:
    """Give our settings for a simulator at this origin; ``secret`` makes one for a field."""
    return {
        "ZALOPAY_APP_ID": APP_ID, "ZALOPAY_KEY1": secret("ZALOPAY_KEY1"),
        "ZALOPAY_KEY2": secret("ZALOPAY_KEY2"), "ZALOPAY_BASE_URL": f"{origin}/zalopay",
    }  # fmt: skip


class CodeError(Exception):
    """ZaloPay refuses a call: return_code 2, and a finer code."""

    def __init__(self, sub: int) -> None:
        """Keep the finer code."""
        super().__init__(str(sub))
        self.sub = sub


@dataclass(slots=True)
class ZalopaySide:
    """One application's ZaloPay."""

    clock: Clock
    config: SimulatorConfig
    journal: Journal
    post: Post
    faults: FaultScript
    name: str = "zalopay"
    orders: Orders = field(init=False)

    def __post_init__(self) -> None:
        """Open the order book."""
        self.orders = Orders(
            self.clock, self.journal, self.post, self.faults, self, APP_ID, first_number
        )

    def routes(self) -> Sequence[Route]:
        """Give the API and the page."""
        calls = {
            "create": self.create, "query": self.query,
            "refund": self.refund, "query_refund": self.query_refund,
        }  # fmt: skip
        made = [Route(f"{API}/{path}", do, methods=["POST"]) for path, do in calls.items()]
        return [*made, Route(PAGE, self.page, methods=["GET"])]

    async def page(self, request: Asked) -> Response:
        """Show the page of an order."""
        return pages.order(self.name, "ZaloPay", self.opened(str(request.url)))

    def opened(self, redirect_url: str) -> PayOrder:
        """Find the order whose token stands in the address."""
        token = parse_qs(urlsplit(redirect_url).query).get("order", [""])[0]
        for order in self.orders.known.values():
            if hmac.compare_digest(self._token(order), token):
                return order
        raise PageError("ZaloPay has no such order.")

    async def create(self, request: Asked) -> Response:
        """Open an order; the same app_trans_id again is a duplicate."""
        said = await _body(request)
        try:
            names = "app_id app_trans_id app_user amount app_time embed_data item"
            self._verify(said, names.split())
            order = self._open(said)
        except CodeError as error:
            return await self._answered(None, _no(error))
        await self.orders.open_early(order)
        url = f"{request.url.scheme}://{request.url.netloc}{PAGE}"
        query = urlencode({"order": self._token(order)})
        return await self._answered(
            order, _yes(order_url=f"{url}?{query}", zp_trans_token=self._token(order)[:12])
        )

    def _open(self, said: Mapping[str, Any]) -> PayOrder:
        name, now = said["app_trans_id"], self.clock.now()
        off = abs(now.timestamp() * 1000 - said["app_time"])
        if off > app_time_off_max.total_seconds() * 1000 or said["amount"] < 1:
            raise CodeError(-401)
        if not name.startswith(f"{now.astimezone(HANOI):%y%m%d}_") or len(name) > 40:  # noqa: PLR2004 - ZaloPay's own limit.
            raise CodeError(-401)
        if name in self.orders.known:
            raise CodeError(_DUPLICATE)
        return self.orders.open(
            PayOrder(
                name, said["amount"], said["description"],
                json.loads(said["embed_data"])["redirecturl"],
                now + timedelta(seconds=said["expire_duration_seconds"]),
                {"callback_url": said["callback_url"], "embed_data": said["embed_data"],
                 "app_time": str(said["app_time"]), "app_user": said["app_user"]},
            )
        )  # fmt: skip

    async def query(self, request: Asked) -> Response:
        """Say what became of an order."""
        said = await _body(request)
        key = self.config.values["ZALOPAY_KEY1"]
        try:
            self._verify({**said, "key1": key}, ["app_id", "app_trans_id", "key1"])
            order = self._known(said["app_trans_id"])
        except CodeError as error:
            return await self._answered(None, _no(error))
        txn = order.last
        if txn and txn.state is TxnState.TAKEN:
            answer = _yes(is_processing=False, amount=txn.amount, zp_trans_id=int(txn.number))
        elif txn:
            answer = _no(CodeError(_ENDS[txn.state]))
        elif self.clock.now() >= order.expires_at:
            answer = _no(CodeError(_ENDS[TxnState.EXPIRED]))
        else:
            answer = _yes(return_code=3, is_processing=True, amount=order.amount, zp_trans_id=0)
        return await self._answered(order, answer)

    async def refund(self, request: Asked) -> Response:
        """Take a refund's order, once for each m_refund_id; money goes back a minute later."""
        said = await _body(request)
        order: PayOrder | None = None
        try:
            self._verify(said, ["app_id", "zp_trans_id", "amount", "description", "timestamp"])
            order = self._paid_by(str(said["zp_trans_id"]))
            if any(r.reference == said["m_refund_id"] for r in order.refunds):
                return await self._answered(order, _no(CodeError(_DUPLICATE)))
            given = self.orders.give_back(order, said["m_refund_id"], said["amount"])
        except PageError:
            return await self._answered(order, _no(CodeError(-1)))
        except CodeError as error:
            return await self._answered(order, _no(error))
        return await self._answered(order, _yes(return_code=3, refund_id=int(given.txn_id)))

    async def query_refund(self, request: Asked) -> Response:
        """Say what became of a refund."""
        said = await _body(request)
        try:
            self._verify(said, ["app_id", "m_refund_id", "timestamp"])
        except CodeError as error:
            return await self._answered(None, _no(error))
        for order in self.orders.known.values():
            for given in order.refunds:
                if given.reference == said["m_refund_id"]:
                    is_done = self.clock.now() >= given.at + refund_takes
                    return await self._answered(order, _yes(return_code=1 if is_done else 3))
        return await self._answered(None, _no(CodeError(_UNKNOWN)))

    def _known(self, name: str) -> PayOrder:
        if name not in self.orders.known:
            raise CodeError(_UNKNOWN)
        return self.orders.known[name]

    def _paid_by(self, number: str) -> PayOrder:
        for order in self.orders.known.values():
            if any(t.number == number and t.state is TxnState.TAKEN for t in order.txns):
                return order
        raise CodeError(_UNKNOWN)

    def _verify(self, said: Mapping[str, Any], names: Sequence[str]) -> None:
        try:
            text = "|".join(str(said[name]) for name in names)
        except KeyError as error:
            raise CodeError(-401) from error
        wanted = _mac(self.config.values["ZALOPAY_KEY1"], text)
        known = str(said["app_id"]) == APP_ID
        if not known or not hmac.compare_digest(wanted, str(said.get("mac", ""))):
            raise CodeError(-402)

    def _token(self, order: PayOrder) -> str:
        return _mac(self.config.values["ZALOPAY_KEY2"], f"page|{order.reference}")

    async def _answered(self, order: PayOrder | None, answer: Mapping[str, Any]) -> Response:
        if self.orders.is_slow(order):
            await asyncio.sleep(self.config.slow_s)
        return self.orders.misbehaved(order) or JSONResponse(dict(answer))

    def letter(self, order: PayOrder, txn: Txn, variant: Variant) -> Letter | None:
        """Write the callback, where money was taken; of anything else ZaloPay is silent."""
        if txn.state is not TxnState.TAKEN or variant is Variant.STALE:
            return None
        data = json.dumps(self._data(order, txn, variant), separators=(",", ":"))
        forged = variant is Variant.FORGED
        key = "a-key-that-a-forger-made-up" if forged else self.config.values["ZALOPAY_KEY2"]
        body = json.dumps({"data": data, "mac": _mac(key, data), "type": 1}).encode()
        to = order.more.get("callback_url") or self.config.notice_url(self.name)
        return Letter(_Post(to, body), _understood, RETRIES)

    def _data(self, order: PayOrder, txn: Txn, variant: Variant) -> dict[str, Any]:
        return {
            "app_id": FOREIGN_APP if variant is Variant.FOREIGN else int(APP_ID),
            "app_trans_id": order.reference, "app_time": int(order.more.get("app_time", "0")),
            "app_user": order.more.get("app_user", ""), "amount": txn.amount,
            "embed_data": order.more.get("embed_data", "{}"), "item": "[]",
            "zp_trans_id": int(txn.number), "server_time": int(txn.at.timestamp() * 1000),
            "channel": 38, "merchant_user_id": "mu-1", "user_fee_amount": 0, "discount_amount": 0,
        }  # fmt: skip

    def back(self, order: PayOrder, txn: Txn) -> str:  # noqa: ARG002 - the way back says nothing here.
        """Send the browser back, without a word that anybody should believe."""
        return order.return_url


@dataclass(frozen=True, slots=True)
class _Post:
    """The callback: the same bytes at every try."""

    url: str
    body: bytes = field(repr=False)

    def __call__(self, _now: datetime) -> Request:
        """Make the request."""
        return Request("POST", self.url, {"content-type": "application/json"}, self.body)


def _understood(status: int, body: bytes) -> bool:
    """Call again when nobody answered or return_code is 0; any other word is an answer."""
    try:
        return status == 200 and json.loads(body)["return_code"] != 0  # noqa: PLR2004 - HTTP's own word.
    except (ValueError, KeyError, TypeError):
        return False


def _mac(key: str, text: str) -> str:
    return hmac.digest(key.encode(), text.encode("utf-8"), "sha256").hex()


def _yes(**more: object) -> dict[str, object]:
    return {"return_code": 1, "return_message": "ok", "sub_return_code": 1} | more


def _no(error: CodeError) -> dict[str, object]:
    return {"return_code": _FAILED, "return_message": "failed", "sub_return_code": error.sub}


async def _body(request: Asked) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(await request.body())
    return said
