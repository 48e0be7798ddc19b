"""The banks' pages: plain HTML in Vietnamese and English, no script, nothing inline."""

from functools import cache
from importlib import resources
from typing import Final
from urllib.parse import urlsplit

from jinja2 import Environment, FunctionLoader
from starlette.responses import HTMLResponse, Response

from adapters.simulator.faults import ENDINGS, Fault, FaultScript
from adapters.simulator.journal import JournalEntry
from adapters.simulator.orders import Choice, PayOrder
from gateway.domain.money import figures

_CHOICES: Final = (
    (Choice.PAY, "Thanh toán", "Pay"),
    (Choice.DECLINE, "Thẻ bị từ chối", "Card declined"),
    (Choice.CANCEL, "Huỷ", "Cancel"),
    (Choice.PAY_LESS, "Trả thiếu", "Pay less"),
    (Choice.PAY_MORE, "Trả thừa", "Pay more"),
    (Choice.PAY_TWICE, "Trả hai lần", "Pay twice"),
    (Choice.PAY_LATE, "Trả sau khi hết hạn", "Pay after it expired"),
    (Choice.LEAVE, "Bỏ đi", "Walk away"),
)


def _read(name: str) -> str:
    return resources.files(__package__ or "").joinpath(name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    made = Environment(loader=FunctionLoader(_read), autoescape=True)
    made.filters["figures"] = figures
    return made


def _page(
    title: tuple[str, str], status: int = 200, form_to: str = "", **values: object
) -> Response:
    html = _environment().get_template("page.html").render(vi=title[0], en=title[1], **values)
    # A form that ends in a redirect to us must be allowed to, or the browser stays silent.
    policy = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {form_to}"
    )
    headers = {"content-security-policy": policy.strip(), "cache-control": "no-store"}
    return HTMLResponse(html, status, headers)


def order(side: str, title: str, order: PayOrder) -> Response:
    """Show an order at a provider, and what a citizen can do with it."""
    parts = urlsplit(order.return_url)
    return _page(
        (f"{title} mô phỏng", f"Simulated {title}"),
        form_to=f"{parts.scheme}://{parts.netloc}",
        side=side,
        order=order,
        choices=_CHOICES,
        faults=list(Fault),
    )


def bank(account: str, faults: FaultScript) -> Response:
    """Show the transfer form, and which amounts name a fault."""
    endings = ENDINGS if faults.by_amount else {}
    title = ("Ngân hàng mô phỏng", "Simulated bank")
    return _page(title, account=account, endings=endings)


def transferred(entry: JournalEntry) -> Response:
    """Confirm a transfer."""
    return _page(("Đã chuyển tiền", "Transferred"), entry=entry)


def left() -> Response:
    """Say goodbye to a citizen who walked away."""
    return _page(
        ("Bạn đã bỏ đi", "You walked away"),
        vi_text="Không có tiền nào được chuyển.",
        en_text="No money has moved.",
    )


def broken() -> Response:
    """Fail after the money was taken, as a bank's page sometimes does."""
    return _page(
        ("Trang của ngân hàng bị lỗi", "The bank's page failed"),
        500,
        vi_text="Có thể tiền đã bị trừ. Đừng thanh toán lại.",
        en_text="The money may have been taken. Do not pay again.",
    )


def refused(why: str) -> Response:
    """Refuse a request that the bank cannot take."""
    return _page(("Yêu cầu bị từ chối", "Request refused"), 400, vi_text="Mã lỗi:", en_text=why)


def stylesheet() -> Response:
    """Give the stylesheet."""
    return Response(_read("page.css"), media_type="text/css")
