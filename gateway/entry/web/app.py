"""The web process: every door in one application, with one way to say that something is wrong."""

from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from gateway.domain.errors import Refusal
from gateway.entry.bootstrap import Parts
from gateway.entry.reconciling import day_sheets_of, intake_of, remittances_of, sources_of
from gateway.entry.web import (
    api,
    api_files,
    checking,
    console_door,
    display,
    front,
    notices,
    pay,
    receipts,
    reference,
    transparency,
    watching,
)
from gateway.entry.web.arrival import Arrival, Limits
from gateway.entry.web.console import Console
from gateway.entry.web.console_accounts import AccountPages
from gateway.entry.web.console_authority import AuthorityPages
from gateway.entry.web.console_cases import CasePages
from gateway.entry.web.console_corrections import CorrectionPages
from gateway.entry.web.console_counter import CounterPages
from gateway.entry.web.console_days import DayPages
from gateway.entry.web.console_privacy import PrivacyPages
from gateway.entry.web.console_receipts import ReceiptCopies
from gateway.entry.web.console_refunds import RefundPages
from gateway.entry.web.console_remittances import RemittancePages
from gateway.entry.web.console_statements import StatementPages
from gateway.entry.web.metrics import Metrics
from gateway.entry.web.telling import METHODS, Telling
from gateway.services.bank_texts import BankTexts
from gateway.services.bills import Bills
from gateway.services.break_list import BreakList
from gateway.services.client_statements import ClientStatements
from gateway.services.desk import Desk
from gateway.services.displays import Displays
from gateway.services.erasure import Erasure
from gateway.services.readings import Readings
from gateway.services.refund_list import RefundList
from gateway.services.stuck_refunds import StuckRefunds
from receipts.authority import Authority
from receipts.corrections import Corrections
from receipts.mailing import Mailing
from receipts.papers import Papers
from reconciliation.resolving import Resolutions

DEFAULT_LIMITS: Final = Limits()


def _allowed(app: FastAPI, request: Request) -> list[str]:
    """List the methods that some route takes at this address."""
    return [
        method
        for method in METHODS
        if any(r.matches({**request.scope, "method": method})[0] is Match.FULL for r in app.routes)
    ]


def _open_doors(app: FastAPI, parts: Parts, limits: Limits) -> None:
    """Give every route its services."""
    asked = api.ApiParts(
        parts.store, parts.access, parts.payments, parts.attempts, parts.cancelling, parts.refunds,
        parts.outbox,
    )  # fmt: skip
    app.include_router(api.routes(asked))
    app.include_router(api_files.routes(api_files.FileParts(asked, intake_of(parts))))
    app.include_router(notices.routes(parts.notices, limits.quota_notices_max))
    bills = Bills(parts.store, parts.attempts)
    app.include_router(pay.routes(pay.PayPages(parts.store, parts.attempts, bills)))
    papers = Papers(parts.store)
    mailing = Mailing(parts.store, parts.vault, parts.settings.mail)
    copies_to_all = receipts.ReceiptPages(parts.receipts, parts.proofs, papers, mailing)
    app.include_router(receipts.routes(copies_to_all))
    quota = notices.Quota(limits.quota_checks_max)
    app.include_router(checking.routes(checking.Checks(parts.receipts, papers, quota)))
    app.include_router(transparency.routes(transparency.LogPages(parts.receipts.journal)))
    console = Console(
        parts.store, parts.access, Desk(parts.store, parts.vault), intake_of(parts),
        sources_of(parts), day_sheets_of(parts), BankTexts(parts.store, parts.vault),
        parts.settings.public_url,
    )  # fmt: skip
    stuck = StuckRefunds(parts.store, parts.sender.rows, parts.providers)
    refunds = RefundPages(console, parts.refunds, parts.sender, RefundList(parts.store), stuck)
    displays = Displays(parts.store)
    counter = CounterPages(console, parts.counters, displays)
    copies = ReceiptCopies(console, parts.receipts, papers, mailing, bills)
    accounts = AccountPages(console, parts.registry, parts.attempts.health, parts.attempts.ways)
    corrections = CorrectionPages(
        console, Corrections(parts.store, parts.vault), parts.settings.mail is not None
    )
    authority = AuthorityPages(console, Authority(parts.store, parts.vault))
    privacy = PrivacyPages(
        console, Erasure(parts.store, parts.vault), Readings(parts.store), parts.receipts.shelf
    )
    resolutions = Resolutions(parts.store, parts.vault, parts.captures.calendar)
    cases = CasePages(console, BreakList(parts.store), resolutions)
    pages = console_door.Pages(
        console, refunds, counter, copies, accounts, corrections, authority, privacy,
        RemittancePages(console, remittances_of(parts)), cases,
        DayPages(console, day_sheets_of(parts)),
        StatementPages(console, ClientStatements(parts.store)),
    )  # fmt: skip
    app.include_router(console_door.routes(pages))
    shown = display.DisplayPage(displays, parts.attempts, parts.settings.public_url)
    app.include_router(display.routes(shown))
    app.include_router(reference.routes(parts.settings.public_url))
    app.include_router(front.routes())


def _answer_refusals(app: FastAPI) -> None:
    """Let a refusal, ours or the framework's, be an answer of ours."""

    @app.exception_handler(Refusal)
    async def refused(request: Request, refusal: Refusal) -> Response:
        return front.refused(request, refusal)

    @app.exception_handler(HTTPException)
    async def not_here(request: Request, error: HTTPException) -> Response:
        if error.status_code == HTTPStatus.BAD_REQUEST:
            return front.refused(request, Refusal("invalid-request", "The form is not readable."))
        if error.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return front.refused(request, Refusal("not-found", "There is nothing at this address."))
        allowed = ", ".join(_allowed(app, request))
        answer = front.refused(
            request, Refusal("method-not-allowed", f"This address takes {allowed}.")
        )
        answer.headers["allow"] = allowed
        return answer


def build_app(parts: Parts, limits: Limits = DEFAULT_LIMITS) -> FastAPI:
    """Give the application."""
    app = FastAPI(title="Thu Phí", docs_url=None, redoc_url=None, openapi_url=None)
    _open_doors(app, parts, limits)
    metrics = Metrics()
    app.include_router(watching.routes(parts.store, metrics))

    _answer_refusals(app)
    app.add_middleware(Arrival, proxies=parts.settings.trusted_proxies, wait_s=limits.body_wait_s)
    app.add_middleware(Telling, metrics=metrics)  # The last one added is the first to be met.
    return app
