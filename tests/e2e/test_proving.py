"""``thuphi prove``: a second calculator agrees to the đồng, and names whatever was touched."""

import json
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import date, timedelta

import pytest
import pytest_asyncio
from books import DAY, NEXT, reconcile, reconciliation, take
from front_door import AGENCY, Site
from officers import officer, signed_in
from sqlalchemy import text

from gateway.entry.cli_prove import do_prove, proving_of
from gateway.services.unexplained import unexplained
from reconciliation.proving.service import Proof

LAST = date(2026, 12, 31)


async def prove(site: Site, since: date = DAY, upto: date = LAST) -> Proof:
    return await proving_of(site.parts).prove(AGENCY, since, upto)


async def differs(site: Site) -> set[str]:
    """Give the vouchers that are not booked as proved."""
    return {d.voucher for d in (await prove(site)).differences}


async def touch(site: Site, table: str, *statements: str) -> None:
    """Do what only the tables' owner can."""
    await site.as_owner(
        f"ALTER TABLE {table} DISABLE TRIGGER USER", *statements,
        f"ALTER TABLE {table} ENABLE TRIGGER USER",
    )  # fmt: skip


async def id_of(site: Site, query: str) -> str:
    async with site.parts.store.begin() as tx:
        (row,) = await tx.rows(text(query))
    return str(row["id"])


@pytest_asyncio.fixture
async def lived(site: Site) -> AsyncIterator[Site]:
    """Live two days: a fee by VNPAY, a transfer in parts with too much, one that nobody knows.

    And one withdrawn before its money, a drawer that lacks a note, a bag, a payout with its charge
    made good, a remittance that the treasury confirms, and a fee that is given back.
    """
    by_vnpay = await site.payment(1)
    attempt = await site.attempt(by_vnpay)
    assert await site.vnpay_says(attempt) == "00"
    in_parts = await site.payment(2)
    for n, part in ((1, 4_000), (2, 6_500)):
        assert await site.sepay_says(f"TP{in_parts['reference']}", part, n) == 200
    assert await site.sepay_says("tien dien thang 11", 7_000, 3) == 200
    withdrawn = await site.payment(3)
    await site.ask(f"/payments/{withdrawn['id']}/cancel", {})
    assert await site.sepay_says(f"TP{withdrawn['reference']}", 10_000, 4) == 200
    clerk, other = await officer(site, "lan"), await officer(site, "hoa", "accountant")
    counters = site.parts.counters
    shift = await counters.open_shift(clerk, "hoan-kiem", "quay-1", 50_000)
    await counters.take(clerk, (await site.payment(4))["id"], "cash")
    await counters.count(clerk, shift, 59_000)
    await counters.sign(other, shift, "TUI-07")
    await site.parts.receipts.issue()
    await nights(site, by_vnpay, attempt)
    left = 10_000
    asked = {"amount": left, "reason": "thu nhầm", "expected_refundable": left}
    await site.ask(f"/payments/{by_vnpay['id']}/refunds", asked)
    refund = await id_of(site, "SELECT id FROM refund")
    await site.parts.refunds.decide(AGENCY, refund, "staff:hoa", agree=True)
    yield site


async def nights(site: Site, by_vnpay: dict[str, str], attempt: dict[str, str]) -> None:
    """Take in what banks and the treasury say, and close both days."""
    site.clock.move(timedelta(hours=17, minutes=30))
    await take(site, "provider", {"merchant_reference": attempt["provider_reference"]})
    came = [(4_000, "FT1"), (6_500, "FT2"), (7_000, "FT3"), (10_000, "FT4"), (3_000, "FT9")]
    await take(site, "statement", *({"amount": amount, "reference": said} for amount, said in came))
    assert (await reconcile(site)).recovered == 1  # The last is told of by the statement alone.
    site.clock.move(timedelta(days=1))
    next_day = {"booked_on": "2026-11-19"}
    await take(
        site, "statement",
        next_day | {"amount": 8_920, "reference": "VNPAY-20261118", "memo": "VNPAY THANH TOAN"},
        next_day | {"amount": 1_080, "reference": "BP", "memo": "BU PHI THANH TOAN"},
        next_day | {"amount": 9_000, "reference": "B", "memo": "NOP TIEN MAT TUI-07"},
        next_day | {"amount": -10_000, "reference": "NS20261119", "memo": "NOP NSNN NS20261119"},
    )  # fmt: skip
    await take(site, "treasury", {"obligation_id": by_vnpay["id"]})
    second = (await reconcile(site, NEXT)).closed
    assert second is not None
    assert second.is_closed, second.open_checks


async def test_every_balance_is_proved_and_what_is_touched_is_named(lived: Site) -> None:
    """One entry, one notice, one line of a file, and one capture's evidence: each is found."""
    proof = await prove(lived)

    assert proof.holds, (proof.differences, proof.findings)
    assert proof.underived == []
    assert {b.account for b in proof.balances} >= {
        "1110", "1120", "1130", "1380", "1382", "1383", "1388", "3310", "3320", "3330", "3380",
        "4900", "6420", "M1", "M2", "M4", "M5", "M9",
    }  # fmt: skip
    entry = "SELECT max(id) FROM entry WHERE rule = 'payout'"
    voucher = await id_of(lived, f"SELECT voucher_id AS id FROM entry WHERE id = ({entry})")
    await touch(lived, "entry", f"UPDATE entry SET amount = amount + 1 WHERE id = ({entry})")
    assert await differs(lived) == {f"statement_line {voucher}"}
    await touch(lived, "entry", f"UPDATE entry SET amount = amount - 1 WHERE id = ({entry})")
    assert (await prove(lived)).holds

    line = await id_of(lived, "SELECT id FROM statement_line WHERE reference = 'VNPAY-20261118'")
    await lived.as_owner(f"UPDATE statement_line SET net = 8921 WHERE id = '{line}'")
    (found,) = (await prove(lived)).findings
    assert found == (
        f"statement line {line} is kept as 8921 on 2026-11-19, its file says 8920 on 2026-11-19"
    )


async def test_another_notice_and_another_file_prove_other_books(lived: Site) -> None:
    """What is sealed again with other words does not fit what is booked."""
    vault, store = lived.parts.vault, lived.parts.store
    async with store.begin() as tx:
        (notice,) = await tx.rows(text("SELECT id, sealed FROM notice WHERE provider = 'vnpay'"))
        (kept,) = await tx.rows(
            text("SELECT id, content_sealed AS sealed FROM statement_file"
                 " WHERE profile = 'canonical-treasury'")
        )  # fmt: skip
    capture = await id_of(lived, "SELECT id FROM capture WHERE provider = 'vnpay'")

    for place, row, table, column, was, now in (
        (f"notice|{notice['id']}|raw", notice, "notice", "sealed",
         b"Amount=10000", b"Amount=90000"),
        (f"statement_file|{kept['id']}|content", kept, "statement_file", "content_sealed",
         b",10000,", b",10001,"),
    ):  # fmt: skip
        plain = vault.open(place, bytes(row["sealed"]))
        assert was in plain
        other = vault.seal(place, plain.replace(was, now)).hex()
        update = f"UPDATE {table} SET {column} = '\\x{{}}' WHERE id = '{row['id']}'"
        await touch(lived, table, update.format(other))
        proof = await prove(lived)
        assert not proof.holds
        named = {d.voucher for d in proof.differences} | set(proof.findings)
        assert any(capture in what or "statement line" in what for what in named), named
        await touch(lived, table, update.format(bytes(row["sealed"]).hex()))
        assert (await prove(lived)).holds

    await touch(lived, "notice", f"UPDATE notice SET sealed = sealed || '\\x00'::bytea"
                f" WHERE id = '{notice['id']}'")  # fmt: skip
    assert (
        f"notice {notice['id']} cannot be opened: it was changed or moved"
        in (await prove(lived)).findings
    )


async def test_a_notice_that_does_not_open_is_found_while_those_before_it_are_read(
    lived: Site,
) -> None:
    """They are read beside the next ones' opening; a calculator does one thing at a time."""
    await touch(lived, "notice", "UPDATE notice SET sealed = sealed || '\\x00'::bytea")
    async with lived.parts.store.begin() as tx:
        kept = [r["id"] for r in await tx.rows(text("SELECT id FROM notice"))]
    assert len(kept) > 1

    proof = await replace(proving_of(lived.parts), notices_batch=1).prove(AGENCY, DAY, LAST)

    assert {f for f in proof.findings if "cannot be opened" in f} == {
        f"notice {name} cannot be opened: it was changed or moved" for name in kept
    }


async def test_a_notice_that_nothing_is_booked_for_is_found(site: Site) -> None:
    """Money that we were told of and lost is the worst that books can hide."""
    attempt = await site.attempt(await site.payment())
    assert await site.vnpay_says(attempt) == "00"
    notice = await id_of(site, "SELECT id FROM notice")

    await touch(site, "evidence", "DELETE FROM evidence")

    proof = await prove(site)
    assert f"notice {notice} tells of 10000, and nothing is booked for it" in proof.findings
    assert {(d.debit, d.proved, d.booked) for d in proof.differences} == {
        ("1380", 0, 10_000), ("M2", 0, 10_000),
    }  # fmt: skip


async def test_the_command_says_it_as_a_table_as_json_and_by_its_exit_code(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    attempt = await site.attempt(await site.payment())
    assert await site.vnpay_says(attempt) == "00"
    asked = {"agency": AGENCY, "since": DAY, "upto": NEXT, "json": False}

    assert await do_prove(Namespace(**asked), nullcontext(site.parts)) == 0
    said = capsys.readouterr().out
    assert "The books are what the evidence says." in said
    await touch(site, "entry", "UPDATE entry SET amount = 9000 WHERE credit = '3330'")
    assert await do_prove(Namespace(**asked), nullcontext(site.parts)) == 1
    shown = capsys.readouterr().out
    assert await do_prove(Namespace(**asked | {"json": True}), nullcontext(site.parts)) == 1
    told = json.loads(capsys.readouterr().out)

    assert "DIFFERS  2026-11-18 1380/3330: capture cap_" in shown
    assert "is booked 9.000, proved 10.000" in shown
    assert told["equal"] is False
    assert {x["account"]: x["difference"] for x in told["accounts"] if x["difference"]} == {
        "1380": -1_000, "3330": 1_000,
    }  # fmt: skip


async def test_what_nobody_explains_is_on_the_first_page_with_its_oldest(site: Site) -> None:
    """Amount × days: from the day that a file tells of it, until a run says what it is."""
    await take(site, "statement", {"amount": 7_000, "reference": "FT3"})
    assert (await unexplained(site.parts.store, AGENCY)).items == 0  # It came today.

    site.clock.move(timedelta(days=3))
    left = await unexplained(site.parts.store, AGENCY)
    async with signed_in(site) as desk:
        page = (await desk.get("/console?lang=en")).text
        # Not closed, so that it is still looked at: what it proves explains it.
        await reconciliation(site).reconcile(AGENCY, DAY, "test", close=False)
        after = (await desk.get("/console?lang=en")).text

    assert (left.dong_days, left.total, left.items, left.since_on) == (21_000, 7_000, 1, DAY)
    assert "21.000" in page
    assert left.id in page
    assert (await unexplained(site.parts.store, AGENCY)).dong_days == 0
    assert "every difference has a named cause" in after


async def test_a_capture_that_no_file_lists_is_unexplained_from_the_morning_after(
    site: Site,
) -> None:
    attempt = await site.attempt(await site.payment())
    assert await site.vnpay_says(attempt) == "00"
    site.clock.move(timedelta(days=1))
    assert (await unexplained(site.parts.store, AGENCY)).dong_days == 0

    site.clock.move(timedelta(days=2))

    left = await unexplained(site.parts.store, AGENCY)
    assert (left.kind, left.amount, left.dong_days) == ("capture", 10_000, 20_000)
