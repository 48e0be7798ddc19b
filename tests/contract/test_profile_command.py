"""``thuphi profile``: which there are, one tried on a file, one proposed for a sample."""

import json
from pathlib import Path
from typing import Any

import pytest
from statement_samples import FILES, LINE, NEXT, OWN, SAMPLES, sample, titled

from gateway.entry.cli import main


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    """Run the command, and give what it says."""
    assert main(["profile", *words, "--json"]) == code
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_the_list_says_which_profiles_are_assumed(capsys: pytest.CaptureFixture[str]) -> None:
    profiles = told(capsys, "list")["profiles"]

    assumed = {p["name"] for p in profiles if p["status"] == "assumed"}
    assert assumed == {
        "vnpay", "momo", "zalopay", "payos", "vietcombank", "bidv", "vietinbank", "agribank",
        "techcombank",
    }  # fmt: skip
    assert all(p["basis"] for p in profiles)


@pytest.mark.parametrize("name", FILES)
def test_a_guess_reads_its_sample_as_the_shipped_profile_does(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(sample(name))

    said = told(capsys, "guess", str(path))
    checked = told(capsys, "check", FILES[name][0], str(path))

    assert said["refusal"] is None
    assert [x["net"] for x in said["lines"]] == FILES[name][2]
    assert (said["lines"], said["totals"]) == (checked["lines"], checked["totals"])


def test_a_file_of_no_known_bank_gets_a_profile_that_reads_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its headings are other banks', its layout nobody's; what is printed can be kept and used."""
    text = (
        (
            "Account: 9876543210\nValue date|Số bút toán|Nội dung|Ghi nợ|Ghi có\n"
            "2026.11.18|A1|le phi||1 250 000\n2026.11.19|A2|phi|5 500|\n"
        )
        .replace("2026.11.18", "18.11.2026")
        .replace("2026.11.19", "19.11.2026")
    )
    text = text.replace("Value date", "Ngày giao dịch")
    path, own = tmp_path / "odd.txt", tmp_path / "odd.toml"
    path.write_text(text, "utf-16")

    said = told(capsys, "guess", str(path))
    own.write_text(said["profile"], "utf-8")
    checked = told(capsys, "check", str(own), str(path))

    assert [(x["account"], x["booked_on"], x["net"]) for x in checked["lines"]] == [
        ("9876543210", "2026-11-18", 1_250_000), ("9876543210", "2026-11-19", -5_500),
    ]  # fmt: skip
    assert said["lines"] == checked["lines"]
    assert said["profile"].startswith("# Guessed from a sample")


def test_a_workbook_is_guessed_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(titled(LINE, NEXT))

    assert [x["net"] for x in told(capsys, "guess", str(path))["lines"]] == [150_000, -1_000]


def test_what_is_no_statement_and_what_is_refused_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.toml").write_text(OWN, "utf-8")
    (tmp_path / "words.csv").write_text("xin chào\n", "utf-8")

    assert main(["profile", "guess", str(tmp_path / "words.csv")]) == 2
    assert "No row of the file has headings that are known" in capsys.readouterr().err
    said = told(capsys, "check", str(tmp_path / "own.toml"), str(SAMPLES / "bidv.csv"), code=1)
    assert said["refusal"] == "Line 1: column 3 is empty."


def test_a_profile_that_reads_the_first_line_alone_is_not_proposed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second line is of another bank's layout; what is proposed says where it fails."""
    path = tmp_path / "a.csv"
    path.write_bytes(sample("bidv.csv", ("18/11/2026 09:01:44", "18-11-2026 09:01:44")))

    said = told(capsys, "guess", str(path))

    assert said["profile"].startswith("# Guessed from a sample")
    assert said["refusal"].startswith("Line 4: Ngày giao dịch is not written as")


def test_a_guessed_wallet_leaves_out_what_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wallet.csv"
    text = sample("payos.csv").decode().replace("Thời gian,", "Ngày quyết toán,Thời gian,")
    path.write_text(text.replace("18/11/2026 08", "18/11/2026,18-11-2026 08"), "utf-8")

    said = told(capsys, "guess", str(path))

    assert said["refusal"] is None
    assert [(x["txn_id"], x["net"]) for x in said["lines"]] == [("FT26322123456789", 150_000)]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'"' + b"x" * 200_000, "Line 1: is not CSV (field larger than field limit"),
        (b"a\rb\rc", "No row of the file has headings"), (b"", "has no header"),
        (b"PK\x03\x04", "The file is a damaged workbook"),
        ('Ngày,Ghi nợ,Ghi có,Mô tả\n1,2,3,"x\n'.encode(), "is not CSV"),
    ],
)  # fmt: skip
def test_a_sample_that_is_no_table_is_refused_in_a_sentence(
    content: bytes, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "odd.csv").write_bytes(content)

    assert main(["profile", "guess", str(tmp_path / "odd.csv")]) == 2
    assert why in capsys.readouterr().err


def test_a_sign_that_no_toml_may_hold_is_written_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'Mã giao dịch,Mã đơn hàng,Loại giao dịch,Số tiền,Thời gian\n1,2,tr\x7f"a,5,18/11/2026\n'
    (tmp_path / "odd.csv").write_text(text, "utf-8")

    assert 'tr\\u007f\\"a' in told(capsys, "guess", str(tmp_path / "odd.csv"))["profile"]
