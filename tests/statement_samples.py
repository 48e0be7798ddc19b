"""A sample file of each bank and provider, as its machine would write it."""

import unicodedata
from datetime import date
from pathlib import Path
from typing import Any

from workbooks import workbook

from reconciliation.readers.legacy import TCVN3

SAMPLES = Path(__file__).parent / "data" / "statements"
ACCOUNT = "0123456789"
# File -> profile, how the bank encodes it, the lines' net amounts, the opening and closing balance.
FILES = {
    "vietcombank.csv": ("vietcombank", "utf-8-sig", [150_000, 150_000, -300_000], 1_000_000, 0),
    "bidv.csv": ("bidv", "cp1258", [20_000, -5_500], 500_000, 14_500),
    "vietinbank.csv": ("vietinbank", "utf-16", [75_000, 25_000], 1_975_000, 100_000),
    "agribank.csv": ("agribank", "tcvn3", [1_250_000, -250_000], 2_000_000, 1_000_000),
    "techcombank.csv": ("techcombank", "utf-8", [60_000, -60_000], 100_000, 0),
    "vnpay.csv": ("vnpay", "utf-8", [148_350, -50_000], None, 0),
    "momo.csv": ("momo", "utf-8", [148_350, -50_000], None, 0),
    "zalopay.csv": ("zalopay", "utf-8", [148_350, -50_000], None, 0),
    "payos.csv": ("payos", "utf-8", [150_000], None, 0),
    "statement.mt940": ("mt940", "utf-8", [150_000, -50_000, -20_000, 5_500], 1_000_000, 85_500),
    "statement-v2.camt053.xml":
        ("camt053", "utf-8", [150_000, 60_000, 40_000, -150_000], 1_000_000, 100_000),
    "statement-v8.camt053.xml":
        ("camt053", "utf-8", [150_000, 60_000, 40_000, -150_000], 1_000_000, 100_000),
}  # fmt: skip


def encoded(text: str, encoding: str) -> bytes:
    """Write as the bank's machine does."""
    if encoding == "tcvn3":
        small = str.maketrans({v: chr(k) for k, v in TCVN3.items()})
        bare = {c: unicodedata.normalize("NFD", c)[0] for c in text if ord(c) > 255 and c.isupper()}
        kept = text.translate(str.maketrans({c: b for c, b in bare.items() if c not in small}))
        return kept.translate(small).encode("latin-1")
    if encoding == "cp1258":  # Its tone marks stand after their letter.
        return "".join(_marked(c) for c in text).encode("cp1258")
    return text.encode(encoding)


def _marked(letter: str) -> str:
    try:
        letter.encode("cp1258")
    except UnicodeEncodeError:
        apart = unicodedata.normalize("NFD", letter)
        tone = next(c for c in apart if c in "\u0300\u0309\u0303\u0301\u0323")
        return unicodedata.normalize("NFC", apart.replace(tone, "")) + tone
    return letter


def sample(name: str, *changes: tuple[str, str]) -> bytes:
    """Give a sample file, with something in it changed."""
    text = (SAMPLES / name).read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return encoded(text, FILES[name][1])


OWN = """
source = "statement"
format = "table"
status = "confirmed"
basis = "a sample of the bank's"
encodings = ["utf-8"]
delimiter = ";"
number = "1.234.567"
has_header = false
fixed = { currency = "VND" }
column = [
  { fills = "account", position = 1 }, { fills = "booked_on", position = 2 },
  { fills = "amount", position = 3 }, { fills = "memo", position = 4, optional = true },
]
"""


def titled(*rows: list[Any], **more: str) -> bytes:
    """Write a bank's workbook, with its titles in merged cells."""
    head = [
        ["SAO KÊ TÀI KHOẢN"],
        [f"Số tài khoản: {ACCOUNT}"],
        ["Số dư đầu kỳ", "", "", "", "", 1000],
    ]
    names = ["STT", "Ngày giao dịch", "Số tham chiếu", "Ghi nợ", "Ghi có", "Số dư", "Mô tả"]
    return workbook([*head, names, *rows], **more)


LINE: list[Any] = [1, date(2026, 11, 18), "FT1", "", 150_000, 151_000, "TP0123456789AB"]
NEXT: list[Any] = [2, "18/11/2026", "FT2", "1,000", "", 150_000, "=1+1"]
