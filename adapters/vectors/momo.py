"""MoMo's recorded messages, and what its adapter must make of them.

The keys are the public samples of MoMo's own repository; the create signature was made by npm
``momo-payment-api`` and by Python's standard library alike. Texts stand in raw UTF-8.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from adapters.conformance import Operation, ProviderConformance
from adapters.momo import MOMO, Momo
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

ACCESS_KEY: Final = "F8BBA842ECF85"
SECRET_KEY: Final = "K951B6PE1waDMi640xX08PD3vg6EkVlz"
SETTINGS: Final[Mapping[str, str]] = {
    "MOMO_PARTNER_CODE": "MOMO",
    "MOMO_ACCESS_KEY": ACCESS_KEY,
    "MOMO_SECRET_KEY": SECRET_KEY,
    "MOMO_BASE_URL": "https://test-payment.momo.vn",
}
CREATED: Final = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)
ORDER: Final = Order(
    reference="HN20261124000001",
    serial=1,
    payment_reference="0123456789AB",
    amount=150_000,
    text="Nop phi ho so HN1",
    return_url="https://pay.example.gov.vn/momo/return",
    created_at=CREATED,
    expires_at=CREATED + timedelta(minutes=15),
    notice_url="https://pay.example.gov.vn/momo/ipn",
)
REFUND: Final = RefundOrder(
    reference="HN20261125R00001",
    serial=2,
    original=ORDER,
    txn_id="4088878653",
    captured=150_000,
    amount=50_000,
    text="Hoan phi HN1",
    asked_by="ketoan",
    asked_at=CREATED + timedelta(days=1),
)
FIELDS: Final[Mapping[str, Any]] = {
    "partnerCode": "MOMO",
    "orderId": "HN20261124000001",
    "requestId": "HN20261124000001",
    "amount": 150_000,
    "orderInfo": "Nộp phí hồ sơ HN1",
    "orderType": "momo_wallet",
    "transId": 4_088_878_653,
    "resultCode": 0,
    "message": "Successful.",
    "payType": "qr",
    "responseTime": 1_795_494_600_000,
    "extraData": "",
}


def sign_notice(fields: Mapping[str, Any], secret: str = SECRET_KEY) -> str:
    """Sign as MoMo signs an IPN."""
    known = {**fields, "accessKey": ACCESS_KEY}
    texts = {n: known.get(n) for n in sorted([*FIELDS, "accessKey"])}
    canonical = "&".join(f"{n}={'' if v is None else v}" for n, v in texts.items())
    return hmac.new(secret.encode(), canonical.encode(), hashlib.sha256).hexdigest()


def notice(secret: str = SECRET_KEY, **changes: object) -> RawNotice:
    """Make a genuine IPN, with these fields in place of the recorded ones."""
    fields = {**FIELDS, **changes}
    said = {**fields, "signature": sign_notice(fields, secret)}
    return raw(json.dumps(said, ensure_ascii=False).encode())


def raw(body: bytes) -> RawNotice:
    """Make a notice of a body."""
    return RawNotice("POST", "", {"content-type": "application/json"}, body, CREATED)


def answer(**changes: object) -> Reply:
    """Make an answer to query; its id is that of the question asked five minutes after."""
    seed = f"MOMO|{ORDER.reference}|{(CREATED + timedelta(minutes=5)).isoformat()}"
    said = {
        "partnerCode": "MOMO",
        "requestId": hashlib.sha256(seed.encode()).hexdigest()[:32],
        "orderId": "HN20261124000001",
        "extraData": "",
        "amount": 150_000,
        "transId": 4_088_878_653,
        "payType": "qr",
        "resultCode": 0,
        "refundTrans": [],
        "message": "Successful.",
        "responseTime": 1_795_494_900_000,
        **changes,
    }
    return Reply(200, {}, json.dumps(said).encode())


def created(status: int = 200, **changes: object) -> Reply:
    """Make an answer to create."""
    said = {
        "partnerCode": "MOMO",
        "orderId": "HN20261124000001",
        "requestId": "HN20261124000001",
        "amount": 150_000,
        "responseTime": 1_795_494_600_000,
        "message": "Successful.",
        "resultCode": 0,
        "payUrl": "https://test-payment.momo.vn/v2/gateway/pay?t=TU9NT3xITjE",
        "deeplink": "momo://app?action=payWithApp",
        **changes,
    }
    return Reply(status, {}, json.dumps(said).encode())


def refunded(**changes: object) -> Reply:
    """Make an answer to refund."""
    said = {
        "partnerCode": "MOMO",
        "orderId": REFUND.reference,
        "requestId": REFUND.reference,
        "amount": REFUND.amount,
        "transId": 4_088_900_001,
        "resultCode": 0,
        "message": "Successful.",
        "responseTime": 1_795_581_000_000,
        **changes,
    }
    return Reply(200, {}, json.dumps(said).encode())


def listed(**changes: object) -> Reply:
    """Make an answer to query, asked an hour after the refund, that lists it."""
    seed = f"MOMO|{ORDER.reference}|{(REFUND.asked_at + timedelta(hours=1)).isoformat()}"
    row = {"orderId": REFUND.reference, "amount": 50_000, "resultCode": 0, "transId": 4_088_900_001}
    question = hashlib.sha256(seed.encode()).hexdigest()[:32]
    other = {"orderId": "ANOTHER", "amount": 50_000, "resultCode": 0, "transId": 4_088_900_000}
    return answer(requestId=question, refundTrans=[other, {**row, **changes}])


def build(wire: Wire) -> Momo:
    """Build the adapter with the public sample keys."""
    provider = MOMO.build(SETTINGS, wire, "default")
    assert isinstance(provider, Momo)
    return provider


class MomoConformance(ProviderConformance):
    """The common suite on MoMo."""

    carrier = "body"
    unsigned_answers = frozenset[Operation](("checkout", "inquiry", "refund", "refund_inquiry"))

    def provider(self, wire: Wire) -> Provider:
        return build(wire)

    def secrets(self) -> tuple[str, ...]:
        return (ACCESS_KEY, SECRET_KEY)

    def order(self) -> Order:
        return ORDER

    def accepted(self) -> Reply | None:
        return created()

    def refusals(self) -> tuple[Reply, ...]:
        return (created(resultCode=21), created(400, resultCode=20), created(resultCode=98))

    def known_already(self) -> Reply | None:
        return created(resultCode=41, payUrl=None)

    def foreign_accepted(self) -> tuple[Reply, ...]:
        return (
            created(orderId="ANOTHER"),
            created(requestId="ANOTHER"),
            created(partnerCode="OTHER"),
            created(amount=15_000),
            created(amount="150000"),
            created(payUrl="javascript:alert(1)"),
            created(payUrl=None),
            created(202),
        )

    def notices(self) -> Mapping[Verdict, RawNotice]:
        return {
            Verdict.CAPTURED: notice(),
            Verdict.PENDING: notice(resultCode=7002),
            Verdict.DECLINED: notice(resultCode=1001),
            Verdict.CANCELLED: notice(resultCode=1006),
            Verdict.EXPIRED: notice(resultCode=1005),
        }

    def understood(self) -> Notice:
        return Notice(
            verdict=Verdict.CAPTURED,
            txn_id="4088878653",
            amount=150_000,
            order_reference="HN20261124000001",
            paid_at=datetime(2026, 11, 24, 4, 30, tzinfo=UTC),
            merchant="MOMO",
            code="0",
        )

    def unknown(self) -> tuple[RawNotice, ...]:
        codes: tuple[object, ...] = (1, 9001, -1, "", "00", None, 10, 41)
        return tuple(notice(resultCode=code) for code in codes)

    def foreign(self) -> tuple[RawNotice, ...]:
        return (notice("another-secret"), notice(partnerCode="OTHER"))

    def repeated(self) -> tuple[RawNotice, ...]:
        body = notice().body
        return (
            raw(body[:-1] + b', "amount": 1}'),
            raw(b'{"amount": 1, ' + body[1:]),
            raw(body[:-1] + b', "more": {"a": 1, "a": 2}}'),
        )

    def resigned(self, raw: RawNotice, signature: str | None) -> RawNotice:
        said = json.loads(raw.body)
        said.pop("signature")
        more = {} if signature is None else {"signature": signature}
        return replace(raw, body=json.dumps({**said, **more}, ensure_ascii=False).encode())

    def signature(self, raw: RawNotice) -> str:
        return str(json.loads(raw.body)["signature"])

    def returned(self) -> str | None:
        return urlencode(json.loads(notice().body))

    def answers(self) -> Mapping[Verdict, Reply]:
        return {
            Verdict.CAPTURED: answer(),
            Verdict.PENDING: answer(resultCode=1000, transId=0),
            Verdict.DECLINED: answer(resultCode=1001),
            Verdict.CANCELLED: answer(resultCode=1006),
            Verdict.EXPIRED: answer(resultCode=1005),
        }

    def unknown_answers(self) -> tuple[Reply, ...]:
        return tuple(answer(resultCode=code) for code in (1, 9001, "", None, 10, 99))

    def foreign_answers(self) -> tuple[Reply, ...]:
        return (answer(orderId="ANOTHER"), answer(partnerCode="OTHER"), answer(requestId="old"))

    def refund_order(self) -> RefundOrder | None:
        return REFUND

    def refund_answers(self) -> Mapping[RefundVerdict, Reply]:
        return {
            RefundVerdict.DONE: refunded(),
            RefundVerdict.PENDING: refunded(resultCode=7002),
            RefundVerdict.REFUSED: refunded(resultCode=1088),
        }

    def refund_repeated(self) -> Reply | None:
        return refunded(resultCode=41, transId=0)

    def foreign_refund_answers(self) -> tuple[Reply, ...]:
        return (refunded(orderId="ANOTHER"), refunded(partnerCode="OTHER"))

    def refund_inquiries(self) -> Mapping[RefundVerdict, Reply]:
        return {
            RefundVerdict.DONE: listed(),
            RefundVerdict.PENDING: listed(resultCode=7000),
            RefundVerdict.REFUSED: listed(resultCode=1080),
        }

    def acknowledgements(self) -> Mapping[Outcome, tuple[int, object]]:
        thanks: tuple[int, object] = (204, None)
        return dict.fromkeys(Outcome, thanks) | {
            Outcome.FORGED: (400, None),
            Outcome.FAILED: (500, None),
        }
