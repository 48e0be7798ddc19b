"""MoMo's adapter: the common suite, the vectors of the protocol, and MoMo's own traps."""

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest

from adapters.conformance import ScriptedWire
from adapters.momo import METHODS, MOMO, sign
from adapters.vectors.momo import (
    ACCESS_KEY,
    CREATED,
    FIELDS,
    ORDER,
    REFUND,
    SECRET_KEY,
    SETTINGS,
    MomoConformance,
    answer,
    build,
    created,
    listed,
    notice,
    raw,
    refunded,
    sign_notice,
)
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.ports.provider import RefundVerdict, Verdict

VECTOR = {
    "accessKey": ACCESS_KEY, "amount": 150_000, "extraData": "",
    "ipnUrl": "https://pay.example.gov.vn/momo/ipn", "orderId": "HN20261124000001",
    "orderInfo": "Nộp phí hồ sơ HN1", "partnerCode": "MOMO",
    "redirectUrl": "https://pay.example.gov.vn/momo/return", "requestId": "REQ-0001",
    "requestType": "captureWallet",
}  # fmt: skip


class TestMomo(MomoConformance):
    """The common suite on MoMo."""


def test_the_signature_of_create_is_the_published_vector() -> None:
    """It was made by npm `momo-payment-api`; raw UTF-8, nothing is URL-encoded."""
    assert sign(SECRET_KEY, "create", VECTOR) == (
        "ec9ac61011d73706ddb9ce2bd4db93836c7767e1ceacb658b6c924faafa6fe41"
    )


def test_the_signature_of_a_notice_is_the_published_vector() -> None:
    """Our access key is signed and not sent; the order is that of MoMo's own PHP sample."""
    fields = {**FIELDS, "requestId": "REQ-0001", "accessKey": ACCESS_KEY}

    expected = "7d6783f2ebff538d29e467673acae16979cc117ef3c6f1ba5736a6906634c1c1"
    assert sign(SECRET_KEY, "ipn", fields) == expected
    assert sign_notice({**FIELDS, "requestId": "REQ-0001"}) == expected


async def test_create_carries_what_momo_wants_and_nothing_of_the_payer() -> None:
    """One idempotency key, our own notice door, and no access key on the wire."""
    wire = ScriptedWire([created()])

    checkout = await build(wire).checkout(replace(ORDER, method="captureWallet", locale="en"))

    ((method, url, body),) = wire.asked
    asked = json.loads(body)
    assert (method, url) == ("POST", "https://test-payment.momo.vn/v2/gateway/api/create")
    assert asked["requestId"] == asked["orderId"] == ORDER.reference
    assert asked["ipnUrl"] == ORDER.notice_url
    assert (asked["requestType"], asked["lang"], asked["amount"]) == (
        "captureWallet", "en", 150_000,
    )  # fmt: skip
    assert "accessKey" not in asked
    signed = {**asked, "accessKey": ACCESS_KEY}
    assert asked["signature"] == sign(SECRET_KEY, "create", signed)
    assert checkout.redirect_url == "https://test-payment.momo.vn/v2/gateway/pay?t=TU9NT3xITjE"


async def test_without_a_method_the_payer_chooses_at_momo() -> None:
    """The port says so: an empty method is no method of ours."""
    wire = ScriptedWire([created()])

    await build(wire).checkout(ORDER)

    assert json.loads(wire.asked[0][2])["requestType"] == "payWithMethod"


async def test_a_foreign_card_takes_ten_million_at_most() -> None:
    """MoMo's page would refuse it after the citizen has typed the card."""
    (limit,) = (m.amount_max for m in METHODS if m.code == "payWithCC")
    too_much = replace(ORDER, method="payWithCC", amount=limit + 1)

    with pytest.raises(DeclinedError):
        await build(ScriptedWire()).checkout(too_much)
    assert await build(ScriptedWire([created(amount=limit)])).checkout(
        replace(too_much, amount=limit)
    )


@pytest.mark.parametrize("code", [9000, 1000, 7000, 7002])
def test_what_is_not_over_is_no_failure(code: int) -> None:
    """9000 is money, as we take in one step; the others are waited for."""
    said = build(ScriptedWire()).read(notice(resultCode=code))

    assert said.verdict is (Verdict.CAPTURED if code == 9000 else Verdict.PENDING)


@pytest.mark.parametrize("number", [0, "", "000", None, "x1", -1])
def test_a_capture_without_a_number_is_pending(number: object) -> None:
    """Money without a number cannot be told from its own repeat."""
    assert build(ScriptedWire()).read(notice(transId=number)).verdict is Verdict.PENDING


@pytest.mark.parametrize("amount", ["", "150.0", "1e5", -100, "١٠٠", None, "1" * 16])
def test_an_amount_that_is_not_whole_dong_is_refused(amount: object) -> None:
    """int() would take Arabic digits, and rounding would invent money."""
    with pytest.raises(ForgedError):
        build(ScriptedWire()).read(notice(amount=amount))


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_notice_that_lacks_a_signed_field_is_refused(name: str) -> None:
    """An absent field and an empty one would sign alike."""
    fields = {k: v for k, v in FIELDS.items() if k != name}
    body = json.dumps({**fields, "signature": sign_notice(fields)}).encode()

    with pytest.raises(ForgedError):
        build(ScriptedWire()).read(raw(body))


@pytest.mark.parametrize(
    "change",
    [
        {"message": ["a"]}, {"message": 1.5}, {"resultCode": True}, {"orderId": ""},
        {"orderId": "a\x00b"}, {"orderId": "x" * 201}, {"orderId": "Nộp"},
    ],
)  # fmt: skip
def test_a_well_signed_field_of_another_kind_is_refused(change: dict[str, object]) -> None:
    """What cannot be signed as text, or stored as our reference, is not MoMo's."""
    with pytest.raises(ForgedError):
        build(ScriptedWire()).read(notice(**change))


@pytest.mark.parametrize("at", ["", "soon", 0, 10**15, None])
def test_a_bad_time_does_not_lose_the_money(at: object) -> None:
    """The capture is what counts; its time can be taken from elsewhere."""
    said = build(ScriptedWire()).read(notice(responseTime=at))

    assert (said.verdict, said.paid_at) == (Verdict.CAPTURED, None)


def test_the_way_back_of_a_cancelled_payment_says_so() -> None:
    """A citizen who changed their mind is not told that the payment failed."""
    query = urlencode(json.loads(notice(resultCode=1006, message="Đã huỷ").body))

    assert build(ScriptedWire()).read_return(query).verdict is Verdict.CANCELLED


def asked_id(at: datetime) -> str:
    """Give the id of the question that is asked about the order at this moment."""
    return hashlib.sha256(f"MOMO|{ORDER.reference}|{at.isoformat()}".encode()).hexdigest()[:32]


@pytest.mark.parametrize(
    ("at", "verdict"),
    [
        (ORDER.expires_at - timedelta(seconds=1), Verdict.PENDING),
        (ORDER.expires_at, Verdict.EXPIRED),
    ],
)
async def test_an_order_that_momo_never_heard_of_can_still_be_paid_until_it_expires(
    at: datetime, verdict: Verdict
) -> None:
    """The answer to create may still be on its way; after its time nobody can pay it."""
    wire = ScriptedWire([answer(resultCode=42, transId=0, amount=0, requestId=asked_id(at))])

    said = await build(wire).ask(ORDER, at)

    assert (said.verdict, said.order_reference) == (verdict, ORDER.reference)


async def test_an_unknown_error_ends_an_order_only_after_its_time() -> None:
    """Before, 99 may be about the question; an order that may be paid is not given up."""
    late = ORDER.expires_at
    answers = [answer(resultCode=99), answer(resultCode=99, requestId=asked_id(late))]
    provider = build(ScriptedWire([*answers]))

    with pytest.raises(InDoubtError):
        await provider.ask(ORDER, CREATED + timedelta(minutes=5))
    assert (await provider.ask(ORDER, late)).verdict is Verdict.DECLINED


@pytest.mark.parametrize("code", [10, 11, 12, 13, 20, 21, 22, 40, 41, 43, 45, 47])
async def test_a_refused_question_says_nothing_of_the_order(code: int) -> None:
    """A wrong signature of ours is not the citizen's failed payment."""
    with pytest.raises(InDoubtError):
        await build(ScriptedWire([answer(resultCode=code)])).ask(
            ORDER, CREATED + timedelta(minutes=5)
        )


async def test_each_question_has_an_id_of_its_own() -> None:
    """MoMo answers the same requestId the same, or with 40: the news would never come."""
    wire = ScriptedWire()
    provider = build(wire)

    for minutes in (1, 2):
        with pytest.raises(InDoubtError):
            await provider.ask(ORDER, CREATED + timedelta(minutes=minutes))

    ids = {json.loads(body)["requestId"] for _, _, body in wire.asked}
    assert len(ids) == 2
    assert all(len(i) <= 50 for i in ids)


async def test_a_refund_has_an_id_of_its_own_and_names_the_payment() -> None:
    """MoMo wants a new orderId; the old one would be a duplicate."""
    wire = ScriptedWire([refunded()])

    said = await build(wire).refund(REFUND)

    asked = json.loads(wire.asked[0][2])
    assert (asked["orderId"], asked["requestId"]) == (REFUND.reference, REFUND.reference)
    assert (asked["transId"], asked["amount"]) == (4_088_878_653, 50_000)
    assert asked["signature"] == sign(SECRET_KEY, "refund", {**asked, "accessKey": ACCESS_KEY})
    assert (said.verdict, said.txn_id) == (RefundVerdict.DONE, "4088900001")


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (1080, RefundVerdict.REFUSED), (1088, RefundVerdict.REFUSED),
        (1001, RefundVerdict.REFUSED), (11, RefundVerdict.REFUSED),
        (1081, RefundVerdict.PENDING), (40, RefundVerdict.PENDING), (41, RefundVerdict.PENDING),
        (99, RefundVerdict.PENDING), (7000, RefundVerdict.PENDING), (12_345, RefundVerdict.PENDING),
    ],
)  # fmt: skip
async def test_only_a_clear_no_to_a_refund_is_a_no(code: int, verdict: RefundVerdict) -> None:
    """«Already refunded» may be our own refund, whose answer we never heard."""
    said = await build(ScriptedWire([refunded(resultCode=code)])).refund(REFUND)

    assert said.verdict is verdict


@pytest.mark.parametrize("change", [{"amount": 49_999}, {"transId": 0}, {"amount": "50000"}])
async def test_a_refund_of_another_amount_is_not_done(change: dict[str, object]) -> None:
    """A person will look; nothing is booked that was not asked for."""
    said = await build(ScriptedWire([refunded(**change)])).refund(REFUND)

    assert said.verdict is RefundVerdict.PENDING


async def test_a_refund_that_never_came_is_sent_again_as_the_same_refund() -> None:
    """Else a lost request would be asked about for ever; the key lets money move once."""
    first, missing = ScriptedWire(), listed(orderId="YET-ANOTHER")
    with pytest.raises(InDoubtError):
        await build(first).refund(REFUND)
    wire = ScriptedWire([missing, refunded()])

    said = await build(wire).ask_refund(REFUND, REFUND.asked_at + timedelta(hours=1))

    assert said.verdict is RefundVerdict.DONE
    assert wire.asked[1] == first.asked[0]


async def test_a_refund_that_momo_may_have_forgotten_is_not_sent_again() -> None:
    """After a month the same requestId would be a new refund."""
    at = REFUND.asked_at + timedelta(days=30)
    wire = ScriptedWire([answer(requestId=asked_id(at))])

    said = await build(wire).ask_refund(REFUND, at)

    assert (said.verdict, len(wire.asked)) == (RefundVerdict.PENDING, 1)


async def test_a_transaction_that_is_not_momos_is_not_given_back() -> None:
    """A number that a statement reported means nothing to MoMo."""
    wire = ScriptedWire()

    with pytest.raises(DeclinedError):
        await build(wire).refund(replace(REFUND, txn_id="sepay-1"))
    assert wire.asked == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MOMO_PARTNER_CODE", ""), ("MOMO_PARTNER_CODE", "a b"), ("MOMO_ACCESS_KEY", "short"),
        ("MOMO_SECRET_KEY", "with a space"), ("MOMO_BASE_URL", "ftp://momo.example"),
    ],
)  # fmt: skip
def test_a_malformed_setting_is_named(name: str, value: str) -> None:
    """A person who starts the program reads one sentence, without the secret in it."""
    with pytest.raises(ValueError, match=f"^THUPHI_{name} must be ") as caught:
        MOMO.build({**SETTINGS, name: value}, ScriptedWire(), "default")

    assert not value or value not in str(caught.value)
