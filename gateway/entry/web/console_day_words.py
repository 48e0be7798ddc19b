"""What the console says of a day's checklist and signatures, in both languages."""

from collections.abc import Mapping
from typing import Final

from gateway.entry.web.words import Words

CHECKS: Final[Words] = {
    "the bank account equals its statement":
        ("Tài khoản ngân hàng bằng sao kê", "The bank account equals its statement"),
    "clearing equals the captures not paid out, one by one":
        ("Tiền đang chuyển bằng từng khoản thu chưa về",
         "Clearing equals the captures not paid out, one by one"),
    "each capture was looked for in its provider's or bank's file":
        ("Mỗi khoản thu đã được tìm trong tệp của ngân hàng, ví",
         "Each capture was looked for in its provider's or bank's file"),
    "receipts equal what was collected, fee by fee":
        ("Biên lai bằng số đã thu, theo từng khoản phí",
         "Receipts equal what was collected, fee by fee"),
    "confirmed remittances equal the treasury's lines":
        ("Số nộp ngân sách đã xác nhận bằng các dòng của kho bạc",
         "Confirmed remittances equal the treasury's lines"),
    "no file waits to be read": ("Không còn tệp chờ đọc", "No file waits to be read"),
    "earlier days are closed": ("Các ngày trước đã khoá", "Earlier days are closed"),
}  # fmt: skip
MOVEMENTS: Final[Words] = {
    "capture": ("thu", "taken"),
    "cash": ("thu tiền mặt", "taken in cash"),
    "refund": ("hoàn", "given back"),
    "dispute": ("tra soát", "disputed"),
    "correction": ("điều chỉnh", "put right"),
}
ACTIONS: Final[Words] = {"day.sign": ("Ký ngày", "Day signed")}
REFUSED: Final[Mapping[str, str]] = {
    "{} has not begun.": "{} chưa bắt đầu.",
    "{} is not over in Hanoi: sign it tomorrow.": "{} chưa kết thúc: hãy ký vào ngày mai.",
    "This must hold first: {}.": "Trước hết phải đúng: {}.",
    "You have signed it; somebody else must sign too.": "Bạn đã ký; một người khác phải ký nữa.",
    "Two people have signed it already.": "Hai người đã ký rồi.",
    "There is no such day.": "Không có ngày này.",
}
