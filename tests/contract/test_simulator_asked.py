"""What a developer asks of the simulated banks: a fault by header or amount, time, a dispute."""

import httpx
import pytest
from town import Town

from adapters.simulator import Choice, Fault

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


async def _visit(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as browser:
        assert (await browser.get(url)).status_code == 200
