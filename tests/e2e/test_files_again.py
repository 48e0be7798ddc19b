"""A file that was refused may be brought again, and one may be read by a profile of one's own."""

import json
from argparse import Namespace
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from books import reconciliation, written
from front_door import AGENCY, Site
from httpx import AsyncClient
from officers import csrf, signed_in
from sqlalchemy import text
from statement_samples import ACCOUNT, OWN

from gateway.domain.errors import Refusal
from gateway.entry.cli_books import do_import
from gateway.services.agencies import Agencies

PROFILE = "canonical-treasury"


async def rows(site: Site, query: str) -> list[dict[str, Any]]:
    async with site.parts.store.begin() as tx:
        return [dict(r) for r in await tx.rows(text(query))]


async def brought(site: Site, desk: AsyncClient, content: bytes) -> dict[str, Any]:
    """Upload a file in the console, and read what waits; give what became of it."""
    answer = await desk.post(
        "/console/files", files={"file": ("a.csv", content)},
        data={"csrf": csrf((await desk.get("/console/days")).text), "profile": PROFILE},
    )  # fmt: skip
    assert answer.status_code == 303
    await reconciliation(site).intake.take_all()
    (kept,) = await rows(site, "SELECT state, refusal FROM statement_file")
    return kept


async def coded(site: Site, code: str) -> None:
    await Agencies(site.parts.store).change(AGENCY, {"treasury_code": code}, {}, "test")


async def test_a_refused_file_that_is_brought_again_in_the_console_is_read_again(
    site: Site,
) -> None:
    """What refused it was in the settings, and was put right; one that was taken stays so."""
    content = written("treasury", {})
    async with signed_in(site) as desk:
        await coded(site, "1057758")
        first = await brought(site, desk, content)
        await coded(site, "1057757")
        site.clock.move(timedelta(seconds=1))
        others = [await brought(site, desk, content) for _ in range(2)]

    assert "agency_code is another agency's" in first["refusal"]
    assert others == [{"state": "taken", "refusal": None}] * 2
    assert len(await rows(site, "SELECT id FROM statement_line")) == 1
    said = await rows(site, "SELECT action FROM audit WHERE action LIKE 'file.%' ORDER BY at, id")
    assert [x["action"] for x in said] == ["file.add", "file.again"]


def imported(site: Site, profile: Path, file: Path) -> Any:
    asked = Namespace(file=str(file), profile=str(profile), agency=AGENCY, json=True)
    return do_import(asked, nullcontext(site.parts))


async def test_a_file_is_imported_by_a_profile_of_ones_own_which_is_kept_beside_it(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, file = tmp_path / "ngan-hang.toml", tmp_path / "a.csv"
    own.write_text(OWN, "utf-8")
    file.write_text(f"{ACCOUNT};18/11/2026;1.000;x\n", "utf-8")

    assert await imported(site, own, file) == 0
    assert json.loads(capsys.readouterr().out)["new"] == 1

    (kept,) = await rows(site, "SELECT profile, state FROM statement_file")
    assert (kept["profile"].partition("#")[0], kept["state"]) == ("ngan-hang.toml", "taken")
    (said,) = await rows(site, "SELECT details FROM audit WHERE action = 'file.add'")
    assert said["details"] == {"profile": OWN}
    own.write_text(OWN.replace('"utf-8"', '"utf-8", "tcvn3"'), "utf-8")
    assert await imported(site, own, file) == 0  # Another version of it, and no line twice.
    assert json.loads(capsys.readouterr().out)["new"] == 0
    own.write_bytes(b"\xff")
    with pytest.raises(Refusal, match=r"The profile ngan-hang\.toml is not UTF-8"):
        await imported(site, own, file)
