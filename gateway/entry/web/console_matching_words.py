"""What the rules say when they match, and of newer kinds of breaks, read in Vietnamese."""

from collections.abc import Mapping
from typing import Final

# Why two sides agree.
MATCHED: Final[Mapping[str, str]] = {
    "the provider's transaction {} is this capture":
        "giao dịch {} của ngân hàng, ví chính là lần tiền vào này",
    "the provider lists our {} {}": "ngân hàng, ví liệt kê {} {} của cơ quan",
    "{}, on another day (cut-off)": "{}, vào ngày khác (giờ chốt)",
    "the bank's reference {}, day and amount agree":
        "số tham chiếu {} của ngân hàng, ngày và số tiền đều khớp",
    "the bank's reference {}": "số tham chiếu {} của ngân hàng",
    "the text names the payment {}": "nội dung nêu mã thanh toán {}",
    "number {} of the equal credits of its business day":
        "khoản thứ {} trong các khoản bằng nhau của ngày nghiệp vụ",
    "placed among the equal credits of its day":
        "được xếp vào giữa các khoản vào giống nhau trong ngày",
    "number {} of the equal credits of that day":
        "khoản thứ {} trong các khoản bằng nhau của ngày đó",
    "batch {}: {} lines, net of charges, equal the payout":
        "lô {}: {} dòng, trừ phí dịch vụ, bằng số tiền chuyển về",
    "a declared charge of batch {}": "phí dịch vụ đã khai của lô {}",
    "remittance {}: {} treasury lines add up to the debit":
        "lần nộp {}: {} dòng của kho bạc cộng lại bằng số tiền ra",
    "the treasury names this payment and budget line {}":
        "kho bạc nêu khoản này và tiểu mục {}",
    "the lump on budget line {} is the sum of {} payments of one day":
        "số gộp ở tiểu mục {} bằng tổng {} khoản của một ngày",
    "the agency makes charges good": "cơ quan bù phí dịch vụ",
    "part {} of {} deposits that add up to batch {}":
        "phần {} trong {} lần chuyển cộng lại bằng lô {}",
    "only batch {} and those chosen with it add up to the payout":
        "chỉ lô {} và các lô được chọn cùng mới cộng lại bằng số tiền chuyển về",
    "one of {} documents that add up to what is due":
        "một trong {} chứng từ cộng lại bằng số phải nộp",
    "the treasury's document names this payment": "chứng từ của kho bạc nêu khoản này",
    "no other credit or capture is open on the account within 3 days":
        "trong 3 ngày quanh đó, tài khoản không còn khoản nào khác chưa khớp",
}  # fmt: skip
# Why they do not.
MORE_BREAKS: Final[Mapping[str, str]] = {
    "the provider reports as paid what it told us had failed":
        "ngân hàng, ví báo đã thu khoản mà trước đó báo thất bại",
    "the provider's report names another payment for this transaction":
        "báo cáo của ngân hàng, ví nêu mã thanh toán khác cho giao dịch này",
    "the bank lists this movement twice, by its own number":
        "ngân hàng liệt kê biến động này hai lần, cùng một số",
    "the text names another payment than the transfer that is missing on this day":
        "nội dung nêu khoản khác với khoản chuyển còn thiếu trong ngày",
    "a second credit for a payment whose transfer is matched":
        "tiền vào lần thứ hai cho khoản đã khớp",
    "an equal transfer of this day has no credit, but nothing names it":
        "một khoản chuyển bằng số tiền trong ngày chưa có tiền vào, nhưng không có gì nêu mã",
    "an equal amount is not confirmed, but nothing names it":
        "một khoản bằng số tiền này chưa được xác nhận, nhưng không có gì nêu mã",
    "the treasury confirmed this payment already, and an equal one is not confirmed":
        "kho bạc đã xác nhận khoản này, còn một khoản bằng số tiền chưa được xác nhận",
    "the treasury's documents do not yet add up to what is due":
        "các chứng từ của kho bạc cộng lại chưa đủ số phải nộp",
    "the charge is not what is declared for this amount":
        "phí dịch vụ khác mức đã khai cho số tiền này",
}  # fmt: skip
