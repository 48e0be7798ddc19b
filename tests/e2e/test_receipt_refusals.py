"""What must not be signed takes no number, and one sentence says why."""

from datetime import date, timedelta

import pytest
from front_door import AGENCY, Site
from receipt_days import LE_PHI, pay
from receipt_samples import new_certificate
from sqlalchemy import text

from receipts.credentials import Credentials
from receipts.rules import rules_on


async def numbers(site: Site) -> list[int]:
    async with site.parts.store.begin() as tx:
        return [r["number"] for r in await tx.rows(text("SELECT number FROM receipt"))]


async def certified(site: Site, days: int) -> None:
    """Give the agency a certificate that began yesterday."""
    begins = site.clock.now().replace(hour=1) - timedelta(days=1)
    pem, key = new_certificate(begins, days)
    await site.parts.receipts.keys.replace(AGENCY, Credentials(pem, key), "test")


async def test_a_certificate_that_is_over_numbers_nothing_and_says_why_once(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """The receipts wait, and get their numbers when there is a new one."""
    await certified(site, days=2)
    site.clock.move(timedelta(days=1))  # To the second at which it ends.
    for _ in range(3):
        await pay(site, "online", (LE_PHI,))

    assert await site.parts.receipts.issue() == 0

    said = [r.getMessage() for r in caplog.records if r.name == "thuphi.receipts"]
    (sentence,) = said
    assert sentence == (
        f"receipts: {AGENCY} cannot number: Its certificate is in force from"
        " 2026-11-17T01:00:00Z to 2026-11-19T01:00:00Z, and the next receipt would be of"
        " 2026-11-19T01:00:00Z: run thuphi agency certificate."
    )
    async with site.parts.store.begin() as tx:
        opened = await tx.rows(text("SELECT series FROM series"))
    assert (await numbers(site), opened) == ([], [])
    await certified(site, days=365)
    assert await site.parts.receipts.issue() == 3


async def test_a_lagging_clock_hides_no_end_of_a_certificate(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Time rises with the number, so the next receipt's time is the last one's."""
    await certified(site, days=2)
    await pay(site, "online", (LE_PHI,))
    await site.parts.receipts.issue()
    await site.as_owner("UPDATE receipt SET numbered_at = numbered_at + interval '2 days'")
    await pay(site, "online", (LE_PHI,))

    assert await site.parts.receipts.issue() == 0
    assert "the next receipt would be of 2026-11-20T01:00:00Z" in caplog.text


async def test_a_receipt_that_would_be_of_another_year_than_its_series_takes_no_number(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """A clock that ran a year ahead has dated the last one."""
    await pay(site, "online", (LE_PHI,))
    await site.parts.receipts.issue()
    await site.as_owner("UPDATE receipt SET numbered_at = numbered_at + interval '1 year'")
    await pay(site, "online", (LE_PHI,))

    assert await site.parts.receipts.issue() == 0

    assert await numbers(site) == [1]
    assert "The series 26TAA is of 2026, and its last receipt of 2027-11-18" in caplog.text


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("N" * 10_000, "The text of the payer has more than 1000 characters."),
        ("Hoà\x0b", "Ten has a character that XML cannot carry."),
        ("Hoà\ufffe", "Ten has a character that XML cannot carry."),
    ],
)
async def test_a_name_that_cannot_be_written_takes_no_number(
    site: Site, caplog: pytest.LogCaptureFixture, name: str, sentence: str
) -> None:
    """The doors refuse it; should one let it pass, the number is not spent on it."""
    await site.as_owner("""UPDATE agency SET settings = '{"receipt_shows_payer_name": true}'""")
    await pay(site, "online", (LE_PHI,), {"name": name})
    await pay(site, "online", (LE_PHI,), {"name": "Nguyễn Thị Hoà"})

    assert await site.parts.receipts.issue() == 1

    assert await numbers(site) == [1]
    assert sentence in caplog.text
    assert name not in caplog.text


async def test_when_every_series_of_the_year_is_used_nothing_is_numbered(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    rules = rules_on(date(2026, 11, 18))
    await pay(site, "online", (LE_PHI,))
    every = ", ".join(
        f"('{AGENCY}', 'online', '{rules.form}', '{s}', 0)" for s in rules.series_of(2026)
    )
    await site.as_owner(
        f"INSERT INTO series (agency_id, branch_id, form, series, last_number) VALUES {every}"
    )

    assert await site.parts.receipts.issue() == 0

    assert await numbers(site) == []
    assert f"The agency {AGENCY} has used every series of this year." in caplog.text
