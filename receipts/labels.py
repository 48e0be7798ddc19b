"""The fixed words on a receipt's face: Vietnamese, and English to the right in brackets.

ND 254/2026/ND-CP art. 23.2 allows foreign text to the right in brackets or below, and smaller. What
an agency or a payer said is never translated.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

LABELS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "tax_code": ("Mã số thuế", "Tax code"),
        "address": ("Địa chỉ", "Address"),
        "branch": ("Điểm thu", "Collected at"),
        "form": ("Mẫu số", "Form"),
        "series": ("Ký hiệu", "Series"),
        "number": ("Số", "No."),
        "payer": ("Người nộp", "Payer"),
        "procedure": ("Thủ tục", "Procedure"),
        "dossier": ("Mã hồ sơ", "Dossier"),
        "reference": ("Mã thanh toán", "Payment code"),
        "n": ("STT", "No."),
        "line": ("Khoản thu", "Fee or charge"),
        "budget_line": ("Tiểu mục", "Budget line"),
        "amount": ("Số tiền (đồng)", "VND"),
        "total": ("Tổng cộng", "Total"),
        "in_words": ("Số tiền bằng chữ", "In words"),
        "code": ("Mã tra cứu", "Lookup code"),
        "signed": ("Đã ký số", "Signed digitally"),
    }
)
TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {"phi": "Receipt of fees", "le_phi": "Receipt of charges"}
)
# The law says what a converted copy is for and that it is not valid for transacting (ND 254/2026
# art. 5); no text of the words was found, so an agency may set its own.
PAPER_WORDS: Final = (
    "Bản giấy chuyển đổi từ biên lai điện tử, chỉ để lưu giữ, theo dõi, kiểm tra;"
    " không có giá trị để giao dịch, thanh toán."
)
PAPER_WORDS_EN: Final = (
    "Paper copy of an electronic receipt, for records and inspection only;"
    " not valid for transactions or payment."
)
