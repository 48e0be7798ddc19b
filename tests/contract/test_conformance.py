"""The suite can say no: East Bank passes it, and each spoiled East Bank fails where it must."""

import asyncio
from collections.abc import Callable
from dataclasses import fields

import pytest
import spoiled_banks as banks
from eastbank.adapter import EastBank
from eastbank.vectors import KEY, EastBankConformance

from adapters.conformance import Checked, check
from gateway.ports.provider import Notice, Provider, RawNotice
from gateway.ports.wire import Wire


def suite_on(kind: type[EastBank], **answers: Callable[..., object]) -> type[EastBankConformance]:
    """Put another adapter, or other answers, into East Bank's suite."""

    def provider(_self: object, wire: Wire) -> Provider:
        made = EastBankConformance.provider(EastBankConformance(), wire)
        return kind(**{f.name: getattr(made, f.name) for f in fields(EastBank)})

    return type("Spoiled", (EastBankConformance,), {"provider": provider, **answers})


def failed(suite: type[EastBankConformance]) -> dict[str, str]:
    """Run a suite; give what does not hold, and why."""
    found: list[Checked] = asyncio.run(check(suite))
    return {c.sentence: c.why for c in found if not c.holds}


def test_east_bank_passes_and_every_check_applies_but_what_it_cannot() -> None:
    found = asyncio.run(check(EastBankConformance, "eastbank"))

    assert [c for c in found if not c.holds] == []
    assert [c.sentence for c in found if not c.applies] == [
        "the way back is signed too and says the same",
        "an order is withdrawn or in doubt",
    ]


def test_somebody_elses_suite_proves_nothing() -> None:
    (first, *_) = asyncio.run(check(EastBankConformance, "westbank"))

    assert (first.sentence, first.why) == (
        "it is the adapter westbank", "the suite is about eastbank",
    )  # fmt: skip


SPOILED = [
    (banks.NoCheckWithoutSignature, "missing empty and truncated signatures are refused"),
    (banks.HalfASignature, "every flipped byte is refused"),
    (banks.AnyoneSigns, "foreign signatures and merchants are refused"),
    (banks.UnknownIsMoney, "an unknown code is never captured"),
    (banks.UnknownIsMoney, "an unknown code in an answer is never captured"),
    (banks.CancelledIsDeclined, "verdicts are told apart"),
    (banks.CancelledIsDeclined, "answers are told apart"),
    (banks.MisreadTime, "a genuine notice is understood to the last field"),
    (banks.BreaksDown, "too long not utf8 and repeated names are refused"),
    (banks.OtherThanks, "it acknowledges in the providers own words"),
    (banks.NewOrderEachTime, "a checkout can be repeated"),
    (banks.OneKeyForAll, "another attempt is another order"),
    (banks.NoLimit, "an amount outside the limits is declined"),
    (banks.SilenceIsNo, "an unusable answer to a checkout leaves it in doubt"),
    (banks.NoIsSilence, "a clear no to a checkout is a no"),
    (banks.FailureIsAnAnswer, "an unusable answer to a checkout leaves it in doubt"),
    (banks.FailureIsAnAnswer, "a changed answer to a checkout leaves doubt"),
    (banks.FailureIsAnAnswer, "a changed answer to an inquiry leaves doubt"),
    (banks.FailureIsAnAnswer, "a changed answer leaves a refund in doubt"),
    (banks.FailureIsAnAnswer, "an unusable answer to a refund inquiry leaves doubt"),
    (banks.FailureIsAnAnswer, "an unusable answer leaves the order in doubt"),
    (banks.AnyonesOrder, "an answer about another order is not believed at checkout"),
    (banks.AnyonesOrder, "an answer about another order leaves doubt"),
    (banks.AnyonesOrder, "an answer about another refund leaves doubt"),
    (banks.OtherNumber, "the inquiry agrees with the notice"),
    (banks.UnknownIsDeclined, "an order nobody knows is pending until it expired"),
    (banks.SilenceIsRefused, "an unusable answer leaves a refund in doubt"),
    (banks.SilenceIsRefused, "an answer about another refund leaves doubt"),
    (banks.PendingIsDone, "refund answers are told apart"),
    (banks.NewRefundEachTime, "a repeated refund is the same refund there"),
    (banks.OneRefundForAll, "another refund of the same amount is another refund"),
    (banks.GivesAwayMoney, "a refund outside the limits is declined"),
    (banks.RefundDoubtIsOver, "an unusable answer to a refund inquiry leaves doubt"),
    (banks.HidesItsRefunds, "it says whether it refunds"),
    (banks.HidesThatItAsks, "it says who it is"),
    (banks.OddLimits, "its limits are limits"),
    (banks.ShowsItself, "no secret is shown"),
    (banks.TellsTheSecret, "no secret is shown"),
    (banks.LogsTheSignature, "no secret is shown"),
    (banks.PrintsTheKey, "no secret is shown"),
    (banks.KeyInTheAddress, "no secret is shown"),
]


@pytest.mark.parametrize(
    ("kind", "sentence"), SPOILED, ids=[f"{k.__name__}: {s}" for k, s in SPOILED]
)
def test_each_fault_of_an_adapter_is_found(kind: type[EastBank], sentence: str) -> None:
    """A check that nothing can fail checks nothing."""
    why = failed(suite_on(kind))

    assert sentence in why, why
    assert KEY not in why[sentence], "not even a failure shows a secret"


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"accepted": lambda _: None}, "a checkout can be repeated"),
        ({"answers": lambda _: {}}, "answers are told apart"),
        ({"refund_order": lambda _: None}, "it says whether it refunds"),
        ({"refund_answers": lambda _: {}}, "it says whether it refunds"),
        ({"refund_inquiries": lambda _: {}}, "it says whether it refunds"),
        ({"unknown": lambda _: ()}, "an unknown code is never captured"),
        ({"foreign": lambda _: ()}, "foreign signatures and merchants are refused"),
        ({"secrets": lambda _: ("",)}, "no secret is shown"),
    ],
)
def test_a_suite_that_gives_too_little_fails(
    answers: dict[str, Callable[..., object]], sentence: str
) -> None:
    """Whoever has a power must show it: leaving it out is not passing it."""
    assert sentence in failed(suite_on(EastBank, **answers))


def test_an_adapter_that_breaks_down_is_named_in_one_line() -> None:
    """The table is read by a person: one line each, whatever went wrong."""

    class Broken(EastBank):
        def read(self, raw: RawNotice) -> Notice:
            raise RuntimeError(f"{len(raw.body)}\nand much more\n" * 99)

    why = failed(suite_on(Broken))["a genuine notice is understood to the last field"]

    assert why.startswith("RuntimeError: ")
    assert "\n" not in why
