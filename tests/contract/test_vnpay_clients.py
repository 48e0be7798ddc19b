"""VNPAY as other people's code speaks it: what npm `vnpay` signs, we sign; and back."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from node_client import count, made_by
from town import Town

from adapters import vnpay_api
from adapters.conformance import ScriptedWire
from adapters.simulator.vnpay import PAY_PATH
from adapters.vectors.vnpay import ORDER, raw
from adapters.vnpay import Vnpay
from gateway.domain.calendar import HANOI
from gateway.domain.errors import ForgedError
from gateway.ports.provider import Verdict

TMN_CODE, SECRET = "THUPHI01", "simulated-vnpay-secret"
VERDICTS = {
    "00/00": Verdict.CAPTURED, "24/02": Verdict.CANCELLED, "00/01": Verdict.PENDING,
    "07/00": Verdict.REVIEW,
}  # fmt: skip


@cache
def made() -> dict[str, Any]:
    return made_by("vnpay.js", TMN_CODE, SECRET)


def vnpay() -> Vnpay:
    host = "https://sandbox.vnpayment.vn"
    return Vnpay(ScriptedWire(), TMN_CODE, SECRET, f"{host}/paymentv2/vpcpay.html", f"{host}/api")


def instant(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=HANOI).astimezone(UTC)


async def test_our_addresses_are_the_clients_to_the_last_byte() -> None:
    """VNPAY refuses its page when one byte differs."""
    addresses = made()["orders"]

    for theirs in addresses:
        said = {k: v[0] for k, v in parse_qs(urlsplit(theirs).query).items()}
        order = replace(
            ORDER, reference=said["vnp_TxnRef"], amount=int(said["vnp_Amount"]) // 100,
            text=said["vnp_OrderInfo"], return_url=said["vnp_ReturnUrl"],
            locale={"vn": "vi", "en": "en"}[said["vnp_Locale"]],
            payer_address=said["vnp_IpAddr"], method=said.get("vnp_BankCode", ""),
            created_at=instant(said["vnp_CreateDate"]), expires_at=instant(said["vnp_ExpireDate"]),
        )  # fmt: skip
        assert (await vnpay().checkout(order)).redirect_url == theirs
    assert len(addresses) == count


def test_true_notices_are_believed_and_false_ones_refused() -> None:
    """None wrongly accepted, none wrongly refused, in any order and either case of the hash."""
    adapter, notices = vnpay(), made()["notices"]

    for pair in notices:
        said, fields = adapter.read(raw(pair["good"])), pair["fields"]
        code = f"{fields['vnp_ResponseCode']}/{fields['vnp_TransactionStatus']}"
        assert (said.verdict, said.amount * 100, said.txn_id, said.order_reference) == (
            VERDICTS[code], fields["vnp_Amount"], fields["vnp_TransactionNo"],
            fields["vnp_TxnRef"],
        )  # fmt: skip
        with pytest.raises(ForgedError):
            adapter.read(raw(pair["bad"]))
    assert len(notices) == count


@pytest.mark.parametrize(
    ("kind", "names"), [("queries", vnpay_api.ASKED), ("refunds", vnpay_api.REFUND)]
)
def test_our_questions_and_refunds_are_signed_as_the_client_signs_them(
    kind: str, names: str
) -> None:
    """With a transaction number; without one the client signs a zero that it does not send."""
    for theirs in made()[kind]:
        said = {k: str(v) for k, v in theirs.items()}
        assert vnpay_api.sign(SECRET, said, names) == theirs["vnp_SecureHash"]


async def test_the_simulated_vnpay_takes_what_the_client_signs_and_nothing_else(
    town: Town,
) -> None:
    """Else it would agree with our adapter, and both be wrong."""
    side: Any = town.simulator.sides["vnpay"]
    for theirs in made()["orders"]:
        query = urlsplit(theirs).query
        order = town.simulator.side_of(f"{town.origin}{PAY_PATH}?{query}").opened(theirs)
        assert order.reference in query
    for theirs in made()["queries"]:
        _, said = side.answer(json.dumps(theirs).encode())
        _, no = side.answer(json.dumps({**theirs, "vnp_TxnRef": "ORDER0"}).encode())
        assert (said["vnp_ResponseCode"], no["vnp_ResponseCode"]) in {("00", "97"), ("91", "97")}
    assert len(side.orders.known) == count
