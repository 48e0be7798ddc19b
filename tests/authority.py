"""An authority of the tests' own: a root, an issuer, OCSP, a list of the revoked, time-stamps.

It answers over real HTTP and makes mistakes when it is told to.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID
from fastapi import FastAPI, Request, Response
from front_door import free_port

from gateway.entry.web.serving import serving
from gateway.infra.clock import TestClock

DER, PEM = Encoding.DER, Encoding.PEM
SIGNS = x509.KeyUsage(
    digital_signature=True, content_commitment=True, key_encipherment=False,
    data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False,
    encipher_only=False, decipher_only=False,
)  # fmt: skip


@dataclass(frozen=True)
class Held:
    """A certificate and its key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(DER)


@dataclass
class Authority:
    """Everything an authority does, with one clock."""

    clock: TestClock
    url: str
    root: Held = field(init=False)
    issuer: Held = field(init=False)
    responder: Held = field(init=False)
    stamper: Held = field(init=False)
    revoked: dict[int, datetime] = field(default_factory=dict)
    wrong: str = ""  # Which mistake it makes.
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root = self.make("Root", None, is_authority=True, days=7_300)
        self.issuer = self.make("Issuer", self.root, is_authority=True, days=7_000, crl=True)
        answers = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
        self.responder = self.make(
            "Responder",
            self.issuer,
            days=7_000,
            use=[(answers, False), (x509.OCSPNoCheck(), False)],
        )
        self.stamper = self.new_stamper(7_000)

    def make(
        self, name: str, by: Held | None, days: int, *, is_authority: bool = False,
        use: Sequence[tuple[x509.ExtensionType, bool]] = (), ocsp: bool = False, crl: bool = False,
    ) -> Held:  # fmt: skip
        """Issue a certificate that began yesterday."""
        key, begins = ec.generate_private_key(ec.SECP256R1()), self.clock.now() - timedelta(days=1)
        subject = named(name)
        builder = (
            x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
            .issuer_name(by.certificate.subject if by else subject)
            .serial_number(x509.random_serial_number()).not_valid_before(begins)
            .not_valid_after(begins + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )  # fmt: skip
        for extension, is_critical in use:
            builder = builder.add_extension(extension, critical=is_critical)
        if ocsp:
            there = x509.UniformResourceIdentifier(f"{self.url}/ocsp")
            about = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, there)
            builder = builder.add_extension(
                x509.AuthorityInformationAccess([about]), critical=False
            )
        if crl:
            lists = x509.UniformResourceIdentifier(f"{self.url}/crl")
            point = x509.DistributionPoint([lists], None, None, None)
            builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
        return Held(key, builder.sign((by.key if by else key), hashes.SHA256()))

    def new_stamper(self, days: int, *, is_for_stamps: bool = True) -> Held:
        """Make a certificate for time-stamps, of the root's own."""
        kind = (
            ExtendedKeyUsageOID.TIME_STAMPING if is_for_stamps else ExtendedKeyUsageOID.CLIENT_AUTH
        )
        use = [(x509.ExtendedKeyUsage([kind]), True)]
        return self.make("Stamper", self.root, days, use=use, crl=True)

    def agency(self, days: int = 365) -> Held:
        return self.make("Agency", self.issuer, days, use=[(SIGNS, True)], ocsp=True)

    def chain(self, own: Held) -> bytes:
        held = (own, self.issuer, self.root)
        return b"".join(h.certificate.public_bytes(PEM) for h in held)

    def revoke(self, held: Held, at: datetime) -> None:
        self.revoked[held.certificate.serial_number] = at

    def ocsp(self, question: bytes) -> bytes:
        """Answer about a certificate, as of now."""
        asked = ocsp.load_der_ocsp_request(question)
        now = self.clock.now()
        at = self.revoked.get(asked.serial_number)
        status = ocsp.OCSPCertStatus.REVOKED if at else ocsp.OCSPCertStatus.GOOD
        said = ocsp.OCSPResponseBuilder().add_response_by_hash(
            asked.issuer_name_hash, asked.issuer_key_hash, asked.serial_number, hashes.SHA1(),  # noqa: S303
            status, now, now + timedelta(days=1), at,
            x509.ReasonFlags.key_compromise if at else None,
        )  # fmt: skip
        by = self.stamper if self.wrong == "a stranger answers" else self.responder
        said = said.responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate)
        return said.certificates([by.certificate]).sign(by.key, hashes.SHA256()).public_bytes(DER)

    def crl(self) -> bytes:
        """Give the root's list, as of now."""
        now = self.clock.now()
        made = x509.CertificateRevocationListBuilder().issuer_name(self.root.certificate.subject)
        made = made.last_update(now).next_update(now + timedelta(days=7))
        for serial, at in self.revoked.items():
            one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
            made = made.add_revoked_certificate(one.build())
        return made.sign(self.root.key, hashes.SHA256()).public_bytes(DER)

    def stamp(self, question: bytes) -> bytes:
        """Stamp a hash with the present time (RFC 3161)."""
        asked, by = tsp.TimeStampReq.load(question), self.stamper
        imprint = asked["message_imprint"].native
        if self.wrong == "another hash":
            imprint["hashed_message"] = bytes(32)
        nonce = asked["nonce"].native + (self.wrong == "another nonce")
        info = tsp.TSTInfo({
            "version": "v1", "policy": "1.3.6.1.4.1.99999.1", "message_imprint": imprint,
            "serial_number": len(self.asked) + 1, "gen_time": self.clock.now(), "nonce": nonce,
        })  # fmt: skip
        token = signed_data(info, by, self.root, self.wrong)
        if self.wrong == "refuses":
            return bytes.fromhex("30053003020102")  # A status of 2, and no token.
        answer = {"status": {"status": "granted"}, "time_stamp_token": token}
        return bytes(tsp.TimeStampResp(answer).dump())


def signed_data(info: tsp.TSTInfo, by: Held, root: Held, wrong: str) -> cms.ContentInfo:
    """Sign what a token says."""
    content = info.dump()
    attributes = cms.CMSAttributes([
        {"type": "content_type", "values": ["tst_info"]},
        {"type": "message_digest", "values": [hashlib.sha256(content).digest()]},
        {"type": "signing_certificate_v2", "values": [
            tsp.SigningCertificateV2({"certs": [{"cert_hash": hashlib.sha256(by.der).digest()}]})
        ]},
    ])  # fmt: skip
    key = ec.generate_private_key(ec.SECP256R1()) if wrong == "another key" else by.key
    certificate = cms.Certificate.load(by.der)
    return cms.ContentInfo({
        "content_type": "signed_data",
        "content": {
            "version": "v3", "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": cms.EncapsulatedContentInfo(
                {"content_type": "tst_info", "content": cms.ParsableOctetString(content)}
            ),
            "certificates": [certificate, cms.Certificate.load(root.der)],
            "signer_infos": [{
                "version": "v1",
                "sid": cms.SignerIdentifier("issuer_and_serial_number", {
                    "issuer": certificate.issuer, "serial_number": certificate.serial_number,
                }),
                "digest_algorithm": {"algorithm": "sha256"}, "signed_attrs": attributes,
                "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                "signature": key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256())),
            }],
        },
    })  # fmt: skip


def named(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, words)])


@asynccontextmanager
async def open_authority(clock: TestClock) -> AsyncIterator[Authority]:
    """Let it answer on a port of its own."""
    port, app = free_port(), FastAPI()
    made = Authority(clock, f"http://127.0.0.1:{port}")

    @app.post("/{what}")
    async def ask(what: str, request: Request) -> Response:
        made.asked.append(what)
        if made.wrong == f"{what} is away":
            return Response(status_code=503)
        answer = {"ocsp": made.ocsp, "tsa": made.stamp}[what]
        return Response(answer(await request.body()))

    @app.get("/crl")
    async def crl() -> Response:
        made.asked.append("crl")
        return Response(made.crl())

    async with serving(app, port):
        yield made
