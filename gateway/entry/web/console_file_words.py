"""Why a file was refused, read in Vietnamese; a column keeps its name, for it stands in the file.

The first sentence that fits is taken, so what says more stands above what says less.
"""

from collections.abc import Mapping
from typing import Final

REFUSALS: Final[Mapping[str, str]] = {
    "Line {}: {}.": "Dòng {}: {}.",
    "The file is longer than {} bytes.": "Tệp dài hơn {} byte. Hãy chia nhỏ rồi gửi lại.",
    "The profiles are: {}.": "Hãy chọn loại tệp trong danh sách.",
    "must be the header {}": "phải là dòng tiêu đề {}",
    "has {} cells where {} are wanted": "có {} ô, phải có {}",
    "has no header": "không có dòng tiêu đề",
    "is not CSV ({})": "không phải CSV ({})",
    "is not UTF-8": "không phải UTF-8",
    "is beyond the limit of {} lines": "vượt quá {} dòng",
    "{} is empty": "{} để trống",
    "{} has a control character": "{} có ký tự điều khiển",
    "{} is not one of {}": "{} không thuộc: {}",
    "{} begins or ends with a space": "{} bắt đầu hoặc kết thúc bằng dấu cách",
    "{} is longer than {} characters": "{} dài hơn {} ký tự",
    "{} is not a whole number of đồng in plain digits":
        "{} không phải số đồng nguyên, viết liền các chữ số",
    "{} is larger than any amount can be": "{} lớn hơn mọi số tiền có thể có",
    "{} of a {} is zero": "{} của {} bằng 0",
    "{} is zero": "{} bằng 0",
    "{} of a {} is not above zero": "{} của {} phải lớn hơn 0",
    "must have the columns {}": "phải có các cột {}",
    "{} of a {} is not below zero": "{} của {} phải nhỏ hơn 0",
    "{} is not gross less fee": "{} không bằng gross trừ fee",
    "{} is not a whole number of đồng written as {}":
        "{} không phải số đồng nguyên viết theo dạng {}",
    "{} is not a whole number of đồng": "{} không phải số đồng nguyên",
    "{} is not a multiple of {}": "{} không phải bội số của {}",
    "{} is a date, not an amount": "{} là ngày, không phải số tiền",
    "{} is a formula, not a value": "{} là công thức, không phải giá trị",
    "{} is not written as {}": "{} không viết theo dạng {}",
    "{} is no day of the calendar": "{} không phải ngày có thật",
    "{} is a state that the profile neither keeps nor skips":
        "{} là trạng thái mà mẫu tệp không giữ cũng không bỏ",
    "{} has no figure": "{} không có số",
    "says that {} is {}, and the lines make it {}": "{} ghi {}, còn cộng các dòng thì được {}",
    "{} is {}, and the lines make it {}": "{} ghi {}, còn cộng các dòng thì được {}",
    "has a formula without its value: open the file in a spreadsheet program and save it":
        "có công thức chưa được tính. Hãy mở tệp bằng phần mềm bảng tính, lưu lại rồi gửi lại",
    "{} may mean {}: name one of them in the file, or under [fixed] in a profile of your own":
        "{} có thể là {}. Hãy ghi rõ tài khoản trong tệp, hoặc ở mục [fixed] trong mẫu tệp riêng",
    "{} is another currency than VND": "{} không phải VND",
    "is in an encoding that no statement needs": "dùng bảng mã mà sao kê không cần",
    "makes the sum of the file larger than {}": "làm tổng của tệp vượt quá {}",
    "{} is in no year from {} to {}": "{} không thuộc năm nào từ {} đến {}",
    "the opening balance": "số dư đầu kỳ",
    "the closing balance": "số dư cuối kỳ",
    "the balance before": "số dư trước đó",
    "the entry": "bút toán",
    "the number of entries": "số bút toán",
    "the sum of entries": "tổng các bút toán",
    "the sum of credits": "tổng ghi có",
    "the sum of debits": "tổng ghi nợ",
    "the sum of {}": "tổng cột {}",
    "the number of credits": "số bút toán ghi có",
    "the number of debits": "số bút toán ghi nợ",
    "has the column {} twice": "có hai cột {}",
    "must be a debit or a credit, and is both or neither":
        "phải ghi nợ hoặc ghi có, không được ghi cả hai hay để trống cả hai",
    "has an amount below zero in a column of its own sign":
        "có số tiền âm trong cột đã có dấu riêng",
    "stands after the totals": "đứng sau dòng tổng cộng",
    "is the last, and the row of totals is missing": "là dòng cuối mà thiếu dòng tổng cộng",
    "is the row of totals, and has no figure under a column":
        "là dòng tổng cộng mà không có số ở cột nào",
    "is longer than {} characters": "dài hơn {} ký tự",
    "has a DTD, which no statement needs": "có DTD, sao kê không bao giờ cần",
    "has a tag or a text longer than any statement has": "có thẻ hoặc đoạn chữ dài quá mức",
    "nests deeper than {}": "lồng sâu hơn {} tầng",
    "is not XML ({})": "không phải XML ({})",
    "is no camt.053 or camt.054 of a version from 2 to 8":
        "không phải camt.053 hay camt.054 phiên bản 2 đến 8",
    "has no statement": "không có sao kê nào",
    "has an amount that is not whole đồng (VND)": "có số tiền không phải đồng nguyên (VND)",
    "says neither CRDT nor DBIT beside an amount": "không ghi CRDT hay DBIT cạnh số tiền",
    "has a time that is not ISO 8601": "có thời điểm không đúng ISO 8601",
    "is not MT940: a field begins with its tag, as :20:":
        "không phải MT940: mỗi trường bắt đầu bằng mã, như :20:",
    "is beyond the limit of {} lines of a field": "vượt quá {} dòng của một trường",
    "begins a statement before the one above has its :62F:":
        "bắt đầu sao kê mới khi sao kê trên chưa có :62F:",
    "is no line of MT940 (:61:)": "không phải dòng MT940 (:61:)",
    "stands before :25: and :60F:": "đứng trước :25: và :60F:",
    "closes a statement that has no :60F:": "kết thúc sao kê không có :60F:",
    "is the last, and :62F: is missing": "là dòng cuối mà thiếu :62F:",
    "is no balance in VND": "không phải số dư bằng VND",
    "is no day of the calendar": "có ngày không có thật",
    "has phonetic texts; save it as CSV": "có chú âm; hãy lưu thành CSV",
    "stands after a row with a higher number": "đứng sau hàng có số lớn hơn",
    "has a cell whose place is not one": "có ô sai vị trí",
    "has more than {} cells, or one of them twice": "có hơn {} ô, hoặc có ô lặp lại",
    "has a number that is none": "có ô số không phải số",
    "has a day outside the calendar": "có ngày nằm ngoài lịch",
    "is not {}": "không phải {}",
    "The file is an old .xls: save it as .xlsx or CSV.":
        "Tệp là .xls kiểu cũ. Hãy lưu thành .xlsx hoặc CSV rồi gửi lại.",
    "The file is a damaged workbook ({}).": "Tệp bảng tính bị hỏng ({}).",
    "The workbook's part {} is longer than {} bytes.": "Phần {} của bảng tính dài hơn {} byte.",
    "The workbook has more than {} bytes of text.": "Bảng tính có hơn {} byte chữ.",
    "The profile names no encoding.": "Mẫu tệp không nêu bảng mã.",
    "The profile {} {}.": "Mẫu tệp {} sai: {}.",
    "{} of a {} is below zero": "{} của {} nhỏ hơn 0",
    "{} is no account of {} (it has: {})": "{} không phải tài khoản của {} (có: {})",
    "{} is another agency's (ours is {}): {}":
        "{} là của cơ quan khác (của ta là {}). Hãy lấy đúng tệp của mình, hoặc nhờ người vận hành"
        " sửa lại mã của cơ quan.",
    "contradicts the file «{}», which says {} on {}: {}":
        "khác với tệp «{}» đã ghi {} ngày {}. Hãy hỏi bên gửi tệp nào đúng.",
    "{} is not a date YYYY-MM-DD": "{} không phải ngày YYYY-MM-DD",
    "{} is not a time YYYY-MM-DDThh:mm:ss": "{} không phải giờ YYYY-MM-DDThh:mm:ss",
}  # fmt: skip
