"""``thuphi verify`` with a proof or an exported checkpoint: offline, and the exit code answers."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from commands import Terminal
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from log_samples import KEY, ORIGIN, Log, leaf_of, sealed
from receipt_samples import receipt, signer

from receipts.log.audit import write_leaves
from receipts.log.check import digest_of
from receipts.log.note import Checkpoint
from receipts.seal import pem_of
from receipts.xml import write

COUNT = 12
RECEIPTS = {n: sealed(n) for n in range(1, COUNT + 1)}
LEAVES = [leaf_of(n, xml) for n, xml in RECEIPTS.items()]
LOG = Log.of([leaf.digest for leaf in LEAVES])
FORGED = Log.of([*[leaf.digest for leaf in LEAVES[:3]], digest_of(sealed(4, "H26.14-261118-9999")),
                 *[leaf.digest for leaf in LEAVES[4:]]])  # fmt: skip
TRUSTED = ("--trust", "agency.pem", "--log-key", "key")


@pytest.fixture
def folder(terminal: Terminal) -> Path:
    """Give a folder with a receipt, its proof, the keys, and what was exported at seven leaves."""
    there = terminal.folder
    files = {
        "agency.pem": pem_of(signer().certificate), "key": KEY.text(),
        "proof": LOG.proof(3, 5).text(), "checkpoint": LOG.note(7), "newer": LOG.note(12),
        "link": LOG.link(5, 7).text(), "same": LOG.note(5),
    }  # fmt: skip
    for name, words in files.items():
        (there / name).write_text(words, "utf-8")
    (there / "r.xml").write_bytes(RECEIPTS[4])
    (there / "export").mkdir()
    for name, words in (("checkpoint", LOG.note(7)), ("log-key", KEY.text()),
                        ("leaves", write_leaves(LEAVES[:7]))):  # fmt: skip
        (there / "export" / name).write_text(words, "utf-8")
    return there


ANCHORS: tuple[tuple[tuple[str, ...], int], ...] = (
    (("--proof", "proof"), 5),
    (("--proof", "proof", "--checkpoint", "same"), 5),
    (("--proof", "proof", "--checkpoint", "checkpoint", "--consistency", "link"), 5),
    (("--proof", "proof", "--checkpoint", "export", "--consistency", "link"), 5),
    (("--checkpoint", "export"), 7),
)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("words", "size"), ANCHORS, ids=str)
async def test_a_receipt_is_in_its_log_by_a_proof_or_by_an_export(
    terminal: Terminal, words: tuple[str, ...], size: int
) -> None:
    ended = await terminal.run("verify", "r.xml", *TRUSTED, *words, "--json")

    said = json.loads(ended.out)
    assert (ended.code, said["verdict"], said["leaf"], said["size"], said["log"]) == (
        0, "valid", 3, size, ORIGIN,
    ), said  # fmt: skip


async def test_an_older_checkpoint_too_is_a_beginning_of_the_proofs(
    terminal: Terminal, folder: Path
) -> None:
    """Exported at three leaves, the receipt came later: the log only grew."""
    (folder / "early").write_text(LOG.note(3), "utf-8")
    (folder / "from-early").write_text(LOG.link(3, 5).text(), "utf-8")

    ended = await terminal.run("verify", "r.xml", *TRUSTED, "--proof", "proof", "--checkpoint",
                               "early", "--consistency", "from-early")  # fmt: skip

    assert ended.code == 0, ended


async def answer(terminal: Terminal, *words: str) -> tuple[int, str]:
    """Check, and give the exit code with what was said."""
    ended = await terminal.run("verify", "r.xml", *TRUSTED, *words)
    return ended.code, ended.out + ended.said


async def test_who_holds_all_our_keys_does_not_get_past_an_exported_checkpoint(
    terminal: Terminal, folder: Path
) -> None:
    """Another receipt with the same number, sealed and logged anew: it is valid by itself alone."""
    (folder / "r.xml").write_bytes(sealed(4, "H26.14-261118-9999"))
    (folder / "proof").write_text(FORGED.proof(3, 5).text(), "utf-8")
    assert (await answer(terminal, "--proof", "proof"))[0] == 0, "their own log agrees with them"
    (folder / "link").write_text(FORGED.link(5, 7).text(), "utf-8")
    for words in (
        ("--proof", "proof", "--checkpoint", "same"),
        ("--proof", "proof", "--checkpoint", "checkpoint", "--consistency", "link"),
    ):
        code, said = await answer(terminal, *words)
        assert (code, "written anew" in said) == (1, True)

    code, said = await answer(terminal, "--checkpoint", "export")
    assert (code, "none of the 7 leaves" in said) == (1, True)


async def test_what_is_wrong_with_a_proof_is_said_by_its_own_code(
    terminal: Terminal, folder: Path
) -> None:
    """1 the answer is no, 2 it cannot be read, 3 nobody signed whose key was given."""
    stranger = Checkpoint(ORIGIN, 5, LOG.roots[4]).signed(Ed25519PrivateKey.generate())
    good = LOG.proof(3, 5)
    cases = (
        (LOG.proof(4, 5).text(), 1),
        (replace(good, index=2).text(), 1),
        (replace(good, note=good.note.replace("\n5\n", "\n6\n")).text(), 1),
        (replace(good, note=stranger).text(), 3),
        (replace(good, path=good.path[:-1]).text(), 1),
        (good.text().replace("index", "indices"), 2),
        ("", 2),
    )
    for text, code in cases:
        (folder / "proof").write_text(text, "utf-8")
        assert (await answer(terminal, "--proof", "proof"))[0] == code, text
    (folder / "proof").write_bytes(b"\xff")
    assert (await answer(terminal, "--proof", "proof"))[0] == 2
    (folder / "proof").write_text(good.text(), "utf-8")
    for words, code, hint in (
        (("--proof", "none"), 2, "cannot be used"),
        (("--proof", "proof", "--checkpoint", "checkpoint"), 2, "consistency?from=5&to=7"),
        (("--checkpoint", "checkpoint"), 2, "Name a --proof"),
        (("--proof", "proof", "--checkpoint", "checkpoint", "--consistency", "proof"), 2, "no"),
        ((), 2, "Name a --proof"),
    ):
        seen, said = await answer(terminal, *words)
        assert (seen, hint in said) == (code, True), (words, said)
    (folder / "export" / "leaves").write_text(write_leaves(LEAVES[1:8]), "utf-8")
    assert (await answer(terminal, "--checkpoint", "export"))[0] == 2


async def test_the_receipt_names_its_log_and_no_other_will_do(
    terminal: Terminal, folder: Path
) -> None:
    """A receipt from before the log names none, and may be shown to be a leaf all the same."""
    elsewhere = signer().seal(write(receipt(number=4, log="pay.example.vn/log/other")))
    before = signer().seal(write(receipt(number=4)))
    log = Log.of([digest_of(elsewhere), digest_of(before)])
    for n, (xml, code) in enumerate(((elsewhere, 1), (before, 0))):
        (folder / "r.xml").write_bytes(xml)
        (folder / "proof").write_text(log.proof(n, 2).text(), "utf-8")
        assert (await answer(terminal, "--proof", "proof"))[0] == code


async def test_what_is_broken_or_not_trusted_stays_so_though_it_is_logged(
    terminal: Terminal, folder: Path
) -> None:
    ended = await terminal.run("verify", "r.xml", "--trust", "export", "--log-key", "key",
                               "--proof", "proof")  # fmt: skip
    assert (ended.code, "not_trusted" in ended.out) == (3, True)

    (folder / "r.xml").write_bytes(RECEIPTS[4].replace(b"<SBLai>4<", b"<SBLai>5<"))
    assert (await answer(terminal, "--proof", "proof"))[0] == 1
    ended = await terminal.run("verify", "r.xml", "--trust", "agency.pem", "--proof", "proof")
    assert (ended.code, "--log-key" in ended.said) == (2, True)


@pytest.mark.parametrize(
    "changes",
    [{"series": "25TAA"}, {"series": "26TAI"}, {"form": "EBL02"}, {"rules": "vn-2022"},
     {"number": 100_000_000}, {"number": 0}, {"rules": "vn-2022", "form": "01BLP0-001"}],
    ids=str,
)  # fmt: skip
async def test_a_number_that_no_rule_of_its_day_gives_is_not_valid(
    terminal: Terminal, folder: Path, changes: dict[str, object]
) -> None:
    """Though it was sealed by somebody who holds the agency's key."""
    (folder / "r.xml").write_bytes(signer().seal(write(receipt(**changes))))

    ended = await terminal.run("verify", "r.xml", "--trust", "agency.pem")

    assert (ended.code, "no such form, series and number" in ended.out) == (1, True)
