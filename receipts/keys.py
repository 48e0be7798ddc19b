"""Who signs: an agency's certificates and keys; a key is stored sealed, or stays on its token."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from gateway.domain.errors import Refusal
from gateway.ports.vault import Vault
from gateway.store import locks
from gateway.store import tables as t
from gateway.store.tx import Row, Store
from receipts.credentials import Credentials
from receipts.seal import (
    BrokenSealError,
    Signer,
    der_of,
    ends_at,
    fingerprint,
    make_test_certificate,
    prove,
)
from receipts.signing import CannotSignError, SigningKey, soft_key
from receipts.token import Token, TokenKey


@dataclass(frozen=True, slots=True)
class Keys:
    """The signing keys of the agencies."""

    store: Store
    vault: Vault
    token: Token | None = None

    async def current(self, agency_id: str) -> Signer:
        """Give the key that signs from now on; a sandbox agency gets one at its first receipt.

        A live agency's key comes with a certificate that others trust, so none is made up for it.
        Raises CannotSignError.
        """
        found = await self._newest(agency_id)
        return self._load(found) if found else await self._make(agency_id)

    async def all_of(self, agency_id: str) -> dict[str, Signer]:
        """Give every key that ever signed for an agency, by its certificate's fingerprint."""
        async with self.store.begin() as tx:
            rows = await tx.rows(
                select(t.signing_key).where(t.signing_key.c.agency_id == agency_id)
            )
        return {s.fingerprint: s for s in map(self._load, rows)}

    async def replace(self, agency_id: str, new: Credentials, actor: str) -> str:
        """Sign with these from now on; give the certificate's fingerprint.

        The former key is retired and kept: it still seals what was numbered under it.
        """
        c, now = t.signing_key.c, self.store.clock.now()
        signs = (c.agency_id == agency_id, c.retired_at.is_(None))
        async with self.store.begin() as tx:
            await tx.run(locks.SIGNING_KEY, {"agency": agency_id})
            if await tx.row(select(t.agency.c.id).where(t.agency.c.id == agency_id)) is None:
                raise Refusal("not-found", f"There is no agency {agency_id}; run seed first.")
            current = await tx.rows(select(c.certificate).where(*signs))
            if any(row["certificate"] == new.certificate for row in current):
                raise Refusal("invalid-request", "This certificate signs already.")
            await tx.run(t.signing_key.update().where(*signs).values(retired_at=now))
            key_id = self.store.clock.new_id("key")
            await tx.run(t.signing_key.insert(), self._row(agency_id, key_id, new, now))
            await tx.note(agency_id, actor, "certificate.replace", key_id)
        return fingerprint(der_of(new.certificate.encode()))

    async def ends(self) -> dict[str, datetime | None]:
        """Say until when each live agency can sign; None for one that cannot."""
        c, a = t.signing_key.c, t.agency.c
        on = (c.agency_id == a.id) & c.retired_at.is_(None)
        async with self.store.begin() as tx:
            rows = await tx.rows(
                select(a.id, c.certificate)
                .join_from(t.agency, t.signing_key, on, isouter=True)
                .where(~a.is_sandbox)
            )
        return {r["id"]: r["certificate"] and ends_at(r["certificate"].encode()) for r in rows}

    async def away(self) -> dict[str, str]:
        """Let each key on a token sign a sample; say why for each agency whose key does not."""
        c = t.signing_key.c
        signs = (c.pkcs11_key.is_not(None), c.retired_at.is_(None))
        async with self.store.begin() as tx:
            plain = select(c.agency_id, c.id, c.certificate, c.chain, c.pkcs11_key)
            rows = await tx.rows(plain.where(*signs))
        wrong = {}
        for row in rows:
            try:
                await asyncio.to_thread(prove, self._load(row))
            except CannotSignError as error:
                wrong[row["agency_id"]] = str(error)
            except BrokenSealError:
                wrong[row["agency_id"]] = "The key on the token is not that of the certificate."
        return wrong

    async def trusted(self, agency_id: str) -> frozenset[str]:
        """Give the fingerprints of an agency's certificates."""
        c = t.signing_key.c
        async with self.store.begin() as tx:
            rows = await tx.rows(select(c.certificate).where(c.agency_id == agency_id))
        return frozenset(fingerprint(der_of(r["certificate"].encode())) for r in rows)

    async def _newest(self, agency_id: str) -> Row | None:
        c = t.signing_key.c
        async with self.store.begin() as tx:
            return await tx.row(
                select(t.signing_key)
                .where(c.agency_id == agency_id, c.retired_at.is_(None))
                .order_by(c.created_at.desc(), c.id.desc())
                .limit(1)
            )

    def _load(self, row: Row) -> Signer:
        if row["pkcs11_key"] is not None:
            key: SigningKey = TokenKey(self.token, row["pkcs11_key"])
        else:
            place = f"signing_key|{row['id']}|key"
            key = soft_key(self.vault.open(place, bytes(row["key_sealed"])))
        return Signer.by(row["id"], row["certificate"], key, has_issuer=bool(row["chain"]))

    async def _make(self, agency_id: str) -> Signer:
        now = self.store.clock.now()
        c = t.signing_key.c
        async with self.store.begin() as tx:
            # One worker at a time makes an agency's first key; the other then finds it.
            await tx.run(locks.SIGNING_KEY, {"agency": agency_id})
            there = await tx.row(
                select(t.signing_key).where(c.agency_id == agency_id, c.retired_at.is_(None))
            )
            if there:
                return self._load(there)
            agency = await tx.row(select(t.agency).where(t.agency.c.id == agency_id))
            if agency is None or not agency["is_sandbox"]:
                raise CannotSignError(
                    f"{agency_id} has no key to sign with: run thuphi agency certificate."
                )
            pem, key = await asyncio.to_thread(
                make_test_certificate, agency["name"], agency["tax_code"], now
            )
            row = self._row(agency_id, self.store.clock.new_id("key"), Credentials(pem, key), now)
            await tx.run(t.signing_key.insert(), row)
        return self._load(row)

    def _row(self, agency_id: str, key_id: str, new: Credentials, now: datetime) -> dict[str, Any]:
        place = f"signing_key|{key_id}|key"
        return {
            "agency_id": agency_id, "id": key_id, "certificate": new.certificate,
            "key_sealed": self.vault.seal(place, new.key) if new.key is not None else None,
            "pkcs11_key": new.pkcs11_key, "chain": new.chain or None, "created_at": now,
        }  # fmt: skip
