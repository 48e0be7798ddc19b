"""``thuphi doctor`` finds what is wrong, says what to do, and shows no secret."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from front_door import AGENCY, SEPAY_SECRET, VNPAY_SECRET, Site
from sqlalchemy import text

from gateway.entry.doctor import Finding, examine
from gateway.entry.scheduler import jobs_of, scheduler_of
from gateway.infra.vault import MasterVault


async def wrong(site: Site) -> dict[str, str]:
    """Give what is wrong, by name."""
    return {f.name: f.said for f in await examine(site.parts) if not f.is_right}


async def tick_all(site: Site) -> None:
    """Let every job run once, as a worker would."""
    scheduler = scheduler_of(site.parts)
    for job in jobs_of(site.parts):
        await scheduler.tick(job)


async def at_work(site: Site) -> dict[str, str]:
    """Take away what tests do and nobody else: a clock that stands, a server that does not sync."""
    return {k: v for k, v in (await wrong(site)).items() if k not in ("clock", "database")}


async def test_a_healthy_installation_is_told_so(site: Site) -> None:
    await site.payment()
    await tick_all(site)

    assert await at_work(site) == {}


async def test_a_clock_that_stands_is_seen(site: Site) -> None:
    assert "NTP" in (await wrong(site))["clock"]


async def test_a_worker_that_is_gone_is_named_by_its_jobs(site: Site) -> None:
    assert "start thuphi worker" in (await wrong(site))["worker"]
    await tick_all(site)
    site.clock.move(timedelta(minutes=10))

    said = (await wrong(site))["worker"]

    assert "«deliver» does not run" in said
    assert "«reconcile yesterday»" not in said


async def test_a_key_that_is_not_the_one_is_seen_before_anything_is_sealed_with_it(
    site: Site,
) -> None:
    await site.payment()

    found = await examine(replace(site.parts, vault=MasterVault.of(bytes(32))))

    assert Finding("master key", is_right=False, said="does not open what the database holds:"
                   " give back the key that sealed it.") in found  # fmt: skip


async def test_a_day_that_was_forgotten_is_named_with_its_command(site: Site) -> None:
    await site.vnpay_says(await site.attempt(await site.payment()))
    site.clock.move(timedelta(days=3))

    assert "thuphi reconcile --date 2026-11-18" in (await wrong(site))["days"]


async def test_a_receipt_that_is_not_drawn_is_named(site: Site) -> None:
    """The page and the XML are there, so nobody else would miss it."""
    (receipt,) = (await receipted(site))["receipts"]
    await site.as_owner("UPDATE receipt SET pdf = NULL")
    assert "receipts" not in await wrong(site)

    site.clock.move(timedelta(minutes=6))

    said = (await wrong(site))["receipts"]
    assert f"0 have no seal and 1 no PDF, {receipt['id']} first" in said
    await site.parts.receipts.issue()
    assert "receipts" not in await wrong(site)


async def test_a_name_that_the_first_font_has_not_is_drawn_all_the_same(site: Site) -> None:
    (receipt,) = (await receipted(site, payer={"name": "王小明 𓀀"}))["receipts"]

    page = (await site.http.get(receipt["links"]["html"])).text
    xml = (await site.http.get(receipt["links"]["xml"])).text
    pdf = await site.http.get(receipt["links"]["pdf"])

    assert "王小明 𓀀" in page
    assert "王小明 𓀀" in xml
    assert pdf.content.startswith(b"%PDF-")


async def receipted(site: Site, **changes: Any) -> dict[str, Any]:
    """Pay a payment and let its receipt be made."""
    payment = await site.payment(**changes)
    await site.vnpay_says(await site.attempt(payment))
    await site.parts.receipts.issue()
    shown: dict[str, Any] = await site.get(f"/payments/{payment['id']}")
    return shown


async def test_broken_books_are_named(site: Site) -> None:
    payment = await site.payment()
    async with site.parts.store.begin() as tx:
        await tx.run(
            text("UPDATE payment SET amount_on_account = 1 WHERE id = :id"), {"id": payment["id"]}
        )

    assert payment["id"] in (await wrong(site))["books"]


async def test_what_nobody_read_and_nobody_was_told_of_is_named(site: Site) -> None:
    """A notice without a try left, and a paid payment that its client never heard of."""
    async with site.parts.store.begin() as tx:
        client = await tx.row(text("SELECT id FROM client"))
    assert client is not None
    await site.parts.webhooks.add(AGENCY, client["id"], "http://127.0.0.1:9/")
    await site.vnpay_says(await site.attempt(await site.payment()))
    await site.parts.outbox.sequence()
    await site.as_owner("UPDATE notice_work SET state = 'stored', tries = 20")
    site.clock.move(timedelta(hours=5))
    assert await site.parts.notices.replay() == 0
    assert "webhooks" not in await wrong(site)
    await site.as_owner("DELETE FROM delivery")

    said = await wrong(site)

    assert "1 were never read" in said["notices"]
    assert "1 payments that are paid were told to nobody" in said["webhooks"]


async def test_no_secret_is_in_what_it_says(site: Site) -> None:
    said = " ".join(f.said for f in await examine(site.parts))

    for secret in (VNPAY_SECRET, SEPAY_SECRET, "AAECAwQF"):
        assert secret not in said


def test_the_command_says_what_to_do_first_on_a_bare_machine(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway.entry.cli", "doctor", "--json"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "THUPHI_DATA_DIR": str(tmp_path / "d")},
    )  # fmt: skip

    assert done.returncode == 1, done.stderr
    found = {f["name"]: f for f in json.loads(done.stdout)["findings"]}
    assert found["database"] == {"name": "database", "ok": True, "said": "PostgreSQL 18, durable"}
    assert "thuphi seed" in found["agencies"]["said"]
