"""Banks' servers are asked by SFTP: which are believed, and which are given up."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

import asyncssh
import pytest
import pytest_asyncio
from delivered import looked, opened, server_of, statement
from front_door import AGENCY, Site
from sftp_bank import Bank, open_bank

from gateway.entry.doctor import sources as look_at_sources
from gateway.entry.reconciling import sources_of
from gateway.services.sweeps import SweepError
from reconciliation.places import AwayError


@pytest_asyncio.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    async with open_bank(tmp_path / "bank") as there:
        yield there


@pytest.mark.parametrize("by", ["password", "key"])
async def test_a_banks_server_is_asked_by_sftp(site: Site, bank: Bank, by: str) -> None:
    secret = b"canary-password" if by == "password" else bank.user_key
    collecting = await opened(site, server_of(bank, secret))
    (bank.folder / "SK.csv").write_bytes(statement("2026-11-17"))

    assert await looked(site, collecting) == [("SK.csv", "taken")]
    assert (bank.folder / "SK.csv").exists(), "it is theirs"


@pytest.mark.parametrize(
    ("secret", "changes", "said"),
    [
        (b"wrong", {}, "refuses this user or secret"),
        (b"canary-password", {"host_key": "other"}, "shows another key"),
        (b"canary-password", {"path": "/nowhere"}, "has no such folder or file"),
        (b"canary-password", {"port": 9}, "cannot be reached"),
    ],
)
async def test_a_server_that_cannot_be_believed_or_reached_is_trouble_and_loses_nothing(
    site: Site, bank: Bank, secret: bytes, changes: dict[str, Any], said: str
) -> None:
    if "host_key" in changes:
        other = asyncssh.generate_private_key("ssh-ed25519")
        changes = {"host_key": other.export_public_key().decode().strip()}
    collecting = await opened(site, server_of(bank, secret, **changes))

    with pytest.raises(SweepError):
        await collecting.run()

    (row,) = await sources_of(site.parts).shown(AGENCY)
    assert said in row["trouble"]
    assert "canary" not in row["trouble"]
    found = await look_at_sources(site.parts)
    assert not found.is_right
    assert said in found.said
    with pytest.raises(AwayError, match="its server"):
        await sources_of(site.parts).test(AGENCY, "sao-ke")


async def test_a_slow_server_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    monkeypatch.setattr("reconciliation.places.connect_s_max", 0.2)
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    here = Bank(Path(), server.sockets[0].getsockname()[1], key, b"")
    collecting = await opened(site, server_of(here, b"x"))

    with pytest.raises(SweepError):
        await collecting.run()

    (row,) = await sources_of(site.parts).shown(AGENCY)
    assert "said nothing for 0.2 seconds" in row["trouble"]
    server.close()


class Stuck(asyncssh.SFTPServer):
    """Lists files, and gives none before its line is cut."""

    async def read(self, file_obj: BinaryIO, offset: int, size: int) -> bytes:  # noqa: ARG002
        try:
            await asyncio.Event().wait()
        finally:
            file_obj.close()
        return b""


async def test_a_server_that_stops_in_the_middle_is_given_up(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciliation.places.session_s_max", 0.5)
    async with open_bank(tmp_path / "bank", Stuck) as bank:
        (bank.folder / "SK_1.csv").write_bytes(statement("2026-11-18"))
        collecting = await opened(site, server_of(bank, bank.user_key))
        await collecting.run()

        with pytest.raises(SweepError):
            await collecting.run()

    (row,) = await sources_of(site.parts).shown(AGENCY)
    assert "was not done after 0.5 seconds" in row["trouble"]
