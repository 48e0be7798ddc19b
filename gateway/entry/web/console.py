"""The console's pages: today, payments and their whole story, cases, receipts, books.

Everything works without JavaScript. Staff see their own agency, and nothing else.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.domain.refund import refundable
from gateway.entry.web.console_chart import chart
from gateway.entry.web.console_form import fields_of
from gateway.entry.web.console_page import Look, render
from gateway.entry.web.export_columns import BALANCE
from gateway.entry.web.exports import file_of, given
from gateway.services import catalogue
from gateway.services.access import Access, Officer, session_hours_max
from gateway.services.bank_texts import BankTexts
from gateway.services.books import trial_balance
from gateway.services.desk import Desk, Search, age_days, cut, page_rows_max
from gateway.store.tx import Row, Store
from receipts.words import in_words
from reconciliation.day_sheets import DaySheets
from reconciliation.intake import Intake
from reconciliation.readers.line import file_bytes_max
from reconciliation.readers.profile import PROFILES
from reconciliation.sources import Sources

COOKIE: Final = "thuphi_session"
LANGUAGE: Final = "thuphi_lang"
MAY_SEE_PAYER: Final = frozenset({"accountant", "approver", "clerk"})
MAY_UPLOAD: Final = frozenset({"accountant", "approver"})
year_min: Final = 2_000  # No book is older, and none is kept for a later year than this.
year_max: Final = 2_199
chart_span: Final = timedelta(days=30)
words_chars_max: Final = 128  # Longer than any reference, dossier or bank's transaction id.


@dataclass(frozen=True, slots=True)
class Console:
    """The console's routes."""

    store: Store
    access: Access
    desk: Desk
    intake: Intake
    sources: Sources
    sheets: DaySheets
    texts: BankTexts
    public_url: str

    async def officer(self, request: Request) -> Officer | None:
        """Tell who is signed in."""
        token = request.cookies.get(COOKIE, "")
        return await self.access.officer(token) if token else None

    def look(self, request: Request, officer: Officer | None) -> Look:
        """Say in which language, for whom and for which address a page is made."""
        wanted = request.query_params.get("lang") or request.cookies.get(LANGUAGE)
        rest = {k: v for k, v in request.query_params.items() if k != "lang"}
        lang = "en" if wanted == "en" else "vi"
        other = urlencode(rest | {"lang": "vi" if lang == "en" else "en"})
        return Look(lang, officer, request.url.path, f"{request.url.path}?{other}")

    async def sign_in_page(
        self, request: Request, problem: str = "", status: int = 200
    ) -> Response:
        """Show the form."""
        return render("login", self.look(request, None), {"problem": problem}, status)

    async def sign_in(self, request: Request) -> Response:
        """Check user name and password; a good pair opens a session of its own."""
        form = await fields_of(request)
        username, password = form.get("username", ""), form.get("password", "")
        source = request.client.host if request.client else "unknown"
        try:
            token = await self.access.sign_in(username[:64], password[:256], source)
        except Refusal as refusal:
            slow = refusal.code == "too-many-requests"
            answer = await self.sign_in_page(request, refusal.code, 429 if slow else 401)
            if slow:
                answer.headers["retry-after"] = "900"
            return answer
        # A session that came with the request is never continued: nobody can plant one.
        if old := request.cookies.get(COOKIE):
            await self.access.sign_out(old)
        answer = RedirectResponse("/console", 303)
        answer.set_cookie(
            COOKIE, token, max_age=session_hours_max * 3_600, path="/console", httponly=True,
            samesite="lax", secure=urlsplit(self.public_url).scheme == "https",
        )  # fmt: skip
        return answer

    async def sign_out(self, request: Request, _officer: Officer) -> Response:
        """Revoke the session."""
        await self.access.sign_out(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/console/login", 303)
        answer.delete_cookie(COOKIE, path="/console")
        return answer

    async def today(self, request: Request, officer: Officer) -> Response:
        """Show what came in today, and what waits for somebody."""
        seen = await self.desk.today(officer.agency_id)
        now = self.store.clock.now()
        return self.page("today", request, officer, seen | {
            "total": sum(r["amount"] for r in seen["came"]),
            "count": sum(r["n"] for r in seen["came"]),
            "oldest_days": age_days(seen["waits"]["oldest"], now)
            if seen["waits"]["oldest"] else 0,
            **await self.month(officer),
        })  # fmt: skip

    async def payments(self, request: Request, officer: Officer) -> Response:
        """Show what a search finds."""
        asked = request.query_params
        search = Search(
            words=asked.get("q", "").strip()[:words_chars_max], state=asked.get("state", "")[:16],
            branch=asked.get("branch", "")[:64], since=day_of(asked.get("since")),
            upto=day_of(asked.get("upto")), before=asked.get("before", "")[:40],
        )  # fmt: skip
        look = self.look(request, officer)
        rows, last = cut(await self.desk.payments(officer.agency_id, search))
        if len(rows) == 1 and search.words and not search.before:
            return RedirectResponse(f"/console/payments/{rows[0]['id']}", 303)
        return self.page("payments", request, officer, {
            "rows": [
                dict(r) | {"title": _name(officer, r["procedure"], look)} for r in rows
            ],
            "branches": await self.desk.branches(officer.agency_id), "search": search,
            "next": next_page(asked, last),
        })  # fmt: skip

    async def payment(
        self, request: Request, officer: Officer, payment_id: str,
        payer: Mapping[str, str] | None = None,
    ) -> Response:  # fmt: skip
        """Show one payment and its whole story."""
        payment, receipts, moments = await self.desk.story(officer.agency_id, payment_id)
        look = self.look(request, officer)
        names = {b["id"]: b["name"] for b in await self.desk.branches(officer.agency_id)}
        return self.page("payment", request, officer, {
            "p": payment, "title": _name(officer, payment.procedure, look),
            "branch": names.get(payment.branch_id, payment.branch_id),
            "words": in_words(payment.amount), "receipts": receipts,
            "moments": [_moment(m) for m in moments], "payer": payer,
            "may_see_payer": officer.role in MAY_SEE_PAYER and payment.payer_sealed is not None,
            "erased": await self.desk.is_erased(payment), "may_ask": officer.role != "operator",
            "may_read": officer.role in MAY_SEE_PAYER,
            "refundable": refundable(payment) if officer.role in MAY_SEE_PAYER else 0,
        })  # fmt: skip

    async def reveal(self, request: Request, officer: Officer, payment_id: str) -> Response:
        """Show the payer's data this once; the reading is written down."""
        if officer.role not in MAY_SEE_PAYER:
            raise Refusal("forbidden", "Your role does not see payers' data.")
        payer = await self.desk.reveal(officer.agency_id, payment_id, f"staff:{officer.username}")
        return await self.payment(request, officer, payment_id, payer)

    async def balance(self, request: Request, officer: Officer) -> Response:
        """Show the trial balance of a day or a period."""
        since, on = self._period(request)
        lines = await trial_balance(self.store, officer.agency_id, on, since)
        parts = [[asdict(x) for x in lines if x.is_memorandum is memo] for memo in (False, True)]
        return self.page("balance", request, officer, {
            "on": on, "since": since,
            "parts": [{"lines": p, "total": _total(p)} for p in parts if p],
        })  # fmt: skip

    async def balance_file(self, request: Request, officer: Officer, ending: str) -> Response:
        """Give the trial balance of a day or a period as a file."""
        since, on = self._period(request)
        lines = await trial_balance(self.store, officer.agency_id, on, since)
        name = f"trial-balance-{on}" if since == on else f"trial-balance-{since}-{on}"
        lang = self.look(request, officer).lang
        title = "Trial balance" if lang == "en" else "Cân đối phát sinh"
        # A title is said in the page's language, by its account.
        rows = given(asdict(x) | {"title": x.account if ending == "xlsx" else x.title}
                     for x in lines)  # fmt: skip
        return file_of(ending, name, title, BALANCE, rows, lang)

    def _period(self, request: Request) -> tuple[date, date]:
        asked = request.query_params
        on = day_of(asked.get("date")) or self.today_on()
        return min(day_of(asked.get("since")) or on, on), on

    async def days(self, request: Request, officer: Officer) -> Response:
        """Show days, their last run, and the files that came."""
        days, files = await self.desk.days(officer.agency_id)
        return self.page("days", request, officer, {
            "days": days, "files": files, "profiles": PROFILES,
            "sources": await self.sources.shown(officer.agency_id),
            "may_upload": officer.role in MAY_UPLOAD, "told": request.query_params.get("told", ""),
            "yesterday": self.today_on() - timedelta(days=1),
            **await self.month(officer),
        })  # fmt: skip

    async def upload(self, request: Request, officer: Officer) -> Response:
        """Keep a file and queue it; the worker reads it whole or says which line is wrong."""
        if officer.role not in MAY_UPLOAD:
            raise Refusal("forbidden", "Your role does not bring files.")
        file = (await request.form()).get("file")
        if file is None or isinstance(file, str) or not file.filename:
            return RedirectResponse("/console/days?told=no-file", 303)
        content = await file.read(file_bytes_max + 1)
        await self.intake.store(
            officer.agency_id, (await fields_of(request)).get("profile", ""),
            file.filename.replace("\0", "\ufffd"), content, f"staff:{officer.username}",
        )  # fmt: skip
        return RedirectResponse("/console/days?told=queued", 303)

    async def run(self, request: Request, officer: Officer, run_id: str) -> Response:
        """Show one run: what it looked at, what it matched and why."""
        run, matches = await self.desk.run(officer.agency_id, run_id)
        return self.page("run", request, officer, {"run": run, "matches": matches})

    async def month(self, officer: Officer) -> dict[str, Any]:
        """Give the last days' money, the newest first, and how it is drawn."""
        upto = self.today_on()
        days = await self.sheets.figures(officer.agency_id, upto - chart_span, upto)
        return {"figures": days[::-1], "bars": chart(days)}

    def today_on(self) -> date:
        """Give today in Hanoi."""
        return hanoi_day(self.store.clock.now())

    def page(
        self, name: str, request: Request, officer: Officer, values: Mapping[str, Any], *,
        has_script: bool = False,
    ) -> Response:  # fmt: skip
        """Make a page of a template, and keep the language that was asked for."""
        look = self.look(request, officer)
        shown = {"rows_max": page_rows_max, **values}
        answer = render(name, look, shown, has_script=has_script)
        if request.query_params.get("lang") in ("vi", "en"):
            answer.set_cookie(
                LANGUAGE, look.lang, path="/console", httponly=True, samesite="lax",
                max_age=31_536_000,
            )  # fmt: skip
        return answer


def day_of(text: str | None) -> date | None:
    """Read a day from an address; what is no day asks for nothing."""
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        return None
    return day if day and year_min <= day.year <= year_max else None


def _name(officer: Officer, procedure: str, look: Look) -> str:
    return catalogue.name_of(officer.agency_id, procedure)[look.lang == "en"]


def next_page(asked: Mapping[str, str], last: Mapping[str, Any] | None) -> str:
    """Give the address of the page after a row, with what was asked for; or nothing."""
    kept = {k: v for k, v in asked.items() if k not in ("before", "lang") and v}
    return "?" + urlencode(kept | {"before": last["id"]}) if last else ""


def _total(lines: list[dict[str, Any]]) -> dict[str, int]:
    columns = (
        "opening_debit", "opening_credit", "turnover_debit", "turnover_credit", "closing_debit",
        "closing_credit",
    )  # fmt: skip
    return {c: sum(x[c] for x in lines) for c in columns}


def _moment(row: Row) -> dict[str, Any]:
    """Add what a page needs to tell a moment: an entry's two accounts."""
    moment = dict(row)
    if moment["kind"] == "entry":
        debit, _, credit = moment["code"].partition("/")
        moment |= {"debit": debit, "credit": credit}
    return moment
