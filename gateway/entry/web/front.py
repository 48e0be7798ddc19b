"""``/``, and what a person sees where a program gets a problem document: what to do next."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.errors import Refusal
from gateway.entry.web.page import language, other, page, wants_page
from gateway.entry.web.problems import STATUS, problem
from gateway.entry.web.reading import PageRoute

_PROGRAMS: Final = ("/v1/", "/notices/", "/metrics", "/healthz", "/readyz", "/openapi.json")
FORM: Final[dict[str, dict[str, str]]] = {
    "vi": {
        "code_asked": "Mã tra cứu trên biên lai",
        "code_hint": "16 chữ và số, cạnh mã QR của biên lai.",
        "look_up": "Tra cứu",
    },
    "en": {
        "code_asked": "Lookup code on the receipt",
        "code_hint": "16 letters and digits, beside the receipt's QR code.",
        "look_up": "Look it up",
    },
}
TEXTS: Final[dict[str, dict[str, str]]] = {
    "vi": {
        "title": "Nộp phí, lệ phí", "other_language": "English",
        "how": "Nộp tiền bằng liên kết đã được gửi",
        "how_advice": "Hãy mở liên kết trong tin nhắn hoặc trên trang dịch vụ công nơi đã nộp hồ"
        " sơ, hoặc quét mã QR trên giấy hẹn. Không cần tài khoản, không cần cài đặt.",
        "check": "Tra cứu biên lai", "staff": "Dành cho cán bộ", "builders": "API",
        "home": "Về trang đầu", "again": "Thử lại",
        "pay": "Không tìm thấy khoản thanh toán này",
        "pay_advice": "Liên kết bị thiếu hoặc sai ký tự. Hãy mở lại liên kết đã nhận, đừng gõ tay;"
        " nếu vẫn không được, xin liên kết mới tại nơi đã nộp hồ sơ. Chưa có khoản tiền nào bị"
        " trừ ở trang này.",
        "receipts": "Không tìm thấy biên lai này",
        "receipts_advice": "Liên kết bị thiếu hoặc sai ký tự. Hãy mở lại liên kết đã nhận, hoặc"
        " tra cứu bằng mã trên biên lai ở trang đầu.",
        "nothing": "Không có trang này",
        "nothing_advice": "Hãy kiểm tra lại địa chỉ, hoặc bắt đầu từ trang đầu.",
        "busy": "Hệ thống đang bận",
        "busy_advice": "Tiền đã nộp vẫn được ghi nhận đầy đủ, đừng nộp lại. Hãy thử lại sau ít"
        " phút.",
    },
    "en": {
        "title": "Pay a public fee", "other_language": "Tiếng Việt",
        "how": "Pay with the link that you were sent",
        "how_advice": "Open the link in the message or on the public service where you handed in"
        " the dossier, or scan the QR code on the slip. No account, nothing to install.",
        "check": "Check a receipt", "staff": "For staff", "builders": "API",
        "home": "To the first page", "again": "Try again",
        "pay": "There is no such payment link",
        "pay_advice": "The link is cut short or has a wrong character. Open it again where you got"
        " it instead of typing; if that fails, ask for a new one where you handed in the dossier."
        " This page took no money.",
        "receipts": "There is no such receipt",
        "receipts_advice": "The link is cut short or has a wrong character. Open it again where"
        " you got it, or look the receipt up by its code on the first page.",
        "nothing": "There is no such page",
        "nothing_advice": "Check the address, or begin at the first page.",
        "busy": "The system is busy",
        "busy_advice": "Money that was paid is kept safely: do not pay again. Try again in a few"
        " minutes.",
    },
}  # fmt: skip


def refused(request: Request, refusal: Refusal) -> Response:
    """Answer a refusal: a page for a person, a problem document for a program."""
    path, status = request.scope["path"], STATUS[refusal.code]
    if path.startswith(_PROGRAMS) or not wants_page(request):
        return problem(refusal)
    lang = language(request)
    said = TEXTS[lang]
    key = "busy" if refusal.code != "not-found" else path.split("/")[1]
    if key not in ("busy", "pay", "receipts"):
        key = "nothing"
    shown = {
        "lang": lang, "other_lang": other(lang), "t": said, "headline": said[key],
        "advice": said[f"{key}_advice"], "again": path if key == "busy" else "",
    }  # fmt: skip
    return page("lost.html", shown, status)


def routes() -> APIRouter:
    """Give the routes."""
    door = APIRouter(include_in_schema=False, route_class=PageRoute)

    @door.get("/")
    async def home(request: Request) -> Response:
        lang = language(request)
        said = TEXTS[lang] | FORM[lang]
        return page("home.html", {"lang": lang, "other_lang": other(lang), "t": said})

    return door
