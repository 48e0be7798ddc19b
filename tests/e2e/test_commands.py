"""What the command line refuses, it refuses in one sentence and before anything is written."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from front_door import AGENCY, Site
from sqlalchemy import text

from gateway.services.seed import seed


async def thuphi(database_url: str, folder: Path, *words: str, **more: str) -> tuple[int, str]:
    """Run one command as a person would; give its exit code and what it said to them."""
    settings = {
        "THUPHI_DATABASE_URL": database_url, "THUPHI_DATA_DIR": str(folder),
        "THUPHI_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", **more,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.entry.cli", *words, env=os.environ | settings,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    return process.returncode or 0, said.decode()


@pytest.mark.parametrize(
    ("option", "value"),
    [("--webhook", "https://hook.example.vn:99999/"), ("--webhook", "https://[bad"),
     ("--webhook", f"https://{'a' * 70}.example.vn/"), ("--webhook", "ftp://x"),
     ("--webhook", "https://u:p@x.vn/"), ("--webhook", "not a url"),
     ("--return-origin", "dvc.example.vn"), ("--return-origin", "https://dvc.example.vn/path"),
     ("--return-origin", "https://dvc.example.vn?x"), ("--return-origin", "https://a..b")],
)  # fmt: skip
async def test_an_address_that_cannot_be_reached_is_not_taken(
    site: Site, database_url: str, tmp_path: Path, option: str, value: str
) -> None:
    """A webhook that nobody can ever send would wait for ever, and be seen by nobody."""
    code, said = await thuphi(
        database_url, tmp_path, "clients", "add", "x", "--agency", AGENCY, option, value
    )

    assert (code, "Traceback" in said) == (2, False)
    assert f"argument {option}: it must be like https://dvc.example.vn" in said
    async with site.parts.store.begin() as tx:
        assert await tx.row(text("SELECT id FROM client WHERE name = 'x'")) is None


async def test_an_origin_is_kept_as_browsers_write_it(
    site: Site, database_url: str, tmp_path: Path
) -> None:
    code, said = await thuphi(
        database_url, tmp_path, "clients", "add", "x", "--agency", AGENCY,
        "--return-origin", "https://DVC.example.vn:8443/",
    )  # fmt: skip

    assert code == 0, said
    async with site.parts.store.begin() as tx:
        row = await tx.row(text("SELECT return_origins FROM client WHERE name = 'x'"))
    assert row == {"return_origins": ["https://dvc.example.vn:8443"]}


async def test_a_test_clock_stops_the_start_where_there_is_a_live_agency(
    site: Site, database_url: str, tmp_path: Path
) -> None:
    """CONTRACT 1: money that was really paid is never dated by a clock that somebody set."""
    clock = {"THUPHI_CLOCK": "2026-11-18T01:00:00Z"}
    sandbox = await thuphi(database_url, tmp_path, "migrate", **clock)
    await seed(site.parts.store, live=True)

    live = await thuphi(database_url, tmp_path, "serve", "--port", "1", **clock)

    assert sandbox[0] == 0, sandbox
    assert live == (
        2, "thuphi: THUPHI_CLOCK is set, and hn-tthcc is a live agency: remove the test clock.\n",
    )  # fmt: skip
