"""The seal, by three readers: ours, xmlsec1 and signxml; and one changed byte is seen by ours."""

import random
import subprocess
from pathlib import Path

import pytest
from receipt_samples import receipt, signer
from signxml.verifier import XMLVerifier

from receipts.seal import BrokenSealError, open_seal, pem_of
from receipts.verify import Verdict, verify
from receipts.xml import write

SEALED = signer().seal(write(receipt()))
TRUSTED = {signer().fingerprint}


def xmlsec1(folder: Path, data: bytes) -> int:
    """Ask the C implementation, with the certificate as its only trust."""
    file, pem = folder / "receipt.xml", folder / "agency.pem"
    file.write_bytes(data)
    pem.write_text(pem_of(signer().certificate))
    done = subprocess.run(  # noqa: S603 - our own words.
        ["/usr/bin/xmlsec1", "--verify", "--trusted-pem", str(pem), str(file)],
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode


def test_three_readers_agree_that_it_is_valid(tmp_path: Path) -> None:
    assert verify(SEALED, TRUSTED).verdict is Verdict.VALID
    assert xmlsec1(tmp_path, SEALED) == 0
    said = XMLVerifier().verify(SEALED, x509_cert=pem_of(signer().certificate))
    assert said.signed_data == write(receipt())


def test_three_readers_agree_that_a_changed_amount_is_not_valid(tmp_path: Path) -> None:
    forged = SEALED.replace(b"<TTien>10000<", b"<TTien>90000<")

    assert verify(forged, TRUSTED).verdict is Verdict.NOT_VALID
    assert xmlsec1(tmp_path, forged) == 1
    with pytest.raises(Exception, match="Digest"):
        XMLVerifier().verify(forged, x509_cert=pem_of(signer().certificate))


def test_one_changed_byte_anywhere_is_seen() -> None:
    """Every position: the text, the tags, the signature, the certificate, the last bracket."""
    chance = random.Random(7)  # noqa: S311 - a repeatable choice, no secret.
    for at, byte in enumerate(SEALED):
        for other in {byte ^ 1, byte ^ 0x20, chance.randrange(256)} - {byte}:
            changed = bytearray(SEALED)
            changed[at] = other
            found = verify(bytes(changed), TRUSTED)
            assert found.verdict in (Verdict.NOT_VALID, Verdict.UNREADABLE), at


def test_one_byte_more_or_less_anywhere_is_seen() -> None:
    for at in range(len(SEALED)):
        less, more = SEALED[:at] + SEALED[at + 1 :], SEALED[:at] + b" " + SEALED[at:]
        for changed in (less, more):
            assert verify(changed, TRUSTED).verdict is not Verdict.VALID
            assert verify(changed, TRUSTED).verdict is not Verdict.NOT_TRUSTED


def test_the_same_receipt_gives_the_same_bytes() -> None:
    """Who signs again after a crash must not make a second, different original."""
    assert signer().seal(write(receipt())) == SEALED


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
