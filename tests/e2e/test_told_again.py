"""A line that is told again: the same adds nothing, and another word never vanishes."""

from datetime import timedelta
from typing import Any

import pytest
from books import reconcile, reconciliation, take, written
from front_door import AGENCY, Site
from sqlalchemy import text

from gateway.domain.errors import Refusal

CHANGED = [
    ("statement", {"line_id": "7", "amount": 5_000}, {"amount": 5_001}),
    ("statement", {"line_id": "7", "amount": 5_000}, {"booked_on": "2026-11-17"}),
    ("treasury", {}, {"amount": 10_001}),
    ("treasury", {}, {"booked_on": "2026-11-20"}),
]  # fmt: skip


async def rows(site: Site, query: str) -> list[dict[str, Any]]:
    async with site.parts.store.begin() as tx:
        return [dict(r) for r in await tx.rows(text(query))]


@pytest.mark.parametrize(("kind", "line", "change"), CHANGED)
async def test_a_bank_and_a_treasury_that_contradict_themselves_are_refused_whole(
    site: Site, kind: str, line: dict[str, Any], change: dict[str, Any]
) -> None:
    """The line and the earlier file are named; of the later one nothing stays."""
    new = {"line_id": "8"} if kind == "statement" else {"document_ref": "NS20261119-00002"}
    await take(site, kind, line)
    says = rf"Line 3: contradicts the file «{kind}.csv», which says \d+ on 2026-11-1\d: ask which"

    with pytest.raises(Refusal, match=says):
        await take(site, kind, new, line | change)

    lines = await rows(site, "SELECT net, booked_on::text FROM statement_line")
    assert len(lines) == 1
    assert await rows(site, "SELECT state FROM statement_file ORDER BY state") == [
        {"state": "refused"}, {"state": "taken"},
    ]  # fmt: skip
    assert (await take(site, kind, line, new)).added == 1  # The same again is no contradiction.


async def test_the_same_movement_with_more_or_less_said_of_it_is_the_same(site: Site) -> None:
    """Exports differ in what they carry: a value date, a text."""
    await take(site, "statement", {"line_id": "1", "value_on": "2026-11-19", "memo": "A"})

    again = await take(site, "statement", {"line_id": "1", "memo": "B"})

    assert (again.state, again.added) == ("taken", 0)


@pytest.mark.parametrize(
    ("change", "amount", "now"),
    [({"gross": 12_000, "net": 10_920}, 2_000, "12000 less 1080 on 2026-11-18"),
     ({"fee": 1_180, "net": 8_820}, 100, "10000 less 1180 on 2026-11-18"),
     ({"txn_at": "2026-11-17T01:10:00Z"}, 8_920, "10000 less 1080 on 2026-11-17")],
)  # fmt: skip
async def test_a_provider_that_corrects_its_report_opens_a_case_until_it_agrees_again(
    site: Site, change: dict[str, Any], amount: int, now: str
) -> None:
    """What is booked stays; a person asks. The other lines of the report are taken."""
    attempt = await site.attempt(await site.payment())
    await site.vnpay_says(attempt, vnp_TransactionNo="14831393")
    await take(site, "provider", {})
    site.clock.move(timedelta(hours=17, minutes=30))
    later = {"provider_txn_id": "14831394"}

    taken = await take(site, "provider", change, later)
    await reconcile(site)

    assert (taken.state, taken.added) == ("taken", 1)
    case = (
        "SELECT state, amount, owner_role, why, resolution FROM break"
        " WHERE kind = 'status_conflict'"
    )
    assert await rows(site, case) == [
        {"state": "open", "amount": amount, "owner_role": "accountant", "resolution": None,
         "why": f"the provider reported 10000 less 1080 on 2026-11-18, and now reports {now}"}
    ]  # fmt: skip
    await take(site, "provider", {}, later, {"provider_txn_id": "14831395"})
    (after,) = await rows(site, case)
    assert after["state"] == "resolved"
    assert after["resolution"] == "the provider reports again what is booked"


async def test_a_file_that_was_refused_is_read_again_when_it_is_brought_again(site: Site) -> None:
    """What refused it, as a code of the agency's, may have been put right."""
    intake = reconciliation(site).intake
    content = written("treasury", {"agency_code": "1057758"})
    file_id = await intake.store(AGENCY, "canonical-treasury", "x.csv", content, "staff:a")
    assert (await intake.take(file_id)).state == "refused"
    await site.as_owner("""UPDATE agency SET settings = '{"treasury_code": "1057758"}'""")

    taken = await intake.import_file(AGENCY, "canonical-treasury", "x.csv", content, "test")

    assert (taken.file_id, taken.state, taken.added) == (file_id, "taken", 1)
