"""East Bank's recorded messages, and what the adapter must make of them."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from adapters.conformance import ProviderConformance
from eastbank.adapter import EASTBANK
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

KEY: Final = "east-bank-sandbox-key-0001"
SETTINGS: Final[Mapping[str, str]] = {
    "EASTBANK_SHOP": "HN-TTHCC",
    "EASTBANK_KEY": KEY,
    "EASTBANK_BASE_URL": "https://sandbox.eastbank.example/v2",
}
CREATED: Final = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)
ORDER: Final = Order(
    reference="HN20261124000001",
    serial=1,
    payment_reference="0123456789AB",
    amount=150_000,
    text="Nop phi ho so HN1",
    return_url="https://pay.example.gov.vn/pay/1",
    created_at=CREATED,
    expires_at=CREATED + timedelta(minutes=15),
    notice_url="https://pay.example.gov.vn/notices/eastbank/default",
)
REFUND: Final = RefundOrder(
    reference="R20261125000001",
    serial=2,
    original=ORDER,
    txn_id="EB-77",
    captured=150_000,
    amount=50_000,
    text="Hoan phi HN1",
    asked_by="ketoan",
    asked_at=CREATED + timedelta(days=1),
)


def sign(body: bytes, key: str = KEY) -> str:
    """Sign as East Bank does."""
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def body(**changes: object) -> bytes:
    """Write a word about the order."""
    said = {
        "shop": "HN-TTHCC", "id": ORDER.reference, "txn": "EB-77", "status": "SUCCESS",
        "vnd": 150_000, "at": 1_795_494_660,
    }  # fmt: skip
    return json.dumps({**said, **changes}).encode()


def notice(key: str = KEY, **changes: object) -> RawNotice:
    """Make a genuine notice, with these fields in place of the recorded ones."""
    return told(body(**changes), key)


def told(text: bytes, key: str = KEY) -> RawNotice:
    """Make a notice of a body, well signed."""
    return RawNotice("POST", "", {"x-sign": sign(text, key)}, text, CREATED)


def reply(text: bytes, status: int = 200) -> Reply:
    """Make a signed answer."""
    return Reply(status, {"x-sign": sign(text)}, text)


def created(status: int = 200, **changes: object) -> Reply:
    """Make an answer to an order."""
    link = "https://sandbox.eastbank.example/pay/8f3"
    said = {"shop": "HN-TTHCC", "id": ORDER.reference, "link": link, **changes}
    return reply(json.dumps(said).encode(), status)


def refunded(**changes: object) -> Reply:
    """Make an answer about the refund."""
    said = {"shop": "HN-TTHCC", "id": REFUND.reference, "status": "DONE", "txn": "EB-R-5"}
    return reply(json.dumps({**said, **changes}).encode())


class EastBankConformance(ProviderConformance):
    """The common suite on East Bank."""

    carrier = "body"
    signed_headers = ("x-sign",)

    def provider(self, wire: Wire) -> Provider:
        return EASTBANK.build(SETTINGS, wire, "default")

    def secrets(self) -> tuple[str, ...]:
        return (KEY,)

    def order(self) -> Order:
        return ORDER

    def accepted(self) -> Reply | None:
        return created()

    def refusals(self) -> tuple[Reply, ...]:
        return (created(422, link=None, refused="amount"), created(link=None, refused="closed"))

    def foreign_accepted(self) -> tuple[Reply, ...]:
        return (created(id="ANOTHER"), created(shop="OTHER"), created(link="javascript:1"))

    def notices(self) -> Mapping[Verdict, RawNotice]:
        return {
            Verdict.CAPTURED: notice(),
            Verdict.PENDING: notice(status="PROCESSING"),
            Verdict.DECLINED: notice(status="DECLINED"),
            Verdict.CANCELLED: notice(status="CANCELLED"),
            Verdict.EXPIRED: notice(status="EXPIRED"),
        }

    def understood(self) -> Notice:
        return Notice(
            verdict=Verdict.CAPTURED,
            txn_id="EB-77",
            amount=150_000,
            order_reference=ORDER.reference,
            paid_at=datetime(2026, 11, 24, 4, 31, tzinfo=UTC),
            merchant="HN-TTHCC",
            code="SUCCESS",
        )

    def unknown(self) -> tuple[RawNotice, ...]:
        return tuple(notice(status=s) for s in ("success", "PAID", "", None, True, ["SUCCESS"]))

    def foreign(self) -> tuple[RawNotice, ...]:
        return (notice("another-key-of-another"), notice(shop="OTHER"))

    def repeated(self) -> tuple[RawNotice, ...]:
        return (told(body()[:-1] + b', "vnd": 1}'),)

    def resigned(self, raw: RawNotice, signature: str | None) -> RawNotice:
        return replace(raw, headers={} if signature is None else {"x-sign": signature})

    def signature(self, raw: RawNotice) -> str:
        return raw.headers["x-sign"]

    def answers(self) -> Mapping[Verdict, Reply]:
        return {verdict: reply(raw.body) for verdict, raw in self.notices().items()}

    def unknown_answers(self) -> tuple[Reply, ...]:
        return tuple(reply(raw.body) for raw in self.unknown())

    def unknown_order(self) -> Reply | None:
        return reply(body(status="UNKNOWN", txn="", vnd=0))

    def foreign_answers(self) -> tuple[Reply, ...]:
        return (reply(body(id="ANOTHER")), reply(body(shop="OTHER")))

    def refund_order(self) -> RefundOrder | None:
        return REFUND

    def refund_answers(self) -> Mapping[RefundVerdict, Reply]:
        return {
            RefundVerdict.DONE: refunded(),
            RefundVerdict.PENDING: refunded(status="PROCESSING", txn=""),
            RefundVerdict.REFUSED: refunded(status="REFUSED", txn=""),
        }

    def foreign_refund_answers(self) -> tuple[Reply, ...]:
        return (refunded(id="ANOTHER"), refunded(shop="OTHER"))

    def refund_inquiries(self) -> Mapping[RefundVerdict, Reply]:
        return self.refund_answers()

    def acknowledgements(self) -> Mapping[Outcome, tuple[int, object]]:
        thanks: tuple[int, object] = (204, None)
        return dict.fromkeys(Outcome, thanks) | {
            Outcome.FORGED: (401, None),
            Outcome.FAILED: (500, None),
        }
