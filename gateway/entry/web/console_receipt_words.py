"""What the console says of receipts that are put right, in both languages."""

from collections.abc import Mapping
from typing import Final

from gateway.entry.web.words import Words

CORRECTIONS: Final[Words] = {
    "text": ("Thông báo sai sót", "Notice of error"),
    "amount": ("Sai số tiền", "Wrong amounts"),
    "tax_code": ("Sai mã số thuế", "Wrong tax code"),
    "refund": ("Hoàn trả tiền", "Money given back"),
}
STATES: Final[Words] = {
    "asked": ("chờ quyết định", "to be decided"),
    "agreed": ("đã đồng ý", "agreed"),
    "refused": ("bị từ chối", "refused"),
}
ACTIONS: Final[Words] = {
    "correction.ask": ("Báo biên lai có sai sót", "Error on a receipt told"),
    "correction.agree": ("Đồng ý sửa sai sót", "Correction agreed"),
    "correction.refuse": ("Từ chối sửa sai sót", "Correction refused"),
    "correction.read": ("Xem nội dung đúng của biên lai", "Right words of a receipt read"),
    "transmission.retry": ("Gửi lại bảng cho cơ quan thuế", "Message sent again"),
    "transmission.read": ("Xem bảng gửi cơ quan thuế", "Message to the authority read"),
    "outage.tell": ("Báo cơ quan thuế về đường truyền", "Authority told of the line"),
    "receipt.replace": ("Lập biên lai thay thế", "Receipt replaced"),
}
LINES: Final[Words] = {
    "folder": ("thư mục", "a folder"), "https": ("trực tiếp", "direct"),
    "vnpt": ("qua VNPT", "by VNPT"), "viettel": ("qua Viettel", "by Viettel"),
}  # fmt: skip
MESSAGES: Final[Words] = {
    "summary": ("Bảng tổng hợp 01/TH-BLDT", "Summary 01/TH-BLDT"),
    "notice": ("Thông báo sai sót 04/SS-CTDT", "Notice of errors 04/SS-CTDT"),
}
TONES: Final[Words] = {
    "done": ("Đã nhận", "Accepted"), "calm": ("Đang gửi", "On its way"),
    "held": ("Chờ đường truyền", "Held up by the line"),
    "red": ("Sắp quá hạn", "Nearly late"), "late": ("Quá hạn", "Late"),
}  # fmt: skip
# What an officer asked for and is not done.
REFUSED: Final[Mapping[str, str]] = {
    "The same was asked already; it waits.": "Đã có yêu cầu như vậy đang chờ quyết định.",
    # Why a message did not arrive.
    "The other side could not be reached.": "Không kết nối được với nơi nhận.",
    "The other side did not answer in time.": "Nơi nhận không trả lời kịp.",
    "The address has no such host.": "Không có máy chủ nào ở địa chỉ này.",
    "The address is not on the public Internet.": "Địa chỉ này không thuộc Internet công cộng.",
    "The receiver answered {}.": "Nơi nhận trả lời mã {}.",
    "The answer cannot be read.": "Không đọc được câu trả lời của nơi nhận.",
    "The answer is longer than any answer should be.": "Câu trả lời của nơi nhận quá dài.",
    "The folder cannot be written to: {}.": "Không ghi được vào thư mục: {}.",
    "It is accepted already, or not there.": "Bảng này đã được nhận, hoặc không có.",
    "It is decided already.": "Yêu cầu này đã được quyết định.",
    "It is replaced, or about to be; correct the one in force.":
        "Biên lai này đã hoặc đang được thay thế. Hãy sửa biên lai đang có hiệu lực.",
    "The receipt has the tax code that the agency has now; change the agency's first.":
        "Biên lai đang ghi đúng mã số thuế hiện nay của cơ quan. Hãy sửa ở cơ quan trước.",
    "No such refund is left that this receipt lacks.":
        "Không còn khoản hoàn trả nào mà biên lai này chưa ghi.",
    "Give an amount for each of the {} lines.": "Hãy ghi số tiền cho cả {} khoản.",
    "Together they must stay {} đồng, which is what was collected and is in the books. Where too"
    " much was collected, ask for a refund; its replacement follows.":
        "Tổng phải giữ nguyên {} đồng: đó là số đã thu và có trong sổ. Nếu thu thừa, hãy yêu cầu"
        " hoàn trả; biên lai thay thế lập theo đó.",
    "These are the amounts that it has.": "Biên lai đang ghi đúng các số này.",
    "Write the right words for what is wrong.": "Hãy viết nội dung đúng vào ô bị sai.",
    "Some of the words cannot be taken.": "Có nội dung quá dài hoặc có ký tự không in được.",
    "Say what is wrong: a text, an amount, the tax code.":
        "Hãy chọn chỗ sai: chữ, số tiền hay mã số thuế.",
}  # fmt: skip
