"""ZaloPay's recorded messages, and what its adapter must make of them.

The keys are those of the public sandbox application 2553. ``DOCUMENTED`` is the callback of the
official documentation, whose mac crypto-js and Python's standard library give alike.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from adapters.conformance import Operation, ProviderConformance
from adapters.zalopay import ZALOPAY, Zalopay
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

KEY1: Final = "PcY4iZIKFCIdgZvA6ueMcMHHUbRLYjPL"
KEY2: Final = "kLtgPl8HHhfvMuDHPwKfgfsY4Ydm9eIz"
SETTINGS: Final[Mapping[str, str]] = {
    "ZALOPAY_APP_ID": "2553",
    "ZALOPAY_KEY1": KEY1,
    "ZALOPAY_KEY2": KEY2,
    "ZALOPAY_BASE_URL": "https://sb-openapi.zalopay.vn",
}
CREATED: Final = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)
ORDER: Final = Order(
    reference="HN000001",
    serial=1,
    payment_reference="0123456789AB",
    amount=150_000,
    text="Nop phi ho so HN1",
    return_url="https://pay.example.gov.vn/zalopay/return",
    created_at=CREATED,
    expires_at=CREATED + timedelta(minutes=15),
    notice_url="https://pay.example.gov.vn/zalopay/callback",
)
REFUND: Final = RefundOrder(
    reference="R00001",
    serial=2,
    original=ORDER,
    txn_id="261124000000389",
    captured=150_000,
    amount=50_000,
    text="Hoan phi HN1",
    asked_by="ketoan",
    asked_at=CREATED + timedelta(days=1),
)
# The example of the official documentation, byte for byte.
DOCUMENTED: Final = (
    r'{"app_id":2553,"app_trans_id":"200904_2553_1598435687208","app_time":1599189392817,'
    r'"app_user":"demo","amount":10000,'
    r'"embed_data":"{\"merchantinfo\":\"embeddata123\",\"promotioninfo\":\"\"}",'
    r'"item":"[{\"itemid\":\"knb\",\"itemname\":\"kim nguyen bao\",\"itemprice\":198400,'
    r'\"itemquantity\":1}]","zp_trans_id":200904000000389,"server_time":1599189413498,'
    r'"channel":38,"merchant_user_id":"7ZMSl3nEg5sOUJzOLSoUFT8xKNQVaLOLXHB--8Eytqc",'
    r'"user_fee_amount":0,"discount_amount":0}'
)
DOCUMENTED_MAC: Final = "d8d33baf449b31d7f9b94fa50d7c942c08cd4d83f28fa185557da21acb104f67"
DATA: Final[Mapping[str, Any]] = {
    "app_id": 2553,
    "app_trans_id": "261124_HN000001",
    "app_time": 1_795_494_600_000,
    "app_user": "citizen",
    "amount": 150_000,
    "embed_data": '{"redirecturl":"https://pay.example.gov.vn/zalopay/return"}',
    "item": "[]",
    "zp_trans_id": 261_124_000_000_389,
    "server_time": 1_795_494_660_123,
    "channel": 38,
    "merchant_user_id": "7ZMSl3nEg5sOUJzOLSoUFT8xKNQVaLOLXHB--8Eytqc",
    "user_fee_amount": 0,
    "discount_amount": 0,
}


def mac(text: str, key: str = KEY2) -> str:
    """Sign as ZaloPay does."""
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def sign(data: str, key: str = KEY2, kind: object = 1) -> RawNotice:
    """Make a notice of a data string, well signed."""
    return raw(json.dumps({"data": data, "mac": mac(data, key), "type": kind}).encode())


def raw(body: bytes) -> RawNotice:
    """Make a notice of a body."""
    return RawNotice("POST", "", {"content-type": "application/json"}, body, CREATED)


def notice(key: str = KEY2, **changes: object) -> RawNotice:
    """Make a genuine callback, with these data in place of the recorded ones."""
    return sign(json.dumps({**DATA, **changes}, separators=(",", ":")), key)


def reply(status: int = 200, **said: object) -> Reply:
    """Make an answer of ZaloPay; each has a return_code and its words."""
    words = {"return_message": "", "sub_return_code": 1, "sub_return_message": ""}
    return Reply(status, {}, json.dumps({"return_code": 1, **words, **said}).encode())


def failed(sub: int) -> Reply:
    """Make an answer that says failed, with a finer code."""
    return reply(return_code=2, sub_return_code=sub)


def created(**changes: object) -> Reply:
    """Make an answer to create."""
    url = "https://qcgateway.zalopay.vn/openinapp?order=eyJ6cHRyYW5z"
    return reply(**{"order_url": url, "zp_trans_token": "ACiRSg", **changes})  # type: ignore[arg-type]  # fields are what a test says


def answer(**changes: object) -> Reply:
    """Make an answer to query."""
    taken = {"is_processing": False, "amount": 150_000, "zp_trans_id": 261_124_000_000_389}
    return reply(**{**taken, **changes})  # type: ignore[arg-type]  # fields are what a test says


def build(wire: Wire) -> Zalopay:
    """Build the adapter with the public sandbox keys."""
    provider = ZALOPAY.build(SETTINGS, wire, "default")
    assert isinstance(provider, Zalopay)
    return provider


class ZalopayConformance(ProviderConformance):
    """The common suite on ZaloPay."""

    carrier = "body"
    unsigned_answers = frozenset[Operation](("checkout", "inquiry", "refund", "refund_inquiry"))

    def provider(self, wire: Wire) -> Provider:
        return build(wire)

    def secrets(self) -> tuple[str, ...]:
        return (KEY1, KEY2)

    def order(self) -> Order:
        return ORDER

    def accepted(self) -> Reply | None:
        return created()

    def refusals(self) -> tuple[Reply, ...]:
        return (failed(-401), failed(-402), failed(-429))

    def known_already(self) -> Reply | None:
        return failed(-68)

    def foreign_accepted(self) -> tuple[Reply, ...]:
        """Give answers that lead nowhere; whose order it is, an answer does not say."""
        return (created(order_url="javascript:alert(1)"), created(order_url=None), failed(-1))

    def notices(self) -> Mapping[Verdict, RawNotice]:
        return {Verdict.CAPTURED: notice()}

    def understood(self) -> Notice:
        return Notice(
            verdict=Verdict.CAPTURED,
            txn_id="261124000000389",
            amount=150_000,
            order_reference="HN000001",
            paid_at=datetime(2026, 11, 24, 4, 31, 0, 123_000, tzinfo=UTC),
            merchant="2553",
            code="1",
        )

    def unknown(self) -> tuple[RawNotice, ...]:
        data = json.dumps(dict(DATA))
        return tuple(sign(data, kind=kind) for kind in (0, 2, 3, "1", True, None, [1]))

    def foreign(self) -> tuple[RawNotice, ...]:
        return (notice("another-secret"), notice(KEY1), notice(app_id=2554))

    def repeated(self) -> tuple[RawNotice, ...]:
        data = json.dumps(dict(DATA))
        return (
            sign(data[:-1] + ', "amount": 1}'),
            sign(data[:-1] + ', "more": {"a": 1, "a": 2}}'),
            raw(notice().body[:-1] + b', "data": "{}"}'),
        )

    def resigned(self, raw: RawNotice, signature: str | None) -> RawNotice:
        said = json.loads(raw.body)
        said.pop("mac")
        more = {} if signature is None else {"mac": signature}
        return replace(raw, body=json.dumps({**said, **more}).encode())

    def signature(self, raw: RawNotice) -> str:
        return str(json.loads(raw.body)["mac"])

    def answers(self) -> Mapping[Verdict, Reply]:
        return {
            Verdict.CAPTURED: answer(),
            Verdict.PENDING: answer(return_code=3, is_processing=True, zp_trans_id=0),
            Verdict.DECLINED: failed(-1),
            Verdict.CANCELLED: failed(-329),
            Verdict.EXPIRED: failed(-54),
        }

    def unknown_answers(self) -> tuple[Reply, ...]:
        codes: tuple[object, ...] = (0, 4, -1, "1", True, 1.0, None)
        return tuple(answer(return_code=code) for code in codes)

    def foreign_answers(self) -> tuple[Reply, ...]:
        """Give answers that are about our question; whose order it is, an answer does not say."""
        return tuple(failed(sub) for sub in (-401, -402, -429, -500, -999))

    def refund_order(self) -> RefundOrder | None:
        return REFUND

    def refund_answers(self) -> Mapping[RefundVerdict, Reply]:
        return {
            RefundVerdict.DONE: reply(refund_id=261_125_000_000_001),
            RefundVerdict.PENDING: reply(return_code=3),
            RefundVerdict.REFUSED: failed(-402),
        }

    def refund_repeated(self) -> Reply | None:
        return failed(-68)

    def foreign_refund_answers(self) -> tuple[Reply, ...]:
        return (failed(-429), failed(-500), reply(return_code=9))

    def refund_inquiries(self) -> Mapping[RefundVerdict, Reply]:
        return {
            RefundVerdict.DONE: reply(),
            RefundVerdict.PENDING: reply(return_code=3),
            RefundVerdict.REFUSED: failed(-1),
        }

    def acknowledgements(self) -> Mapping[Outcome, tuple[int, object]]:
        words = dict.fromkeys(Outcome, (1, "success")) | {
            Outcome.REPEATED: (2, "success"),
            Outcome.FORGED: (-1, "mac not equal"),
            Outcome.FAILED: (0, "try again"),
        }
        return {o: (200, {"return_code": c, "return_message": m}) for o, (c, m) in words.items()}
