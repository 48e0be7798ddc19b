"""What a close looks at: an agency's own books, the columns of a seal by name, files of its own."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from books import DAY, reconcile, reconciliation
from front_door import AGENCY, Site

from gateway.services.seed import seed
from reconciliation.engine import run
from reconciliation.inputs import Inputs

LIVE = "hn-tthcc"
RULE = "charges and losses are covered"


def uncovered(agency: str) -> str:
    """Book a charge that nobody has to make good."""
    return (
        "INSERT INTO entry (agency_id, booked_on, value_on, debit, credit, amount, voucher_kind,"
        f" voucher_id, rule, storno, created_at) VALUES ('{agency}', '{DAY}', '{DAY}', '6420',"
        " '1380', 5, 'x', 'x', 'x', false, '2026-11-18T00:00:00Z')"
    )


async def test_what_is_wrong_in_one_agencys_books_keeps_no_other_agencys_day_open(
    site: Site,
) -> None:
    await seed(site.parts.store, live=True)
    await site.as_owner(uncovered(LIVE))
    site.clock.move(timedelta(hours=17, minutes=30))

    ours = await reconcile(site)
    theirs = await reconciliation(site).reconcile(LIVE, DAY, "test")

    assert ours.closed is not None
    assert ours.closed.is_closed, ours.closed.open_checks
    assert theirs.closed is not None
    assert theirs.closed.open_checks[RULE] == [LIVE]


async def test_what_is_nobodys_yet_keeps_every_day_open(site: Site) -> None:
    """A notice that was never read may be anybody's money."""
    attempt = await site.attempt(await site.payment())
    await site.vnpay_says(attempt)
    await site.parts.outbox.sequence()
    site.clock.move(timedelta(hours=17, minutes=30))
    await site.as_owner(
        "UPDATE notice_work SET state = 'stored', tries = 20, received_at = '2026-11-17T20:00:00Z'"
    )

    report = await reconcile(site)

    assert report.closed is not None
    assert "no notice is left unread" in report.closed.open_checks


async def test_a_column_that_is_added_later_changes_no_days_seal(site: Site) -> None:
    await site.payment()
    site.clock.move(timedelta(hours=17, minutes=30))
    first = await reconcile(site)
    casework = reconciliation(site).casework
    await casework.reopen(AGENCY, DAY, "test")
    await site.as_owner("ALTER TABLE entry ADD COLUMN later text DEFAULT 'x'")

    again = await casework.close(AGENCY, DAY, "test", None)

    assert first.closed is not None
    assert len(first.closed.seal) == 64
    assert again.seal == first.closed.seal


def test_each_run_spills_into_a_folder_of_its_own_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    connect, seen = duckdb.connect, []

    def watched(config: dict[str, Any]) -> duckdb.DuckDBPyConnection:
        folder = Path(config["temp_directory"])
        seen.append((folder, folder.parent, folder.stat().st_mode & 0o777))
        return connect(config=config)

    monkeypatch.setattr(duckdb, "connect", watched)
    nothing = Inputs([], [], [], [], [], [], [], [], [], [])
    run(nothing)
    run(nothing)

    assert len({folder for folder, _, _ in seen}) == 2
    assert {(parent, mode) for _, parent, mode in seen} == {(tmp_path, 0o700)}
    assert list(tmp_path.iterdir()) == []
