"""Webhooks that payOS's own clients sign, for Node and for Python, and what was changed in them.

None may be wrongly refused, none wrongly believed; and both clients believe what we sign.
"""

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import payos
import pytest

from adapters.payos_signature import sign_data
from adapters.vectors.payos import DATA, KEY, build, raw
from gateway.domain.errors import ForgedError
from gateway.ports.provider import Verdict

COUNT = int(os.environ.get("PROOF_CLIENTS", "200"))
FOLDER = Path(__file__).parents[1] / "clients"
Data = dict[str, Any]
# What a client answers: a signature for each data, and whether each webhook holds.
Client = Callable[[Sequence[Data], Sequence[Data]], tuple[list[str], list[bool]]]


def by_node(data: Sequence[Data], webhooks: Sequence[Data]) -> tuple[list[str], list[bool]]:
    asked = json.dumps({"key": KEY, "data": data, "webhooks": webhooks})
    done = subprocess.run(
        ["node", "payos.mjs"],  # noqa: S607 - whichever node the machine has.
        cwd=FOLDER, input=asked.encode(), capture_output=True, check=True,
    )  # fmt: skip
    said = json.loads(done.stdout)
    return said["signatures"], said["holds"]


def by_python(data: Sequence[Data], webhooks: Sequence[Data]) -> tuple[list[str], list[bool]]:
    client = payos.PayOS(client_id="c", api_key="k", checksum_key=KEY)
    signatures = [str(client.crypto.create_signature_from_object(one, KEY)) for one in data]
    return signatures, [_holds(client, webhook) for webhook in webhooks]


def _holds(client: payos.PayOS, webhook: Data) -> bool:
    try:
        client.webhooks.verify(webhook)
    except payos.WebhookError:
        return False
    return True


@pytest.fixture(params=[by_node, by_python], ids=["node", "python"])
def client(request: pytest.FixtureRequest) -> Client:
    made: Client = request.param
    return made


def drawn(chance: Random, *, with_news: bool) -> Data:
    """Draw the data of one webhook; ``with_news`` adds keys that no client declares."""
    texts = ("", None, "NGUYỄN THỊ HOÀ", "a=b&c=d", 'x "y" \\z', "100%", "đ", "null", "🙂")
    data: Data = DATA | {
        "orderCode": chance.randrange(1, 2**53), "amount": chance.randrange(1, 10**10),
        "description": f"CS{chance.randrange(10**9)} {chance.choice(texts)}",
        "reference": f"FT{chance.randrange(10**12)}", "desc": "Thành công",
        "counterAccountBankName": chance.choice(texts), "counterAccountName": chance.choice(texts),
        "counterAccountNumber": chance.choice(texts), "virtualAccountName": chance.choice(texts),
    }  # fmt: skip
    if with_news:
        data["fee"] = chance.choice((0, 5, True, False, None))
        data["items"] = [{"z": chance.randrange(9), "a": chance.choice(texts)}] * chance.randrange(
            3
        )
        data["Note"] = chance.choice(texts)
    names = list(data)
    chance.shuffle(names)
    return {name: data[name] for name in names}


def changed(chance: Random, data: Data) -> Data:
    """Change what a forger would: more money, another order, another account, one character."""
    name = chance.choice(("amount", "orderCode", "description", "accountNumber", "reference"))
    value = data[name]
    return data | {name: value + 1 if isinstance(value, int) else f"{value[:-1]}{'#'}"}


def webhook(data: Data, signature: str) -> Data:
    return {"code": "00", "desc": "success", "success": True, "data": data, "signature": signature}


def sent(said: Data) -> bytes:
    return json.dumps(said, ensure_ascii=False).encode()


def test_what_a_client_signed_is_believed_to_the_last(client: Client) -> None:
    chance = Random(20_261_118)  # noqa: S311 - a story, not a secret.
    data = [drawn(chance, with_news=True) for _ in range(COUNT)]
    signatures, _ = client(data, [])

    for one, signature in zip(data, signatures, strict=True):
        said = build().read(raw(sent(webhook(one, signature))))
        assert (said.verdict, said.amount, said.order_serial) == (
            Verdict.CAPTURED, one["amount"], one["orderCode"],
        )  # fmt: skip


def test_what_was_changed_after_a_client_signed_it_is_refused(client: Client) -> None:
    chance = Random(20_261_119)  # noqa: S311
    data = [drawn(chance, with_news=True) for _ in range(COUNT)]
    signatures, _ = client(data, [])

    for one, signature in zip(data, signatures, strict=True):
        with pytest.raises(ForgedError):
            build().read(raw(sent(webhook(changed(chance, one), signature))))


def test_a_client_believes_what_we_sign_and_nothing_else(client: Client) -> None:
    """The other way round: our signature is theirs, and their doubt is ours."""
    chance = Random(20_261_120)  # noqa: S311
    genuine, spoiled = [], []
    for _ in range(COUNT):
        # The Python client drops keys that it does not declare, and misses their absence.
        data = drawn(chance, with_news=False)
        data |= {"counterAccountBankId": "", "virtualAccountNumber": ""}
        genuine.append(webhook(data, sign_data(KEY, data)))
        spoiled.append(webhook(changed(chance, data), sign_data(KEY, data)))

    _, believed = client([], genuine)
    _, doubted = client([], spoiled)

    assert believed == [True] * COUNT
    assert doubted == [False] * COUNT
