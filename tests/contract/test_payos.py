"""payOS's adapter: the common suite, the published vectors, and what payOS says in odd cases."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from adapters.conformance import ScriptedWire
from adapters.payos import SAMPLE
from adapters.payos_signature import sign_data, sign_request
from adapters.vectors.payos import (
    DATA,
    DOCUMENTED,
    KEY,
    LINK,
    NOW,
    OPENED,
    ORDER,
    PayosConformance,
    answer,
    ask,
    build,
    notice,
    raw,
    refusal,
    signed,
)
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.ports.provider import (
    Cancels,
    Outcome,
    Verdict,
)
from gateway.ports.wire import Reply


class TestPayos(PayosConformance):
    """The common suite on payOS."""


def test_the_documented_webhook_has_the_published_signature() -> None:
    assert (
        sign_data(KEY, DOCUMENTED)
        == "412e915d2871504ed31be63c8f62a149a4410d34c4c42affc9006ef9917eaa03"
    )


def test_an_order_has_the_published_signature() -> None:
    words = {
        "amount": 150_000, "orderCode": 2_026_112_401, "description": "NOPPHI HN1",
        "cancelUrl": "https://pay.example.gov.vn/c", "returnUrl": "https://pay.example.gov.vn/r",
    }  # fmt: skip

    assert (
        sign_request(KEY, words)
        == "1ae9f5ee2f183e628c71fa0a4d808f0f4cbe08900429ab0b5173b809e7d80cdb"
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""), ("null", ""), ("undefined", ""), (True, "true"), (False, "false"), (0, "0"),
        (1.5, "1.5"), (2.0, "2"), ([{"b": 1, "a": "é"}], '[{"a":"é","b":1}]'), ([], "[]"),
        ({"a": 1}, "[object Object]"),
    ],
)  # fmt: skip
def test_a_key_that_nobody_announced_is_signed_as_javascript_writes_it(
    value: object, written: str
) -> None:
    """Fields are added without telling; a list of those we know would refuse all money then."""
    text = f"a=1&z={written}"
    expected = hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()

    assert sign_data(KEY, {"z": value, "a": 1}) == expected
    data = {**DATA, "more": value}
    assert build().read(raw(signed(data, sign_data(KEY, data)))).amount == 150_000


def test_the_sample_that_payos_sends_when_the_address_is_registered_is_no_money() -> None:
    """It is well signed, with our key, and names 3,000 đồng that never moved."""
    said = build().read(raw(signed(DOCUMENTED)))

    assert (said.verdict, said.amount, said.order_serial) == (Verdict.PENDING, 0, None)
    assert (DOCUMENTED["paymentLinkId"], DOCUMENTED["reference"]) == SAMPLE
    assert build().acknowledge(Outcome.UNKNOWN_ORDER).status == 200


def test_a_notice_about_an_account_that_is_not_ours_is_thanked_and_is_nothing() -> None:
    mine = build(PAYOS_ACCOUNT="0123456789")

    assert mine.read(notice()).amount == 150_000
    assert mine.read(notice(accountNumber="1", virtualAccountNumber="0123456789")).amount == 150_000
    assert mine.read(notice(accountNumber="99999999")).verdict is Verdict.PENDING
    assert mine.read(notice(accountNumber="99999999")).movement is None


def test_payoss_own_name_of_a_transfer_is_not_taken_for_the_banks() -> None:
    """Two reporters with different references would make two captures of one credit."""
    said = build().read(notice(reference="dd3eaa5a-5d5b-40a6-9384-34909674b9c0"))

    assert said.movement
    assert said.movement.bank_reference == ""
    assert said.txn_id == "4711-dd3eaa5a-5d5b-40a6-9384-34909674b9c0"


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": True}, {"amount": "150000"}, {"amount": 1.5}, {"amount": 0}, {"amount": -1},
        {"amount": None}, {"amount": 10**15 + 1}, {"orderCode": 0}, {"orderCode": "4711"},
        {"orderCode": None}, {"reference": ""}, {"reference": None}, {"reference": "a b"},
        {"description": 5}, {"code": None}, {"accountNumber": 5},
    ],
)  # fmt: skip
def test_well_signed_nonsense_is_refused(changes: dict[str, object]) -> None:
    """A signature says who spoke, not that it made sense."""
    with pytest.raises(ForgedError):
        build().read(raw(signed({**DATA, **changes})))


@pytest.mark.parametrize("date", ["25/11/2026", "0001-01-01 00:00:00", ""])
def test_a_bad_date_loses_no_money(date: str) -> None:
    said = build().read(notice(transactionDateTime=date))

    assert (said.amount, said.paid_at) == (150_000, NOW)


async def test_the_order_carries_our_number_the_code_and_its_end() -> None:
    wire = ScriptedWire([Reply(200, {}, signed(OPENED))])

    checkout = await build(wire).checkout(ORDER)

    method, url, body = wire.asked[0]
    said = json.loads(body)
    assert (method, url) == ("POST", "https://api-merchant.payos.vn/v2/payment-requests")
    assert said["orderCode"] == 4_711
    assert said["description"] == "TP0123456789AB"
    assert said["expiredAt"] == int(ORDER.expires_at.timestamp())
    text = (
        "amount=150000&cancelUrl=https://pay.example.gov.vn/r&description=TP0123456789AB"
        "&orderCode=4711&returnUrl=https://pay.example.gov.vn/r"
    )
    assert said["signature"] == hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
    assert (checkout.redirect_url, checkout.qr_text, checkout.provider_id) == (
        OPENED["checkoutUrl"], "000201", LINK,
    )  # fmt: skip


async def test_where_only_nine_characters_fit_the_code_is_cut_and_the_number_names_it() -> None:
    """An account that payOS has not linked: the order's number is then what finds the payment."""
    wire = ScriptedWire([Reply(200, {}, signed({**OPENED, "description": "TP0123456"}))])

    await build(wire, PAYOS_DESCRIPTION_MAX="9").checkout(ORDER)

    said = json.loads(wire.asked[0][2])
    assert (said["description"], said["orderCode"]) == ("TP0123456", 4_711)


async def test_an_order_that_is_there_already_is_looked_up_and_its_page_given() -> None:
    """Our first call arrived, and its answer was lost."""
    wire = ScriptedWire([refusal("231"), answer(status="PENDING", amountPaid=0, transactions=[])])

    checkout = await build(wire).checkout(ORDER)

    assert checkout.redirect_url == f"https://pay.payos.vn/web/{LINK}"
    assert checkout.provider_id == LINK
    assert wire.asked[1][:2] == (
        "GET", "https://api-merchant.payos.vn/v2/payment-requests/4711",
    )  # fmt: skip
    with pytest.raises(InDoubtError):
        await build(ScriptedWire([refusal("231"), answer()])).checkout(ORDER)


@pytest.mark.parametrize("code", ["201", "214", "20", "429"])
async def test_a_clear_no_is_a_no(code: str) -> None:
    with pytest.raises(DeclinedError):
        await build(ScriptedWire([refusal(code)])).checkout(ORDER)


@pytest.mark.parametrize(
    "reply",
    [
        InDoubtError("Time-out."), Reply(500, {}, signed(OPENED)), Reply(200, {}, b"<html>"),
        Reply(200, {}, b"{}"), Reply(200, {}, b""), Reply(404, {}, b"<html>"),
        Reply(200, {}, signed(OPENED, "0" * 64)), Reply(200, {}, signed({**OPENED, "amount": 1})),
        Reply(200, {}, signed({**OPENED, "orderCode": 1})),
        Reply(200, {}, signed({**OPENED, "checkoutUrl": "javascript:1"})),
        Reply(200, {}, signed({**OPENED, "paymentLinkId": "../x"})),
    ],
)  # fmt: skip
async def test_an_answer_that_cannot_be_used_leaves_the_order_in_doubt(
    reply: Reply | Exception,
) -> None:
    with pytest.raises(InDoubtError):
        await build(ScriptedWire([reply])).checkout(ORDER)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("PENDING", Verdict.PENDING), ("PROCESSING", Verdict.PENDING),
        ("CANCELLED", Verdict.CANCELLED), ("EXPIRED", Verdict.EXPIRED),
        ("FAILED", Verdict.DECLINED), ("SOMETHING_NEW", Verdict.PENDING),
    ],
)  # fmt: skip
async def test_each_status_is_told_apart(status: str, verdict: Verdict) -> None:
    said = await ask(answer(status=status, amountPaid=0, transactions=[]))

    assert (said.verdict, said.amount, said.also) == (verdict, 0, ())


def transfer(n: int, amount: int) -> dict[str, Any]:
    return {**{k: v for k, v in DATA.items() if k not in ("orderCode", "code")},
            "reference": f"FT{n}", "amount": amount}  # fmt: skip


async def test_an_underpaid_order_is_pending_and_tells_of_its_transfers() -> None:
    parts = [transfer(1, 50_000), transfer(2, 20_000)]

    said = await ask(answer(status="UNDERPAID", amountPaid=70_000, transactions=parts))

    assert said.verdict is Verdict.PENDING
    assert [(x.verdict, x.amount, x.txn_id) for x in said.also] == [
        (Verdict.CAPTURED, 50_000, "4711-FT1"), (Verdict.CAPTURED, 20_000, "4711-FT2"),
    ]  # fmt: skip


async def test_a_paid_order_tells_of_every_transfer_and_none_twice() -> None:
    parts = [transfer(1, 50_000), transfer(2, 100_000)]

    said = await ask(answer(transactions=parts))

    assert [x.amount for x in (said, *said.also)] == [100_000, 50_000]
    assert {x.movement.bank_reference for x in (said, *said.also) if x.movement} == {"FT1", "FT2"}


@pytest.mark.parametrize(
    ("status", "paid", "parts"),
    [
        ("PAID", 150_000, []), ("PAID", 150_000, [transfer(1, 50_000)]),
        ("UNDERPAID", 50_000, []), ("EXPIRED", 50_000, []), ("PAID", 0, []),
    ],
)  # fmt: skip
async def test_a_sum_without_its_transfers_is_for_a_person_and_books_only_what_is_named(
    status: str, paid: int, parts: list[dict[str, Any]]
) -> None:
    """It has no bank reference and no day: booked, it could not be told from its own transfers."""
    said = await ask(answer(status=status, amountPaid=paid, transactions=parts))

    assert (said.verdict, said.amount, said.movement) == (Verdict.REVIEW, 0, None)
    assert [x.amount for x in said.also] == [p["amount"] for p in parts]


async def test_an_order_that_nobody_knows_is_pending_until_it_expired() -> None:
    early = await ask(refusal("101"), ORDER.expires_at - timedelta(seconds=1))
    late = await ask(refusal("101"), ORDER.expires_at)

    assert (early.verdict, late.verdict) == (Verdict.PENDING, Verdict.EXPIRED)
    with pytest.raises(InDoubtError):
        await ask(refusal("214"))


async def test_a_cancelled_order_is_withdrawn_and_a_paid_one_is_not() -> None:
    gone = answer(status="CANCELLED", amountPaid=0, transactions=[])
    wire = ScriptedWire([gone])
    assert isinstance(build(), Cancels)

    await build(wire).cancel(ORDER)

    assert wire.asked[0][:2] == (
        "POST", "https://api-merchant.payos.vn/v2/payment-requests/4711/cancel",
    )  # fmt: skip
    await build(ScriptedWire([refusal("20"), gone])).cancel(ORDER)
    with pytest.raises(DeclinedError):
        await build(ScriptedWire([refusal("20"), answer()])).cancel(ORDER)


@pytest.mark.parametrize(
    "replies",
    [
        [DeclinedError("No route.")], [Reply(500, {}, b"")], [refusal("101"), refusal("101")],
        [answer(status="PENDING", amountPaid=0, transactions=[])], [Reply(200, {}, b"{}")],
        [Reply(200, {}, signed({"orderCode": 4_711, "amount": 150_000}, "0" * 64))],
    ],
)  # fmt: skip
async def test_a_withdrawal_that_is_not_confirmed_is_in_doubt(
    replies: list[Reply | Exception],
) -> None:
    """An order that we believe withdrawn, and that is not, is paid by mistake."""
    with pytest.raises(InDoubtError):
        await build(ScriptedWire(replies)).cancel(ORDER)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAYOS_CLIENT_ID", ""), ("PAYOS_API_KEY", "short"), ("PAYOS_CHECKSUM_KEY", ""),
        ("PAYOS_BASE_URL", "ftp://x"), ("PAYOS_ACCOUNT", "12 34"), ("PAYOS_DESCRIPTION_MAX", "8"),
        ("PAYOS_DESCRIPTION_MAX", "26"),
    ],
)  # fmt: skip
def test_a_malformed_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"^THUPHI_{name} "):
        build(**{name: value})
