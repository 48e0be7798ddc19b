"""A closed day that was touched is named, with its agency, by everybody who looks at the books."""

import json
from argparse import Namespace
from contextlib import nullcontext
from datetime import date, timedelta

import pytest
import pytest_asyncio
from books import DAY, NEXT, reconcile, take
from front_door import AGENCY, Site
from sqlalchemy import text

from gateway.entry.cli_books import do_trial_balance
from gateway.entry.doctor import books
from gateway.entry.scheduler import scheduler_of
from reconciliation.seals import broken, seal_of

LATER = date(2026, 11, 20)


@pytest_asyncio.fixture(autouse=True)
async def first(site: Site) -> None:
    """Let a citizen pay, and the day be closed."""
    attempt = await site.attempt(await site.payment())
    assert await site.vnpay_says(attempt, vnp_TransactionNo="14831393") == "00"
    site.clock.move(timedelta(hours=17, minutes=30))
    await take(site, "provider", {"merchant_reference": attempt["provider_reference"]})
    await close(site, DAY)


async def close(site: Site, on: date) -> None:
    closed = (await reconcile(site, on)).closed
    assert closed is not None
    assert closed.is_closed, closed.open_checks


async def touch(site: Site, *statements: str) -> None:
    """Do what only the tables' owner can."""
    await site.as_owner(
        "ALTER TABLE entry DISABLE TRIGGER USER", *statements,
        "ALTER TABLE entry ENABLE TRIGGER USER",
    )  # fmt: skip


async def touched(site: Site) -> list[str]:
    return [what for v in await broken(site.parts.store) for what in v.what]


async def test_an_entry_changed_added_or_taken_away_is_seen(site: Site) -> None:
    last = "WHERE id = (SELECT max(id) FROM entry)"
    columns = "agency_id, booked_on, value_on, debit, credit, amount, voucher_kind, voucher_id"
    columns += ", rule, storno, created_at"
    assert await touched(site) == []

    for done, undone in (
        (f"UPDATE entry SET amount = amount + 1 {last}",
         f"UPDATE entry SET amount = amount - 1 {last}"),
        (f"INSERT INTO entry ({columns}) SELECT {columns} FROM entry {last}",
         f"DELETE FROM entry {last}"),
        (f"DELETE FROM entry {last}", ""),
    ):  # fmt: skip
        await touch(site, done)
        assert await touched(site) == [f"{DAY} of {AGENCY}"]
        if undone:
            await touch(site, undone)
            assert await touched(site) == []


async def test_the_minutes_check_the_doctor_and_the_trial_balance_name_the_day(
    site: Site, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    site.clock.move(timedelta(days=1))
    await close(site, NEXT)
    scheduler = scheduler_of(site.parts)
    asked = Namespace(agency=AGENCY, date=NEXT, since=None, json=True)
    assert (await books(site.parts)).is_right
    assert await do_trial_balance(asked, nullcontext(site.parts)) == 0
    # Nothing that another rule would see: only the seal tells.
    await touch(site, "UPDATE entry SET value_on = value_on - 1")

    for _ in range(2):  # Each minute has its day.
        await scheduler.tick("check invariants")
        site.clock.move(timedelta(minutes=1))
    capsys.readouterr()
    ended = await do_trial_balance(asked, nullcontext(site.parts))

    named = f"each closed day is as it was sealed: {DAY} of {AGENCY}"
    assert caplog.text.count(named) == 1
    async with site.parts.store.begin() as tx:
        runs = await tx.rows(text("SELECT state FROM job_run ORDER BY state"))
    assert [r["state"] for r in runs] == ["done", "failed"]
    assert named in (await books(site.parts)).said
    assert (ended, json.loads(capsys.readouterr().out)["wrong"]) == (1, [named])


async def test_a_day_whose_seal_was_made_to_fit_is_seen_by_the_day_that_builds_on_it(
    site: Site,
) -> None:
    site.clock.move(timedelta(days=1))
    await close(site, NEXT)
    await touch(site, "UPDATE entry SET amount = amount + 1")
    async with site.parts.store.begin() as tx:
        seal = await seal_of(tx, AGENCY, DAY, "")

    await site.as_owner(f"UPDATE day SET seal = '{seal}' WHERE booked_on = '{DAY}'")

    assert await touched(site) == [f"{NEXT} of {AGENCY}"]


async def test_a_quiet_day_may_be_closed_after_the_next(site: Site) -> None:
    """The later day's seal builds on what was closed by then."""
    site.clock.move(timedelta(days=2))
    for on in (LATER, NEXT):
        await close(site, on)
        site.clock.move(timedelta(minutes=1))

    assert await touched(site) == []
