"""``/console``: who may come in, and what each address shows.

The session is a row that can be revoked; each POST carries the session's CSRF token and must come
from our own pages.
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from gateway.domain.errors import Refusal
from gateway.entry.web.console import Console
from gateway.entry.web.console_accounts import AccountPages
from gateway.entry.web.console_authority import AuthorityPages
from gateway.entry.web.console_cases import CasePages
from gateway.entry.web.console_corrections import CorrectionPages
from gateway.entry.web.console_counter import CounterPages
from gateway.entry.web.console_page import render
from gateway.entry.web.console_privacy import PrivacyPages
from gateway.entry.web.console_receipts import ReceiptCopies
from gateway.entry.web.console_refunds import RefundPages
from gateway.entry.web.console_remittances import RemittancePages
from gateway.entry.web.reading import PageRoute
from gateway.services.access import Officer
from reconciliation.readers.line import file_bytes_max

form_bytes_max: Final = 4_096  # A user name and a password.
upload_bytes_max: Final = file_bytes_max + 65_536  # A file, and the form around it.
Page = Callable[..., Awaitable[Response]]


def routes(
    console: Console,
    refunds: RefundPages,
    counter: CounterPages,
    receipts: ReceiptCopies,
    accounts: AccountPages,
    corrections: CorrectionPages,
    authority: AuthorityPages,
    privacy: PrivacyPages,
    remittances: RemittancePages,
    cases: CasePages,
) -> APIRouter:
    """Give the routes: whoever is not signed in is sent to the form."""
    door = APIRouter(prefix="/console", include_in_schema=False, route_class=PageRoute)

    @door.get("/login")
    async def sign_in_page(request: Request) -> Response:
        return await console.sign_in_page(request)

    @door.post("/login")
    async def sign_in(request: Request) -> Response:
        if _is_foreign(request, console.public_url) or not _is_bounded(request, form_bytes_max):
            return render("refused", console.look(request, None), {"code": "csrf"}, 403)
        return await console.sign_in(request)

    reads: tuple[tuple[str, Page], ...] = (
        ("", console.today), ("/payments", console.payments), ("/payments/{id}", console.payment),
        ("/breaks", cases.list), ("/breaks.{ending}", cases.export), ("/breaks/{id}", cases.one),
        ("/case-files/{id}", cases.file), ("/days/{on}/matches.{ending}", cases.matches),
        ("/receipts", corrections.list), ("/receipts/{id}.{ending}", receipts.copy),
        ("/receipts/{id}", corrections.one), ("/papers/{id}.pdf", receipts.paper),
        ("/authority", authority.standing),
        ("/authority/{id}", authority.message), ("/usage", authority.usage),
        ("/payments/{id}/bill", receipts.bill), ("/trial-balance", console.balance),
        ("/trial-balance.{ending}", console.balance_file),
        ("/days", console.days), ("/runs/{id}", console.run), ("/refunds", refunds.list),
        ("/refunds/{id}", refunds.one), ("/counter", counter.counter),
        ("/counter/{id}", counter.payment), ("/shifts", counter.shifts),
        ("/providers", accounts.list), ("/providers/new", accounts.new),
        ("/providers/{provider}/{name}", accounts.one),
        ("/payments/{id}/privacy", privacy.one), ("/erasures", privacy.waiting),
        ("/remittances", remittances.all), ("/remittances/{id}", remittances.one),
    )  # fmt: skip
    writes: tuple[tuple[str, Page], ...] = (
        ("/payments/{id}/payer", console.reveal), ("/files", console.upload),
        ("/logout", console.sign_out), ("/payments/{id}/refunds", refunds.ask),
        ("/breaks/{id}/refund", refunds.ask_for_case), ("/breaks/{id}/memos", cases.memos),
        ("/breaks/propose", cases.propose_many), ("/breaks/{id}/propose", cases.propose),
        ("/breaks/{id}/act", cases.act), ("/breaks/{id}/files", cases.attach),
        ("/proposals/{id}", cases.decide),
        ("/refunds/{id}/decide", refunds.decide),
        ("/refunds/{id}/prove", refunds.prove), ("/refunds/{id}/payee", refunds.name_payee),
        ("/refunds/{id}/payee-seen", refunds.payee), ("/counter/shift", counter.open_shift),
        ("/counter/display", counter.pair), ("/counter/next", counter.next),
        ("/counter/{id}/take", counter.take), ("/shifts/{id}/count", counter.count),
        ("/shifts/{id}/sign", counter.sign), ("/differences/{id}", counter.settle),
        ("/receipts/{id}/corrections", corrections.ask),
        ("/receipts/{id}/papers", receipts.convert), ("/receipts/{id}/mail", receipts.mail),
        ("/authority/{id}/retry", authority.retry), ("/outages/{id}/told", authority.told),
        ("/corrections/{id}", corrections.decide), ("/corrections/{id}/texts", corrections.texts),
        ("/providers", accounts.add), ("/providers/{provider}/{name}/rotate", accounts.rotate),
        ("/providers/{provider}/{name}/close", accounts.close),
        ("/providers/{provider}/{name}/test", accounts.try_it),
        ("/payments/{id}/privacy", privacy.ask), ("/erasures/{id}", privacy.decide),
        ("/remittances", remittances.prepare), ("/remittances/{id}", remittances.decide),
    )  # fmt: skip
    for path, page in reads:
        door.add_api_route(path, _guarded(console, page, is_post=False), methods=["GET"])
    for path, page in writes:
        door.add_api_route(path, _guarded(console, page, is_post=True), methods=["POST"])
    return door


def _guarded(
    console: Console, page: Page, *, is_post: bool
) -> Callable[[Request], Awaitable[Response]]:
    """Let only staff in, and into a POST only from our own page; a refusal is a page too."""

    async def guarded(request: Request) -> Response:
        officer = await console.officer(request)
        if officer is None:
            return RedirectResponse("/console/login", 303)
        look = console.look(request, officer)
        try:
            if is_post and not await _allowed(request, officer, console.public_url):
                return render("refused", look, {"code": "csrf"}, 403)
            return await page(request, officer, *request.path_params.values())
        except Refusal as refusal:
            status = {"not-found": 404, "forbidden": 403}.get(refusal.code, 400)
            said = {"code": refusal.code, "detail": refusal.detail}
            return render("refused", look, said, status)
        finally:
            await request.close()  # A file that came with the form.

    return guarded


async def _allowed(request: Request, officer: Officer, public_url: str) -> bool:
    """Tell whether a POST comes from our own page, with this session's token."""
    if _is_foreign(request, public_url) or not _is_bounded(request, upload_bytes_max):
        return False
    form = await request.form()
    return hmac.compare_digest(str(form.get("csrf", "")).encode(), officer.csrf.encode())


def _is_foreign(request: Request, public_url: str) -> bool:
    """Tell whether a browser says that another site sent this."""
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "same-origin")
    return (origin is not None and origin != public_url) or site not in ("same-origin", "none")


def _is_bounded(request: Request, limit: int) -> bool:
    """Tell whether a form says its length, and it is one that we take."""
    length = request.headers.get("content-length", "")
    return length.isascii() and length.isdigit() and int(length) <= limit
