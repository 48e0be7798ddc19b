"""What an officer can do about a break, by its kind."""

from typing import Final

from gateway.entry.web.words import Words, both

# Kind of break -> what to do about it.
ADVICE: Final[Words] = {
    "missing_at_provider": both(
        "Hỏi ngân hàng, ví vì sao không có khoản này. Khi có báo cáo bổ sung, gửi tệp ở mục Khoá"
        " sổ: chênh lệch tự hết.",
        "Ask the provider why it is not listed. When a new report comes, send it under Days: the"
        " break goes away by itself.",
    ),
    "missing_at_treasury": both(
        "Hỏi kho bạc. Khi có bảng xác nhận mới, gửi tệp ở mục Khoá sổ: chênh lệch tự hết.",
        "Ask the treasury. When a new list comes, send it under Days: the break goes away by"
        " itself.",
    ),
    "unknown_money": both(
        "Tìm chủ của khoản tiền theo nội dung và người chuyển trên sao kê.",
        "Find out whose it is from the text and the sender on the statement.",
    ),
    "amount": both(
        "So số tiền với chứng từ của hai bên; hoàn trả người nộp phần không dùng được.",
        "Compare the amount with both sides' papers; what cannot be used goes back to the payer.",
    ),
    "charge": both(
        "So phí dịch vụ với hợp đồng, rồi hỏi ngân hàng, ví.",
        "Compare the charge with the contract, then ask the provider.",
    ),
    "duplicate": both(
        "Hỏi bên gửi tệp vì sao ghi hai lần; chỉ một lần là đúng.",
        "Ask who sent the file why it stands there twice; once is right.",
    ),
    "double": both(
        "Hoàn trả người nộp lần nộp thứ hai.",
        "Give the second payment back to the payer.",
    ),
    "surplus": both(
        "Hoàn trả người nộp phần nộp thừa.",
        "Give the payer back what is beyond.",
    ),
    "partial": both(
        "Hoàn trả người nộp, hoặc hỏi hệ thống thủ tục có mở lại khoản này không.",
        "Give it back, or ask the procedure system whether the fee is asked for again.",
    ),
    "reversed": both(
        "Hỏi ngân hàng, ví ai yêu cầu và vì sao.",
        "Ask the provider who wanted it, and why.",
    ),
    "late": both(
        "Hoàn trả người nộp, hoặc hỏi hệ thống thủ tục có cần khoản này không.",
        "Give it back, or ask the procedure system whether it is still wanted.",
    ),
    "wrong_reference": both(
        "So số trên giấy nộp tiền với số túi ở trang Ca thu, rồi hỏi ngân hàng.",
        "Compare the number on the deposit slip with the bags on the Shifts page, then ask the"
        " bank.",
    ),
    "ambiguous": both(
        "Đọc nội dung trên sao kê và hỏi người chuyển muốn nộp khoản nào.",
        "Read the text on the statement, and ask the sender which payment was meant.",
    ),
    "cut_off": both(
        "Nhờ người vận hành bổ sung lịch làm việc của năm đó.",
        "Ask the operator for that year's working calendar.",
    ),
    "cash_over": both(
        "Tìm xem đã thu thiếu hay trả lại thiếu cho ai; nếu không tìm được thì giữ ở sổ treo.",
        "Find out who got too little change; what nobody claims stays in suspense.",
    ),
    "file_error": both(
        "Hỏi bên gửi tệp, hoặc nhờ người vận hành xem nguồn; khi tệp đến thì chênh lệch tự hết.",
        "Ask whoever sends the file, or the operator about its source; when it comes the break goes"
        " away by itself.",
    ),
    "batch_total": both(
        "So báo cáo của lô với sao kê. Nếu thiếu dòng, xin báo cáo đầy đủ và gửi lại.",
        "Compare the batch's report with the statement. If lines are missing, ask for a whole one"
        " and send it again.",
    ),
    "status_conflict": both(
        "Liên hệ ngân hàng, ví để làm rõ, và trả lời trong thời hạn của họ.",
        "Clear it up with the provider, and answer within the time that it gives.",
    ),
}
