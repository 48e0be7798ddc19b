"""The columns of what the console gives as files: names for programs, titles for people."""

from typing import Final

from gateway.entry.web.exports import Column

BREAKS: Final = (
    Column("id", "Mã chênh lệch", "Break"),
    Column("kind", "Loại", "Kind", "break"),
    Column("state", "Trạng thái", "State", "state"),
    Column("amount", "Số tiền", "Amount"),
    Column("since_on", "Từ ngày", "Since"),
    Column("why", "Vì sao", "Why", "sentence"),
    Column("reference", "Mã thanh toán", "Reference"),
    Column("payment_id", "Khoản thanh toán", "Payment"),
    Column("capture_id", "Lần tiền vào", "Capture"),
    Column("line_id", "Dòng sao kê", "Statement line"),
    Column("owner_role", "Vai trò xử lý", "Owner's role", "role"),
    Column("owner", "Người xử lý", "Owner"),
    Column("due_on", "Hạn", "Due"),
    Column("waits_until", "Chờ đến", "Waits until"),
    Column("resolved_at", "Xử lý lúc", "Resolved at"),
    Column("resolution", "Cách xử lý", "Resolution", "sentence"),
)
MATCHES: Final = (
    Column("booked_on", "Ngày", "Day"),
    Column("source", "Nguồn", "Source", "source"),
    Column("account", "Tài khoản", "Account"),
    Column("reference", "Mã trong tệp", "Reference in the file"),
    Column("net", "Số tiền của dòng", "Line's amount"),
    Column("rule", "Quy tắc", "Rule", "rule"),
    Column("why", "Vì sao", "Why", "sentence"),
    Column("amount", "Số tiền khớp", "Matched"),
    Column("capture_id", "Lần tiền vào", "Capture"),
    Column("payment_id", "Khoản thanh toán", "Payment"),
    Column("rule_version", "Dấu của quy tắc", "Rule's hash"),
)
BALANCE: Final = (
    Column("account", "Tài khoản", "Account"),
    Column("title", "Tên tài khoản", "Title", "account"),
    Column("opening_debit", "Đầu kỳ, Nợ", "Opening debit"),
    Column("opening_credit", "Đầu kỳ, Có", "Opening credit"),
    Column("turnover_debit", "Phát sinh, Nợ", "Turnover debit"),
    Column("turnover_credit", "Phát sinh, Có", "Turnover credit"),
    Column("closing_debit", "Cuối kỳ, Nợ", "Closing debit"),
    Column("closing_credit", "Cuối kỳ, Có", "Closing credit"),
)
SLIP: Final = (
    Column("number", "Số giấy", "Slip"),
    Column("upto", "Các ngày đến", "Days up to", "day"),
    Column("payer", "Người nộp", "Payer"),
    Column("payer_tax_code", "Mã số thuế", "Tax code"),
    Column("payer_address", "Địa chỉ", "Address"),
    Column("debit_account", "Trích tài khoản", "From account"),
    Column("treasury", "Kho bạc", "Treasury"),
    Column("treasury_account", "Tài khoản thu", "To account"),
    Column("collecting_code", "Mã cơ quan thu", "Collecting authority"),
    Column("content", "Nội dung", "Text of the transfer"),
    Column("currency", "Tiền tệ", "Currency"),
    Column("n", "STT", "No."),
    Column("chapter", "Mã chương", "Chapter"),
    Column("budget_line", "Tiểu mục", "Budget line"),
    Column("area", "Mã địa bàn", "Area"),
    Column("amount", "Số tiền", "Amount"),
    Column("total", "Tổng cộng", "Total"),
    Column("total_in_words", "Tổng bằng chữ", "Total in words"),
)
STATEMENT: Final = (
    Column("booked_on", "Ngày", "Day"),
    Column("client", "Hệ thống", "Client"),
    Column("reference", "Mã thanh toán", "Reference"),
    Column("dossier_id", "Mã hồ sơ", "Dossier"),
    Column("procedure", "Thủ tục", "Procedure"),
    Column("budget_line", "Tiểu mục", "Budget line"),
    Column("kind", "Biến động", "Movement", "movement"),
    Column("amount", "Số tiền", "Amount"),
    Column("payment_id", "Khoản thanh toán", "Payment"),
    Column("voucher", "Chứng từ", "Voucher"),
)
USAGE: Final = (
    Column("form", "Mẫu số", "Form"),
    Column("series", "Ký hiệu", "Series"),
    Column("opening", "Số cuối kỳ trước", "Last before"),
    Column("first", "Từ số", "From"),
    Column("closing", "Đến số", "To"),
    Column("issued", "Đã lập", "Issued"),
    Column("replacements", "Lập để thay thế", "Replacements"),
    Column("replaced", "Đã bị thay thế", "Replaced"),
    Column("amount", "Số tiền", "Amount"),
)
