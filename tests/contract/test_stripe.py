"""Stripe's adapter: the common suite, the recorded signature, and what is Stripe's alone."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from adapters.conformance import ScriptedWire
from adapters.stripe import STRIPE
from adapters.stripe_words import require_signature
from adapters.vectors import stripe_messages as vectors
from adapters.vectors.stripe import StripeConformance
from adapters.vectors.stripe_messages import (
    CREATED,
    INTENT,
    ORDER,
    REFUND,
    SECONDS,
    SETTINGS,
    VECTOR,
    build,
    completed,
    dispute,
    notice,
    opened,
    raw,
    refund,
    refusal,
    reply,
    session,
    sign,
    standing,
)
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.ports.provider import DisputeState, RefundVerdict, Verdict


class TestStripe(StripeConformance):
    """Collected by pytest."""


def sent(wire: ScriptedWire, number: int = 0) -> dict[str, list[str]]:
    _, _, body = wire.asked[number]
    return parse_qs(body.decode())


async def test_a_session_asks_for_whole_dong_and_tells_nothing_of_the_payer() -> None:
    """DOMAIN 6: what leaves the country is as little as can be."""
    payer = {"name": "Nguyễn Thị Hoà", "phone": "0912345678"}
    order = replace(ORDER, payer=payer, procedure="2.000488", dossier_id="H26.14-261118-0001")
    wire = ScriptedWire([opened()])

    await build(wire).checkout(order)

    said = sent(wire)
    item = "line_items[0]"
    assert said[f"{item}[price_data][unit_amount]"] == ["150000"]
    assert said[f"{item}[price_data][currency]"] == ["vnd"]
    assert (said["mode"], said["adaptive_pricing[enabled]"]) == (["payment"], ["false"])
    assert said["client_reference_id"] == said["metadata[thuphi_attempt]"] == [ORDER.reference]
    assert said["success_url"] == said["cancel_url"] == [ORDER.return_url]
    assert wire.keys == [ORDER.reference]
    words = " ".join(value for values in said.values() for value in values)
    for private in (*payer.values(), "2.000488", "H26.14-261118-0001", ORDER.text):
        assert private not in words


async def test_a_session_lives_at_least_half_an_hour_and_at_most_a_day() -> None:
    """Stripe takes no other; our attempt may end before, and late money is still taken."""
    for lasts, wanted in ((15, 35), (60, 60), (3 * 24 * 60, 24 * 60 - 5)):
        wire = ScriptedWire()
        order = replace(ORDER, expires_at=CREATED + timedelta(minutes=lasts))
        with pytest.raises(InDoubtError):
            await build(wire).checkout(order)
        assert sent(wire)["expires_at"] == [str(SECONDS + wanted * 60)]


async def test_only_what_stripe_needs_is_sent_and_by_our_wire_alone() -> None:
    """Its client would tell which machine asks, and keep a file to know it again."""

    class Ear(ScriptedWire):
        async def send(self, method: str, url: str, **more: Any) -> Any:
            heard.append((url, more["headers"]))
            return await super().send(method, url, **more)

    heard: list[tuple[str, dict[str, str]]] = []
    await build(Ear([opened()])).checkout(ORDER)

    ((url, headers),) = heard
    assert url == "https://api.stripe.com/v1/checkout/sessions"
    assert headers.keys() == {
        "authorization", "idempotency-key", "stripe-version", "content-type", "user-agent",
    }  # fmt: skip


def test_the_recorded_signature_holds_among_others_and_only_in_its_time() -> None:
    """stripe-node and stripe-python agree on it (PROTOCOLS 6)."""
    body, secret, seconds, mac = VECTOR
    now = datetime.fromtimestamp(seconds, UTC)

    assert sign(body, secret, seconds) == mac
    for header in (
        f"t={seconds},v1={mac}", f"v1={mac},t={seconds}",
        f"t={seconds},v1={'0' * 64},v1={mac}", f"t={seconds},v1={mac},v1={'0' * 64},v0={'1' * 64}",
    ):  # fmt: skip
        require_signature(header, body, [secret], now)
    for away in (-300, 300):
        require_signature(f"t={seconds},v1={mac}", body, [secret], now + timedelta(seconds=away))
    for away in (-301, 301):
        with pytest.raises(ForgedError):
            require_signature(
                f"t={seconds},v1={mac}", body, [secret], now + timedelta(seconds=away)
            )
    for header in (
        f"t={seconds},v0={mac}", f"t={seconds}", f"v1={mac}", f"t={seconds}, v1={mac}",
        f"t={seconds},v1={mac.upper()}", f"t={seconds + 1},v1={mac}", f"t=+{seconds},v1={mac}",
        f"t={seconds},t={seconds},v1={mac}", f"t={seconds},v1={mac},", f"t={seconds},v1={mac}=",
        ",".join([f"t={seconds}", *[f"v1={'0' * 64}"] * 8, f"v1={mac}"]),
    ):  # fmt: skip
        with pytest.raises(ForgedError):
            require_signature(header, body, [secret], now)


def test_both_secrets_of_a_rotation_are_believed_and_no_third() -> None:
    """Ours may be rolled here before it is rolled there, and the other way round."""
    provider = build(ScriptedWire(), STRIPE_WEBHOOK_SECRET_FORMER="whsec_of_before")
    body = completed().body

    for secret in (vectors.WEBHOOK_SECRET, "whsec_of_before"):
        said = provider.read(raw(body, f"t={SECONDS},v1={sign(body, secret)}"))
        assert said.verdict is Verdict.CAPTURED
    with pytest.raises(ForgedError):
        provider.read(raw(body, f"t={SECONDS},v1={sign(body, 'whsec_of_nobody')}"))
    with pytest.raises(ForgedError):
        build(ScriptedWire()).read(raw(body, f"t={SECONDS},v1={sign(body, 'whsec_of_before')}"))


def test_what_is_no_dong_or_of_the_other_mode_is_never_captured() -> None:
    live = {**SETTINGS, "STRIPE_SECRET_KEY": "rk_live_0123456789abcdef"}
    provider = STRIPE.build(live, ScriptedWire(), "default")

    said = build(ScriptedWire()).read(completed(currency="usd"))
    assert (said.verdict, said.amount, said.order_reference) == (
        Verdict.REVIEW, 0, ORDER.reference,
    )  # fmt: skip
    with pytest.raises(ForgedError):
        provider.read(completed())
    real = notice("checkout.session.completed", session(), livemode=True)
    assert provider.read(real).verdict is Verdict.CAPTURED


def test_money_that_no_order_asked_for_is_told_and_named() -> None:
    """A payment link on the same account: it has moved, so it is booked, and a person finds it."""
    said = build(ScriptedWire()).read(completed(client_reference_id=None))

    assert (said.verdict, said.txn_id, said.order_reference) == (Verdict.CAPTURED, INTENT, None)


@pytest.mark.parametrize(
    ("status", "currency", "state"),
    [
        ("needs_response", "vnd", DisputeState.OPENED),
        ("under_review", "vnd", DisputeState.OPENED),
        ("won", "vnd", DisputeState.WON), ("lost", "vnd", DisputeState.LOST),
        ("warning_needs_response", "vnd", DisputeState.ASKED),
        ("warning_closed", "vnd", DisputeState.WON), ("prevented", "vnd", DisputeState.ASKED),
        ("lost", "usd", DisputeState.ASKED),
    ],
)  # fmt: skip
def test_a_dispute_names_its_payment(status: str, currency: str, state: DisputeState) -> None:
    about = dispute(status, currency=currency)

    said = build(ScriptedWire()).read(notice("charge.dispute.closed", about))

    assert said.verdict is Verdict.REVIEW
    assert (said.txn_id, said.amount) == (INTENT, 150_000)
    assert said.dispute
    assert (said.dispute.id, said.dispute.state) == (about["id"], state)


def test_a_refund_is_told_by_our_own_name_of_it() -> None:
    charge = {"payment_intent": INTENT, "metadata": {"thuphi_attempt": ORDER.reference}}
    read = build(ScriptedWire()).read
    told = {
        "refund.updated": read(notice("refund.updated", refund())),
        "refund.failed": read(notice("refund.failed", refund(status="failed"))),
        "charge.refunded": read(
            notice("charge.refunded", charge | {"refunds": {"data": [refund()]}})
        ),
    }

    verdicts = {k: n.refund.verdict for k, n in told.items() if n.refund}
    assert verdicts == {
        "refund.updated": RefundVerdict.DONE, "refund.failed": RefundVerdict.REFUSED,
        "charge.refunded": RefundVerdict.DONE,
    }  # fmt: skip
    assert {n.refund.reference for n in told.values() if n.refund} == {REFUND.reference}
    foreign = read(notice("refund.updated", refund(metadata={})))
    bare = read(notice("charge.refunded", charge))
    assert (foreign.refund, bare.refund, bare.order_reference) == (None, None, ORDER.reference)
    assert foreign.verdict is bare.verdict is Verdict.REVIEW


async def test_an_order_whose_name_was_lost_is_found_by_its_key() -> None:
    """The first answer broke off. The same request under the same key gives the same session."""
    lost = replace(ORDER, provider_id="")
    wire = ScriptedWire([opened(), standing("complete", "paid", "succeeded")])

    said = await build(wire).ask(lost, CREATED + timedelta(minutes=5))

    assert said.verdict is Verdict.CAPTURED
    assert wire.keys == [ORDER.reference, ""]
    for minutes, verdict in ((5, Verdict.PENDING), (15, Verdict.EXPIRED)):
        never = ScriptedWire([refusal(400, param="expires_at")])
        said = await build(never).ask(lost, CREATED + timedelta(minutes=minutes))
        assert said.verdict is verdict
    quiet = ScriptedWire()
    with pytest.raises(InDoubtError):
        await build(quiet).ask(lost, CREATED + timedelta(hours=24))
    assert quiet.asked == []


async def test_a_failure_in_the_words_of_a_refusal_is_still_a_failure() -> None:
    """«There is no such session» of a server that fails would end an order that is being paid."""
    failing = ScriptedWire([refusal(500, code="resource_missing")])

    with pytest.raises(InDoubtError):
        await build(failing).ask(ORDER, ORDER.expires_at)


async def test_a_withdrawal_that_comes_too_late_says_so() -> None:
    """Stripe says no to it, and then what became of it decides."""
    for answer, error in (
        (standing("complete", "paid", "succeeded"), DeclinedError),
        (standing("complete", "unpaid", "processing"), InDoubtError),
    ):
        wire = ScriptedWire([refusal(400), answer])
        with pytest.raises(error):
            await build(wire).cancel(ORDER)
    await build(ScriptedWire([refusal(400), standing("expired", "unpaid", None)])).cancel(ORDER)


async def test_a_refund_that_never_came_is_sent_again_while_its_key_is_remembered() -> None:
    empty = reply({"object": "list", "data": []})
    wire = ScriptedWire([empty, reply(refund())])

    said = await build(wire).ask_refund(REFUND, REFUND.asked_at + timedelta(hours=1))

    assert (said.verdict, said.txn_id) == (RefundVerdict.DONE, refund()["id"])
    assert wire.keys == ["", REFUND.reference]
    assert sent(wire, 1)["metadata[thuphi_refund]"] == [REFUND.reference]
    late = ScriptedWire([empty])
    said = await build(late).ask_refund(REFUND, REFUND.asked_at + timedelta(hours=24))
    assert (said.verdict, len(late.asked)) == (RefundVerdict.REFUSED, 1)
    busy = ScriptedWire([refusal(429, code="lock_timeout")])
    with pytest.raises(InDoubtError):
        await build(busy).refund(REFUND)


@pytest.mark.parametrize(
    "values",
    [
        {"STRIPE_SECRET_KEY": "pk_test_0123456789"}, {"STRIPE_SECRET_KEY": "sk_test_"},
        {"STRIPE_WEBHOOK_SECRET": ""}, {"STRIPE_BASE_URL": "ftp://api.stripe.com"},
        {"STRIPE_AMOUNT_MIN": "0"}, {"STRIPE_WEBHOOK_SECRET_FORMER": "short"},
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named_and_never_shown(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=f"THUPHI_{next(iter(values))} must") as refused:
        STRIPE.build({**SETTINGS, **values}, ScriptedWire(), "default")
    for value in (v for v in values.values() if v):
        assert value not in str(refused.value)


def ran(asked: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run words in a process of its own, which has loaded nothing yet."""
    begin = (
        "import asyncio, logging, sys; from adapters.vectors.stripe_messages import *;"
        " from adapters.conformance import ScriptedWire;"
        " logging.basicConfig(level=logging.NOTSET, stream=sys.stderr);"
        " logging.getLogger('asyncio').disabled = True;"
    )
    return subprocess.run(  # noqa: S603 - our own words.
        [sys.executable, "-c", begin + asked], capture_output=True, text=True, check=True,
        env=os.environ | more,
    )  # fmt: skip


def test_nothing_of_stripe_is_loaded_before_it_is_called() -> None:
    """A process that only hears notices starts sooner, and is smaller."""
    said = ran("print(build(ScriptedWire()).read(completed()).amount, 'stripe' in sys.modules)")

    assert said.stdout.split() == ["150000", "False"]


def test_stripes_client_logs_nothing_of_what_is_asked_whatever_it_is_told() -> None:
    """It would write the link of the payment, and its errors."""
    asked = (
        "wire = ScriptedWire([opened(), refusal(400)]);"
        " print(asyncio.run(build(wire).checkout(ORDER)).provider_id);"
        " asyncio.run(build(wire).ask(ORDER, CREATED))"
    )
    with pytest.raises(subprocess.CalledProcessError) as ended:
        ran(asked, STRIPE_LOG="debug")

    said = ended.value
    assert said.stdout.split() == [vectors.SESSION]
    assert said.stderr.splitlines()[-1].startswith("gateway.domain.errors.InDoubtError")
    lines = [x for x in said.stderr.splitlines() if "stripe:" in x or "message=" in x]
    assert lines == []
    assert ORDER.return_url not in said.stderr
