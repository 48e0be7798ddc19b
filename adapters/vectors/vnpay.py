"""VNPAY's recorded messages, and what its adapter must make of them.

The merchant and the secret are a test's; npm ``vnpay`` and Python's standard library sign alike.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from adapters.conformance import ProviderConformance
from adapters.vnpay import VNPAY, Vnpay
from gateway.ports.provider import (
    Notice,
    Order,
    Outcome,
    Provider,
    RawNotice,
    RefundOrder,
    RefundVerdict,
    Verdict,
)
from gateway.ports.wire import Reply, Wire

SECRET: Final = "VNPTESTSECRET0123456789ABCDEFGH"
SETTINGS: Final[Mapping[str, str]] = {
    "VNPAY_TMN_CODE": "TESTTMN1",
    "VNPAY_SECRET": SECRET,
    "VNPAY_BASE_URL": "https://sandbox.vnpayment.vn/paymentv2/vpcpay.html",
    "VNPAY_API_URL": "https://sandbox.vnpayment.vn/merchant_webapi/api/transaction",
}
CREATED: Final = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
ORDER: Final = Order(
    reference="HN20261124000001",
    serial=1,
    payment_reference="0123456789AB",
    amount=150_000,
    text="Nop phi ho so HN1: 50% (le phi)",
    return_url="https://pay.example.gov.vn/vnpay/return?l=vi",
    created_at=CREATED,
    expires_at=CREATED + timedelta(minutes=15),
    payer_address="203.0.113.7",
)
FIELDS: Final[Mapping[str, str]] = {
    "vnp_Amount": "15000000",
    "vnp_BankCode": "NCB",
    "vnp_BankTranNo": "VNP14831393",
    "vnp_CardType": "ATM",
    "vnp_OrderInfo": "Nop phi ho so HN1: le phi",
    "vnp_PayDate": "20261124103112",
    "vnp_ResponseCode": "00",
    "vnp_TmnCode": "TESTTMN1",
    "vnp_TransactionNo": "14831393",
    "vnp_TransactionStatus": "00",
    "vnp_TxnRef": "HN20261124000001",
}
ANSWER_NAMES: Final = (
    "ResponseId Command ResponseCode Message TmnCode TxnRef Amount BankCode PayDate TransactionNo "
    "TransactionType TransactionStatus OrderInfo PromotionCode PromotionAmount"
)
REFUND_NAMES: Final = ANSWER_NAMES.removesuffix(" PromotionCode PromotionAmount")
REFUND: Final = RefundOrder(
    reference="01JD3Q4N5R6S7T8V9W0X1Y2Z3A",
    serial=7,
    original=ORDER,
    txn_id="14831393",
    captured=150_000,
    amount=150_000,
    text="Hoan phi HN1",
    asked_by="ketoan",
    asked_at=CREATED + timedelta(hours=1),
)


def mac(text: str, secret: str = SECRET) -> str:
    """Sign as VNPAY does."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()


def notice(secret: str = SECRET, **changes: str) -> RawNotice:
    """Make a genuine notice, with these fields in place of the recorded ones."""
    fields = {**FIELDS, **{f"vnp_{k}": v for k, v in changes.items()}}
    query = urlencode(sorted((k, v) for k, v in fields.items() if v))
    return raw(f"{query}&vnp_SecureHash={mac(query, secret)}")


def raw(query: str) -> RawNotice:
    """Make a notice of a query string."""
    return RawNotice("GET", query, {}, b"", CREATED)


def answer(**changes: str) -> Reply:
    """Make a genuine answer to querydr, with these fields in place of the recorded ones."""
    return _answered(ANSWER_NAMES, changes)


def refunded(**changes: str) -> Reply:
    """Make a genuine answer to the whole refund, with these fields in place of the recorded."""
    about = {"Command": "refund", "TransactionType": "02", "TransactionNo": "14831400"}
    return _answered(REFUND_NAMES, about | {"OrderInfo": "Hoan phi"} | changes)


def asked_after(**changes: str) -> Reply:
    """Make a genuine answer to querydr once the whole refund was made."""
    return answer(**({"TransactionType": "02", "TransactionNo": "14831400"} | changes))


def _answered(names: str, changes: Mapping[str, str]) -> Reply:
    said = {
        "vnp_ResponseId": "a1",
        "vnp_Command": "querydr",
        "vnp_ResponseCode": "00",
        "vnp_Message": "QueryDR Success",
        "vnp_TmnCode": "TESTTMN1",
        "vnp_TxnRef": "HN20261124000001",
        "vnp_Amount": "15000000",
        "vnp_BankCode": "NCB",
        "vnp_PayDate": "20261124103112",
        "vnp_TransactionNo": "14831393",
        "vnp_TransactionType": "01",
        "vnp_TransactionStatus": "00",
        "vnp_OrderInfo": "Truy van",
        **{f"vnp_{k}": v for k, v in changes.items()},
    }
    said["vnp_SecureHash"] = mac("|".join(said.get(f"vnp_{n}", "") for n in names.split()))
    return Reply(200, {}, json.dumps(said).encode())


def build(wire: Wire) -> Vnpay:
    """Build the adapter with the recorded merchant."""
    provider = VNPAY.build(SETTINGS, wire, "default")
    assert isinstance(provider, Vnpay)
    return provider


class VnpayConformance(ProviderConformance):
    """The common suite on VNPAY."""

    carrier = "query"

    def provider(self, wire: Wire) -> Provider:
        return build(wire)

    def secrets(self) -> tuple[str, ...]:
        return (SECRET,)

    def order(self) -> Order:
        return ORDER

    def notices(self) -> Mapping[Verdict, RawNotice]:
        return {
            Verdict.CAPTURED: notice(),
            Verdict.PENDING: notice(TransactionStatus="01"),
            Verdict.DECLINED: notice(ResponseCode="51", TransactionStatus="02"),
            Verdict.CANCELLED: notice(ResponseCode="24", TransactionStatus="02"),
            Verdict.EXPIRED: notice(ResponseCode="11", TransactionStatus="02"),
            Verdict.REVIEW: notice(ResponseCode="07", TransactionStatus="00"),
        }

    def understood(self) -> Notice:
        return Notice(
            verdict=Verdict.CAPTURED,
            txn_id="14831393",
            amount=150_000,
            order_reference="HN20261124000001",
            paid_at=datetime(2026, 11, 24, 3, 31, 12, tzinfo=UTC),
            merchant="TESTTMN1",
            code="00/00",
        )

    def unknown(self) -> tuple[RawNotice, ...]:
        odd = [
            ("88", "00"),
            ("00", "88"),
            ("0", "0"),
            ("", ""),
            ("00", ""),
            ("", "00"),
            ("24", "00"),
        ]
        return tuple(notice(ResponseCode=c, TransactionStatus=s) for c, s in odd)

    def foreign(self) -> tuple[RawNotice, ...]:
        return (notice("another-secret"), notice(TmnCode="OTHERTMN"))

    def repeated(self) -> tuple[RawNotice, ...]:
        """Give a second value before, after and within what is signed."""
        query = urlencode([*sorted(FIELDS.items()), ("vnp_TxnRef", "OTHER")])
        return (
            raw(f"{notice().query}&vnp_Amount=100"),
            raw(f"vnp_Amount=100&{notice().query}"),
            raw(f"{query}&vnp_SecureHash={mac(query)}"),
        )

    def resigned(self, raw: RawNotice, signature: str | None) -> RawNotice:
        query = raw.query.split("&vnp_SecureHash=", maxsplit=1)[0]
        return replace(
            raw, query=query if signature is None else f"{query}&vnp_SecureHash={signature}"
        )

    def signature(self, raw: RawNotice) -> str:
        return raw.query.rsplit("=", maxsplit=1)[1]

    def returned(self) -> str | None:
        return notice().query

    def answers(self) -> Mapping[Verdict, Reply]:
        return {
            Verdict.CAPTURED: answer(),
            Verdict.PENDING: answer(TransactionStatus="01"),
            Verdict.DECLINED: answer(TransactionStatus="02"),
            Verdict.REVIEW: answer(TransactionStatus="07"),
        }

    def unknown_answers(self) -> tuple[Reply, ...]:
        return (answer(TransactionStatus="88"), answer(TransactionStatus=""))

    def unknown_order(self) -> Reply | None:
        return answer(ResponseCode="91", TransactionStatus="", TxnRef="")

    def foreign_answers(self) -> tuple[Reply, ...]:
        return (answer(TmnCode="OTHERTMN"), answer(TxnRef="ANOTHER"))

    def refund_order(self) -> RefundOrder | None:
        return REFUND

    def refund_answers(self) -> Mapping[RefundVerdict, Reply]:
        return {
            RefundVerdict.DONE: refunded(),
            RefundVerdict.PENDING: refunded(TransactionStatus="05"),
            RefundVerdict.REFUSED: refunded(
                ResponseCode="95", TransactionStatus="", TransactionNo=""
            ),
        }

    def refund_repeated(self) -> Reply | None:
        return refunded(ResponseCode="94", TransactionStatus="", TransactionNo="")

    def foreign_refund_answers(self) -> tuple[Reply, ...]:
        return (
            refunded(TmnCode="OTHERTMN"),
            refunded(TxnRef="ANOTHER"),
            refunded(Amount="14900000"),
            answer(),
        )

    def refund_inquiries(self) -> Mapping[RefundVerdict, Reply]:
        return {
            RefundVerdict.DONE: asked_after(),
            RefundVerdict.PENDING: asked_after(TransactionStatus="06"),
            RefundVerdict.REFUSED: asked_after(TransactionStatus="09"),
        }

    def acknowledgements(self) -> Mapping[Outcome, tuple[int, object]]:
        words = {
            Outcome.RECORDED: ("00", "Confirm Success"),
            Outcome.REPEATED: ("02", "Order already confirmed"),
            Outcome.UNKNOWN_ORDER: ("01", "Order not found"),
            Outcome.WRONG_AMOUNT: ("04", "Invalid amount"),
            Outcome.FORGED: ("97", "Invalid signature"),
            Outcome.FAILED: ("99", "Unknown error"),
        }
        return {o: (200, {"RspCode": c, "Message": m}) for o, (c, m) in words.items()}
