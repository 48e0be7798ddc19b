"""Checkpoints, keys and proofs as text: what others write is read, and what is wrong is not."""

from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from receipts.log.note import (
    Checkpoint,
    ForgedNoteError,
    Link,
    LogKey,
    Proof,
    UnknownSignerError,
    UnreadableTextError,
    base64_of,
    opened,
)

# The key and the signature that the documentation of Go's own notes shows.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)
SECRET = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "pay.example.vn/log/hn-tthcc"
KEY = LogKey(ORIGIN, SECRET.public_key().public_bytes_raw())
CHECKPOINT = Checkpoint(ORIGIN, 20_852_163, bytes(range(32)))
NOTE = CHECKPOINT.signed(SECRET)
OTHER_LOG = Checkpoint("pay.example.vn/log/other", 1, bytes(32)).text()
# What aics-tlog 0.2.1, which shares nothing with us, signs with the same key.
THEIRS = (
    "pay.example.vn/log/hn-tthcc\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n"
    "— pay.example.vn/log/hn-tthcc 3xKuAIyXIi5o43xkvaNhmkvbgLK5IyS4/WielvFnBB2wpWuowj6Gt/OfVfs8fVQF"
    "SidvLRgFhzAdFdeOLCIAllO/YgM=\n"
)
HASHES = (b"\1" * 32, b"\2" * 32)


def test_a_key_and_a_signature_of_another_implementation_are_ours() -> None:
    """The same number, over the same text: so ours are theirs."""
    key = LogKey.of(f"{GO_KEY}\n")

    assert key.text() == f"{GO_KEY}\n"
    note = f"{GO_TEXT}\n— PeterNeumann {GO_SIGNATURE}\n"
    with pytest.raises(UnreadableTextError, match="size or its root"):
        opened(note, key)  # The signature holds; it is a note, and no checkpoint.
    with pytest.raises(ForgedNoteError):
        opened(note.replace("think", "thank"), key)


def test_another_implementation_signs_the_same_checkpoint_with_the_same_bytes() -> None:
    assert NOTE == THEIRS
    assert KEY.text() == (
        "pay.example.vn/log/hn-tthcc+df12ae00+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\n"
    )


def test_a_checkpoint_is_four_lines_a_blank_one_and_a_signature() -> None:
    text, blank, line = NOTE.removesuffix("\n").rpartition("\n\n")

    assert text.split("\n") == [ORIGIN, "20852163", base64_of(bytes(range(32)))]
    dash, name, signature = line.split(" ")
    assert (blank, dash, name) == ("\n\n", "—", ORIGIN)
    Ed25519PublicKey.from_public_bytes(KEY.public).verify(
        b64decode(signature)[4:], f"{text}\n".encode()
    )
    assert opened(NOTE, KEY) == CHECKPOINT
    assert CHECKPOINT.signed(SECRET) == NOTE, "the same checkpoint is the same note"


def test_what_others_signed_beside_us_does_not_matter() -> None:
    """A witness adds a line of its own; extension lines are signed with the rest."""
    theirs = Ed25519PrivateKey.generate()
    line = Checkpoint("witness.example", 1, bytes(32)).signed(theirs).rpartition("\n\n")[2]

    assert opened(NOTE + line, KEY) == CHECKPOINT
    text = CHECKPOINT.text() + "an extension\n"
    signed = base64_of(KEY.id + SECRET.sign(text.encode()))
    assert opened(f"{text}\n— {ORIGIN} {signed}\n", KEY) == CHECKPOINT


@pytest.mark.parametrize(
    ("note", "error"),
    [
        (NOTE.replace("20852163", "20852164"), ForgedNoteError),
        (NOTE.replace(f"{ORIGIN}\n", "pay.example.vn/log/other\n", 1), ForgedNoteError),
        (Checkpoint(ORIGIN, 1, bytes(32)).signed(Ed25519PrivateKey.generate()), UnknownSignerError),
        (Checkpoint("other", 1, bytes(32)).signed(SECRET), UnknownSignerError),
        (Checkpoint(ORIGIN, 1, bytes(31)).signed(SECRET), UnreadableTextError),
        (
            f"{OTHER_LOG}\n— {ORIGIN} {base64_of(KEY.id + SECRET.sign(OTHER_LOG.encode()))}\n",
            UnreadableTextError,
        ),
        (NOTE.removesuffix("\n"), UnreadableTextError),
        (CHECKPOINT.text(), UnreadableTextError),
        (NOTE + "\n", UnreadableTextError),
        (NOTE.replace("—", "-"), UnreadableTextError),
        (NOTE + "— x AAAAAAAA\n" * 64, UnreadableTextError),
        (NOTE.replace("\n", "\r\n"), UnreadableTextError),
        ("", UnreadableTextError),
    ],
    ids=range(13),
)
def test_what_is_no_checkpoint_of_the_log_is_not_read(note: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        opened(note, KEY)


@pytest.mark.parametrize("text", ["", "x", "a+b+c", GO_KEY.replace("c74f", "0"),
                                  GO_KEY.replace("+A", "+B"), GO_KEY[:-4]],
                         ids=range(6))  # fmt: skip
def test_what_is_no_key_is_not_read(text: str) -> None:
    with pytest.raises(UnreadableTextError):
        LogKey.of(text)


def test_a_proof_is_written_as_others_read_it() -> None:
    proof = Proof(73_894, HASHES, NOTE)
    first, second = (base64_of(h) for h in HASHES)

    assert proof.text() == f"c2sp.org/tlog-proof@v1\nindex 73894\n{first}\n{second}\n\n{NOTE}"
    assert Proof.of(proof.text()) == proof
    assert Proof.of(proof.text().replace("index", "extra QUJD\nindex", 1)) == proof
    assert Proof.of(Proof(0, (), NOTE).text()) == Proof(0, (), NOTE), "the only leaf has no path"
    link = Link(7, HASHES, NOTE)
    assert link.text() == f"old 7\n{first}\n{second}\n\n{NOTE}"
    assert Link.of(link.text()) == link


GOOD = Proof(7, HASHES, NOTE).text()


@pytest.mark.parametrize(
    "text",
    ["", NOTE, GOOD.replace("v1", "v2"), GOOD.replace("index 7\n", ""), GOOD.replace(" 7", " 07"),
     GOOD.replace("\n\n", "\n"), GOOD.replace("AQEB", "AQE"), GOOD.replace("AQEB", "", 1),
     GOOD.replace("AQE=", "AQF="),
     GOOD.replace("index 7\n", "index 7\n" + f"{base64_of(HASHES[0])}\n" * 200),
     GOOD.replace("index 7", f"index {'9' * 30}"), Link(7, HASHES, NOTE).text()],
    ids=range(12),
)  # fmt: skip
def test_what_is_no_proof_is_not_read(text: str) -> None:
    with pytest.raises(UnreadableTextError):
        Proof.of(text)
    with pytest.raises(UnreadableTextError):
        Link.of(text.replace("old 7", "old x"))


@given(at=st.integers(0, len(NOTE) - 1), sign=st.characters(codec="utf-8"))
@settings(max_examples=300, deadline=None)
def test_one_other_character_anywhere_is_never_the_same_promise(at: int, sign: str) -> None:
    """Whatever is changed, either nothing is read or it says the same."""
    changed = NOTE[:at] + sign + NOTE[at + 1 :]
    try:
        assert opened(changed, KEY) == CHECKPOINT
        assert changed == NOTE
    except (UnreadableTextError, UnknownSignerError, ForgedNoteError):
        assert changed != NOTE
