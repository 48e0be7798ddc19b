"""A changed rule is tried over the whole history, and books nothing."""

import json
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from books import NEXT, night, paid_by_vnpay, reconcile, take
from commands import KEY, Ended, Terminal
from front_door import PROVIDERS, Site
from sqlalchemy import text

RULES = files("reconciliation").joinpath("rules")
NOTHING = (
    "SELECT CAST(NULL AS VARCHAR) AS line_id, CAST(NULL AS VARCHAR) AS capture_id,"
    " CAST(0 AS BIGINT) AS amount, '' AS why WHERE false"
)
ANY = (
    "SELECT l.id AS line_id, CAST(NULL AS VARCHAR) AS capture_id, l.net AS amount, 'any' AS why"
    " FROM line l WHERE NOT EXISTS (SELECT 1 FROM matched m WHERE m.line_id = l.id)"
)


async def tried(terminal: Terminal, url: str, folder: Path, *words: str) -> Ended:
    return await terminal.run(
        "rules", "try", str(folder), *words, DATABASE_URL=url, MASTER_KEY=KEY,
        CLOCK="2026-11-25T01:00:00Z",
        **{name.removeprefix("THUPHI_"): value for name, value in PROVIDERS.items()},
    )  # fmt: skip


async def days(site: Site) -> None:
    """Let a payment be reported and paid out; and a credit come that nothing explains yet."""
    payment = await paid_by_vnpay(site)
    await night(site)
    await take(site, "provider", {"merchant_reference": payment["attempt"]})
    site.clock.move(timedelta(days=1))
    await take(
        site, "statement",
        {"booked_on": "2026-11-19", "amount": 8_920, "reference": "VNPAY-20261118",
         "memo": "VNPAY THANH TOAN TESTTMN1 VNPAY-20261118"},
        {"booked_on": "2026-11-19", "amount": -5_000, "memo": "PHI"},
    )  # fmt: skip
    await reconcile(site, NEXT)


async def test_what_changed_rules_win_lose_and_change_is_said_and_nothing_booked(
    site: Site, terminal: Terminal, database_url: str, tmp_path: Path
) -> None:
    await days(site)
    async with site.parts.store.begin() as tx:
        before = await tx.rows(text("SELECT * FROM entry ORDER BY id"))
    (tmp_path / "14-any.sql").write_text(ANY, "utf-8")
    batch = RULES.joinpath("05-batch.sql").read_text("utf-8")
    (tmp_path / "05-batch.sql").write_text(NOTHING, "utf-8")

    end = await tried(terminal, database_url, tmp_path, "--json")

    assert end.code == 0, end.said
    said = json.loads(end.out)
    assert said["lines"] == 3
    assert said["matched"] == {"now": 2, "then": 3}
    counted = {k: (v["lines"], v["amount"]) for k, v in said["changes"].items() if v["lines"]}
    assert counted == {"won": (1, 5_000), "changed": (1, 8_920)}
    assert [x["kind"] for x in said["shown"]] == ["changed", "won"]
    assert said["shown"][0]["now"]["pass"] == "05-batch"
    assert said["shown"][0]["then"]["pass"] == "14-any"
    (tmp_path / "14-any.sql").unlink()
    lost = await tried(terminal, database_url, tmp_path)
    assert "2 are matched now, and 1 by the changed rules" in lost.out
    assert "lost: lin_" in lost.out
    (tmp_path / "05-batch.sql").unlink()
    (tmp_path / "06-batch.sql").write_text(batch.replace("SELECT p.id", "SELECT  p.id"), "utf-8")
    (tmp_path / "05-batch.sql").write_text(NOTHING, "utf-8")
    moved = json.loads((await tried(terminal, database_url, tmp_path, "--json")).out)
    assert moved["changes"]["another_pass"]["lines"] == 1
    async with site.parts.store.begin() as tx:
        assert await tx.rows(text("SELECT * FROM entry ORDER BY id")) == before


async def test_what_a_run_booked_is_matched_anew_as_well(
    site: Site, terminal: Terminal, database_url: str, tmp_path: Path
) -> None:
    """A night leaves it as it is; here no rule has decided anything yet."""
    await days(site)
    async with site.parts.store.begin() as tx:
        (payment,) = await tx.rows(text("SELECT reference FROM payment"))
    await take(site, "treasury", {"document_ref": payment["reference"]})
    assert (await reconcile(site, NEXT)).posted == 1
    for name in ("08-reference.sql", "09-lump.sql"):
        (tmp_path / name).write_text(NOTHING, "utf-8")

    end = await tried(terminal, database_url, tmp_path, "--json")

    assert json.loads(end.out)["changes"]["lost"] == {"lines": 1, "amount": 10_000}


@pytest.mark.usefixtures("site")
async def test_rules_that_do_not_run_or_do_not_differ_are_refused(
    terminal: Terminal, database_url: str, tmp_path: Path
) -> None:
    own = tmp_path / "05-batch.sql"
    for name, words, said in (
        ("05-batch.sql", RULES.joinpath("05-batch.sql").read_text("utf-8"), "No rule in"),
        ("05-batch.sql", "SELECT nonsense", "05-batch.sql does not run: Binder Error"),
        ("90-breaks.sql", "SELECT nonsense", "90-breaks.sql does not run"),
        ("new.sql", NOTHING, "new.sql is not named like"),
        ("05-batch.sql", "\udcff", "cannot be read as UTF-8"),
    ):
        (tmp_path / name).write_bytes(words.encode("utf-8", "surrogateescape"))
        end = await tried(terminal, database_url, tmp_path)
        assert (end.code, said in end.said) == (2, True), (said, end)
        (tmp_path / name).unlink()
    assert not own.exists()
    end = await tried(terminal, database_url, own)
    assert (end.code, "is no folder" in end.said) == (2, True)


async def test_a_history_without_money_is_tried_too(
    site: Site, terminal: Terminal, database_url: str, tmp_path: Path
) -> None:
    assert site.clock.now().date() < NEXT
    (tmp_path / "14-any.sql").write_text(ANY, "utf-8")

    end = await tried(terminal, database_url, tmp_path)

    assert (end.code, "of 0 lines 0 are matched now" in end.out) == (0, True), end.said
