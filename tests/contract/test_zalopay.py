"""ZaloPay's adapter: the common suite, the vectors of the protocol, and ZaloPay's own traps."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.conformance import ScriptedWire
from adapters.vectors.zalopay import (
    CREATED,
    DATA,
    DOCUMENTED,
    DOCUMENTED_MAC,
    KEY1,
    KEY2,
    ORDER,
    REFUND,
    SETTINGS,
    ZalopayConformance,
    answer,
    build,
    created,
    failed,
    mac,
    notice,
    raw,
    reply,
    sign,
)
from adapters.zalopay import ZALOPAY, sign_order
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.ports.provider import RefundVerdict, Verdict


class TestZalopay(ZalopayConformance):
    """The common suite on ZaloPay."""


async def asked_of(provider_call: str, *answers: Any, order: Any = ORDER) -> dict[str, Any]:
    """Make one call, and give what was sent."""
    wire = ScriptedWire(list(answers))
    await getattr(build(wire), provider_call)(order)
    said: dict[str, Any] = json.loads(wire.asked[0][2])
    return said


def test_the_mac_of_create_is_the_published_vector() -> None:
    """crypto-js gives the same; the formula is that of the official Node SDK."""
    fields = {
        "app_id": 2553, "app_trans_id": "261124_HN000001", "app_user": "citizen",
        "amount": 150_000, "app_time": 1_795_494_600_000, "embed_data": "{}", "item": "[]",
    }  # fmt: skip

    assert sign_order(KEY1, fields) == (
        "062473b674da37b21347ca1bba36353e39de33578f79e9bee5c76437385e7c88"
    )


def test_the_callback_of_the_official_documentation_is_believed() -> None:
    """The mac is over the string as it came, escapes and all; ours to the last byte."""
    body = json.dumps({"data": DOCUMENTED, "mac": DOCUMENTED_MAC, "type": 1}).encode()

    said = build(ScriptedWire()).read(raw(body))

    assert (said.verdict, said.amount, said.txn_id) == (
        Verdict.CAPTURED, 10_000, "200904000000389",
    )  # fmt: skip
    assert said.order_reference == "2553_1598435687208"
    assert said.paid_at == datetime(2020, 9, 4, 3, 16, 53, 498_000, tzinfo=UTC)


def test_the_same_data_written_otherwise_are_refused() -> None:
    """A reader that parses first and signs what it wrote itself would accept a forger's text."""
    spaced = json.dumps(json.loads(DOCUMENTED))
    body = json.dumps({"data": spaced, "mac": DOCUMENTED_MAC, "type": 1}).encode()

    with pytest.raises(ForgedError):
        build(ScriptedWire()).read(raw(body))


async def test_create_carries_what_zalopay_wants_and_nobodys_name() -> None:
    """embed_data is signed and sent as one and the same string."""
    asked = await asked_of("checkout", created())

    assert asked["app_trans_id"] == "261124_HN000001"
    assert asked["app_time"] == 1_795_494_600_000
    assert asked["app_user"] == "citizen"
    assert asked["callback_url"] == ORDER.notice_url
    assert asked["expire_duration_seconds"] == 900
    assert json.loads(asked["embed_data"]) == {"redirecturl": ORDER.return_url}
    parts = ["2553", asked["app_trans_id"], "citizen", "150000", "1795494600000"]
    assert asked["mac"] == mac("|".join([*parts, asked["embed_data"], "[]"]), KEY1)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 11, 24, 16, 59, 59, tzinfo=UTC), "261124"),
        (datetime(2026, 11, 24, 17, 0, tzinfo=UTC), "261125"),
        (datetime(2026, 12, 31, 17, 0, tzinfo=UTC), "270101"),
    ],
)
async def test_an_order_is_named_by_hanois_day(at: datetime, day: str) -> None:
    """From 17:00 UTC it is tomorrow in Hanoi, and ZaloPay refuses yesterday's date."""
    order = replace(ORDER, created_at=at, expires_at=at + timedelta(minutes=15))
    refund = replace(REFUND, asked_at=at)

    assert (await asked_of("checkout", created(), order=order))["app_trans_id"] == f"{day}_HN000001"
    asked = await asked_of("refund", reply(refund_id=1), order=refund)
    assert asked["m_refund_id"] == f"{day}_2553_R00001"


@pytest.mark.parametrize(
    ("method", "bank_code", "group"),
    [("", "", None), ("zalopayapp", "zalopayapp", None), ("CC", "CC", None), ("ATM", "", "ATM")],
)
async def test_a_method_is_a_bank_code_or_a_group(
    method: str, bank_code: str, group: str | None
) -> None:
    """ATM has no code of its own."""
    asked = await asked_of("checkout", created(), order=replace(ORDER, method=method))

    assert asked["bank_code"] == bank_code
    assert json.loads(asked["embed_data"]).get("bankgroup") == group


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [(timedelta(minutes=1), 300), (timedelta(days=1), 86_400), (timedelta(days=60), 2_592_000)],
)
async def test_an_orders_lifetime_is_within_what_zalopay_takes(
    lifetime: timedelta, seconds: int
) -> None:
    """Out of range, the whole order would be refused."""
    order = replace(ORDER, expires_at=CREATED + lifetime)

    asked = await asked_of("checkout", created(), order=order)

    assert asked["expire_duration_seconds"] == seconds


@pytest.mark.parametrize("sub", [-1, -54, -68, -92, -500, -999, 0])
async def test_an_order_that_may_be_there_is_in_doubt(sub: int) -> None:
    """-68 says that it is; of an unknown code we know nothing."""
    with pytest.raises(InDoubtError):
        await build(ScriptedWire([failed(sub)])).checkout(ORDER)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 0}, {"amount": -1}, {"amount": "150000"}, {"amount": 150_000.0},
        {"amount": True}, {"zp_trans_id": 0}, {"zp_trans_id": "1"}, {"app_id": "2553"},
        {"app_trans_id": "HN000001"}, {"app_trans_id": "261124_"}, {"app_trans_id": None},
        {"app_trans_id": "261124_a\x00b"}, {"app_trans_id": "261124_" + "x" * 34},
    ],
)  # fmt: skip
def test_well_signed_data_of_another_kind_are_refused(change: dict[str, object]) -> None:
    """A signature says who spoke, not that it made sense."""
    with pytest.raises(ForgedError):
        build(ScriptedWire()).read(notice(**change))


@pytest.mark.parametrize("data", ["[]", "1", "", "{", '{"amount": NaN}', "[" * 20_000])
def test_well_signed_data_that_are_no_object_are_refused(data: str) -> None:
    """Nothing of it may fall through as an error of ours: ZaloPay would try for ever."""
    with pytest.raises(ForgedError):
        build(ScriptedWire()).read(sign(data))


@pytest.mark.parametrize("at", [0, -5, 10**18, "soon", None])
def test_a_bad_time_does_not_lose_the_money(at: object) -> None:
    """The capture is what counts; its time can be taken from elsewhere."""
    said = build(ScriptedWire()).read(notice(server_time=at))

    assert (said.verdict, said.paid_at) == (Verdict.CAPTURED, None)


def test_a_number_of_64_bits_is_kept_whole() -> None:
    """A reader of doubles rounds it, and two transactions become one."""
    number = 2**63 - 1

    assert build(ScriptedWire()).read(notice(zp_trans_id=number)).txn_id == str(number)
    assert DATA["zp_trans_id"] != number


async def test_an_answer_that_is_still_processing_is_pending_whatever_its_code() -> None:
    """return_code 1 and is_processing at once: the money is not there yet."""
    provider = build(ScriptedWire([answer(is_processing=True)]))

    assert (await provider.ask(ORDER, CREATED)).verdict is Verdict.PENDING


@pytest.mark.parametrize("change", [{"zp_trans_id": 0}, {"amount": 0}, {"amount": "150000"}])
async def test_success_without_a_number_or_an_amount_leaves_doubt(
    change: dict[str, object],
) -> None:
    """Money without a number cannot be told from its own repeat."""
    with pytest.raises(InDoubtError):
        await build(ScriptedWire([answer(**change)])).ask(ORDER, CREATED)


async def test_a_failed_refund_is_believed_only_from_its_inquiry() -> None:
    """SCENARIOS 7: a repeat after a lost answer may be «failed», and the money is gone."""
    provider = build(ScriptedWire([failed(-1), failed(-1)]))

    said = await provider.refund(REFUND)
    asked = await provider.ask_refund(REFUND, REFUND.asked_at + timedelta(minutes=15))

    assert (said.verdict, asked.verdict) == (RefundVerdict.PENDING, RefundVerdict.REFUSED)


async def test_a_refund_that_cannot_be_found_may_still_be_on_its_way() -> None:
    """Asked too early, «failed» is what a refund looks like that has not arrived."""
    at = REFUND.asked_at + timedelta(minutes=15) - timedelta(seconds=1)

    said = await build(ScriptedWire([failed(-1)])).ask_refund(REFUND, at)

    assert said.verdict is RefundVerdict.PENDING


async def test_a_refund_is_signed_as_documented() -> None:
    """The id is not in the mac, so it is checked by the answer alone."""
    asked = await asked_of("refund", reply(refund_id=7), order=REFUND)

    stamp = 1_795_581_000_000
    assert asked["timestamp"] == stamp
    expected = mac(f"2553|261124000000389|50000|Hoan phi HN1|{stamp}", KEY1)
    assert asked["mac"] == expected


async def test_a_transaction_that_is_not_zalopays_is_not_given_back() -> None:
    """A number that a statement reported means nothing to ZaloPay."""
    with pytest.raises(DeclinedError):
        await build(ScriptedWire()).refund(replace(REFUND, txn_id="sepay-1"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZALOPAY_APP_ID", ""), ("ZALOPAY_APP_ID", "0"), ("ZALOPAY_APP_ID", "2553a"),
        ("ZALOPAY_KEY1", "short"), ("ZALOPAY_KEY2", "with a space"), ("ZALOPAY_BASE_URL", "x"),
    ],
)  # fmt: skip
def test_a_malformed_setting_is_named(name: str, value: str) -> None:
    """A person who starts the program reads one sentence, without the secret in it."""
    with pytest.raises(ValueError, match=f"^THUPHI_{name} must be ") as caught:
        ZALOPAY.build({**SETTINGS, name: value}, ScriptedWire(), "default")

    assert name != "ZALOPAY_KEY2" or value not in str(caught.value)
    assert KEY2 not in str(caught.value)
