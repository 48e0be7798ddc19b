"""A virtual account per payment: the credit finds its payment without any text."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from books import DAY, NEXT, balance, breaks, reconcile, take
from cases import broken, resolve
from city import city
from front_door import AGENCY
from watched_city import Watched

from gateway.domain.errors import Refusal
from gateway.entry.cli_prove import proving_of
from gateway.infra.clock import TestClock
from gateway.services.agencies import Agencies
from gateway.services.invariants import violations
from reconciliation.planning import WRITE_OFF, Wanted

PREFIX = "96247HN"


@pytest_asyncio.fixture
async def street(database_url: str, clock: TestClock) -> AsyncIterator[Watched]:
    """Run a gateway whose bank has given it virtual accounts, and the banks.

    payOS watches another account of the agency, so not every account is its first.
    """
    more = {"VIETQR_VIRTUAL_PREFIX": PREFIX, "PAYOS_ACCOUNT": "9876543210"}
    async with city(database_url, clock, **more) as running:
        yield Watched(running.site, running.simulator)


async def captured(street: Watched) -> list[str]:
    return [r["result"] for r in await street.rows("SELECT result FROM capture ORDER BY result")]


async def test_a_transfer_without_its_text_pays_the_payment_of_its_account(
    street: Watched,
) -> None:
    """The payer wiped the text out; the account says it all, and the page shows that account."""
    payment = await street.site.payment()
    attempt = await street.site.attempt(payment, "vietqr")
    page = await street.site.http.get(payment["links"]["pay"])

    street.banks.bank.transfer_by_qr(attempt["qr_text"], memo="nop tien")
    await street.work()

    assert f"{PREFIX}{payment['reference']}" in page.text
    assert (await street.shown(payment))["state"] == "paid"
    assert await captured(street) == ["paid"]


async def test_the_account_outranks_what_the_text_names(street: Watched) -> None:
    """A payer who copies an old text still pays to the account that the bank was told."""
    mine, other = await street.site.payment(1), await street.site.payment(2)
    attempt = await street.site.attempt(mine, "vietqr")

    street.banks.bank.transfer_by_qr(attempt["qr_text"], memo=f"TP{other['reference']}")
    await street.work()

    assert (await street.shown(mine))["state"] == "paid"
    assert (await street.shown(other))["state"] == "open"


async def test_an_account_of_no_payment_is_money_that_nobody_knows(street: Watched) -> None:
    street.banks.bank.transfer(f"{PREFIX}000000000000", 10_000, "")
    street.banks.bank.transfer(f"{PREFIX}123", 10_000, "")

    await street.work()

    assert await captured(street) == ["unknown_money", "unknown_money"]
    assert await violations(street.site.parts.store) == []


async def test_the_notice_and_the_statement_of_a_virtual_account_are_one_capture(
    street: Watched,
) -> None:
    """A bank may list the virtual account where another lists the real one."""
    payments = [await street.site.payment(n) for n in (1, 2, 3)]
    accounts = [f"{PREFIX}{p['reference']}" for p in payments]
    street.banks.bank.transfer(accounts[0], 10_000, "")
    street.banks.bank.transfer(accounts[1], 10_000, "")
    await street.work()
    street.site.clock.move(timedelta(hours=17, minutes=30))

    # No text, no reference; the third was never told, and the second's line names the real account.
    await take(
        street.site, "statement", {"account": accounts[2].lower()}, {"account": accounts[0]}, {}
    )
    report = await reconcile(street.site)

    assert report.recovered == 1
    assert [(await street.shown(p))["amount_received"] for p in payments] == [10_000] * 3
    assert await captured(street) == ["paid"] * 3
    assert await breaks(street.site) == []
    assert await balance(street.site, "1120") == 30_000


async def test_a_late_line_of_a_virtual_account_is_one_of_the_bank_account_behind_it(
    street: Watched,
) -> None:
    """It says otherwise of money that people gave up, and the second calculator sees that too."""
    site = street.site
    await Agencies(site.parts.store).change(AGENCY, {"write_off_max": "10000"}, {}, "test")
    account = f"{PREFIX}{(await site.payment())['reference']}"
    street.banks.bank.transfer(account, 10_000, "")
    await street.work()
    on = NEXT + timedelta(days=5)
    site.clock.move(timedelta(days=7))
    await take(site, "statement", {"booked_on": "2026-11-24", "amount": 5, "memo": "LAI"})
    await reconcile(site, on)
    case = await broken(site, "missing_at_provider")
    await resolve(site, case, Wanted(WRITE_OFF, "ngân hàng không có"))
    await take(site, "statement", {"line_id": "9", "account": account})

    late = await reconcile(site, on)

    assert (late.posted, late.breaks["status_conflict"]) == (0, 1)
    proof = await proving_of(site.parts).prove(AGENCY, DAY, on)
    assert proof.holds, (proof.differences, proof.findings)


async def test_equal_lines_of_two_virtual_accounts_are_two(street: Watched) -> None:
    """Without ids they have the same key, but for the account."""
    payments = [await street.site.payment(n) for n in (1, 2)]
    street.site.clock.move(timedelta(hours=17, minutes=30))

    taken = await take(
        street.site, "statement", *({"account": f"{PREFIX}{p['reference']}"} for p in payments)
    )
    again = await take(street.site, "statement", {"account": f"{PREFIX}{payments[0]['reference']}"})
    await reconcile(street.site)

    assert (taken.added, again.added) == (2, 0)
    assert await captured(street) == ["paid", "paid"]


async def test_a_statement_of_a_strangers_account_is_refused(street: Watched) -> None:
    with pytest.raises(Refusal, match="is no account of"):
        await take(street.site, "statement", {"account": f"96247HM{'0' * 12}"})
