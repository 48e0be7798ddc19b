"""The console's words: Vietnamese first, English second; every code has a word."""

from collections.abc import Mapping
from typing import Final

from gateway.domain.ledger import TITLES
from gateway.entry.web.checking_words import CORRECTED
from gateway.entry.web.console_advice import ADVICE
from gateway.entry.web.console_case_words import ACTIONS as CASE_ACTIONS
from gateway.entry.web.console_case_words import ACTS, RESOLUTIONS
from gateway.entry.web.console_day_words import ACTIONS as DAY_ACTIONS
from gateway.entry.web.console_day_words import CHECKS, MOVEMENTS
from gateway.entry.web.console_privacy_words import ACTIONS as PRIVACY_ACTIONS
from gateway.entry.web.console_privacy_words import ERASURES
from gateway.entry.web.console_reasons import in_vietnamese
from gateway.entry.web.console_receipt_words import ACTIONS as CORRECTION_ACTIONS
from gateway.entry.web.console_receipt_words import CORRECTIONS, LINES, MESSAGES, TONES
from gateway.entry.web.console_receipt_words import STATES as CORRECTION_STATES
from gateway.entry.web.console_remittance_words import ACTIONS as REMITTANCE_ACTIONS
from gateway.entry.web.console_remittance_words import REMITTANCES
from gateway.entry.web.words import Words

STATES: Final[Words] = {
    "open": ("Chờ nộp", "Open"), "paid": ("Đã nộp", "Paid"),
    "settled": ("Đã quyết toán", "Settled"), "expired": ("Hết hạn", "Expired"),
    "cancelled": ("Đã huỷ", "Cancelled"), "refunded": ("Đã hoàn", "Refunded"),
    "waived": ("Được miễn", "Waived"), "in_doubt": ("Chưa rõ", "In doubt"),
    "started": ("Đã bắt đầu", "Started"), "redirected": ("Đã sang ngân hàng", "At the bank"),
    "captured": ("Đã nhận tiền", "Captured"), "declined": ("Bị từ chối", "Declined"),
    "resolved": ("Đã xử lý", "Resolved"), "closed": ("Đã khoá sổ", "Closed"),
    "reopened": ("Đã mở lại", "Reopened"), "queued": ("Chờ đọc", "Queued"),
    "taken": ("Đã đọc", "Taken"), "refused": ("Bị từ chối", "Refused"),
}  # fmt: skip
PROVIDERS: Final[Words] = {
    "counter": ("Quầy một cửa", "One-stop counter"),
    "vnpay": ("VNPAY", "VNPAY"), "vietqr": ("Chuyển khoản VietQR", "VietQR transfer"),
    "momo": ("MoMo", "MoMo"), "zalopay": ("ZaloPay", "ZaloPay"),
    "national": ("Nền tảng thanh toán quốc gia", "National payment platform"),
    "payos": ("payOS", "payOS"),
}  # fmt: skip
BREAKS: Final[Words] = {
    "missing_at_provider": ("Thiếu ở ngân hàng, ví", "Missing at provider"),
    "missing_at_treasury": ("Kho bạc chưa xác nhận", "Missing at treasury"),
    "unknown_money": ("Tiền chưa rõ của ai", "Unknown money"),
    "amount": ("Sai số tiền", "Other amount"), "charge": ("Sai phí dịch vụ", "Charge"),
    "duplicate": ("Ghi hai lần", "Duplicate"), "double": ("Nộp hai lần", "Paid twice"),
    "surplus": ("Nộp thừa", "Surplus"), "partial": ("Nộp một phần", "Part paid"),
    "reversed": ("Bị đảo ngược", "Reversed"), "late": ("Nộp muộn", "Late"),
    "wrong_reference": ("Sai mã thanh toán", "Wrong reference"),
    "ambiguous": ("Có thể là nhiều khoản", "Ambiguous"),
    "batch_total": ("Tổng lô không khớp", "Batch total"),
    "cut_off": ("Lệch giờ cắt", "Cut-off"),
    "status_conflict": ("Trạng thái mâu thuẫn", "Status conflict"),
    "other_intermediary": ("Qua trung gian khác", "Other intermediary"),
    "cash_over": ("Thừa quỹ", "Cash over"), "file_error": ("Lỗi tệp", "File error"),
}  # fmt: skip
RESULTS: Final[Words] = {
    "paid": ("đủ, khoản đã nộp", "covers it: paid"),
    "on_account": ("một phần, giữ trên tài khoản", "a part, kept on account"),
    "amount": ("khác số được yêu cầu, để treo", "another amount, in suspense"),
    "double": ("khoản đã nộp rồi, để treo", "paid already, in suspense"),
    "late": ("đến sau khi hết hạn hoặc huỷ, để treo", "after the end, in suspense"),
    "unknown_money": ("chưa rõ của ai, để treo", "nobody's yet, in suspense"),
}  # fmt: skip
SOURCES: Final[Words] = {
    "clerk": ("lời cán bộ quầy", "the clerk's word"),
    "terminal": ("hoá đơn máy POS", "the terminal's slip"),
    "notice": ("thông báo của ngân hàng, ví", "the provider's notice"),
    "inquiry": ("ngân hàng trả lời khi được hỏi", "the provider's answer"),
    "statement": ("sao kê ngân hàng", "the bank's statement"),
    "provider_report": ("báo cáo của ngân hàng, ví", "the provider's report"),
    "provider": ("báo cáo ngân hàng, ví", "provider's report"),
    "folder": ("thư mục", "folder"), "sftp": ("máy chủ SFTP", "SFTP server"),
    "upload": ("gửi bằng tay", "brought by hand"),
    "treasury": ("kho bạc", "treasury"), "gateway": ("sổ của cổng", "our own captures"),
}  # fmt: skip
EVENTS: Final[Words] = {
    "payment.opened": ("Khoản thanh toán được lập", "Payment opened"),
    "payment.partly_paid": ("Đã nộp một phần", "Partly paid"),
    "payment.paid": ("Đã nộp đủ", "Paid in full"),
    "payment.suspended": ("Có tiền để treo", "Money in suspense"),
    "payment.expired": ("Hết hạn", "Expired"), "payment.cancelled": ("Đã huỷ", "Cancelled"),
    "payment.waived": ("Được miễn", "Waived"), "payment.settled": ("Đã quyết toán", "Settled"),
    "payment.settlement_reversed": ("Quyết toán được mở lại", "Settlement taken back"),
    "payment.refunded": ("Đã hoàn trả hết", "Refunded in full"),
    "payment.charged_back": ("Người nộp đòi lại được tiền", "Charged back"),
    "refund.requested": ("Có yêu cầu hoàn trả", "Refund asked for"),
    "refund.done": ("Đã hoàn trả", "Refund done"),
    "refund.failed": ("Không hoàn trả được", "Refund failed"),
    "receipt.issued": ("Biên lai đã phát hành", "Receipt issued"),
    "receipt.replaced": ("Biên lai đã được thay thế", "Receipt replaced"),
}  # fmt: skip
RULES: Final[Words] = {
    "01-provider-id": ("Mã giao dịch của ngân hàng, ví", "Provider's id"),
    "01-taken-back": ("Hoàn trả, khiếu nại trong lô", "Refund or dispute in the batch"),
    "02-bank-movement": ("Cùng một biến động tài khoản", "The same bank movement"),
    "03-reference": ("Mã thanh toán trong nội dung", "Reference in the text"),
    "04-nth-of-equals": ("Thứ tự trong các khoản giống nhau", "Order among equals"),
    "05-batch": ("Lô quyết toán", "Settlement batch"),
    "05-payout-parts": ("Lô chuyển làm nhiều lần", "Batch paid in parts"),
    "05-payout-unnamed": ("Lô không ghi mã", "Batch without its id"),
    "06-charge": ("Phí đã khai trong lô", "Declared charge"),
    "07-remittance": ("Nộp ngân sách", "Remittance"),
    "08-obligation": ("Kho bạc xác nhận từng khoản", "Obligation at the treasury"),
    "08-parts": ("Kho bạc xác nhận từng phần", "Treasury in parts"),
    "08-reference": ("Số tham chiếu của kho bạc", "The treasury's reference"),
    "09-lump": ("Kho bạc xác nhận gộp", "Lump at the treasury"),
    "10-top-up": ("Cơ quan bù phí", "Charges made good"),
    "02-advised": ("Đã nhận ra từ trước trong các khoản giống nhau", "Placed among equals before"),
    "12-bag": ("Túi tiền của ca thu", "Deposit bag of a shift"),
    "by-hand": ("Hai người xác nhận", "Two people agreed"),
    "11-business-day": ("Cùng ngày nghiệp vụ của tài khoản", "The account's business day"),
    "13-lost-reference": ("Khoản duy nhất còn lại", "The only one left"),
}  # fmt: skip
PROPOSALS: Final[Words] = {
    "refund": ("hoàn trả người nộp", "refund the payer"),
    "identify": ("tìm chủ của khoản tiền", "find out whose it is"),
    "answer the dispute": ("trả lời khiếu nại", "answer the dispute"),
    "ask the provider": ("hỏi ngân hàng, ví", "ask the provider"),
}  # fmt: skip
ROLES: Final[Words] = {
    "accountant": ("kế toán", "accountant"), "approver": ("người duyệt", "approver"),
    "clerk": ("cán bộ quầy", "clerk"), "operator": ("vận hành", "operator"),
    "auditor": ("kiểm toán", "auditor"),
}  # fmt: skip
ACTIONS: Final[Words] = {
    "payer.read": ("Xem thông tin người nộp", "Payer's data read"),
    "memo.read": ("Xem nội dung chuyển khoản", "Bank's text read"),
    "file.add": ("Gửi tệp", "File brought"),
    "file.again": ("Gửi lại tệp bị từ chối", "Refused file brought again"),
    "receipt.mail": ("Gửi biên lai qua thư", "Receipt sent by e-mail"),
    "receipt.convert": ("Chuyển biên lai ra giấy", "Receipt converted to paper"),
    "receipt.read": ("Xem biên lai", "Receipt read"),
    "payee.read": ("Xem người nhận hoàn trả", "Payee's data read"),
    "refund.approve": ("Duyệt hoàn trả", "Refund approved"),
    "refund.reject": ("Từ chối hoàn trả", "Refund rejected"),
    "refund.prove": ("Ghi chứng từ hoàn trả", "Refund proved"),
    "refund.transfer": ("Chuyển khoản thay ngân hàng, ví", "Refund turned into a transfer"),
    "refund.give_up": ("Không hoàn trả được", "Refund given up"),
    "shift.open": ("Mở ca", "Shift opened"), "shift.sign": ("Ký đóng ca", "Shift signed"),
    "account.add": ("Thêm tài khoản ngân hàng, ví", "Provider account opened"),
    "account.rotate": ("Đổi khoá tài khoản", "Credentials rotated"),
    "account.close": ("Đóng tài khoản", "Provider account closed"),
    "account.test": ("Thử tài khoản", "Provider account tried"),
    "refund.payee": ("Ghi người nhận hoàn trả", "Payee named"), **CORRECTION_ACTIONS,
    **PRIVACY_ACTIONS, **REMITTANCE_ACTIONS, **CASE_ACTIONS, **DAY_ACTIONS,
}  # fmt: skip
PROFILES: Final[Words] = {
    "canonical-provider": ("Báo cáo ngân hàng, ví", "Provider's report"),
    "canonical-statement": ("Sao kê ngân hàng", "Bank statement"),
    "canonical-treasury": ("Xác nhận của kho bạc", "Treasury's list"),
    "stripe-payouts": ("Đối chiếu tiền về của Stripe", "Stripe's payout reconciliation"),
    "mt940": ("Sao kê MT940", "MT940 statement"),
    "camt053": ("Sao kê camt.053, camt.054", "camt.053 or camt.054 statement"),
    **{
        code: (f"{vi} (giả định)", f"{en} (assumed)")
        for code, vi, en in (
            ("vnpay", "Báo cáo VNPAY", "VNPAY's report"),
            ("momo", "Báo cáo MoMo", "MoMo's report"),
            ("zalopay", "Báo cáo ZaloPay", "ZaloPay's report"),
            ("payos", "Báo cáo payOS", "payOS's report"),
            ("vietcombank", "Sao kê Vietcombank", "Vietcombank's statement"),
            ("bidv", "Sao kê BIDV", "BIDV's statement"),
            ("vietinbank", "Sao kê VietinBank", "VietinBank's statement"),
            ("agribank", "Sao kê Agribank", "Agribank's statement"),
            ("techcombank", "Sao kê Techcombank", "Techcombank's statement"),
        )
    },
}  # fmt: skip
PAYER: Final[Words] = {
    "name": ("Họ tên", "Name"), "email": ("Thư điện tử", "E-mail"),
    "phone": ("Điện thoại", "Phone"), "citizen_id": ("Số định danh", "Citizen id"),
}  # fmt: skip
REFUNDS: Final[Words] = {
    "requested": ("Chờ duyệt", "Waiting for approval"), "approved": ("Đã duyệt", "Approved"),
    "rejected": ("Bị từ chối", "Rejected"), "sent": ("Đã gửi ngân hàng, ví", "With the provider"),
    "in_doubt": ("Chưa rõ kết quả", "In doubt"), "done": ("Đã hoàn trả", "Done"),
    "failed": ("Không hoàn trả được", "Failed"),
}  # fmt: skip
SHIFTS: Final[Words] = {
    "open": ("Đang mở", "Open"), "counted": ("Chờ ký", "To be signed"),
    "closed": ("Đã đóng", "Closed"),
}  # fmt: skip
ROUTES: Final[Words] = {
    "provider": ("ngân hàng, ví đã thu", "the provider that took it"),
    "transfer": ("chuyển khoản", "a bank transfer"),
    "treasury": ("kho bạc", "the treasury"),
}  # fmt: skip
REFUND_SOURCES: Final[Words] = {
    "debt": ("khoản đã nộp", "what paid the fee"), "surplus": ("tiền nộp thừa", "the surplus"),
    "suspended": ("tiền đang treo", "money in suspense"),
    "on_account": ("tiền nộp một phần", "a part, kept on account"),
}  # fmt: skip
STANDINGS: Final[Words] = {
    "healthy": ("Bình thường", "Works"), "demoted": ("Xếp sau", "Offered last"),
    "hidden": ("Tạm ẩn", "Hidden"), "closed": ("Đã đóng", "Closed"),
    "barred": ("Không đưa sang", "Not offered"),
}  # fmt: skip
AILMENTS: Final[Words] = {
    "failing": ("Nhiều lần gọi không thành.", "Many calls to it fail."),
    "slow": ("Trả lời chậm.", "It answers slowly."),
    "probation": ("Vừa được thử lại sau khi gián đoạn.", "It is on trial again after a rest."),
}  # fmt: skip
TRIALS: Final[Words] = {
    "answered": ("Ngân hàng, ví đã trả lời, và câu trả lời đáng tin.",
                 "The provider answered, and we believe it."),
    "unreachable": ("Không kết nối được: hãy kiểm tra địa chỉ.",
                    "It could not be reached: check the address."),
    "disbelieved": ("Không có câu trả lời đáng tin: hãy kiểm tra địa chỉ, mã đơn vị và khoá.",
                    "No answer that can be believed: check address, merchant's code and secret."),
    "mute": ("Thông số đúng dạng; ngân hàng, ví này không hỏi được.",
             "Its settings are well formed; this provider cannot be asked."),
}  # fmt: skip
KINDS: Final[Words] = {"phi": ("phí", "fee"), "le_phi": ("lệ phí", "charge")}
SUBJECTS: Final[Words] = {
    "line": ("dòng trong tệp", "line of a file"), "capture": ("lần tiền vào", "capture"),
    "attempt": ("lượt thanh toán", "attempt"), "dispute": ("khiếu nại", "dispute"),
    "shift": ("ca thu", "shift"), "report": ("dòng báo cáo lại", "line that is told again"),
    "source": ("nguồn tệp", "source of files"),
}  # fmt: skip
_ENGLISH: Final = {
    "1110": "Cash at the counter", "1120": "Collection bank account",
    "1125": "Treasury deposit account", "1130": "In transit", "1380": "Provider clearing",
    "1381": "Disputed at provider", "1382": "Clerk shortage", "1383": "Due from the agency",
    "1386": "Due from another agency", "1388": "Claim on the treasury",
    "3310": "Unidentified and part-paid money", "3320": "Surplus", "3330": "Due to the budget",
    "3370": "Phí to apportion", "3375": "Retained share of phí", "3380": "Refunds payable",
    "3386": "Due to another agency", "4900": "Duty to fund charges and losses",
    "6420": "Provider charges", "6430": "Approved losses", "M1": "Owed", "M2": "Collected",
    "M3": "Waived", "M4": "Cancelled", "M5": "Refunded", "M9": "Assessed",
}  # fmt: skip
ACCOUNTS: Final[Words] = {
    code: (title, _ENGLISH.get(code, title)) for code, title in TITLES.items()
}
TABLES: Final[Mapping[str, Words]] = {
    "state": STATES, "provider": PROVIDERS, "break": BREAKS, "result": RESULTS,
    "source": SOURCES, "event": EVENTS, "rule": RULES, "proposal": PROPOSALS, "role": ROLES,
    "action": ACTIONS, "profile": PROFILES, "payer": PAYER, "kind": KINDS,
    "advice": ADVICE, "account": ACCOUNTS, "subject": SUBJECTS,
    "standing": STANDINGS, "ailment": AILMENTS, "trial": TRIALS,
    "line": LINES, "message": MESSAGES, "tone": TONES,
    "correction": CORRECTIONS, "correction_state": CORRECTION_STATES, "receipt_text": CORRECTED,
    "refund": REFUNDS, "shift": SHIFTS, "route": ROUTES, "source_of_refund": REFUND_SOURCES,
    "erasure": ERASURES, "remittance": REMITTANCES, "act": ACTS, "resolution": RESOLUTIONS,
    "check": CHECKS, "movement": MOVEMENTS,
}  # fmt: skip


def word(table: str, code: str, lang: str) -> str:
    """Give the word for a code; a code that nobody named is shown as it is."""
    said = TABLES[table].get(code)
    return said[lang == "en"] if said else code


def sentence(said: str, lang: str) -> str:
    """Read what stands in the books in English; one that nobody translated is shown as it is."""
    return said if lang == "en" else in_vietnamese(said) or said


def actor(code: str, lang: str) -> str:
    """Name who did something: «staff:an» is an."""
    kind, _, name = code.partition(":")
    if kind in ("job", "rule"):
        return "by itself" if lang == "en" else "tự động"
    return name or code
