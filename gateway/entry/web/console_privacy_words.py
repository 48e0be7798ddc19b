"""What the console says of erasing what is kept of a payer, in both languages."""

from collections.abc import Mapping
from typing import Final

from gateway.entry.web.words import Words

ERASURES: Final[Words] = {
    "asked": ("chờ quyết định", "to be decided"), "agreed": ("đã xoá", "erased"),
    "refused": ("bị từ chối", "refused"),
}  # fmt: skip
ACTIONS: Final[Words] = {
    "erasure.ask": ("Yêu cầu xoá thông tin người nộp", "Erasure of the payer's data asked"),
    "erasure.agree": ("Đồng ý xoá thông tin người nộp", "Payer's data erased"),
    "erasure.refuse": ("Từ chối xoá thông tin người nộp", "Erasure refused"),
    "payer_key.destroy": ("Huỷ khoá thông tin của năm", "Year's key of payers' data destroyed"),
}
# What an officer asked for and is not done.
REFUSED: Final[Mapping[str, str]] = {
    "The payment is open: withdraw it, or wait for its end.":
        "Khoản này đang chờ nộp: hãy huỷ, hoặc chờ đến khi kết thúc.",
    "An attempt is in doubt; wait until it is settled.":
        "Một lượt thanh toán chưa rõ kết quả: hãy chờ.",
    "The payer disputes it with the provider; wait for the end.":
        "Người nộp đang khiếu nại với ngân hàng, ví: hãy chờ đến khi kết thúc.",
    "A refund is not finished.": "Một khoản hoàn trả chưa xong.",
    "A receipt is being made; it takes seconds.": "Biên lai đang được lập, xong trong vài giây.",
    "A receipt of it is being put right.": "Biên lai của khoản này đang được sửa sai sót.",
    "It is erased already.": "Thông tin này đã được xoá.",
    "Nothing is kept of its payer.": "Không lưu thông tin nào của người nộp.",
    "There is no such request in this agency.": "Cơ quan không có yêu cầu này.",
    "It was kept before payers had keys of their own: run thuphi reseal.":
        "Thông tin được lưu trước khi có khoá riêng: hãy nhờ người vận hành chạy thuphi reseal.",
}  # fmt: skip
