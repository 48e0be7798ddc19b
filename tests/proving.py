"""A site whose receipts are proved by an authority of the tests' own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest_asyncio
from authority import Authority, Held, open_authority
from cryptography.hazmat.primitives.serialization import Encoding
from front_door import AGENCY, Site, opened
from receipt_days import LE_PHI, pay
from sqlalchemy import text

from gateway.infra.clock import TestClock
from receipts.credentials import read_credentials
from receipts.verify import Finding, verify


@dataclass
class Proving:
    """A site whose agency has a certificate of the authority."""

    site: Site
    authority: Authority
    own: Held

    async def certified(self, days: int = 365) -> None:
        """Give the agency a certificate, as the command does."""
        self.own = self.authority.agency(days)
        given = read_credentials(
            self.authority.chain(self.own), key_pem(self.own), None, self.site.clock.now()
        )
        await self.site.parts.receipts.keys.replace(AGENCY, given, "test")

    async def sealed(self) -> bytes:
        """Pay and seal one; give its bytes."""
        await pay(self.site, "online", (LE_PHI,))
        await self.site.parts.receipts.issue()
        return (await self.rows())[-1][1]

    async def rows(self) -> list[tuple[str, bytes]]:
        async with self.site.parts.store.begin() as tx:
            found = await tx.rows(text("SELECT id, xml FROM receipt ORDER BY number"))
        return [(r["id"], bytes(r["xml"])) for r in found]

    async def steps(self) -> int:
        async with self.site.parts.store.begin() as tx:
            row = await tx.row(text("SELECT count(*) AS n FROM receipt_proof"))
        assert row
        return int(row["n"])

    async def prove(self) -> int:
        return await self.site.parts.proofs.prove()

    async def proven(self) -> bytes:
        receipt_id, xml = (await self.rows())[-1]
        return await self.site.parts.proofs.proven(AGENCY, receipt_id, xml)

    def judge(self, data: bytes, later: timedelta = timedelta()) -> Finding:
        """Trust the root alone, at a moment from now."""
        return verify(data, set(), [self.authority.root.certificate], self.now + later)

    @property
    def now(self) -> datetime:
        return self.site.clock.now()


def key_pem(own: Held) -> bytes:
    from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

    return own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest_asyncio.fixture
async def proving(database_url: str, clock: TestClock) -> AsyncIterator[Proving]:
    async with open_authority(clock) as authority:
        told = {"THUPHI_TSA_URL": f"{authority.url}/tsa"}
        async with opened(database_url, clock, told) as site:
            made = Proving(site, authority, authority.issuer)
            await made.certified()
            yield made
