"""``thuphi verify``: one file, one question, no database; the exit code is the answer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from receipt_samples import receipt, signer

from receipts.seal import pem_of
from receipts.verify import trusted_in, trusted_of
from receipts.xml import document_bytes_max, write

SEALED = signer().seal(write(receipt()))


def thuphi(folder: Path, *words: str) -> tuple[int, str, str]:
    """Run the command in a folder where nothing is set up."""
    done = subprocess.run(  # noqa: S603 - our own words.
        [sys.executable, "-m", "gateway.entry.cli", "verify", *words],
        capture_output=True, cwd=folder, check=False, text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a receipt and the agency's certificate."""
    (tmp_path / "r.xml").write_bytes(SEALED)
    (tmp_path / "agency.pem").write_text(pem_of(signer().certificate))
    other = signer("Somebody else")
    (tmp_path / "other.pem").write_text(pem_of(other.certificate))
    return tmp_path


def test_a_good_receipt_is_valid_for_who_trusts_the_agency(folder: Path) -> None:
    code, out, _ = thuphi(folder, "r.xml", "--trust", "agency.pem", "--json")

    said = json.loads(out)
    assert code == 0
    assert (said["verdict"], said["series"], said["number"]) == ("valid", "26TAA", 1)
    assert said["amount"] == 10_005
    assert "Nguyễn" not in out, "who checks a file need not learn the payer's name from us"
    assert not (folder / ".data").exists(), "checking leaves nothing behind"


def test_the_data_folder_says_whom_to_trust(folder: Path) -> None:
    trust = folder / ".data" / "trust"
    trust.mkdir(parents=True)
    assert thuphi(folder, "r.xml")[0] == 3
    (folder / "agency.pem").rename(trust / "hn-tthcc-test.pem")

    assert thuphi(folder, "r.xml")[0] == 0


def test_the_certificate_inside_the_file_is_not_believed(folder: Path) -> None:
    code, out, _ = thuphi(folder, "r.xml", "--trust", "other.pem")

    assert code == 3
    assert "not_trusted" in out


def test_a_changed_receipt_is_not_valid(folder: Path) -> None:
    (folder / "r.xml").write_bytes(SEALED.replace(b"<SBLai>1<", b"<SBLai>2<"))

    code, out, _ = thuphi(folder, "r.xml", "--trust", "agency.pem")

    assert code == 1
    assert "changed" in out


@pytest.mark.parametrize("words", [["none.xml"], ["."], ["r.xml", "--trust", "r.xml"], []], ids=str)
def test_what_cannot_be_read_is_said_in_one_line(folder: Path, words: list[str]) -> None:
    code, out, said = thuphi(folder, *words)

    assert (code, out) == (2, "")
    assert "Traceback" not in said
    assert said


@pytest.mark.parametrize("data", [b"hello", b"", b"<BLai " * document_bytes_max], ids=range(3))
def test_what_is_no_receipt_is_unreadable(folder: Path, data: bytes) -> None:
    (folder / "r.xml").write_bytes(data)

    assert thuphi(folder, "r.xml", "--trust", "agency.pem", "--json")[0] == 2


def test_files_and_folders_can_be_trusted(folder: Path) -> None:
    assert len(trusted_of([folder])) == 2
    assert trusted_of([folder / "agency.pem"]) == {signer().fingerprint}
    assert trusted_in(folder / "nowhere") == frozenset()
