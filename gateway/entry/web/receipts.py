"""``/receipts/{token}.xml|.pdf|.html`` and ``/verify/{code}``: the proof, and its check."""

import logging
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from gateway.domain.errors import Refusal
from gateway.domain.ids import ALPHABET
from gateway.entry.web.front import FORM
from gateway.entry.web.page import language, other, page, send, wants_page
from gateway.entry.web.problems import problem
from gateway.entry.web.reading import PageRoute
from receipts.face import face, masked, qr_svg, tail
from receipts.service import Kept, Receipts
from receipts.verify import Verdict, verify
from receipts.xml import read_sealed

retry_after_s: Final = 2  # The worker draws every second.
code_letters: Final = 16
code_typed_max: Final = 40  # What the form takes: a code with spaces or dashes in it.
_TYPED: Final = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})
log: Final = logging.getLogger("thuphi.web")
TEXTS: Final[dict[str, dict[str, str]]] = {
    "vi": {
        "title": "Tra cứu biên lai", "other_language": "English",
        "valid": "Biên lai hợp lệ",
        "valid_advice": "Hãy so các dòng dưới đây với biên lai trên tay.",
        "test": "Biên lai thử nghiệm hợp lệ",
        "test_advice": "Chữ ký đúng, nhưng biên lai thử nghiệm không có giá trị thanh toán hay kế"
        " toán.",
        "unknown": "Không có biên lai với mã này",
        "unknown_advice": "Hãy kiểm tra lại từng ký tự của mã tra cứu. Nếu mã đúng như trên biên"
        " lai thì biên lai đó không phải do hệ thống này lập.",
        "broken": "Bản lưu không còn nguyên vẹn",
        "broken_advice": "Đừng dựa vào trang này. Hãy kiểm tra tệp XML của biên lai, hoặc hỏi cơ"
        " quan thu.",
        "code": "Mã tra cứu", "name": "Loại", "form": "Mẫu số", "series": "Ký hiệu",
        "number": "Số", "day": "Ngày lập", "agency": "Cơ quan thu", "tax_code": "Mã số thuế",
        "payer": "Người nộp", "dossier": "Mã hồ sơ", "amount": "Số tiền",
        "hidden": "Tên và mã hồ sơ được che bớt.",
    },
    "en": {
        "title": "Check a receipt", "other_language": "Tiếng Việt",
        "valid": "The receipt is valid",
        "valid_advice": "Compare the lines below with the receipt in your hand.",
        "test": "The test receipt is valid",
        "test_advice": "The signature holds, but a test receipt has no value for payment or"
        " accounting.",
        "unknown": "There is no receipt with this code",
        "unknown_advice": "Check every character of the code. If it is as printed on the receipt,"
        " that receipt was not issued by this system.",
        "broken": "The stored copy is damaged",
        "broken_advice": "Do not rely on this page. Check the receipt's XML file, or ask the"
        " agency.",
        "code": "Lookup code", "name": "Kind", "form": "Form", "series": "Series",
        "number": "Number", "day": "Date", "agency": "Collected by", "tax_code": "Tax code",
        "payer": "Payer", "dossier": "Dossier", "amount": "Amount",
        "hidden": "The name and the dossier are partly hidden.",
    },
}  # fmt: skip


def _filename(shown: dict[str, Any], ending: str) -> dict[str, str]:
    name = f"bien-lai-{shown['series']}-{shown['number']}.{ending}"
    return {"content-disposition": f'inline; filename="{name}"'}


def read_code(typed: str) -> str:
    """Read a code as people type it: any case, with spaces or dashes, I and L for 1, O for 0."""
    return typed.strip().upper().translate(_TYPED)


@dataclass(frozen=True, slots=True)
class ReceiptPages:
    """The doors to a receipt."""

    receipts: Receipts

    async def xml(self, token: str) -> Response:
        """Give the original, byte for byte."""
        kept = await self._kept(token)
        shown = face(read_sealed(kept.xml))
        return send(kept.xml, "application/xml", more=_filename(shown, "xml"))

    async def pdf(self, request: Request, token: str) -> Response:
        """Give the drawn copy, or say when to come back while the worker draws it."""
        kept = await self._kept(token)
        if kept.pdf is None:
            if wants_page(request):
                shown = {"lang": "vi", "token": token, "seconds": retry_after_s}
                return page("receipt_wait.html", shown, 503, {"retry-after": str(retry_after_s)})
            answer = problem(Refusal("unavailable", "The PDF is being drawn; come back soon."))
            answer.headers["retry-after"] = str(retry_after_s)
            return answer
        shown = face(read_sealed(kept.xml))
        return send(kept.pdf, "application/pdf", more=_filename(shown, "pdf"))

    async def html(self, token: str) -> Response:
        """Show it as a page."""
        kept = await self._kept(token)
        shown = face(read_sealed(kept.xml))
        return page("receipt.html", {"lang": "vi", "r": shown, "here": f"/receipts/{token}"})

    async def qr(self, token: str) -> Response:
        """Draw the QR code to its check."""
        kept = await self._kept(token)
        return send(qr_svg(read_sealed(kept.xml).verify_url), "image/svg+xml")

    async def check(self, request: Request, code: str) -> Response:
        """Say whether a receipt with this code was issued, and what to compare."""
        lang = language(request)
        typed = read_code(code)
        is_code = len(typed) == code_letters and set(typed) <= set(ALPHABET)
        kept = await self.receipts.by_code(typed) if is_code else None
        said = {
            "lang": lang, "other_lang": other(lang), "t": TEXTS[lang] | FORM[lang],
            "rows": [], "sandbox": "", "typed": code,
        }  # fmt: skip
        if kept is None:
            return page("verify.html", said | {"headline": "unknown"}, 404)
        trusted = await self.receipts.trusted(kept.agency_id)
        found = verify(kept.xml, trusted)
        if found.verdict is not Verdict.VALID or found.receipt is None:
            log.error("a stored receipt does not hold any more")
            return page("verify.html", said | {"headline": "broken"})
        shown = face(found.receipt)
        headline = "test" if shown["sandbox"] else "valid"
        rows = _rows(shown, TEXTS[lang])
        return page(
            "verify.html", said | {"headline": headline, "rows": rows, "sandbox": shown["sandbox"]}
        )

    async def _kept(self, token: str) -> Kept:
        kept = await self.receipts.by_token(token) if set(token) <= set(ALPHABET) else None
        if kept is None:
            raise Refusal("not-found", "There is no such receipt link.")
        return kept


def _rows(shown: dict[str, Any], said: dict[str, str]) -> list[tuple[str, str]]:
    """Give what a checker compares, and no more of a person than the paper lets one recognise."""
    rows = [
        (said["name"], shown["title"]), (said["form"], shown["form"]),
        (said["series"], shown["series"]), (said["number"], shown["number"]),
        (said["day"], shown["day"]), (said["agency"], shown["agency"]),
        (said["tax_code"], shown["tax_code"]),
        (said["amount"], f"{shown['total']} đ ({shown['in_words']})"),
        (said["dossier"], tail(shown["dossier"])),
    ]  # fmt: skip
    if shown["payer"]:
        rows.append((said["payer"], masked(shown["payer"])))
    return [*rows, (said["code"], shown["code"])]


def routes(pages: ReceiptPages) -> APIRouter:
    """Give the routes."""
    door = APIRouter(include_in_schema=False, route_class=PageRoute)

    @door.get("/receipts/{token}.xml")
    async def xml(token: str) -> Response:
        return await pages.xml(token)

    @door.get("/receipts/{token}.pdf")
    async def pdf(request: Request, token: str) -> Response:
        return await pages.pdf(request, token)

    @door.get("/receipts/{token}.html")
    async def html(token: str) -> Response:
        return await pages.html(token)

    @door.get("/receipts/{token}.svg")
    async def qr(token: str) -> Response:
        return await pages.qr(token)

    @door.get("/verify")
    async def typed(request: Request) -> Response:
        code = read_code(request.query_params.get("code", ""))[:code_typed_max]
        lang = language(request)
        return RedirectResponse(f"/verify/{quote(code, safe='')}?lang={lang}" if code else "/", 303)

    @door.get("/verify/{code}")
    async def check(request: Request, code: str) -> Response:
        return await pages.check(request, code)

    return door
