"""One idempotency key is one answer, for as long as the payment is kept (CONTRACT 3)."""

import asyncio
from datetime import timedelta

from front_door import Site, payment_body
from sqlalchemy import text


async def count(site: Site, table: str) -> int:
    async with site.parts.store.begin() as tx:
        row = await tx.row(text(f"SELECT count(*) AS n FROM {table}"))
    assert row is not None
    return int(row["n"])


async def test_an_attempt_asked_for_again_gives_the_same_bytes(site: Site) -> None:
    """Even once the payment is withdrawn: the key's answer does not age."""
    payment = await site.payment()
    path = f"/payments/{payment['id']}/attempts"
    first = await site.ask(path, {"provider": "vietqr"}, key="one")
    assert (await site.ask(f"/payments/{payment['id']}/cancel", {})).status_code == 200

    again = await site.ask(path, {"provider": "vietqr"}, key="one")
    other = await site.ask(path, {"provider": "vnpay"}, key="one")
    fresh = await site.ask(path, {"provider": "vietqr"}, key="two")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert (fresh.status_code, fresh.json()["type"]) == (409, "/problems/payment-not-open")
    assert await count(site, "attempt") == 1


async def test_twins_that_race_for_an_attempt_get_one(site: Site) -> None:
    payment = await site.payment()
    path = f"/payments/{payment['id']}/attempts"

    answers = await asyncio.gather(
        *(site.ask(path, {"provider": "vnpay"}, key="one") for _ in range(8))
    )

    assert {a.status_code for a in answers} == {201}
    assert len({a.content for a in answers}) == 1
    assert [a.headers.get("idempotency-replayed") for a in answers].count("true") == 7
    assert await count(site, "attempt") == 1


async def test_twins_of_different_bodies_that_race_begin_one_attempt(site: Site) -> None:
    """The loser is refused before it begins, or its attempt could be paid beside the other's."""
    payment = await site.payment()
    path = f"/payments/{payment['id']}/attempts"

    answers = await asyncio.gather(
        *(site.ask(path, {"provider": name}, key="one") for name in ("vnpay", "vietqr") * 4)
    )

    assert sorted(a.status_code for a in answers) == [201] * 4 + [422] * 4
    assert {a.json()["type"] for a in answers if a.status_code == 422} == {
        "/problems/idempotency-key-reused"
    }
    assert await count(site, "attempt") == 1


async def test_a_key_stays_with_its_body_when_the_answer_was_never_given(site: Site) -> None:
    """As after a crash between the attempt and its answer; asked again, it goes on."""
    payment = await site.payment()
    path = f"/payments/{payment['id']}/attempts"
    first = await site.ask(path, {"provider": "vietqr"}, key="one")
    await site.as_owner("DELETE FROM idempotency WHERE status = 201 AND route LIKE '%attempts'")

    other = await site.ask(path, {"provider": "vnpay"}, key="one")
    again = await site.ask(path, {"provider": "vietqr"}, key="one")

    assert (first.status_code, other.status_code, again.status_code) == (201, 422, 201)
    assert again.json()["id"] == first.json()["id"]
    assert await count(site, "attempt") == 1


async def test_a_refused_attempt_is_not_kept_so_the_client_can_repair_it(site: Site) -> None:
    payment = await site.payment()
    path = f"/payments/{payment['id']}/attempts"

    refused = await site.ask(path, {"provider": "nobody"}, key="one")
    repaired = await site.ask(path, {"provider": "vnpay"}, key="one")

    assert (refused.status_code, repaired.status_code) == (409, 201)


async def test_a_payment_is_replayed_when_its_body_could_no_longer_be_asked_for(
    site: Site,
) -> None:
    """The link's time is over and the origin is gone, but the answer to this key is not."""
    body = payment_body() | {
        "expires_at": "2026-11-18T02:00:00Z", "return_url": "https://dvc.example.vn/xong",
    }  # fmt: skip
    first = await site.ask("/payments", body, key="one")
    site.clock.move(timedelta(hours=2))
    async with site.parts.store.begin() as tx:
        await tx.run(text("UPDATE client SET return_origins = '{}'"))

    again = await site.ask("/payments", body, key="one")
    other = await site.ask("/payments", body | {"dossier_id": "another"}, key="one")
    fresh = await site.ask("/payments", body, key="two")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert fresh.json()["errors"][0]["pointer"] == "/expires_at"
