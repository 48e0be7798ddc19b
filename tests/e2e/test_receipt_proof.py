"""Proof for ten years: evidence is added beside the seal, and outlives the certificates."""

import asyncio
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from proving import Proving
from receipt_days import LE_PHI, pay
from signxml.verifier import XMLVerifier
from sqlalchemy import text

from gateway.entry.doctor import examine
from receipts.proof import cut, signature_imprint
from receipts.verify import Verdict


async def test_a_proven_receipt_is_valid_for_who_trusts_the_root_alone(
    proving: Proving, tmp_path: Path
) -> None:
    sealed = await proving.sealed()
    at = proving.now
    proving.site.clock.move(timedelta(minutes=3))

    assert await proving.prove() == 2, "a time-stamp, and what shows the certificates to be good"
    assert await proving.prove() == 0, "and nothing more for years"

    data = await proving.proven()
    assert cut(data)[0] == sealed, "the sealed bytes are in it, untouched"
    assert (await proving.rows())[-1][1] == sealed
    found = proving.judge(data)
    assert (found.verdict, found.proved_at) == (Verdict.VALID, at + timedelta(minutes=3))
    assert proving.judge(sealed).verdict is Verdict.NOT_TRUSTED, "nothing else says so"
    assert proving.authority.asked == ["tsa", "ocsp", "crl"]
    for name, held in (("root", proving.authority.root), ("issuer", proving.authority.issuer)):
        (tmp_path / f"{name}.pem").write_bytes(held.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "r.xml").write_bytes(data)
    own = proving.own.certificate.public_bytes(Encoding.PEM).decode()
    said = XMLVerifier().verify(data, x509_cert=own)
    assert said.signed_data == sealed.partition(b"<DSCKS>")[0] + b"<DSCKS></DSCKS></BLai>"
    assert command(
        "/usr/bin/xmlsec1", "--verify", "--trusted-pem", tmp_path / "root.pem",
        "--untrusted-pem", tmp_path / "issuer.pem",
        "--verification-gmt-time", f"{proving.now:%Y-%m-%d %H:%M:%S}", tmp_path / "r.xml",
    ) == 0  # fmt: skip


def command(*words: object) -> int:
    """Ask somebody else's program."""
    done = subprocess.run([str(w) for w in words], capture_output=True, check=False)  # noqa: S603 - our own words.
    return done.returncode


async def test_openssl_agrees_about_the_time_stamp(proving: Proving, tmp_path: Path) -> None:
    sealed = await proving.sealed()
    await proving.prove()
    _, proof = cut(await proving.proven())
    assert proof is not None
    (tmp_path / "token").write_bytes(proof.token)
    (tmp_path / "root.pem").write_bytes(
        proving.authority.root.certificate.public_bytes(Encoding.PEM)
    )

    def openssl(digest: bytes) -> int:
        return command(
            "openssl", "ts", "-verify", "-digest", digest.hex(), "-in", tmp_path / "token",
            "-token_in", "-CAfile", tmp_path / "root.pem",
            "-attime", int(proving.now.timestamp()),
        )  # fmt: skip

    assert openssl(signature_imprint(sealed)) == 0
    assert openssl(bytes(32)) == 1


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("tsa is away", "An authority answered 503."),
        ("refuses", "The time-stamp authority says rejection."),
        ("another nonce", "The time-stamp authority answered another question."),
        ("another hash", "The time-stamp authority answered another question."),
        ("another key", "The time-stamp's signature does not hold."),
        ("another use", "The stamp's certificate is not for time-stamps alone."),
        ("ocsp is away", "No evidence about a certificate: An authority answered 503."),
        ("a stranger answers", "No evidence about a certificate: Nothing shows whether a"),
    ],
)
async def test_an_authority_that_fails_stops_nothing_and_is_asked_again(
    proving: Proving, caplog: pytest.LogCaptureFixture, wrong: str, why: str
) -> None:
    good = proving.authority.stamper
    if wrong == "another use":
        proving.authority.stamper = proving.authority.new_stamper(365, is_for_stamps=False)
    proving.authority.wrong = wrong
    await proving.sealed()
    before = await proving.prove()

    assert why in caplog.text
    assert len(await proving.rows()) == 1
    assert await proving.prove() == 0, "not at once"
    proving.authority.wrong, proving.authority.stamper = "", good
    await proving.sealed()
    proving.site.clock.move(timedelta(minutes=1))
    await proving.prove()
    assert before in (0, 1)
    assert await proving.steps() == 4, "both, the one that waited and the new one"
    assert proving.judge(await proving.proven()).verdict is Verdict.VALID


async def test_stamps_are_renewed_before_their_own_certificate_ends(proving: Proving) -> None:
    """Ten years, with time-stamp certificates of two: each renewal carries all before it."""
    proving.authority.stamper = proving.authority.new_stamper(730)
    await proving.sealed()
    at = proving.now
    await proving.prove()
    once = await proving.proven()
    for _ in range(5):
        proving.site.clock.move(timedelta(days=640))
        proving.authority.stamper = proving.authority.new_stamper(730)
        assert await proving.prove() == 1

    found = proving.judge(await proving.proven())

    assert (found.verdict, found.proved_at) == (Verdict.VALID, at)
    late = proving.judge(once)
    assert late.verdict is Verdict.NOT_TRUSTED, "without renewals nobody can say any more"
    assert await proving.steps() == 7


async def test_evidence_is_written_in_one_way_only(proving: Proving) -> None:
    await proving.sealed()
    await proving.prove()
    data = await proving.proven()
    ends = b"</EncapsulatedTimeStamp>"
    for other in (
        data.replace(ends, b"\n" + ends), data.replace(b"<CRLValues>", b"<CRLValues><!---->"),
        data.replace(b"</Object>", b"</Object><Object></Object>"),
        data.replace(b"<RevocationValues>", b"<Other></Other><RevocationValues>"),
        data.replace(b"<CertificateValues>", b"<CertificateValues></CertificateValues>" * 2),
        data + b" ",
    ):  # fmt: skip
        assert other != data
        assert proving.judge(other).verdict is Verdict.NOT_VALID


async def test_the_command_judges_a_proven_file_by_the_root_alone(
    proving: Proving, tmp_path: Path
) -> None:
    await proving.sealed()
    await proving.prove()
    (tmp_path / "r.xml").write_bytes(await proving.proven())
    trust = tmp_path / "trust"
    trust.mkdir()
    (trust / "root.pem").write_bytes(proving.authority.root.certificate.public_bytes(Encoding.PEM))

    asked = ["verify", str(tmp_path / "r.xml"), "--trust", str(trust), "--json"]
    done = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.entry.cli", *asked, cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await done.communicate()

    said = json.loads(out)
    assert (done.returncode, said["verdict"]) == (0, "valid"), said["why"]
    assert said["proved_at"] == "2026-11-18T01:00:00Z"


async def test_whoever_has_the_link_gets_the_proven_file(proving: Proving) -> None:
    await proving.sealed()
    async with proving.site.parts.store.begin() as tx:
        row = await tx.row(text("SELECT token FROM receipt"))
    assert row
    link = f"/receipts/{row['token']}.proven.xml"
    assert (await proving.site.http.get(link)).status_code == 404, "there is nothing to give yet"

    await proving.prove()

    answer = await proving.site.http.get(link)
    assert answer.content == await proving.proven()
    assert answer.headers["content-type"] == "application/xml"


async def test_the_doctor_names_what_has_no_evidence_after_a_day(proving: Proving) -> None:
    async def doctor() -> str:
        return {f.name: f.said for f in await examine(proving.site.parts)}["proofs"]

    await proving.sealed()
    proving.authority.wrong = "ocsp is away"
    await proving.prove()
    proving.site.clock.move(timedelta(days=1))
    assert "all that can be proved" in await doctor()
    proving.site.clock.move(timedelta(seconds=1))

    assert "1 receipts have no evidence after a day, rcp_" in await doctor()

    proving.authority.wrong = ""
    assert await proving.prove() == 1
    assert "all that can be proved" in await doctor()


async def test_many_workers_prove_each_once(proving: Proving) -> None:
    for _ in range(8):
        await pay(proving.site, "online", (LE_PHI,))
    await proving.site.parts.receipts.issue()

    done = await asyncio.gather(*(proving.prove() for _ in range(4)))

    assert (sum(done), await proving.steps()) == (16, 16)
    assert proving.authority.asked.count("tsa") == 8
