"""The console's page of what the tax authority is told: what is due when, and the quarter's use."""

from dataclasses import dataclass
from typing import Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.entry.web.console import MAY_SEE_PAYER, Console
from gateway.entry.web.console_form import require
from gateway.entry.web.export_columns import USAGE
from gateway.entry.web.exports import file_of, given
from gateway.entry.web.page import send
from gateway.services.access import Officer
from receipts.authority import Authority, quarter_of

MAY_ACT: Final = frozenset({"accountant", "approver", "operator"})


@dataclass(frozen=True, slots=True)
class AuthorityPages:
    """The routes under ``/console/authority`` and ``/console/usage``."""

    console: Console
    authority: Authority

    async def standing(self, request: Request, officer: Officer) -> Response:
        """Show what is due when, in red before it is late."""
        seen = await self.authority.standing(officer.agency_id)
        return self.console.page("authority", request, officer, {
            "seen": seen, "may_act": officer.role in MAY_ACT,
            "may_read": officer.role in MAY_SEE_PAYER,
        })  # fmt: skip

    async def message(self, _request: Request, officer: Officer, message_id: str) -> Response:
        """Give a message as it was sealed."""
        require(officer, MAY_SEE_PAYER)
        actor = f"staff:{officer.username}"
        name, xml = await self.authority.message(officer.agency_id, message_id, actor)
        more = {"content-disposition": f'attachment; filename="bang-tong-hop-{name}"'}
        return send(xml, "application/xml", more=more)

    async def retry(self, _request: Request, officer: Officer, message_id: str) -> Response:
        """Send it again now."""
        require(officer, MAY_ACT)
        actor = f"staff:{officer.username}"
        await self.authority.retry(officer.agency_id, message_id, actor)
        return RedirectResponse("/console/authority", 303)

    async def told(self, _request: Request, officer: Officer, outage_id: str) -> Response:
        """Note that the authority was told of a broken line."""
        require(officer, MAY_ACT)
        await self.authority.tell(officer.agency_id, outage_id, f"staff:{officer.username}")
        return RedirectResponse("/console/authority", 303)

    async def usage(self, request: Request, officer: Officer) -> Response:
        """Show the use of receipts in a quarter; as a file, if it is asked for so."""
        now = self.console.store.clock.now()
        quarter = request.query_params.get("quarter", "") or quarter_of(hanoi_day(now))
        try:
            rows = await self.authority.usage(officer.agency_id, quarter[:8])
        except Refusal:
            quarter = quarter_of(hanoi_day(now))
            rows = await self.authority.usage(officer.agency_id, quarter)
        wanted = request.query_params.get("as", "")
        if wanted in ("csv", "xlsx"):
            lang = self.console.look(request, officer).lang
            title = f"Receipts {quarter}" if lang == "en" else f"Biên lai {quarter}"
            return file_of(wanted, f"su-dung-bien-lai-{quarter}", title, USAGE, given(rows), lang)
        return self.console.page("usage", request, officer, {"rows": rows, "quarter": quarter})
