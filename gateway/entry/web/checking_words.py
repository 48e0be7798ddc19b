"""What the check of a receipt says: Vietnamese first, English second."""

from typing import Final

from gateway.entry.web.words import Words, both

FORM: Final[Words] = {
    "code_asked": ("Mã tra cứu trên biên lai", "Lookup code on the receipt"),
    "code_hint": both(
        "16 chữ và số, in cạnh mã QR của biên lai. Chữ hoa hay thường, có gạch nối hay không đều"
        " được.",
        "16 letters and digits, beside the receipt's QR code. Capitals and dashes do not matter.",
    ),
    "file_asked": ("Hoặc tệp của biên lai", "Or the receipt's file"),
    "file_hint": both(
        "Tệp XML hoặc PDF, tối đa 1 MB. Tệp chỉ được kiểm tra, không được lưu lại.",
        "The XML or PDF, at most 1 MB. It is checked and not kept.",
    ),
    "check_file": ("Kiểm tra tệp", "Check the file"),
    "look_up": ("Tra cứu", "Look it up"),
}
VERIFY: Final[Words] = {
    "title": ("Tra cứu biên lai", "Check a receipt"),
    "valid": ("Biên lai hợp lệ", "The receipt is valid"),
    "valid_advice": both(
        "Hãy so các dòng dưới đây với biên lai trên tay.",
        "Compare the lines below with the receipt in your hand.",
    ),
    "test": ("Biên lai thử nghiệm hợp lệ", "The test receipt is valid"),
    "test_advice": both(
        "Chữ ký đúng, nhưng biên lai thử nghiệm không có giá trị thanh toán hay kế toán.",
        "The signature holds, but a test receipt has no value for payment or accounting.",
    ),
    "replaced": ("Biên lai đã được thay thế", "The receipt was replaced"),
    "replaced_advice": both(
        "Biên lai này do cơ quan thu lập, nhưng không còn hiệu lực. Hãy dùng biên lai thay thế.",
        "This receipt was issued by the agency, but it is not in force. Use its replacement.",
    ),
    "replaced_by": both(
        "Được thay thế bằng biên lai mẫu số {}, ký hiệu {}, số {}, ngày {}.",
        "It is replaced by the receipt of form {}, series {}, number {}, of {}.",
    ),
    "see_successor": ("Tra cứu biên lai thay thế", "Check the replacement"),
    "replaces": ("Thay thế", "Replaces"),
    "noticed": both(
        "Ngày {} cơ quan thu đã thông báo sai sót về: {}. Biên lai vẫn có hiệu lực.",
        "On {} the agency gave notice of an error in: {}. The receipt stands.",
    ),
    "unknown": ("Không có biên lai với mã này", "There is no receipt with this code"),
    "unknown_advice": both(
        "Hãy so lại từng ký tự của mã tra cứu. Nếu mã đúng như trên biên lai thì biên lai đó không"
        " phải do hệ thống này lập: hãy hỏi cơ quan thu.",
        "Compare the code character by character. If it is as printed on the receipt, that receipt"
        " was not issued by this system: ask the agency.",
    ),
    "length_advice": both(
        "Mã tra cứu có {} chữ và số, mã vừa nhập có {}. Hãy kiểm tra và nhập lại.",
        "A lookup code has {} letters and digits, this one has {}. Check it and type it again.",
    ),
    "broken": ("Bản lưu không còn nguyên vẹn", "The stored copy is damaged"),
    "broken_advice": both(
        "Đừng dựa vào trang này. Hãy kiểm tra tệp XML của biên lai, hoặc hỏi cơ quan thu.",
        "Do not rely on this page. Check the receipt's XML file, or ask the agency.",
    ),
    "altered": ("Tệp đã bị sửa đổi", "The file was altered"),
    "altered_advice": both(
        "Chữ ký không khớp với nội dung. Đừng dựa vào tệp này; hãy tra cứu bằng mã trên biên lai.",
        "The signature does not fit the contents. Do not rely on this file; check by the code.",
    ),
    "foreign": ("Tệp này không do hệ thống này lập", "This system did not issue this file"),
    "foreign_advice": both(
        "Tệp là một biên lai đã ký, nhưng không có trong sổ của hệ thống này. Hãy hỏi cơ quan thu"
        " ghi trên đó.",
        "The file is a signed receipt, but not one in this system's books. Ask the agency that it"
        " names.",
    ),
    "unreadable": ("Không có biên lai trong tệp này", "There is no receipt in this file"),
    "unreadable_advice": both(
        "Hãy chọn tệp XML hoặc PDF đã tải từ trang biên lai. Bản chụp và bản quét không kiểm tra"
        " được: hãy nhập mã tra cứu.",
        "Choose the XML or PDF as it was downloaded. A photo or a scan cannot be checked: type the"
        " code instead.",
    ),
    "slow": ("Quá nhiều lượt tra cứu", "Too many checks"),
    "slow_advice": both(
        "Hãy đợi một phút rồi thử lại.",
        "Wait a minute, then try again.",
    ),
    "file_xml": both(
        "Tệp giống từng byte với bản gốc mà cơ quan thu đã ký.",
        "The file is, byte for byte, the original that the agency signed.",
    ),
    "file_pdf": both(
        "Tệp PDF giống từng byte với bản mà hệ thống này đã lập.",
        "The PDF is, byte for byte, the one that this system made.",
    ),
    "file_other": both(
        "Biên lai gốc đính kèm là thật, nhưng bản thân tệp PDF đã bị sửa hoặc lưu lại: chỉ tin các"
        " dòng dưới đây, đừng tin các trang của tệp PDF.",
        "The original attached to it is genuine, but the PDF itself was changed or saved anew:"
        " believe the lines below, not the PDF's pages.",
    ),
    "code": ("Mã tra cứu", "Lookup code"),
    "name": ("Loại", "Kind"),
    "form": ("Mẫu số", "Form"),
    "series": ("Ký hiệu", "Series"),
    "number": ("Số", "Number"),
    "day": ("Ngày lập", "Date"),
    "agency": ("Cơ quan thu", "Collected by"),
    "tax_code": ("Mã số thuế", "Tax code"),
    "payer": ("Người nộp", "Payer"),
    "dossier": ("Mã hồ sơ", "Dossier"),
    "amount": ("Số tiền", "Amount"),
    "log": ("Nhật ký minh bạch", "Transparency log"),
    "leaf": ("Lá, đếm từ 0, trong số", "Leaf, counted from 0, of"),
    "root": ("Gốc của nhật ký", "The log's root"),
    "get_proof": ("Tải bằng chứng", "Download the proof"),
    "proof_hint": both(
        "Bằng chứng cho thấy biên lai có trong nhật ký, không cần tin hệ thống này:"
        " thuphi verify --proof, hoặc công cụ đọc tệp .tlog-proof.",
        "The proof shows that the receipt is in the log without trusting this system:"
        " thuphi verify --proof, or a tool that reads .tlog-proof files.",
    ),
    "hidden": ("Tên và mã hồ sơ được che bớt.", "The name and the dossier are partly hidden."),
    "another": ("Tra cứu biên lai khác", "Check another receipt"),
}


# What on a receipt may be wrong without another one: words, but no amount and no tax code.
CORRECTED: Final[Words] = {
    "payer": ("người nộp", "the payer"),
    "address": ("địa chỉ người nộp", "the payer's address"),
    "dossier": ("mã hồ sơ", "the dossier"),
    "procedure": ("thủ tục", "the procedure"),
    "line": ("tên khoản thu", "the name of a line"),
    "branch": ("điểm thu", "the branch"),
    "agency_name": ("tên cơ quan thu", "the agency's name"),
    "agency_address": ("địa chỉ cơ quan thu", "the agency's address"),
}
