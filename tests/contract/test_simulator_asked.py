"""What a developer asks of the simulated banks: a fault by header or amount, time, a dispute."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from town import Town

from adapters.simulator import Choice, Fault, build_simulator
from adapters.simulator.faults import ENDINGS
from gateway.infra.clock import SystemClock
from gateway.ports.provider import DisputeState

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "simulated-banks.md"
HEADER = "x-simulate-fault"


@pytest.mark.parametrize("name", ["vnpay", "momo", "zalopay", "payos", "stripe"])
async def test_a_fault_is_asked_for_by_header_on_the_call_that_opens_an_order(
    town: Town, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call is our adapter's own, as a proxy on the way would mark it."""
    send = httpx.AsyncClient.send

    async def marked(self: httpx.AsyncClient, request: httpx.Request, **more: object) -> object:
        request.headers[HEADER] = "duplicate"
        return await send(self, request, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(httpx.AsyncClient, "send", marked)
        url = await town.open(town.order(notices=name), name)
        await _visit(url)  # VNPAY's order is opened here.
    (reference,) = town.simulator.sides[name].orders.known
    town.simulator.sides[name].orders.choose(reference, Choice.PAY)
    other = town.order()
    town.simulator.pay(await town.open(other))

    faults = [e.fault for e in town.simulator.journal.entries()]
    assert faults == [Fault.DUPLICATE, ""], "a header is for its own call"


async def test_a_fault_is_asked_for_by_header_with_the_choice_and_the_transfer(town: Town) -> None:
    order = town.order()
    await _visit(await town.open(order))
    choice = {"side": "vnpay", "reference": order.reference, "choice": "pay"}

    async with httpx.AsyncClient(base_url=town.origin, trust_env=False) as http:
        asked = {HEADER: "silent"}
        await http.post("/choose", data=choice, headers=asked)
        qr = {"qr_text": await town.qr(order)}
        await http.post("/bank/transfer", data=qr, headers=asked)
        unknown = await http.post("/choose", data=choice, headers={HEADER: "quiet"})

    assert [e.fault for e in town.simulator.journal.entries()] == ["silent", "silent"]
    assert await town.simulator.pump() == 0
    assert unknown.status_code == 400
    assert "silent" in unknown.json()["error"], "the sentence says which there are"


async def test_the_last_three_digits_of_an_amount_name_its_fault(town: Town) -> None:
    """A developer who only asks for payments needs nothing else; a page lists the endings."""
    town.simulator.faults.by_amount = True
    for order in (town.order(150_901), town.order(150_905)):
        town.simulator.pay(await town.open(order))
        town.simulator.bank.transfer_by_qr(await town.qr(order))
    late = town.order(150_903)
    town.simulator.faults.set(late.reference, None)
    town.simulator.pay(await town.open(late))
    async with httpx.AsyncClient(base_url=town.origin, trust_env=False) as http:
        page = (await http.get("/bank/")).text

    faults = [e.fault for e in town.simulator.journal.entries()]
    assert faults == ["duplicate", "duplicate", "silent", "silent", ""], "what is set comes first"
    assert all(f"<dt>…{n}</dt><dd>{f}</dd>" in page for n, f in ENDINGS.items())
    guide = GUIDE.read_text("utf-8")
    assert all(f"| {n} | `{f}` |" in guide for n, f in ENDINGS.items())
    assert (ENDINGS[901], len(ENDINGS)) == (Fault.DUPLICATE, len(Fault))


async def test_unless_it_is_switched_on_an_amount_names_nothing(town: Town) -> None:
    """A lived day draws its faults by its seed alone."""
    town.simulator.pay(await town.open(town.order(150_905)))
    async with httpx.AsyncClient(base_url=town.origin, trust_env=False) as http:
        page = (await http.get("/bank/")).text

    assert [e.fault for e in town.simulator.journal.entries()] == [""]
    assert "…905" not in page


async def test_time_is_moved_on_a_test_clock_and_what_was_late_comes(town: Town) -> None:
    """The notice of a late order comes three hours after the money, and who waits moves time."""
    order, began = town.order(150_903), town.clock.now()
    town.simulator.faults.by_amount = True
    town.simulator.pay(await town.open(order))
    async with httpx.AsyncClient(base_url=town.origin, trust_env=False) as http:
        early = await http.post("/control/clock", json={"hours": 2, "minutes": 59})
        late = await http.post("/control/clock", json={"minutes": 1})
        wrong = [
            await http.post("/control/clock", json=said)
            for said in ({"hours": -1}, {}, {"hours": 10**30}, {"hours": 9_000}, [])
        ]

    assert early.json() == {"now": "2026-11-18T04:59:00Z", "sent": 0}
    assert (late.json()["sent"], len(town.office.read)) == (1, 1)
    assert [r.status_code for r in wrong] == [400] * 5
    assert town.clock.now() - began == timedelta(hours=3)


async def test_the_machines_own_time_is_not_moved(town: Town) -> None:
    simulator = build_simulator(SystemClock(), town.simulator.config)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(simulator.app), base_url="http://127.0.0.1"
    ) as http:
        refused = await http.post("/control/clock", json={"hours": 3})

    assert refused.status_code == 400
    assert "THUPHI_CLOCK" in refused.json()["error"]


async def test_a_script_plays_a_dispute(town: Town) -> None:
    paid, open_ = town.order(), town.order()
    town.simulator.pay(await town.open(paid, "stripe"))
    await town.open(open_, "stripe")
    await town.simulator.pump()
    said = {"reference": paid.reference}
    async with httpx.AsyncClient(base_url=town.origin, trust_env=False) as http:
        begun = await http.post("/control/dispute", json=said)
        lost = await http.post("/control/dispute", json=said | {"status": "lost"})
        wrong = [
            await http.post("/control/dispute", json=asked)
            for asked in (
                said | {"status": "angry"}, said | {"provider": "momo"}, {"reference": "none"},
                {"reference": open_.reference}, {}, said | {"provider": "none"},
            )
        ]  # fmt: skip

    assert begun.json() == {"reference": paid.reference, "status": "needs_response", "sent": 1}
    assert lost.json()["sent"] == 1
    told = [n.dispute.state for n in town.office.read if n.dispute]
    assert told == [DisputeState.OPENED, DisputeState.LOST]
    assert [r.status_code for r in wrong] == [400] * 6
    assert "needs_response" in wrong[0].json()["error"]


async def _visit(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as browser:
        assert (await browser.get(url)).status_code == 200
