"""The citizen's words: Vietnamese first, English second; every error says what to do."""

from typing import Any, Final

from gateway.entry.web.words import Words, both, said

EVERYWHERE: Final[Words] = {
    "other_language": ("English", "Tiếng Việt"),
    "home": ("Về trang đầu", "To the first page"),
    "again": ("Thử lại", "Try again"),
}
FRONT: Final[Words] = {
    "title": ("Nộp phí, lệ phí", "Pay a public fee"),
    "how": ("Nộp tiền bằng liên kết đã nhận", "Pay with the link that you were sent"),
    "how_advice": both(
        "Hãy mở liên kết trong tin nhắn hoặc trên trang dịch vụ công nơi đã nộp hồ sơ, hoặc quét"
        " mã QR trên giấy hẹn. Không cần tài khoản, không cần cài đặt.",
        "Open the link in the message or on the public service where you handed in the dossier,"
        " or scan the QR code on the slip. No account, nothing to install.",
    ),
    "check": ("Tra cứu biên lai", "Check a receipt"),
    "check_advice": both(
        "Xem một biên lai có đúng do cơ quan thu lập hay không.",
        "See whether a receipt was really issued by the agency.",
    ),
    "staff": ("Dành cho cán bộ", "For staff"),
    "builders": ("Dành cho lập trình viên", "For developers"),
    "pay": ("Không tìm thấy khoản thanh toán này", "There is no such payment link"),
    "pay_advice": both(
        "Liên kết bị thiếu hoặc sai ký tự. Hãy mở lại liên kết đã nhận, đừng gõ tay; nếu vẫn"
        " không được, xin liên kết mới tại nơi đã nộp hồ sơ. Chưa có khoản tiền nào bị trừ ở"
        " trang này.",
        "The link is cut short or has a wrong character. Open it again where you got it instead"
        " of typing; if that fails, ask for a new one where you handed in the dossier. This page"
        " took no money.",
    ),
    "receipts": ("Không tìm thấy biên lai này", "There is no such receipt"),
    "receipts_advice": both(
        "Liên kết bị thiếu hoặc sai ký tự. Hãy mở lại liên kết đã nhận, hoặc tra cứu bằng mã trên"
        " biên lai ở trang đầu.",
        "The link is cut short or has a wrong character. Open it again where you got it, or look"
        " the receipt up by its code on the first page.",
    ),
    "nothing": ("Không có trang này", "There is no such page"),
    "nothing_advice": both(
        "Hãy kiểm tra lại địa chỉ, hoặc bắt đầu từ trang đầu.",
        "Check the address, or begin at the first page.",
    ),
    "busy": ("Hệ thống đang bận", "The system is busy"),
    "busy_advice": both(
        "Tiền đã nộp vẫn được ghi nhận đầy đủ, đừng nộp lại. Hãy thử lại sau ít phút.",
        "Money that was paid is kept safely: do not pay again. Try again in a few minutes.",
    ),
}
PAY: Final[Words] = {
    "title": FRONT["title"],
    "sandbox": ("Thử nghiệm: đừng nộp tiền thật", "A test: do not pay real money"),
    "dossier": ("Mã hồ sơ:", "Dossier:"),
    "what_for": ("Khoản thu", "What it is for"),
    "total": ("Tổng cộng", "Total"),
    "received": ("Đã nhận", "Received"),
    "still_due": ("Còn phải nộp", "Still due"),
    "phi": ("phí", "fee"),
    "le_phi": ("lệ phí", "charge"),
    "until": ("Nộp trước", "Pay before"),
    "paid_at": ("Lúc", "At"),
    "code": ("Mã thanh toán:", "Payment code:"),
    # How it stands, and what to do.
    "open": ("Chờ nộp", "Waiting for payment"),
    "open_advice": ("", ""),
    "partly": ("Đã nhận một phần", "Part of it has arrived"),
    "partly_advice": both(
        "Đã nhận {}. Hãy chuyển nốt {} còn thiếu; đừng nộp lại từ đầu.",
        "{} has arrived. Please transfer the missing {}; do not pay it all again.",
    ),
    "doubt": ("Đang kiểm tra với ngân hàng", "We are checking with the bank"),
    "doubt_advice": both(
        "Xin đừng nộp lại. Trang này tự cập nhật ngay khi có kết quả.",
        "Please do not pay again. This page changes by itself as soon as we know.",
    ),
    "paid": ("Đã nộp đủ", "Paid in full"),
    "paid_advice": both(
        "Cảm ơn ông/bà. Không cần làm gì thêm.",
        "Thank you. There is nothing more to do.",
    ),
    "refunded": ("Đã hoàn trả", "Given back"),
    "refunded_advice": both(
        "Toàn bộ số tiền đã được hoàn trả cho người nộp.",
        "All of the money was given back to the payer.",
    ),
    "expired": ("Liên kết đã hết hạn", "This link has expired"),
    "expired_advice": both(
        "Đừng chuyển tiền nữa. Hãy xin liên kết mới tại nơi đã gửi liên kết này.",
        "Do not send money any more. Ask for a new link where you got this one.",
    ),
    "cancelled": ("Khoản thanh toán đã được huỷ", "This payment was withdrawn"),
    "cancelled_advice": both(
        "Không phải nộp khoản này. Đừng chuyển tiền.",
        "You need not pay it. Do not send money.",
    ),
    "waived": ("Không phải nộp", "Nothing is due"),
    "waived_advice": ("Thủ tục này không thu tiền.", "This procedure is free of charge."),
    "extra": both(
        "Số tiền nộp thừa {} đang được giữ lại để hoàn trả.",
        "{} came beyond it, and is kept to be given back.",
    ),
    "held": both(
        "Đã nhận {} không dùng được cho khoản này; số tiền đó đang được giữ lại để hoàn trả.",
        "{} came that this payment cannot use; it is kept to be given back.",
    ),
    # What became of the last try.
    "told_declined": both(
        "Ngân hàng báo lần nộp vừa rồi không thành công. Hãy thử lại, hoặc chọn cách khác.",
        "The bank says that the last try did not succeed. Try again, or choose another way.",
    ),
    "told_failed": both(
        "Chưa mở được trang của ngân hàng; chưa có khoản tiền nào bị trừ. Hãy thử lại, hoặc chọn"
        " cách khác.",
        "The bank's page could not be opened; no money was taken. Try again, or choose another"
        " way.",
    ),
    # How to pay.
    "open_app": ("Mở ứng dụng ngân hàng, ví", "Open your bank's app or wallet"),
    "other_ways": ("Cách nộp khác", "Other ways to pay"),
    "abroad": both(
        "Nơi nhận thẻ ở nước ngoài: những gì bạn nhập ở đó được gửi ra khỏi Việt Nam.",
        "The cards are taken abroad: what you enter there leaves Viet Nam.",
    ),
    "not_now": both(
        "đang gián đoạn; thử lại sau {}. Hãy chọn cách khác.",
        "does not work now; it is tried again after {}. Choose another way.",
    ),
    "by_transfer": ("Quét mã VietQR", "Scan the VietQR code"),
    "or_transfer": ("Hoặc chuyển khoản VietQR", "Or transfer by VietQR"),
    "only_transfer": ("Chuyển khoản VietQR", "Transfer by VietQR"),
    "scan": both(
        "Mở ứng dụng ngân hàng trên điện thoại và quét mã này.",
        "Open your bank's app on the phone and scan this code.",
    ),
    "step_save": ("Lưu ảnh mã QR về máy.", "Save the QR image."),
    "step_app": both(
        "Mở ứng dụng ngân hàng, chọn quét QR, rồi chọn ảnh vừa lưu.",
        "Open your bank's app, choose to scan a QR code, then the image.",
    ),
    "step_check": both(
        "So tên người thụ hưởng và số tiền với các dòng dưới đây, rồi xác nhận.",
        "Compare beneficiary and amount with the lines below, then confirm.",
    ),
    "qr_alt": ("Mã VietQR để chuyển khoản", "VietQR code for the transfer"),
    "save": ("Lưu ảnh mã QR", "Save the QR image"),
    "bank": ("Ngân hàng", "Bank"),
    "account": ("Số tài khoản", "Account number"),
    "beneficiary": ("Người thụ hưởng", "Beneficiary"),
    "amount": ("Số tiền", "Amount"),
    "memo": ("Nội dung", "Message"),
    "copy_it": ("Chép", "Copy"),
    "copied": ("Đã chép", "Copied"),
    "turns": both(
        "Trang này tự cập nhật khi tiền đến.",
        "This page changes by itself when the money arrives.",
    ),
    "check_again": ("Kiểm tra lại", "Check again"),
    "go_back": ("Quay lại trang dịch vụ công", "Back to the public service"),
    # The proof.
    "receipts": ("Biên lai điện tử", "Electronic receipt"),
    "receipt_phi": ("Biên lai thu phí", "Receipt for a fee"),
    "receipt_le_phi": ("Biên lai thu lệ phí", "Receipt for a charge"),
    "number": ("số", "no."),
    "get_pdf": ("Tải {} (PDF)", "Download the {} (PDF)"),
    "view": ("Xem trên trang web", "View as a web page"),
    "original": ("Bản gốc đã ký số (XML)", "Signed original (XML)"),
    "elsewhere": (
        "Biên lai của khoản này do {} phát hành.",
        "The receipt of this payment is issued by: {}.",
    ),
    "will_be_elsewhere": both(
        "Nộp bằng cách này thì biên lai do {} phát hành.",
        "If you pay this way, the receipt is issued by: {}.",
    ),
    "get_elsewhere": ("Tải biên lai (PDF)", "Download the receipt (PDF)"),
    "is_replaced": ("đã được thay thế.", "it was replaced."),
    "receipt_soon": both(
        "Biên lai đang được lập. Trang này tự cập nhật; liên kết này còn dùng được để lấy biên lai"
        " sau.",
        "The receipt is being made. This page changes by itself; the link keeps working, so you"
        " can come back for it.",
    ),
}
WAIT: Final[Words] = {
    "title": ("Đang chuẩn bị bản PDF", "The PDF is being made"),
    "wait_advice": both(
        "Trang này tự thử lại sau {} giây. Trong lúc chờ, có thể xem biên lai trên trang web.",
        "This page tries again in {} seconds. Meanwhile the receipt can be seen as a web page.",
    ),
    "view": ("Xem biên lai", "View the receipt"),
}


def spoken(lang: str, *tables: Words) -> dict[str, Any]:
    """Give what each page needs to speak: its language, the other one, and the texts."""
    other = "vi" if lang == "en" else "en"
    return {"lang": lang, "other_lang": other, "t": said(lang, EVERYWHERE, *tables)}
