"""``thuphi log export`` and ``audit``: whoever tampers with what, it is found and named."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from commands import KEY, Terminal
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from front_door import AGENCY, Site
from receipt_days import pay_many
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.errors import Refusal
from gateway.entry.bootstrap import Parts
from gateway.entry.cli import parser
from gateway.entry.cli_log import do_audit, do_export
from receipts.log.note import Checkpoint, LogKey
from receipts.log.tree import Growth
from receipts.seal import Signer
from receipts.xml import read_sealed, write

TABLES = ("receipt", "log_leaf", "log_checkpoint")
Way = Callable[..., Awaitable[list[str]]]


@dataclass
class Forger:
    """Somebody with the database in hand, and every key of ours."""

    db: AsyncConnection
    log_key: Ed25519PrivateKey
    origin: str
    signer: Signer

    async def rows(self, query: str) -> list[dict[str, Any]]:
        return [dict(r) for r in (await self.db.execute(text(query))).mappings()]

    async def run(self, statement: str, **values: Any) -> None:
        await self.db.execute(text(statement), values)

    async def receipts(self) -> list[dict[str, Any]]:
        """Give what is logged, in the log's order."""
        return await self.rows("SELECT * FROM receipt ORDER BY leaf_index")

    async def resign(self, row: dict[str, Any], **changes: Any) -> None:
        """Say something else on a receipt, and sign it with the agency's own key."""
        said = replace(read_sealed(bytes(row["xml"])), **changes)
        await self.run("UPDATE receipt SET xml = :xml WHERE id = :id",
                       xml=self.signer.seal(write(said)), id=row["id"])  # fmt: skip

    async def insert(self) -> None:
        """Make up a receipt like the first, with a number that comes next."""
        (last,) = await self.rows("SELECT * FROM receipt ORDER BY number DESC LIMIT 1")
        number = last["number"] + 1
        xml = self.signer.seal(write(replace(read_sealed(bytes(last["xml"])), number=number)))
        await self.run(
            "INSERT INTO receipt SELECT (jsonb_populate_record(r, jsonb_build_object("
            "'id', 'rcp_new', 'number', CAST(:n AS int), 'verify_code', 'new', 'token', 'new',"
            " 'kind', 'phi', 'leaf_index', NULL))).* FROM receipt r WHERE id = :like",
            n=number, like=last["id"],
        )  # fmt: skip
        await self.run("UPDATE receipt SET xml = :xml WHERE id = 'rcp_new'", xml=xml)
        await self.run("UPDATE series SET last_number = :n", n=number)

    async def forge(self, ids: list[str]) -> None:
        """Write the whole log anew over these receipts, and sign every checkpoint again."""
        sizes = [r["size"] for r in await self.rows("SELECT size FROM log_checkpoint")]
        await self.run("DELETE FROM log_leaf")
        await self.run("DELETE FROM log_checkpoint")
        tree = Growth()
        for n, receipt_id in enumerate(ids):
            await self.run("UPDATE receipt SET leaf_index = :n WHERE id = :id", n=n, id=receipt_id)
            (row,) = await self.rows(
                f"SELECT sha256(xml) AS d FROM receipt WHERE id = '{receipt_id}'"
            )
            await self.run(
                "INSERT INTO log_leaf VALUES (:agency, :n, :id, :d, :s, now())", agency=AGENCY, n=n,
                id=receipt_id, d=bytes(row["d"]), s=tree.add(bytes(row["d"])),
            )  # fmt: skip
            if n + 1 in sizes or n + 1 == len(ids):
                note = Checkpoint(self.origin, tree.size, tree.root).signed(self.log_key)
                await self.run("INSERT INTO log_checkpoint VALUES (:agency, :size, :root, :note,"
                               " now())", agency=AGENCY, size=tree.size, root=tree.root,
                               note=note)  # fmt: skip


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [r["id"] for r in rows]


async def alter(forger: Forger, rows: list[dict[str, Any]]) -> list[str]:
    await forger.run("UPDATE receipt SET xml = set_byte(xml, 700, get_byte(xml, 700) # 1)"
                     " WHERE leaf_index = 2")  # fmt: skip
    return ids(rows)


async def resign(forger: Forger, rows: list[dict[str, Any]]) -> list[str]:
    await forger.resign(rows[2], dossier_id="H26.14-261118-9999")
    return ids(rows)


async def drop(forger: Forger, rows: list[dict[str, Any]]) -> list[str]:
    await forger.run("DELETE FROM receipt WHERE leaf_index = 2")
    return [x for x in ids(rows) if x != rows[2]["id"]]


async def drop_the_last(forger: Forger, rows: list[dict[str, Any]]) -> list[str]:
    await forger.run("DELETE FROM receipt WHERE leaf_index = 5")
    return [x for x in ids(rows) if x != rows[5]["id"]]


async def insert(forger: Forger, rows: list[dict[str, Any]]) -> list[str]:
    await forger.insert()
    return [*ids(rows)[:3], "rcp_new", *ids(rows)[3:]]


async def insert_with_a_used_number(forger: Forger, rows: list[dict[str, Any]]) -> list[str]:
    """Behind the checkpoint, where the roots still agree: the number tells."""
    await forger.run("ALTER TABLE receipt DROP CONSTRAINT"
                     " uq_receipt_agency_id_form_series_number")  # fmt: skip
    await forger.insert()
    await forger.run("UPDATE receipt SET number = 3 WHERE id = 'rcp_new'")
    (new,) = await forger.rows("SELECT * FROM receipt WHERE id = 'rcp_new'")
    await forger.resign(new, number=3)
    return [*ids(rows), "rcp_new"]


async def swap(_: Forger, rows: list[dict[str, Any]]) -> list[str]:
    found = ids(rows)
    found[1], found[2] = found[2], found[1]
    return found


async def nothing(_: Forger, rows: list[dict[str, Any]]) -> list[str]:
    return ids(rows)


async def edit_the_row(forger: Forger, rows: list[dict[str, Any]]) -> list[str]:
    await forger.run("UPDATE receipt SET amount = 11000 WHERE leaf_index = 2")
    return ids(rows)


NAME = "rcp_2"  # Stands for the receipt that the forger was after.
WAYS: tuple[tuple[Way, bool, str, str], ...] = (
    (alter, False, NAME, "altered"),
    (alter, True, NAME, "altered"),
    (resign, False, NAME, "re-signed"),
    (resign, True, NAME, "re-signed"),
    (drop, False, NAME, "dropped"),
    (drop, True, NAME, "dropped"),
    (drop_the_last, True, "rcp_5", "dropped"),
    (insert, False, "rcp_new", "inserted"),
    (insert, True, "rcp_new", "inserted"),
    (insert_with_a_used_number, True, "rcp_new", "inserted"),
    (swap, True, "leaf 1", "moved"),
    (edit_the_row, False, NAME, "altered"),
)


async def run(site: Site, *words: str) -> int:
    """Run a command of the log's on this site."""
    args = parser().parse_args(["log", *words, "--json", "--agency", AGENCY])

    @asynccontextmanager
    async def opened(_: str) -> AsyncIterator[Parts]:
        yield site.parts

    work = do_export if words[0] == "export" else do_audit
    return await work(args, opened)


async def forger_of(site: Site, db: AsyncConnection) -> Forger:
    parts = site.parts
    async with parts.store.begin() as tx:
        book = await tx.row(text("SELECT * FROM receipt_log"))
    assert book is not None
    raw = parts.vault.open(f"receipt_log|{AGENCY}|key", bytes(book["key_sealed"]))
    (signer,) = (await parts.receipts.keys.all_of(AGENCY)).values()
    return Forger(db, Ed25519PrivateKey.from_private_bytes(raw), book["origin"], signer)


@asynccontextmanager
async def tampered(site: Site, way: Way, *, is_forged: bool) -> AsyncIterator[list[dict[str, Any]]]:
    """Tamper; give the receipts as they were; put everything back afterwards."""
    async with site.owner.begin() as db:
        forger = await forger_of(site, db)
        rows = await forger.receipts()
        order = await way(forger, rows)
        if is_forged:
            await forger.forge(order)
    yield rows
    await site.as_owner(
        *(f"DELETE FROM {table}" for table in reversed(TABLES)),
        *(f"INSERT INTO {table} SELECT * FROM kept_{table}" for table in TABLES),
    )


@pytest.fixture
async def exported(site: Site, tmp_path: Path) -> Path:
    """Issue six receipts, export, and issue two more; give the folder that somebody keeps."""
    await pay_many(site, 6, branch="online")
    await site.parts.receipts.issue()
    assert await run(site, "export", str(tmp_path / "kept")) == 0
    await pay_many(site, 2, branch="online")
    await site.parts.receipts.issue()
    await site.as_owner(
        *(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}" for table in TABLES),
        *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in TABLES),
        "ALTER TABLE log_leaf DROP CONSTRAINT fk_log_leaf_receipt",  # Owners can.
    )
    site.clock.move(timedelta(minutes=6))  # What is on its way to the log has arrived by now.
    return tmp_path / "kept"


async def test_each_way_to_tamper_is_found_and_named_though_all_is_signed_again(
    site: Site, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Altered, signed again, dropped, inserted, moved: crudely, and with the log forged anew."""
    capsys.readouterr()
    assert await run(site, "audit", "--checkpoint", str(exported)) == 0
    assert json.loads(capsys.readouterr().out) == {
        "log": f"{site.http.base_url.netloc.decode()}/log/{AGENCY}", "size": 6, "is_whole": True,
        "flaws": [],
    }  # fmt: skip

    for way, is_forged, whose, kind in WAYS:
        async with tampered(site, way, is_forged=is_forged) as rows:
            code = await run(site, "audit", "--checkpoint", str(exported))
            said = json.loads(capsys.readouterr().out)["flaws"]
            name = whose.replace("rcp_2", rows[2]["id"]).replace("rcp_5", rows[5]["id"])
            assert code == 1, (way.__name__, is_forged)
            assert kind in {f["kind"] for f in said if name in f["what"]}, (way.__name__, said)
            others = [f for f in said if not any(x in f["what"] for x in (name, "leaf", "leaves"))]
            assert [f for f in others if f["kind"] != "inserted"] == [], "nobody else is accused"
            alone = await run(site, "audit", "--checkpoint", str(exported / "checkpoint"))
            capsys.readouterr()
            assert alone == 1, f"the root by itself shows {way.__name__}"
    assert await run(site, "audit", "--checkpoint", str(exported)) == 0, "all is back"


async def test_what_is_exported_is_the_checkpoint_with_its_leaves_and_nobodys_name(
    site: Site, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second export goes elsewhere; a log that was changed is no anchor."""
    assert names(exported) == ["checkpoint", "leaves", "log-key"]
    lines = (exported / "leaves").read_text("utf-8").splitlines()
    assert len(lines) == 6
    assert lines[0].split(" ")[2:] == ["EBL01", "26TAA", "1"]
    with pytest.raises(Refusal, match="not an empty folder"):
        await run(site, "export", str(exported))
    capsys.readouterr()

    await site.as_owner("UPDATE log_leaf SET digest = sha256(digest) WHERE leaf_index = 1")

    assert await run(site, "export", str(exported.parent / "later")) == 2
    assert "not those of the checkpoint" in capsys.readouterr().err
    assert not (exported.parent / "later").exists()


async def test_an_export_that_is_not_ours_or_was_changed_is_no_anchor(
    site: Site, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """2 for what cannot be read, 1 for what was changed after it was signed, 3 for a stranger's."""
    note, key = (exported / "checkpoint").read_text("utf-8"), exported / "log-key"
    origin, audit = note.split("\n")[0], ("audit", "--checkpoint")
    stranger = Ed25519PrivateKey.generate()
    for text_, code in (
        ("hello", 2),
        (note.replace("\n6\n", "\n5\n"), 1),
        (Checkpoint(origin, 6, bytes(32)).signed(stranger), 3),
    ):
        (exported / "checkpoint").write_text(text_, "utf-8")
        assert await run(site, *audit, str(exported)) == code
    (exported / "checkpoint").write_text(note, "utf-8")
    (exported / "leaves").write_text("00 x\n", "utf-8")
    assert await run(site, *audit, str(exported)) == 2
    key.write_text(LogKey("other/log/x", stranger.public_key().public_bytes_raw()).text(), "utf-8")
    with pytest.raises(Refusal, match="exported from other/log/x"):
        await run(site, *audit, str(exported))
    capsys.readouterr()


async def test_the_commands_do_it_in_their_roles_and_the_export_proves_a_receipt(
    site: Site, database_url: str, terminal: Terminal
) -> None:
    """As a person types them: auditors export, and what is named wrongly is a sentence."""
    await pay_many(site, 3, branch="online")
    await site.parts.receipts.issue()
    async with site.parts.store.begin() as tx:
        row = await tx.row(text("SELECT xml FROM receipt WHERE leaf_index = 1"))
    assert row is not None
    (terminal.folder / "r.xml").write_bytes(bytes(row["xml"]))
    certificate = await site.parts.receipts.certificate(AGENCY)
    (terminal.folder / "a.pem").write_text(certificate, "utf-8")

    for words, code, said in (
        ("log export kept", 0, "size                 3"),
        ("log audit --checkpoint kept", 0, "is_whole             True"),
        ("log audit --checkpoint kept/checkpoint", 0, "is_whole             True"),
        ("verify r.xml --trust a.pem --checkpoint kept", 0, "leaf                 1"),
        ("log export kept", 2, "not an empty folder"),
        ("log export other --agency nope", 2, "There is no such log."),
        ("log audit --checkpoint none", 2, "cannot be used"),
        ("log audit", 2, "--checkpoint"),
    ):
        ended = await terminal.run(*words.split(), DATABASE_URL=database_url, MASTER_KEY=KEY)
        assert (ended.code, said in ended.out + ended.said) == (code, True), (words, ended)
