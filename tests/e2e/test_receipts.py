"""Paid, numbered, sealed, shown: what each payment gets, when, and under which number."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from front_door import AGENCY, Site
from receipt_days import FREE, LE_PHI, PHI, paid, pay, pay_many
from sqlalchemy import text

from gateway.domain.calendar import hanoi_day
from gateway.services.erasure import Erasure
from gateway.services.invariants import violations
from receipts.verify import Verdict, verify
from receipts.xml import read_sealed


async def rows(site: Site) -> list[dict[str, Any]]:
    """Give every receipt, in the order of its numbers."""
    async with site.parts.store.begin() as tx:
        found = await tx.rows(text("SELECT * FROM receipt ORDER BY series, number"))
    return [dict(r) for r in found]


async def change(site: Site, statement: str) -> None:
    async with site.parts.engine.begin() as connection:
        await connection.execute(text(statement))


async def test_a_paid_fee_has_a_receipt_that_everybody_can_check(site: Site) -> None:
    """The whole way: asked for, paid by a notice, receipted, read, looked up."""
    payment = await paid(site)
    assert payment["receipts"] == [], "what is not sealed is not shown"

    assert await site.parts.receipts.issue() == 1
    assert await site.parts.receipts.issue() == 0, "a second run has nothing to do"

    (shown,) = (await site.get(f"/payments/{payment['id']}"))["receipts"]
    assert (shown["kind"], shown["form"], shown["series"]) == ("le_phi", "EBL01", "26TAA")
    assert (shown["number"], shown["amount"]) == (1, 10_000)
    assert await site.get(f"/receipts/{shown['id']}") == shown | {"payment_id": payment["id"]}
    xml = await site.http.get(shown["links"]["xml"])
    trusted = await site.parts.receipts.trusted(AGENCY)
    found = verify(xml.content, trusted)
    assert found.verdict is Verdict.VALID
    assert found.receipt is not None
    assert found.receipt.amount_in_words == "Mười nghìn đồng"
    assert found.receipt.issued_on == date(2026, 11, 18)
    assert found.receipt.reference == payment["reference"]
    for link in (*shown["links"].values(), f"/verify/{shown['verify_code']}"):
        assert (await site.http.get(link)).status_code == 200
    assert await violations(site.parts.store) == []


async def test_the_event_carries_the_receipt_as_get_shows_it(site: Site) -> None:
    payment = await paid(site)
    await site.parts.receipts.issue()
    await site.parts.outbox.sequence()

    (*_, said) = (await site.get("/events?after=0"))["data"]

    assert (said["type"], said["payment_id"]) == ("receipt.issued", payment["id"])
    assert said["data"] == await site.get(f"/receipts/{said['data']['id']}")
    assert [e["sequence"] for e in (await site.get("/events?after=0"))["data"]] == [1, 2, 3]


async def test_phi_and_le_phi_of_one_payment_get_two_receipts_in_two_series(site: Site) -> None:
    """And a line that costs nothing stands on neither."""
    payment = await pay(site, "online", (PHI, LE_PHI, LE_PHI, FREE))

    assert await site.parts.receipts.issue() == 2

    made = await rows(site)
    assert [(r["kind"], r["amount"], r["number"]) for r in made] == [
        ("le_phi", 20_000, 1),
        ("phi", 200_000, 1),
    ]
    assert {r["series"] for r in made} == {"26TAA", "26TAB"}
    assert {r["payment_id"] for r in made} == {payment.id}
    lines = [len(read_sealed(bytes(r["xml"])).lines) for r in made]
    assert lines == [2, 1]


async def test_what_is_waived_takes_no_number(site: Site) -> None:
    waived = await site.payment(procedure="1.001193")
    assert waived["state"] == "waived"

    assert await site.parts.receipts.issue() == 0
    assert await rows(site) == []


async def test_each_branch_and_kind_has_a_series_of_its_own(site: Site) -> None:
    await pay_many(site, 6, two_kinds=True)

    await site.parts.receipts.issue()

    made = await rows(site)
    assert len({r["series"] for r in made}) == 6
    assert sorted(r["number"] for r in made) == [1] * 6 + [2] * 6
    async with site.parts.store.begin() as tx:
        branches = await tx.rows(text("SELECT branch_id, series, last_number FROM series"))
    assert (
        sorted(b["branch_id"] for b in branches)
        == ["hoan-kiem"] * 2 + ["online"] * 2 + ["tay-ho"] * 2
    )
    assert {b["last_number"] for b in branches} == {2}


async def test_numbers_begin_again_when_the_year_turns_in_hanoi(site: Site) -> None:
    """At 17:00 UTC on 31 December it is already next year, and that is another series."""
    site.clock.move(datetime(2026, 12, 31, 16, 59, 59, tzinfo=UTC) - site.clock.now())
    await pay_many(site, 2, branch="online")
    await site.parts.receipts.issue()
    await pay(site, "online", (LE_PHI,))
    site.clock.move(timedelta(seconds=1))

    await site.parts.receipts.issue()

    said = [(r["series"], r["number"], r["issued_on"]) for r in await rows(site)]
    assert said == [
        ("26TAA", 1, date(2026, 12, 31)),
        ("26TAA", 2, date(2026, 12, 31)),
        ("27TAA", 1, date(2027, 1, 1)),
    ]


async def test_the_rules_change_at_midnight_in_hanoi_on_1_july_2026(site: Site) -> None:
    """Until then ND 123/2020's symbols, from then on ND 254/2026's."""
    site.clock.at = datetime(2026, 6, 30, 16, 59, 59, tzinfo=UTC)
    await pay(site, "online", (LE_PHI,))
    await site.parts.receipts.issue()
    site.clock.move(timedelta(seconds=1))
    await pay(site, "online", (LE_PHI,))
    await site.parts.receipts.issue()

    new, old = await rows(site)

    assert (old["form"], old["series"], old["number"]) == ("01BLP0-001", "AA-26E", 1)
    assert (new["form"], new["series"], new["number"]) == ("EBL01", "26TAA", 1)
    page = (await site.http.get(f"/receipts/{old['token']}.html")).text
    assert "0000001" in page, "seven digits, as the old rule shows them"


async def test_a_day_without_rules_issues_nothing_and_says_so(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.clock.at = datetime(2022, 6, 30, 16, 59, 59, tzinfo=UTC)
    await pay(site, "online", (LE_PHI,))

    assert await site.parts.receipts.issue() == 0
    assert await rows(site) == []
    assert "receipts: _number failed for 1 of them" in caplog.text


async def test_a_receipt_is_dated_by_the_hanoi_day_of_its_number_not_of_the_payment(
    site: Site,
) -> None:
    payment = await pay(site, "online", (LE_PHI,))
    site.clock.move(timedelta(hours=20))

    await site.parts.receipts.issue()

    (made,) = await rows(site)
    assert hanoi_day(payment.created_at) == date(2026, 11, 18)
    assert made["issued_on"] == date(2026, 11, 19)
    assert read_sealed(bytes(made["xml"])).issued_on == date(2026, 11, 19)


async def test_time_rises_with_the_number_though_a_clock_lags(site: Site) -> None:
    """A worker whose clock is late must not date a higher number before a lower one."""
    await pay(site, "online", (LE_PHI,))
    await site.parts.receipts.issue()
    await change(site, "UPDATE receipt SET numbered_at = numbered_at + interval '2 hours'")
    await pay(site, "online", (LE_PHI,))

    await site.parts.receipts.issue()

    first, second = await rows(site)
    assert second["numbered_at"] == first["numbered_at"]
    assert await violations(site.parts.store) == []


@pytest.mark.parametrize("is_begun", [True, False])
async def test_many_runs_at_once_do_everything_once(
    site: Site, caplog: pytest.LogCaptureFixture, is_begun: bool
) -> None:
    """And without a collision: the locks, not the constraints behind them, keep them apart."""
    await pay(site, "online", (LE_PHI,))
    if is_begun:
        await site.parts.receipts.issue()  # From here on the series is there for all at once.
    await pay_many(site, 120, branch="online")

    done = await asyncio.gather(*(site.parts.receipts.issue() for _ in range(6)))

    assert sum(done) == 120 + (not is_begun)
    assert [r["number"] for r in await rows(site)] == list(range(1, 122))
    ours = ("thuphi.receipts", "thuphi.log")
    assert [r.getMessage() for r in caplog.records if r.name in ours] == []
    assert sorted(r["leaf_index"] for r in await rows(site)) == list(range(121))
    await site.parts.outbox.sequence()
    assert await violations(site.parts.store) == []


async def test_a_payment_that_is_told_as_paid_again_gets_nothing_new(site: Site) -> None:
    """Every handler may be called twice."""
    await pay(site, "online", (PHI, LE_PHI))
    await site.parts.receipts.issue()

    await change(site, "UPDATE event SET handled_at = NULL")

    assert await site.parts.receipts.issue() == 0
    assert len(await rows(site)) == 2
    async with site.parts.store.begin() as tx:
        waiting = await tx.rows(
            text("SELECT id FROM event WHERE type = 'payment.paid' AND handled_at IS NULL")
        )
    assert waiting == [], "and it is not asked about for ever"


async def test_one_poisoned_payment_does_not_stop_the_others(site: Site) -> None:
    """Its payer data cannot be opened: it takes no number, and the others have theirs at once."""
    ids = await pay_many(site, 30, branch="online")
    await change(site, f"UPDATE payment SET payer_sealed = '\\x00' WHERE id = '{ids[3]}'")

    assert await site.parts.receipts.issue() == 29

    made = await rows(site)
    assert [r["number"] for r in made] == list(range(1, 30))
    assert ids[3] not in {r["payment_id"] for r in made}
    await change(site, f"UPDATE payment SET payer_sealed = NULL WHERE id = '{ids[3]}'")
    assert await site.parts.receipts.issue() == 1, "once it is mended, it gets the next number"
    assert (await rows(site))[-1]["payment_id"] == ids[3]


async def test_what_a_crash_left_unsealed_is_sealed_later_with_the_same_bytes(site: Site) -> None:
    """A second, different original under the same number must be impossible."""
    await pay(site, "online", (LE_PHI,), {"name": "Nguyễn Thị Hoà", "citizen_id": "001190000001"})
    await site.parts.receipts.issue()
    (before,) = await rows(site)
    await change(site, "UPDATE receipt SET xml = NULL, pdf = NULL, signed_at = NULL")
    site.clock.move(timedelta(days=3))

    assert await site.parts.receipts.issue() == 1

    (after,) = await rows(site)
    assert bytes(after["xml"]) == bytes(before["xml"])
    assert bytes(after["pdf"]) == bytes(before["pdf"])


async def test_the_link_works_for_ten_years_and_shows_the_same_files(site: Site) -> None:
    """Also when the year's key of payers' data was destroyed since, as the years are over."""
    await pay(site, "online", (LE_PHI,), {"name": "Nguyễn Thị Hoà", "citizen_id": "001190000001"})
    await site.parts.receipts.issue()
    (receipt,) = await rows(site)
    links = [f"/receipts/{receipt['token']}.{ending}" for ending in ("pdf", "xml")]
    before = [(await site.http.get(link)).content for link in links]

    site.clock.move(timedelta(days=3_652))
    await Erasure(site.parts.store, site.parts.vault).retire()

    assert [(await site.http.get(link)).content for link in links] == before
    page = await site.http.get(f"/receipts/{receipt['token']}.html")
    looked_up = await site.http.get(f"/verify/{receipt['verify_code']}")
    assert (page.status_code, looked_up.status_code) == (200, 200)
    assert receipt["series"] in page.text
    assert receipt["series"] in looked_up.text


async def test_a_retired_key_still_seals_what_was_numbered_under_it(site: Site) -> None:
    await pay(site, "online", (LE_PHI,))
    await site.parts.receipts.issue()
    await change(site, "UPDATE receipt SET xml = NULL, pdf = NULL")
    await change(site, "UPDATE signing_key SET retired_at = created_at")
    await pay(site, "online", (LE_PHI,))

    assert await site.parts.receipts.issue() == 2

    trusted = await site.parts.receipts.trusted(AGENCY)
    made = await rows(site)
    assert len(trusted) == 2
    assert len({r["content"]["certificate_sha256"] for r in made}) == 2
    assert all(verify(bytes(r["xml"]), trusted).verdict is Verdict.VALID for r in made)


async def test_a_live_agency_without_a_certificate_issues_nothing(site: Site) -> None:
    """A certificate that nobody else trusts must never be made up for real receipts."""
    await pay(site, "online", (LE_PHI,))
    await change(site, "UPDATE agency SET is_sandbox = false")

    assert await site.parts.receipts.issue() == 0
    assert await rows(site) == []


async def test_a_full_series_is_followed_by_the_next(site: Site) -> None:
    await pay(site, "online", (LE_PHI,))
    await site.parts.receipts.issue()
    await pay_many(site, 2, branch="online")
    await site.as_owner("ALTER TABLE receipt DROP CONSTRAINT fk_receipt_series")
    await change(site, "INSERT INTO receipt SELECT agency_id, 'rcp_last', payment_id, 'phi', form,"
                 " series, 99999998, amount, issued_on, numbered_at, signed_at, 'x', 'y',"
                 " salts_sealed, content, xml, pdf FROM receipt")  # fmt: skip
    await change(site, "UPDATE series SET last_number = 99999998")

    assert await site.parts.receipts.issue() == 2

    made = [(r["series"], r["number"]) for r in await rows(site)]
    assert made[-2:] == [("26TAA", 99_999_999), ("26TAB", 1)]
