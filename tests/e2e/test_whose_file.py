"""One agency's files are about that agency's own accounts, and become nobody else's money."""

from datetime import timedelta
from typing import Any

import pytest
from books import DAY, reconcile, reconciliation, take, written
from front_door import AGENCY, Site, opened
from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.entry.cli_prove import proving_of
from gateway.entry.doctor import treasury
from gateway.infra.clock import TestClock
from gateway.services.agencies import Agencies
from gateway.services.seed import seed

LIVE = "hn-tthcc"
TAY_HO = {
    "VNPAY_TMN_CODE": "TAYHO001", "VNPAY_SECRET": "tay-ho-secret",
    "VNPAY_BASE_URL": "http://127.0.0.1:9/pay", "VNPAY_API_URL": "http://127.0.0.1:9/api",
}  # fmt: skip
STATEMENT = "the bank account equals its statement"
# A second bank account of the agency's.
PAYOS = {
    "THUPHI_PAYOS_CLIENT_ID": "client", "THUPHI_PAYOS_API_KEY": "payos-api-key-0123456789",
    "THUPHI_PAYOS_CHECKSUM_KEY": "payos-checksum-key-0123456789",
    "THUPHI_PAYOS_BASE_URL": "http://127.0.0.1:9/payos", "THUPHI_PAYOS_ACCOUNT": "9876543210",
}  # fmt: skip


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


@pytest.mark.parametrize(
    ("column", "value", "ours"), [("agency_code", "1057758", "1057757"), ("chapter", "417", "412")]
)
async def test_a_treasury_file_of_another_agency_is_refused_by_its_line(
    site: Site, column: str, value: str, ours: str
) -> None:
    """What the treasury confirms for another one is not our budget's money."""
    rest = {"document_ref": "NS20261119-00002"}
    refused = f"Line 3: {column} is another agency's .ours is {ours}.*agency settings"

    with pytest.raises(Refusal, match=refused):
        await take(site, "treasury", {}, rest | {column: value})
    intake = reconciliation(site).intake
    file_id = await intake.store(
        AGENCY, "canonical-treasury", "x.csv", written("treasury", {}, rest | {column: value}), "a"
    )  # fmt: skip
    taken = await intake.take(file_id)

    assert taken.state == "refused"
    assert await rows(site, "SELECT id FROM statement_line") == []
    assert (await take(site, "treasury", {"chapter": ""}, rest)).added == 2


async def opened_for(site: Site, name: str) -> None:
    """Open an account of the agency's, whose «default» is another agency's."""
    await site.parts.registry.accounts.add(AGENCY, "vnpay", name, TAY_HO, "test")
    await site.parts.registry.refresh()
    agencies = site.parts.captures.agencies
    assert isinstance(agencies, dict)
    agencies["vnpay", "default"] = LIVE


async def test_a_file_that_names_its_provider_alone_is_the_one_accounts_whatever_its_name(
    site: Site,
) -> None:
    """Of several it could be any: whose money it settles is nobody's guess."""
    await seed(site.parts.store, live=True)
    await opened_for(site, "tay-ho")
    attempt = await site.attempt(await site.payment())
    site.clock.move(timedelta(hours=17, minutes=30))

    first = {"merchant_reference": attempt["provider_reference"]}
    await take(site, "provider", first)

    await reconcile(site)
    assert await rows(site, "SELECT account FROM statement_line") == [{"account": "vnpay/tay-ho"}]
    (kept,) = await rows(site, "SELECT totals FROM statement_file")
    assert kept["totals"][0]["account"] == "vnpay/tay-ho"
    assert await rows(site, "SELECT state FROM payment") == [{"state": "paid"}]
    await opened_for(site, "ba-dinh")
    other = {"provider_txn_id": "9"}
    with pytest.raises(Refusal, match="Line 2: provider may mean vnpay/ba-dinh, vnpay/tay-ho: nam"):
        await take(site, "provider", other)
    named = {"provider": "vnpay/tay-ho"}
    assert (await take(site, "provider", first | named, other | named)).added == 1
    assert (await proving_of(site.parts).prove(AGENCY, DAY, DAY)).findings == []


async def test_an_agency_that_has_entered_no_code_is_told_that_nothing_is_compared(
    site: Site,
) -> None:
    await site.as_owner("UPDATE agency SET settings = '{}'")
    await seed(site.parts.store, live=True)

    said = await treasury(site.parts)
    taken = await take(site, "treasury", {"agency_code": "1057758"})
    changed = await Agencies(site.parts.store).change(
        LIVE, {"treasury_code": "1057758"}, {}, "test"
    )
    after = await treasury(site.parts)

    assert not said.is_right
    assert said.said.startswith("hn-tthcc, hn-tthcc-test takes any agency's treasury file")
    assert taken.added == 1
    assert (changed["treasury_code"], after.is_right) == ("1057758", True)
    assert after.said.startswith("hn-tthcc-test takes")  # A sandbox need not.
    with pytest.raises(Refusal, match="The treasury code has 7 digits"):
        await Agencies(site.parts.store).change(LIVE, {"treasury_code": "105775"}, {}, "test")


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


async def unlike(site: Site) -> list[str]:
    """Reconcile the day; say on which accounts books and statement differ."""
    report = await reconcile(site)
    assert report.closed is not None
    assert report.closed.is_closed == (STATEMENT not in report.closed.open_checks)
    return list(report.closed.open_checks.get(STATEMENT, ()))


async def test_what_is_missing_on_one_account_does_not_hide_behind_another(
    database_url: str, clock: TestClock
) -> None:
    async with opened(database_url, clock, PAYOS) as site:
        await site.vnpay_says(await site.attempt(await site.payment()))  # Its payout is awaited.
        site.clock.move(timedelta(hours=17, minutes=30))
        await take(
            site, "statement",
            {"line_id": "1", "amount": 777, "reference": "B", "memo": "VNPAY THANH TOAN B"},
            {"line_id": "2", "amount": -777, "account": "9876543210", "memo": "CHUYEN DI"},
        )  # fmt: skip

        assert await unlike(site) == [
            "1120 0123456789: 0, statement 777", "1120 9876543210: 0, statement -777",
        ]  # fmt: skip


async def test_lines_of_an_account_that_is_not_ours_keep_no_day_open(site: Site) -> None:
    """They may stand there from before files were checked; as breaks somebody sees them."""
    site.clock.move(timedelta(hours=17, minutes=30))
    await take(site, "statement", {"amount": -777, "memo": "CHUYEN DI"})
    assert await unlike(site) == ["1120 0123456789: 0, statement -777"]
    async with site.parts.store.begin() as tx:
        await tx.run(text("UPDATE statement_line SET account = '5555555555'"))

    assert await unlike(site) == []
    assert await rows(site, "SELECT kind FROM break WHERE state = 'open'") == [{"kind": "reversed"}]


async def test_what_goes_back_by_transfer_leaves_the_account_on_which_it_came(
    database_url: str, clock: TestClock
) -> None:
    """The other account comes first by its number, and must not seem to have paid."""
    first = PAYOS | {"THUPHI_PAYOS_ACCOUNT": "0000000000"}
    async with opened(database_url, clock, first) as site:
        payment = await site.payment()
        await site.sepay_says(f"TP{payment['reference']}", 10_000, 1)
        await site.parts.receipts.issue()
        wanted = (4_000, "thừa", 10_000)
        refund = await site.parts.refunds.ask_for_officer(
            AGENCY, payment["id"], wanted, "staff:a"
        )  # fmt: skip
        await site.parts.refunds.decide(AGENCY, refund, "staff:b", agree=True)
        await site.parts.sender.prove(AGENCY, refund, "UNC 1", "staff:a")
        site.clock.move(timedelta(hours=17, minutes=30))
        await take(
            site, "statement",
            {"line_id": "1", "reference": "FT1", "memo": f"TP{payment['reference']}"},
            {"line_id": "2", "amount": -4_000, "memo": "HOAN TRA"},
        )  # fmt: skip

        assert await unlike(site) == []
