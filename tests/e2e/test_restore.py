"""The drill of docs/runbooks/restore.md: yesterday's backup, and nothing lost, no number twice."""

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from commands import KEY, Terminal
from front_door import AGENCY, Site
from office import Office, copied, drop, rows
from receipt_days import LE_PHI, PHI, capture_of, pay, pay_many

from gateway.domain.payment import Standing, take
from gateway.entry import doctor_receipts
from gateway.services.invariants import violations
from receipts.outside import MARK, Outside, Record

CHECKPOINTS = "SELECT size, root, note, signed_at FROM log_checkpoint ORDER BY size"


async def pay_again(site: Site, payment_ids: list[str]) -> None:
    """Let whoever holds the money tell of it again."""
    for payment_id in payment_ids:
        async with site.parts.store.begin() as tx:
            payment = await tx.payment(AGENCY, payment_id)
            assert payment is not None
            await tx.record([take(payment, capture_of(site, payment), AGENCY, Standing(), ())])


async def test_yesterdays_backup_loses_nothing_and_gives_no_number_twice(
    office: Office, terminal: Terminal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dump = tmp_path / "yesterday.dump"
    async with office.open() as site:
        await pay_many(site, 3, branch="online")
        await site.parts.receipts.issue()
        in_doubt = await site.payment(1)
        attempt = await site.attempt(in_doubt)
        await office.back_up(dump)
        assert await site.vnpay_says(attempt) == "00"
        transfer = await site.payment(2)
        memo = f"TP{transfer['reference']}"
        assert await site.sepay_says(memo, 10_000, 7) == 200
        later = [(await pay(site, "tay-ho", (PHI, LE_PHI))).id for _ in range(2)]
        await site.parts.receipts.issue()
        site.clock.move(timedelta(minutes=1))
        later += await pay_many(site, 2, branch="online")
        await site.parts.receipts.issue()
        before = await rows(site)
        checkpoints = await rows(site, CHECKPOINTS)
        assert len(before) == 11

    await office.lose_everything_but(dump)

    async with office.open() as site:
        assert len(await rows(site)) == 3
        await pay(site, "online", (LE_PHI,))
        assert await site.parts.receipts.issue() == 0, "it waits for what was given out"
        assert "has given numbers up to 5, and this database knows 3" in caplog.text
        assert "thuphi receipts restore" in caplog.text
        found = await doctor_receipts.high_water(site.parts)
        assert not found.is_right
        assert "EBL01 26TAA" in found.said

    site.clock.move(timedelta(minutes=1))
    end = await office.restore(terminal)

    assert end.code == 0, end.said
    came = {"receipts": 8, "seals": 8, "payments": 5, "leaves": 8}
    assert json.loads(end.out) == {"restored": {AGENCY: came}}
    async with office.open() as site:
        assert await rows(site) == before, "byte for byte, under the same links, as the same leaves"
        assert await rows(site, CHECKPOINTS) == checkpoints, "signed when they were signed"
        assert await site.vnpay_says(attempt) == "00"
        assert await site.sepay_says(memo, 10_000, 7) == 200
        await pay_again(site, later)
        assert await site.parts.receipts.issue() == 1, "the one that was paid after the restore"
        after = await rows(site)
        assert [r for r in after if r["id"] in {x["id"] for x in before}] == before
        await site.parts.outbox.sequence()
        assert await violations(site.parts.store) == [], "no gap, no repeat, each paid has its own"
        assert {r["state"] for r in await rows(site, "SELECT state FROM payment")} == {"paid"}
        assert (await doctor_receipts.high_water(site.parts)).is_right
    again = json.loads((await office.restore(terminal)).out)
    assert again == {"restored": {AGENCY: dict.fromkeys(came, 0)}}


async def test_what_is_missing_or_changed_outside_stops_the_restore_whole(
    office: Office, terminal: Terminal
) -> None:
    """And a number whose seal waits for a token comes back too, for those behind it were shown."""
    yesterday = f"{office.name}_y"
    async with office.open() as site:
        await pay_many(site, 1, branch="online")
        await site.parts.receipts.issue()
    await copied(office, yesterday)
    async with office.open() as site:
        await pay_many(site, 3, branch="online")
        await site.parts.receipts.issue()
        before = await rows(site)
    office.name = yesterday
    (file,) = (office.folder / AGENCY).glob("*.receipts")
    kept = file.read_bytes()
    lines = kept.splitlines(keepends=True)
    (waits,) = [x for x in lines if x.startswith(b"sealed\tEBL01\t26TAA\t3\t")]
    (frozen,) = [x for x in lines if x.startswith(b"numbered\tEBL01\t26TAA\t3\t")]

    def without(*gone: bytes) -> bytes:
        return b"".join(x for x in lines if x not in gone and not x.startswith(b"logged"))

    for content, said in (
        (without(frozen), "EBL01 26TAA 3 was given out, and is not in"),
        (kept.replace(waits, waits.replace(b"<TgTTTBSo>10000", b"<TgTTTBSo>90000")), "was changed"),
        (without(waits, frozen), "EBL01 26TAA 3 was given out"),
        (Record(MARK, "EBL01", "26TAA", 4, {}).line(), "EBL01 26TAA 2 was given out"),
    ):
        file.write_bytes(content)
        end = await office.restore(terminal)
        assert (end.code, end.out) == (2, "")
        assert f"{AGENCY}: {said}" in end.said or said == "was changed"
        assert said in end.said
        async with office.open() as site:
            assert len(await rows(site)) == 1
            assert len(await rows(site, "SELECT 1 FROM payment")) == 1, "all of it or nothing"

    file.write_bytes(without(waits))
    other = Outside(office.folder)
    other.keep("hn-tthcc", date(2026, 11, 18), [Record(MARK, "EBL01", "26TAA", 4, {})])
    end = await office.restore(terminal)
    assert (end.code, "hn-tthcc: EBL01 26TAA 1 was given out" in end.said) == (2, True)
    nobody = await terminal.run(
        "receipts", "restore", "--agency", "nobody", DATABASE_URL=office.url, MASTER_KEY=KEY,
        HIGH_WATER_DIR=str(office.folder),
    )  # fmt: skip
    assert (nobody.code, "Nothing is kept of nobody" in nobody.said) == (2, True)
    came = {"receipts": 3, "seals": 2, "payments": 3, "leaves": 0}
    assert json.loads(end.out) == {"restored": {AGENCY: came}}
    async with office.open() as site:
        assert await site.parts.receipts.issue() == 1, "the one that waited"
        again = await rows(site)
        assert [r["xml"] for r in again] == [r["xml"] for r in before]
        assert {r["leaf_index"] for r in again} == set(range(4))
    await drop(office, yesterday)


async def test_a_folder_that_is_lost_is_filled_from_the_database(
    office: Office, terminal: Terminal
) -> None:
    """And what was filled is enough to restore from, checkpoint by checkpoint."""
    async with office.open() as site:
        await pay_many(site, 1, branch="online")
        await site.parts.receipts.issue()
    yesterday = f"{office.name}_y"
    await copied(office, yesterday)
    async with office.open() as site:
        for _ in range(2):
            await pay_many(site, 2, branch="online", two_kinds=True)
            await site.parts.receipts.issue()
        shutil.rmtree(office.folder)
        site.clock.move(timedelta(minutes=6))
        found = await doctor_receipts.high_water(site.parts)
        assert not found.is_right
        assert f"{AGENCY} has receipts that are not in" in found.said

        assert await site.parts.receipts.issue() == 0

        assert (await doctor_receipts.high_water(site.parts)).is_right
        before = await rows(site)
        checkpoint = await site.parts.receipts.journal.checkpoint(AGENCY)
    office.name = yesterday

    end = await office.restore(terminal)

    came = {"receipts": 8, "seals": 8, "payments": 4, "leaves": 8}
    assert json.loads(end.out) == {"restored": {AGENCY: came}}
    async with office.open() as site:
        assert await rows(site) == before
        assert await site.parts.receipts.journal.checkpoint(AGENCY) == checkpoint
    await drop(office, yesterday)
