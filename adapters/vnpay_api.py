"""VNPAY's API of the merchant: querydr and refund, as signed messages; no calls.

Ask       querydr answers about one transaction of an order: the payment (TransactionType 01), or
          a refund of it (02 whole, 03 part). ResponseCode 00 says that the question was good.
Refund    the request's id is the refund's own reference, so a repeat is the same request and is
          answered 94. TransactionNo is always sent: a client that leaves it out signs another.
Amounts are đồng x 100, times are GMT+7, and raw values are joined by | under HMAC-SHA512.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from adapters import signing, strict_json
from gateway.domain.calendar import HANOI
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.ports.provider import Notice, Order, RefundOrder, RefundSaid, RefundVerdict, Verdict

answer_bytes_max: Final = 65_536  # A genuine answer is under 2 KB; longer is an attack.
info_chars_max: Final = 255
VERSION: Final = "2.1.0"
STAMP: Final = "%Y%m%d%H%M%S"
HASH: Final = "vnp_SecureHash"
# The order of the fields under each signature, without their prefix.
ASKED: Final = (
    "RequestId Version Command TmnCode TxnRef TransactionDate CreateDate IpAddr OrderInfo"
)
REFUND: Final = (
    "RequestId Version Command TmnCode TransactionType TxnRef Amount TransactionNo TransactionDate"
    " CreateBy CreateDate IpAddr OrderInfo"
)
_REFUNDED: Final = (
    "ResponseId Command ResponseCode Message TmnCode TxnRef Amount BankCode PayDate TransactionNo"
    " TransactionType TransactionStatus OrderInfo"
)
_ANSWERED: Final = f"{_REFUNDED} PromotionCode PromotionAmount"
# 04 debited at the bank but not completed, 07 suspected fraud, 05 06 09 a refund is under way.
REVIEW_STATUSES: Final = frozenset({"04", "05", "06", "07", "09"})
STATUSES: Final = MappingProxyType(
    {"00": Verdict.CAPTURED, "01": Verdict.PENDING, "02": Verdict.DECLINED}
    | dict.fromkeys(REVIEW_STATUSES, Verdict.REVIEW)
)
# Of a refund: 05 VNPAY works on it, 06 it is with the bank. What is not here is still unknown.
_REFUND_STATUSES: Final = MappingProxyType({"00": RefundVerdict.DONE, "09": RefundVerdict.REFUSED})
# Of the request for one: 91 no such payment, 95 it took no money; 94 it was asked for already.
_REFUND_CODES: Final = MappingProxyType(
    {"91": RefundVerdict.REFUSED, "95": RefundVerdict.REFUSED, "94": RefundVerdict.PENDING}
)
_NOT_TAKEN_UP: Final = frozenset({"02", "03", "97"})  # Our merchant, a field or the hash is wrong.


def sign(secret: str, said: Mapping[str, str], names: str) -> str:
    """Sign a message: raw values in VNPAY's order; an absent one is an empty field."""
    canonical = signing.piped(said.get(f"vnp_{name}", "") for name in names.split())
    return signing.hmac_sha512(secret, canonical.encode())


def question(secret: str, tmn_code: str, order: Order, at: datetime) -> dict[str, str]:
    """Write querydr about an order; its id is unique per day, and at most 32 characters."""
    seed = f"{tmn_code}|{order.reference}|{at.isoformat()}".encode()
    asked = {
        "vnp_RequestId": hashlib.sha256(seed).hexdigest()[:32],
        "vnp_Version": VERSION,
        "vnp_Command": "querydr",
        "vnp_TmnCode": tmn_code,
        "vnp_TxnRef": order.reference,
        "vnp_TransactionDate": stamp(order.created_at),
        "vnp_CreateDate": stamp(at),
        "vnp_IpAddr": address(order.payer_address),
        "vnp_OrderInfo": f"Truy van {order.reference}",
    }
    return asked | {HASH: sign(secret, asked, ASKED)}


def refund_request(secret: str, tmn_code: str, order: RefundOrder) -> dict[str, str]:
    """Write a refund; the same refund is the same message, its text names it for later."""
    asked = {
        "vnp_RequestId": order.reference,
        "vnp_Version": VERSION,
        "vnp_Command": "refund",
        "vnp_TmnCode": tmn_code,
        "vnp_TransactionType": _kind(order),
        "vnp_TxnRef": order.original.reference,
        "vnp_Amount": str(order.amount * 100),
        "vnp_TransactionNo": order.txn_id,
        "vnp_TransactionDate": stamp(order.original.created_at),
        "vnp_CreateBy": order.asked_by,
        "vnp_CreateDate": stamp(order.asked_at),
        "vnp_IpAddr": address(order.original.payer_address),
        "vnp_OrderInfo": f"{order.text[: info_chars_max - 40]} {order.reference}",
    }
    return asked | {HASH: sign(secret, asked, REFUND)}


def opened(secret: str, asked: Mapping[str, str], body: bytes, order: Order) -> dict[str, str]:
    """Verify an answer to what was asked about an order. Raises ForgedError or ValueError."""
    if len(body) > answer_bytes_max:
        raise ForgedError("The answer is too long.")
    said = {k: strict_json.text_of(v) for k, v in strict_json.read_object(body).items()}
    command = asked["vnp_Command"]
    names = _ANSWERED if command == "querydr" else _REFUNDED
    signing.require(said.get(HASH, "").lower(), sign(secret, said, names))
    if (said.get("vnp_TmnCode"), said.get("vnp_Command")) != (asked["vnp_TmnCode"], command):
        raise ForgedError("The answer is for another merchant, or to another question.")
    if (said.get("vnp_TxnRef") or order.reference) != order.reference:
        raise ForgedError("The answer is about another order.")
    return said


def told(said: Mapping[str, str], order: Order, at: datetime) -> Notice:
    """Read a verified answer; ResponseCode is about the question, TransactionStatus the money."""
    code = said.get("vnp_ResponseCode", "")
    if code == "91":  # Nobody came to the page: it can still happen until the order expires.
        verdict = Verdict.EXPIRED if at >= order.expires_at else Verdict.PENDING
        return Notice(verdict, "", 0, order_reference=order.reference, code=code)
    status, kind = said.get("vnp_TransactionStatus", ""), said.get("vnp_TransactionType", "")
    if code != "00" or said.get("vnp_TxnRef") != order.reference:
        raise InDoubtError("VNPAY could not say what became of the order.")
    if kind not in {"", "01"}:  # It speaks of money that went back, which we had not known of.
        return Notice(Verdict.REVIEW, "", 0, order_reference=order.reference, code=f"{code}/{kind}")
    try:
        return notice(said, STATUSES.get(status, Verdict.PENDING), f"{code}/{status}")
    except ForgedError as error:
        raise InDoubtError("VNPAY's answer cannot be believed.") from error


def refunded(said: Mapping[str, str], order: RefundOrder) -> RefundSaid:
    """Read a verified answer to a request for a refund."""
    code = said.get("vnp_ResponseCode", "")
    if code in _NOT_TAKEN_UP:
        raise DeclinedError(f"VNPAY did not take the refund up: {code}.")
    if code != "00":
        verdict = _REFUND_CODES.get(code, RefundVerdict.PENDING)
        return RefundSaid(verdict, order.reference, code=code)
    if said.get("vnp_Amount") != str(order.amount * 100):
        raise InDoubtError("VNPAY speaks of another amount.")
    return _refund_said(said, order)


def knows_no_refund(said: Mapping[str, str]) -> bool:
    """Tell whether a verified answer to querydr speaks of the payment, as if nothing went back."""
    names = ("vnp_ResponseCode", "vnp_TransactionType", "vnp_TransactionStatus")
    return [said.get(name) for name in names] == ["00", "01", "00"]


def refund_told(said: Mapping[str, str], order: RefundOrder) -> RefundSaid:
    """Read a verified answer to querydr as a word about a refund, as far as it can be one.

    It names no refund, only kind and amount: of a part, another of the same amount looks alike,
    unless the text that we gave it comes back.
    """
    code, status = said.get("vnp_ResponseCode", ""), said.get("vnp_TransactionStatus", "")
    if code != "00":
        raise InDoubtError("VNPAY could not say what became of the refund.")
    same = (said.get("vnp_TransactionType"), said.get("vnp_Amount")) == (
        _kind(order), str(order.amount * 100),
    )  # fmt: skip
    named = order.is_full or order.reference in said.get("vnp_OrderInfo", "")
    if same and named:
        return _refund_said(said, order)
    return RefundSaid(RefundVerdict.PENDING, order.reference, code=f"{code}/{status}")


def _refund_said(said: Mapping[str, str], order: RefundOrder) -> RefundSaid:
    status, number = said.get("vnp_TransactionStatus", ""), _number(said)
    verdict = _REFUND_STATUSES.get(status, RefundVerdict.PENDING)
    if verdict is RefundVerdict.DONE and not number:
        verdict = RefundVerdict.PENDING  # A refund without a number cannot be shown to anybody.
    return RefundSaid(verdict, order.reference, number, f"00/{status}")


def _kind(order: RefundOrder) -> str:
    return "02" if order.is_full else "03"


def notice(said: Mapping[str, str], verdict: Verdict, code: str) -> Notice:
    """Read the fields that a notice and an answer share. Raises ForgedError."""
    number = _number(said)
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


def _number(said: Mapping[str, str]) -> str:
    number = said.get("vnp_TransactionNo", "")
    return number if number.strip("0") else ""


def stamp(at: datetime) -> str:
    """Write a time as VNPAY does."""
    return at.astimezone(HANOI).strftime(STAMP)


def _instant(text: str) -> datetime | None:
    if not re.fullmatch(r"[0-9]{14}", text):
        return None
    try:
        return datetime.strptime(text, STAMP).replace(tzinfo=HANOI).astimezone(UTC)
    except ValueError:
        return None  # A bad date is no reason to lose money that moved.


def address(payer_address: str) -> str:
    """Give an address of 7 to 45 characters, as VNPAY demands; ``::1`` is too short."""
    return payer_address if 7 <= len(payer_address) <= 45 else "127.0.0.1"  # noqa: PLR2004 - see above.
