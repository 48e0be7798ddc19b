"""One bank movement is one capture, whoever tells of it, in whatever order, and however often."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from books import breaks, reconcile, take
from watched_city import Watched

from adapters.payos_signature import sign_data
from adapters.vectors.payos import DATA
from gateway.services.invariants import violations

AMOUNT = 10_000
WHEN = "2026-11-18 08:00:00"


@dataclass(frozen=True)
class Credit:
    """A real credit: the bank's reference, and the text that its payer wrote."""

    n: int
    text: str

    @property
    def reference(self) -> str:
        return f"FT26322{self.n:06d}"


async def sepay(watched: Watched, credit: Credit, **hides: bool) -> None:
    """Let SePay tell of a credit, with what it knows."""
    secret = watched.banks.config.values["SEPAY_SECRET"]
    told = await watched.site.sepay_says(
        "" if hides.get("text") else credit.text, AMOUNT, 500 + credit.n, secret=secret,
        transactionDate=WHEN, referenceCode="" if hides.get("reference") else credit.reference,
    )  # fmt: skip
    assert told == 200


async def payos(watched: Watched, credit: Credit, **hides: bool) -> None:
    """Let payOS tell of a credit; where it lacks the bank's reference it has a name of its own."""
    own = str(UUID(int=credit.n + 1))
    data = DATA | {
        "orderCode": 7_000_000_000_000 + credit.n, "amount": AMOUNT, "transactionDateTime": WHEN,
        "reference": own if hides.get("reference") else credit.reference,
        "description": "" if hides.get("text") else credit.text,
    }  # fmt: skip
    key = watched.banks.config.values["PAYOS_CHECKSUM_KEY"]
    body = {"code": "00", "desc": "success", "success": True, "data": data,
            "signature": sign_data(key, data)}  # fmt: skip
    assert (await watched.site.http.post("/notices/payos/default", json=body)).status_code == 200


async def statement(watched: Watched, real: list[Credit], **hides: bool) -> None:
    """Import the bank's statement of the day, and reconcile it."""
    rows: list[dict[str, Any]] = [
        {"amount": AMOUNT, "reference": "" if hides.get("reference") else c.reference,
         "memo": "" if hides.get("text") else c.text}
        for c in real
    ]  # fmt: skip
    await take(watched.site, "statement", *rows)
    await reconcile(watched.site)


async def captured(watched: Watched) -> list[str]:
    return [r["result"] for r in await watched.rows("SELECT result FROM capture ORDER BY result")]


async def test_two_notices_of_one_credit_without_the_banks_reference_are_one_capture(
    watched: Watched,
) -> None:
    payment = await watched.site.payment()
    credit = Credit(1, f"TP{payment['reference']}")

    await sepay(watched, credit, reference=True)
    await payos(watched, credit, reference=True)
    await sepay(watched, credit, reference=True)

    assert await captured(watched) == ["paid"]
    told = await watched.rows("SELECT reporter, bank_reference FROM credit_advice ORDER BY 1")
    assert [(r["reporter"], r["bank_reference"]) for r in told] == [
        ("payos/default", ""), ("vietqr/default", ""),
    ]  # fmt: skip
    assert await violations(watched.site.parts.store) == []


async def test_two_equal_credits_told_by_two_stay_two(watched: Watched) -> None:
    """A citizen who paid twice gets the second back; nobody merges the two."""
    payment = await watched.site.payment()
    one, two = (Credit(n, f"TP{payment['reference']}") for n in (1, 2))

    await sepay(watched, one, reference=True)
    await payos(watched, two)
    await payos(watched, one)
    await sepay(watched, two, reference=True)

    assert await captured(watched) == ["double", "paid"]


async def test_a_notice_that_limps_behind_the_statement_is_evidence(watched: Watched) -> None:
    """The statement knows the bank's reference, the service does not."""
    payment = await watched.site.payment()
    credit = Credit(1, f"TP{payment['reference']}")
    watched.site.clock.move(timedelta(hours=17, minutes=30))
    await statement(watched, [credit])
    assert await captured(watched) == ["paid"]

    await sepay(watched, credit, reference=True)
    await payos(watched, credit, reference=True)

    assert await captured(watched) == ["paid"]
    await reconcile(watched.site)
    assert await breaks(watched.site) == []


async def test_a_lost_notice_is_found_among_equals_though_nothing_names_it(
    watched: Watched,
) -> None:
    """Two were told; the statement lists three, without text or reference: one more is money."""
    told = [Credit(n, "") for n in (1, 2)]
    for credit in told:
        await sepay(watched, credit, reference=True)
    watched.site.clock.move(timedelta(hours=17, minutes=30))

    await statement(watched, [*told, Credit(3, "")], reference=True)

    assert await captured(watched) == ["unknown_money"] * 3
    assert {kind for kind, _ in await breaks(watched.site)} == {"unknown_money"}
    matched = await watched.rows("SELECT DISTINCT line_id FROM recon_match")
    assert len(matched) == 3


async def test_the_payment_whose_notice_was_lost_is_paid_and_no_other(watched: Watched) -> None:
    """Equal sums on one day: the text on the statement decides, never the order alone."""
    payments = [await watched.site.payment(n) for n in (1, 2, 3)]
    real = [Credit(n, f"TP{p['reference']}") for n, p in enumerate(payments)]
    await sepay(watched, real[0], reference=True)
    await sepay(watched, real[2], reference=True)
    watched.site.clock.move(timedelta(hours=17, minutes=30))

    await statement(watched, [real[1], Credit(8, ""), real[0]])

    states = {(await watched.shown(p))["state"] for p in payments}
    assert states <= {"paid", "settled"}
    assert await captured(watched) == ["paid"] * 3
    assert await breaks(watched.site) == []


@pytest.mark.parametrize("seed", range(8))
async def test_any_order_and_repetition_of_reports_ends_in_as_many_captures_as_credits(
    watched: Watched, seed: int
) -> None:
    """Each service knows what it knows; the statement, whenever it comes, has them all."""
    chance = Random(seed)  # noqa: S311 - a story, not a secret.
    payments = [await watched.site.payment(n) for n in range(3)]
    texts = [f"TP{p['reference']}" for p in payments] + [f"TP{payments[0]['reference']}", ""]
    real = [Credit(n, text) for n, text in enumerate(texts)]
    hidden = {
        service: {what: chance.random() < 0.5 for what in ("reference", "text")}
        for service in ("sepay", "payos", "statement")
    }
    words = [(service, c) for service in (sepay, payos) for c in real if chance.random() < 0.7]
    words += chance.sample(words, len(words) // 2)
    chance.shuffle(words)
    at = chance.randrange(len(words) + 1)
    watched.site.clock.move(timedelta(hours=17, minutes=30))

    for service, credit in words[:at]:
        await service(watched, credit, **hidden[service.__name__])
    await statement(watched, chance.sample(real, len(real)), **hidden["statement"])
    for service, credit in words[at:]:
        await service(watched, credit, **hidden[service.__name__])
    await reconcile(watched.site)

    assert len(await captured(watched)) == len(real)
    booked = await watched.rows("SELECT sum(amount)::bigint AS booked FROM capture")
    assert booked[0]["booked"] == AMOUNT * len(real)
    matched = await watched.rows("SELECT count(DISTINCT line_id) AS n FROM recon_match")
    assert matched[0]["n"] == len(real)
    assert await violations(watched.site.parts.store) == []
