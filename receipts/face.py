"""The face of a receipt: the words and figures that its PDF and its page show alike."""

from typing import Any, Final

import zxingcpp

from gateway.domain.money import figures
from receipts.labels import TITLES
from receipts.log.note import Proof
from receipts.receipt import Receipt
from receipts.rules import rules_named, rules_on

SANDBOX: Final = "THỬ NGHIỆM – không có giá trị"
code_group: Final = 4
shown_of_id: Final = 4
CAUSES: Final = {
    "amount": "sai số tiền",
    "tax_code": "sai mã số thuế",
    "refund": "hoàn trả tiền cho người nộp",
}


def face(receipt: Receipt) -> dict[str, Any]:
    """Give everything that is shown, ready to be set."""
    on = receipt.issued_on
    return {
        "sandbox": SANDBOX if receipt.is_sandbox else "",
        "title": receipt.title,
        "title_en": TITLES[receipt.kind],
        "agency": receipt.agency_name,
        "tax_code": receipt.agency_tax_code,
        "address": receipt.agency_address,
        "branch": receipt.branch_name,
        "form": receipt.form,
        "series": receipt.series,
        "number": rules_named(receipt.rules).shown(receipt.number),
        "day": f"Ngày {on.day:02} tháng {on.month:02} năm {on.year}",
        "replaces": _replaces(receipt),
        "payer": receipt.payer_name or "",
        "dossier": receipt.dossier_id,
        "procedure": receipt.procedure,
        "procedure_name": receipt.procedure_name,
        "reference": receipt.reference,
        "lines": [
            {
                "n": str(n),
                "name": line.name,
                "budget_line": line.budget_line,
                "amount": figures(line.amount),
            }
            for n, line in enumerate(receipt.lines, 1)
        ],
        "total": figures(receipt.amount),
        "in_words": receipt.amount_in_words,
        "code": grouped(receipt.verify_code),
        "verify_url": receipt.verify_url,
    }


def _replaces(receipt: Receipt) -> str:
    if (x := receipt.replaces) is None:
        return ""
    number = rules_on(x.issued_on).shown(x.number)
    return (
        f"Thay thế biên lai mẫu số {x.form}, ký hiệu {x.series}, số {number},"
        f" ngày {x.issued_on:%d/%m/%Y}, do {CAUSES[x.cause]}."
    )


def logged(proof: Proof) -> dict[str, str]:
    """Give what is shown of a proof, which says nothing of people. Leaves are counted from 0."""
    origin, size, root, *_ = proof.note.split("\n")
    return {"origin": origin, "leaf": str(proof.index), "size": size, "root": root}


def grouped(code: str) -> str:
    """Write a lookup code in groups of four, the way people copy it."""
    return "-".join(code[i : i + code_group] for i in range(0, len(code), code_group))


def masked(words: str) -> str:
    """Hide a name but for its initials: enough to compare with a paper, too little to learn it."""
    return " ".join(f"{word[0]}•••" for word in words.split())


def tail(text: str) -> str:
    """Hide an identifier but for its end, when it is long enough to have one."""
    return "•••" + text[-shown_of_id:] if len(text) > 2 * shown_of_id else "•••"


def qr_svg(words: str) -> str:
    """Draw a QR code."""
    code = zxingcpp.create_barcode(words, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    return str(code.to_svg(scale=4))
