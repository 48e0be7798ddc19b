"""What a bank delivers: statement files in a folder or on its server, and who looks for them."""

from pathlib import Path
from typing import Any

from front_door import AGENCY, Site
from sftp_bank import Bank
from sqlalchemy import text

from gateway.entry.reconciling import collecting_of, intake_of, sources_of
from reconciliation.collecting import Collecting
from reconciliation.sources import Wanted

HEADER = "account,line_id,booked_on,value_on,amount,currency,counterparty,reference,memo,balance\n"
PROFILE = "canonical-statement"


def statement(day: str, n: int = 1) -> bytes:
    return f"{HEADER}0123456789,L{day}-{n},{day},,10000,VND,,,memo,\n".encode()


def wanted(kind: str, place: dict[str, Any], secret: bytes | None = None) -> Wanted:
    return Wanted("sao-ke", kind, PROFILE, place, "working_day", "08:30", secret)


def folder_of(path: Path, pattern: str = "SK_*.csv") -> Wanted:
    return wanted("folder", {"path": str(path), "pattern": pattern})


def server_of(bank: Bank, secret: bytes, **changes: Any) -> Wanted:
    place = {"host": "127.0.0.1", "port": bank.port, "user": "kho-bac", "path": "/out",
             "pattern": "*.csv", "host_key": bank.host_key}  # fmt: skip
    return wanted("sftp", place | changes, secret)


async def opened(site: Site, what: Wanted) -> Collecting:
    await sources_of(site.parts).add(AGENCY, what, "staff:test")
    return collecting_of(site.parts)


async def looked(site: Site, collecting: Collecting) -> list[tuple[str, str]]:
    """Look twice, as a file is taken when it lies still; give what was taken in, and how."""
    for _ in range(2):
        await collecting.run()
    await intake_of(site.parts).take_all()
    return [(r["name"], r["state"]) for r in await rows(site, "SELECT * FROM statement_file")]


async def rows(site: Site, query: str) -> list[dict[str, Any]]:
    async with site.parts.store.begin() as tx:
        return [dict(r) for r in await tx.rows(text(f"{query} ORDER BY id"))]


async def breaks(site: Site) -> list[tuple[str, str, str]]:
    found = await rows(site, "SELECT * FROM break WHERE kind = 'file_error'")
    return [(b["since_on"].isoformat(), b["state"], b["why"]) for b in found]
