"""A period's receipts in one file: with the log's key and a certificate, nothing else is needed."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import KEY, Ended, Terminal
from front_door import AGENCY, Site
from receipt_days import pay_many

from receipts.archive import MANIFEST

Files = dict[str, bytes]


async def export(site: Site, terminal: Terminal, url: str, name: str) -> Ended:
    return await terminal.run(
        "receipts", "export", "--agency", AGENCY, "--from", "2026-11-18", "--to", "2026-11-18",
        name, DATABASE_URL=url, MASTER_KEY=KEY, CLOCK=site.clock.now().isoformat(),
        HIGH_WATER_DIR=str(site.parts.settings.high_water_dir),
    )  # fmt: skip


def rewritten(path: Path, change: Callable[[Files, dict[str, str]], None]) -> None:
    """Write the archive anew, with a manifest that agrees with whatever was done to it."""
    with zipfile.ZipFile(path) as file:
        files = {n: file.read(n) for n in file.namelist()}
    said = json.loads(files.pop(MANIFEST))
    change(files, said["files"])
    files[MANIFEST] = json.dumps(said).encode()
    with zipfile.ZipFile(path.with_name("other.zip"), "w") as file:
        for name, content in files.items():
            file.writestr(name, content)


def drop(number: int) -> Callable[[Files, dict[str, str]], None]:
    def change(files: Files, digests: dict[str, str]) -> None:
        for name in [n for n in files if f"_{number:08}." in n]:
            del files[name], digests[name]

    return change


def alter(files: Files, _: dict[str, str]) -> None:
    name = "receipts/EBL01_26TAA_00000002.pdf"
    files[name] += b"%"


def swap(files: Files, digests: dict[str, str]) -> None:
    one, two = (f"receipts/EBL01_26TAA_0000000{n}.tlog-proof" for n in (1, 2))
    files[one], files[two] = files[two], files[one]
    digests[one], digests[two] = digests[two], digests[one]


async def test_a_period_is_exported_and_checked_offline(
    site: Site, terminal: Terminal, database_url: str
) -> None:
    await pay_many(site, 3, branch="online")
    assert (await export(site, terminal, database_url, "early.zip")).code == 2, "no log yet"
    await site.parts.receipts.issue()
    await pay_many(site, 2, branch="tay-ho")
    await site.parts.receipts.issue()
    for name in ("a.zip", "b.zip"):
        end = await export(site, terminal, database_url, name)
        assert (end.code, end.said) == (0, "")
    again = await export(site, terminal, database_url, "a.zip")
    folder = terminal.folder
    (folder / "signer.pem").write_text(await site.parts.receipts.certificate(AGENCY), "utf-8")
    key = await site.parts.receipts.journal.key(AGENCY)
    (folder / "log-key").write_text(key.text(), "utf-8")

    whole = ("--trust", "signer.pem", "--log-key", "log-key")
    found = await terminal.run("verify", "a.zip", *whole)

    assert (folder / "a.zip").read_bytes() == (folder / "b.zip").read_bytes()
    assert (again.code, "there already" in again.said) == (2, True)
    assert found.code == 0, found.out
    assert "All 5 receipts are whole, numbered without a gap" in found.out
    assert (await terminal.run("verify", "a.zip", *whole[:2])).code == 3, "the log's key by hand"
    assert (await terminal.run("verify", "a.zip", *whole[2:])).code == 3, "the signer by hand"
    for change, said in (
        (drop(2), "EBL01 26TAA 2 is missing"), (alter, "is not what the manifest says"),
        (swap, "does not lead"), (drop(3), "counts other receipts"),
        (lambda files, _: files.update(x=b""), "other files"),
    ):  # fmt: skip
        rewritten(folder / "a.zip", change)
        wrong = await terminal.run("verify", "other.zip", *whole)
        assert wrong.code == 1, said
        assert said in wrong.out


async def test_what_is_not_drawn_yet_is_waited_for(
    site: Site, terminal: Terminal, database_url: str
) -> None:
    await pay_many(site, 1, branch="online")
    await site.parts.receipts.issue()
    await site.as_owner("UPDATE receipt SET pdf = NULL")

    end = await export(site, terminal, database_url, "a.zip")

    assert end.code == 2
    assert "EBL01 26TAA 1 is not sealed, logged and drawn yet" in end.said
    assert list(terminal.folder.glob("*zip*")) == []


async def test_a_receipt_that_came_while_it_was_written_is_not_half_in(
    site: Site, terminal: Terminal, database_url: str
) -> None:
    """The checkpoint that everything is proved in does not know it."""
    await pay_many(site, 1, branch="online")
    await site.parts.receipts.issue()
    await pay_many(site, 1, branch="online")
    await site.parts.receipts.issue()
    await site.as_owner("ALTER TABLE log_checkpoint DISABLE TRIGGER USER")
    await site.as_owner("DELETE FROM log_checkpoint WHERE size = 2")

    end = await export(site, terminal, database_url, "a.zip")

    assert (end.code, list(terminal.folder.iterdir())) == (2, [])
    assert "EBL01 26TAA 2 was issued while this was written: try again" in end.said


@pytest.mark.parametrize(
    "manifest",
    [b"[" * 100_000, b"[]", b"{}", b'{"version": "thuphi-receipts-1", "files": [], "receipts": 1}',
     b'{"version": "thuphi-receipts-1", "files": {}, "receipts": 0, "from": 1, "to": "x"}'],
)  # fmt: skip
async def test_a_file_that_is_no_archive_is_said_to_be_none(
    terminal: Terminal, manifest: bytes
) -> None:
    with zipfile.ZipFile(terminal.folder / "x.zip", "w") as file:
        file.writestr(MANIFEST, manifest)
    whole = (terminal.folder / "x.zip").read_bytes()
    (terminal.folder / "cut.zip").write_bytes(b"PK\x03\x04nothing")
    # The bit that says «encrypted», in both of the file's heads.
    locked = whole.replace(b"PK\x03\x04\x14\0\0", b"PK\x03\x04\x14\0\x01")
    locked = locked.replace(b"PK\x01\x02\x14\x03\x14\0\0", b"PK\x01\x02\x14\x03\x14\0\x01")
    assert locked != whole
    (terminal.folder / "locked.zip").write_bytes(locked)

    for name in ("x.zip", "cut.zip", "locked.zip"):
        end = await terminal.run("verify", name)
        assert (end.code, "It is not an archive of receipts" in end.said) == (2, True), end
