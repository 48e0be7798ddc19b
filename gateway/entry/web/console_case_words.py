"""What the console says of what people do about breaks, in both languages."""

from collections.abc import Mapping
from typing import Final

from gateway.entry.web.words import Words

ACTS: Final[Words] = {
    "comment": ("Ghi chú", "Comment"), "assign": ("Giao cho", "Given to"),
    "attach": ("Đính kèm", "Attached"), "wait": ("Chờ", "Waits"),
    "propose": ("Đề xuất", "Proposed"), "agree": ("Đồng ý", "Agreed"),
    "refuse": ("Không làm theo đề xuất", "Proposal dropped"),
}  # fmt: skip
RESOLUTIONS: Final[Words] = {
    "link": ("nối tiền với khoản của nó", "link the money to what it is for"),
    "home": ("dùng tiền này để nộp khoản thanh toán", "pay the payment with this money"),
    "same_money": ("hai lần ghi là cùng một khoản tiền", "both are the same money"),
    "arrival": ("tiền vào này gồm các lần thu đó", "this credit brought those captures"),
    "write_off": ("ghi nhận tổn thất", "write off the loss"),
    "undo": ("hoàn tác việc đã đồng ý", "undo what was agreed"),
}  # fmt: skip
ACTIONS: Final[Words] = {
    "case.comment": ("Ghi chú chênh lệch", "Break commented"),
    "case.assign": ("Giao chênh lệch", "Break given to somebody"),
    "case.attach": ("Đính kèm tệp vào chênh lệch", "File attached to a break"),
    "case.wait": ("Để chênh lệch chờ", "Break left to wait"),
    "case.propose": ("Đề xuất xử lý chênh lệch", "Resolution proposed"),
    "case.agree": ("Đồng ý xử lý chênh lệch", "Resolution agreed"),
    "case.refuse": ("Từ chối xử lý chênh lệch", "Resolution refused"),
    "case.read": ("Xem tệp đính kèm", "Attached file read"),
    "pack.write": ("Xuất gói kiểm toán", "Audit pack written"),
    "pack.open": ("Xuất gói kiểm toán có dữ liệu cá nhân", "Audit pack with personal data written"),
}  # fmt: skip
# What people and runs write into the books, and what an officer asked for and is not done.
SENTENCES: Final[Mapping[str, str]] = {
    "two people gave this money a home": "hai người đã cho khoản tiền này nơi nhận",
    "two people say that both are the same money": "hai người xác nhận đó là cùng một khoản tiền",
    "two people say what this credit brought": "hai người xác nhận tiền vào này gồm những gì",
    "two people approved the loss": "hai người đã duyệt tổn thất",
    "the rules find this for a capture that two people linked otherwise":
        "đối soát thấy khác với điều hai người đã xác nhận cho lần tiền vào này",
    "two people linked the credit that the rules find for it otherwise":
        "tiền vào mà đối soát tìm được đã được hai người nối với khoản khác",
    "Only an open payment can be paid with this money.":
        "Chỉ khoản đang chờ nộp mới nhận được tiền này.",
    "Its payer may just have paid; wait for the bank's word.":
        "Người nộp có thể vừa trả xong: hãy chờ ngân hàng trả lời.",
    "{} đồng are missing for this payment, not {}.":
        "Khoản này còn thiếu {} đồng, không phải {}.",
    "This break has no money that could be linked.": "Chênh lệch này không có tiền để nối.",
    "Name what belongs together: 2 to {} parts.": "Hãy ghi các phần thuộc về nhau: 2 đến {} phần.",
    "Each part has an amount above 0.": "Mỗi phần phải có số tiền lớn hơn 0.",
    "The parts must be equal: {} đồng here, {} there.":
        "Hai bên phải bằng nhau: bên này {} đồng, bên kia {}.",
    "Propose a link, a loss to write off, or an undo.":
        "Hãy chọn nối, ghi tổn thất hoặc hoàn tác.",
    "The break itself is not among its parts.": "Chênh lệch này không nằm trong các phần.",
    "Each part is named once.": "Mỗi phần chỉ ghi một lần.",
    "No payment of this agency has that reference.":
        "Cơ quan không có khoản thanh toán nào mang mã đó.",
    "These do not belong to one link: resolve them in turns.":
        "Các phần này không cùng một cách xử lý: hãy làm lần lượt.",
    "The break is not what it was; look again.": "Chênh lệch đã thay đổi. Hãy tải lại trang.",
    "Only a bank's credit that nothing explains is linked.":
        "Chỉ nối được tiền vào ngân hàng chưa giải thích được.",
    "Only money that nobody has claimed is linked.": "Chỉ nối được tiền chưa rõ của ai.",
    "This money goes back to its payer.": "Khoản tiền này đang được hoàn trả hoặc khiếu nại.",
    "A capture is linked whole.": "Một lần tiền vào chỉ nối được nguyên số.",
    "Its money has arrived already, or was written off.":
        "Tiền của lần thu đó đã về, hoặc đã ghi tổn thất.",
    "The statement must list the one and lack the other.":
        "Sao kê phải có khoản này và thiếu khoản kia, trên cùng một tài khoản.",
    "The agency lets at most {} đồng be written off.":
        "Cơ quan chỉ cho ghi tổn thất nhiều nhất {} đồng.",
    "Only money that never came, or a bank's charge, is a loss.":
        "Chỉ tiền không về, hoặc phí ngân hàng, mới là tổn thất.",
    "Nothing of the kind was agreed about this break.": "Chưa có việc nào như vậy được đồng ý.",
    "The payment is paid and has its receipt: ask for a refund instead.":
        "Khoản này đã nộp và có biên lai: hãy yêu cầu hoàn trả.",
    "It was undone already.": "Việc này đã được hoàn tác.",
    "A closed day rests on it: reopen that day first.":
        "Ngày đã khoá sổ dựa vào việc này: hãy mở lại ngày đó trước.",
    "Give it 1 to {} working days.": "Hãy ghi hạn từ 1 đến {} ngày làm việc.",
    "Nobody of this agency has that name.": "Cơ quan không có người nào tên đó.",
    "Choose a day within {} days.": "Hãy chọn một ngày trong vòng {} ngày tới.",
    "A file has {} bytes at most.": "Tệp dài nhất {} byte.",
    "Attach a PDF, PNG or JPEG file.": "Hãy đính kèm tệp PDF, PNG hoặc JPEG.",
    "Choose a file.": "Hãy chọn một tệp.",
    "This is not the file that was attached.": "Đây không phải tệp đã đính kèm.",
    "A proposal waits already: decide that one first.":
        "Đã có một đề xuất đang chờ: hãy quyết định đề xuất đó trước.",
    "There is no such proposal in this agency.": "Cơ quan không có đề xuất này.",
    "What was shown has changed; look again.":
        "Nội dung đã thay đổi sau khi hiển thị. Hãy xem lại rồi quyết định.",
    "The break is resolved already.": "Chênh lệch này đã xử lý.",
    "Write 1 to {} characters.": "Hãy ghi từ 1 đến {} ký tự.",
    "Comment, assign or wait.": "Hãy ghi chú, giao hoặc cho chờ.",
    "Agree or refuse.": "Hãy đồng ý hoặc từ chối.",
}  # fmt: skip
