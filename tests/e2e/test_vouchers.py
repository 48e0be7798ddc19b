"""Closed days for an accounting package: the same amounts as the books, under its own names."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from books import DAY, NEXT, paid_by_vnpay, reconciliation, two_days
from commands import KEY, Ended, Terminal
from front_door import AGENCY, Site
from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.services.books import trial_balance
from reconciliation.vouchers import Vouchers, package_of, write_vouchers

MAPPING = """
status = "confirmed"
source = "the accountant"
delimiter = ";"
[accounts]
1380 = "1388"
3330 = { code = "3332", by = "budget_line" }
[[column]]
title = "=Số"
value = "number"
[[column]]
title = "Có"
value = "credit"
"""
COLUMNS = ("date", "number", "debit", "credit", "amount", "budget_line", "voucher", "dossier")


def of_ours(folder: Path) -> Path:
    """Write a mapping that calls each account as we do."""
    from gateway.domain.ledger import TITLES

    accounts = "".join(f'{code} = "{code}"\n' for code in TITLES)
    columns = "".join(f'[[column]]\ntitle = "{c}"\nvalue = "{c}"\n' for c in COLUMNS)
    path = folder / "ours.toml"
    path.write_text(f'status = "confirmed"\nsource = "x"\n[accounts]\n{accounts}{columns}', "utf-8")
    return path


async def written(site: Site, mapping: Path | None, by: str = "day") -> Vouchers:
    return await write_vouchers(site.parts.store, AGENCY, (DAY, NEXT), package_of(mapping), by)


def rows_of(made: Vouchers) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(made.content.decode("utf-8"))))


@pytest.mark.parametrize("by", ["day", "entry"])
async def test_each_account_turns_over_what_the_trial_balance_says(
    site: Site, tmp_path: Path, by: str
) -> None:
    payment = await paid_by_vnpay(site)
    await two_days(site, payment)

    made = await written(site, of_ours(tmp_path), by)

    assert made == await written(site, of_ours(tmp_path), by), "the same days, the same bytes"
    moved: dict[tuple[str, str], int] = {}
    for row in rows_of(made):
        for side in ("debit", "credit"):
            at = (row[side], side)
            moved[at] = moved.get(at, 0) + int(row["amount"])
    lines = await trial_balance(site.parts.store, AGENCY, NEXT, DAY)
    for line in (x for x in lines if not x.is_memorandum):
        assert moved.pop((line.account, "debit"), 0) == line.turnover_debit
        assert moved.pop((line.account, "credit"), 0) == line.turnover_credit
    assert set(moved.values()) <= {0}
    numbers = [row["number"] for row in rows_of(made)]
    assert len(set(numbers)) == len(numbers)
    assert numbers[0] == f"TP20261118-{by[0].upper()}00001"
    named = {(row["voucher"].partition(" ")[0], row["dossier"]) for row in rows_of(made)}
    assert (("capture", payment["dossier_id"]) in named) is (by == "entry")


async def test_a_storno_is_its_line_again_below_zero(site: Site, tmp_path: Path) -> None:
    await site.as_owner(
        "INSERT INTO entry (agency_id, booked_on, value_on, debit, credit, amount, voucher_kind,"
        f" voucher_id, rule, storno, created_at) VALUES ('{AGENCY}', '{DAY}', '{DAY}', '3330',"
        f" '1380', 700, 'x', 'x', 'x', true, '2026-11-18T00:00:00Z'), ('{AGENCY}', '{DAY}',"
        f" '{DAY}', '1380', '3330', 500, 'x', 'x', 'x', false, '2026-11-18T00:00:00Z')"
    )
    await _say_closed(site)

    daily = rows_of(await written(site, of_ours(tmp_path)))
    each = rows_of(await written(site, of_ours(tmp_path), "entry"))

    assert [(r["debit"], r["credit"], r["amount"]) for r in daily] == [("1380", "3330", "-200")]
    assert [r["amount"] for r in each] == ["-700", "500"]


async def _say_closed(site: Site) -> None:
    await site.as_owner(
        "INSERT INTO day (agency_id, booked_on, state, closed_by, closed_at, seal) VALUES"
        f" ('{AGENCY}', '{DAY}', 'closed', 'test', now(), 'x')"
    )


async def test_an_open_day_and_an_account_without_a_name_are_refused(
    site: Site, tmp_path: Path
) -> None:
    payment = await paid_by_vnpay(site)
    with pytest.raises(Refusal, match="2026-11-18 must be closed first"):
        await written(site, None)
    await two_days(site, payment)
    await reconciliation(site).casework.reopen(AGENCY, NEXT, "test")
    with pytest.raises(Refusal, match="2026-11-19 must be closed first"):
        await written(site, None)
    path = tmp_path / "m.toml"
    path.write_text(MAPPING, "utf-8")

    await reconciliation(site).reconcile(AGENCY, NEXT, "test")
    with pytest.raises(Refusal, match=r"no name for 1120 .*, 1130 .*, 6420"):
        await written(site, path)


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ('"confirmed"', '"sure"', "status is confirmed or illustrative"),
        ('source = "the accountant"', "", "source says who said so"),
        ('delimiter = ";"', 'delimiter = "--"', "delimiter a comma"),
        ('delimiter = ";"', 'delimiter = "x"', "delimiter a comma"),
        ('delimiter = ";"', "delimiter = 5", "delimiter a comma"),
        ("[accounts]", "accounts = 5\n[other]", "accounts is a table"),
        ("[[column]]", "[[other]]", "it has no column"),
        ("[[column]]", "[column]", "not TOML"),
        ('1380 = "1388"', '9999 = "1"', "accounts.9999 is one of ours"),
        ('1380 = "1388"', "1380 = 1388", "accounts.1380 is one of ours, and a code"),
        ('by = "budget_line"', 'by = "payer"', "by is one of branch"),
        ('value = "credit"', 'value = "payer_name"', "column 2 has a title"),
        ('value = "credit"', 'value = "credit"\ntext = "x"', "column 2 has a title"),
        ("[accounts]", "[accounts", "not TOML"),
    ],
)
def test_a_mapping_that_says_something_else_is_refused_by_its_place(
    tmp_path: Path, was: str, becomes: str, said: str
) -> None:
    path = tmp_path / "m.toml"
    path.write_text(MAPPING.replace(was, becomes), "utf-8")

    with pytest.raises(Refusal, match=said):
        package_of(path)


async def test_the_command_writes_a_new_file_and_says_what_is_illustrative(
    site: Site, terminal: Terminal, database_url: str
) -> None:
    payment = await paid_by_vnpay(site)
    await two_days(site, payment)

    async def run(*words: str) -> Ended:
        days = ("--from", f"{DAY}", "--to", f"{NEXT}")
        return await terminal.run(
            "vouchers", *words, *days, DATABASE_URL=database_url, MASTER_KEY=KEY
        )

    end = await run("a.csv")

    assert end.code == 0, end.said
    assert "illustrative" in end.out
    content = (terminal.folder / "a.csv").read_bytes()
    assert content.startswith("\ufeffNgày chứng từ,Số chứng từ".encode())
    assert b"3332.2767" in content
    again = await run("a.csv")
    assert (again.code, "File exists" in again.said) == (2, True)
    assert (terminal.folder / "a.csv").read_bytes() == content
    (terminal.folder / "m.toml").write_text(MAPPING, "utf-8")
    wrong = await run("b.csv", "--mapping", "m.toml")
    assert (wrong.code, (terminal.folder / "b.csv").exists()) == (2, False)
    said = json.loads((await run("c.csv", "--by", "entry", "--json")).out)
    async with site.parts.store.begin() as tx:
        row = await tx.row(text("SELECT count(*) AS n FROM entry WHERE debit NOT LIKE 'M%'"))
    assert row is not None
    assert (said["entries"], said["lines"]) == (row["n"], row["n"])


async def test_a_title_that_a_spreadsheet_would_run_is_only_text(
    site: Site, tmp_path: Path
) -> None:
    path = tmp_path / "m.toml"
    path.write_text(MAPPING, "utf-8")
    site.clock.move(timedelta(hours=1))

    made = await write_vouchers(site.parts.store, AGENCY, (DAY, DAY), package_of(path), "day")

    assert made.content.decode() == "'=Số;Có\r\n"
