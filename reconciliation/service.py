"""Reconcile a day: read the files, find what nobody told us, match, book what is proved, close.

A run is pinned: the instant it looked at, the hashes of its inputs, rules and result are kept, so
that it can be run again and must give the same answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import insert, select, text

from gateway.domain.calendar import day_start, hanoi_day
from gateway.domain.errors import Refusal
from gateway.ports.provider import (
    Movement,
    Notice,
    Provider,
    RefundSaid,
    RefundVerdict,
    Verdict,
)
from gateway.services.captures import Captures
from gateway.services.movements import STATEMENT, told
from gateway.services.refund_sender import RefundSender
from gateway.services.sweeps import SweepError, sweep
from gateway.store import locks
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from reconciliation import by_hand
from reconciliation.casework import Casework, Closed
from reconciliation.engine import Match, Result, rule_versions, rules_digest, run
from reconciliation.holders import Holders
from reconciliation.inputs import DayRules, Inputs, load
from reconciliation.intake import Intake
from reconciliation.marks import marks
from reconciliation.open_items import Proof, proof_of
from reconciliation.posting import TRANSFER_RULES, Posting, postings
from reconciliation.report import Report

_BOOKED: Final = text(
    # What was booked and wholly taken back, as people may, is not booked.
    "SELECT DISTINCT voucher_id FROM (SELECT e.voucher_id, x.account FROM entry e"
    " CROSS JOIN LATERAL (VALUES (e.debit, e.amount), (e.credit, -e.amount)) x (account, amount)"
    " WHERE e.agency_id = :agency AND e.voucher_kind IN ('statement_line', 'remittance')"
    " AND e.voucher_id = ANY(:ids) GROUP BY 1, 2 HAVING sum(x.amount) <> 0) y"
)
_KNOWN: Final = text(
    "SELECT rule, line_id, capture_id FROM recon_match WHERE agency_id = :agency"
    " AND line_id = ANY(:ids)"
)
_UNDONE: Final = text(
    "SELECT substr(id, 5) AS name FROM refund WHERE agency_id = :agency"
    " AND state IN ('approved','sent','in_doubt')"
)
_LINE: Final = text("SELECT * FROM statement_line WHERE agency_id = :agency AND id = ANY(:ids)")
# What a later day's run has matched is no news, though the run of an earlier day cannot see it.
_UNTOLD: Final = text(
    "SELECT * FROM statement_line l WHERE agency_id = :agency AND id = ANY(:ids) AND NOT EXISTS"
    " (SELECT 1 FROM recon_match m WHERE m.agency_id = l.agency_id AND m.line_id = l.id)"
)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Expected against received, for one agency and one day at a time."""

    store: Store
    intake: Intake
    captures: Captures
    sender: RefundSender
    casework: Casework
    holders: Holders
    before_close: Callable[[], Awaitable[None]]  # What must be done with new money first.

    async def reconcile(
        self, agency_id: str, on: date, actor: str, *, close: bool = True
    ) -> Report:
        """Run a day, and close it when every check holds. Twice books nothing twice.

        Raises Refusal for a day that has not begun.
        """
        if on > hanoi_day(self.store.clock.now()):
            raise Refusal("day-not-ready", f"{on} has not begun in Hanoi.")
        unread = await self.intake.read_waiting(agency_id)
        async with self.store.begin() as alone:
            # Held on a connection of its own, over the several transactions of a run.
            await alone.run(locks.RUN, {"agency": agency_id})
            report = await self._run(agency_id, on)
        report = replace(report, failed=[*unread, *report.failed])
        if not close:
            return report
        if report.failed:
            closed = Closed(is_closed=False, open_checks={"every line was taken up": report.failed})
            return replace(report, closed=closed)
        await self.before_close()
        closed = await self.casework.close(agency_id, on, actor, report.run_id)
        return replace(report, closed=closed)

    async def reconcile_yesterday(self) -> str:
        """Do what the job at 01:30 does: every agency, the day before, one failing alone.

        Raises SweepError at the end when one failed, so that the job is seen to fail.
        """
        on = hanoi_day(self.store.clock.now()) - timedelta(days=1)
        async with self.store.begin() as tx:
            agencies = [r["id"] for r in await tx.rows(select(t.agency.c.id))]
        said: list[str] = []

        async def one(agency_id: str) -> None:
            report = await self.reconcile(agency_id, on, "job:reconcile")
            state = "closed" if report.closed and report.closed.is_closed else "stays open"
            said.append(f"{agency_id} {on} {state}, {sum(report.breaks.values())} breaks")
            if report.failed:
                raise SweepError(list(report.failed))

        await sweep("reconcile yesterday", {a: a for a in agencies}, one)
        return "; ".join(said)

    async def again(self, agency_id: str, run_id: str) -> bool:
        """Run an old run again from its pinned instant; tells whether the answer is the same."""
        async with self.store.begin() as tx:
            c = t.recon_run.c
            old = await tx.row(select(t.recon_run).where(c.agency_id == agency_id, c.id == run_id))
        if old is None:
            raise Refusal("not-found", "There is no such run.")
        given, result = await self.match(agency_id, old["business_on"], old["as_of"])
        return (given.digest, result.digest) == (old["inputs_hash"], old["result_hash"])

    async def _run(self, agency_id: str, on: date) -> Report:
        started, as_of = self.store.clock.now(), self.store.clock.now()
        given, result = await self.match(agency_id, on, as_of)
        recovered, failed = await self._recover(agency_id, given, result)
        recovered += await self._give_word(agency_id, result.matches)
        if recovered:
            as_of = max(as_of, self.store.clock.now())
            given, result = await self.match(agency_id, on, as_of)
        run_id = self.store.clock.new_id("run")
        async with self.store.begin() as tx:
            posted = await self._post(tx, agency_id, postings(given, result))
            proof = await self._keep(tx, agency_id, on, run_id, given, result, as_of, started)
            days = (on - timedelta(days=marks()["window_days"]), on)
            await self.casework.keep(tx, agency_id, result.differences, run_id, days)
        breaks: dict[str, int] = {}
        for d in result.differences:
            breaks[d.kind] = breaks.get(d.kind, 0) + 1
        matched = len({m.line_id for m in result.matches})
        return Report(
            run_id, on, as_of, len(given.lines), matched, breaks, recovered, posted, proof, failed
        )

    async def match(self, agency_id: str, on: date, as_of: datetime) -> tuple[Inputs, Result]:
        """Say what a run sees at an instant, and finds; nothing is kept."""
        days, rules = (
            marks()["window_days"],
            DayRules(self.captures.business_day, self.captures.calendar),
        )
        async with self.store.begin() as tx:
            given = await load(tx, agency_id, on, as_of, days, self.holders, rules)
            hands = await by_hand.agreed(tx, agency_id, on - timedelta(days=days), as_of)
            given = await by_hand.seen(tx, agency_id, given, hands, as_of, rules)
        return given, by_hand.respected(given, await asyncio.to_thread(run, given), hands)

    async def _recover(
        self, agency_id: str, given: Inputs, result: Result
    ) -> tuple[int, Sequence[str]]:
        """Take up the captures that only a file tells of: one word more, under the usual rules.

        Gives how many, and the lines that could not be taken up: they stay breaks.
        """
        kinds = ("unknown_money", "ambiguous", "double", "wrong_reference")
        ids = [d.line_id for d in result.differences if d.kind in kinds and d.line_id]
        async with self.store.begin() as tx:
            lines = await tx.rows(_UNTOLD, {"agency": agency_id, "ids": ids})
            await self._advise(tx, agency_id, given, result, set(ids))
        untold = {
            line["id"]: (line["id"], *said)
            for line in sorted(lines, key=lambda x: x["id"])
            if (said := self._said(agency_id, line))
        }

        async def take_up(line: tuple[str, Provider, Notice, str]) -> None:
            line_id, provider, notice, source = line
            async with self.store.begin() as tx:
                await self.captures.apply(
                    tx, provider, notice, source, line_id, "", agency_id=agency_id
                )

        failed: list[str] = []
        try:
            await sweep("recover", untold, take_up)
        except SweepError as error:
            failed = error.failed
        return len(untold) - len(failed), failed

    async def _advise(
        self, tx: Tx, agency_id: str, given: Inputs, result: Result, unexplained: set[str]
    ) -> None:
        """Note which lines are words for captures already, where an equal line is unexplained.

        Else the statement would seem to tell of one such credit alone: the n-th is the n-th.
        """
        lines = {x["id"]: x for x in given.lines if x["source"] == "statement"}
        alike = {_alike(lines[line_id]) for line_id in unexplained & lines.keys()}
        pairs = {
            m.line_id: m.capture_id
            for m in result.matches
            if m.rule in TRANSFER_RULES and _alike(lines[m.line_id]) in alike
        }
        named = {(s["capture_id"], s["reference"]): s["payment_id"] for s in given.shares}
        for line in await tx.rows(_LINE, {"agency": agency_id, "ids": sorted(pairs)}):
            said, capture_id = self._said(agency_id, line), pairs[line["id"]]
            credit = told(agency_id, *said) if said else None
            if credit and capture_id:
                names = [(capture_id, r) for r in line["candidates"]]
                payment_id = next((named[name] for name in names if name in named), None)
                credit = replace(credit, payment_id=payment_id)
                await credit.note(tx, capture_id, self.store.clock.now())

    async def _give_word(self, agency_id: str, found: Sequence[Match]) -> int:
        """Take a provider's own list as its word that a refund which it never told of was made."""
        ids = [m.line_id for m in found if m.rule == "01-taken-back"]
        done = 0
        async with self.store.begin() as tx:
            waiting = {r["name"] for r in await tx.rows(_UNDONE, {"agency": agency_id})}
            lines = await tx.rows(_LINE, {"agency": agency_id, "ids": ids})
        for line in lines:
            provider = self.holders.of(agency_id).get(line["account"])
            if provider and line["kind"] == "refund" and line["reference"] in waiting:
                said = RefundSaid(RefundVerdict.DONE, line["reference"], line["txn_id"] or "")
                async with self.store.begin() as tx:
                    done += await self.sender.told(tx, provider, said)
        return done

    def _said(self, agency_id: str, line: Row) -> tuple[Provider, Notice, str] | None:
        """Read a line as a provider's word that money was taken, if it is one."""
        # Without a time it is the day's first moment, which no cut-off moves on.
        paid_at = line["txn_at"] or day_start(line["booked_on"])
        memo = " ".join(f"TP{r}" for r in line["candidates"])
        if line["source"] == "provider" and line["kind"] == "payment":
            provider = self.holders.of(agency_id).get(line["account"])
            notice = Notice(
                Verdict.CAPTURED, line["txn_id"], line["gross"],
                order_reference=line["reference"], memo=memo, paid_at=paid_at,
            )  # fmt: skip
            return (provider, notice, "provider_report") if provider else None
        holder = self.holders.banks(agency_id).get(line["account"])
        if line["source"] != "statement" or line["net"] <= 0 or holder is None:
            return None
        movement = Movement(
            line["account"], line["booked_on"].isoformat(), line["net"], line["reference"] or ""
        )
        notice = Notice(
            Verdict.CAPTURED, f"{STATEMENT}:{line['account']}:{line['line_key']}",
            line["net"], memo=memo, movement=movement, paid_at=paid_at,
        )  # fmt: skip
        return self.holders.of(agency_id)[holder], notice, STATEMENT

    async def _post(self, tx: Tx, agency_id: str, wanted: Sequence[Posting]) -> int:
        ids = [p.voucher for p in wanted]
        known = {r["voucher_id"] for r in await tx.rows(_BOOKED, {"agency": agency_id, "ids": ids})}
        fresh = [p for p in wanted if p.voucher not in known]
        for on in sorted({p.on for p in fresh}):
            entries = [e for p in fresh if p.on == on for e in p.entries]
            await tx.post(agency_id, entries, on=on)
        return len(fresh)

    async def _keep(
        self, tx: Tx, agency_id: str, on: date, run_id: str, given: Inputs, result: Result,
        as_of: datetime, started: datetime,
    ) -> Proof:  # fmt: skip
        known = {
            (r["rule"], r["line_id"], r["capture_id"])
            for r in await tx.rows(
                _KNOWN, {"agency": agency_id, "ids": sorted({m.line_id for m in result.matches})}
            )
        }
        proof = await proof_of(tx, agency_id, given, result, known, as_of)
        await tx.run(
            insert(t.recon_run),
            {"agency_id": agency_id, "id": run_id, "business_on": on, "as_of": as_of,
             "inputs_hash": given.digest, "rules_hash": rules_digest(),
             "result_hash": result.digest, "started_at": started,
             "ended_at": self.store.clock.now(),
             "summary": {"lines": len(given.lines), "matches": len(result.matches),
                         "breaks": len(result.differences), "rules": rule_versions(),
                         "proof": proof}},
        )  # fmt: skip
        fresh = [m for m in result.matches if (m.rule, m.line_id, m.capture_id) not in known]
        if fresh:
            await tx.run(
                insert(t.recon_match),
                [{"agency_id": agency_id, "id": self.store.clock.new_id("mat"), "run_id": run_id,
                  "rule": m.rule, "why": m.why, "capture_id": m.capture_id, "line_id": m.line_id,
                  "amount": m.amount} for m in fresh],
            )  # fmt: skip
        return proof


def _alike(line: Row) -> tuple[object, ...]:
    """Give what equal credits have in common."""
    return line["account"], line["booked_on"], line["net"]
