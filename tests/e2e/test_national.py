"""The national platform through the whole gateway: what is believed, and who issues receipts."""

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from books import breaks
from city import City, city, forge
from front_door import AGENCY, payment_body
from sqlalchemy import text

from adapters.simulator import Choice, Fault
from gateway.entry.bootstrap import Parts
from gateway.infra.clock import TestClock
from gateway.services.invariants import violations
from reconciliation.checks import CHECKS

PAYER = {"name": "Nguyễn Thị Hoà", "phone": "0912345678", "citizen_id": "001190000001"}
LONG = timedelta(hours=2)


@pytest_asyncio.fixture
async def here(database_url: str, clock: TestClock) -> AsyncIterator[City]:
    async with city(database_url, clock) as made:
        yield made


@pytest_asyncio.fixture
async def there(database_url: str, clock: TestClock) -> AsyncIterator[City]:
    """Give the same, where the platform issues the receipts."""
    async with city(database_url, clock, NATIONAL_ISSUES_RECEIPT="yes") as made:
        yield made


async def begun(here: City, n: int = 1) -> tuple[dict[str, Any], dict[str, Any]]:
    payment = await here.site.payment(n, payer=PAYER)
    return payment, await here.site.attempt(payment, "national")


async def state_of(here: City, payment: Mapping[str, Any]) -> tuple[str, bool]:
    seen = await here.site.get(f"/payments/{payment['id']}")
    return seen["state"], seen["in_doubt"]


async def check_5(parts: Parts) -> list[str]:
    """Ask the closing of the day whether receipts equal what was collected."""
    asked = {"agency": AGENCY, "upto": parts.clock.now().date()}
    async with parts.store.begin() as tx:
        rows = await tx.rows(text(CHECKS["receipts equal what was collected, fee by fee"]), asked)
    return [r["what"] for r in rows]


async def test_a_fee_is_paid_through_the_platform_and_the_receipt_is_ours(
    here: City, caplog: pytest.LogCaptureFixture
) -> None:
    """The lawful channel, to the receipt; the payer is known there, and in no log of ours."""
    caplog.set_level(logging.DEBUG)
    payment, attempt = await begun(here)

    await here.pay(attempt)
    await here.site.parts.receipts.issue()

    seen = await here.site.get(f"/payments/{payment['id']}")
    assert (seen["state"], len(seen["receipts"])) == ("paid", 1)
    assert [x["receipt_issuer"] for x in (payment, attempt, seen)] == [None, *["agency"] * 2]
    assert await here.captures() == [("national", 10_000, "paid")]
    told = here.simulator.sides["national"].orders.known[attempt["provider_reference"]].more
    assert told == {"payer": PAYER["name"], "payer_id": PAYER["citizen_id"]}
    heard = f"{caplog.text} {[vars(r) for r in caplog.records]}"
    assert not [v for v in (*PAYER.values(), "simulated-national") if v in heard]
    assert await check_5(here.site.parts) == []


async def test_a_forged_confirm_with_a_hash_that_holds_pays_nothing(here: City) -> None:
    """SCENARIOS 33: the hash covers everything, and whoever knows the secret can make it."""
    payment, attempt = await begun(here)

    assert await forge(here, attempt) == (200, "00")

    assert await here.captures() == []
    assert (await state_of(here, payment))[0] == "open"
    await here.pay(attempt)
    assert await here.captures() == [("national", 10_000, "paid")]
    assert await breaks(here.site) == [], "the platform's own word of it is no other money"
    for _ in range(2):
        assert await forge(here, attempt, MaGiaoDich="MADEUP2") == (200, "00")
    assert await here.captures() == [("national", 10_000, "paid")]
    assert await state_of(here, payment) == ("paid", False)
    assert await breaks(here.site) == [("status_conflict", "attempt")], "it may be a second debit"


async def test_another_amount_in_confirm_is_told_and_the_platform_is_asked(here: City) -> None:
    """SCENARIOS 36: the peer never compared it; QUERY says what was really paid."""
    payment, attempt = await begun(here)
    here.simulator.pay(attempt["redirect_url"])  # Its CONFIRM has not arrived yet.

    assert await forge(here, attempt, SoTien=9_000) == (200, "04")

    assert await here.captures() == [("national", 10_000, "paid")]
    assert await state_of(here, payment) == ("paid", False)


async def test_another_amount_is_a_reason_to_ask_until_there_is_an_answer(here: City) -> None:
    """The first question may find nothing, or nobody; who paid there must not wait for his turn."""
    _, attempt = await begun(here)

    assert await forge(here, attempt, SoTien=9_000) == (200, "04")

    assert await here.site.parts.attempts.ask() == 1


async def test_a_confirm_about_nobody_or_for_another_partner_is_refused(here: City) -> None:
    _, attempt = await begun(here)

    assert await forge(here, attempt, MaThamChieu="NOBODY") == (200, "01")
    assert await forge(here, attempt, MaDoiTac="OTHER") == (401, "97")


async def test_more_than_32_bits_is_paid_to_the_last_dong(here: City) -> None:
    """SCENARIOS 36: a land duty of three thousand million is not a negative number."""
    client = await here.site.parts.access.add_client(
        "dat", AGENCY, may_price=True, return_origins=[]
    )
    here.site.key = client[1]
    lines = [
        {
            "code": "P1",
            "kind": "phi",
            "name": "Phí",
            "amount": 3_000_000_000,
            "budget_line": "2627",
        },
        {"code": "L1", "kind": "le_phi", "name": "Lệ phí", "amount": 7, "budget_line": "2801"},
    ]
    body = {k: v for k, v in payment_body().items() if k != "facts"} | {"lines": lines}
    payment = (await here.site.ask("/payments", body)).json()

    await here.pay(await here.site.attempt(payment, "national"))

    assert await here.captures() == [("national", 3_000_000_007, "paid")]
    assert await violations(here.site.parts.store) == []


@pytest.mark.parametrize("fault", Fault)
async def test_whatever_goes_wrong_there_the_money_is_booked_once(here: City, fault: Fault) -> None:
    """A fault that ends in two captures, or in none, is a citizen's money."""
    payment = await here.site.payment()
    here.simulator.faults.set("THANH", fault)  # The first word of what its orders say.
    first = await here.site.ask(f"/payments/{payment['id']}/attempts", {"provider": "national"})
    (order,) = here.simulator.sides["national"].orders.known.values()
    if order.taken is None:
        here.simulator.sides["national"].orders.choose(order.reference, Choice.PAY)
    for _ in range(4):
        await here.wait(LONG)

    assert first.status_code in {201, 409}
    wrong = fault is Fault.WRONG_AMOUNT
    expected = ("national", 9_000, "amount") if wrong else ("national", 10_000, "paid")
    assert await here.captures() == [expected]
    assert await state_of(here, payment) == ("open" if wrong else "paid", False)
    assert await violations(here.site.parts.store) == []


async def test_a_12_hour_clock_books_on_the_day_of_the_money(here: City) -> None:
    """SCENARIOS 36: at 14:00 the stamp says two in the morning, before the order was there."""
    here.site.clock.move(timedelta(hours=6))
    _, attempt = await begun(here)

    await here.pay(attempt, fault=Fault.TWELVE_HOURS)

    async with here.site.parts.store.begin() as tx:
        (row,) = await tx.rows(text("SELECT paid_at, taken_at FROM capture"))
    assert row["paid_at"] == row["taken_at"] == here.site.clock.now()


async def test_pending_there_is_asked_about_for_days_until_it_is_known(here: City) -> None:
    """SCENARIOS 36: the peer asked once more, within three days, and then never again."""
    payment, attempt = await begun(here)
    order = here.simulator.sides["national"].orders.known[attempt["provider_reference"]]
    order.expires_at += timedelta(days=30)
    for _ in range(9):
        await here.wait(timedelta(days=1))
        await here.site.parts.payments.expire(here.site.parts.can_ask)
    assert (await state_of(here, payment))[0] == "open"

    await here.pay(attempt, fault=Fault.SILENT)
    assert await here.captures() == []
    await here.wait(LONG)

    assert await here.captures() == [("national", 10_000, "paid")]
    assert await state_of(here, payment) == ("paid", False)


@pytest.mark.parametrize("choice", [Choice.DECLINE, Choice.CANCEL])
async def test_a_refusal_there_frees_the_payment_for_another_way(
    here: City, choice: Choice
) -> None:
    payment, attempt = await begun(here)

    await here.pay(attempt, choice)

    assert await state_of(here, payment) == ("open", False)
    assert (await here.site.attempt(payment, "vnpay"))["state"] == "redirected"


async def test_a_citizen_comes_back_by_the_one_registered_address(here: City) -> None:
    """INIT names no way back, so the browser says whose payment it was, and nothing else does."""
    payment = await here.site.payment()
    token = str(payment["links"]["pay"]).rsplit("/", 1)[1]
    browser = here.site.http
    left = await browser.get(f"/pay/{token}/national")
    here.simulator.faults.set(
        here.simulator.side_of(left.headers["location"]).opened(left.headers["location"]).reference,
        Fault.SILENT,
    )
    chosen = here.simulator.pay(left.headers["location"])

    back = await browser.get(chosen.return_url)

    assert (back.status_code, back.headers["location"]) == (303, f"/pay/{token}?lang=vi")
    cookie = left.headers["set-cookie"].lower()
    assert {"httponly", "samesite=lax", "path=/pay"} <= set(cookie.split("; "))
    assert await state_of(here, payment) == ("open", False), "who says nothing bars no other way"
    assert await here.site.parts.attempts.ask() == 1
    assert await state_of(here, payment) == ("paid", False)
    browser.cookies.clear()
    lost = await browser.get(chosen.return_url)
    assert (lost.status_code, lost.headers["location"]) == (303, "/")


async def test_where_the_platform_issues_the_receipt_we_issue_none(there: City) -> None:
    """CONTRACT 2: no debt gets two, and the citizen gets the one there is."""
    payment, attempt = await begun(there)
    token = str(payment["links"]["pay"]).rsplit("/", 1)[1]
    early = await there.site.http.get(f"/pay/{token}/bill")
    before = (await there.site.http.get(f"/pay/{token}?lang=en")).text
    await there.pay(attempt)
    parts = there.site.parts

    await parts.receipts.issue()
    there.site.clock.move(timedelta(minutes=10))

    seen = await there.site.get(f"/payments/{payment['id']}")
    assert (seen["state"], seen["receipts"]) == ("paid", [])
    assert early.status_code == 404
    assert "If you pay this way, the receipt is issued by: National payment platform" in before
    assert [x["receipt_issuer"] for x in (payment, attempt, seen)] == [None, *["national"] * 2]
    assert seen["links"]["bill"] == f"{payment['links']['pay']}/bill"
    await parts.outbox.sequence()
    told = {e["type"]: e["data"] for e in (await there.site.get("/events"))["data"]}
    assert told["payment.paid"] == seen
    page = (await there.site.http.get(f"/pay/{token}?lang=en")).text
    assert "is issued by: National payment platform" in page
    assert "is being made" not in page
    bill = await there.site.http.get(f"/pay/{token}/bill")
    assert (bill.headers["content-type"], bill.content[:5]) == ("application/pdf", b"%PDF-")
    assert (await violations(parts.store), await check_5(parts)) == ([], [])


async def test_the_console_says_who_issued_the_receipt(there: City) -> None:
    """An accountant who looks for a receipt of ours must read that there is none, and why."""
    payment, attempt = await begun(there)
    await there.pay(attempt)
    password = await there.site.parts.access.add_staff("an", "accountant", AGENCY)
    browser = there.site.http
    await browser.post("/console/login", data={"username": "an", "password": password})

    page = (await browser.get(f"/console/payments/{payment['id']}")).text

    assert "Biên lai do Nền tảng thanh toán quốc gia phát hành, hệ thống này không lập" in page
    bill = f"/console/payments/{payment['id']}/bill"
    assert bill in page
    assert (await browser.get(bill)).content.startswith(b"%PDF-")
    async with there.site.parts.store.begin() as tx:
        (read,) = await tx.rows(text("SELECT * FROM audit WHERE action = 'receipt.read'"))
    assert (read["actor"], read["object_id"]) == ("staff:an", payment["id"])


async def test_who_issued_stands_on_the_capture_when_the_setting_changes(there: City) -> None:
    """A later decision does not change the past, and gives no debt a second receipt."""
    payment, attempt = await begun(there)
    await there.pay(attempt)
    key = ("national", "default")
    adapter: Any = there.site.parts.providers[key]
    there.site.parts.providers[key] = replace(adapter, issues_receipt=False)

    await there.site.parts.receipts.issue()

    assert (await there.site.get(f"/payments/{payment['id']}"))["receipts"] == []
    async with there.site.parts.store.begin() as tx:
        assert await tx.rows(text("SELECT receipt_elsewhere FROM capture")) == [
            {"receipt_elsewhere": True}
        ]


async def test_a_debt_with_two_receipts_is_named_by_the_watchman_and_keeps_the_day_open(
    here: City,
) -> None:
    """A check that cannot fail proves nothing."""
    payment, attempt = await begun(here)
    await here.pay(attempt)
    await here.site.parts.receipts.issue()

    async with here.site.parts.engine.begin() as connection:
        await connection.execute(text("UPDATE capture SET receipt_elsewhere = true"))

    found = [v.rule for v in await violations(here.site.parts.store)]
    assert found == ["no debt has two receipts"]
    assert await check_5(here.site.parts) == [payment["id"]]


async def test_a_receipt_that_is_missing_at_the_platform_is_asked_for_again(there: City) -> None:
    """The platform is down: the citizen reads what to do, and nothing is made up."""
    payment, attempt = await begun(there)
    token = str(payment["links"]["pay"]).rsplit("/", 1)[1]
    await there.pay(attempt)
    order = there.simulator.sides["national"].orders.known[attempt["provider_reference"]]
    order.errors_due = 1

    first = await there.site.http.get(f"/pay/{token}/bill")
    again = await there.site.http.get(f"/pay/{token}/bill")

    assert (first.status_code, first.json()["type"]) == (503, "/problems/unavailable")
    assert again.status_code == 200
