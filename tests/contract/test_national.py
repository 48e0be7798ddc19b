"""The national platform's adapter: the common suite, and what went wrong in its other callers."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.conformance import ScriptedWire
from adapters.national import NATIONAL
from adapters.suite.spoil import flipped, refuses
from adapters.vectors.national import (
    CREATED,
    ORDER,
    SECRET,
    SETTINGS,
    TOKEN,
    NationalConformance,
    answer,
    build,
    notice,
    opened,
    sealed,
)
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.ports.provider import Order, Verdict
from gateway.ports.wire import Reply

REFUSED = Reply(200, {}, b'{"error_code": "7", "message": "no"}')


class TestNational(NationalConformance):
    """The common suite on the national payment platform."""


async def sent(order: Order = ORDER) -> dict[str, Any]:
    wire = ScriptedWire([opened()])
    await build(wire).checkout(order)
    ((method, url, body),) = wire.asked
    assert (method, url) == ("POST", "https://payment.example.gov.vn/api/init")
    said: dict[str, Any] = json.loads(body)
    return said


async def test_init_says_everything_once_and_the_hash_covers_it_in_the_documents_order() -> None:
    """Two public codes of provinces join these values, in this order, with the secret last."""
    said = await sent()

    bill = said.pop("ThongTinBienLai")
    given = said.pop("MaXacThuc")
    assert list(said) == [
        "LoaiBanTin", "PhienBan", "MaDoiTac", "MaThamChieu", "SoTien", "LoaiHinhThanhToan",
        "MaKenhThanhToan", "MaThietBi", "NgonNgu", "MaTienTe", "MaNganHang", "ThongTinGiaoDich",
        "ThoiGianGD", "Ip",
    ]  # fmt: skip
    assert list(said.values()) == [
        "INIT", "1.0.6", "HN-TTHCC", ORDER.reference, "3000000000", "PAY", "1", "1", "vi-VN",
        "VND", "PAYMENT", "THANH TOAN HO SO H26.14-261124-0001", "20261124143000", "203.0.113.7",
    ]  # fmt: skip
    assert given == sealed(said)["MaXacThuc"] == given.lower()
    # Made by sha256sum from the joined text.
    assert given == "df68263ca187eecf8aba3eaf25629c6e9d5aa0b2ae5eb1074c03fd59e588e0b3"
    assert bill["PhiLePhi"] == [
        {"LoaiPhiLePhi": "Phi", "MaPhiLePhi": "P1", "TenPhiLePhi": "Phí thẩm định",
         "SoTien": "2999990000"},
        {"LoaiPhiLePhi": "LePhi", "MaPhiLePhi": "L1", "TenPhiLePhi": "Lệ phí đăng ký",
         "SoTien": "10000"},
    ]  # fmt: skip
    assert [int(x["SoTien"]) for x in bill["DSKhoanNop"]] == [2_999_990_000, 10_000]
    assert (bill["HoTenNguoiNop"], bill["SoCMNDNguoiNop"]) == ("Nguyễn Thị Hoà", "001190000001")
    assert (bill["MaTTHC"], bill["MaDVC"], bill["MaHoSo"]) == (
        "1.004222", "1.004222.01", "H26.14-261124-0001",
    )  # fmt: skip


async def test_morning_and_afternoon_are_two_times() -> None:
    """SCENARIOS 36: by a 12-hour clock 02:30 and 14:30 are one."""
    morning = await sent(replace(ORDER, created_at=CREATED - timedelta(hours=12)))
    afternoon = await sent()

    assert (morning["ThoiGianGD"], afternoon["ThoiGianGD"]) == ("20261124023000", "20261124143000")


async def test_a_payer_who_is_not_known_is_not_made_up() -> None:
    """A peer sends nine zeros for a person without a number."""
    bill = (await sent(replace(ORDER, payer={})))["ThongTinBienLai"]

    assert (bill["HoTenNguoiNop"], bill["SoCMNDNguoiNop"]) == ("", "")


async def test_the_unit_of_the_settings_stands_on_the_receipt() -> None:
    """The platform must know whose account the money goes to."""
    wire = ScriptedWire([opened()])
    unit = {
        "NATIONAL_UNIT_CODE": "000.00.14.H26", "NATIONAL_UNIT_NAME": "Trung tâm Phục vụ HCC",
        "NATIONAL_UNIT_ACCOUNT": "0123456789", "NATIONAL_UNIT_BANK": "VCB",
        "NATIONAL_UNIT_ACCOUNT_NAME": "TT PVHCC", "NATIONAL_TREASURY": "0011",
        "NATIONAL_TREASURY_ACCOUNT": "7111",
    }  # fmt: skip

    await build(wire, **unit).checkout(ORDER)

    bill = json.loads(wire.asked[0][2])["ThongTinBienLai"]
    names = "MaDonVi TenDonVi TKThuHuong MaNHThuHuong TenTKThuHuong KhoBac TaiKhoanThuNSNN"
    assert [bill[name] for name in names.split()] == list(unit.values())


async def test_lines_that_do_not_add_up_are_never_sent() -> None:
    """The platform's receipt would show another sum than the citizen pays."""
    wire = ScriptedWire()

    with pytest.raises(DeclinedError):
        await build(wire).checkout(replace(ORDER, amount=ORDER.amount - 1))

    assert wire.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"error_code": "0", "UrlThanhToan": "https://payment.example.gov.vn/pay?ma=1"}',
        b'{"error_code": 0, "message": {"UrlThanhToan": "https://payment.example.gov.vn/pay?ma=1"}}',
        opened().body,
    ],
)
async def test_the_address_is_found_wherever_it_is_put(body: bytes) -> None:
    """DOMAIN names the field, a province reads it from JSON within the JSON."""
    checkout = await build(ScriptedWire([Reply(200, {}, body)])).checkout(ORDER)

    assert checkout.redirect_url == "https://payment.example.gov.vn/pay?ma=1"


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "//x", "https://x/ y", "https://x/" * 500, 7]
)
async def test_an_address_that_is_none_leaves_doubt(url: object) -> None:
    """The citizen's browser goes where this says."""
    with pytest.raises(InDoubtError):
        await build(ScriptedWire([opened(message="", UrlThanhToan=url)])).checkout(ORDER)


@pytest.mark.parametrize(
    ("then", "refusal"),
    [
        (answer("4"), DeclinedError),
        (answer("", MaLoi="01"), DeclinedError),
        (answer("1"), InDoubtError),
        (answer("3"), InDoubtError),
        (answer("1", "another-secret"), InDoubtError),
        (InDoubtError("Time-out."), InDoubtError),
    ],
)
async def test_a_refusal_is_asked_about_before_it_is_believed(
    then: Reply | Exception, refusal: type[Exception]
) -> None:
    """No code for «I know this order» is public; a repeat must never end as a failure."""
    wire = ScriptedWire([REFUSED, then])

    with pytest.raises(refusal):
        await build(wire).checkout(ORDER)

    assert [url.rsplit("/", 1)[1] for _, url, _ in wire.asked] == ["init", "query"]


async def test_an_order_without_a_link_ends_when_it_expired() -> None:
    """SCENARIOS 20: INIT was lost, nobody can have paid, and the bill must not be blocked."""
    lost, unknown = replace(ORDER, provider_id=""), answer("", MaLoi="01")

    early = await build(ScriptedWire([unknown])).ask(lost, lost.created_at)
    late = await build(ScriptedWire([unknown])).ask(lost, lost.expires_at)

    assert (early.verdict, late.verdict) == (Verdict.PENDING, Verdict.EXPIRED)
    with pytest.raises(InDoubtError):
        await build(ScriptedWire([unknown])).ask(ORDER, ORDER.expires_at)


@pytest.mark.parametrize(
    ("stamp", "paid_at"),
    [
        ("20261124143105", datetime(2026, 11, 24, 7, 31, 5, tzinfo=UTC)),
        ("20261124023105", None),  # 14:31:05 by a 12-hour clock.
        ("20261125023105", None),
        ("20261399000000", None),
        ("", None),
        ("٢٠٢٦١١٢٤١٤٣١٠٥", None),
    ],
)
async def test_a_time_outside_the_orders_life_is_not_believed(
    stamp: str, paid_at: datetime | None
) -> None:
    """SCENARIOS 36: the money counts, and an old peer's clock books it on no wrong day."""
    wire = ScriptedWire([answer("1", ThoiGianGD=stamp)])

    said = await build(wire).ask(ORDER, CREATED + timedelta(minutes=5))

    assert (said.verdict, said.paid_at, said.amount) == (Verdict.CAPTURED, paid_at, ORDER.amount)


@pytest.mark.parametrize(
    "changes",
    [{"SoTien": 0}, {"SoTien": ""}, {"SoTien": "1e9"}, {"SoTien": 10**16}, {"MaGiaoDich": ""}],
)
async def test_paid_without_an_amount_or_a_number_is_doubt(changes: dict[str, object]) -> None:
    """Money that cannot be told from its repeat is not booked."""
    with pytest.raises(InDoubtError):
        await build(ScriptedWire([answer("1", **changes)])).ask(ORDER, CREATED)


def test_every_flipped_byte_is_refused_though_it_is_only_a_hint() -> None:
    """The hash is weak because it can be made, not because it covers little."""
    genuine = notice()

    for where, changed in flipped(genuine, ()):
        with refuses(ForgedError, where):
            build(ScriptedWire()).read(changed)


def test_a_value_with_a_bar_is_refused_though_its_hash_holds() -> None:
    """Joined by bars, «a|b» and «c» is the same as «a» and «b|c»: the weak hash cannot tell."""
    with pytest.raises(ForgedError):
        build(ScriptedWire()).read(notice(MaNganHang="VCB|20261124143105"))


@pytest.mark.parametrize("amount", [-1, 0, 1.5, True, "1e5", "١٠٠", 10**16, None, ""])
def test_an_amount_that_is_not_whole_dong_is_refused(amount: object) -> None:
    """int() would take Arabic digits, and JSON's true is 1."""
    with pytest.raises(ForgedError):
        build(ScriptedWire()).read(notice(SoTien=amount))


async def test_a_bill_is_a_pdf_or_nothing() -> None:
    """What is handed to a citizen as a receipt is one."""
    wire = ScriptedWire([Reply(200, {}, b"%PDF-1.7 ..."), Reply(200, {}, b'{"MaLoi": "01"}')])
    provider = build(wire)

    bill = await provider.bill(ORDER)
    with pytest.raises(InDoubtError):
        await provider.bill(ORDER)

    assert bill.pdf == b"%PDF-1.7 ..."
    said = json.loads(wire.asked[0][2])
    given = said.pop("MaXacThuc")
    assert list(said.values()) == [
        "GET_BILL", "1.0.6", "HN-TTHCC", ORDER.reference, "20261124143000",
    ]  # fmt: skip
    assert given == sealed(said)["MaXacThuc"]


def test_the_bearer_is_the_token_or_else_the_secret() -> None:
    """Without a token of its own the platform knows one secret of ours."""
    alone = {k: v for k, v in SETTINGS.items() if k != "NATIONAL_TOKEN"}

    assert build(ScriptedWire()).token == TOKEN
    assert NATIONAL.build(alone, ScriptedWire(), "default").token == SECRET  # type: ignore[attr-defined]


@pytest.mark.parametrize(("said", "issues"), [("no", False), ("yes", True)])
def test_who_issues_the_receipt_is_a_setting_of_the_account(said: str, issues: bool) -> None:
    """CONTRACT 2: each provider account says it, so that no debt gets two."""
    assert build(ScriptedWire(), NATIONAL_ISSUES_RECEIPT=said).can.issues_receipt is issues
    assert build(ScriptedWire()).can.issues_receipt is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NATIONAL_PARTNER_ID", "a|b"),
        ("NATIONAL_SECRET", "short"),
        ("NATIONAL_TOKEN", "with a space"),
        ("NATIONAL_BASE_URL", "ftp://payment.example.gov.vn"),
        ("NATIONAL_ISSUES_RECEIPT", "maybe"),
        ("NATIONAL_UNIT_NAME", "two\nlines"),
    ],
)
def test_a_malformed_setting_is_named(name: str, value: str) -> None:
    """A person who starts the program reads one sentence, without the secret in it."""
    with pytest.raises(ValueError, match=f"^THUPHI_{name} must be ") as caught:
        NATIONAL.build({**SETTINGS, name: value}, ScriptedWire(), "default")

    assert value not in str(caught.value)
