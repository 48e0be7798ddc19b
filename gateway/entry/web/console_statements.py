"""The console's page of statements: what each procedure system's payments came to."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from gateway.entry.web.console import Console, day_of
from gateway.entry.web.console_form import require
from gateway.entry.web.export_columns import STATEMENT
from gateway.entry.web.exports import file_of
from gateway.services.access import Officer
from gateway.services.client_statements import ClientStatements, Period

MAY_SEE: Final = frozenset({"accountant", "approver", "auditor"})


@dataclass(frozen=True, slots=True)
class StatementPages:
    """The routes under ``/console/statements``."""

    console: Console
    statements: ClientStatements

    async def all(self, request: Request, officer: Officer) -> Response:
        """Show each client's totals of a period: this month, if none is named."""
        require(officer, MAY_SEE)
        period = self._period(request, officer)
        rows = await self.statements.totals(period)
        names = ("taken", "given_back", "amount", "payments")
        return self.console.page("statements", request, officer, {
            "p": period, "rows": rows,
            "clients": await self.statements.clients(officer.agency_id),
            "total": {name: sum(row[name] or 0 for row in rows) for name in names},
        })  # fmt: skip

    async def file(self, request: Request, officer: Officer, ending: str) -> Response:
        """Give every movement of a period as a file."""
        require(officer, MAY_SEE)
        period, lang = self._period(request, officer), self.console.look(request, officer).lang
        title = "Statement" if lang == "en" else "Sao kê theo hệ thống"
        name = f"statement-{period.since}-{period.upto}"
        return file_of(ending, name, title, STATEMENT, self.statements.lines(period), lang)

    def _period(self, request: Request, officer: Officer) -> Period:
        asked = request.query_params
        upto: date = day_of(asked.get("upto")) or self.console.today_on()
        since = min(day_of(asked.get("since")) or upto.replace(day=1), upto)
        return Period(officer.agency_id, since, upto, asked.get("client", "")[:40])
