"""Events that Stripe's own clients sign, for Node and for Python, and what was changed in them.

None may be wrongly refused, none wrongly believed; and both clients believe what we sign.
"""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import pytest
import stripe
from node_client import FOLDER, count

from adapters.conformance import ScriptedWire
from adapters.simulator.stripe_words import Signed
from adapters.vectors.stripe_messages import (
    CREATED,
    SECONDS,
    WEBHOOK_SECRET,
    build,
    event,
    raw,
    session,
)
from gateway.domain.errors import ForgedError
from gateway.ports.provider import Verdict

Said = dict[str, Any]  # A body and the header that it came under.
TEXTS = ("Nguyễn Thị Hoà", "a=b&c=d", 'x "y" \\z', "50%", "đ🙂", "\u2028", "", None)


@cache
def by_node(words: str = "[]") -> Said:
    """Let npm stripe sign events, and say of our words whether it believes them."""
    done = subprocess.run(  # noqa: S603 - our own script.
        ["node", "stripe.js", str(count), WEBHOOK_SECRET, str(SECONDS)],  # noqa: S607 - whichever node the machine has.
        cwd=FOLDER, input=words.encode(), capture_output=True, check=True, timeout=100,
    )  # fmt: skip
    made: Said = json.loads(done.stdout)
    return made


@cache
def by_python() -> Said:
    """Let PyPI stripe sign events, and check them itself, each with its twin."""
    chance = Random(20_261_118)  # noqa: S311 - a story, not a secret.
    made = [drawn(chance) for _ in range(count)]
    for said in made:
        at = SECONDS - chance.randrange(300)
        said["header"] = stripe.WebhookSignature.generate_signature_header(
            said["body"], WEBHOOK_SECRET, at
        )
        said["changed"] = changed(chance, said)
    return {
        "notices": made, "own": [believed(said) for said in made],
        "doubted": [not believed(said["changed"]) for said in made],
    }  # fmt: skip


def drawn(chance: Random) -> Said:
    about = session(
        amount_total=chance.randrange(1, 10**8),
        client_reference_id=f"ATT{chance.randrange(10**9)}",
        payment_intent=f"pi_{chance.randrange(10**9)}",
        payment_status=chance.choice(("paid", "paid", "paid", "unpaid")),
        customer_details={"name": chance.choice(TEXTS), "email": None},
    )
    said = event("checkout.session.completed", about, created=SECONDS - chance.randrange(86_400))
    written = json.dumps(said, ensure_ascii=chance.random() < 0.5, indent=chance.choice((None, 2)))
    return {"body": written}


def changed(chance: Random, said: Said) -> Said:
    """Change what a forger would: money, time, scheme, secret, one character."""
    body, header = said["body"], said["header"]
    place, paid = chance.randrange(len(body)), json.loads(body)["data"]["object"]["amount_total"]
    other = "1" if body[place] == "0" else "0"
    bodies = [
        body[:place] + other + body[place + 1 :],
        body.replace(f'"amount_total": {paid}', f'"amount_total": {paid + 1}'),
        f"{body}\n",
    ]
    signer = stripe.WebhookSignature.generate_signature_header
    headers = [
        header.replace("t=1", "t=2"), header.replace("v1=", "v0="),
        signer(body, "whsec_of_another", SECONDS),
    ]  # fmt: skip
    return chance.choice(
        [{"body": b, "header": header} for b in bodies]
        + [{"body": body, "header": h} for h in headers]
    )


def believed(said: Said) -> bool:
    """Say whether PyPI stripe believes it; its clock is the machine's, so time is not asked."""
    try:
        stripe.WebhookSignature.verify_header(said["body"], said["header"], WEBHOOK_SECRET)
    except stripe.SignatureVerificationError:
        return False
    return True


@pytest.fixture(params=[by_node, by_python], ids=["node", "python"])
def made(request: pytest.FixtureRequest) -> Said:
    said: Said = request.param()
    return said


def test_what_a_client_signed_is_believed_to_the_last_field(made: Said) -> None:
    provider = build(ScriptedWire())

    for said in made["notices"]:
        about = json.loads(said["body"])["data"]["object"]
        read = provider.read(raw(said["body"].encode(), said["header"]))
        is_paid = about["payment_status"] == "paid"
        assert read.verdict is (Verdict.CAPTURED if is_paid else Verdict.PENDING)
        assert read.order_reference == about["client_reference_id"]
        assert read.amount == (about["amount_total"] if is_paid else 0)
    assert len(made["notices"]) == count
    assert made["own"] == [True] * count, "the client believes itself"


def test_what_was_changed_after_a_client_signed_it_is_refused(made: Said) -> None:
    provider = build(ScriptedWire())

    for said in made["notices"]:
        twin = said["changed"]
        with pytest.raises(ForgedError):
            provider.read(raw(twin["body"].encode(), twin["header"]))
    assert made["doubted"] == [True] * count, "the client doubts it too"


def ours(words: Sequence[Said], *, spoil: bool = False) -> list[Said]:
    """Sign as our simulated side does, on its way to us."""
    sent = [
        Signed("http://127.0.0.1:9", w["body"].encode(), WEBHOOK_SECRET)(CREATED) for w in words
    ]
    return [
        {"body": one.body.decode() + (" " if spoil else ""),
         "header": one.headers["stripe-signature"]}
        for one in sent
    ]  # fmt: skip


def test_both_clients_believe_what_our_simulated_side_signs_and_nothing_else() -> None:
    words = by_python()["notices"]
    genuine, spoiled = ours(words), ours(words, spoil=True)

    assert by_node(json.dumps(genuine))["believed"] == [True] * count
    assert by_node(json.dumps(spoiled))["believed"] == [False] * count
    assert [believed(said) for said in genuine] == [True] * count
    assert [believed(said) for said in spoiled] == [False] * count


def test_a_notice_is_too_old_for_us_when_it_is_for_the_clients(made: Said) -> None:
    provider = build(ScriptedWire())
    late = replace(
        raw(made["notices"][0]["body"].encode(), made["notices"][0]["header"]),
        received_at=CREATED.replace(hour=5),
    )

    with pytest.raises(ForgedError):
        provider.read(late)
