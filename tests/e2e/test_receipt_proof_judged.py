"""What evidence proves, and what it does not: ends, revocations, changes."""

import random
from datetime import timedelta

import pytest
from front_door import AGENCY
from proving import Proving

from receipts.proof import Proof, cut
from receipts.verify import Verdict, verify
from receipts.xml import read_sealed


async def test_what_ended_or_was_taken_back_later_changes_nothing(proving: Proving) -> None:
    await proving.sealed()
    await proving.prove()
    proving.authority.revoke(proving.own, proving.now + timedelta(days=1))

    found = proving.judge(await proving.proven(), timedelta(days=3_600))

    assert found.verdict is Verdict.VALID
    assert proving.own.certificate.not_valid_after_utc < proving.now + timedelta(days=3_600)


@pytest.mark.parametrize(("days", "verdict"), [(1, Verdict.VALID), (-1, Verdict.NOT_VALID)])
async def test_the_day_on_which_it_was_taken_back_decides(
    proving: Proving, days: int, verdict: Verdict
) -> None:
    """The stamp was made, and the responder was away until two days later."""
    await proving.sealed()
    proving.authority.wrong = "ocsp is away"
    stamped_at = proving.now
    assert await proving.prove() == 1
    proving.authority.revoke(proving.own, stamped_at + timedelta(days=days))
    proving.authority.wrong = ""
    proving.site.clock.move(timedelta(days=2))
    assert await proving.prove() == 1

    found = proving.judge(await proving.proven())

    assert found.verdict is verdict
    if verdict is Verdict.NOT_VALID:
        assert "was taken back at 2026-11-17T01:00:00Z" in found.why


async def test_an_issuer_that_was_taken_back_before_proves_nothing(proving: Proving) -> None:
    await proving.sealed()
    proving.authority.revoke(proving.authority.issuer, proving.now - timedelta(hours=1))
    await proving.prove()

    assert proving.judge(await proving.proven()).verdict is Verdict.NOT_VALID


async def test_a_stamp_after_the_certificates_end_is_too_late(proving: Proving) -> None:
    await proving.certified(days=2)
    await proving.sealed()
    proving.authority.wrong = "tsa is away"
    assert await proving.prove() == 0
    proving.site.clock.move(timedelta(days=1))
    proving.authority.wrong = ""
    await proving.prove()

    found = proving.judge(await proving.proven())

    assert found.verdict is Verdict.NOT_VALID
    assert "outside its certificate's time" in found.why


async def test_a_stamper_that_was_taken_back_before_the_renewal_is_not_believed(
    proving: Proving,
) -> None:
    proving.authority.stamper = proving.authority.new_stamper(730)
    await proving.sealed()
    await proving.prove()
    proving.site.clock.move(timedelta(days=640))
    proving.authority.revoke(proving.authority.stamper, proving.now - timedelta(days=1))
    proving.authority.stamper = proving.authority.new_stamper(730)
    await proving.prove()

    assert proving.judge(await proving.proven()).verdict is Verdict.NOT_VALID


async def test_one_changed_byte_proves_nothing_else(proving: Proving) -> None:
    """Evidence may be spelt differently here and there; it never proves another moment or text."""
    await proving.sealed()
    at = proving.now
    await proving.prove()
    data = await proving.proven()
    whole = read_sealed(cut(data)[0])
    chance = random.Random(11)  # noqa: S311 - a repeatable choice, no secret.
    valid = 0
    for _ in range(150):
        changed, where = bytearray(data), chance.randrange(len(data))
        changed[where] ^= 1 << chance.randrange(8)
        found = proving.judge(bytes(changed))
        if found.verdict is Verdict.VALID:
            valid += 1
            assert (found.receipt, found.proved_at) == (whole, at), where
    assert valid < 25, "the copies of the root, which nobody needs"


async def test_evidence_of_another_receipt_is_refused(proving: Proving) -> None:
    first = await proving.sealed()
    await proving.prove()
    _, proof = cut(await proving.proven())
    second = await proving.sealed()
    await proving.prove()
    assert proof is not None
    mixed = (await proving.proven()).replace(
        "".join(cut(await proving.proven())[1].parts()).encode(), "".join(proof.parts()).encode()
    )
    assert cut(mixed) == (second, proof)
    assert first != second

    assert proving.judge(mixed).why == "Its time-stamp is over something else."


async def test_who_trusts_the_signer_needs_no_authority(proving: Proving) -> None:
    await proving.sealed()
    await proving.prove()
    data = await proving.proven()
    trusted = await proving.site.parts.receipts.trusted(AGENCY)

    assert verify(data, trusted).verdict is Verdict.VALID
    assert verify(data, set()).verdict is Verdict.NOT_TRUSTED
    assert Proof.read("".join(cut(data)[1].parts()).encode()) == cut(data)[1]
