"""The PDF: text that can be copied, a QR that can be scanned, the original attached, PDF/A."""

import io
import random
import subprocess
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from struct import pack
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from receipt_samples import receipt, signer

from receipts.brand import PLAIN, Brand
from receipts.glyphs import BOX, characters, shown
from receipts.labels import PAPER_WORDS
from receipts.logo import SVG, cleaned
from receipts.paper import Converted, Shape
from receipts.pdf import _shows, draw
from receipts.receipt import Line, Receipt, total_in_words
from receipts.xml import write

bytes_max = 60_000


def drawn(folder: Path, made: Receipt, *shape: Any) -> tuple[Path, bytes]:
    """Draw a receipt into a file; give it and the attached original."""
    xml = signer().seal(write(made))
    file = folder / "receipt.pdf"
    file.write_bytes(draw(made, xml, None, PLAIN, *shape))
    return file, xml


def run(*words: str) -> bytes:
    return subprocess.run(words, capture_output=True, check=True).stdout  # noqa: S603 - our own words.


def text_of(file: Path) -> str:
    return " ".join(run("pdftotext", "-layout", str(file), "-").decode().split())


def fonts_of(file: Path) -> list[str]:
    return run("pdffonts", str(file)).decode().splitlines()[2:]


def test_every_word_can_be_copied_in_vietnamese(tmp_path: Path) -> None:
    file, _ = drawn(tmp_path, receipt())
    said = text_of(file)

    assert unicodedata.is_normalized("NFC", said)
    for words in (
        "Trung tâm Phục vụ hành chính công Hà Nội", "BIÊN LAI THU LỆ PHÍ",
        "Ngày 18 tháng 11 năm 2026",
        "Người nộp (Payer): Nguyễn Thị Hoà", 'Lệ phí «cư trú» <& "quoted">', "2767 10.000",
        "Tổng cộng (Total) 10.005", "Mười nghìn không trăm linh năm đồng", "H26.14-261118-0001",
        "Đăng ký thường trú (1.004222)", "ABCDEFGHJKMN", "0123-4567-89AB-CDEF",
    ):  # fmt: skip
        assert words in said


CONVERTED = Converted(datetime(2027, 1, 4, 1, 30, tzinfo=UTC), "an.nv")


@pytest.mark.parametrize("shape", [(Shape.A5,), (Shape.STRIP,), (Shape.COPY, CONVERTED)])
def test_each_shape_says_the_same_in_both_languages_and_keeps_the_standards(
    tmp_path: Path, shape: tuple[Any, ...]
) -> None:
    """Vietnamese first; the English stands in brackets behind it, smaller."""
    file, xml = drawn(tmp_path, receipt(), *shape)
    said, meta = text_of(file), run("pdfinfo", "-meta", str(file)).decode()
    page = run("pdftoppm", "-r", "150", "-png", str(file))
    run("qpdf", "--check", str(file))
    run("pdfdetach", "-saveall", "-o", str(tmp_path), str(file))

    for words in (
        "Trung tâm Phục vụ hành chính công Hà Nội", "Mã số thuế (Tax code): 0100000000",
        "Mẫu số (Form): EBL01", "Ký hiệu (Series): 26TAA", "Số (No.): 1", "(Receipt of charges)",
        "Ngày 18 tháng 11 năm 2026", "2767", "10.000", "Tổng cộng (Total) 10.005",
        "Số tiền bằng chữ (In words): Mười nghìn", "Mã tra cứu (Lookup code): 0123",
        "THỬ NGHIỆM – không có giá trị", "Đã ký số (Signed digitally)",
    ):  # fmt: skip
        assert words in said
    assert "<pdfaid:part>3</pdfaid:part>" in meta
    assert "<pdfuaid:part>1</pdfuaid:part>" in meta
    assert [c.text for c in zxingcpp.read_barcodes(Image.open(io.BytesIO(page)))] == [
        receipt().verify_url
    ]
    assert (tmp_path / "bien-lai.xml").read_bytes() == xml
    assert file.stat().st_size < bytes_max
    # By whom and when stands only on what was converted.
    worth = "không có giá trị để giao dịch, thanh toán"
    assert (worth in said) == (len(shape) > 1)
    assert ("(converted by): an.nv" in said) == (len(shape) > 1)
    assert ("08:30 04/01/2027" in said) == (len(shape) > 1)


def test_a_strip_is_one_page_of_80_mm_however_long(tmp_path: Path) -> None:
    lines = tuple(Line("x", f"Khoản thu số {n}", n, "2767") for n in range(1, 51))
    amount, in_words = total_in_words(lines)
    made = receipt(lines=lines, amount=amount, amount_in_words=in_words)
    info = run("pdfinfo", str(drawn(tmp_path, made, Shape.STRIP)[0])).decode()

    width, _, height = info.split("Page size:")[1].split()[:3]
    assert "Pages:           1\n" in info
    assert round(float(width) / 72 * 25.4) == 80
    assert float(height) / 72 * 25.4 > 400


def test_an_agency_may_say_in_its_own_words_what_a_paper_copy_is_worth(tmp_path: Path) -> None:
    own = Converted(CONVERTED.at, own_words="Bản sao để đối chiếu.")
    said = text_of(drawn(tmp_path, receipt(), Shape.COPY, own)[0])

    assert "Bản sao để đối chiếu." in said
    assert PAPER_WORDS[:20] not in said
    assert "converted by" not in said


def test_a_logo_and_a_footer_take_nothing_away(tmp_path: Path) -> None:
    """Extra items may hide nothing and stay smaller than what must be there (art. 23.2)."""
    svg = f'<svg xmlns="{SVG}" viewBox="0 0 9 9"><path fill="#f0f" d="M0 0h9v9H0z"/></svg>'
    brand = Brand(cleaned(svg.encode()), "Đường dây nóng: 1900 0000")
    plain = text_of(drawn(tmp_path, receipt())[0])
    for shape in (Shape.A5, Shape.STRIP):
        file = tmp_path / "brand.pdf"
        file.write_bytes(draw(receipt(), signer().seal(write(receipt())), None, brand, shape))
        said = text_of(file)
        page = Image.open(
            io.BytesIO(run("pdftoppm", "-r", "254", "-png", "-singlefile", str(file)))
        )
        pink = page.convert("RGB").get_flattened_data()
        dots = sum(1 for r, g, b in pink if (r, g, b) == (255, 0, 255))

        assert "Đường dây nóng: 1900 0000" in said
        assert {w for w in plain.split() if w.isalpha()} - {"STT"} <= set(said.split())
        assert 0 < dots <= 100 * 100  # Ten dots a millimetre: at most 10 mm by 10 mm.
        assert file.stat().st_size < bytes_max


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
    fonts = fonts_of(file)
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
    assert "Tổng cộng (Total) 1.275" in said


def test_the_same_receipt_is_drawn_with_the_same_bytes(tmp_path: Path) -> None:
    assert drawn(tmp_path, receipt())[0].read_bytes() == drawn(tmp_path, receipt())[0].read_bytes()


@pytest.mark.parametrize("words", ['#panic("x")', "*b* _i_ $x$ `c` @y", "\\ // /* */", "</text>"])
def test_what_a_client_named_is_set_and_never_run(tmp_path: Path, words: str) -> None:
    lines = (Line("x", words, 1, "2767"),)
    amount, in_words = total_in_words(lines)
    made = receipt(lines=lines, amount=amount, amount_in_words=in_words)

    assert words in text_of(drawn(tmp_path, made)[0])


@pytest.mark.parametrize(
    ("name", "font"),
    [
        ("王小明", "CJK"), ("歐陽菲菲", "CJK"), ("さくら", "CJK"), ("김민수", "CJK"),
        ("ສົມສັກ", "Lao"), ("សុខា", "Khmer"), ("สมชาย ใจดี", "Thai"), ("محمد علي", "Arabic"),
        ("Αλέξανδρος", "NotoSans-"), ("Иван Ёлкин", "NotoSans-"), ("𠮷野", "CJK"),
        ("Z\u0337a\u0338lgo", "NotoSans-"),
        ("An 😀👩\u200d👧❤\ufe0f", "Emoji"),
    ],
)  # fmt: skip
def test_a_name_in_any_script_is_set_with_a_font_that_has_it(
    tmp_path: Path, name: str, font: str
) -> None:
    """Foreigners pay fees too; without a fall-back font they would never get a PDF."""
    file, _ = drawn(tmp_path, receipt(payer_name=f"Nguyễn {name}"))

    assert any(font in line and " yes yes yes " in line for line in fonts_of(file))
    assert BOX not in text_of(file)
    assert "Nguyễn" in text_of(file)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("An 𓀀𓀁", "An □□"), ("\ue000", "□"), ("喃𡨸", "喃□"), ("Z\U0001d165o", "□o"),
        ("An\U000e0001 \ufeffBình", "An Bình"),
    ],
)  # fmt: skip
def test_what_no_font_has_is_a_box_on_paper_and_whole_in_the_original(
    tmp_path: Path, name: str, seen: str
) -> None:
    file, xml = drawn(tmp_path, receipt(payer_name=name))
    said = text_of(file)

    assert f"Người nộp (Payer): {seen} Thủ tục" in said
    assert ("Chỗ in □ là chữ không có phông để in" in said) == (BOX in seen)
    assert name in xml.decode()


def test_whatever_a_font_maps_can_be_drawn(tmp_path: Path) -> None:
    """Our reading of the fonts' maps against typst's: a wrong one would leave a receipt undrawn."""
    chance = random.Random(7)  # noqa: S311 - a sample, not a secret.
    for family, mapped in _shows().items():
        some = [chr(c) for c in chance.sample(sorted(mapped), min(len(mapped), 150))]
        drawn(tmp_path, receipt(lines=tuple(total(f"{family} {' '.join(some)}"))))


def total(words: str) -> tuple[Line, ...]:
    """Name one line; what XML cannot carry is left out, as at the door."""
    kept = "".join(c for c in words if unicodedata.category(c) not in ("Cc", "Cn", "Cs"))
    return (Line("x", kept, 10_005, "2767"),)


def test_a_letter_and_its_marks_come_from_one_font() -> None:
    fonts = (frozenset(map(ord, "ab")), frozenset(map(ord, "b\u0301")))

    assert shown("ab\u0301a\u0301\u200db", fonts) == f"ab\u0301{BOX}b"


def font_of(*maps: bytes) -> bytes:
    """Write a font that has maps of characters and nothing else."""
    head = pack(">HH", 0, len(maps))
    places = [4 + 8 * len(maps) + sum(map(len, maps[:n])) for n in range(len(maps))]
    head += b"".join(pack(">HHI", 3, 1, place) for place in places)
    table = head + b"".join(maps)
    return (
        b"\0\1\0\0" + pack(">H", 1) + bytes(6) + pack(">4sIII", b"cmap", 0, 28, len(table)) + table
    )


# a to d by glyph numbers of their own, of which b has none; then x, by a difference that ends at 0.
SHORT = pack(">HHHH", 4, 0, 0, 4) + bytes(6) + pack(">HH", 100, 120) + bytes(2)
SHORT += pack(">HH", 97, 119) + pack(">HH", 1, 65_536 - 120) + pack(">HH", 4, 0)
SHORT += pack(">HHHH", 5, 0, 6, 65_535)
LONG = pack(">HHIII", 12, 0, 0, 0, 2) + pack(">III", 0x20000, 0x20002, 0) + pack(">III", 65, 66, 9)


@pytest.mark.parametrize(
    ("maps", "mapped"),
    [((SHORT,), {97, 99, 119}), ((LONG,), {0x20001, 0x20002, 65, 66}),
     ((SHORT, LONG), {0x20001, 0x20002, 65, 66})],
)  # fmt: skip
def test_a_map_is_read_without_what_it_leads_to_the_missing_glyph(
    tmp_path: Path, maps: tuple[bytes, ...], mapped: set[int]
) -> None:
    file = tmp_path / "font.ttf"
    file.write_bytes(font_of(*maps))

    assert characters(file) == mapped


def test_a_font_without_a_map_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "empty.ttf"
    file.write_bytes(b"\0\1\0\0" + bytes(8))

    with pytest.raises(ValueError, match=r"empty\.ttf maps no character"):
        characters(file)
