"""SePay's recorded webhooks, and what the VietQR adapter must make of them."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from adapters.conformance import ProviderConformance, ScriptedWire
from adapters.vietqr import VIETQR, Vietqr
from gateway.ports.provider import Movement, Notice, Order, Outcome, Provider, RawNotice, Verdict
from gateway.ports.wire import Wire

SECRET: Final = "sepay-test-secret-0001"
SETTINGS: Final[Mapping[str, str]] = {
    "VIETQR_BANK_BIN": "970436",
    "VIETQR_ACCOUNT": "0123456789",
    "VIETQR_ACCOUNT_NAME": "TRUNG TAM PHUC VU HANH CHINH CONG",
    "SEPAY_SECRET": SECRET,
}
NOW: Final = datetime(2026, 11, 24, 17, 30, tzinfo=UTC)
ORDER: Final = Order(
    reference="att1",
    serial=1,
    payment_reference="0123456789AB",
    amount=150_000,
    text="Nop phi",
    return_url="https://pay.example.gov.vn/r",
    created_at=NOW,
    expires_at=NOW + timedelta(minutes=15),
)
BODY: Final[Mapping[str, Any]] = {
    "id": 92704,
    "gateway": "Vietcombank",
    "transactionDate": "2026-11-25 00:29:37",
    "accountNumber": "0123456789",
    "code": None,
    "content": "NGUYỄN THỊ HOÀ chuyen TP0123456789AB",
    "transferType": "in",
    "transferAmount": 150_000,
    "accumulated": 19_077_000,
    "subAccount": None,
    "referenceCode": "FT26329000001",
    "description": "",
}


def sign(body: bytes, secret: str = SECRET, at: datetime = NOW, word: str = "") -> RawNotice:
    """Sign a body as SePay does; ``word`` stands in place of the signature."""
    stamp = str(int(at.timestamp()))
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"x-sepay-timestamp": stamp, "x-sepay-signature": word or f"sha256={mac}"}
    return RawNotice("POST", "", headers, body, NOW)


def notice(secret: str = SECRET, at: datetime = NOW, **changes: object) -> RawNotice:
    """Make a genuine webhook, with these fields in place of the recorded ones."""
    return sign(json.dumps({**BODY, **changes}, ensure_ascii=False).encode(), secret, at)


def build() -> Vietqr:
    """Build the adapter with a test's account; it calls nobody."""
    provider = VIETQR.build(SETTINGS, ScriptedWire(), "default")
    assert isinstance(provider, Vietqr)
    return provider


class VietqrConformance(ProviderConformance):
    """The common suite on VietQR with SePay."""

    carrier = "body"
    signed_headers = ("x-sepay-timestamp", "x-sepay-signature")

    def provider(self, wire: Wire) -> Provider:
        return VIETQR.build(SETTINGS, wire, "default")

    def secrets(self) -> tuple[str, ...]:
        return (SECRET,)

    def order(self) -> Order:
        return ORDER

    def notices(self) -> Mapping[Verdict, RawNotice]:
        return {Verdict.CAPTURED: notice(), Verdict.PENDING: notice(transferType="out")}

    def understood(self) -> Notice:
        return Notice(
            verdict=Verdict.CAPTURED,
            txn_id="sepay-92704",
            amount=150_000,
            memo="NGUYỄN THỊ HOÀ chuyen TP0123456789AB",
            movement=Movement("0123456789", "2026-11-25", 150_000, "FT26329000001"),
            paid_at=datetime(2026, 11, 24, 17, 29, 37, tzinfo=UTC),
            merchant="0123456789",
            code="in",
        )

    def unknown(self) -> tuple[RawNotice, ...]:
        return tuple(notice(transferType=t) for t in ("IN", "credit", "", None, True, ["in"]))

    def foreign(self) -> tuple[RawNotice, ...]:
        return (notice("another-secret"), notice(accountNumber="9999999999"))

    def repeated(self) -> tuple[RawNotice, ...]:
        twice = json.dumps(dict(BODY))[:-1] + ', "transferAmount": 1}'
        deep = json.dumps(dict(BODY))[:-1] + ', "more": {"a": 1, "a": 2}}'
        return (sign(twice.encode()), sign(deep.encode()))

    def resigned(self, raw: RawNotice, signature: str | None) -> RawNotice:
        kept = {k: v for k, v in raw.headers.items() if k != "x-sepay-signature"}
        more = {} if signature is None else {"x-sepay-signature": signature}
        return replace(raw, headers={**kept, **more})

    def signature(self, raw: RawNotice) -> str:
        return raw.headers["x-sepay-signature"]

    def acknowledgements(self) -> Mapping[Outcome, tuple[int, object]]:
        taken: tuple[int, object] = (200, {"success": True})
        return dict.fromkeys(Outcome, taken) | {
            Outcome.FORGED: (401, {"success": False}),
            Outcome.FAILED: (500, {"success": False}),
        }


# An account of the payment's own: seven characters of the bank's, and the payment's reference.
REFERENCE: Final = "19TG6RNE83Q6"
PREFIX: Final = "96247HN"
VIRTUAL: Final = {**SETTINGS, "VIETQR_VIRTUAL_PREFIX": PREFIX}


class VietqrVirtualConformance(VietqrConformance):
    """The common suite on credits to virtual accounts, which need no text."""

    def provider(self, wire: Wire) -> Provider:
        return VIETQR.build(VIRTUAL, wire, "default")

    def order(self) -> Order:
        return replace(ORDER, payment_reference=REFERENCE)

    def notices(self) -> Mapping[Verdict, RawNotice]:
        virtual = f"{PREFIX}{REFERENCE}"
        return {
            Verdict.CAPTURED: notice(content="", subAccount=virtual),
            Verdict.PENDING: notice(transferType="out", subAccount=virtual),
        }

    def understood(self) -> Notice:
        return replace(super().understood(), memo="", payment_reference=REFERENCE)

    def foreign(self) -> tuple[RawNotice, ...]:
        damaged = f"{PREFIX}{REFERENCE[:-1]}7"
        return (
            notice("another-secret", subAccount=f"{PREFIX}{REFERENCE}"),
            notice(accountNumber="9999999999", subAccount=damaged),
            notice(accountNumber="9999999999", subAccount=f"96247HM{REFERENCE}"),
        )
