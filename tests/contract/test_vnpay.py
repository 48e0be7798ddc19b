"""VNPAY's adapter: the common suite, the vectors of the protocol, and VNPAY's own traps."""

import json
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from adapters import vnpay_api
from adapters.conformance import ScriptedWire
from adapters.vectors.vnpay import (
    CREATED,
    ORDER,
    SECRET,
    SETTINGS,
    VnpayConformance,
    answer,
    build,
    notice,
    raw,
)
from adapters.vnpay import VNPAY
from gateway.domain.errors import ForgedError, InDoubtError
from gateway.ports.provider import Verdict


class TestVnpay(VnpayConformance):
    """The common suite on VNPAY."""


async def test_the_checkout_is_the_published_vector() -> None:
    """The hash was made by npm `vnpay`; VNPAY refuses the page when one byte differs."""
    checkout = await build(ScriptedWire()).checkout(ORDER)

    query = urlsplit(checkout.redirect_url or "").query
    assert query == (
        "vnp_Amount=15000000&vnp_Command=pay&vnp_CreateDate=20261124103000&vnp_CurrCode=VND"
        "&vnp_ExpireDate=20261124104500&vnp_IpAddr=203.0.113.7&vnp_Locale=vn"
        "&vnp_OrderInfo=Nop+phi+ho+so+HN1%3A+50%25+%28le+phi%29&vnp_OrderType=other"
        "&vnp_ReturnUrl=https%3A%2F%2Fpay.example.gov.vn%2Fvnpay%2Freturn%3Fl%3Dvi"
        "&vnp_TmnCode=TESTTMN1&vnp_TxnRef=HN20261124000001&vnp_Version=2.1.0"
        "&vnp_SecureHash=b06622fe8747cdb35690a16b3adf9f8cc6138c166705483ea3dddf4bf29f6974"
        "5757a579542bfc66404719c9a7fc22f641f297f32c7c0d3cf634827b60de424d"
    )


def test_the_question_is_signed_as_the_published_vector() -> None:
    """A question that VNPAY cannot verify leaves every silent payment in doubt."""
    asked = "r1|2.1.0|querydr|TESTTMN1|HN20261124000001|20261124103000|20261124110000"
    names = "RequestId Version Command TmnCode TxnRef TransactionDate CreateDate IpAddr OrderInfo"
    parts = f"{asked}|203.0.113.7|Truy van HN1".split("|")
    fields = {f"vnp_{n}": v for n, v in zip(names.split(), parts, strict=True)}

    assert vnpay_api.sign(SECRET, fields, vnpay_api.ASKED) == (
        "6409544b0afd79c9e3af74ddd9a9b1c13147aac9bf6ff3fcce1ad839a9e18374"
        "9b6c01efda1c147f31d7fdce7999a66d525299f2f3d8f5c752ae1a9f39280c7c"
    )


def test_the_order_of_parameters_and_the_case_of_the_hash_do_not_matter() -> None:
    """VNPAY's own samples disagree on both."""
    provider, pairs = build(ScriptedWire()), parse_qsl(notice().query)
    upper = [(k, v.upper() if k == "vnp_SecureHash" else v) for k, v in pairs]

    for query in (urlencode(pairs[::-1]), urlencode(upper), f"{notice().query}&l=vi"):
        assert provider.read(raw(query)).verdict is Verdict.CAPTURED


def test_the_hash_type_of_older_versions_is_not_signed() -> None:
    """VNPAY may still send it back; it is dropped before the check."""
    said = build(ScriptedWire()).read(raw(f"{notice().query}&vnp_SecureHashType=HmacSHA512"))

    assert said.verdict is Verdict.CAPTURED


def test_code_00_with_an_unfinished_status_is_still_pending() -> None:
    """The official PHP sample takes either for success, and gives away what was not paid."""
    for status in ("01", "02", "", "99"):
        said = build(ScriptedWire()).read(notice(TransactionStatus=status))

        assert said.verdict is Verdict.PENDING


@pytest.mark.parametrize("number", ["", "0", "000"])
def test_a_capture_without_a_number_is_pending(number: str) -> None:
    """Money without a number cannot be told from its own repeat."""
    said = build(ScriptedWire()).read(notice(TransactionNo=number))

    assert (said.verdict, said.txn_id) == (Verdict.PENDING, "")


@pytest.mark.parametrize("amount", ["", "150", "1e5", "-100", "١٠٠", "15000000.0", "1" * 16])
def test_an_amount_that_is_not_whole_dong_is_refused(amount: str) -> None:
    """int() would take Arabic digits, and rounding would invent money."""
    with pytest.raises(ForgedError):
        build(ScriptedWire()).read(notice(Amount=amount))


@pytest.mark.parametrize("date", ["", "2026", "20261399000000", "٢٠٢٦١١٢٤١٠٣١١٢"])
def test_a_bad_date_does_not_lose_the_money(date: str) -> None:
    """The capture is what counts; its time can be taken from elsewhere."""
    said = build(ScriptedWire()).read(notice(PayDate=date))

    assert (said.verdict, said.paid_at) == (Verdict.CAPTURED, None)


def test_too_many_parameters_are_refused() -> None:
    """A reader that sorts a million names is a way to stop us."""
    many = "&".join(f"a{i}=1" for i in range(70))

    with pytest.raises(ForgedError):
        build(ScriptedWire()).read(raw(f"{notice().query}&{many}"))


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("00", Verdict.CAPTURED),
        ("01", Verdict.PENDING),
        ("02", Verdict.DECLINED),
        ("04", Verdict.REVIEW),
        ("07", Verdict.REVIEW),
        ("88", Verdict.PENDING),
        ("", Verdict.PENDING),
    ],
)
async def test_the_answers_transaction_status_decides(status: str, verdict: Verdict) -> None:
    """The answer's ResponseCode 00 says only that the question was understood."""
    wire = ScriptedWire([answer(TransactionStatus=status)])

    assert (await build(wire).ask(ORDER, CREATED)).verdict is verdict


async def test_an_order_nobody_paid_is_pending_until_it_expired() -> None:
    """The citizen may still be looking for the card."""
    missing = answer(ResponseCode="91", TransactionStatus="", TxnRef="")
    early, late = ORDER.expires_at - timedelta(seconds=1), ORDER.expires_at

    assert (await build(ScriptedWire([missing])).ask(ORDER, early)).verdict is Verdict.PENDING
    assert (await build(ScriptedWire([missing])).ask(ORDER, late)).verdict is Verdict.EXPIRED


@pytest.mark.parametrize(
    "change",
    [
        {"ResponseCode": "94"},
        {"ResponseCode": "97"},
        {"ResponseCode": "99"},
        {"TmnCode": "OTHERTMN"},
        {"TxnRef": "ANOTHER"},
        {"TxnRef": ""},
        {"Amount": ""},
    ],
)
async def test_an_answer_about_something_else_leaves_doubt(change: dict[str, str]) -> None:
    """A signed answer about another order is a replay."""
    with pytest.raises(InDoubtError):
        await build(ScriptedWire([answer(**change)])).ask(ORDER, CREATED)


async def test_each_question_has_an_id_of_its_own() -> None:
    """VNPAY refuses a request id that was used that day."""
    wire = ScriptedWire([answer(), answer()])
    provider = build(wire)

    for minutes in (1, 2):
        await provider.ask(ORDER, CREATED + timedelta(minutes=minutes))

    ids = {json.loads(body)["vnp_RequestId"] for _, _, body in wire.asked}
    assert len(ids) == 2
    assert all(len(i) <= 32 for i in ids)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VNPAY_TMN_CODE", "SHORT"),
        ("VNPAY_TMN_CODE", "TMN-0001"),
        ("VNPAY_SECRET", ""),
        ("VNPAY_SECRET", "with a space"),
        ("VNPAY_BASE_URL", "ftp://bank.example/pay"),
        ("VNPAY_API_URL", "https://"),
        ("VNPAY_API_URL", "https://me:pw@bank.example/"),
    ],
)
def test_a_malformed_setting_is_named(name: str, value: str) -> None:
    """A person who starts the program reads one sentence, without the secret in it."""
    with pytest.raises(ValueError, match=f"^THUPHI_{name} must be ") as caught:
        VNPAY.build({**SETTINGS, name: value}, ScriptedWire(), "default")

    assert not value or value not in str(caught.value)
