"""VNPAY's adapter: the common suite, the vectors of the protocol, and VNPAY's own traps."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from adapters.conformance import ProviderConformance, ScriptedWire
from adapters.vnpay import VNPAY, Vnpay, sign_question
from gateway.domain.errors import ForgedError, InDoubtError
from gateway.ports.provider import Notice, Order, Outcome, Provider, RawNotice, Verdict
from gateway.ports.wire import Reply, Wire

SECRET = "VNPTESTSECRET0123456789ABCDEFGH"
SETTINGS = {
    "VNPAY_TMN_CODE": "TESTTMN1",
    "VNPAY_SECRET": SECRET,
    "VNPAY_BASE_URL": "https://sandbox.vnpayment.vn/paymentv2/vpcpay.html",
    "VNPAY_API_URL": "https://sandbox.vnpayment.vn/merchant_webapi/api/transaction",
}
CREATED = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
ORDER = Order(
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
FIELDS = {
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
ANSWER_NAMES = (
    "ResponseId Command ResponseCode Message TmnCode TxnRef Amount BankCode PayDate TransactionNo "
    "TransactionType TransactionStatus OrderInfo PromotionCode PromotionAmount"
)


def mac(text: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()


def notice(secret: str = SECRET, **changes: str) -> RawNotice:
    fields = {**FIELDS, **{f"vnp_{k}": v for k, v in changes.items()}}
    query = urlencode(sorted((k, v) for k, v in fields.items() if v))
    return raw(f"{query}&vnp_SecureHash={mac(query, secret)}")


def raw(query: str) -> RawNotice:
    return RawNotice("GET", query, {}, b"", CREATED)


def answer(**changes: str) -> Reply:
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
    said["vnp_SecureHash"] = mac("|".join(said.get(f"vnp_{n}", "") for n in ANSWER_NAMES.split()))
    return Reply(200, {}, json.dumps(said).encode())


def build(wire: Wire) -> Vnpay:
    provider = VNPAY.build(SETTINGS, wire, "default")
    assert isinstance(provider, Vnpay)
    return provider


class TestVnpay(ProviderConformance):
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

    def answer(self) -> Reply | None:
        return answer()

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

    assert sign_question(SECRET, fields) == (
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
