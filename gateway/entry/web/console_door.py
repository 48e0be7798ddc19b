"""``/console``: who may come in, and what each address shows.

The session is a row that can be revoked; each POST carries the session's CSRF token and must come
from our own pages.
"""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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
from gateway.entry.web.console_days import DayPages
from gateway.entry.web.console_page import render
from gateway.entry.web.console_privacy import PrivacyPages
from gateway.entry.web.console_receipts import ReceiptCopies
from gateway.entry.web.console_refunds import RefundPages
from gateway.entry.web.console_remittances import RemittancePages
from gateway.entry.web.console_statements import StatementPages
from gateway.entry.web.reading import PageRoute
from gateway.services.access import Officer
from reconciliation.readers.line import file_bytes_max

form_bytes_max: Final = 4_096  # A user name and a password.
upload_bytes_max: Final = file_bytes_max + 65_536  # A file, and the form around it.
Page = Callable[..., Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Pages:
    """All that the console can show."""

    console: Console
    refunds: RefundPages
    counter: CounterPages
    receipts: ReceiptCopies
    accounts: AccountPages
    corrections: CorrectionPages
    authority: AuthorityPages
    privacy: PrivacyPages
    remittances: RemittancePages
    cases: CasePages
    days: DayPages
    statements: StatementPages

    def reads(self) -> tuple[tuple[str, Page], ...]:
        """Name the pages that only show."""
        return (
            ("", self.console.today), ("/payments", self.console.payments),
            ("/payments/{id}", self.console.payment), ("/breaks", self.cases.list),
            ("/breaks.{ending}", self.cases.export), ("/breaks/{id}", self.cases.one),
            ("/case-files/{id}", self.cases.file),
            ("/days/{on}/matches.{ending}", self.cases.matches),
            ("/receipts", self.corrections.list), ("/receipts/{id}.{ending}", self.receipts.copy),
            ("/receipts/{id}", self.corrections.one), ("/papers/{id}.pdf", self.receipts.paper),
            ("/authority", self.authority.standing), ("/authority/{id}", self.authority.message),
            ("/usage", self.authority.usage), ("/payments/{id}/bill", self.receipts.bill),
            ("/statements", self.statements.all),
            ("/statements.{ending}", self.statements.file),
            ("/trial-balance", self.console.balance),
            ("/trial-balance.{ending}", self.console.balance_file), ("/days", self.console.days),
            ("/days/{on}", self.days.one), ("/runs/{id}", self.console.run),
            ("/refunds", self.refunds.list), ("/refunds/{id}", self.refunds.one),
            ("/counter", self.counter.counter), ("/counter/{id}", self.counter.payment),
            ("/shifts", self.counter.shifts), ("/providers", self.accounts.list),
            ("/providers/new", self.accounts.new),
            ("/providers/{provider}/{name}", self.accounts.one),
            ("/payments/{id}/privacy", self.privacy.one), ("/erasures", self.privacy.waiting),
            ("/remittances", self.remittances.all), ("/remittances/{id}", self.remittances.one),
        )  # fmt: skip

    def writes(self) -> tuple[tuple[str, Page], ...]:
        """Name those that change something."""
        return (
            ("/payments/{id}/payer", self.console.reveal), ("/files", self.console.upload),
            ("/logout", self.console.sign_out), ("/payments/{id}/refunds", self.refunds.ask),
            ("/breaks/{id}/refund", self.refunds.ask_for_case),
            ("/breaks/{id}/memos", self.cases.memos), ("/breaks/propose", self.cases.propose_many),
            ("/breaks/{id}/propose", self.cases.propose), ("/breaks/{id}/act", self.cases.act),
            ("/breaks/{id}/files", self.cases.attach), ("/proposals/{id}", self.cases.decide),
            ("/days/{on}", self.days.sign), ("/refunds/{id}/decide", self.refunds.decide),
            ("/refunds/{id}/prove", self.refunds.prove),
            ("/refunds/{id}/payee", self.refunds.name_payee),
            ("/refunds/{id}/payee-seen", self.refunds.payee),
            ("/counter/shift", self.counter.open_shift), ("/counter/display", self.counter.pair),
            ("/counter/next", self.counter.next), ("/counter/{id}/take", self.counter.take),
            ("/shifts/{id}/count", self.counter.count), ("/shifts/{id}/sign", self.counter.sign),
            ("/differences/{id}", self.counter.settle),
            ("/receipts/{id}/corrections", self.corrections.ask),
            ("/receipts/{id}/papers", self.receipts.convert),
            ("/receipts/{id}/mail", self.receipts.mail),
            ("/authority/{id}/retry", self.authority.retry),
            ("/outages/{id}/told", self.authority.told),
            ("/corrections/{id}", self.corrections.decide),
            ("/corrections/{id}/texts", self.corrections.texts), ("/providers", self.accounts.add),
            ("/providers/{provider}/{name}/rotate", self.accounts.rotate),
            ("/providers/{provider}/{name}/close", self.accounts.close),
            ("/providers/{provider}/{name}/test", self.accounts.try_it),
            ("/payments/{id}/privacy", self.privacy.ask), ("/erasures/{id}", self.privacy.decide),
            ("/remittances", self.remittances.prepare),
            ("/remittances/{id}", self.remittances.decide),
        )  # fmt: skip


def routes(pages: Pages) -> APIRouter:
    """Give the routes: whoever is not signed in is sent to the form."""
    console = pages.console
    door = APIRouter(prefix="/console", include_in_schema=False, route_class=PageRoute)

    @door.get("/login")
    async def sign_in_page(request: Request) -> Response:
        return await console.sign_in_page(request)

    @door.post("/login")
    async def sign_in(request: Request) -> Response:
        if _is_foreign(request, console.public_url) or not _is_bounded(request, form_bytes_max):
            return render("refused", console.look(request, None), {"code": "csrf"}, 403)
        return await console.sign_in(request)

    for path, page in pages.reads():
        door.add_api_route(path, _guarded(console, page, is_post=False), methods=["GET"])
    for path, page in pages.writes():
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
