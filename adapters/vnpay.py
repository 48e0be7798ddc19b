"""VNPAY PAY 2.1.0: cards, bank accounts and VNPAYQR on VNPAY's own page.

Checkout  a signed address, made without calling anyone; the citizen goes there by GET.
Notice    GET with the fields in the query, HMAC-SHA512; answer 200 with a RspCode; 00 and 02 stop
          VNPAY, anything else is called again, at most ten times, five minutes apart.
Ask       POST querydr; the answer is signed too. Amounts are đồng x 100, times are GMT+7.
Captured  only when ResponseCode AND TransactionStatus are 00.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from adapters import settings_rules, signing, strict_json, strict_query
from gateway.domain.calendar import HANOI
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.ports.plugin import AdapterSpec
from gateway.ports.provider import Ack, Can, Checkout, Notice, Order, Outcome, RawNotice, Verdict
from gateway.ports.wire import Wire

answer_bytes_max: Final = 65_536  # A genuine answer is under 2 KB; longer is an attack.
amount_dong_max: Final = 9_999_999_999  # vnp_Amount has at most 12 digits, two of them zeros.
VERSION: Final = "2.1.0"
STAMP: Final = "%Y%m%d%H%M%S"
HASH: Final = "vnp_SecureHash"
_UNSIGNED: Final = frozenset({HASH, "vnp_SecureHashType"})

_RESPONSES: Final = MappingProxyType(
    {"24": Verdict.CANCELLED, "11": Verdict.EXPIRED}
    | dict.fromkeys(("09", "10", "12", "13", "51", "65", "75", "79", "99"), Verdict.DECLINED)
)
# 04 debited at the bank but not completed, 07 suspected fraud, 05 06 09 a refund is under way.
_REVIEW_STATUSES: Final = frozenset({"04", "05", "06", "07", "09"})
_STATUSES: Final = MappingProxyType(
    {"00": Verdict.CAPTURED, "01": Verdict.PENDING, "02": Verdict.DECLINED}
    | dict.fromkeys(_REVIEW_STATUSES, Verdict.REVIEW)
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
# The order of the fields under each signature, without their prefix.
_ASKED: Final = (
    "RequestId Version Command TmnCode TxnRef TransactionDate CreateDate IpAddr OrderInfo"
)
_ANSWERED: Final = (
    "ResponseId Command ResponseCode Message TmnCode TxnRef Amount BankCode PayDate TransactionNo "
    "TransactionType TransactionStatus OrderInfo PromotionCode PromotionAmount"
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
            inquires=True,
            notice_names=("vnpay",),
        )

    async def checkout(self, order: Order) -> Checkout:
        """Make the signed address of VNPAY's page; the same order gives the same address."""
        if not 1 <= order.amount <= amount_dong_max:
            raise DeclinedError(f"VNPAY takes 1 to {amount_dong_max} đồng.")
        query = signing.form_sorted(self._pay_fields(order).items())
        signature = signing.hmac_sha512(self.secret, query.encode())
        return Checkout(redirect_url=f"{self.base_url}?{query}&{HASH}={signature}")

    def _pay_fields(self, order: Order) -> dict[str, str]:
        return {
            "vnp_Version": VERSION,
            "vnp_Command": "pay",
            "vnp_TmnCode": self.tmn_code,
            "vnp_Amount": str(order.amount * 100),
            "vnp_CurrCode": "VND",
            "vnp_TxnRef": order.reference,
            "vnp_OrderInfo": order.text,
            "vnp_OrderType": "other",
            "vnp_Locale": "en" if order.locale == "en" else "vn",
            "vnp_ReturnUrl": order.return_url,
            "vnp_IpAddr": _address(order.payer_address),
            "vnp_CreateDate": _stamp(order.created_at),
            "vnp_ExpireDate": _stamp(order.expires_at),
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
        return _notice(said, _verdict(code, status), f"{code}/{status}")

    def _verified(self, query: str) -> dict[str, str]:
        said = strict_query.read(query)
        signed = [(k, v) for k, v in said.items() if k.startswith("vnp_") and k not in _UNSIGNED]
        given = said.get(HASH, "")
        # VNPAY's own samples differ on the case of the hash; a mixture is nobody's.
        given = given.lower() if given == given.upper() else given
        canonical = signing.form_sorted(signed).encode()
        signing.require(given, signing.hmac_sha512(self.secret, canonical))
        return said

    def acknowledge(self, outcome: Outcome) -> Ack:
        """Answer with a RspCode; VNPAY reads the body, the status is always 200."""
        code, message = _ACKS[outcome]
        return Ack(200, json.dumps({"RspCode": code, "Message": message}).encode())

    async def ask(self, order: Order, at: datetime) -> Notice:
        """Ask by querydr; only a signed answer about this very order is believed."""
        try:
            reply = await self.wire.send(
                "POST",
                self.api_url,
                headers={"content-type": "application/json"},
                body=json.dumps(self._question(order, at)).encode(),
            )
            if reply.status != 200:  # noqa: PLR2004 - HTTP's own word for success.
                raise InDoubtError("VNPAY did not answer querydr.")
            said = self._answer(reply.body, order)
        except DeclinedError as error:  # It did not arrive, so nothing was learned.
            raise InDoubtError("VNPAY could not be reached.") from error
        except (ForgedError, ValueError) as error:
            raise InDoubtError("VNPAY's answer cannot be believed.") from error
        return _told(said, order, at)

    def _question(self, order: Order, at: datetime) -> dict[str, str]:
        seed = f"{self.tmn_code}|{order.reference}|{at.isoformat()}".encode()
        asked = {
            "vnp_RequestId": hashlib.sha256(seed).hexdigest()[:32],  # Unique per day, at most 32.
            "vnp_Version": VERSION,
            "vnp_Command": "querydr",
            "vnp_TmnCode": self.tmn_code,
            "vnp_TxnRef": order.reference,
            "vnp_TransactionDate": _stamp(order.created_at),
            "vnp_CreateDate": _stamp(at),
            "vnp_IpAddr": _address(order.payer_address),
            "vnp_OrderInfo": f"Truy van {order.reference}",
        }
        return asked | {HASH: sign_question(self.secret, asked)}

    def _answer(self, body: bytes, order: Order) -> dict[str, str]:
        if len(body) > answer_bytes_max:
            raise ForgedError("The answer is too long.")
        said = {k: strict_json.text_of(v) for k, v in strict_json.read_object(body).items()}
        canonical = signing.piped(
            said.get(f"vnp_{name}", "") for name in _ANSWERED.split()
        ).encode()
        signing.require(said.get(HASH, "").lower(), signing.hmac_sha512(self.secret, canonical))
        known = said.get("vnp_TmnCode") == self.tmn_code
        if not known or (said.get("vnp_TxnRef") or order.reference) != order.reference:
            raise ForgedError("The answer is about something else.")
        return said


def sign_question(secret: str, asked: Mapping[str, str]) -> str:
    """Sign a querydr request: raw values in VNPAY's order."""
    canonical = signing.piped(asked[f"vnp_{name}"] for name in _ASKED.split())
    return signing.hmac_sha512(secret, canonical.encode())


def _told(said: Mapping[str, str], order: Order, at: datetime) -> Notice:
    """Read a verified answer; ResponseCode is about the question, TransactionStatus the money."""
    code = said.get("vnp_ResponseCode", "")
    if code == "91":  # Nobody came to the page: it can still happen until the order expires.
        verdict = Verdict.EXPIRED if at >= order.expires_at else Verdict.PENDING
        return Notice(verdict, "", 0, order_reference=order.reference, code=code)
    status = said.get("vnp_TransactionStatus", "")
    if code != "00" or said.get("vnp_TxnRef") != order.reference:
        raise InDoubtError("VNPAY could not say what became of the order.")
    try:
        return _notice(said, _STATUSES.get(status, Verdict.PENDING), f"{code}/{status}")
    except ForgedError as error:
        raise InDoubtError("VNPAY's answer cannot be believed.") from error


def _notice(said: Mapping[str, str], verdict: Verdict, code: str) -> Notice:
    number = said.get("vnp_TransactionNo", "")
    number = "" if not number.strip("0") else number
    if verdict is Verdict.CAPTURED and not number:
        verdict = Verdict.PENDING  # Money without a number cannot be told from its repeat.
    amount, reference = said.get("vnp_Amount", ""), said.get("vnp_TxnRef", "")
    if not re.fullmatch(r"[0-9]{1,15}", amount) or int(amount) % 100 or not reference:
        raise ForgedError("The notice has no readable order or amount.")
    return Notice(
        verdict,
        number,
        int(amount) // 100,
        order_reference=reference,
        paid_at=_instant(said.get("vnp_PayDate", "")),
        merchant=said.get("vnp_TmnCode"),
        code=code,
    )


def _verdict(code: str, status: str) -> Verdict:
    """Combine both codes. What is contradictory or unknown is pending, and will be asked."""
    if code == "07" or status in _REVIEW_STATUSES:
        return Verdict.REVIEW
    if code == "00":
        return Verdict.CAPTURED if status == "00" else Verdict.PENDING
    return Verdict.PENDING if status == "00" else _RESPONSES.get(code, Verdict.PENDING)


def _stamp(at: datetime) -> str:
    return at.astimezone(HANOI).strftime(STAMP)


def _instant(stamp: str) -> datetime | None:
    if not re.fullmatch(r"[0-9]{14}", stamp):
        return None
    try:
        return datetime.strptime(stamp, STAMP).replace(tzinfo=HANOI).astimezone(UTC)
    except ValueError:
        return None  # A bad date is no reason to lose money that moved.


def _address(payer_address: str) -> str:
    """Give an address of 7 to 45 characters, as VNPAY demands; ``::1`` is too short."""
    return payer_address if 7 <= len(payer_address) <= 45 else "127.0.0.1"  # noqa: PLR2004 - see above.


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
