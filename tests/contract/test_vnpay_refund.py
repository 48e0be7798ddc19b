"""VNPAY's refunds, the choice of a bank, and queries that other encoders wrote."""

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from town import Town

from adapters import vnpay_api
from adapters.conformance import ScriptedWire
from adapters.simulator import Choice, Fault
from adapters.vectors.vnpay import (
    CREATED,
    FIELDS,
    ORDER,
    REFUND,
    SECRET,
    answer,
    asked_after,
    build,
    mac,
    notice,
    raw,
    refunded,
)
from adapters.vnpay import METHODS, Vnpay
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.ports.provider import RefundOrder, RefundVerdict, Verdict

PART = replace(REFUND, amount=50_000)
LATER = REFUND.asked_at + timedelta(hours=1)


def test_a_refund_is_signed_as_the_published_vector() -> None:
    """The hash was made by npm `vnpay`, with a transaction number that it was told to send."""
    text = (
        "r2|2.1.0|refund|TESTTMN1|02|HN20261124000001|15000000|14831393|20261124103000|ketoan"
        "|20261124110000|203.0.113.7|Hoan phi HN1"
    )
    names = vnpay_api.REFUND.split()
    fields = {f"vnp_{n}": v for n, v in zip(names, text.split("|"), strict=True)}

    assert vnpay_api.sign(SECRET, fields, vnpay_api.REFUND) == (
        "99be7e28dd1a4808c86b3fcd2d03e2c03263cc42a8767e0a1e43020be4aa92d5"
        "f7e2811b266619f3464d9f8cc77d125d08d35533fe1d73eff32dde5d57ba4963"
    )


@pytest.mark.parametrize(
    ("order", "kind", "amount"), [(REFUND, "02", "15000000"), (PART, "03", "5000000")]
)
async def test_a_refund_says_whole_or_part_and_always_the_number(
    order: RefundOrder, kind: str, amount: str
) -> None:
    """A client that leaves TransactionNo out hashes a field that it does not send."""
    wire = ScriptedWire([refunded(TransactionType=kind, Amount=amount)])

    said = await build(wire).refund(order)

    asked = json.loads(wire.asked[0][2])
    given = asked.pop("vnp_SecureHash")
    assert asked == {
        "vnp_RequestId": REFUND.reference, "vnp_Version": "2.1.0", "vnp_Command": "refund",
        "vnp_TmnCode": "TESTTMN1", "vnp_TransactionType": kind, "vnp_TxnRef": ORDER.reference,
        "vnp_Amount": amount, "vnp_TransactionNo": "14831393",
        "vnp_TransactionDate": "20261124103000", "vnp_CreateBy": "ketoan",
        "vnp_CreateDate": "20261124113000", "vnp_IpAddr": "203.0.113.7",
        "vnp_OrderInfo": f"Hoan phi HN1 {REFUND.reference}",
    }  # fmt: skip
    assert given == mac("|".join(asked[f"vnp_{n}"] for n in vnpay_api.REFUND.split()))
    assert (said.verdict, said.txn_id) == (RefundVerdict.DONE, "14831400")


@pytest.mark.parametrize(
    ("code", "status", "verdict"),
    [
        ("00", "00", RefundVerdict.DONE),
        ("00", "05", RefundVerdict.PENDING),
        ("00", "06", RefundVerdict.PENDING),
        ("00", "09", RefundVerdict.REFUSED),
        ("00", "02", RefundVerdict.PENDING),
        ("00", "88", RefundVerdict.PENDING),
        ("94", "", RefundVerdict.PENDING),
        ("91", "", RefundVerdict.REFUSED),
        ("95", "", RefundVerdict.REFUSED),
        ("99", "", RefundVerdict.PENDING),
        ("77", "00", RefundVerdict.PENDING),
    ],
)
async def test_each_code_of_a_refund_is_told_apart(
    code: str, status: str, verdict: RefundVerdict
) -> None:
    """94 is no refusal: it was asked for, and is on its way."""
    wire = ScriptedWire([refunded(ResponseCode=code, TransactionStatus=status)])

    assert (await build(wire).refund(REFUND)).verdict is verdict


@pytest.mark.parametrize("code", ["02", "03", "97"])
async def test_a_request_that_was_not_taken_up_gave_nothing_back(code: str) -> None:
    """Our merchant code, a field or the hash is wrong: an operator must look, no money moved."""
    wire = ScriptedWire([refunded(ResponseCode=code, TransactionStatus="")])

    with pytest.raises(DeclinedError):
        await build(wire).refund(REFUND)


async def test_a_refund_that_is_done_and_has_no_number_is_pending() -> None:
    """It could be shown to nobody, and told from no other."""
    said = await build(ScriptedWire([refunded(TransactionNo="0")])).refund(REFUND)

    assert said.verdict is RefundVerdict.PENDING


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        # Another part of the same amount looks alike: believed only when it names itself.
        ({}, RefundVerdict.PENDING),
        ({"OrderInfo": f"Hoan {PART.reference}"}, RefundVerdict.DONE),
        ({"OrderInfo": "Hoan 01JD3Q4N5R6S7T8V9W0X1Y2Z3B"}, RefundVerdict.PENDING),
        ({"OrderInfo": f"Hoan {PART.reference}", "Amount": "5000100"}, RefundVerdict.PENDING),
        ({"OrderInfo": f"Hoan {PART.reference}", "TransactionType": "02"}, RefundVerdict.PENDING),
        ({"TransactionType": "01", "TransactionStatus": "05"}, RefundVerdict.PENDING),
    ],
)
async def test_a_part_is_done_only_when_the_answer_names_it(
    changes: dict[str, str], verdict: RefundVerdict
) -> None:
    """Two halves of one fee: the second must not be thought done because the first was."""
    told = asked_after(**({"TransactionType": "03", "Amount": "5000000"} | changes))

    said = await build(ScriptedWire([told])).ask_refund(PART, LATER)

    assert (said.verdict, said.reference) == (verdict, PART.reference)


async def test_an_error_at_a_refunds_inquiry_leaves_doubt() -> None:
    """94 at querydr is about the question, and says nothing of the money."""
    for code in ("91", "94", "99"):
        wire = ScriptedWire([asked_after(ResponseCode=code)])

        with pytest.raises(InDoubtError):
            await build(wire).ask_refund(REFUND, LATER)


@pytest.mark.parametrize("kind", ["02", "03", "99"])
async def test_a_word_about_a_refund_is_never_read_as_a_payment(kind: str) -> None:
    """Its status 00 would book what was given back as money that came in."""
    wire = ScriptedWire([answer(TransactionType=kind, TransactionNo="14831400")])

    said = await build(wire).ask(ORDER, CREATED)

    assert (said.verdict, said.amount, said.txn_id) == (Verdict.REVIEW, 0, "")


async def test_the_bank_is_chosen_here_or_there() -> None:
    """Without a choice nothing is sent, and the citizen chooses on VNPAY's page."""
    provider = build(ScriptedWire())

    addresses = {
        method: (await provider.checkout(replace(ORDER, method=method))).redirect_url or ""
        for method in ("", *(m.code for m in METHODS))
    }

    sent = {m: parse_qs(urlsplit(a).query).get("vnp_BankCode") for m, a in addresses.items()}
    assert sent == {
        "": None, "VNPAYQR": ["VNPAYQR"], "VNBANK": ["VNBANK"], "INTCARD": ["INTCARD"],
    }  # fmt: skip
    for address in addresses.values():
        query, _, given = urlsplit(address).query.rpartition("&vnp_SecureHash=")
        assert given == mac(query)
    with pytest.raises(DeclinedError):
        await provider.checkout(replace(ORDER, method="NCB&vnp_Amount=1"))


def lower(text: str) -> str:
    """Escape as .NET's HttpUtility does."""
    return "".join(f"%{ord(c):02x}" if quote(c, safe="") != c else c for c in text)


def test_an_encoder_that_escapes_in_lower_case_is_understood() -> None:
    """It writes the same bytes in another way, whichever way it signs them."""
    fields = {**FIELDS, "vnp_OrderInfo": "Nop phi: HN1, le phi"}
    canonical = urlencode(sorted(fields.items()))
    theirs = "&".join(f"{k}={lower(v)}" for k, v in sorted(fields.items()))
    assert "%3a" in theirs

    for signed in (canonical, theirs):
        said = build(ScriptedWire()).read(raw(f"{theirs}&vnp_SecureHash={mac(signed)}"))
        assert said.verdict is Verdict.CAPTURED


@pytest.mark.parametrize("info", ["HN1: a", "HN1: a, b", "%3A%2C:"])
def test_one_changed_letter_of_an_escape_is_a_flipped_bit(info: str) -> None:
    """A mixture is nobody's, and a lone lower-case letter is an upper-case one that was hit."""
    genuine = notice(OrderInfo=info).query
    at = genuine.index("%3A") + 2

    with pytest.raises(ForgedError):
        build(ScriptedWire()).read(raw(genuine[:at] + "a" + genuine[at + 1 :]))


@pytest.mark.parametrize("info", ["a~b", "a*b", "(a)", "a!'b"])
def test_what_was_sent_is_what_was_signed(info: str) -> None:
    """Browsers, Java and Python each escape others of ~ * ( ) ! and '."""
    fields = {**FIELDS, "vnp_OrderInfo": info}
    for safe in ("", "~*()!'"):
        query = "&".join(f"{k}={quote(v, safe=safe)}" for k, v in sorted(fields.items()))

        said = build(ScriptedWire()).read(raw(f"{query}&vnp_SecureHash={mac(query)}"))

        assert said.verdict is Verdict.CAPTURED


@pytest.mark.parametrize(
    "name", ["vnp%5FTransactionStatus", "%76np_TransactionStatus", "vnp_TransactionStatu%73"]
)
def test_a_name_that_hides_in_escapes_is_signed_or_refused(name: str) -> None:
    """It would be read as money taken, and stand outside of what was signed."""
    pending = {k: v for k, v in FIELDS.items() if k != "vnp_TransactionStatus"}
    query = urlencode(sorted(pending.items()))
    genuine = f"{query}&vnp_SecureHash={mac(query)}"
    assert build(ScriptedWire()).read(raw(genuine)).verdict is Verdict.PENDING

    with pytest.raises(ForgedError):
        build(ScriptedWire()).read(raw(f"{genuine}&{name}=00"))


async def refund_of(town: Town, amount: int, fault: Fault | None = None) -> RefundOrder:
    """Pay an order, and say what is to be given back of it."""
    order = town.order()
    town.simulator.pay(await town.open(order))
    town.simulator.faults.set(order.reference, fault)
    (number,) = [e.txn_id for e in town.simulator.journal.entries(kind="payment")]
    return RefundOrder(
        reference="01JD3Q4N5R6S7T8V9W0X1Y2Z3A", serial=1, original=order, txn_id=number,
        captured=order.amount, amount=amount, text="Hoan phi", asked_by="ketoan",
        asked_at=town.clock.now(),
    )  # fmt: skip


def vnpay_of(town: Town) -> Vnpay:
    provider = town.providers["vnpay"]
    assert isinstance(provider, Vnpay)
    return provider


@pytest.mark.parametrize("amount", [150_000, 50_000])
async def test_a_refund_is_with_the_bank_and_then_done_there(town: Town, amount: int) -> None:
    """Two codes that must agree, over real sockets: whole and part, asked for twice, done once."""
    order, provider = await refund_of(town, amount), vnpay_of(town)

    first, again = await provider.refund(order), await provider.refund(order)
    early = await provider.ask_refund(order, town.clock.now())
    town.clock.move(timedelta(hours=2))
    late = await provider.ask_refund(order, town.clock.now())

    assert (first.verdict, again.verdict, again.code) == (
        RefundVerdict.PENDING, RefundVerdict.PENDING, "94",
    )  # fmt: skip
    assert (early.verdict, late.verdict) == (RefundVerdict.PENDING, RefundVerdict.DONE)
    (back,) = town.simulator.journal.entries("vnpay", kind="refund")
    assert (back.amount, back.txn_id) == (amount, late.txn_id)


async def test_two_parts_are_two_refunds_and_the_rest_is_all_that_can_follow(town: Town) -> None:
    """What was asked for last is what querydr speaks of: the first is not thought to be it."""
    first, provider = await refund_of(town, 50_000), vnpay_of(town)
    second = replace(first, reference="01JD3Q4N5R6S7T8V9W0X1Y2Z3B")
    third = replace(first, reference="01JD3Q4N5R6S7T8V9W0X1Y2Z3C", amount=60_000)
    await provider.refund(first)
    await provider.refund(second)
    town.clock.move(timedelta(hours=2))

    said = [await provider.ask_refund(o, town.clock.now()) for o in (first, second)]
    too_much = await provider.refund(third)

    assert [s.verdict for s in said] == [RefundVerdict.PENDING, RefundVerdict.DONE]
    assert too_much.verdict is RefundVerdict.REFUSED
    assert [e.amount for e in town.simulator.journal.entries("vnpay", kind="refund")] == [
        50_000, 50_000,
    ]  # fmt: skip


async def test_a_refund_whose_answer_broke_off_was_made_and_is_found(town: Town) -> None:
    """SCENARIOS 7: unknown is a state, and asking ends it."""
    order, provider = await refund_of(town, 150_000, Fault.RESET), vnpay_of(town)

    with pytest.raises(InDoubtError):
        await provider.refund(order)
    town.clock.move(timedelta(hours=2))
    said = await provider.ask_refund(order, town.clock.now())

    assert said.verdict is RefundVerdict.DONE
    assert len(town.simulator.journal.entries("vnpay", kind="refund")) == 1


@pytest.mark.parametrize("amount", [150_000, 50_000])
async def test_a_request_that_was_lost_is_made_again_on_its_day(town: Town, amount: int) -> None:
    """VNPAY tells ids apart within a day: tomorrow the same request could be another refund."""
    order, provider = await refund_of(town, amount), vnpay_of(town)
    tomorrow = town.clock.now() + timedelta(days=1)

    late = await provider.ask_refund(order, tomorrow)
    assert (late.verdict, town.simulator.journal.entries(kind="refund")) == (
        RefundVerdict.PENDING, [],
    )  # fmt: skip
    said = [await provider.ask_refund(order, town.clock.now()) for _ in range(2)]

    assert {s.verdict for s in said} == {RefundVerdict.PENDING}
    assert [e.amount for e in town.simulator.journal.entries(kind="refund")] == [amount]


async def test_a_refund_of_what_was_never_paid_is_refused(town: Town) -> None:
    """95: the original took no money, so nothing can go back."""
    order = town.order()
    await town.open(order)
    town.simulator.pay(await town.open(order), Choice.DECLINE)
    asked = replace(REFUND, original=order, txn_id="1")

    assert (await vnpay_of(town).refund(asked)).verdict is RefundVerdict.REFUSED
