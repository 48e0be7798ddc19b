"""VietQR's adapter: the common suite on SePay's webhook, the QR vectors, and SePay's traps."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.conformance import ScriptedWire
from adapters.vectors.vietqr import (
    BODY,
    NOW,
    ORDER,
    PREFIX,
    REFERENCE,
    SETTINGS,
    VietqrConformance,
    VietqrVirtualConformance,
    build,
    notice,
    sign,
)
from adapters.vietqr import VIETQR, Vietqr, qr_text
from gateway.domain.errors import ForgedError
from gateway.ports.provider import Beneficiary, Verdict


class TestVietqr(VietqrConformance):
    """The common suite on VietQR with SePay."""


class TestVirtual(VietqrVirtualConformance):
    """The common suite on virtual accounts, one of each payment."""


STATIC = (
    "00020101021138530010A0000007270123000697041601092576788590208QRIBFTTA53037045802VN6304AE9F"
)
DYNAMIC = (
    "00020101021238540010A00000072701240006970436011001234567890208QRIBFTTA530370454061500005802VN"
    "62270823NOPPHI HN202611240000016304138C"
)
VIRTUAL = (
    "00020101021138550010A00000072701250006970418011196247HN00010208QRIBFTTA53037045802VN6304F6B9"
)


@pytest.mark.parametrize(
    ("made", "vector"),
    [
        (qr_text("970416", "257678859"), STATIC),
        (qr_text("970436", "0123456789", 150_000, "NOPPHI HN20261124000001"), DYNAMIC),
        (qr_text("970418", "96247HN0001"), VIRTUAL),
    ],
)
def test_the_qr_is_the_published_vector(made: str, vector: str) -> None:
    """One wrong length, and a bank app shows another amount or nothing."""
    assert made == vector


async def test_the_checkout_carries_amount_and_reference_and_names_the_account() -> None:
    """On a phone nobody can scan the own screen, so the account is there to be copied too."""
    checkout = await build().checkout(ORDER)

    text = checkout.qr_text or ""
    assert text.startswith("000201010212")
    assert "5406150000" in text
    assert "62180814TP0123456789AB" in text
    assert checkout.beneficiary == Beneficiary(
        "970436", "Vietcombank", "0123456789", "TRUNG TAM PHUC VU HANH CHINH CONG"
    )


def test_money_that_left_is_known_and_nothing() -> None:
    """Our own refund must not be booked as a payment."""
    said = build().read(notice(transferType="out"))

    assert (said.verdict, said.amount, said.movement) == (Verdict.PENDING, 0, None)


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400])
def test_a_notice_outside_five_minutes_is_refused(seconds: int) -> None:
    """A captured webhook must not be good for ever."""
    with pytest.raises(ForgedError):
        build().read(notice(at=NOW + timedelta(seconds=seconds)))


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_notice_within_five_minutes_is_believed(seconds: int) -> None:
    """Clocks differ; SePay allows five minutes."""
    assert build().read(notice(at=NOW + timedelta(seconds=seconds))).amount == 150_000


@pytest.mark.parametrize(
    "amount", [True, "150000", 150_000.5, 150_000.0, None, 0, -1, 10**15 + 1, [], {}]
)
def test_an_amount_that_is_not_a_plain_whole_number_is_refused(amount: object) -> None:
    """Every lax reader takes one of these for money."""
    with pytest.raises(ForgedError):
        build().read(notice(transferAmount=amount))


@pytest.mark.parametrize("value", [None, True, 0, -1, "", "a b", 1.0, "x" * 65, [1]])
def test_a_notice_without_a_usable_id_is_refused(value: object) -> None:
    """Its id is what tells a repeat from a second transfer."""
    with pytest.raises(ForgedError):
        build().read(notice(id=value))


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"1",
        b"{",
        b"\xff{}",
        b'{"id": NaN}',
        b"[" * 20_000,
        json.dumps({**BODY, "content": "\ud800"}).encode(),
        json.dumps({**BODY, "transactionDate": "25/11/2026"}).encode(),
        json.dumps({**BODY, "transactionDate": "2026-13-45 00:00:00"}).encode(),
        json.dumps({**BODY, "transactionDate": "0001-01-01 00:00:00"}).encode(),
        json.dumps({**BODY, "content": 5}).encode(),
    ],
)
def test_well_signed_nonsense_is_refused(body: bytes) -> None:
    """A signature says who spoke, not that it made sense."""
    with pytest.raises(ForgedError):
        build().read(sign(body))


def test_a_well_signed_body_over_the_limit_is_refused() -> None:
    """The limit stands before the signature: hashing a gigabyte is work for an attacker."""
    body = json.dumps(BODY).encode()
    at_limit = body + b" " * (65_536 - len(body))

    assert build().read(sign(at_limit)).verdict is Verdict.CAPTURED
    with pytest.raises(ForgedError):
        build().read(sign(at_limit + b" "))


def test_a_text_that_cannot_be_stored_is_made_storable() -> None:
    """PostgreSQL takes no NUL; the money must not be lost for one."""
    assert build().read(notice(content="TP\x000123")).memo == "TP 0123"


def test_a_virtual_account_of_ours_is_ours() -> None:
    """SePay names the main account and the virtual one beside it."""
    said = build().read(notice(accountNumber="0001", subAccount="0123456789"))

    assert said.verdict is Verdict.CAPTURED


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VIETQR_BANK_BIN", "97043"),
        ("VIETQR_BANK_BIN", "000000"),
        ("VIETQR_ACCOUNT", "12 34"),
        ("VIETQR_ACCOUNT_NAME", ""),
        ("SEPAY_SECRET", "short"),
    ],
)
def test_a_malformed_setting_is_named(name: str, value: str) -> None:
    """A wrong account number sends the city's money to a stranger."""
    with pytest.raises(ValueError, match=f"^THUPHI_{name} "):
        VIETQR.build({**SETTINGS, name: value}, ScriptedWire(), "default")


def virtual(prefix: str = PREFIX) -> Vietqr:
    provider = VIETQR.build(
        {**SETTINGS, "VIETQR_VIRTUAL_PREFIX": prefix}, ScriptedWire(), "default"
    )
    assert isinstance(provider, Vietqr)
    return provider


async def test_each_payment_has_an_account_of_its_own_where_the_bank_gives_them() -> None:
    """The number that a citizen copies from the page is the payment's, and the text a spare."""
    checkout = await virtual().checkout(replace(ORDER, payment_reference=REFERENCE))

    assert checkout.beneficiary
    assert checkout.beneficiary.account == f"{PREFIX}{REFERENCE}"
    assert f"0119{PREFIX}{REFERENCE}" in (checkout.qr_text or "")
    assert f"0814TP{REFERENCE}" in (checkout.qr_text or "")


@pytest.mark.parametrize(
    ("account", "payment"),
    [
        (f"{PREFIX}{REFERENCE}", REFERENCE), (f"{PREFIX}{REFERENCE}".lower(), REFERENCE),
        (f"{PREFIX}{REFERENCE[:-1]}7", ""), (f"{PREFIX}{REFERENCE}0", ""), (PREFIX, ""),
        (REFERENCE, ""), ("0123456789", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_virtual_account_names_its_payment_and_a_damaged_one_nobody(
    account: str, payment: str
) -> None:
    """The bank sends money to the account that stands there: nothing is to be repaired."""
    assert virtual().payment_of(account) == payment
    assert build().payment_of(account) == ""


@pytest.mark.parametrize("prefix", ["", "96247HNX", "9624 HN", "9624-HN", "Đ"])
def test_a_prefix_that_makes_an_account_too_long_or_odd_is_refused(prefix: str) -> None:
    """A VietQR's account has at most 19 letters and digits, 12 of which are the reference."""
    with pytest.raises(ValueError, match=r"^THUPHI_VIETQR_VIRTUAL_PREFIX .*at most 19"):
        virtual(prefix)
