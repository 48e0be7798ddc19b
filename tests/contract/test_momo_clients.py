"""MoMo as other people's code speaks it: what npm `momo-payment-api` signs, we sign; and back."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import httpx
import pytest
from node_client import count, made_by
from town import Town

from adapters.conformance import ScriptedWire
from adapters.momo import Momo
from adapters.simulator.momo import API, PARTNER
from adapters.vectors.momo import ORDER, REFUND, raw
from gateway.domain.errors import ForgedError, InDoubtError
from gateway.ports.provider import Verdict

ACCESS_KEY, SECRET_KEY = "sim-momo_access_key", "sim-momo_secret_key"
IPN_URL = "http://127.0.0.1:9/notices/momo/default"


@cache
def made() -> dict[str, Any]:
    return made_by("momo.js", PARTNER, ACCESS_KEY, SECRET_KEY, IPN_URL)


def momo(wire: ScriptedWire) -> Momo:
    return Momo(wire, PARTNER, ACCESS_KEY, SECRET_KEY, "https://test-payment.momo.vn")


async def sent_by_us(call: str, order: Any) -> dict[str, Any]:
    """Give what our adapter sends; nobody answers."""
    wire = ScriptedWire()
    with pytest.raises(InDoubtError):
        await getattr(momo(wire), call)(order)
    said: dict[str, Any] = json.loads(wire.asked[0][2])
    return said


async def test_our_orders_are_signed_as_the_client_signs_them() -> None:
    """Whatever stands in the text, the two signatures are one."""
    orders = made()["orders"]

    for pair in orders:
        theirs = pair["good"]
        order = replace(
            ORDER, reference=theirs["orderId"], amount=theirs["amount"], text=theirs["orderInfo"],
            return_url=theirs["redirectUrl"], notice_url=theirs["ipnUrl"],
            method="" if theirs["requestType"] == "payWithMethod" else theirs["requestType"],
        )  # fmt: skip
        ours = await sent_by_us("checkout", order)
        assert ours == {k: v for k, v in theirs.items() if k != "accessKey"}
    assert len(orders) == count


async def test_our_refunds_are_signed_as_the_client_signs_them() -> None:
    """The client sends no words, and signs that it sends none."""
    for pair in made()["refunds"]:
        theirs = pair["good"]
        refund = replace(
            REFUND, reference=theirs["orderId"], amount=theirs["amount"], captured=50_000_000,
            txn_id=str(theirs["transId"]), text="",
        )  # fmt: skip
        assert (await sent_by_us("refund", refund))["signature"] == theirs["signature"]


def test_true_notices_are_believed_and_false_ones_refused() -> None:
    """None wrongly accepted, none wrongly refused; the bytes are those that node writes."""
    adapter, verdicts = momo(ScriptedWire()), {0: Verdict.CAPTURED, 9000: Verdict.CAPTURED}
    verdicts |= {1006: Verdict.CANCELLED, 7002: Verdict.PENDING}
    notices = made()["notices"]

    for pair in notices:
        said, fields = adapter.read(raw(pair["good"].encode())), pair["fields"]
        assert (said.verdict, said.amount, said.txn_id, said.order_reference) == (
            verdicts[fields["resultCode"]], fields["amount"], str(fields["transId"]),
            fields["orderId"],
        )  # fmt: skip
        with pytest.raises(ForgedError):
            adapter.read(raw(pair["bad"].encode()))
    assert len(notices) == count


async def test_the_simulated_momo_takes_what_the_client_signs_and_nothing_else(
    town: Town,
) -> None:
    """Else it would agree with our adapter, and both be wrong."""
    async with httpx.AsyncClient(base_url=town.origin, trust_env=False) as http:
        for pair in made()["orders"]:
            refused = (await http.post(f"{API}/create", json=pair["bad"])).json()
            taken = (await http.post(f"{API}/create", json=pair["good"])).json()
            assert refused["resultCode"] == 11
            assert (taken["resultCode"], taken["amount"]) == (0, pair["good"]["amount"])
    assert len(town.simulator.sides["momo"].orders.known) == count
