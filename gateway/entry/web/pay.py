"""``/pay/{token}``: what is due, how to pay it, and how it stands; it works without JavaScript."""

from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from gateway.domain.calendar import HANOI
from gateway.domain.errors import Refusal
from gateway.domain.money import figures
from gateway.domain.payment import Payment
from gateway.domain.states import State
from gateway.entry.web.page import HERE, language, other, page, send
from gateway.entry.web.reading import PageRoute, is_only_looking
from gateway.services import catalogue
from gateway.services.attempts import Attempts
from gateway.services.bills import Bills
from gateway.services.ways import Offer
from gateway.store import tables as t
from gateway.store.tx import Store
from gateway.store.views import receipt_view
from receipts.words import in_words

_STATIC: Final = {
    "pay_now.css": "text/css", "pay_now.js": "text/javascript",
    "console.css": "text/css", "receipt.css": "text/css", "display.css": "text/css",
}  # fmt: skip
_BACK: Final = "thuphi_back"
back_s_max: Final = 3_600  # A citizen who stays longer at the provider uses the link again.
TEXTS: Final[dict[str, dict[str, str]]] = {
    "vi": {
        "title": "Nộp phí, lệ phí", "other_language": "English", "dossier": "Mã hồ sơ:",
        "what_for": "Khoản phải nộp", "total": "Tổng cộng", "by_transfer": "Chuyển khoản VietQR",
        "scan": "Mở ứng dụng ngân hàng và quét mã này.",
        "on_phone": "Lưu ảnh mã QR rồi mở trong ứng dụng ngân hàng, hoặc chép các dòng dưới đây.",
        "qr_alt": "Mã VietQR để chuyển khoản", "save": "Lưu ảnh mã QR", "bank": "Ngân hàng",
        "account": "Số tài khoản", "beneficiary": "Người thụ hưởng", "amount": "Số tiền",
        "memo": "Nội dung", "other_ways": "Cách nộp khác", "check_again": "Kiểm tra lại",
        "go_back": "Quay lại trang dịch vụ công", "deadline": "Hạn nộp:", "code": "Mã thanh toán:",
        "phi": "phí", "le_phi": "lệ phí", "by": "qua",
        "not_now": "đang gián đoạn; thử lại sau {}. Hãy chọn cách khác.",
        "open": "Chờ nộp", "open_advice": "",
        "partly": "Đã nhận một phần", "partly_advice": "Vui lòng chuyển nốt số tiền còn thiếu.",
        "doubt": "Đang kiểm tra với ngân hàng", "doubt_advice": "Xin đừng nộp lại. Trang này tự"
        " cập nhật ngay khi có kết quả.",
        "paid": "Đã nộp đủ", "paid_advice": "Cảm ơn ông/bà. Không cần làm gì thêm.",
        "expired": "Liên kết đã hết hạn", "expired_advice": "Hãy xin liên kết mới tại hệ thống đã"
        " gửi liên kết này.",
        "cancelled": "Khoản thanh toán đã được huỷ",
        "cancelled_advice": "Không phải nộp khoản này.",
        "waived": "Không phải nộp", "waived_advice": "Thủ tục này không thu tiền.",
        "extra": "Số tiền nộp thừa đang được giữ lại để hoàn trả:",
        "receipts": "Biên lai điện tử", "receipt_phi": "Biên lai thu phí",
        "receipt_le_phi": "Biên lai thu lệ phí", "number": "số", "get_pdf": "Tải {} (PDF)",
        "view": "Xem trên trang web", "original": "Bản gốc đã ký số (XML)",
        "elsewhere": "Biên lai của khoản này do {} phát hành.",
        "get_elsewhere": "Tải biên lai (PDF)",
        "receipt_soon": "Biên lai đang được lập. Trang này tự cập nhật; liên kết này còn dùng được"
        " để lấy biên lai sau.",
    },
    "en": {
        "title": "Pay a public fee", "other_language": "Tiếng Việt", "dossier": "Dossier:",
        "what_for": "What is due", "total": "Total", "by_transfer": "Bank transfer by VietQR",
        "scan": "Open your bank's app and scan this code.",
        "on_phone": "Save the QR image and open it in your bank's app, or copy the lines below.",
        "qr_alt": "VietQR code for the transfer", "save": "Save the QR image", "bank": "Bank",
        "account": "Account number", "beneficiary": "Beneficiary", "amount": "Amount",
        "memo": "Message", "other_ways": "Other ways to pay", "check_again": "Check again",
        "go_back": "Back to the public service", "deadline": "Pay before:",
        "code": "Payment code:", "phi": "fee", "le_phi": "charge", "by": "with",
        "not_now": "does not work now; it is tried again after {}. Choose another way.",
        "open": "Waiting for payment", "open_advice": "",
        "partly": "Part of it has arrived", "partly_advice": "Please transfer what is missing.",
        "doubt": "We are checking with the bank", "doubt_advice": "Please do not pay again. This"
        " page changes by itself as soon as we know.",
        "paid": "Paid in full", "paid_advice": "Thank you. There is nothing more to do.",
        "expired": "This link has expired", "expired_advice": "Ask for a new link where you got"
        " this one.",
        "cancelled": "This payment was withdrawn", "cancelled_advice": "You need not pay it.",
        "waived": "Nothing is due", "waived_advice": "This procedure is free of charge.",
        "extra": "What came beyond is kept to be given back:",
        "receipts": "Electronic receipt", "receipt_phi": "Receipt for a fee",
        "receipt_le_phi": "Receipt for a charge", "number": "no.",
        "get_pdf": "Download the {} (PDF)", "view": "View as a web page",
        "original": "Signed original (XML)",
        "elsewhere": "The receipt of this payment is issued by: {}.",
        "get_elsewhere": "Download the receipt (PDF)",
        "receipt_soon": "The receipt is being made. This page changes by itself; the link keeps"
        " working, so you can come back for it.",
    },
}  # fmt: skip


def _standing(payment: Payment) -> tuple[str, str]:
    """Give the key of the headline, and its tone."""
    if payment.state in (State.PAID, State.SETTLED, State.REFUNDED):
        return "paid", "good"
    if payment.state is State.OPEN:
        if payment.in_doubt:
            return "doubt", "warn"
        return ("partly", "warn") if payment.amount_on_account else ("open", "")
    return str(payment.state), "good" if payment.state is State.WAIVED else "warn"


def _deadline(payment: Payment) -> str:
    """Say until when it can be paid, while it can."""
    if payment.state is not State.OPEN:
        return ""
    return payment.expires_at.astimezone(HANOI).strftime("%H:%M, %d/%m/%Y")


def _lower(title: str) -> str:
    """Let a title stand in the middle of a sentence."""
    return title[0].lower() + title[1:]


def _word(payment: Payment, receipts: int) -> str:
    """Give the word by which an open page sees that something is new, a receipt among it."""
    headline, _ = _standing(payment)
    return f"{headline} {receipts}" if headline == "paid" else headline


@dataclass(frozen=True, slots=True)
class PayPages:
    """The payment page's routes."""

    store: Store
    attempts: Attempts
    bills: Bills

    async def show(self, request: Request, token: str) -> Response:
        """Show how a payment stands; a bank's return is taken note of and cut from the address."""
        lang = language(request)
        payment = await self._payment(token)
        query = request.scope["query_string"].decode("latin-1")
        if query and not query.startswith("lang="):
            if not is_only_looking(request):
                await self.attempts.returned(payment, query)
            return RedirectResponse(f"/pay/{token}?lang={lang}", 303)
        return page("pay_now.html", await self._view(payment, lang))

    async def state(self, token: str) -> str:
        """Say how it stands, in the word that the page was made with."""
        payment = await self._payment(token)
        return _word(payment, len(await self._receipts(payment)))

    async def go(self, request: Request, token: str, provider: str) -> Response:
        """Send the citizen to a provider; the live attempt is used again."""
        payment = await self._payment(token)
        lang = language(request)
        address = request.client.host if request.client else "127.0.0.1"
        if is_only_looking(request):
            return Response(status_code=204, headers={"cache-control": "no-store"})
        try:
            begun = await self.attempts.start(
                payment.agency_id, payment.id, provider, address, lang,
                request.query_params.get("method", ""),
            )  # fmt: skip
        except Refusal:
            return RedirectResponse(f"/pay/{token}?lang={lang}", 303)
        answer = RedirectResponse(begun["redirect_url"] or f"/pay/{token}?lang={lang}", 303)
        answer.set_cookie(
            _BACK, f"{token}.{lang}", max_age=back_s_max, path="/pay/back", httponly=True,
            samesite="lax", secure=self.store.public_url.startswith("https"),
        )  # fmt: skip
        return answer

    async def back(self, request: Request, provider: str) -> Response:
        """Take a citizen back whose provider knows one address for all: the browser knows which.

        That somebody came back is a reason to ask the provider, and proves nothing.
        """
        token, _, lang = request.cookies.get(_BACK, "").partition(".")
        async with self.store.begin() as tx:
            payment = await tx.payment_by_token(token)
        if payment is None:
            return RedirectResponse("/", 303)
        await self.attempts.came_back(payment, provider)
        return RedirectResponse(f"/pay/{token}?lang={'en' if lang == 'en' else 'vi'}", 303)

    async def bill(self, token: str) -> Response:
        """Hand over the receipt that a provider's platform issued."""
        bill = await self.bills.fetch(await self._payment(token))
        name = {"content-disposition": 'inline; filename="bien-lai.pdf"'}
        return send(bill.pdf, "application/pdf", more=name)

    async def qr(self, token: str) -> Response:
        """Draw the VietQR of what is still due."""
        import zxingcpp

        payment = await self._payment(token)
        transfer = await self.attempts.transfer(payment)
        if payment.state is not State.OPEN or transfer is None or not transfer.qr_text:
            raise Refusal("not-found", "No transfer is offered for this payment.")
        code = zxingcpp.create_barcode(transfer.qr_text, zxingcpp.BarcodeFormat.QRCode)
        return send(code.to_svg(scale=8), "image/svg+xml")

    async def _payment(self, token: str) -> Payment:
        async with self.store.begin() as tx:
            payment = await tx.payment_by_token(token)
        if payment is None:
            raise Refusal("not-found", "There is no such payment link.")
        return payment

    async def _receipts(self, payment: Payment) -> list[dict[str, Any]]:
        async with self.store.begin() as tx:
            rows = await tx.receipts(payment.agency_id, [payment.id])
        return [receipt_view(row, "") for row in rows]

    async def _elsewhere(self, payment: Payment, lang: str) -> str:
        """Say who issues the receipt, when it is not us."""
        attempt = await self.bills.paid_by(payment)
        if attempt is None:
            return ""
        provider = self.attempts.providers.get((attempt["provider"], attempt["account"]))
        title = attempt["provider"]
        if provider:
            title = provider.can.title_en if lang == "en" else provider.can.title_vi
        return TEXTS[lang]["elsewhere"].format(title)

    async def _view(self, payment: Payment, lang: str) -> dict[str, Any]:
        said = TEXTS[lang]
        async with self.store.begin() as tx:
            agency = await tx.row(select(t.agency).where(t.agency.c.id == payment.agency_id))
        name_vi, name_en = catalogue.name_of(payment.agency_id, payment.procedure)
        headline, tone = _standing(payment)
        advice = said[f"{headline}_advice"]
        if headline == "paid" and payment.amount_suspended:
            advice = f"{said['extra']} {figures(payment.amount_suspended)} đ"
        now = self.store.clock.now()
        payable = headline in ("open", "partly") and payment.expires_at > now
        offers = await self.attempts.ways.offered(payment) if payable else []
        transfer = await self.attempts.transfer(payment) if payable else None
        due = payment.amount - payment.amount_on_account
        receipts = await self._receipts(payment)
        kinds = {x.kind for x in payment.lines if x.amount}
        elsewhere = await self._elsewhere(payment, lang) if headline == "paid" else ""
        receipt_soon = headline == "paid" and len(receipts) < len(kinds) and not elsewhere
        return {
            "lang": lang, "other_lang": other(lang), "t": said,
            "agency": agency["name"] if agency else "", "dossier": payment.dossier_id,
            "procedure": name_en if lang == "en" else name_vi,
            "headline": said[headline], "tone": tone, "advice": advice,
            "lines": [
                {"name": x.name, "kind": said[x.kind], "amount": f"{figures(x.amount)} đ"}
                for x in payment.lines
            ],
            "total": f"{figures(payment.amount)} đ", "in_words": in_words(payment.amount),
            "qr": transfer.beneficiary if transfer else None, "qr_amount": f"{figures(due)}",
            "memo": f"TP{payment.reference}", "here": f"/pay/{payment.token}",
            "methods": [
                self._offer(payment, offer, lang) for offer in offers
                if offer.provider.can.redirects
            ],
            "receipts": [
                {"title": said[f"receipt_{x['kind']}"], "series": x["series"],
                 "number": x["number"], "amount": f"{figures(x['amount'])}\u00a0đ",
                 "download": said["get_pdf"].format(_lower(said[f"receipt_{x['kind']}"])),
                 **x["links"]}
                for x in receipts
            ],
            "receipt_soon": receipt_soon, "elsewhere": elsewhere,
            "check_again": payment.state is State.OPEN or receipt_soon,
            "state": _word(payment, len(receipts)),
            "back": payment.return_url, "reference": payment.reference,
            "deadline": _deadline(payment),
        }  # fmt: skip

    def _offer(self, payment: Payment, offer: Offer, lang: str) -> dict[str, Any]:
        """Show one way to pay; one that does not work says why, and when it is tried again."""
        n, provider = lang == "en", offer.provider
        titles = provider.can.title_vi, provider.can.title_en
        retry = offer.health.retry_at
        hour = retry.astimezone(HANOI).strftime("%H:%M") if retry else ""
        return {
            "name": provider.name, "title": titles[n], "is_open": offer.is_open,
            "why": TEXTS[lang]["not_now"].format(hour) if hour else "",
            "methods": [
                {"code": m.code, "title": (m.title_vi, m.title_en)[n]}
                for m in self.attempts.ways.methods(payment, provider)
            ],
        }  # fmt: skip


def routes(pages: PayPages) -> APIRouter:
    """Give the routes."""
    door = APIRouter(include_in_schema=False, route_class=PageRoute)

    @door.get("/pay/{token}")
    async def show(request: Request, token: str) -> Response:
        return await pages.show(request, token)

    @door.get("/pay/{token}/status")
    async def status(token: str) -> dict[str, str]:
        return {"state": await pages.state(token)}

    @door.get("/pay/{token}/qr.svg")
    async def qr(token: str) -> Response:
        return await pages.qr(token)

    @door.get("/pay/{token}/bill")
    async def bill(token: str) -> Response:
        return await pages.bill(token)

    @door.get("/pay/back/{provider}")
    async def back(request: Request, provider: str) -> Response:
        return await pages.back(request, provider)

    @door.get("/pay/{token}/{provider}")
    async def go(request: Request, token: str, provider: str) -> Response:
        return await pages.go(request, token, provider)

    @door.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in _STATIC:
            raise Refusal("not-found", "There is no such file.")
        text = (HERE / "static" / name).read_text("utf-8")
        return Response(text, 200, {"cache-control": "public, max-age=300"}, _STATIC[name])

    return door
