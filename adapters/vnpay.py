"""VNPAY PAY 2.1.0: cards, bank accounts and VNPAYQR on VNPAY's own page.

Checkout  a signed address, made without calling anyone; the citizen goes there by GET.
Notice    GET with the fields in the query, HMAC-SHA512; answer 200 with a RspCode; 00 and 02 stop
          VNPAY, anything else is called again, at most ten times, five minutes apart.
Ask       POST querydr, and refund by the same door (``vnpay_api``); answers are signed too.
Captured  only when ResponseCode AND TransactionStatus are 00.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote_plus

from adapters import settings_rules, signing, strict_query
from adapters import vnpay_api as api
from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.ports.plugin import AdapterSpec
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
    RefundRule,
    RefundSaid,
    Verdict,
)
from gateway.ports.wire import Wire

amount_dong_max: Final = 9_999_999_999  # vnp_Amount has at most 12 digits, two of them zeros.
_UNSIGNED: Final = frozenset({api.HASH, "vnp_SecureHashType"})
METHODS: Final = (
    Method("VNPAYQR", "Mã VNPAYQR", "VNPAYQR code", amount_max=amount_dong_max),
    Method(
        "VNBANK", "Thẻ ATM, tài khoản ngân hàng", "ATM card, bank account",
        amount_max=amount_dong_max,
    ),
    Method("INTCARD", "Thẻ quốc tế", "International card", amount_max=amount_dong_max),
)  # fmt: skip

_RESPONSES: Final = MappingProxyType(
    {"24": Verdict.CANCELLED, "11": Verdict.EXPIRED}
    | dict.fromkeys(("09", "10", "12", "13", "51", "65", "75", "79", "99"), Verdict.DECLINED)
)
_ACKS: Final = MappingProxyType(
    {
        Outcome.RECORDED: ("00", "Confirm Success"),
        Outcome.REPEATED: ("02", "Order already confirmed"),
        Outcome.UNKNOWN_ORDER: ("01", "Order not found"),
        Outcome.WRONG_AMOUNT: ("04", "Invalid amount"),
        Outcome.FORGED: ("97", "Invalid signature"),
        Outcome.FAILED: ("99", "Unknown error"),
    }
)


@dataclass(frozen=True, slots=True)
class Vnpay:
    """One merchant account (TmnCode) at VNPAY."""

    wire: Wire = field(repr=False)
    tmn_code: str
    secret: str = field(repr=False)
    base_url: str
    api_url: str
    account: str = "default"
    name: str = "vnpay"

    @property
    def can(self) -> Can:
        """Declare what VNPAY can do."""
        return Can(
            title_vi="VNPAY (thẻ, tài khoản ngân hàng, VNPAYQR)",
            title_en="VNPAY (card, bank account, VNPAYQR)",
            amount_max=amount_dong_max,
            methods=METHODS,
            inquires=True,
            refund=RefundRule(amount_max=amount_dong_max),
            notice_names=("vnpay",),
        )

    async def checkout(self, order: Order) -> Checkout:
        """Make the signed address of VNPAY's page; the same order gives the same address."""
        if not 1 <= order.amount <= amount_dong_max:
            raise DeclinedError(f"VNPAY takes 1 to {amount_dong_max} đồng.")
        if order.method and order.method not in {m.code for m in METHODS}:
            raise DeclinedError("VNPAY has no such method.")
        query = signing.form_sorted(self._pay_fields(order).items())
        signature = signing.hmac_sha512(self.secret, query.encode())
        return Checkout(redirect_url=f"{self.base_url}?{query}&{api.HASH}={signature}")

    def _pay_fields(self, order: Order) -> dict[str, str]:
        return {
            "vnp_Version": api.VERSION,
            "vnp_Command": "pay",
            "vnp_TmnCode": self.tmn_code,
            "vnp_Amount": str(order.amount * 100),
            "vnp_BankCode": order.method,  # Empty is not sent: the citizen chooses there.
            "vnp_CurrCode": "VND",
            "vnp_TxnRef": order.reference,
            "vnp_OrderInfo": order.text,
            "vnp_OrderType": "other",
            "vnp_Locale": "en" if order.locale == "en" else "vn",
            "vnp_ReturnUrl": order.return_url,
            "vnp_IpAddr": api.address(order.payer_address),
            "vnp_CreateDate": api.stamp(order.created_at),
            "vnp_ExpireDate": api.stamp(order.expires_at),
        }

    def read(self, raw: RawNotice) -> Notice:
        """Verify, then parse, the GET that VNPAY sends."""
        return self.read_return(raw.query)

    def read_return(self, query: str) -> Notice:
        """Verify and read a query string; the return carries the same signed fields."""
        said = self._verified(query)
        if said.get("vnp_TmnCode") != self.tmn_code:
            raise ForgedError("The notice is for another merchant.")
        code, status = said.get("vnp_ResponseCode", ""), said.get("vnp_TransactionStatus", "")
        return api.notice(said, _verdict(code, status), f"{code}/{status}")

    def _verified(self, query: str) -> dict[str, str]:
        said = strict_query.read(query)
        given = said.get(api.HASH, "")
        # VNPAY's own samples differ on the case of the hash; a mixture is nobody's.
        given = given.lower() if given == given.upper() else given
        # Encoders disagree on ~ * ( ) ! and ', so what was sent is tried before what we would send.
        if not signing.agree(given, signing.hmac_sha512(self.secret, _as_sent(query).encode())):
            signed = [(name, value) for name, value in said.items() if _is_signed(name)]
            canonical = signing.form_sorted(signed).encode()
            signing.require(given, signing.hmac_sha512(self.secret, canonical))
        return said

    def acknowledge(self, outcome: Outcome) -> Ack:
        """Answer with a RspCode; VNPAY reads the body, the status is always 200."""
        code, message = _ACKS[outcome]
        return Ack(200, json.dumps({"RspCode": code, "Message": message}).encode())

    async def ask(self, order: Order, at: datetime) -> Notice:
        """Ask by querydr; only a signed answer about this very order is believed."""
        return api.told(await self._query(order, at), order, at)

    async def refund(self, order: RefundOrder) -> RefundSaid:
        """Give money back, whole or in part; the same refund is the same request."""
        if not 1 <= order.amount <= min(order.captured, amount_dong_max):
            raise DeclinedError("VNPAY gives back 1 đồng to what it took.")
        asked = api.refund_request(self.secret, self.tmn_code, order)
        return api.refunded(await self._call(asked, order.original), order)

    async def ask_refund(self, order: RefundOrder, at: datetime) -> RefundSaid:
        """Ask by querydr, which names no refund: what it cannot tell apart stays pending.

        Where VNPAY knows only of the payment, the request was lost, and is made again while its id
        makes it the same one there: ids are told apart within a day.
        """
        said = await self._query(order.original, at)
        if api.knows_no_refund(said) and hanoi_day(at) == hanoi_day(order.asked_at):
            return await self.refund(order)
        return api.refund_told(said, order)

    async def _query(self, order: Order, at: datetime) -> dict[str, str]:
        try:
            asked = api.question(self.secret, self.tmn_code, order, at)
            return await self._call(asked, order)
        except DeclinedError as error:  # It did not arrive, so nothing was learned.
            raise InDoubtError("VNPAY could not be reached.") from error

    async def _call(self, asked: Mapping[str, str], order: Order) -> dict[str, str]:
        reply = await self.wire.send(
            "POST",
            self.api_url,
            headers={"content-type": "application/json"},
            body=json.dumps(asked).encode(),
        )
        if reply.status != 200:  # noqa: PLR2004 - HTTP's own word for success.
            raise InDoubtError("VNPAY did not answer.")
        try:
            return api.opened(self.secret, asked, reply.body, order)
        except (ForgedError, ValueError) as error:
            raise InDoubtError("VNPAY's answer cannot be believed.") from error


def _verdict(code: str, status: str) -> Verdict:
    """Combine both codes. What is contradictory or unknown is pending, and will be asked."""
    if code == "07" or status in api.REVIEW_STATUSES:
        return Verdict.REVIEW
    if code == "00":
        return Verdict.CAPTURED if status == "00" else Verdict.PENDING
    return Verdict.PENDING if status == "00" else _RESPONSES.get(code, Verdict.PENDING)


def _is_signed(name: str) -> bool:
    return name.startswith("vnp_") and name not in _UNSIGNED


def _as_sent(query: str) -> str:
    """Sort what is signed by name, each pair as it was written; without empty values.

    A name is what it decodes to, or ``vnp%5FAmount`` would be read and not be signed.
    """
    pairs = [pair.partition("=") for pair in query.split("&")]
    signed = [p for p in pairs if p[2] and _is_signed(unquote_plus(p[0]))]
    return "&".join(f"{name}={value}" for name, _, value in sorted(signed))


def _build(values: Mapping[str, str], wire: Wire, account: str) -> Vnpay:
    """Check the settings and build the adapter."""
    return Vnpay(
        wire=wire,
        tmn_code=settings_rules.matching(
            values, "VNPAY_TMN_CODE", r"[A-Za-z0-9]{8}", "8 letters or digits"
        ),
        secret=settings_rules.secret(values, "VNPAY_SECRET"),
        base_url=settings_rules.web_address(values, "VNPAY_BASE_URL"),
        api_url=settings_rules.web_address(values, "VNPAY_API_URL"),
        account=account,
    )


VNPAY: Final = AdapterSpec(
    name="vnpay",
    fields=("VNPAY_TMN_CODE", "VNPAY_SECRET", "VNPAY_BASE_URL", "VNPAY_API_URL"),
    secret_fields=("VNPAY_SECRET",),
    build=_build,
    suite="adapters.vectors.vnpay:VnpayConformance",
)
