"""VNPAY's side: the pay page, the notice with its retries, querydr, refund, the way back."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.simulator import pages
from adapters.simulator.config import SimulatorConfig
from adapters.simulator.faults import FaultScript, Variant
from adapters.simulator.journal import Journal
from adapters.simulator.orders import Orders, PageError, PayOrder, Txn, TxnState, with_query
from adapters.simulator.post import Letter, Post, Request
from gateway.domain.calendar import HANOI
from gateway.ports.clock import Clock

PAY_PATH: Final = "/vnpay/paymentv2/vpcpay.html"
API_PATH: Final = "/vnpay/merchant_webapi/api/transaction"
STAMP: Final = "%Y%m%d%H%M%S"
RETRIES: Final = (timedelta(minutes=5),) * 9  # At most ten calls, five minutes apart.
FOREIGN_TMN: Final = "OTHERTMN"
# ResponseCode and TransactionStatus of each end.
_CODES: Final = MappingProxyType(
    {
        TxnState.TAKEN: ("00", "00"), TxnState.WAITING: ("00", "01"),
        TxnState.DECLINED: ("51", "02"), TxnState.CANCELLED: ("24", "02"),
        TxnState.EXPIRED: ("11", "02"),
    }
)  # fmt: skip
_ASKED: Final = {
    "querydr": "RequestId Version Command TmnCode TxnRef TransactionDate CreateDate IpAddr"
    " OrderInfo",
    "refund": "RequestId Version Command TmnCode TransactionType TxnRef Amount TransactionNo"
    " TransactionDate CreateBy CreateDate IpAddr OrderInfo",
}
_ABOUT: Final = (
    "ResponseId Command ResponseCode Message TmnCode TxnRef Amount BankCode PayDate TransactionNo"
    " TransactionType TransactionStatus OrderInfo"
)
_ANSWERED: Final = {"querydr": f"{_ABOUT} PromotionCode PromotionAmount", "refund": _ABOUT}
refund_takes: Final = timedelta(hours=1)  # Illustrative: how long a refund is with the bank.


def settings(origin: str, secret: Callable[[str], str]) -> dict[str, str]:
    """Give our settings for a simulator at this origin; ``secret`` makes one for a field."""
    return {
        "VNPAY_TMN_CODE": "THUPHI01", "VNPAY_SECRET": secret("VNPAY_SECRET"),
        "VNPAY_BASE_URL": origin + PAY_PATH, "VNPAY_API_URL": origin + API_PATH,
    }  # fmt: skip


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
    name: str = "vnpay"
    orders: Orders = field(init=False)

    def __post_init__(self) -> None:
        """Open the order book."""
        self.orders = Orders(self.clock, self.journal, self.post, self.faults, self, self._tmn_code)

    @property
    def _tmn_code(self) -> str:
        return self.config.values["VNPAY_TMN_CODE"]

    @property
    def _secret(self) -> str:
        return self.config.values["VNPAY_SECRET"]

    def routes(self) -> Sequence[Route]:
        """Give the pay page and the API."""
        return [
            Route(PAY_PATH, self.page, methods=["GET"]),
            Route(API_PATH, self.api, methods=["POST"]),
        ]

    async def page(self, request: Asked) -> Response:
        """Show the page of a signed order."""
        return pages.order(self.name, "VNPAY", self.open(request.url.query))

    async def api(self, request: Asked) -> Response:
        """Answer what became of an order, or give back what it took."""
        body = await request.body()
        status, said = self.answer(body)
        order = self.orders.known.get(said.get("vnp_TxnRef", ""))
        if self.orders.is_slow(order):
            await asyncio.sleep(self.config.slow_s)
        return self.orders.misbehaved(order) or JSONResponse(said, status)

    def opened(self, redirect_url: str) -> PayOrder:
        """Open the order behind a signed address."""
        return self.open(urlsplit(redirect_url).query)

    def open(self, query: str) -> PayOrder:
        """Check the merchant's signature and take the order up; the same order once."""
        said = dict(parse_qsl(query, keep_blank_values=True))
        given = said.pop("vnp_SecureHash", "")
        theirs = {k: v for k, v in said.items() if k.startswith("vnp_")}
        mine = signed(self._secret, theirs).rsplit("=", 1)[1]
        if not hmac.compare_digest(mine, given.lower()):
            raise PageError("70: wrong signature")
        if said.get("vnp_TmnCode") != self._tmn_code:
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
        return self.orders.open(fresh)

    def letter(self, order: PayOrder, txn: Txn, variant: Variant) -> Letter | None:
        """Write the notice: a GET with the signed fields."""
        query = self._query(order, txn, variant)
        url = f"{self.config.notice_url('vnpay')}?{query}"
        return Letter(_Get(url), _understood, RETRIES)

    def back(self, order: PayOrder, txn: Txn) -> str:
        """Send the browser back with the same signed fields."""
        return with_query(order.return_url, self._query(order, txn, Variant.GENUINE))

    def _query(self, order: PayOrder, txn: Txn, variant: Variant) -> str:
        code, status = _CODES[txn.state]
        fields = {
            "vnp_Amount": str(txn.amount * 100),
            "vnp_BankCode": "NCB",
            "vnp_BankTranNo": f"VNP{txn.number}" if txn.number != "0" else "",
            "vnp_CardType": "ATM",
            "vnp_OrderInfo": order.info,
            "vnp_PayDate": _stamp(txn.at),
            "vnp_ResponseCode": code,
            "vnp_TmnCode": self._tmn_code,
            "vnp_TransactionNo": txn.number,
            "vnp_TransactionStatus": status,
            "vnp_TxnRef": order.reference,
        }
        if variant is Variant.STALE:
            fields["vnp_TransactionStatus"] = "01"
        if variant is Variant.FOREIGN:
            fields["vnp_TmnCode"] = FOREIGN_TMN
        if variant is Variant.FORGED:
            return signed("a-secret-that-a-forger-made-up", fields)
        return signed(self._secret, fields)

    def answer(self, body: bytes) -> tuple[int, dict[str, str]]:
        """Answer querydr or refund, signed."""
        command = "querydr"
        try:
            asked: dict[str, Any] = json.loads(body)
            command = str(asked["vnp_Command"])
            parts = [str(asked[f"vnp_{n}"]) for n in _ASKED[command].split()]
            given = str(asked["vnp_SecureHash"])
        except (ValueError, KeyError, TypeError):
            return 200, self._reply("querydr", {"ResponseCode": "03", "Message": "Invalid format"})
        said = {n: str(v) for n, v in zip(_ASKED[command].split(), parts, strict=True)}
        if not hmac.compare_digest(_mac(self._secret, parts), given.lower()):
            return 200, self._reply(command, {"ResponseCode": "97", "Message": "Invalid checksum"})
        if said["TmnCode"] != self._tmn_code:
            return 200, self._reply(command, {"ResponseCode": "02", "Message": "Invalid TmnCode"})
        order = self.orders.known.get(said["TxnRef"])
        about = self._state(order) if command == "querydr" else self._give_back(order, said)
        return 200, self._reply(command, {"TxnRef": said["TxnRef"]} | about)

    def _state(self, order: PayOrder | None) -> dict[str, str]:
        """Say what became of an order; once something was given back, it is that of which."""
        now = self.clock.now()
        if order is None or (not order.txns and now >= order.expires_at):
            return {"ResponseCode": "91", "Message": "Transaction not found"}
        if order.refunds:
            return {"ResponseCode": "00", "Message": "QueryDR Success"} | self._refund_said(order)
        txn = order.last or Txn("0", order.amount, TxnState.WAITING, now)
        return {
            "ResponseCode": "00",
            "Message": "QueryDR Success",
            "Amount": str(txn.amount * 100),
            "BankCode": "NCB",
            "PayDate": _stamp(txn.at),
            "TransactionNo": txn.number,
            "TransactionType": "01",
            "TransactionStatus": _CODES[txn.state][1],
            "OrderInfo": order.info,
        }

    def _give_back(self, order: PayOrder | None, said: dict[str, str]) -> dict[str, str]:
        if order is None:
            return {"ResponseCode": "91", "Message": "Transaction not found"}
        taken = [t for t in order.txns if t.number == said["TransactionNo"]]
        if not taken or order.taken is None:
            return {"ResponseCode": "95", "Message": "Transaction not successful"}
        if any(r.reference == said["RequestId"] for r in order.refunds):
            return {"ResponseCode": "94", "Message": "Request is duplicated"}
        amount = int(said["Amount"]) // 100
        if (said["TransactionType"] == "02") != (amount == taken[0].amount):
            return {"ResponseCode": "03", "Message": "The kind does not fit the amount"}
        try:
            self.orders.give_back(order, said["RequestId"], amount)
        except PageError as error:
            return {"ResponseCode": "95", "Message": str(error)}
        order.more[said["RequestId"]] = said["OrderInfo"]
        return {"ResponseCode": "00", "Message": "Refund success"} | self._refund_said(order)

    def _refund_said(self, order: PayOrder) -> dict[str, str]:
        """Speak of the newest refund: with the bank for a while, then done."""
        refund = order.refunds[-1]
        done = self.clock.now() >= refund.at + refund_takes
        whole = order.taken is not None and refund.amount == order.taken.amount
        return {
            "Amount": str(refund.amount * 100),
            "BankCode": "NCB",
            "PayDate": _stamp(refund.at),
            "TransactionNo": refund.txn_id,
            "TransactionType": "02" if whole else "03",
            "TransactionStatus": "00" if done else "05",
            "OrderInfo": order.more[refund.reference],
        }

    def _reply(self, command: str, said: dict[str, str]) -> dict[str, str]:
        fields = {
            "ResponseId": self.clock.new_id("rsp").removeprefix("rsp_"),
            "Command": command,
            "TmnCode": self._tmn_code,
        } | said
        parts = [fields.get(name, "") for name in _ANSWERED[command].split()]
        named = {f"vnp_{name}": value for name, value in fields.items()}
        return named | {"vnp_SecureHash": _mac(self._secret, parts)}


@dataclass(frozen=True, slots=True)
class _Get:
    """The notice: the same address at every try."""

    url: str = field(repr=False)

    def __call__(self, _now: datetime) -> Request:
        """Make the request."""
        return Request("GET", self.url)


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
