"""Files come from folders and banks' servers by themselves, and one that does not come is seen."""

import json
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from commands import KEY, Ended, Terminal
from delivered import HEADER, PROFILE, breaks, folder_of, looked, opened, rows, statement, wanted
from front_door import AGENCY, Site
from sftp_bank import Bank, open_bank

from gateway.entry.doctor import sources as look_at_sources
from gateway.entry.reconciling import collecting_of, intake_of, sources_of
from gateway.services.sweeps import SweepError
from reconciliation.places import Folder


@pytest_asyncio.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    async with open_bank(tmp_path / "bank") as there:
        yield there


async def test_a_folder_is_watched_and_each_file_is_taken_once(site: Site, tmp_path: Path) -> None:
    """One that still grows is left alone; what it was does not count as another file."""
    collecting = await opened(site, folder_of(tmp_path))
    path = tmp_path / "SK_1.csv"
    path.write_bytes(HEADER.encode())
    (tmp_path / "notes.txt").write_text("no statement")
    (tmp_path / "SK_link.csv").symlink_to("/etc/passwd")
    (tmp_path / "SK_dir.csv").mkdir()

    await collecting.run()
    path.write_bytes(statement("2026-11-17"))
    await collecting.run()
    assert await rows(site, "SELECT * FROM statement_file") == [], "it had just changed"

    assert await looked(site, collecting) == [("SK_1.csv", "taken")]
    assert await looked(site, collecting_of(site.parts)) == [("SK_1.csv", "taken")], "a new worker"
    (line,) = await rows(site, "SELECT * FROM statement_line")
    assert line["net"] == 10_000
    (kept,) = await rows(site, "SELECT * FROM source_file")
    assert kept["file_id"]
    (audit,) = await rows(site, "SELECT * FROM audit WHERE action = 'file.add'")
    assert audit["actor"] == "source:sao-ke"


async def test_a_name_that_is_not_utf8_and_a_file_that_went_away_stop_no_other(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that went between the look and the reading is trouble, until the next look."""
    collecting = await opened(site, folder_of(tmp_path))
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/SK_\xff.csv")
    gone = tmp_path / "SK_2.csv"
    for n, path in enumerate((Path(odd), gone, tmp_path / "SK_3.csv")):
        path.write_bytes(statement("2026-11-17", n))
    await collecting.run()
    read = Folder.read

    async def late(place: Folder, name: str, limit: int) -> bytes:
        gone.unlink(missing_ok=True)
        return await read(place, name, limit)

    monkeypatch.setattr(Folder, "read", late)
    with pytest.raises(SweepError):
        await collecting.run()

    (row,) = await sources_of(site.parts).shown(AGENCY)
    assert row["trouble"] == "looking at it failed: the worker's log says why"
    taken = [("SK_3.csv", "taken"), ("SK_?.csv", "taken")]
    assert sorted(await looked(site, collecting)) == taken
    (row,) = await sources_of(site.parts).shown(AGENCY)
    assert row["trouble"] is None


async def test_a_file_that_is_late_is_a_break_until_it_comes(site: Site, tmp_path: Path) -> None:
    """Wednesday 18 November: due at 08:30. Saturday, Sunday and Tuesday 24 are no working days."""
    collecting = await opened(site, folder_of(tmp_path))
    await collecting.run()
    assert await breaks(site) == [], "it is 08:00"

    site.clock.move(timedelta(minutes=31))
    await collecting.run()
    said = "no file came from sao-ke by 08:30"
    assert await breaks(site) == [("2026-11-18", "open", said)]
    (row,) = await sources_of(site.parts).shown(AGENCY)
    assert row["late_since"].isoformat() == "2026-11-18"

    (tmp_path / "SK_18.csv").write_bytes(statement("2026-11-17"))
    await looked(site, collecting)
    assert await breaks(site) == [("2026-11-18", "resolved", said)]
    assert (await look_at_sources(site.parts)).is_right

    site.clock.move(timedelta(days=1))
    await collecting.run()
    assert [b[:2] for b in await breaks(site)] == [
        ("2026-11-18", "resolved"), ("2026-11-19", "open"),
    ], "yesterday's file, though late, is not today's"  # fmt: skip
    (tmp_path / "SK_19.csv").write_bytes(statement("2026-11-18"))
    await looked(site, collecting)
    (tmp_path / "SK_20.csv").write_bytes(statement("2026-11-19"))
    await looked(site, collecting)
    site.clock.move(timedelta(days=3))
    await collecting.run()
    assert {b[1] for b in await breaks(site)} == {"resolved"}, "Friday's came on Thursday"
    site.clock.move(timedelta(days=1))
    await collecting.run()
    assert [b[0] for b in await breaks(site) if b[1] == "open"] == ["2026-11-23"]


async def test_a_file_that_cannot_be_read_is_as_good_as_none(site: Site, tmp_path: Path) -> None:
    collecting = await opened(site, folder_of(tmp_path))
    (tmp_path / "SK_1.csv").write_bytes(b"not,a,header\n")

    assert await looked(site, collecting) == [("SK_1.csv", "refused")]
    site.clock.move(timedelta(hours=1))
    await collecting.run()
    ((_, state, why),) = await breaks(site)
    assert (state, why[:41]) == ("open", "the file from sao-ke cannot be read: Line")

    (tmp_path / "SK_1.csv").write_bytes(statement("2026-11-17"))
    await looked(site, collecting)
    assert [b[1] for b in await breaks(site)] == ["resolved"]


async def test_what_is_brought_by_hand_counts_for_a_source_of_its_kind(site: Site) -> None:
    collecting = await opened(site, wanted("upload", {}))
    site.clock.move(timedelta(hours=1))
    await collecting.run()
    assert [b[1] for b in await breaks(site)] == ["open"]

    await intake_of(site.parts).store(AGENCY, PROFILE, "x.csv", statement("2026-11-17"), "staff:an")
    await looked(site, collecting)

    assert [b[1] for b in await breaks(site)] == ["resolved"]


async def test_a_file_that_lies_there_again_counts_for_no_second_day(
    site: Site, tmp_path: Path
) -> None:
    """Under another name it is the same file; and who closes the source waits for none."""
    collecting = await opened(site, folder_of(tmp_path))
    site.clock.move(timedelta(hours=1))
    (tmp_path / "SK_1.csv").write_bytes(statement("2026-11-18"))
    await looked(site, collecting)
    site.clock.move(timedelta(days=1))
    (tmp_path / "SK_2.csv").write_bytes(statement("2026-11-18"))
    await looked(site, collecting)
    days = {r["due_on"] for r in await rows(site, "SELECT * FROM source_file")}
    assert len(days) == 1
    late = [b for b in await breaks(site) if b[1] == "open"]
    assert len(late) == 1

    await sources_of(site.parts).close(AGENCY, "sao-ke", "staff:test")

    assert {b[1] for b in await breaks(site)} == {"resolved"}


@pytest.fixture
def files(tmp_path: Path, bank: Bank) -> Path:
    """Give a folder with what the command reads."""
    (tmp_path / "key").write_bytes(bank.user_key)
    (tmp_path / "host").write_text(bank.host_key)
    (tmp_path / "in").mkdir()
    return tmp_path


@pytest.mark.usefixtures("site")
async def test_an_operator_opens_tests_lists_and_closes_them(
    terminal: Terminal, database_url: str, bank: Bank, files: Path
) -> None:
    async def run(words: str) -> Ended:
        return await terminal.run(*words.split(), DATABASE_URL=database_url, MASTER_KEY=KEY)

    ours = f"--agency {AGENCY}"
    server = f"--kind sftp --host 127.0.0.1 --port {bank.port} --user kho-bac --path /out"
    add = f"sources add kho-bac {ours} {server} --profile canonical-treasury --due 09:00"
    for words, said in (
        (add, "wants --host, --user, --host-key and --secret"),
        (f"{add} --host-key {files}/key --secret {files}/key", "is not a public key"),
        (f"{add} --host-key {files}/none --secret {files}/key", "cannot be read (No such file"),
        (add.replace("09:00", "9h"), "HH:MM"),
        (add.replace("kho-bac ", "KHO_BAC "), "A source's name is"),
        (add.replace("canonical-treasury", "nope"), "The profiles are"),
        (f"sources add x {ours} --kind folder --path in --profile {PROFILE} --due 09:00", "root"),
        (f"sources add x {ours} --kind folder --path /no --profile {PROFILE} --due 09:00",
         "no folder here"),
        (f"sources close x {ours}", "There is no source x"),
    ):  # fmt: skip
        keys = f" --host-key {files}/host --secret {files}/key"
        is_whole = "--host-key" in words or "wants" in said or "close" in words
        full = words if is_whole else words + keys
        end = await run(full)
        assert (end.code, said in end.said) == (2, True), (words, end)

    end = await run(f"{add} --host-key {files}/host --secret {files}/key")
    assert end.code == 0, end.said
    assert "thuphi sources test kho-bac" in end.out
    assert (await run(f"{add} --host-key {files}/host --secret {files}/key")).code == 2
    (bank.folder / "a.csv").write_bytes(b"x")
    tried = json.loads((await run(f"sources test kho-bac {ours} --json")).out)
    assert [f["name"] for f in tried["files"]] == ["a.csv"]
    assert (await run("sources collect")).code == 0
    (listed,) = json.loads((await run(f"sources list {ours} --json")).out)["sources"]
    assert (listed["source"], listed["trouble"], bool(listed["came_at"])) == ("kho-bac", None, True)
    assert (await run(f"sources close kho-bac {ours}")).code == 0
    assert json.loads((await run("sources list --json")).out) == {"sources": []}
