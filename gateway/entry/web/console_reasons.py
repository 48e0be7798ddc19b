"""Sentences that the rules and readers write into the books in English, read in Vietnamese.

A sentence is written once, with what it names; «{}» stands for such a name here. What an officer
can do about a break is said beside its kind.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from gateway.entry.web.console_case_words import SENTENCES
from gateway.entry.web.console_day_words import REFUSED as DAYS
from gateway.entry.web.console_file_words import REFUSALS
from gateway.entry.web.console_matching_words import MATCHED, MORE_BREAKS
from gateway.entry.web.console_privacy_words import REFUSED as ERASING
from gateway.entry.web.console_receipt_words import REFUSED
from gateway.entry.web.console_remittance_words import REFUSED as REMITTING

# Why two sides differ, or why they agree.
REASONS: Final[Mapping[str, str]] = {
    "the payer disputes this payment with the provider":
        "người nộp khiếu nại khoản này với ngân hàng, ví",
    "the attempt ended: {}": "lượt thanh toán đã kết thúc: {}",
    "the dispute was {}": "khiếu nại đã kết thúc: {}",
    "the payer's bank asks the provider about this payment":
        "ngân hàng của người nộp hỏi về khoản này, chưa giữ lại tiền",
    "the inquiry became a dispute": "việc hỏi đã thành khiếu nại",
    "the payer disputes this money, so its refund was not sent":
        "người nộp đang khiếu nại khoản này, nên chưa gửi lệnh hoàn trả",
    "it was transferred, and then the provider gave it back too":
        "đã chuyển khoản cho người nộp, sau đó ngân hàng, ví cũng hoàn trả",
    "it was given up or failed, and then the provider gave it back":
        "đã ghi là không hoàn trả được, sau đó ngân hàng, ví báo đã hoàn trả",
    "the provider gave it back, and then it came back":
        "ngân hàng, ví đã hoàn trả rồi lại báo tiền quay về",
    "no working calendar covers this year, so the day was not moved":
        "chưa có lịch làm việc của năm này nên ngày nghiệp vụ chưa được chuyển",
    "more cash was counted than was taken": "đếm được nhiều tiền hơn số đã thu",
    "no such payment": "không có khoản thanh toán nào như vậy",
    "not the amount that was asked for": "không phải số tiền được yêu cầu",
    "the payment was already paid": "khoản này đã nộp rồi",
    "the payment was cancelled": "khoản này đã huỷ",
    "the payment had expired": "khoản này đã hết hạn",
    "more came than was due": "nộp nhiều hơn số phải nộp",
    "a part came, and the payment ended without the rest":
        "mới nộp một phần thì khoản này đã hết hạn hoặc bị huỷ",
    "the provider wants a person to look (its code {})":
        "ngân hàng, ví cần người xem xét (mã của họ: {})",
    "the provider has not decided long after the end":
        "đã quá hạn lâu mà ngân hàng, ví chưa cho biết kết quả",
    "told of again, with a number that is not in the books ({})":
        "được báo lại với số giao dịch chưa có trong sổ ({})",
    "the payer disputes a charge that the books do not know":
        "người nộp khiếu nại một khoản mà sổ chưa có",
    "its charge is known now": "khoản bị khiếu nại nay đã có trong sổ",
    "not the amount that is due": "không phải số phải nộp",
    "the provider reports this {} twice": "ngân hàng, ví báo {} này hai lần",
    "the provider reports a {} we did not ask": "ngân hàng, ví báo {} mà cơ quan không yêu cầu",
    "the provider reports a payment we have not booked":
        "ngân hàng, ví báo một khoản mà sổ chưa có",
    "the provider reported {} less {} on {}, and now reports {} less {} on {}":
        "ngân hàng, ví đã báo {} trừ phí {} ngày {}, nay báo {} trừ phí {} ngày {}",
    "the provider reports again what is booked": "ngân hàng, ví báo lại đúng như sổ",
    "the provider reports another amount than we booked": "ngân hàng, ví báo số tiền khác với sổ",
    "a payout of a batch that no provider report lists yet":
        "tiền về của một lô mà chưa có báo cáo",
    "the lines of this batch do not add up to the movement":
        "các dòng của lô cộng lại không bằng số tiền chuyển",
    "several accounts of this provider have such a batch":
        "nhiều tài khoản của ngân hàng, ví này có lô như vậy",
    "it makes good more charges than are booked, and a payout is not explained yet":
        "bù nhiều hơn phí đã ghi sổ, và còn một khoản tiền về chưa giải thích được",
    "no file came from {} by {}": "chưa nhận được tệp từ nguồn {} trước {}",
    "the file from {} cannot be read: {}": "tệp từ nguồn {} không đọc được: {}",
    "the file came": "đã nhận được tệp",
    "looking at it failed: the worker's log says why":
        "không xem được nguồn này: nhật ký máy chủ ghi rõ lý do",
    "the folder is not there": "không tìm thấy thư mục",
    "the folder may not be read by us": "không có quyền đọc thư mục",
    "the folder cannot be read ({})": "không đọc được thư mục ({})",
    "its server has no such folder or file": "máy chủ không có thư mục hoặc tệp này",
    "its server does not let this user read there": "máy chủ không cho người dùng này đọc ở đó",
    "its server shows another key than the one that was given":
        "máy chủ đưa ra khoá khác với khoá đã đăng ký",
    "its server refuses this user or secret": "máy chủ từ chối người dùng hoặc mật khẩu này",
    "its server said nothing for {} seconds": "máy chủ không trả lời trong {} giây",
    "its server refuses it ({})": "máy chủ từ chối ({})",
    "its server cannot be reached ({})": "không kết nối được máy chủ ({})",
    "it holds more than {} files: narrow the pattern":
        "có hơn {} tệp: hãy thu hẹp mẫu tên tệp",
    "money left the account and no rule knows why": "tiền ra khỏi tài khoản, chưa rõ vì sao",
    "the bank counted what left in bag {}": "ngân hàng đếm đúng số tiền đã niêm phong trong túi {}",
    "the bank counted another amount than left in this bag, or credits it twice":
        "ngân hàng đếm số tiền khác số đã niêm phong trong túi này, hoặc ghi hai lần",
    "the text may mean several payments": "nội dung có thể chỉ nhiều khoản",
    "a credit that nothing in our books explains": "tiền vào mà sổ chưa giải thích được",
    "no day's collection on this line is this lump":
        "không có ngày nào thu đúng số gộp này ở tiểu mục này",
    "the treasury names an obligation and budget line that we do not know as paid":
        "kho bạc nêu một khoản mà sổ chưa ghi là đã nộp",
    "the treasury booked another amount than is due": "kho bạc ghi số tiền khác số phải nộp",
    "the treasury booked this obligation twice": "kho bạc ghi khoản này hai lần",
    "the provider's report of that day does not list it":
        "báo cáo ngày đó của ngân hàng, ví không có khoản này",
    "the bank's statement of that day does not list this transfer":
        "sao kê ngày đó không có khoản chuyển này",
    "the bank has not counted this deposit bag in time":
        "quá hạn mà ngân hàng chưa ghi có túi tiền mặt này",
    "the treasury has not confirmed it in time": "quá hạn mà kho bạc chưa xác nhận",
    "{} finds both sides in agreement": "lần đối soát {} thấy hai bên đã khớp",
    **MATCHED, **MORE_BREAKS,
    "refund {}": "hoàn trả {}",
}  # fmt: skip
# What an officer asked for and is not done.
_OFFICERS: Final[Mapping[str, str]] = {
    "A payment that is {} has none.": "Khoản này không có tiền để hoàn trả.",
    "Nothing was captured for this payment.": "Khoản này không có tiền để hoàn trả.",
    "{} đồng can be refunded, not {}; look again.":
        "Còn hoàn trả được {} đồng, không phải {}. Hãy tải lại trang rồi yêu cầu lại.",
    "Parts go back whole; those left are, in đồng: {}.":
        "Mỗi lần nộp được hoàn trả nguyên số. Còn lại (đồng): {}.",
    "At most {} đồng can be refunded.": "Chỉ hoàn trả được nhiều nhất {} đồng.",
    "A refund of this case waits already.": "Chênh lệch này đã có yêu cầu hoàn trả đang chờ.",
    "The payer disputes this payment; wait for its end.":
        "Người nộp đang khiếu nại khoản này. Hãy chờ khiếu nại kết thúc.",
    "The payer won this money back in a dispute.":
        "Người nộp đã được trả lại khoản này sau khiếu nại, nên không hoàn trả nữa.",
    "The case of this money is not what it was.":
        "Chênh lệch của khoản tiền này đã thay đổi. Hãy từ chối rồi yêu cầu lại.",
    "Somebody else must approve what you asked for.": "Người khác phải duyệt yêu cầu này.",
    "Somebody else must decide what you asked for.": "Người khác phải quyết định yêu cầu này.",
    "Somebody else must prove what you approved.":
        "Người khác phải ghi chứng từ, vì ông/bà đã duyệt.",
    "A payment that is {} cannot {}.": "Khoản này đã sang trạng thái khác. Hãy tải lại trang.",
    "A refund that is {} cannot {}.": "Yêu cầu hoàn trả này đã được xử lý. Hãy tải lại trang.",
    "The provider gives this one back by itself.":
        "Ngân hàng, ví tự hoàn khoản này; không cần ghi chứng từ.",
    "The provider may still end this one.":
        "Ngân hàng, ví còn có thể hoàn khoản này. Hãy chờ kết quả.",
    "Only the provider can say that it failed.":
        "Chỉ ngân hàng, ví mới biết khoản này có hoàn được hay không.",
    "Name the document that proves the transfer.": "Hãy ghi số chứng từ chuyển tiền.",
    "Write the bank, the account and the name.":
        "Hãy ghi đủ ngân hàng, số tài khoản và chủ tài khoản.",
    "This drawer, or you, have a shift that is not closed.":
        "Ngăn tiền này, hoặc ông/bà, đang có ca chưa đóng. Hãy đóng ca đó trước.",
    "The payer may just have paid: the bank has not said yet. Wait a moment, do not take money.":
        "Người nộp có thể vừa trả xong, ngân hàng chưa trả lời. Hãy chờ một lát, đừng thu tiền.",
    "It is paid or withdrawn: take no money.": "Khoản này đã nộp hoặc đã huỷ. Đừng thu tiền.",
    "This slip is in the books already; check its number.":
        "Hoá đơn này đã ghi sổ rồi. Hãy kiểm tra lại số.",
    "This number is in the books, of a slip of another day or amount; if yours is another slip,"
    " write {}.":
        "Số này đã ghi sổ cho một hoá đơn khác ngày hoặc khác số tiền. Nếu đây là hoá đơn khác, hãy"
        " ghi {}.",
    "This bag's number was used before.": "Số túi này đã dùng rồi. Hãy kiểm tra lại số.",
    "Open a shift at your drawer first.": "Hãy mở ca ở ngăn tiền của ông/bà trước.",
    "Somebody else must agree to what you proposed.": "Người khác phải đồng ý với đề xuất này.",
    "This shift was counted already.": "Ca này đã kiểm quỹ rồi.",
    "Only a shift that was counted can be signed.": "Chỉ ký được ca đã kiểm quỹ.",
    "Somebody else must sign your count.": "Người khác phải ký số kiểm quỹ này.",
    "No display shows this code now; look at it again.":
        "Không có màn hình nào đang hiện mã này. Hãy nhìn lại mã trên màn hình.",
    "Choose what becomes of the missing cash.": "Hãy chọn cách xử lý tiền thiếu.",
    "Name the drawer.": "Hãy ghi tên ngăn tiền.",
    "Write the slip's number.": "Hãy ghi số hoá đơn của máy POS.",
    "Write the number of the deposit bag.": "Hãy ghi số túi niêm phong.",
    "Write a whole number of đồng, such as {}.": "Hãy ghi số đồng nguyên, ví dụ {}.",
    "Write at least one new value.": "Hãy ghi ít nhất một giá trị mới.",
    "Write 0 to {} hours.": "Hãy ghi số giờ từ 0 đến {}.",
    "A value has {} characters at most.": "Mỗi giá trị dài nhất {} ký tự.",
    "There is an account {} already.": "Đã có tài khoản {}. Hãy chọn tên khác.",
    "There is no open account {}.": "Tài khoản {} đã đóng hoặc không có.",
    "There is no agency {}.": "Không có cơ quan {}.",
    "There is no adapter {}; there are {}.": "Không có ngân hàng, ví {}; hiện có {}.",
    "{} needs {}.": "{} cần đủ các thông số: {}.",
    "{} has no field {}.": "{} không có thông số {}.",
    "{} must be {}.": "{} sai dạng; phải là: {}.",
    "An account's name has 2 to 32 small letters, digits and -, and is not «default», which the"
    " settings name.":
        "Tên tài khoản dài 2 đến 32 ký tự, gồm chữ thường không dấu, chữ số và dấu -, và không phải"
        " «default», vì tên đó thuộc cấu hình máy chủ.",
    "Give a reason of 1 to {} characters.": "Hãy ghi lý do, từ 1 đến {} ký tự.",
}  # fmt: skip
_NAMES: Final = {
    "payment": "khoản nộp", "refund": "khoản hoàn", "charge": "khoản phí", "reversal": "khoản đảo",
    "won": "cơ quan giữ tiền", "lost": "người nộp được hoàn",
    "captured": "đã nhận tiền", "declined": "bị từ chối", "cancelled": "đã huỷ",
    "expired": "hết hạn",
}  # fmt: skip


# Sentences for officers come last: some of them say little, and would fit what others say whole.
TABLES: Final = (REASONS, REFUSALS, REFUSED, ERASING, REMITTING, DAYS, SENTENCES, _OFFICERS)


def in_vietnamese(said: str) -> str | None:
    """Read a sentence in Vietnamese, and what it names too where that is a sentence."""
    for pattern, vietnamese in _patterns():
        if found := pattern.fullmatch(said):
            return vietnamese.format(*(_named(x) for x in found.groups()))
    return None


def _named(what: str) -> str:
    return in_vietnamese(what) or _NAMES.get(what, what)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Make a pattern of each sentence; the first that fits is taken."""
    return tuple(
        (re.compile("(.+?)".join(re.escape(part) for part in english.split("{}"))), vietnamese)
        for table in TABLES
        for english, vietnamese in table.items()
    )
