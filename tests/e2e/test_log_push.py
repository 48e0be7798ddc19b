"""Checkpoints at another body: each hour's arrives, or doctor says why; none breaks the line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import Response
from front_door import AGENCY, Site, free_port
from receipt_days import pay_many
from sqlalchemy import text

from gateway.entry import doctor_receipts
from gateway.entry.doctor_finding import Finding
from gateway.entry.settings import SettingError, read_settings
from gateway.entry.web.serving import serving
from gateway.infra.wire import GuardedWire
from receipts.log.push import NotPushedError, Push


async def issue(site: Site, count: int = 1) -> None:
    await pay_many(site, count, branch="online")
    await site.parts.receipts.issue()


def pushing(site: Site, place: str) -> Push:
    """Push there, by the guarded wire, as the settings would."""
    return replace(site.parts.push, place=place, wire=GuardedWire(frozenset({place})))


async def said(site: Site, place: str) -> Finding:
    """Ask doctor about the log."""
    settings = replace(site.parts.settings, log_push=place)
    return await doctor_receipts.log(replace(site.parts, settings=settings))


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in (folder / AGENCY).iterdir())


async def test_each_hours_checkpoint_is_put_into_a_folder_once(site: Site, tmp_path: Path) -> None:
    push = pushing(site, str(tmp_path))
    assert await push.run() == "0 pushed", "a log that is empty has signed nothing"
    await issue(site)
    assert await push.run() == "1 pushed"
    await issue(site, 2)
    assert await push.run() == "0 pushed", "not an hour later"
    site.clock.move(timedelta(hours=1))
    assert [await push.run(), await push.run()] == ["1 pushed", "0 pushed"]

    assert names(tmp_path) == ["000000000001", "000000000003"]
    note = (tmp_path / AGENCY / "000000000003").read_text("utf-8")
    assert note == await site.parts.receipts.journal.checkpoint(AGENCY)
    assert await site.parts.push.run() == "nowhere to push to"
    assert (await said(site, "")).is_right


async def test_what_does_not_arrive_is_tried_again_and_doctor_says_why(
    site: Site, tmp_path: Path
) -> None:
    place = tmp_path / "file"
    place.write_text("", "utf-8")
    push = pushing(site, str(place))
    await issue(site)
    with pytest.raises(NotPushedError, match=AGENCY):
        await push.run()
    assert (await said(site, str(place))).is_right, "it has three hours"
    site.clock.move(timedelta(hours=3, seconds=1))
    found = await said(site, str(place))
    assert not found.is_right
    assert "Not a directory" in found.said
    place.unlink()

    assert await push.run() == "1 pushed"

    assert (await said(site, str(place))).is_right
    assert names(place) == ["000000000001"]


async def test_a_log_that_forked_is_not_pushed_over_its_own_past(
    site: Site, tmp_path: Path
) -> None:
    """After a backup was restored, or the log written anew: the other body's copy stays."""
    push = pushing(site, str(tmp_path))
    await issue(site, 3)
    await push.run()
    before = (tmp_path / AGENCY / "000000000003").read_text("utf-8")
    empty = [f"ALTER TABLE {t} DISABLE TRIGGER USER" for t in ("log_leaf", "log_checkpoint")]
    empty += ["DELETE FROM log_push", "DELETE FROM log_checkpoint", "DELETE FROM log_leaf"]
    await site.as_owner(*empty, "UPDATE receipt SET leaf_index = NULL, xml = NULL, pdf = NULL"
                                " WHERE number = 3",
                        "UPDATE receipt SET leaf_index = NULL, xml = xml || '\\x20'"
                        " WHERE number < 3")  # fmt: skip

    await site.parts.receipts.journal.append()
    with pytest.raises(NotPushedError):
        await push.run()
    assert "older than it was" in await trouble(site)
    await site.parts.receipts.issue()
    with pytest.raises(NotPushedError):
        await push.run()

    assert "written anew" in await trouble(site)
    assert (tmp_path / AGENCY / "000000000003").read_text("utf-8") == before


async def trouble(site: Site) -> str:
    async with site.parts.store.begin() as tx:
        row = await tx.row(text("SELECT trouble FROM log_push"))
    assert row is not None
    return str(row["trouble"])


@dataclass
class Archive:
    """Another body's address: it keeps what is put, when it is in the mood."""

    kept: dict[str, bytes] = field(default_factory=dict)
    status: int = 204

    @asynccontextmanager
    async def at(self, port: int) -> AsyncIterator[str]:
        app = FastAPI()

        @app.put("/{path:path}")
        async def put(path: str, request: Request) -> Response:
            if self.status < 300:
                self.kept[path] = await request.body()
            return Response(status_code=self.status)

        async with serving(app, port):
            yield f"http://127.0.0.1:{port}"


async def test_a_checkpoint_is_put_at_an_address_through_the_guarded_wire(site: Site) -> None:
    archive = Archive(status=503)
    await issue(site)
    async with archive.at(free_port()) as address:
        push = pushing(site, f"{address}/log")
        with pytest.raises(NotPushedError):
            await replace(push, wire=GuardedWire()).run()
        assert "not on the public Internet" in await trouble(site)
        push = replace(push, wire=GuardedWire(frozenset({address})))
        with pytest.raises(NotPushedError):
            await push.run()
        assert "answered 503" in await trouble(site)
        archive.status = 204
        assert await push.run() == "1 pushed"

    note = await site.parts.receipts.journal.checkpoint(AGENCY)
    assert archive.kept == {f"log/{AGENCY}/000000000001": note.encode()}


@pytest.mark.parametrize(
    ("given", "kept"),
    [("", ""), ("/srv/log", "/srv/log"), ("https://a.example.vn/x/", "https://a.example.vn/x"),
     ("http://127.0.0.1:9", "http://127.0.0.1:9"), ("http://a.example.vn", None),
     ("srv/log", None), ("ftp://a.example.vn", None), ("https://u:p@a.example.vn", None),
     ("https://a.example.vn/?x=1", None)],
)  # fmt: skip
def test_a_place_is_a_folder_or_an_address_that_nobody_can_read_on_the_way(
    given: str, kept: str | None
) -> None:
    if kept is None:
        with pytest.raises(SettingError, match="THUPHI_LOG_PUSH"):
            read_settings({"THUPHI_LOG_PUSH": given}, ())
        return
    assert read_settings({"THUPHI_LOG_PUSH": given}, ()).log_push == kept
