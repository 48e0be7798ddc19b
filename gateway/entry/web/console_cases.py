"""The console's pages of breaks: a list beside one break, and what people do about it.

Each address says all that is seen, so that nothing is lost when a page is loaded again. Keys are a
comfort of ``breaks.js``; every form works without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from gateway.domain.errors import Refusal
from gateway.domain.ids import read_typed
from gateway.entry.web.console import MAY_SEE_PAYER, Console, day_of
from gateway.entry.web.console_form import amount_of, fields_of, require, ticked
from gateway.entry.web.export_columns import BREAKS, MATCHES
from gateway.entry.web.exports import file_of
from gateway.services.access import Officer
from gateway.services.break_list import RESOLVERS, BreakList, Wish, cursor, due_of
from gateway.services.desk import age_days, cut
from gateway.services.refund_rows import SOURCES
from reconciliation.evidence import Side
from reconciliation.planning import LINK, UNDO, WRITE_OFF, Wanted
from reconciliation.resolving import Resolutions, file_bytes_max

MAY_ACT: Final = frozenset(RESOLVERS)
MAY_SAY: Final = MAY_ACT | {"clerk"}
sure_default: Final = 80  # Of 100: same amount, named in the text, and no rival.
split_rows: Final = 4  # Lines of the split form; more parts are resolved in turns.
_KEPT: Final = ("state", "kind", "on", "after", "sure")  # What an address keeps of a list.


@dataclass(frozen=True, slots=True)
class CasePages:
    """The routes under ``/console/breaks``."""

    console: Console
    list_of: BreakList
    resolutions: Resolutions

    async def list(self, request: Request, officer: Officer) -> Response:
        """Show breaks, oldest first, and one of them beside the list."""
        asked = request.query_params
        wish, now = _wish(asked), self.console.store.clock.now()
        rows, last = cut(await self.list_of.page(officer.agency_id, wish))
        at = asked.get("at", "")[:40] or (rows[0]["id"] if rows else "")
        return self.console.page(
            "breaks", request, officer,
            {
                "rows": [
                    dict(r) | {"age": age_days(r["since_on"], now), "due_on": due_of(r)}
                    for r in rows
                ],
                "wish": wish, "at": at, "picked": bool(asked.get("at")), "sure": _sure(asked),
                "query": _query(asked), "told": asked.get("told", "")[:8],
                "next": _query(dict(asked) | {"after": cursor(last)}) if last else "",
                "today": self.console.today_on(), "may_act": officer.role in MAY_ACT,
                **(await self._one(officer, at, None) if at else {"k": None, "may_link": False}),
            }, has_script=True,
        )  # fmt: skip

    async def one(
        self, request: Request, officer: Officer, break_id: str,
        memos: Sequence[str] | None = None,
    ) -> Response:  # fmt: skip
        """Show one break alone."""
        values = await self._one(officer, break_id, memos)
        return self.console.page(
            "break", request, officer, values | {"query": "", "today": self.console.today_on()}
        )

    async def memos(self, request: Request, officer: Officer, break_id: str) -> Response:
        """Show what the bank wrote beside a break's money; the reading is written down."""
        require(officer, MAY_SEE_PAYER)
        row = await self.console.desk.case(officer.agency_id, break_id)
        read = await self.console.texts.read(row, officer.agency_id, f"staff:{officer.username}")
        return await self.one(request, officer, break_id, read)

    async def act(self, request: Request, officer: Officer, break_id: str) -> Response:
        """Comment, give it to somebody, or let it wait."""
        form, me = await fields_of(request), f"staff:{officer.username}"
        here, does = (officer.agency_id, break_id), form.get("act", "")
        require(officer, MAY_SAY if does == "comment" else MAY_ACT)
        if does == "comment":
            await self.resolutions.comment(*here, form.get("text", ""), me)
        elif does == "assign":
            days = amount_of(form.get("days", ""))
            await self.resolutions.assign(*here, form.get("owner", ""), days, me)
        elif does == "wait":
            until = day_of(form.get("until")) or date.min
            await self.resolutions.wait(*here, until, form.get("text", ""), me)
        else:
            raise Refusal("invalid-request", "Comment, assign or wait.")
        return _back(form, break_id)

    async def attach(self, request: Request, officer: Officer, break_id: str) -> Response:
        """Keep a file beside a break."""
        require(officer, MAY_SAY)
        file = (await request.form()).get("file")
        if file is None or isinstance(file, str) or not file.filename:
            raise Refusal("invalid-request", "Choose a file.")
        content = await file.read(file_bytes_max + 1)
        await self.resolutions.attach(
            officer.agency_id, break_id, file.filename, content, f"staff:{officer.username}"
        )
        return _back(await fields_of(request), break_id)

    async def file(self, request: Request, officer: Officer, file_id: str) -> Response:
        """Give an attached file; the reading is written down."""
        del request
        require(officer, MAY_SAY)
        name, media_type, content = await self.resolutions.file(
            officer.agency_id, file_id, f"staff:{officer.username}"
        )
        return Response(content, 200, {
            "content-disposition": f"attachment; filename*=UTF-8''{quote(name)}",
            "cache-control": "no-store", "x-content-type-options": "nosniff",
        }, media_type)  # fmt: skip

    async def propose(self, request: Request, officer: Officer, break_id: str) -> Response:
        """Propose how a break ends."""
        require(officer, MAY_ACT)
        form = await fields_of(request)
        wanted = await self._wanted(officer, break_id, form, await ticked(request, "also"))
        await self.resolutions.propose(
            officer.agency_id, break_id, wanted, f"staff:{officer.username}"
        )
        return _back(form, break_id)

    async def _wanted(
        self, officer: Officer, break_id: str, form: Mapping[str, str], also: Sequence[str]
    ) -> Wanted:
        what, reason = form.get("what", ""), form.get("reason", "")
        if what != LINK:
            return Wanted(what, reason, of=form.get("of", "")[:40])
        sources = [
            await self.console.desk.case(officer.agency_id, k[:40])
            for k in dict.fromkeys([break_id, *also])
        ]
        rows = [
            (form.get(f"to_{n}", "").strip()[:64], form.get(f"amount_{n}", ""))
            for n in range(split_rows)
        ]
        kind = form.get("kind", "payment")
        return Wanted(
            LINK, reason, tuple(Side("break", k["id"], k["amount"]) for k in sources),
            tuple(Side(kind, _name(to), amount_of(amount)) for to, amount in rows if to),
        )  # fmt: skip

    async def propose_many(self, request: Request, officer: Officer) -> Response:
        """Propose what is likeliest for each break of a page, where it is surer than asked."""
        require(officer, MAY_ACT)
        form, me = await fields_of(request), f"staff:{officer.username}"
        sure, made = _sure(form), 0
        for row in cut(await self.list_of.page(officer.agency_id, _wish(form)))[0]:
            shown = await self.resolutions.show(officer.agency_id, row["id"])
            likely = [p for p in shown.proposals if p.fits and p.confidence >= sure]
            if len(likely) != 1 or shown.waiting:  # Between two, people choose.
                continue
            source, (only,) = (Side("break", row["id"], row["amount"]),), likely
            wanted = Wanted(LINK, "", source, (Side(only.kind, only.id, only.amount),))
            try:
                await self.resolutions.propose(officer.agency_id, row["id"], wanted, me)
            except Refusal:  # One that fits no more is left as it is, open.
                continue
            made += 1
        return RedirectResponse(f"/console/breaks?{_query(form)}&told={made}", 303)

    async def decide(self, request: Request, officer: Officer, action_id: str) -> Response:
        """Agree to what was shown, as a second person, or refuse it."""
        require(officer, MAY_ACT)
        form = await fields_of(request)
        decision = form.get("decision", "")
        if decision not in ("agree", "refuse"):
            raise Refusal("invalid-request", "Agree or refuse.")
        break_id = await self.resolutions.decide(
            officer.agency_id, action_id, f"staff:{officer.username}",
            agree=decision == "agree", shown=form.get("shown", "")[:64],
        )  # fmt: skip
        return _back(form, break_id)

    async def export(self, request: Request, officer: Officer, ending: str) -> Response:
        """Give the breaks of a list, all of them, as a file."""
        wish, lang = _wish(request.query_params), self.console.look(request, officer).lang
        rows = self.list_of.all(officer.agency_id, replace(wish, after=""))
        title = "Breaks" if lang == "en" else "Chênh lệch"
        return file_of(ending, "breaks", title, BREAKS, rows, lang)

    async def matches(self, request: Request, officer: Officer, on: str, ending: str) -> Response:
        """Give a day's matches as a file."""
        day, lang = day_of(on), self.console.look(request, officer).lang
        if day is None:
            raise Refusal("not-found", "There is no such day.")
        rows = self.list_of.matches(officer.agency_id, day)
        title = f"Matches {day}" if lang == "en" else f"Cặp khớp {day:%d-%m-%Y}"
        return file_of(ending, f"matches-{day}", title, MATCHES, rows, lang)

    async def _one(
        self, officer: Officer, break_id: str, memos: Sequence[str] | None
    ) -> dict[str, Any]:
        agency_id = officer.agency_id
        shown = await self.resolutions.show(agency_id, break_id)
        row = shown.case
        sees = officer.role in MAY_SEE_PAYER
        may_act = officer.role in MAY_ACT
        return {
            "k": dict(row) | {"age": age_days(row["since_on"], self.console.store.clock.now()),
                              "due_on": due_of(row)},
            "s": shown, "me": f"staff:{officer.username}", "may_act": may_act,
            "may_say": officer.role in MAY_SAY, "memos": memos, "split_rows": split_rows,
            "may_link": may_act and shown.waiting is None and row["state"] == "open"
            and ((row["kind"] == "unknown_money" and bool(row["capture_id"])) or row["is_credit"]),
            "may_refund": sees and row["state"] == "open" and row["capture_id"]
            and row["kind"] in SOURCES and shown.waiting is None,
            "may_write_off": may_act and shown.waiting is None and row["state"] == "open"
            and row["kind"] in ("missing_at_provider", "reversed"),
            "may_read": sees and await self.console.texts.count(row, agency_id),
            "officers": await self.list_of.officers(agency_id),
            "what": {"link": LINK, "write_off": WRITE_OFF, "undo": UNDO},
        }  # fmt: skip


def _wish(asked: Mapping[str, str]) -> Wish:
    return Wish(
        asked.get("state", "open")[:16], asked.get("kind", "")[:32], asked.get("after", "")[:60],
        day_of(asked.get("on")),
    )  # fmt: skip


def _sure(asked: Mapping[str, str]) -> int:
    said = asked.get("sure", "")
    is_number = said.isascii() and said.isdigit() and len(said) <= len("100")
    return min(int(said), 100) if is_number else sure_default


def _query(asked: Mapping[str, str]) -> str:
    """Write what an address keeps; a state that is empty is every state, and not the usual one."""
    return urlencode({k: asked[k] for k in _KEPT if asked.get(k) or (k == "state" and k in asked)})


def _name(to: str) -> str:
    """Read a payment's reference as people type it, or an id as it is."""
    typed = read_typed(to)
    return typed.reference if typed else to


def _back(form: Mapping[str, str], break_id: str) -> Response:
    """Go back to where the form stood: the list with its filter, or the break alone."""
    if "query" not in form or not form["query"].startswith("?"):
        return RedirectResponse(f"/console/breaks/{break_id}", 303)
    return RedirectResponse(f"/console/breaks?{form['query'][1:500]}", 303)
