"""The PDF: text that can be copied, a QR that can be scanned, the original attached, PDF/A."""

import io
import subprocess
import unicodedata
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from receipt_samples import receipt, signer

from receipts.pdf import draw
from receipts.receipt import Line, Receipt, total_in_words
from receipts.xml import write


def drawn(folder: Path, made: Receipt) -> tuple[Path, bytes]:
    """Draw a receipt into a file; give it and the attached original."""
    xml = signer().seal(write(made))
    file = folder / "receipt.pdf"
    file.write_bytes(draw(made, xml))
    return file, xml


def run(*words: str) -> bytes:
    return subprocess.run(words, capture_output=True, check=True).stdout  # noqa: S603 - our own words.


def text_of(file: Path) -> str:
    return " ".join(run("pdftotext", "-layout", str(file), "-").decode().split())


def test_every_word_can_be_copied_in_vietnamese(tmp_path: Path) -> None:
    file, _ = drawn(tmp_path, receipt())
    said = text_of(file)

    assert unicodedata.is_normalized("NFC", said)
    for words in (
        "Trung tâm Phục vụ hành chính công Hà Nội", "Mã số thuế: 0100000000", "Mẫu số: EBL01",
        "Ký hiệu: 26TAA", "Số: 1", "BIÊN LAI THU LỆ PHÍ", "Ngày 18 tháng 11 năm 2026",
        "Người nộp: Nguyễn Thị Hoà", 'Lệ phí «cư trú» <& "quoted">', "2767 10.000",
        "Tổng cộng 10.005", "Mười nghìn không trăm linh năm đồng", "H26.14-261118-0001",
        "Đăng ký thường trú (1.004222)", "ABCDEFGHJKMN", "0123-4567-89AB-CDEF",
    ):  # fmt: skip
        assert words in said


def test_a_test_says_that_it_has_no_value_and_a_real_one_does_not(tmp_path: Path) -> None:
    assert "THỬ NGHIỆM – không có giá trị" in text_of(drawn(tmp_path, receipt())[0])
    real, _ = drawn(tmp_path, receipt(is_sandbox=False))
    assert "THỬ NGHIỆM" not in text_of(real)


def test_without_a_name_nobody_is_named(tmp_path: Path) -> None:
    assert "Người nộp" not in text_of(drawn(tmp_path, receipt(payer_name=None))[0])


def test_the_qr_on_the_page_leads_to_the_check(tmp_path: Path) -> None:
    file, _ = drawn(tmp_path, receipt())
    page = run("pdftoppm", "-r", "150", "-png", str(file))

    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(page)))

    assert code.text == receipt().verify_url


def test_the_original_is_attached_byte_for_byte(tmp_path: Path) -> None:
    file, xml = drawn(tmp_path, receipt())
    run("pdfdetach", "-saveall", "-o", str(tmp_path), str(file))

    assert (tmp_path / "bien-lai.xml").read_bytes() == xml


def test_the_file_is_sound_tagged_and_says_which_standard_it_keeps(tmp_path: Path) -> None:
    file, _ = drawn(tmp_path, receipt())
    run("qpdf", "--check", str(file))
    info, meta = run("pdfinfo", str(file)).decode(), run("pdfinfo", "-meta", str(file)).decode()

    assert "Tagged:          yes" in info
    assert "<pdfaid:part>3</pdfaid:part>" in meta
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in meta
    assert "<pdfuaid:part>1</pdfuaid:part>" in meta
    fonts = run("pdffonts", str(file)).decode().splitlines()[2:]
    assert fonts
    assert all("BeVietnamPro" in line and " yes yes yes " in line for line in fonts)


def test_fifty_long_lines_go_over_pages_and_none_is_lost(tmp_path: Path) -> None:
    lines = tuple(
        Line("x", f"Khoản thu dài số {n} " + "rất dài " * 30, n, "2767") for n in range(1, 51)
    )
    amount, in_words = total_in_words(lines)
    file, _ = drawn(tmp_path, receipt(lines=lines, amount=amount, amount_in_words=in_words))
    said = text_of(file)

    assert all(f"Khoản thu dài số {n} rất" in said for n in range(1, 51))
    assert "Tổng cộng 1.275" in said


def test_the_same_receipt_is_drawn_with_the_same_bytes(tmp_path: Path) -> None:
    assert drawn(tmp_path, receipt())[0].read_bytes() == drawn(tmp_path, receipt())[0].read_bytes()


@pytest.mark.parametrize("words", ['#panic("x")', "*b* _i_ $x$ `c` @y", "\\ // /* */", "</text>"])
def test_what_a_client_named_is_set_and_never_run(tmp_path: Path, words: str) -> None:
    lines = (Line("x", words, 1, "2767"),)
    amount, in_words = total_in_words(lines)
    made = receipt(lines=lines, amount=amount, amount_in_words=in_words)

    assert words in text_of(drawn(tmp_path, made)[0])
