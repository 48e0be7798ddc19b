"""The wallets' adapters against their simulated sides, over real sockets, with every fault.

A wallet is called before the citizen leaves, and gives money back: both can go wrong on the way.
"""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from town import Town

from adapters.simulator import Choice, Fault
from adapters.simulator.orders import PayOrder
from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.entry.plugins import adapters
from gateway.ports.provider import Order, ReadsReturn, RefundOrder, RefundVerdict, Verdict

WALLETS = ("momo", "zalopay")
# Those that tell of refused orders too; the others speak only of money.
TELLS_REFUSALS = frozenset({"momo"})
HOUR = timedelta(hours=1)


@pytest.fixture(params=WALLETS)
def wallet(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def provider(town: Town, wallet: str) -> Any:
    return town.providers[wallet]


def known(town: Town, wallet: str, order: Order) -> PayOrder:
    """Find the order as the wallet knows it; its name there may have a date before it."""
    orders = town.simulator.sides[wallet].orders.known
    (name,) = [r for r in orders if r.endswith(order.reference)]
    return orders[name]


def refund_of(
    town: Town, order: Order, txn_id: str, number: int = 1, **changes: Any
) -> RefundOrder:
    values: dict[str, Any] = {
        "reference": f"REF{number:09d}", "serial": 900 + number, "original": order,
        "txn_id": txn_id, "captured": order.amount, "amount": order.amount, "text": "Hoan phi",
        "asked_by": "ketoan", "asked_at": town.clock.now(),
    }  # fmt: skip
    return RefundOrder(**(values | changes))


async def paid(town: Town, wallet: str, amount: int = 150_000) -> tuple[Order, str]:
    """Pay an order; give it with the wallet's number of the transaction."""
    order = town.order(amount, wallet)
    chosen = town.simulator.pay(await town.open(order, wallet))
    await town.simulator.pump()
    return order, chosen.txn_ids[0]


async def test_a_paid_order_is_told_answered_and_journalled_alike(town: Town, wallet: str) -> None:
    """Notice and inquiry are two words for one transaction."""
    order, number = await paid(town, wallet)

    asked = await provider(town, wallet).ask(order, town.clock.now())

    (told,) = town.office.read
    for said in (told, asked):
        assert (said.verdict, said.txn_id, said.amount, said.order_reference) == (
            Verdict.CAPTURED, number, 150_000, order.reference,
        )  # fmt: skip
    assert told.paid_at == town.clock.now()
    (entry,) = town.simulator.journal.entries(wallet)
    assert (entry.txn_id, entry.amount) == (number, 150_000)


async def test_the_citizen_sees_the_page_and_comes_back(town: Town, wallet: str) -> None:
    """The address that the wallet gave leads to a page with the amount on it."""
    order = town.order(1_250_000, wallet)
    url = await town.open(order, wallet)
    async with httpx.AsyncClient(trust_env=False) as http:
        page = await http.get(url)
        strange = await http.get(url.replace(url[-4:], "zzzz"))
        form = {"side": wallet, "reference": known(town, wallet, order).reference, "choice": "pay"}
        back = await http.post(f"{town.origin}/choose", data=form)

    assert (page.status_code, strange.status_code) == (200, 400)
    assert "1.250.000 đ" in page.text
    assert back.status_code == 303
    location = back.headers["location"]
    assert location.startswith("http://127.0.0.1:9/return?l=vi")
    reader = provider(town, wallet)
    if isinstance(reader, ReadsReturn):
        assert reader.read_return(location.partition("l=vi&")[2]).verdict is Verdict.CAPTURED


@pytest.mark.parametrize(
    ("choice", "verdict"),
    [(Choice.DECLINE, Verdict.DECLINED), (Choice.CANCEL, Verdict.CANCELLED)],
)
async def test_a_refused_order_moves_no_money(
    town: Town, wallet: str, choice: Choice, verdict: Verdict
) -> None:
    """Who hears nothing asks, and learns which it was."""
    order = town.order(notices=wallet)
    town.simulator.pay(await town.open(order, wallet), choice)

    await town.wait(timedelta(minutes=1))

    told = [n.verdict for n in town.office.read]
    assert told == ([verdict] if wallet in TELLS_REFUSALS else [])
    assert (await provider(town, wallet).ask(order, town.clock.now())).verdict is verdict
    assert len(town.simulator.journal) == 0


async def test_choices_move_what_they_say(town: Town, wallet: str) -> None:
    """Less, twice and late are real money that the books must find."""
    less, twice, late, left = (town.order(notices=wallet) for _ in range(4))
    for order, choice in (
        (less, Choice.PAY_LESS), (twice, Choice.PAY_TWICE), (late, Choice.PAY_LATE),
        (left, Choice.LEAVE),
    ):  # fmt: skip
        town.simulator.pay(await town.open(order, wallet), choice)

    early = await provider(town, wallet).ask(late, town.clock.now())
    await town.wait(timedelta(hours=3))

    taken = sorted((n.order_reference or "", n.amount) for n in town.office.read)
    assert early.verdict is Verdict.PENDING
    assert taken == [
        (less.reference, 149_000), (twice.reference, 150_000), (twice.reference, 150_000),
        (late.reference, 150_000),
    ]  # fmt: skip
    assert len({n.txn_id for n in town.office.read}) == 4
    ask = provider(town, wallet).ask
    assert (await ask(left, town.clock.now())).verdict is Verdict.EXPIRED
    assert (await ask(late, town.clock.now())).verdict is Verdict.CAPTURED


async def test_a_notice_is_sent_again_until_it_is_thanked_for(town: Town, wallet: str) -> None:
    """A gateway that is down for some minutes still learns of the money."""
    town.office.failing = True
    await paid(town, wallet)
    again = await town.wait(timedelta(minutes=5))
    town.office.failing = False

    await town.wait(timedelta(hours=2))

    assert again >= 1
    assert len(town.office.read) == 1
    assert await town.wait(timedelta(days=1)) == 0


@pytest.mark.parametrize(
    ("fault", "believed", "forged"),
    [
        (Fault.DUPLICATE, 2, 0),
        (Fault.BURST, 20, 0),
        (Fault.LATE, 1, 0),
        (Fault.OUT_OF_ORDER, 2, 0),
        (Fault.SILENT, 0, 0),
        (Fault.FORGED, 1, 1),
        (Fault.WRONG_MERCHANT, 1, 1),
        (Fault.WRONG_AMOUNT, 1, 0),
        (Fault.SERVER_ERROR, 1, 0),
        (Fault.SLOW, 1, 0),
    ],
)
async def test_each_fault_of_a_notice_ends_in_the_truth(
    town: Town, wallet: str, fault: Fault, believed: int, forged: int
) -> None:
    """Whatever is told, and however often, an inquiry learns of the money."""
    order = town.order(notices=wallet)
    url = await town.open(order, wallet)
    town.simulator.faults.set(known(town, wallet, order).reference, fault)
    if fault is Fault.OUT_OF_ORDER and wallet not in TELLS_REFUSALS:
        believed = 1  # It has no word for what is not money yet.

    chosen = town.simulator.pay(url)
    at_once = await town.simulator.pump()
    await town.wait(timedelta(hours=4))

    assert (len(town.office.read), town.office.forged) == (believed, forged)
    assert (at_once == 0) == (fault in {Fault.LATE, Fault.SILENT})
    assert chosen.is_broken == (fault is Fault.SERVER_ERROR)
    if fault is Fault.SERVER_ERROR:
        with pytest.raises(InDoubtError):
            await provider(town, wallet).ask(order, town.clock.now())
    said = await provider(town, wallet).ask(order, town.clock.now())
    assert said.verdict is Verdict.CAPTURED
    assert said.amount == (149_000 if fault is Fault.WRONG_AMOUNT else 150_000)


# Our own call before the citizen leaves.


async def test_money_may_be_told_before_our_own_call_is_answered(town: Town, wallet: str) -> None:
    """SCENARIOS 5: the notice is quicker than the reply; both must be understood."""
    order = town.order(notices=wallet)
    town.simulator.faults.set(order.text.split()[0], Fault.EARLY)

    url = await town.open(order, wallet)

    (told,) = town.office.read
    assert (told.verdict, told.order_reference) == (Verdict.CAPTURED, order.reference)
    town.simulator.pay(url)
    assert len(town.simulator.journal) == 1, "the page takes nothing again"


async def test_a_reset_at_checkout_is_doubt_and_the_repeat_is_the_same_order(
    town: Town, wallet: str
) -> None:
    """The answer broke off after our order was taken: a second one would be paid twice."""
    order = town.order(notices=wallet)
    town.simulator.faults.set(order.text.split()[0], Fault.RESET)

    with pytest.raises(InDoubtError):
        await town.open(order, wallet)

    assert (await provider(town, wallet).ask(order, town.clock.now())).verdict is Verdict.PENDING
    try:
        town.simulator.pay(await town.open(order, wallet))
    except InDoubtError:  # A wallet that knows the order may not say again where it is paid.
        town.simulator.sides[wallet].orders.choose(known(town, wallet, order).reference, Choice.PAY)
    assert len(town.simulator.sides[wallet].orders.known) == 1
    assert (await provider(town, wallet).ask(order, town.clock.now())).verdict is Verdict.CAPTURED


async def test_maintenance_is_doubt_for_as_long_as_it_lasts(town: Town, wallet: str) -> None:
    """SCENARIOS 25: a page of HTML is no outcome, of a checkout as little as of an inquiry."""
    order = town.order(notices=wallet)
    town.simulator.faults.set(order.text.split()[0], Fault.MAINTENANCE)

    with pytest.raises(InDoubtError):
        await town.open(order, wallet)
    with pytest.raises(InDoubtError):
        await provider(town, wallet).ask(order, town.clock.now())

    town.clock.move(timedelta(hours=3))
    said = await provider(town, wallet).ask(order, town.clock.now())
    assert said.verdict is Verdict.EXPIRED


async def test_a_slow_wallet_is_waited_for(town: Town, wallet: str) -> None:
    """Slow is not silent."""
    order = town.order(notices=wallet)
    town.simulator.faults.set(order.text.split()[0], Fault.SLOW)

    assert await town.open(order, wallet)


async def test_an_order_signed_with_another_secret_is_a_clear_no(town: Town, wallet: str) -> None:
    """A wrong setting is a refusal, and never leaves a citizen in doubt."""
    settings = dict(town.simulator.config.values)
    field = {"momo": "MOMO_SECRET_KEY", "zalopay": "ZALOPAY_KEY1"}[wallet]
    town.simulator.config.values[field]
    wrong = _rebuilt(town, wallet, settings | {field: "not-the-secret-at-all"})

    with pytest.raises(DeclinedError):
        await wrong.checkout(town.order(notices=wallet))


def _rebuilt(town: Town, wallet: str, settings: dict[str, str]) -> Any:
    (spec,) = [s for s in adapters() if s.name == wallet]
    return spec.build(settings, provider(town, wallet).wire, "default")


# Money that goes back.


async def test_a_refund_goes_back_once_however_often_it_is_asked(town: Town, wallet: str) -> None:
    """Its reference is the key: the journal has one movement."""
    order, number = await paid(town, wallet)
    refund = refund_of(town, order, number, amount=50_000)

    said = [await provider(town, wallet).refund(refund) for _ in range(3)]
    town.clock.move(HOUR)
    asked = await provider(town, wallet).ask_refund(refund, town.clock.now())

    assert {s.verdict for s in said} <= {RefundVerdict.DONE, RefundVerdict.PENDING}
    assert asked.verdict is RefundVerdict.DONE
    (back,) = town.simulator.journal.entries(wallet, kind="refund")
    assert (back.amount, back.reference) == (50_000, known(town, wallet, order).reference)


async def test_parts_go_back_until_all_is_back(town: Town, wallet: str) -> None:
    """Two equal parts are two refunds, and the third is more than was taken."""
    order, number = await paid(town, wallet)
    parts = [refund_of(town, order, number, n, amount=75_000) for n in (1, 2, 3)]

    for part in parts:
        await provider(town, wallet).refund(part)
    town.clock.move(HOUR)
    asked = [(await provider(town, wallet).ask_refund(p, town.clock.now())) for p in parts]

    assert [a.verdict for a in asked[:2]] == [RefundVerdict.DONE] * 2
    assert asked[2].verdict is not RefundVerdict.DONE
    assert sum(e.amount for e in town.simulator.journal.entries(wallet, kind="refund")) == 150_000


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.MAINTENANCE])
async def test_a_refund_whose_answer_is_lost_is_found_by_asking(
    town: Town, wallet: str, fault: Fault
) -> None:
    """SCENARIOS 7: the provider did it, and only asking tells; the repeat moves nothing more."""
    order, number = await paid(town, wallet)
    refund = refund_of(town, order, number)
    town.simulator.faults.set(known(town, wallet, order).reference, fault)

    with pytest.raises(InDoubtError):
        await provider(town, wallet).refund(refund)
    town.clock.move(timedelta(hours=2))
    await provider(town, wallet).refund(refund)

    said = await provider(town, wallet).ask_refund(refund, town.clock.now())
    assert said.verdict is RefundVerdict.DONE
    assert len(town.simulator.journal.entries(wallet, kind="refund")) == 1
