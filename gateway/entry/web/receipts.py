"""``/receipts/{token}.xml|.pdf|.html`` and ``/verify/{code}``: the proof, and its check."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.domain.errors import Refusal
from gateway.domain.ids import ALPHABET
from gateway.entry.web.problems import problem
from receipts.face import face, masked, qr_svg, tail
from receipts.service import Kept, Receipts
from receipts.verify import Verdict, verify
from receipts.xml import read_sealed

HERE: Final = Path(__file__).parent
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'none'"
)
retry_after_s: Final = 2  # The worker draws every second.
code_letters: Final = 16
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


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )


def _send(
    body: bytes | str, media_type: str, status: int = 200, more: Mapping[str, str] | None = None
) -> Response:
    """Send what only the holder of a link may see: no cache, no frame, no trace in a referrer."""
    headers = {
        "content-security-policy": POLICY, "cache-control": "no-store",
        "referrer-policy": "no-referrer", "x-robots-tag": "noindex", **(more or {}),
    }  # fmt: skip
    return Response(body, status, headers, media_type)


def _page(template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - for Jinja2.
    body = _templates().get_template(template).render(values)
    more = {"retry-after": str(retry_after_s)} if status == 503 else {}  # noqa: PLR2004 - its name.
    return _send(body, "text/html; charset=utf-8", status, more)


def _filename(shown: dict[str, Any], ending: str) -> dict[str, str]:
    name = f"bien-lai-{shown['series']}-{shown['number']}.{ending}"
    return {"content-disposition": f'inline; filename="{name}"'}


@dataclass(frozen=True, slots=True)
class ReceiptPages:
    """The doors to a receipt."""

    receipts: Receipts

    async def xml(self, token: str) -> Response:
        """Give the original, byte for byte."""
        kept = await self._kept(token)
        shown = face(read_sealed(kept.xml))
        return _send(kept.xml, "application/xml", more=_filename(shown, "xml"))

    async def pdf(self, request: Request, token: str) -> Response:
        """Give the drawn copy, or say when to come back while the worker draws it."""
        kept = await self._kept(token)
        if kept.pdf is None:
            if "text/html" in request.headers.get("accept", ""):
                return _page("receipt_wait.html", 503, token=token, seconds=retry_after_s)
            answer = problem(Refusal("unavailable", "The PDF is being drawn; come back soon."))
            answer.headers["retry-after"] = str(retry_after_s)
            return answer
        shown = face(read_sealed(kept.xml))
        return _send(kept.pdf, "application/pdf", more=_filename(shown, "pdf"))

    async def html(self, token: str) -> Response:
        """Show it as a page."""
        kept = await self._kept(token)
        shown = face(read_sealed(kept.xml))
        return _page("receipt.html", r=shown, here=f"/receipts/{token}")

    async def qr(self, token: str) -> Response:
        """Draw the QR code to its check."""
        kept = await self._kept(token)
        return _send(qr_svg(read_sealed(kept.xml).verify_url), "image/svg+xml")

    async def check(self, request: Request, code: str) -> Response:
        """Say whether a receipt with this code was issued, and what to compare."""
        lang = "en" if request.query_params.get("lang") == "en" else "vi"
        typed = code.upper().translate(_TYPED)
        is_code = len(typed) == code_letters and set(typed) <= set(ALPHABET)
        kept = await self.receipts.by_code(typed) if is_code else None
        said = {"lang": lang, "other_lang": "vi" if lang == "en" else "en", "t": TEXTS[lang]}
        if kept is None:
            return _page("verify.html", 404, headline="unknown", rows=[], sandbox="", **said)
        trusted = await self.receipts.trusted(kept.agency_id)
        found = verify(kept.xml, trusted)
        if found.verdict is not Verdict.VALID or found.receipt is None:
            log.error("a stored receipt does not hold any more")
            return _page("verify.html", 200, headline="broken", rows=[], sandbox="", **said)
        shown = face(found.receipt)
        headline = "test" if shown["sandbox"] else "valid"
        rows = _rows(shown, TEXTS[lang])
        return _page(
            "verify.html", 200, headline=headline, rows=rows, sandbox=shown["sandbox"], **said
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
    door = APIRouter(include_in_schema=False)

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

    @door.get("/verify/{code}")
    async def check(request: Request, code: str) -> Response:
        return await pages.check(request, code)

    return door
