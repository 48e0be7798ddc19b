"""``thuphi agency certificate``: an agency's own, taken only when it can sign."""

import asyncio
import json
import os
import shlex
import subprocess
import sys
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID
from front_door import AGENCY, Site
from receipt_days import LE_PHI, pay
from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.entry import cli_agency
from gateway.entry.cli import parser
from gateway.entry.doctor import examine
from gateway.services.seed import seed
from receipts.signing import CannotSignError
from receipts.verify import Verdict, verify

NOW = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)  # Where the tests' clock stands.
PASSWORD = "mật khẩu của khoá"


@cache
def rsa_key(bits: int = 2_048, n: int = 0) -> rsa.RSAPrivateKey:  # noqa: ARG001 - n tells keys apart.
    """Make a key once; it takes a while."""
    return rsa.generate_private_key(65_537, bits)


@cache
def ec_key(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


def certificate(
    key: Any, begins: datetime = NOW - timedelta(days=1), days: int = 365, *, signs: bool = True
) -> x509.Certificate:
    """Make a certificate as an authority would."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Trung tâm Phục vụ")])
    usage = x509.KeyUsage(
        digital_signature=signs, content_commitment=signs, key_encipherment=not signs,
        data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days)).add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(c.public_bytes(Encoding.PEM) for c in certificates)


def key_pem(key: Any, password: str | None = None) -> bytes:
    how = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    made: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)
    return made


def key_p12(key: Any, cert: x509.Certificate | None, password: str | None) -> bytes:
    how = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"key", key, cert, None, how)


async def take(
    site: Site, folder: Path, cert: bytes | None, key: bytes, password: str | None = None,
    agency: str = AGENCY,
) -> int:  # fmt: skip
    """Give the files to the command."""
    words = ["agency", "certificate", "--agency", agency, "--json"]
    for name, content in (("certificate", cert), ("key", key)):
        if content is not None:
            (folder / name).write_bytes(content)
            words += [f"--{name}", str(folder / name)]
    if password is not None:
        (folder / "password").write_text(f"{password}\n", "utf-8")
        words += ["--password-file", str(folder / "password")]
    return await cli_agency.do_certificate(parser().parse_args(words), nullcontext(site.parts))


async def keys(site: Site) -> list[dict[str, Any]]:
    async with site.parts.store.begin() as tx:
        return [dict(r) for r in await tx.rows(text("SELECT * FROM signing_key ORDER BY id"))]


async def test_an_agency_signs_with_its_own_and_what_has_a_number_keeps_the_former(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await pay(site, "online", (LE_PHI,))
    await site.parts.receipts.issue()
    former = await site.parts.receipts.trusted(AGENCY)
    await site.as_owner("UPDATE receipt SET xml = NULL, pdf = NULL, signed_at = NULL")  # Killed.
    own = certificate(rsa_key())

    assert await take(site, tmp_path, pem(own), key_pem(rsa_key())) == 0

    said = json.loads(capsys.readouterr().out)
    assert said == {"agency": AGENCY, "certificate_sha256": own.fingerprint(hashes.SHA256()).hex()}
    await pay(site, "online", (LE_PHI,))
    assert await site.parts.receipts.issue() == 2
    async with site.parts.store.begin() as tx:
        first, second = await tx.rows(text("SELECT xml FROM receipt ORDER BY number"))
        noted = await tx.rows(text("SELECT actor, action, object_id FROM audit"))
    taken = frozenset({said["certificate_sha256"]})
    assert verify(bytes(first["xml"]), former).verdict is Verdict.VALID
    assert verify(bytes(first["xml"]), taken).verdict is Verdict.NOT_TRUSTED
    assert verify(bytes(second["xml"]), taken).verdict is Verdict.VALID
    assert await site.parts.receipts.trusted(AGENCY) == former | taken
    old, new = await keys(site)
    assert (old["retired_at"], new["retired_at"]) == (NOW, None)
    assert {"actor": "command line", "action": "certificate.replace", "object_id": new["id"]} in [
        dict(n) for n in noted
    ]


async def test_a_live_agency_signs_nothing_before_it_has_its_own(
    site: Site, tmp_path: Path
) -> None:
    await seed(site.parts.store, live=True)
    own = certificate(rsa_key(), days=20)

    async def doctor() -> str:
        return {f.name: f.said for f in await examine(site.parts)}["certificates"]

    assert await doctor() == "hn-tthcc cannot sign receipts: run thuphi agency certificate."
    with pytest.raises(CannotSignError, match="hn-tthcc has no key to sign with"):
        await site.parts.receipts.keys.current("hn-tthcc")

    await take(site, tmp_path, pem(own), key_pem(rsa_key()), agency="hn-tthcc")

    signer = await site.parts.receipts.keys.current("hn-tthcc")
    assert signer.fingerprint == own.fingerprint(hashes.SHA256()).hex()
    assert await doctor() == (
        "hn-tthcc can sign until 2026-12-07T01:00:00Z: run thuphi agency certificate."
    )
    longer = certificate(rsa_key())
    await take(site, tmp_path, pem(longer), key_pem(rsa_key()), agency="hn-tthcc")
    assert await doctor() == "1 live agencies can sign"


async def test_a_key_on_p256_signs_and_seals_again_with_the_same_bytes(
    site: Site, tmp_path: Path
) -> None:
    own = certificate(ec_key())
    await take(site, tmp_path, pem(own), key_pem(ec_key()))
    made = []
    await pay(site, "online", (LE_PHI,))

    for _ in range(2):
        assert await site.parts.receipts.issue() == 1
        async with site.parts.store.begin() as tx:
            made += [bytes(r["xml"]) for r in await tx.rows(text("SELECT xml FROM receipt"))]
        await site.as_owner("UPDATE receipt SET xml = NULL, pdf = NULL, signed_at = NULL")

    assert made[0] == made[1]
    assert b"#ecdsa-sha256" in made[0]
    taken = frozenset({own.fingerprint(hashes.SHA256()).hex()})
    assert verify(made[0], taken).verdict is Verdict.VALID


@pytest.mark.parametrize("in_chain", [0, 1])
async def test_a_chain_gives_the_certificate_that_the_key_belongs_to(
    site: Site, tmp_path: Path, in_chain: int
) -> None:
    own, other = certificate(rsa_key()), certificate(rsa_key(n=1))

    await take(site, tmp_path, pem(*[own, other][:: 1 - 2 * in_chain]), key_pem(rsa_key()))

    (kept,) = await keys(site)
    assert kept["certificate"].encode() == pem(own)


def sealed(kind: str, folder: Path) -> tuple[bytes | None, bytes]:
    """Give a certificate and a key whose file has a password, as tokens are exported."""
    own = certificate(rsa_key())
    if kind == "pem":
        return pem(own), key_pem(rsa_key(), PASSWORD)
    if kind == "pkcs12":
        return None, key_p12(rsa_key(), own, PASSWORD)
    (folder / "both.pem").write_bytes(key_pem(rsa_key()) + pem(own))
    old = subprocess.run(  # noqa: S603 - as of ten years ago: RC2 and triple DES.
        ["openssl", "pkcs12", "-export", "-legacy", "-in", folder / "both.pem",  # noqa: S607
         "-passout", f"pass:{PASSWORD}"],
        capture_output=True, check=True,
    )  # fmt: skip
    return None, old.stdout


@pytest.mark.parametrize("kind", ["pem", "pkcs12", "old pkcs12"])
async def test_a_key_with_a_password_is_opened_with_it_alone(
    site: Site, tmp_path: Path, kind: str
) -> None:
    cert, key = sealed(kind, tmp_path)

    with pytest.raises(Refusal, match="The password does not open the key file"):
        await take(site, tmp_path, cert, key, f"{PASSWORD} ")
    with pytest.raises(Refusal, match="name a --password-file"):
        await take(site, tmp_path, cert, key)
    assert await keys(site) == []
    await take(site, tmp_path, cert, key, PASSWORD)

    (kept,) = await keys(site)
    assert await site.parts.receipts.keys.current(AGENCY)
    assert b"PRIVATE KEY" not in bytes(kept["key_sealed"])


async def test_a_pkcs12_file_without_a_password_needs_none(site: Site, tmp_path: Path) -> None:
    await take(site, tmp_path, None, key_p12(rsa_key(), certificate(rsa_key()), None))

    assert len(await keys(site)) == 1


def refused(case: str) -> tuple[bytes | None, bytes]:
    """Give files that cannot sign receipts."""
    good, key = certificate(rsa_key()), key_pem(rsa_key())
    long = good.public_bytes(Encoding.DER)
    return {
        "another's key": (pem(good), key_pem(rsa_key(n=1))),
        "another kind": (pem(certificate(ec_key(ec.SECP384R1))), key_pem(ec_key(ec.SECP384R1))),
        "no such kind": (pem(good), key_pem(ed25519.Ed25519PrivateKey.generate())),
        "a short key": (pem(certificate(rsa_key(1_024))), key_pem(rsa_key(1_024))),
        "too late": (pem(certificate(rsa_key(), NOW - timedelta(days=365))), key),
        "too early": (pem(certificate(rsa_key(), NOW + timedelta(seconds=1))), key),
        "another use": (pem(certificate(rsa_key(), signs=False)), key),
        "no certificate": (b"hello", key),
        "half a certificate": (long[: len(long) // 2], key),
        "no key": (pem(good), b"hello"),
        "half a key": (pem(good), key.replace(key[200:300], b"")),
        "a key alone": (None, key_p12(rsa_key(), None, None)),
        "pem alone": (None, key),
    }[case]


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("another's key", "The key does not belong to the certificate."),
        ("another kind", "Receipts are signed with RSA or on P-256; this key is of another kind."),
        ("no such kind", "Receipts are signed with RSA or on P-256; this key is of another kind."),
        ("a short key", "The key has 1024 bits; receipts take 2048 to 6144."),
        ("too late", "The certificate's time was over at 2026-11-18T01:00:00Z."),
        ("too early", "The certificate is valid only from 2026-11-18T01:00:01Z."),
        ("another use", "The certificate is not for signing, by its own key usage."),
        ("no certificate", "The certificate file cannot be read: give a PEM file."),
        ("half a certificate", "The certificate file cannot be read: give a PEM file."),
        ("no key", "The key file is neither PEM nor PKCS#12."),
        ("half a key", "The key file cannot be read: it is broken."),
        ("a key alone", "The key file holds no certificate: name one with --certificate."),
        ("pem alone", "The key file holds no certificate: name one with --certificate."),
    ],
)
async def test_what_cannot_sign_is_refused_with_one_sentence_and_changes_nothing(
    site: Site, tmp_path: Path, case: str, sentence: str
) -> None:
    await site.parts.receipts.keys.current(AGENCY)
    before = await keys(site)

    with pytest.raises(Refusal) as caught:
        await take(site, tmp_path, *refused(case))

    assert caught.value.detail == sentence
    assert await keys(site) == before


async def test_the_same_again_and_an_agency_that_is_not_there_are_refused(
    site: Site, tmp_path: Path
) -> None:
    files = pem(certificate(rsa_key())), key_pem(rsa_key())
    await take(site, tmp_path, *files)

    with pytest.raises(Refusal, match="signs already"):
        await take(site, tmp_path, *files)
    with pytest.raises(Refusal, match="There is no agency nobody"):
        await take(site, tmp_path, *files, agency="nobody")

    assert [k["retired_at"] for k in await keys(site)] == [None]


async def test_at_a_terminal_the_password_is_asked_for_and_not_shown(
    site: Site, database_url: str, tmp_path: Path
) -> None:
    """The whole command in a terminal of its own, as an operator has it."""
    del site  # It has made the agency.
    (tmp_path / "key.p12").write_bytes(
        key_p12(rsa_key(), certificate(rsa_key(), datetime.now(UTC)), PASSWORD)  # noqa: TID251 - the command has the machine's clock.
    )
    words = shlex.join(
        [sys.executable, "-m", "gateway.entry.cli", "agency", "certificate", "--agency", AGENCY,
         "--key", str(tmp_path / "key.p12")]
    )  # fmt: skip
    values = {
        "THUPHI_DATABASE_URL": database_url, "PATH": os.environ["PATH"], "LANG": "C.UTF-8",
        "THUPHI_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    }  # fmt: skip

    process = await asyncio.create_subprocess_exec(
        "script", "--quiet", "--return", "--command", words, "/dev/null", cwd=tmp_path, env=values,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    asked = await process.stdout.readuntil(b"The key's password: ")
    process.stdin.write(f"{PASSWORD}\n".encode())
    said = (asked + await process.stdout.read()).decode()

    assert await process.wait() == 0, said
    assert "signs with" in said
    assert PASSWORD not in said
