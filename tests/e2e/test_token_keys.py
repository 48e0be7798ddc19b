"""Keys that stay on a token: a real SoftHSM, which also goes away and comes back."""

import json
import os
import subprocess
from argparse import Namespace
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pkcs11
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from front_door import AGENCY, Site, opened
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters
from pkcs11.util.rsa import encode_rsa_public_key
from receipt_days import LE_PHI, pay
from signxml.verifier import XMLVerifier
from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.entry import cli_agency
from gateway.entry.cli import parser
from gateway.entry.doctor import examine
from gateway.infra.clock import TestClock
from receipts.signing import CannotSignError
from receipts.token import Token, TokenPlace
from receipts.verify import Verdict, verify

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "0123456789"
NOW = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)  # Where the tests' clock stands.
KINDS = pytest.mark.parametrize("kind", ["rsa", "p256"])


@dataclass(frozen=True)
class Hsm:
    """A SoftHSM token with a key of each kind, made on it; their public halves."""

    folder: Path
    public: dict[str, Any]

    @property
    def place(self) -> TokenPlace:
        return TokenPlace(MODULE, "agency", PIN)

    def certificate(self, kind: str) -> x509.Certificate:
        """Make a certificate for a key of the token, as an authority would."""
        begins = NOW - timedelta(days=1)
        return (
            x509.CertificateBuilder().subject_name(named("Trung tâm"))
            .issuer_name(named("Authority")).public_key(self.public[kind]).serial_number(x509.random_serial_number())
            .not_valid_before(begins).not_valid_after(begins + timedelta(days=365))
            .sign(authority(), hashes.SHA256())
        )  # fmt: skip


def named(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, words)])


@cache
def authority_pem() -> bytes:
    """Give the authority's own certificate."""
    key, name, begins = authority(), named("Authority"), NOW - timedelta(days=30)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(begins).not_valid_after(begins + timedelta(days=3_650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(Encoding.PEM)


@cache
def authority() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hsm]:
    """Make the token once: the library keeps its settings as long as the process lives."""
    folder = tmp_path_factory.mktemp("hsm")
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "conf"))
        subprocess.run(  # noqa: S603 - our own words.
            ["softhsm2-util", "--init-token", "--free", "--label", "agency", "--pin", PIN,  # noqa: S607
             "--so-pin", "9876543210"],
            check=True, capture_output=True,
        )  # fmt: skip
        yield Hsm(folder, made_on_it())


def made_on_it() -> dict[str, Any]:
    """Make a key of each kind inside the token; give their public halves."""
    token = pkcs11.lib(str(MODULE)).get_token(token_label="agency")
    with token.open(user_pin=PIN, rw=True) as session:
        rsa, _ = session.generate_keypair(pkcs11.KeyType.RSA, 2_048, store=True, label="rsa")
        curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
        made = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
        p256, _ = made.generate_keypair(store=True, label="p256")
        return {
            "rsa": load_der_public_key(spki(encode_rsa_public_key(rsa))),
            "p256": load_der_public_key(encode_ec_public_key(p256)),
        }


def spki(pkcs1: bytes) -> bytes:
    from asn1crypto.keys import PublicKeyInfo, RSAPublicKey

    return bytes(PublicKeyInfo.wrap(RSAPublicKey.load(pkcs1), "rsa").dump())


@pytest_asyncio.fixture
async def at_token(
    hsm: Hsm, database_url: str, clock: TestClock, tmp_path: Path
) -> AsyncIterator[Site]:
    """Run a gateway that is told where the token is."""
    assert hsm.public, "the token is there"
    (tmp_path / "pin").write_text(f"{PIN}\n")
    told = {
        "THUPHI_PKCS11_MODULE": str(MODULE), "THUPHI_PKCS11_TOKEN": "agency",
        "THUPHI_PKCS11_PIN_FILE": str(tmp_path / "pin"),
    }  # fmt: skip
    async with opened(database_url, clock, told) as running:
        yield running
        assert running.parts.receipts.token
        running.parts.receipts.token.close()


async def take(site: Site, folder: Path, label: str, certificate: x509.Certificate | None) -> int:
    """Give the command a certificate and the label of its key."""
    words = ["agency", "certificate", "--agency", AGENCY, "--json", "--pkcs11", label]
    if certificate:
        (folder / "own.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        words += ["--certificate", str(folder / "own.pem")]
    args: Namespace = parser().parse_args(words)
    return await cli_agency.do_certificate(args, nullcontext(site.parts))


async def rows(site: Site, query: str) -> list[dict[str, Any]]:
    async with site.parts.store.begin() as tx:
        return [dict(r) for r in await tx.rows(text(query))]


def xmlsec1(trusted: Path, file: Path) -> int:
    """Ask the C implementation."""
    asked = ["/usr/bin/xmlsec1", "--verify", "--trusted-pem", str(trusted), str(file)]
    return subprocess.run(asked, capture_output=True, check=False).returncode  # noqa: S603 - our own words.


async def certificates(site: Site) -> str:
    return {f.name: f.said for f in await examine(site.parts)}["certificates"]


@KINDS
async def test_a_key_on_a_token_signs_what_three_readers_call_valid(
    at_token: Site, hsm: Hsm, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own = hsm.certificate(kind)

    assert await take(at_token, tmp_path, kind, own) == 0

    sha256 = json.loads(capsys.readouterr().out)["certificate_sha256"]
    (key,) = await rows(at_token, "SELECT pkcs11_key, key_sealed FROM signing_key")
    assert key == {"pkcs11_key": kind, "key_sealed": None}, "the row says where, and holds nothing"
    await pay(at_token, "online", (LE_PHI,))
    assert await at_token.parts.receipts.issue() == 1
    (made,) = await rows(at_token, "SELECT xml FROM receipt")
    assert verify(bytes(made["xml"]), {sha256}).verdict is Verdict.VALID
    (tmp_path / "receipt.xml").write_bytes(made["xml"])
    (tmp_path / "authority.pem").write_bytes(authority_pem())
    assert xmlsec1(tmp_path / "authority.pem", tmp_path / "receipt.xml") == 0
    XMLVerifier().verify(made["xml"], x509_cert=own.public_bytes(Encoding.PEM).decode())


@KINDS
async def test_while_the_token_is_away_receipts_wait_with_their_numbers(
    at_token: Site, hsm: Hsm, tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    await take(at_token, tmp_path, kind, hsm.certificate(kind))
    await pay(at_token, "online", (LE_PHI,))
    assert await at_token.parts.receipts.issue() == 1
    here, away = hsm.folder / "tokens", hsm.folder / "away"
    here.rename(away)
    for _ in range(3):
        await pay(at_token, "online", (LE_PHI,))

    assert await at_token.parts.receipts.issue() == 0

    waiting = await rows(at_token, "SELECT number FROM receipt WHERE xml IS NULL ORDER BY number")
    assert [r["number"] for r in waiting] == [2, 3, 4]
    said = [r.getMessage() for r in caplog.records if r.name == "thuphi.receipts"]
    assert len(said) == 1, "once, not for each of them"
    assert "The token agency does not sign" in said[0]
    assert "The token agency does not sign" in await certificates(at_token)
    away.rename(here)
    assert await at_token.parts.receipts.issue() == 3
    trusted = await at_token.parts.receipts.trusted(AGENCY)
    made = await rows(at_token, "SELECT xml FROM receipt")
    assert {verify(bytes(r["xml"]), trusted).verdict for r in made} == {Verdict.VALID}
    assert await certificates(at_token) == "0 live agencies can sign"


async def test_what_the_former_key_has_to_seal_does_not_wait_for_the_token(
    at_token: Site, hsm: Hsm, tmp_path: Path
) -> None:
    """One batch has receipts of both."""
    await pay(at_token, "online", (LE_PHI,))
    await at_token.parts.receipts.issue()
    await take(at_token, tmp_path, "rsa", hsm.certificate("rsa"))
    await pay(at_token, "online", (LE_PHI,))
    await at_token.parts.receipts.issue()
    await at_token.as_owner("UPDATE receipt SET xml = NULL, pdf = NULL, signed_at = NULL")
    here, away = hsm.folder / "tokens", hsm.folder / "away"
    here.rename(away)

    assert await at_token.parts.receipts.issue() == 1

    away.rename(here)
    assert await at_token.parts.receipts.issue() == 1


async def test_a_token_may_sign_again_with_other_bytes_and_both_are_valid(
    at_token: Site, hsm: Hsm, tmp_path: Path
) -> None:
    """Its ECDSA draws lots. A seal is kept in the transaction that made it, so one is ever seen."""
    await take(at_token, tmp_path, "p256", hsm.certificate("p256"))
    await pay(at_token, "online", (LE_PHI,))
    made = []

    for _ in range(2):
        await at_token.parts.receipts.issue()
        made += [bytes(r["xml"]) for r in await rows(at_token, "SELECT xml FROM receipt")]
        await at_token.as_owner("UPDATE receipt SET xml = NULL, pdf = NULL, signed_at = NULL")

    trusted = await at_token.parts.receipts.trusted(AGENCY)
    assert made[0] != made[1]
    assert [verify(xml, trusted).verdict for xml in made] == [Verdict.VALID] * 2


@pytest.mark.parametrize(
    ("label", "kind", "sentence"),
    [
        ("rsa", "p256", "The key does not belong to the certificate."),
        ("p256", "rsa", "The key does not belong to the certificate."),
        ("nobody", "rsa", "The token agency does not sign: «nobody»: NoSuchKey."),
        ("rsa", "", "Name the --certificate of the key on the token."),
    ],
)
async def test_what_cannot_sign_is_refused_and_changes_nothing(
    at_token: Site, hsm: Hsm, tmp_path: Path, label: str, kind: str, sentence: str
) -> None:
    with pytest.raises(Refusal) as caught:
        await take(at_token, tmp_path, label, hsm.certificate(kind) if kind else None)

    assert caught.value.detail == sentence
    assert await rows(at_token, "SELECT 1 FROM signing_key") == []


async def test_without_a_token_the_command_says_what_to_set(
    site: Site, hsm: Hsm, tmp_path: Path
) -> None:
    with pytest.raises(Refusal, match="set THUPHI_PKCS11_MODULE, THUPHI_PKCS11_TOKEN and"):
        await take(site, tmp_path, "rsa", hsm.certificate("rsa"))


def test_a_pin_that_was_refused_is_not_tried_again(hsm: Hsm) -> None:
    """Tokens lock themselves after a few wrong ones."""
    token = Token(replace(hsm.place, pin="0000000000"))

    with pytest.raises(CannotSignError, match="its PIN was refused \\(PinIncorrect\\)"):
        token.sign("rsa", b"x")
    with pytest.raises(CannotSignError, match="not tried again before a restart"):
        token.sign("rsa", b"x")

    assert "0000000000" not in repr(replace(hsm.place, pin="0000000000"))
    good = Token(hsm.place)
    assert good.sign("rsa", b"x")
    good.close()


def test_a_library_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "none.so").write_bytes(os.urandom(64))

    with pytest.raises(CannotSignError, match="The token agency does not sign: «rsa»: PKCS11Error"):
        Token(TokenPlace(tmp_path / "none.so", "agency", PIN)).sign("rsa", b"x")
