"""The job that proves receipts for ten years: a time-stamp, revocation evidence, and renewals.

Each step is a row that is never changed; the sealed receipt is not touched. A receipt is claimed
by moving its due time ahead, so two workers never prove the same one at once, and one whose
worker was killed is due again by itself. Issuing never waits for any of this.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from receipts.authorities import Authorities, NoProofError
from receipts.chains import ChainError, path, where
from receipts.proof import (
    Proof,
    Renewal,
    Values,
    archive_imprint,
    is_signed_pdf,
    join,
    signature_imprint,
)
from receipts.seal import fingerprint, open_seal
from receipts.stamps import BrokenStampError, read_stamp

batch: Final = 20
at_once: Final = 4  # An authority that is slow has no more of us than that.
steps_first: Final = 2  # The time-stamp, and what shows the certificates to be good.
pages_max: Final = 25  # 500 in a run; the next one follows.
lease: Final = timedelta(minutes=5)  # Longer than a batch may take.
pause_min: Final = timedelta(minutes=1)
pause_max: Final = timedelta(hours=6)
renewed_before: Final = timedelta(days=90)  # Time to find another authority in.
renewed_again: Final = timedelta(days=1)  # At the earliest, however short a stamp's own time is.
log: Final = logging.getLogger("thuphi.receipts")

_CLAIM: Final = text(
    "UPDATE receipt SET proof_due_at = :until FROM (SELECT agency_id, id, proof_due_at AS due"
    " FROM receipt WHERE proof_due_at <= :now AND pdf IS NOT NULL ORDER BY proof_due_at LIMIT :n"
    " FOR NO KEY UPDATE SKIP LOCKED) d WHERE receipt.agency_id = d.agency_id"
    " AND receipt.id = d.id RETURNING receipt.agency_id, receipt.id, receipt.xml,"
    " receipt.pdf, receipt.signed_at"
)


@dataclass(frozen=True, slots=True)
class Proofs:
    """Evidence for receipts, from a time-stamp authority and from who issued the certificates."""

    store: Store
    authorities: Authorities

    async def prove(self) -> int:
        """Add what is due to receipts; count the steps."""
        done = 0
        for _ in range(pages_max if self.authorities.stamp_url else 0):
            now = self.store.clock.now()
            async with self.store.begin() as tx:
                claimed = {"now": now, "until": now + lease, "n": batch}
                rows = await tx.rows(_CLAIM, claimed)
            if not rows:
                break
            doors = asyncio.Semaphore(at_once)
            done += sum(await asyncio.gather(*(self._try(row, doors) for row in rows)))
        return done

    async def proven(self, agency_id: str, receipt_id: str, xml: bytes) -> bytes:
        """Give the file with its evidence; the sealed one where there is none yet."""
        return join(xml, await self._steps(agency_id, receipt_id))

    async def by_token(self, token: str) -> tuple[bytes, bytes] | None:
        """Find what a link opens: the sealed file, and the one with evidence; None without any."""
        c = t.receipt.c
        async with self.store.begin() as tx:
            row = await tx.row(select(c.agency_id, c.id, c.xml).where(c.token == token))
        if row is None or row["xml"] is None:
            return None
        xml = bytes(row["xml"])
        proven = await self.proven(row["agency_id"], row["id"], xml)
        return None if proven == xml else (xml, proven)

    async def _try(self, row: Row, doors: asyncio.Semaphore) -> int:
        """Go on with one receipt as far as it goes; what fails is due again after a while."""
        done = 0
        async with doors:
            try:
                while await self._step(row):
                    done += 1
                return done + 1
            except (NoProofError, ChainError, BrokenStampError) as error:
                why = str(error)
            except Exception:
                log.exception("receipts: %s cannot be proved", row["id"])
                why = "see above"
        now = self.store.clock.now()
        # It waits half as long as it has waited, so a new one is tried soon and often.
        pause = min(max((now - row["signed_at"]) / 2, pause_min), pause_max)
        log.warning("receipts: %s is not proved yet: %s", row["id"], why)
        async with self.store.begin() as tx:
            await tx.run(self._due(row, now + pause))
        return done

    async def _step(self, row: Row) -> bool:
        """Add one step; tell whether another one is due at once."""
        xml, steps = bytes(row["xml"]), await self._steps(row["agency_id"], row["id"])
        now, found = self.store.clock.now(), None
        if not steps:
            token = await self.authorities.stamp(signature_imprint(xml))
            made, due = Proof(token).parts()[0], now + lease  # It stays ours for the next step.
        elif len(steps) < steps_first:
            found = await self._signer_values(row, xml, steps[0])
            made, due = found.write(), _renewal_due(Proof.read(steps[0]).token, now)
        else:
            renewal = await self._renewal(xml, Proof.read(b"".join(steps)))
            found = renewal.values
            made, due = renewal.write(), _renewal_due(renewal.token, now)
        values = {
            "agency_id": row["agency_id"], "receipt_id": row["id"], "step": len(steps) + 1,
            "made_at": now, "xml": made.encode(),
            "pdf": await self._appended(row, found) if found is not None else None,
        }  # fmt: skip
        async with self.store.begin() as tx:
            await tx.run(self._due(row, due))
            # Should our lease have run out, somebody else has added this step.
            await tx.run(insert(t.receipt_proof).on_conflict_do_nothing(), values)
        return not steps

    async def _appended(self, row: Row, values: Values) -> bytes | None:
        """Give what a signed PDF gets for a step; one that is not signed gets nothing."""
        if not is_signed_pdf(row["pdf"]):
            return None
        from receipts.pades import prove

        async with self.store.begin() as tx:
            pdf = await grown(tx, row["agency_id"], row["id"], bytes(row["pdf"]))
        return await prove(pdf, values, self.authorities)

    async def _steps(self, agency_id: str, receipt_id: str) -> list[bytes]:
        c = t.receipt_proof.c
        async with self.store.begin() as tx:
            rows = await tx.rows(
                select(c.xml)
                .where(c.agency_id == agency_id, c.receipt_id == receipt_id)
                .order_by(c.step)
            )
        return [bytes(r["xml"]) for r in rows]

    def _due(self, row: Row, at: datetime) -> object:
        c = t.receipt.c
        which = (c.agency_id == row["agency_id"], c.id == row["id"])
        return t.receipt.update().where(*which).values(proof_due_at=at)

    async def _signer_values(self, row: Row, xml: bytes, first: bytes) -> Values:
        """Ask after the signer's certificate and those above it, as they stand after the stamp."""
        _, der = open_seal(xml)
        signer = x509.load_der_x509_certificate(der)
        chain = await self._chain(row["agency_id"], fingerprint(der))
        at = read_stamp(Proof.read(first).token).at
        found = path(signer, chain, chain[-1:], at)
        return await self.authorities.values(found, at)

    async def _chain(self, agency_id: str, sha256: str) -> list[x509.Certificate]:
        """Give who issued an agency's certificate, as it was told when it was taken."""
        c = t.signing_key.c
        async with self.store.begin() as tx:
            rows = await tx.rows(select(c.certificate, c.chain).where(c.agency_id == agency_id))
        for r in rows:
            own = x509.load_pem_x509_certificate(r["certificate"].encode())
            if fingerprint(own.public_bytes(Encoding.DER)) == sha256 and r["chain"]:
                return x509.load_pem_x509_certificates(r["chain"].encode())
        raise NoProofError("It is not known who issued its certificate.")

    async def _renewal(self, xml: bytes, proof: Proof) -> Renewal:
        """Ask after the last time-stamp's certificate, and have all of it stamped anew."""
        document, _ = open_seal(xml)
        last = read_stamp(proof.renewals[-1].token if proof.renewals else proof.token)
        above = [c for c in last.certificates if c != last.signer]
        values, now = Values(), self.store.clock.now()
        if where(last.signer).any:
            found = path(last.signer, above, _tops(above), now)
            values = await self.authorities.values(found, now, only_named=True)
        token = await self.authorities.stamp(archive_imprint(document, xml, proof, values))
        return Renewal(values, token)


async def grown(tx: Tx, agency_id: str, receipt_id: str, pdf: bytes) -> bytes:
    """Give a PDF with what its evidence appended to it."""
    c = t.receipt_proof.c
    which = (c.agency_id == agency_id, c.receipt_id == receipt_id, c.pdf.is_not(None))
    rows = await tx.rows(select(c.pdf).where(*which).order_by(c.step))
    return pdf + b"".join(bytes(r["pdf"]) for r in rows)


def _tops(above: Sequence[x509.Certificate]) -> Sequence[x509.Certificate]:
    """Give the roots that a time-stamp brings, or whatever it brings where it brings none."""
    return [c for c in above if c.subject == c.issuer] or above


def _renewal_due(token: bytes, now: datetime) -> datetime:
    return max(now + renewed_again, read_stamp(token).signer.not_valid_after_utc - renewed_before)
