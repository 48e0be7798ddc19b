"""payOS's recorded messages, and what the adapter must make of them."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from adapters.conformance import ProviderConformance, ScriptedWire
from adapters.payos import PAYOS, Payos
from gateway.ports.provider import Movement, Notice, Order, Outcome, Provider, RawNotice, Verdict
from gateway.ports.wire import Reply, Wire

KEY: Final = "1a54716c8f0efb2744fb28b6e38b25da7f67a925d98bc1c18bd8faaecadd7675"
API_KEY: Final = "0c2b2dd5-test-api-key"
SETTINGS: Final[Mapping[str, str]] = {
    "PAYOS_CLIENT_ID": "client-1",
    "PAYOS_API_KEY": API_KEY,
    "PAYOS_CHECKSUM_KEY": KEY,
    "PAYOS_BASE_URL": "https://api-merchant.payos.vn",
}
NOW: Final = datetime(2026, 11, 24, 17, 30, tzinfo=UTC)
LINK: Final = "5f2c9d8e7b6a4c3d9e8f7a6b5c4d3e2f"
ORDER: Final = Order(
    reference="01KB0ATTEMPT",
    serial=4_711,
    payment_reference="0123456789AB",
    amount=150_000,
    text="Nop phi",
    return_url="https://pay.example.gov.vn/r",
    created_at=NOW,
    expires_at=NOW + timedelta(minutes=15),
)
DATA: Final[Mapping[str, Any]] = {
    "orderCode": 4_711,
    "amount": 150_000,
    "description": "CS4X4PKS790 TP0123456789AB",
    "accountNumber": "0123456789",
    "reference": "FT26329000001",
    "transactionDateTime": "2026-11-25 00:29:37",
    "currency": "VND",
    "paymentLinkId": LINK,
    "code": "00",
    "desc": "success",
    "counterAccountBankId": None,
    "counterAccountName": "NGUYỄN THỊ HOÀ",
    "virtualAccountNumber": "",
}
# The documentation's webhook, to the letter: its answer is in PROTOCOLS.
DOCUMENTED: Final[Mapping[str, Any]] = {
    "orderCode": 123,
    "amount": 3000,
    "description": "VQRIO123",
    "accountNumber": "12345678",
    "reference": "TF230204212323",
    "transactionDateTime": "2023-02-04 18:25:00",
    "currency": "VND",
    "paymentLinkId": "124c33293c43417ab7879e14c8d9eb18",
    "code": "00",
    "desc": "Thành công",
    "counterAccountBankId": "",
    "counterAccountBankName": "",
    "counterAccountName": "",
    "counterAccountNumber": "",
    "virtualAccountName": "",
    "virtualAccountNumber": "",
}


def mac(data: Mapping[str, Any], key: str = KEY) -> str:
    """Sign data as payOS does, written apart from the adapter."""
    written = {k: "" if v is None else v for k, v in data.items()}
    for name, value in data.items():
        if isinstance(value, list):
            rows = [{k: row[k] for k in sorted(row)} for row in value]
            written[name] = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    text = "&".join(f"{k}={written[k]}" for k in sorted(written))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def signed(data: Mapping[str, Any], signature: str | None = None) -> bytes:
    """Write data as payOS sends them, under this signature or a genuine one."""
    said = {"code": "00", "desc": "success", "success": True, "data": dict(data)}
    return json.dumps(said | {"signature": signature or mac(data)}, ensure_ascii=False).encode()


def raw(body: bytes) -> RawNotice:
    """Give a body as it arrives."""
    return RawNotice("POST", "", {"content-type": "application/json"}, body, NOW)


def notice(key: str = KEY, **changes: object) -> RawNotice:
    """Make a genuine webhook, with these words in place of the recorded ones."""
    data = {**DATA, **changes}
    return raw(signed(data, mac(data, key)))


def answer(**changes: object) -> Reply:
    """Give the answer to a question about the order, with these words in place of others."""
    came = {k: v for k, v in DATA.items() if k not in ("orderCode", "paymentLinkId", "code")}
    data: dict[str, Any] = {
        "id": LINK, "orderCode": 4_711, "amount": 150_000, "amountPaid": 150_000,
        "amountRemaining": 0, "status": "PAID", "createdAt": "2026-11-24T17:30:00.000Z",
        "transactions": [came], "cancellationReason": None, "canceledAt": None,
    } | changes  # fmt: skip
    return Reply(200, {}, signed(data))


def refusal(code: str, why: str = "x") -> Reply:
    """Give a refusal; payOS signs none."""
    return Reply(200, {}, json.dumps({"code": code, "desc": why, "data": None}).encode())


OPENED: Final[Mapping[str, Any]] = {
    "bin": "970436", "accountNumber": "0123456789", "accountName": "TT PHUC VU", "amount": 150_000,
    "description": "TP0123456789AB", "orderCode": 4_711, "currency": "VND", "paymentLinkId": LINK,
    "status": "PENDING", "checkoutUrl": f"https://pay.payos.vn/web/{LINK}", "qrCode": "000201",
}  # fmt: skip


def build(wire: Wire | None = None, **more: str) -> Payos:
    """Build the adapter with a test's channel."""
    provider = PAYOS.build({**SETTINGS, **more}, wire or ScriptedWire(), "default")
    assert isinstance(provider, Payos)
    return provider


async def ask(reply: Reply, at: datetime = NOW) -> Notice:
    """Ask about the order, and be answered so."""
    return await build(ScriptedWire([reply])).ask(ORDER, at)


class PayosConformance(ProviderConformance):
    """The common suite on payOS."""

    carrier = "body"
    has_unsigned_words = True
    unsigned_names = frozenset({"desc", "success"})

    def provider(self, wire: Wire) -> Provider:
        return PAYOS.build(SETTINGS, wire, "default")

    def secrets(self) -> tuple[str, ...]:
        return (KEY, API_KEY)

    def order(self) -> Order:
        return ORDER

    def accepted(self) -> Reply:
        return Reply(200, {}, signed(OPENED))

    def refusals(self) -> tuple[Reply, ...]:
        return tuple(refusal(code) for code in ("201", "214", "20", "429"))

    def known_already(self) -> Reply:
        return refusal("231")

    def foreign_accepted(self) -> tuple[Reply, ...]:
        changes: tuple[dict[str, object], ...] = ({"amount": 1}, {"orderCode": 1})
        return tuple(Reply(200, {}, signed({**OPENED, **c})) for c in changes)

    def notices(self) -> Mapping[Verdict, RawNotice]:
        return {Verdict.CAPTURED: notice(), Verdict.PENDING: notice(code="01")}

    def understood(self) -> Notice:
        return Notice(
            verdict=Verdict.CAPTURED,
            txn_id="4711-FT26329000001",
            amount=150_000,
            order_serial=4_711,
            memo="CS4X4PKS790 TP0123456789AB",
            movement=Movement("0123456789", "2026-11-25", 150_000, "FT26329000001"),
            paid_at=datetime(2026, 11, 24, 17, 29, 37, tzinfo=UTC),
            merchant="0123456789",
            code="00",
        )

    def unknown(self) -> tuple[RawNotice, ...]:
        codes = ("01", "0", "000", "", "PAID", None, True)
        return (*(notice(code=c) for c in codes), notice(currency="USD"))

    def foreign(self) -> tuple[RawNotice, ...]:
        return (notice("another channel's key"),)

    def repeated(self) -> tuple[RawNotice, ...]:
        body = signed(DATA).decode()
        return (
            raw(body.replace('"amount": 150000', '"amount": 150000, "amount": 1').encode()),
            raw((body[:-1] + ', "data": {}}').encode()),
        )

    def resigned(self, raw: RawNotice, signature: str | None) -> RawNotice:
        said = json.loads(raw.body)
        said.pop("signature")
        more = {} if signature is None else {"signature": signature}
        return replace(raw, body=json.dumps(said | more, ensure_ascii=False).encode())

    def signature(self, raw: RawNotice) -> str:
        word: str = json.loads(raw.body)["signature"]
        return word

    def acknowledgements(self) -> Mapping[Outcome, tuple[int, object]]:
        taken: tuple[int, object] = (200, {"success": True})
        return dict.fromkeys(Outcome, taken) | {
            Outcome.FORGED: (401, {"success": False}),
            Outcome.FAILED: (500, {"success": False}),
        }

    def answers(self) -> Mapping[Verdict, Reply]:
        ended = {
            Verdict.PENDING: "PENDING", Verdict.CANCELLED: "CANCELLED",
            Verdict.EXPIRED: "EXPIRED", Verdict.DECLINED: "FAILED",
        }  # fmt: skip
        nothing = {v: answer(status=s, amountPaid=0, transactions=[]) for v, s in ended.items()}
        summed = answer(transactions=[])
        return {Verdict.CAPTURED: answer(), Verdict.REVIEW: summed, **nothing}

    def unknown_answers(self) -> tuple[Reply, ...]:
        return (answer(status="SOMETHING_NEW"), answer(status="UNDERPAID"), refusal("999"))

    def unknown_order(self) -> Reply:
        return refusal("101")

    def foreign_answers(self) -> tuple[Reply, ...]:
        return (answer(orderCode=1), answer(amount=1))

    def withdrawn(self) -> Reply:
        return answer(status="CANCELLED", amountPaid=0, transactions=[])
