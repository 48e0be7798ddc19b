"""The tax authority hears of each receipt once, on its day, or as a broken line's rules say."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from east_bank import rows
from front_door import AGENCY, Site, free_port
from lxml import etree
from officers import send, signed_in
from receipt_days import pay_many
from signxml import XMLVerifier
from starlette.applications import Starlette

from adapters.simulator.authority import AuthoritySide, Mood, secret, user
from gateway.domain.errors import Refusal
from gateway.entry.web.serving import serving
from receipts.authority import Authority, days_of, tone
from receipts.corrections import Corrections, Wanted
from receipts.seal import open_seal
from receipts.summary import TAIL
from receipts.transmission import due_after_repair, pause_s_max
from reconciliation.readers.xlsx import sheet_rows


@dataclass
class Desk:
    """A site, the authority's side on a socket, and the agency's line to it."""

    site: Site
    side: AuthoritySide
    origin: str

    @property
    def authority(self) -> Authority:
        return Authority(self.site.parts.store, self.site.parts.vault)

    async def connect(self, kind: str, **values: str) -> None:
        paths = {"https": "/authority/messages", "vnpt": "/authority/vnpt",
                 "viettel": "/authority/viettel"}  # fmt: skip
        given = {"url": f"{self.origin}{paths.get(kind, '')}", "user": user, "secret": secret}
        await self.authority.connect(AGENCY, kind, given | values, "test")

    async def receipts(self, count: int = 3) -> None:
        await pay_many(self.site, count)
        while await self.site.parts.receipts.issue():
            pass

    async def run(self) -> None:
        await self.site.parts.transmission.run()

    async def messages(self) -> list[dict[str, Any]]:
        return await rows(self.site, "SELECT * FROM transmission ORDER BY made_at, part")


@pytest_asyncio.fixture
async def desk(site: Site) -> AsyncIterator[Desk]:
    side, port = AuthoritySide(), free_port()
    async with serving(Starlette(routes=list(side.routes())), port):
        yield Desk(site, side, f"http://127.0.0.1:{port}")


async def test_a_day_is_told_once_each_hour_and_sealed(desk: Desk) -> None:
    """Each receipt is in one message, signxml agrees with its seal, and the sums are the day's."""
    await desk.connect("https")
    await desk.receipts(3)
    await desk.run()
    await desk.receipts(2)
    await desk.run()
    (first,) = await desk.messages()
    desk.site.clock.move(timedelta(hours=1))
    await desk.run()

    _, second = await desk.messages()
    assert [(m["count"], m["amount"], m["part"], m["state"]) for m in (first, second)] == [
        (3, 30_000, 1, "accepted"), (2, 20_000, 2, "accepted"),
    ]  # fmt: skip
    assert second["reference"].startswith("CQT-")
    assert second["due_at"] == datetime(2026, 11, 18, 17, tzinfo=UTC), "the end of the Hanoi day"
    told = [row for m in desk.side.told.values() for row in m["rows"]]
    assert len({(x["KHBLai"], x["SBLai"]) for x in told}) == len(told) == 5
    assert {x["TThai"] for x in told} == {"moi"}
    assert {x["TKThu"] for x in told} == {"Lệ phí đăng ký cư trú"}
    xml = bytes(second["xml"])
    _, certificate = open_seal(xml, TAIL)
    pem = await desk.site.parts.receipts.certificate(AGENCY)
    XMLVerifier().verify(etree.fromstring(xml), x509_cert=pem)
    schema = etree.XMLSchema(etree.parse("receipts/bang-tong-hop-1.xsd"))
    schema.assertValid(etree.fromstring(xml))
    assert certificate
    with pytest.raises(Exception, match="changed"):
        open_seal(xml.replace(b"10000", b"10001", 1), TAIL)


async def test_the_last_minutes_of_a_day_wait_for_no_hour(desk: Desk) -> None:
    await desk.connect("https")
    desk.site.clock.move(datetime(2026, 11, 18, 16, 35, tzinfo=UTC) - desk.site.clock.now())
    for _ in range(3):
        await desk.receipts(1)
        await desk.run()
        desk.site.clock.move(timedelta(minutes=5))

    assert [m["count"] for m in await desk.messages()] == [1, 1, 1]


async def test_a_broken_line_is_told_and_gives_three_working_days(desk: Desk) -> None:
    """18 November is a Wednesday; the repair comes on Friday 20: Saturday, Sunday and 24 rest."""
    await desk.connect("https")
    desk.side.mood = Mood.AWAY
    await desk.receipts(2)
    await desk.run()
    (held,) = await desk.messages()
    assert (held["state"], held["accepted_at"]) == ("in_doubt", None)
    (outage,) = await rows(desk.site, "SELECT * FROM outage")
    desk.site.clock.move(timedelta(days=2))
    assert (await desk.authority.standing(AGENCY)).messages[0]["tone"] == "held"
    assert await desk.authority.late() == {}

    desk.side.mood = Mood.WELL
    await desk.run()

    (sent,) = await desk.messages()
    assert sent["state"] == "accepted"
    (repaired,) = await rows(desk.site, "SELECT * FROM outage")
    assert repaired["ended_at"] is not None
    assert repaired["id"] == outage["id"]
    assert len(desk.side.told) == 1
    at = datetime(2026, 11, 20, 3, tzinfo=UTC)
    assert due_after_repair(held["told_on"], at) == datetime(2026, 11, 26, 17, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["https", "vnpt", "viettel"])
async def test_what_may_have_arrived_is_sent_again_and_counts_once(desk: Desk, kind: str) -> None:
    await desk.connect(kind)
    await desk.receipts(3)
    desk.side.mood = Mood.SILENT
    await desk.run()
    (doubtful,) = await desk.messages()
    assert doubtful["state"] == "in_doubt"
    desk.side.mood = Mood.WELL
    desk.site.clock.move(timedelta(seconds=pause_s_max))
    await desk.run()

    (sent,) = await desk.messages()
    assert (sent["state"], sent["tries"]) == ("accepted", 2)
    assert len(desk.side.told) == (1 if kind == "https" else 3)


@pytest.mark.parametrize("kind", ["https", "vnpt", "viettel"])
async def test_what_is_refused_waits_for_a_person(desk: Desk, kind: str) -> None:
    await desk.connect(kind)
    await desk.receipts(1)
    desk.side.mood = Mood.STRICT
    await desk.run()
    await desk.run()
    (refused,) = await desk.messages()
    assert (refused["state"], refused["tries"], refused["ask_at"]) == ("refused", 1, None)
    assert refused["code"]

    desk.side.mood = Mood.WELL
    async with signed_in(desk.site, "accountant") as officer:
        shown = (await officer.get("/console/authority")).text
        await send(officer, "/console/authority", f"/console/authority/{refused['id']}/retry")
        copy = await officer.get(f"/console/authority/{refused['id']}")
    assert "Sắp quá hạn" in shown
    assert copy.content == bytes(refused["xml"])
    await desk.run()

    (sent,) = await desk.messages()
    assert sent["state"] == "accepted"
    with pytest.raises(Refusal):
        await desk.authority.retry(AGENCY, sent["id"], "staff:x")


async def test_a_replacement_and_a_wrong_word_are_told_as_what_they_are(desk: Desk) -> None:
    await desk.connect("https")
    await desk.receipts(1)
    (old,) = await rows(desk.site, "SELECT * FROM receipt")
    await desk.site.as_owner("UPDATE agency SET tax_code = '0109998887'")
    books = Corrections(desk.site.parts.store, desk.site.parts.vault)
    name = "Canary Nguyễn"
    for what in (
        Wanted("tax_code", "đổi mã", {}, ()),
        Wanted("text", "ghi nhầm", {"payer": name}, ()),
    ):
        asked = await books.ask(AGENCY, old["id"], what, "staff:a")
        await books.decide(AGENCY, asked, "staff:b", agree=True)
    await desk.site.parts.replacing.run()
    await desk.site.parts.receipts.issue()
    await desk.run()

    by_form = {m["form"]: m["rows"] for m in desk.side.told.values()}
    (new,) = [x for x in by_form["01/TH-BLDT"] if x["TThai"] == "thay_the"]
    assert (new["KHLQuan"], new["SLQuan"], new["GThich"]) == (
        old["series"], str(old["number"]), "tax_code",
    )  # fmt: skip
    (mistake,) = by_form["04/SS-CTDT"]
    assert (mistake["SCTu"], mistake["SSot"], mistake["LDo"]) == (
        str(old["number"]), "payer", "ghi nhầm",
    )  # fmt: skip
    schema = etree.XMLSchema(etree.parse("receipts/bang-tong-hop-1.xsd"))
    for message in desk.side.told.values():
        schema.assertValid(etree.fromstring(message["xml"]))
        assert name.encode() not in message["xml"]


async def test_a_folder_gets_whole_files_and_one_that_is_not_there_breaks_the_line(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.connect("folder", path=str(tmp_path / "away"))
    await desk.receipts(1)
    await desk.run()
    assert len(await rows(desk.site, "SELECT * FROM outage WHERE ended_at IS NULL")) == 1
    (tmp_path / "away").mkdir()
    desk.site.clock.move(timedelta(minutes=1))
    await desk.run()

    (file,) = (tmp_path / "away").iterdir()
    (sent,) = await desk.messages()
    assert file.read_bytes() == bytes(sent["xml"])
    assert file.name == sent["reference"]


async def test_a_line_needs_its_values_and_its_secret_is_sealed(desk: Desk) -> None:
    for kind, values in (("vnpt", {"url": "https://x.example.vn"}), ("pigeon", {}),
                         ("https", {"url": "ftp://x", "secret": "s"}), ("folder", {})):  # fmt: skip
        with pytest.raises(Refusal):
            await desk.authority.connect(AGENCY, kind, values, "test")
    with pytest.raises(Refusal):
        await desk.authority.connect("nowhere", "folder", {"path": "/x"}, "test")
    await desk.connect("https")
    (line,) = await rows(desk.site, "SELECT * FROM channel")
    assert secret.encode() not in bytes(line["values_sealed"])
    await desk.authority.connect(AGENCY, None, {}, "test")
    assert await rows(desk.site, "SELECT * FROM channel") == []


async def test_one_agency_without_a_key_silences_no_other(desk: Desk) -> None:
    await desk.connect("https")
    await desk.receipts(1)
    values = {"url": f"{desk.origin}/authority/messages", "secret": secret}
    await desk.site.as_owner(
        "INSERT INTO agency VALUES ('a-first', 'A', '0100000001', 'HN', '412', false, '{}')"
    )
    await desk.authority.connect("a-first", "https", values, "test")
    await desk.run()

    assert len(desk.side.told) == 1
    assert await desk.authority.silent() == []


async def test_the_use_of_a_quarter_adds_up(desk: Desk) -> None:
    await desk.receipts(4)
    now = desk.site.clock.now()
    used = await desk.authority.usage(AGENCY, "2026-Q4")
    assert sum(x["issued"] for x in used) == 4
    assert all(x["opening"] + x["issued"] == x["closing"] for x in used)
    assert await desk.authority.usage(AGENCY, "2026-Q3") == []
    assert days_of("2026-Q4")[1] - days_of("2026-Q4")[0] == timedelta(days=92)
    with pytest.raises(Refusal):
        await desk.authority.usage(AGENCY, "2026-Q5")
    message = {"state": "queued", "due_at": now + timedelta(hours=3)}
    assert tone(message, now, is_broken=False) == "calm"
    assert tone(message, now + timedelta(hours=1), is_broken=False) == "red"
    assert tone(message, now + timedelta(hours=3), is_broken=False) == "late"
    async with signed_in(desk.site, "auditor") as officer:
        page = (await officer.get("/console/usage?quarter=2026-Q4")).text
        file = await officer.get("/console/usage?quarter=2026-Q4&as=csv")
        sheet = await officer.get("/console/usage?quarter=2026-Q4&as=xlsx&lang=en")
    assert "Đã lập" in page
    assert file.content.startswith("\ufeffform,series".encode())
    titles, *used = (row for _, row in sheet_rows(sheet.content))
    assert (titles[:2], len(used)) == (["Form", "Series"], len(file.text.splitlines()) - 1)
