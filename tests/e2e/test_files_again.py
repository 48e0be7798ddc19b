"""A file that was refused may be brought again, and one may be read by a profile of one's own."""

import json
from argparse import Namespace
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
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
from gateway.entry.web import api_files
from gateway.services.agencies import Agencies
from gateway.services.seed import seed

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


async def keyed(site: Site, agency: str = AGENCY, *, may_bring: bool = True) -> dict[str, str]:
    """Give what a client sends with each call."""
    _, key = await site.parts.access.add_client(
        f"kế toán {agency} {may_bring}", agency, may_price=False, return_origins=[],
        may_bring_files=may_bring,
    )  # fmt: skip
    return {"authorization": f"Bearer {key}"}


async def test_a_program_brings_a_file_and_hears_what_became_of_it(site: Site) -> None:
    """The same key and bytes give the same answer; another agency sees nothing of it."""
    await seed(site.parts.store, live=True)
    await coded(site, "1057758")
    ours, content = await keyed(site), written("treasury", {})
    place = f"/v1/files?profile={PROFILE}&name=kho%20bạc.csv"
    bring = partial(site.http.post, place, content=content)

    first = await bring(headers=ours | {"idempotency-key": "1"})
    again = await bring(headers=ours | {"idempotency-key": "1"})
    await reconciliation(site).intake.take_all()
    told = f"/v1/files/{first.json()['id']}"
    refused = (await site.http.get(told, headers=ours)).json()
    await coded(site, "1057757")
    site.clock.move(timedelta(seconds=1))
    waiting = await bring(headers=ours | {"idempotency-key": "2"})
    await reconciliation(site).intake.take_all()
    taken = (await site.http.get(told, headers=ours)).json()

    assert (first.status_code, first.json()["state"]) == (201, "queued")
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert "agency_code is another agency's" in refused["refusal"]
    assert (waiting.json()["state"], waiting.json()["refusal"]) == ("queued", None)
    assert (taken["state"], taken["lines"], taken["totals"][0]["sum"]) == ("taken", 1, 10_000)
    theirs = await keyed(site, "hn-tthcc")
    assert (await site.http.get(told, headers=theirs)).status_code == 404
    said = await rows(site, "SELECT DISTINCT actor FROM audit WHERE action LIKE 'file.%'")
    assert [x["actor"].partition(":")[0] for x in said] == ["client"]


@pytest.mark.parametrize(
    ("may", "place", "content", "key", "says"),
    [
        (False, "profile=canonical-treasury&name=a.csv", b"x", "1", "/problems/forbidden"),
        (True, f"profile={PROFILE}&name=a", b"x", "", "/problems/idempotency-key-missing"),
        (True, "profile=vcb&name=a.csv", b"x", "1", "/problems/invalid-request"),
        (True, "profile=canonical-treasury&name=a%07", b"x", "1", "/problems/invalid-request"),
        (True, "profile=canonical-treasury&name=a.csv", b"", "1", "/problems/invalid-request"),
    ],
)  # fmt: skip
async def test_a_file_that_may_not_be_brought_is_kept_nowhere(
    site: Site, may: bool, place: str, content: bytes, key: str, says: str
) -> None:
    headers = await keyed(site, may_bring=may) | {"idempotency-key": key}

    answer = await site.http.post(f"/v1/files?{place}", content=content, headers=headers)

    assert answer.json()["type"] == says
    assert await rows(site, "SELECT id FROM statement_file") == []
    looked = await site.http.get("/v1/files/fil_1", headers=headers)
    assert looked.status_code == (404 if may else 403)


async def test_a_body_longer_than_any_file_is_cut_off(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_files, "file_bytes_max", 1_000)
    headers = await keyed(site) | {"idempotency-key": "1"}

    answer = await site.http.post(
        f"/v1/files?profile={PROFILE}&name=a.csv", content=b"x" * 1_001, headers=headers
    )

    assert answer.status_code == 413
    assert await rows(site, "SELECT id FROM statement_file") == []
