"""One agency's files are about that agency's own accounts, and become nobody else's money."""

from datetime import timedelta
from typing import Any

import pytest
from books import DAY, reconciliation, take, written
from front_door import AGENCY, Site
from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.services.seed import seed

LIVE = "hn-tthcc"


async def rows(site: Site, query: str) -> list[dict[str, Any]]:
    async with site.parts.store.begin() as tx:
        return [dict(r) for r in await tx.rows(text(query))]


@pytest.mark.parametrize(
    ("kind", "column"), [("provider", "provider"), ("statement", "account")]
)  # fmt: skip
async def test_a_file_about_another_agencys_account_is_refused_by_its_line(
    site: Site, kind: str, column: str
) -> None:
    """Sandbox and live are twins: the same code, never the same rows (CONTRACT 1)."""
    await seed(site.parts.store, live=True)
    intake = reconciliation(site).intake

    with pytest.raises(Refusal, match=f"Line 2: {column} is no account of {LIVE}"):
        await intake.import_file(LIVE, f"canonical-{kind}", "x.csv", written(kind, {}), "test")

    assert await rows(site, "SELECT id FROM statement_file") == []
    await take(site, kind, {})  # Its own agency may bring it.


async def test_a_queued_file_about_an_account_nobody_has_is_refused_and_says_why(
    site: Site,
) -> None:
    """Once taken, its sum would keep every day open for ever."""
    intake = reconciliation(site).intake
    content = written("statement", {"line_id": "1"}, {"line_id": "2", "account": "9999999999"})

    file_id = await intake.store(AGENCY, "canonical-statement", "x.csv", content, "staff:a")
    taken = await intake.take(file_id)

    assert taken.state == "refused"
    assert "Line 3: account is no account of hn-tthcc-test" in str(taken.refusal)
    assert await rows(site, "SELECT id FROM statement_line") == []


@pytest.mark.parametrize("kind", ["provider", "statement"])
async def test_a_line_that_another_agency_had_taken_in_books_nothing_anywhere(
    site: Site, kind: str
) -> None:
    """What stands in the database from before files were checked stays a case."""
    await seed(site.parts.store, live=True)
    site.clock.move(timedelta(hours=17, minutes=30))
    await take(site, kind, {})
    async with site.parts.store.begin() as tx:
        for table, changed in (("statement_file", "id"), ("statement_line", "file_id")):
            await tx.run(text(f"CREATE TEMP TABLE x ON COMMIT DROP AS SELECT * FROM {table}"))
            await tx.run(text(f"UPDATE x SET agency_id = '{LIVE}', {changed} = 'fil_live'"))
            await tx.run(text(f"INSERT INTO {table} SELECT * FROM x"))
            await tx.run(text("DROP TABLE x"))

    report = await reconciliation(site).reconcile(LIVE, DAY, "test")

    assert report.recovered == 0
    assert report.breaks == {"unknown_money": 1}
    assert await rows(site, "SELECT agency_id FROM capture") == []
    assert await rows(site, "SELECT agency_id FROM entry") == []


async def test_an_account_that_changed_hands_pays_no_payment_of_its_former_agency(
    site: Site,
) -> None:
    """The old attempt still carries the account's name; the money is the new agency's to place."""
    await seed(site.parts.store, live=True)
    attempt = await site.attempt(await site.payment())
    agencies = site.parts.captures.agencies
    assert isinstance(agencies, dict)
    agencies["vnpay", "default"] = LIVE
    site.clock.move(timedelta(hours=17, minutes=30))
    row = {"merchant_reference": attempt["provider_reference"]}
    await reconciliation(site).intake.import_file(
        LIVE, "canonical-provider", "x.csv", written("provider", row), "test"
    )

    await reconciliation(site).reconcile(LIVE, DAY, "test")

    captures = await rows(site, "SELECT agency_id, result FROM capture")
    assert captures == [{"agency_id": LIVE, "result": "unknown_money"}]
    states = await rows(site, "SELECT state FROM payment")
    assert states == [{"state": "open"}]
