"""What the console says of slips to the budget, in both languages."""

from collections.abc import Mapping
from typing import Final

from gateway.entry.web.words import Words

REMITTANCES: Final[Words] = {
    "prepared": ("chờ người thứ hai", "waits for a second person"), "signed": ("đã ký", "signed"),
    "confirmed": ("kho bạc đã xác nhận", "confirmed by the treasury"),
    "cancelled": ("đã huỷ", "cancelled"),
}  # fmt: skip
ACTIONS: Final[Words] = {
    "remittance.prepare": ("Lập giấy nộp tiền", "Slip to the budget prepared"),
    "remittance.sign": ("Ký giấy nộp tiền", "Slip to the budget signed"),
    "remittance.cancel": ("Huỷ giấy nộp tiền", "Slip to the budget cancelled"),
}
REFUSED: Final[Mapping[str, str]] = {
    "Nothing is due to the budget that is on no slip.": "Không còn khoản nào phải nộp ngân sách.",
    "A slip waits for its second person already.": "Đang có một giấy chờ người thứ hai.",
    "There is no such slip in this agency.": "Cơ quan không có giấy nộp tiền này.",
    "Somebody else must sign what you prepared.": "Một người khác phải ký giấy bạn lập.",
    "This is not what you were shown: read it again.":
        "Nội dung không còn như khi bạn xem: hãy đọc lại.",
    "What is due has changed since this slip was prepared: cancel it, and prepare another.":
        "Số phải nộp đã thay đổi từ khi lập giấy này: hãy huỷ rồi lập giấy khác.",
    "{} must be closed first.": "Phải khoá sổ {} trước.",
    "{} đồng is on its way to the treasury that no slip names: wait until it is confirmed.":
        "{} đồng đang trên đường đến kho bạc mà không giấy nào nêu: hãy chờ xác nhận.",
    "The bank has moved its money already.": "Ngân hàng đã chuyển tiền của giấy này.",
    "There are too many slips of today.": "Hôm nay đã lập quá nhiều giấy.",
    "No day is closed yet.": "Chưa có ngày nào được khoá sổ.",
    "Sign or cancel.": "Hãy ký hoặc huỷ.",
}  # fmt: skip
