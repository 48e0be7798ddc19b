"""Messages of the national payment platform, and what its adapter must make of them.

They are written after the shapes that provinces exchange (DOMAIN 4.1), with a test's partner and
secret; the hash is made here by Python's standard library alone.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from adapters.conformance import ProviderConformance
from adapters.national import NATIONAL, National
from gateway.domain.payment import FeeLine
from gateway.ports.provider import Notice, Order, Outcome, Provider, RawNotice, Verdict
from gateway.ports.wire import Reply, Wire

SECRET: Final = "national-test-secret-0001"
TOKEN: Final = "national-test-token-0001"
SETTINGS: Final[Mapping[str, str]] = {
    "NATIONAL_PARTNER_ID": "HN-TTHCC",
    "NATIONAL_SECRET": SECRET,
    "NATIONAL_TOKEN": TOKEN,
    "NATIONAL_BASE_URL": "https://payment.example.gov.vn/api",
}
CREATED: Final = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)  # 14:30 in Hanoi.
ORDER: Final = Order(
    reference="01JD3Q4N5R6S7T8V9W0X1Y2Z3A",
    serial=1,
    payment_reference="0123456789AB",
    amount=3_000_000_000,
    text="TP0123456789AB 1.004222",
    return_url="https://pay.example.gov.vn/pay/x",
    created_at=CREATED,
    expires_at=CREATED + timedelta(minutes=15),
    payer_address="203.0.113.7",
    provider_id="01JD3Q4N5R6S7T8V9W0X1Y2Z3A",
    dossier_id="H26.14-261124-0001",
    procedure="1.004222",
    procedure_name="Đăng ký thường trú",
    lines=(
        FeeLine("P1", "phi", "Phí thẩm định", 2_999_990_000, "2627"),
        FeeLine("L1", "le_phi", "Lệ phí đăng ký", 10_000, "2767"),
        FeeLine("L2", "le_phi", "Lệ phí được miễn", 0, "2767"),
    ),
    payer={"name": "Nguyễn Thị Hoà", "citizen_id": "001190000001"},
)
CONFIRM: Final[Mapping[str, Any]] = {
    "LoaiBanTin": "CONFIRM",
    "MaLoi": "00",
    "MaDoiTac": "HN-TTHCC",
    "MaThamChieu": ORDER.reference,
    "SoTien": 3_000_000_000,
    "MaTienTe": "VND",
    "MaGiaoDich": "PP24112614310001",
    "MaNganHang": "VCB",
    "ThoiGianGD": "20261124143105",
    "ThongTinGiaoDich": "THANH TOAN HO SO H26.14-261124-0001",
}


def sealed(said: Mapping[str, Any], secret: str = SECRET) -> dict[str, Any]:
    """Add MaXacThuc: all values as they stand, then the secret."""
    joined = "|".join([*(str(value) for value in said.values()), secret])
    return {**said, "MaXacThuc": hashlib.sha256(joined.encode()).hexdigest()}


def notice(secret: str = SECRET, **changes: object) -> RawNotice:
    """Make a genuine CONFIRM, with these fields in place of the recorded ones."""
    return raw(json.dumps(sealed({**CONFIRM, **changes}, secret)).encode())


def raw(body: bytes) -> RawNotice:
    """Make a notice of a body."""
    return RawNotice("POST", "", {"content-type": "application/json"}, body, CREATED)


def answer(state: str = "1", secret: str = SECRET, **changes: object) -> Reply:
    """Make a genuine answer to QUERY, with these fields in place of the recorded ones."""
    said = {"LoaiBanTin": "QUERY", "MaLoi": "00", "MoTaLoi": "OK"}
    said |= {k: v for k, v in CONFIRM.items() if k not in said} | {"TrangThaiGD": state} | changes
    return Reply(200, {}, json.dumps(sealed(said, secret)).encode())


def opened(**changes: object) -> Reply:
    """Make an answer to INIT, with these fields in place of the recorded ones."""
    inner = json.dumps({"UrlThanhToan": "https://payment.example.gov.vn/pay?ma=1"})
    return Reply(200, {}, json.dumps({"error_code": "0", "message": inner} | changes).encode())


def build(wire: Wire, **more: str) -> National:
    """Build the adapter with the test's partner."""
    provider = NATIONAL.build({**SETTINGS, **more}, wire, "default")
    assert isinstance(provider, National)
    return provider


class NationalConformance(ProviderConformance):
    """The common suite on the national payment platform."""

    carrier = "body"
    unsigned_answers = frozenset({"checkout"})

    def provider(self, wire: Wire) -> Provider:
        return build(wire)

    def secrets(self) -> tuple[str, ...]:
        return (SECRET, TOKEN)

    def order(self) -> Order:
        return ORDER

    def accepted(self) -> Reply | None:
        return opened()

    def notices(self) -> Mapping[Verdict, RawNotice]:
        return {Verdict.CAPTURED: notice(), Verdict.PENDING: notice(MaLoi="24")}

    def understood(self) -> Notice:
        return Notice(
            verdict=Verdict.CAPTURED,
            txn_id="PP24112614310001",
            amount=3_000_000_000,
            order_reference=ORDER.reference,
            merchant="HN-TTHCC",
            code="00",
        )

    def unknown(self) -> tuple[RawNotice, ...]:
        return tuple(notice(MaLoi=code) for code in ("", "0", "01", "000", "OK"))

    def foreign(self) -> tuple[RawNotice, ...]:
        return (notice("another-secret"), notice(MaDoiTac="OTHER"))

    def repeated(self) -> tuple[RawNotice, ...]:
        body = notice().body
        return (raw(body.replace(b"{", b'{"SoTien": 1, ', 1)),)

    def resigned(self, raw: RawNotice, signature: str | None) -> RawNotice:
        said = json.loads(raw.body)
        said.pop("MaXacThuc")
        more = {} if signature is None else {"MaXacThuc": signature}
        return replace(raw, body=json.dumps(said | more).encode())

    def signature(self, raw: RawNotice) -> str:
        return str(json.loads(raw.body)["MaXacThuc"])

    def answers(self) -> Mapping[Verdict, Reply]:
        return {
            Verdict.CAPTURED: answer("1"),
            Verdict.PENDING: answer("3"),
            Verdict.DECLINED: answer("4"),
        }

    def unknown_answers(self) -> tuple[Reply, ...]:
        return tuple(answer(state) for state in ("", "0", "2", "11", "00"))

    def foreign_answers(self) -> tuple[Reply, ...]:
        return (
            answer(MaThamChieu="ANOTHER"),
            answer(MaDoiTac="OTHER"),
            answer("1", "another-secret"),
            answer(MaTienTe="USD"),
        )

    def acknowledgements(self) -> Mapping[Outcome, tuple[int, object]]:
        words = {
            Outcome.RECORDED: (200, "00", "Da nhan"),
            Outcome.REPEATED: (200, "00", "Da biet"),
            Outcome.UNKNOWN_ORDER: (200, "01", "Khong co ma tham chieu"),
            Outcome.WRONG_AMOUNT: (200, "04", "Sai so tien"),
            Outcome.FORGED: (401, "97", "Sai ma xac thuc"),
            Outcome.FAILED: (500, "99", "Loi he thong"),
        }
        return {
            o: (status, {"MaLoi": code, "MoTaLoi": text, "MaDoiTac": "HN-TTHCC"})
            for o, (status, code, text) in words.items()
        }
