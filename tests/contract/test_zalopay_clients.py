"""ZaloPay as its own samples sign it, with crypto-js: what they sign, we sign; and back."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from node_client import count, made_by

from adapters.conformance import ScriptedWire
from adapters.vectors.zalopay import KEY1, KEY2, ORDER, build, raw
from gateway.domain.errors import ForgedError, InDoubtError
from gateway.ports.provider import Verdict


@cache
def made() -> dict[str, Any]:
    return made_by("zalopay.js", "2553", KEY1, KEY2)


async def test_our_orders_are_signed_as_the_samples_sign_them() -> None:
    """On any day and at any hour, Hanoi's date is the same here and there."""
    for theirs in made()["orders"]:
        wire = ScriptedWire()
        created = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=theirs["app_time"])
        order = replace(
            ORDER, reference=theirs["app_trans_id"][7:], amount=theirs["amount"],
            created_at=created, expires_at=created + timedelta(minutes=15),
            return_url=json.loads(theirs["embed_data"])["redirecturl"],
        )  # fmt: skip
        with pytest.raises(InDoubtError):
            await build(wire).checkout(order)
        ours = json.loads(wire.asked[0][2])
        assert {k: ours[k] for k in theirs} == theirs


def test_true_callbacks_are_believed_and_false_ones_refused() -> None:
    """None wrongly accepted, none wrongly refused; the bytes are those that node writes."""
    adapter, notices = build(ScriptedWire()), made()["notices"]

    for pair in notices:
        said, fields = adapter.read(raw(pair["good"].encode())), pair["fields"]
        assert (said.verdict, said.amount, said.txn_id, said.order_reference) == (
            Verdict.CAPTURED, fields["amount"], str(fields["zp_trans_id"]),
            fields["app_trans_id"][7:],
        )  # fmt: skip
        with pytest.raises(ForgedError):
            adapter.read(raw(pair["bad"].encode()))
    assert len(notices) == count
