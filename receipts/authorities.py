"""Who is asked for evidence: a time-stamp authority, OCSP responders, and lists of the revoked.

Everything goes over the guarded wire; what a certificate names is an address like any other.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.ports.wire import Wire
from receipts.chains import ChainError, ocsp_question, revoked_at, where
from receipts.proof import Values
from receipts.stamps import MEDIA, question, token_of

values_bytes_max: Final = 131_072  # A longer CRL is not kept with each receipt: use OCSP.
http_ok: Final = 200
nonce_bits: Final = 64


class NoProofError(Exception):
    """An authority gave no evidence this time; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Authorities:
    """The authorities; without an address for time-stamps there is no proof at all."""

    wire: Wire
    stamp_url: str

    async def stamp(self, imprint: bytes) -> bytes:
        """Have a hash time-stamped. Raises NoProofError or BrokenStampError."""
        nonce = secrets.randbits(nonce_bits)
        asked = question(imprint, nonce)
        return token_of(await self._post(self.stamp_url, MEDIA, asked), imprint, nonce)

    async def values(
        self, chain: Sequence[x509.Certificate], at: datetime, *, only_named: bool = False
    ) -> Values:
        """Collect evidence on each certificate of a path but its last, which is trusted itself.

        Raises NoProofError.
        """
        made = Values(tuple(c.public_bytes(Encoding.DER) for c in chain[1:]))
        for certificate, issuer in pairwise(chain):
            if only_named and not where(certificate).any:
                continue
            found = await self._about(certificate, issuer, at)
            made = replace(made, ocsps=made.ocsps + found.ocsps, crls=made.crls + found.crls)
        return made

    async def _about(
        self, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime
    ) -> Values:
        """Ask the responder; where that does not help, fetch the list."""
        asked, why = where(certificate), "its certificate names nobody to ask"
        for url in (*asked.ocsp, *asked.crl):
            try:
                if url in asked.ocsp:
                    about = ocsp_question(certificate, issuer)
                    found = Values(ocsps=(await self._post(url, _OCSP, about),))
                else:
                    found = Values(crls=(await self._send("GET", url),))
                revoked_at(certificate, issuer, found, at)
            except (NoProofError, ChainError) as error:
                why = str(error)
            else:
                return found
        raise NoProofError(f"No evidence about a certificate: {why}")

    async def _post(self, url: str, media: str, body: bytes) -> bytes:
        return await self._send("POST", url, {"content-type": media}, body)

    async def _send(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> bytes:
        try:
            reply = await self.wire.send(method, url, headers=headers, body=body)
        except (DeclinedError, InDoubtError) as error:
            raise NoProofError(str(error)) from None
        if reply.status != http_ok:
            raise NoProofError(f"An authority answered {reply.status}.")
        if len(reply.body) > values_bytes_max:
            raise NoProofError("An authority's answer is too long to keep with each receipt.")
        return reply.body


_OCSP: Final = "application/ocsp-request"
