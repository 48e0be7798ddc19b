"""The console's pages about money for the budget: what is due, and slips that two people make."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.entry.web.console import Console
from gateway.entry.web.console_form import fields_of, require
from gateway.entry.web.export_columns import SLIP
from gateway.entry.web.exports import file_of, given
from gateway.entry.web.page import send
from gateway.services.access import Officer
from gateway.store.tx import Row
from receipts.words import in_words
from reconciliation.remittances import Remittances

MAY_PREPARE: Final = frozenset({"accountant", "approver"})
MAY_SEE: Final = MAY_PREPARE | {"auditor"}
HEAD: Final = (
    "number", "upto", "payer", "payer_tax_code", "payer_address", "debit_account", "treasury",
    "treasury_account", "collecting_code", "content", "currency", "amount",
)  # fmt: skip
LINE: Final = ("n", "chapter", "budget_line", "area", "amount")


@dataclass(frozen=True, slots=True)
class RemittancePages:
    """The routes under ``/console/remittances``."""

    console: Console
    remittances: Remittances

    async def all(self, request: Request, officer: Officer) -> Response:
        """Show what is due to the budget and is on no slip, and the slips."""
        require(officer, MAY_SEE)
        upto = await self.remittances.last_closed(officer.agency_id)
        due = await self.remittances.due(officer.agency_id, upto) if upto else []
        return self.console.page("remittances", request, officer, {
            "due": due, "total": sum(x["amount"] for x in due), "upto": upto,
            "rows": await self.remittances.listed(officer.agency_id),
            "may_prepare": officer.role in MAY_PREPARE,
        })  # fmt: skip

    async def prepare(self, _request: Request, officer: Officer) -> Response:
        """Put what is due on a slip."""
        require(officer, MAY_PREPARE)
        upto = await self.remittances.last_closed(officer.agency_id)
        if upto is None:
            raise Refusal("invalid-request", "No day is closed yet.")
        actor = f"staff:{officer.username}"
        made = await self.remittances.prepare(officer.agency_id, upto, actor)
        return RedirectResponse(f"/console/remittances/{made}", 303)

    async def one(self, request: Request, officer: Officer, remittance_id: str) -> Response:
        """Show a slip as it is signed; as a file, if it is asked for so."""
        require(officer, MAY_SEE)
        row = await self.remittances.one(officer.agency_id, remittance_id)
        wanted = request.query_params.get("as", "")
        if wanted in ("csv", "xlsx"):
            lang, number = self.console.look(request, officer).lang, row["number"]
            return file_of(wanted, number, number, SLIP, given(_lines(row)), lang)
        if wanted == "xml":
            more = {"content-disposition": f'attachment; filename="{row["number"]}.xml"'}
            return send(as_xml(row), "application/xml", more=more)
        return self.console.page("remittance", request, officer, {
            "r": row, "slip": row["slip"], "words": in_words(row["amount"]),
            "me": f"staff:{officer.username}", "may_sign": officer.role in MAY_PREPARE,
            "today": hanoi_day(self.console.store.clock.now()),
        })  # fmt: skip

    async def decide(self, request: Request, officer: Officer, remittance_id: str) -> Response:
        """Sign what was shown, or cancel it."""
        require(officer, MAY_PREPARE)
        given = await fields_of(request)
        if given.get("decision") not in ("sign", "cancel"):
            raise Refusal("invalid-request", "Sign or cancel.")
        await self.remittances.decide(
            officer.agency_id, remittance_id, f"staff:{officer.username}", given.get("shown", ""),
            sign=given["decision"] == "sign",
        )  # fmt: skip
        return RedirectResponse(f"/console/remittances/{remittance_id}", 303)


def _lines(row: Row) -> Iterator[dict[str, Any]]:
    """Give a slip's lines, each with all that stands above them."""
    slip = row["slip"]
    above = {name: slip[name] for name in HEAD} | {
        "total": slip["amount"], "total_in_words": in_words(slip["amount"]),
    }  # fmt: skip
    for line in slip["lines"]:
        yield above | {name: line[name] for name in LINE}


def as_xml(row: Row) -> bytes:
    """Write a slip with the fields of C1-02/NS, under names of our own."""
    slip = row["slip"]
    root = Element("remittance", {"form": "C1-02/NS", "state": row["state"], "sha256": row["hash"]})
    for name in HEAD:
        SubElement(root, name).text = str(slip[name])
    SubElement(root, "amount_in_words").text = in_words(slip["amount"])
    lines = SubElement(root, "lines")
    for line in slip["lines"]:
        one = SubElement(lines, "line")
        for name in LINE:
            SubElement(one, name).text = str(line[name])
    for what in ("prepared", "decided"):
        if row[f"{what}_by"]:
            SubElement(root, f"{what}_by").text = row[f"{what}_by"]
    made: bytes = tostring(root, "utf-8", xml_declaration=True)
    return made
