"""The seal, by three readers: ours, xmlsec1 and signxml; and one changed byte is seen by ours."""

import base64
import random
import re
import subprocess
from pathlib import Path

import pytest
from receipt_samples import p256_signer, receipt, signer
from signxml.verifier import XMLVerifier

from receipts.seal import BrokenSealError, open_seal, pem_of
from receipts.verify import Verdict, verify
from receipts.xml import write

SIGNERS = {"rsa": signer(), "p256": p256_signer()}
BOTH = pytest.mark.parametrize("kind", SIGNERS)
SEALED = signer().seal(write(receipt()))
TRUSTED = {s.fingerprint for s in SIGNERS.values()}


def sealed(kind: str) -> bytes:
    """Give the same receipt under a signer's own seal."""
    by = SIGNERS[kind]
    return by.seal(write(receipt(certificate_sha256=by.fingerprint)))


def xmlsec1(folder: Path, data: bytes, kind: str) -> int:
    """Ask the C implementation, with the certificate as its only trust."""
    file, pem = folder / "receipt.xml", folder / "agency.pem"
    file.write_bytes(data)
    pem.write_text(pem_of(SIGNERS[kind].certificate))
    done = subprocess.run(  # noqa: S603 - our own words.
        ["/usr/bin/xmlsec1", "--verify", "--trusted-pem", str(pem), str(file)],
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode


@BOTH
def test_three_readers_agree_that_it_is_valid(tmp_path: Path, kind: str) -> None:
    data, by = sealed(kind), SIGNERS[kind]

    assert verify(data, TRUSTED).verdict is Verdict.VALID
    assert xmlsec1(tmp_path, data, kind) == 0
    said = XMLVerifier().verify(data, x509_cert=pem_of(by.certificate))
    assert said.signed_data == write(receipt(certificate_sha256=by.fingerprint))


@BOTH
def test_three_readers_agree_that_a_changed_amount_is_not_valid(tmp_path: Path, kind: str) -> None:
    forged = sealed(kind).replace(b"<TTien>10000<", b"<TTien>90000<")

    assert verify(forged, TRUSTED).verdict is Verdict.NOT_VALID
    assert xmlsec1(tmp_path, forged, kind) == 1
    with pytest.raises(Exception, match="Digest"):
        XMLVerifier().verify(forged, x509_cert=pem_of(SIGNERS[kind].certificate))


@BOTH
def test_one_changed_byte_anywhere_is_seen(kind: str) -> None:
    """Every position: the text, the tags, the signature, the certificate, the last bracket."""
    chance = random.Random(7)  # noqa: S311 - a repeatable choice, no secret.
    data = sealed(kind)
    for at, byte in enumerate(data):
        for other in {byte ^ 1, byte ^ 0x20, chance.randrange(256)} - {byte}:
            changed = bytearray(data)
            changed[at] = other
            found = verify(bytes(changed), TRUSTED)
            assert found.verdict in (Verdict.NOT_VALID, Verdict.UNREADABLE), at


def test_the_twin_of_a_signature_on_p256_is_refused(tmp_path: Path) -> None:
    """Anybody can turn (r, s) into (r, n - s); it must not become a second original."""
    data = sealed("p256")
    (words,) = re.findall(rb"<SignatureValue>(.+)</SignatureValue>", data)
    r, s = (base64.b64decode(words)[a:b] for a, b in ((0, 32), (32, 64)))
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    twin = r + (order - int.from_bytes(s, "big")).to_bytes(32, "big")

    second = data.replace(words, base64.b64encode(twin))

    assert xmlsec1(tmp_path, second, "p256") == 0, "it is as good for those who do not ask"
    assert verify(second, TRUSTED).verdict is Verdict.NOT_VALID


def test_one_byte_more_or_less_anywhere_is_seen() -> None:
    for at in range(len(SEALED)):
        less, more = SEALED[:at] + SEALED[at + 1 :], SEALED[:at] + b" " + SEALED[at:]
        for changed in (less, more):
            assert verify(changed, TRUSTED).verdict is not Verdict.VALID
            assert verify(changed, TRUSTED).verdict is not Verdict.NOT_TRUSTED


@BOTH
def test_the_same_receipt_gives_the_same_bytes(kind: str) -> None:
    """Who signs again after a crash must not make a second, different original."""
    assert sealed(kind) == sealed(kind)


def test_somebody_elses_signature_is_whole_but_not_trusted() -> None:
    other = signer("Somebody else")
    data = other.seal(write(receipt(certificate_sha256=other.fingerprint)))

    assert verify(data, TRUSTED).verdict is Verdict.NOT_TRUSTED
    assert verify(data, {other.fingerprint}).verdict is Verdict.VALID


def test_a_certificate_cannot_be_exchanged() -> None:
    """The document names its signer, so our words under another's seal are no receipt."""
    other = signer("Somebody else")

    found = verify(other.seal(write(receipt())), {other.fingerprint} | TRUSTED)

    assert found.verdict is Verdict.NOT_VALID


@pytest.mark.parametrize("year", [2025, 2037])
def test_a_certificate_counts_only_on_the_days_it_was_in_force(year: int) -> None:
    made = receipt(issued_on=receipt().issued_on.replace(year=year))

    assert verify(signer().seal(write(made)), TRUSTED).verdict is Verdict.NOT_VALID


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"%PDF-1.7", b"<html></html>", SEALED * 200], ids=range(5)
)
def test_what_is_no_receipt_is_unreadable(data: bytes) -> None:
    assert verify(data, TRUSTED).verdict is Verdict.UNREADABLE


def test_a_document_without_a_signature_is_not_valid() -> None:
    with pytest.raises(BrokenSealError, match="no signature"):
        open_seal(write(receipt()))
    assert verify(write(receipt()), TRUSTED).verdict is Verdict.NOT_VALID


def test_the_key_is_in_no_repr() -> None:
    assert "PrivateKey" not in repr(signer())
