"""A procedure system's statement is what the books say of its payments."""

import csv
import io
import json

import pytest
from books import DAY, paid_by_vnpay
from commands import KEY, Terminal
from front_door import AGENCY, Site
from officers import signed_in
from receipt_days import LE_PHI, PHI, pay
from sqlalchemy import text

from gateway.services.books import trial_balance
from gateway.services.client_statements import ClientStatements, Period


async def lived(site: Site) -> dict[str, str]:
    """Take two fees, give part of one back, and take one with two budget lines for another."""
    first = await paid_by_vnpay(site)
    asked = await site.parts.refunds.ask_for_officer(
        AGENCY, first["id"], (4_000, "nộp thừa", 10_000), "staff:mai"
    )
    await site.parts.refunds.decide(AGENCY, asked, "staff:nam", agree=True)
    other = await pay(site, "online", (PHI, LE_PHI))
    await site.as_owner(
        "INSERT INTO client (agency_id, id, name, may_price, may_bring_files, return_origins,"
        " created_at) SELECT agency_id, 'cli_other', 'sở tư pháp', false, false, '{}', created_at"
        " FROM client LIMIT 1"
    )
    await site.as_owner(f"UPDATE payment SET client_id = 'cli_other' WHERE id = '{other.id}'")
    return first | {"other": other.id}


async def test_what_clients_brought_is_what_the_books_say(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.services.client_statements.page", 1)
    given = await lived(site)
    statements, period = ClientStatements(site.parts.store), Period(AGENCY, DAY, DAY)

    totals = {row["client"]: row for row in await statements.totals(period)}
    lines = [row async for row in statements.lines(period)]

    assert totals["sở tư pháp"]["amount"] == 210_000
    (ours,) = [row for name, row in totals.items() if name != "sở tư pháp"]
    assert (ours["taken"], ours["given_back"], ours["amount"]) == (10_000, 4_000, 6_000)
    assert sorted(x["amount"] for x in lines) == [-4_000, 10_000, 10_000, 200_000]
    assert {x["budget_line"] for x in lines if x["payment_id"] == given["other"]} == {
        "2721",
        "2767",
    }
    balance = {x.account: x for x in await trial_balance(site.parts.store, AGENCY, DAY)}
    booked = sum(balance[a].turnover_credit - balance[a].turnover_debit for a in ("3330", "3370"))
    assert sum(row["amount"] for row in totals.values()) == booked == 216_000
    only = Period(AGENCY, DAY, DAY, "cli_other")
    assert [x["amount"] async for x in statements.lines(only)] == [200_000, 10_000]


async def test_it_is_a_page_a_file_and_a_command(
    site: Site, terminal: Terminal, database_url: str
) -> None:
    await lived(site)
    query = f"?since={DAY}&upto={DAY}"
    async with signed_in(site) as officer:
        page = (await officer.get(f"/console/statements{query}")).text
        file = await officer.get(f"/console/statements.csv{query}&client=cli_other")
        sheet = await officer.get(f"/console/statements.xlsx{query}")
    async with signed_in(site, "clerk") as clerk:
        assert (await clerk.get("/console/statements")).status_code == 403

    assert "216.000" in page
    rows = list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))
    assert sum(int(row["amount"]) for row in rows) == 210_000
    assert sheet.content.startswith(b"PK")
    words = ("statement", "s.csv", "--from", f"{DAY}", "--to", f"{DAY}", "--client")
    at = {"DATABASE_URL": database_url, "MASTER_KEY": KEY}
    end = await terminal.run(*words, "sở tư pháp", "--json", **at)
    assert (json.loads(end.out)["lines"], json.loads(end.out)["amount"]) == (2, 210_000)
    again = await terminal.run(*words, "sở tư pháp", **at)
    assert (again.code, "File exists" in again.said) == (2, True), again
    nobody = await terminal.run(*words, "x", **at)
    assert (nobody.code, "There is no client x" in nobody.said) == (2, True)
    async with site.parts.store.begin() as tx:
        assert await tx.rows(text("SELECT 1 FROM client")), "nothing was changed"
