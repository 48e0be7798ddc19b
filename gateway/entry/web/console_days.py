"""The console's page of one day: its money row by row, its checklist, and who signs it."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from gateway.domain.errors import Refusal
from gateway.entry.web.console import Console, day_of, next_page
from gateway.entry.web.console_form import fields_of, require
from gateway.services.access import Officer
from gateway.services.desk import cut
from reconciliation.day_sheets import DaySheets, Figures

MAY_SIGN: Final = frozenset({"accountant", "approver"})
MAY_SEE: Final = MAY_SIGN | {"auditor"}


@dataclass(frozen=True, slots=True)
class DayPages:
    """The routes under ``/console/days/{on}``."""

    console: Console
    sheets: DaySheets

    async def one(self, request: Request, officer: Officer, on: str) -> Response:
        """Show a day: what came, what has arrived, what must hold, and the signatures."""
        require(officer, MAY_SEE)
        day, asked = _day(on), request.query_params
        show = asked.get("show", "")
        sheet = await self.sheets.sheet(officer.agency_id, day)
        (figures,) = await self.sheets.figures(officer.agency_id, day, day) or [
            Figures(day, 0, 0, 0, 0, 0)
        ]
        found = await self.sheets.captures(officer.agency_id, day, show, asked.get("before", ""))
        rows, last = cut(found)
        me = f"staff:{officer.username}"
        return self.console.page("day", request, officer, {
            "s": sheet, "f": figures, "rows": rows, "next": next_page(asked, last), "show": show,
            "balance": sheet.said["balance"], "me": me,
            "may_sign": officer.role in MAY_SIGN and sheet.may_be_signed_by(me),
        })  # fmt: skip

    async def sign(self, request: Request, officer: Officer, on: str) -> Response:
        """Sign what was shown."""
        require(officer, MAY_SIGN)
        day = _day(on)
        shown = (await fields_of(request)).get("shown", "")
        await self.sheets.sign(officer.agency_id, day, f"staff:{officer.username}", shown)
        return RedirectResponse(f"/console/days/{day}", 303)


def _day(on: str) -> date:
    day = day_of(on)
    if day is None:
        raise Refusal("not-found", "There is no such day.")
    return day
