"""payOS's adapter against its simulated side, over real sockets, with every fault.

The money lies on the agency's bank account, which SePay watches too: one credit, two reporters.
"""

from datetime import timedelta

import httpx
import pytest
from town import REFERENCE, Town

from adapters.payos import PAYOS, Payos
from adapters.simulator import Choice, Fault
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.domain.ids import find_references
from gateway.ports.provider import Notice, RawNotice, Verdict


def payos(town: Town) -> Payos:
    provider = town.providers["payos"]
    assert isinstance(provider, Payos)
    return provider


def told(town: Town, *, by_payos: bool = True) -> list[Notice]:
    """Give what payOS said, or SePay."""
    return [n for n in town.office.read if n.txn_id.startswith("sepay") != by_payos]


async def test_a_paid_order_is_told_by_both_and_answered_alike(town: Town) -> None:
    """Notice, answer and the other service speak of one bank movement."""
    order = town.order()

    town.simulator.pay(await town.open(order, "payos"))
    await town.simulator.pump()
    asked = await payos(town).ask(order, town.clock.now())

    (mine,), (other,) = told(town), told(town, by_payos=False)
    assert mine.order_serial == order.serial
    assert (asked.txn_id, asked.movement) == (mine.txn_id, mine.movement)
    assert mine.movement == other.movement
    assert mine.paid_at == other.paid_at == town.clock.now()
    for said in (mine, other):
        assert [r.reference for r in find_references(said.memo or "")] == [REFERENCE]
    (entry,) = town.simulator.journal.entries("bank")
    assert mine.movement
    assert (entry.bank_reference, entry.amount) == (mine.movement.bank_reference, mine.amount)


async def test_the_page_takes_the_citizen_back_and_the_qr_can_be_paid_from_a_bank(
    town: Town,
) -> None:
    order, other = town.order(1_250_000), town.order()
    async with httpx.AsyncClient(trust_env=False) as http:
        url = await town.open(order, "payos")
        page, strange = await http.get(url), await http.get(f"{url}0")
        form = {"side": "payos", "reference": str(order.serial), "choice": "pay"}
        back = await http.post(f"{town.origin}/choose", data=form)
    checkout = await payos(town).checkout(other)
    town.simulator.bank.transfer_by_qr(checkout.qr_text or "")
    await town.simulator.pump()

    assert (page.status_code, strange.status_code, back.status_code) == (200, 400, 303)
    assert "1.250.000 đ" in page.text
    assert "status=PAID" in back.headers["location"]
    assert sorted(n.order_serial or 0 for n in told(town)) == [order.serial, other.serial]


async def test_each_part_of_a_sum_is_told_and_the_answer_lists_them(town: Town) -> None:
    """A citizen may pay in parts, and too much."""
    order = town.order()
    qr = (await payos(town).checkout(order)).qr_text or ""
    answers = []
    for amount in (100_000, 30_000, 40_000):
        town.simulator.bank.transfer_by_qr(qr, amount)
        town.clock.move(timedelta(seconds=1))
        answers.append(await payos(town).ask(order, town.clock.now()))
    await town.simulator.pump()

    assert [a.verdict for a in answers] == [Verdict.PENDING, Verdict.PENDING, Verdict.CAPTURED]
    assert [len(a.also) for a in answers] == [1, 2, 2]
    last = [*answers[-1].also, answers[-1]]
    assert [n.amount for n in last] == [100_000, 30_000, 40_000]
    assert sorted(n.txn_id for n in told(town)) == sorted(n.txn_id for n in last)


async def test_choices_move_what_they_say(town: Town) -> None:
    less, twice, late, left, gone = (town.order() for _ in range(5))
    for order, choice in (
        (less, Choice.PAY_LESS), (twice, Choice.PAY_TWICE), (late, Choice.PAY_LATE),
        (left, Choice.LEAVE), (gone, Choice.CANCEL),
    ):  # fmt: skip
        town.simulator.pay(await town.open(order, "payos"), choice)
    early = await payos(town).ask(late, town.clock.now())

    await town.wait(timedelta(hours=1))

    assert sorted((n.order_serial, n.amount) for n in told(town)) == [
        (less.serial, 149_000), (twice.serial, 150_000), (twice.serial, 150_000),
        (late.serial, 150_000),
    ]  # fmt: skip
    verdicts = [(await payos(town).ask(o, town.clock.now())).verdict for o in (left, gone, late)]
    assert early.verdict is Verdict.PENDING
    assert verdicts == [Verdict.EXPIRED, Verdict.CANCELLED, Verdict.CAPTURED]


@pytest.mark.parametrize(
    ("fault", "believed", "forged"),
    [
        (Fault.DUPLICATE, 2, 0), (Fault.BURST, 20, 0), (Fault.LATE, 1, 0),
        (Fault.OUT_OF_ORDER, 2, 0), (Fault.SILENT, 0, 0), (Fault.FORGED, 1, 1),
        (Fault.WRONG_MERCHANT, 1, 1), (Fault.WRONG_AMOUNT, 1, 0), (Fault.SERVER_ERROR, 1, 0),
        (Fault.SLOW, 1, 0),
    ],
)  # fmt: skip
async def test_each_fault_does_what_its_name_says(
    town: Town, fault: Fault, believed: int, forged: int
) -> None:
    order = town.order()
    town.simulator.faults.set(str(order.serial), fault)
    chosen = town.simulator.pay(await town.open(order, "payos"))

    at_once = await town.simulator.pump()
    await town.wait(timedelta(hours=4))

    assert (len(told(town)), town.office.forged) == (believed, 2 * forged)
    assert (at_once == 0) == (fault in {Fault.LATE, Fault.SILENT})
    assert chosen.is_broken == (fault is Fault.SERVER_ERROR)
    if fault is Fault.SERVER_ERROR:
        with pytest.raises(InDoubtError):
            await payos(town).ask(order, town.clock.now())
    asked = await payos(town).ask(order, town.clock.now())
    wrong = fault is Fault.WRONG_AMOUNT
    assert asked.verdict is (Verdict.EXPIRED if wrong else Verdict.CAPTURED)
    assert [n.amount for n in (*asked.also, asked) if n.amount] == [149_000 if wrong else 150_000]


@pytest.mark.parametrize("fault", [Fault.EARLY, Fault.RESET, Fault.MAINTENANCE])
async def test_an_order_whose_first_answer_was_lost_is_found_again(
    town: Town, fault: Fault
) -> None:
    """Our own repeat is no second order, and nobody pays twice."""
    order = town.order()
    town.simulator.faults.set(f"TP{REFERENCE}", fault)
    if fault is Fault.EARLY:
        await town.open(order, "payos")
        assert [n.amount for n in told(town)] == [150_000]
        return
    with pytest.raises(InDoubtError):
        await town.open(order, "payos")
    if fault is Fault.MAINTENANCE:
        with pytest.raises(InDoubtError):
            await payos(town).ask(order, town.clock.now())
        town.clock.move(timedelta(hours=1))
        assert (await payos(town).ask(order, town.clock.now())).verdict is Verdict.EXPIRED
        return

    url = await town.open(order, "payos")

    assert url.startswith(f"{town.origin}/payos/web/")
    town.simulator.pay(url)
    await town.simulator.pump()
    assert [n.order_serial for n in told(town)] == [order.serial]


async def test_an_order_is_withdrawn_and_a_paid_one_is_not(town: Town) -> None:
    order, paid, unknown = town.order(), town.order(), town.order()
    await town.open(order, "payos")
    town.simulator.pay(await town.open(paid, "payos"))

    await payos(town).cancel(order)
    await payos(town).cancel(order)

    assert (await payos(town).ask(order, town.clock.now())).verdict is Verdict.CANCELLED
    with pytest.raises(DeclinedError):
        await payos(town).cancel(paid)
    with pytest.raises(InDoubtError):
        await payos(town).cancel(unknown)


async def test_the_address_is_registered_with_a_sample_that_we_thank_for(town: Town) -> None:
    """A sample that is refused, and payOS never tells of any money."""
    async with httpx.AsyncClient(base_url=town.origin, trust_env=False) as http:
        asked = {"webhookUrl": f"{town.notices}/payos/default"}
        answer = await http.post("/payos/confirm-webhook", json=asked)
        asked["webhookUrl"] = f"{town.notices}/sepay/default"
        refused = await http.post("/payos/confirm-webhook", json=asked)

    assert (answer.status_code, answer.json()["code"]) == (200, "00")
    assert (refused.status_code, refused.json()["code"]) == (400, "20")
    assert [(n.verdict, n.amount) for n in told(town)] == [(Verdict.PENDING, 0)]


async def test_strangers_are_sent_away(town: Town) -> None:
    """Keys and signature are looked at on their side too, or our own were never tried."""
    order = town.order()
    values = town.simulator.config.values
    for changed in ("PAYOS_API_KEY", "PAYOS_CHECKSUM_KEY"):
        stranger = PAYOS.build({**values, changed: "somebody-else"}, payos(town).wire, "default")
        with pytest.raises(DeclinedError):
            await stranger.checkout(order)
    with pytest.raises(ForgedError):
        payos(town).read(RawNotice("GET", "", {}, b"", town.clock.now()))
