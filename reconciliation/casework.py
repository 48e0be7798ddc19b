"""Breaks that a run opens and closes, the checks at close, and the closing of a day itself.

Closing posts nothing: it locks the day, seals its entries and marks as settled what three sides
agree on. Reopening takes the lock and the marks back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import text

from gateway.domain import payment as rules
from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.services.invariants import violations
from gateway.store import locks
from gateway.store.tx import Store, Tx
from reconciliation.checks import BANK_RULES, SIGNED, TRANSFERS, TREASURY_RULES, failing
from reconciliation.day_sheets import DaySheets, is_by_two, is_signed
from reconciliation.engine import Difference
from reconciliation.holders import Holders
from reconciliation.seals import seal_now

BY_TWO: Final = "rule:two-signatures"
_LAST_RUN: Final = text(
    "SELECT id FROM recon_run WHERE agency_id = :agency AND business_on = :on"
    " ORDER BY ended_at DESC, id DESC LIMIT 1"
)
_OURS: Final = "(subject LIKE 'line:%' OR kind LIKE 'missing%')"
# A line that proves something, or a capture that a line of the right side proves, in any run.
_PROVED: Final = (
    "EXISTS (SELECT 1 FROM recon_match m JOIN statement_line l ON l.agency_id = m.agency_id"
    " AND l.id = m.line_id WHERE m.agency_id = k.agency_id AND (m.line_id = k.line_id"
    " OR (k.line_id IS NULL AND m.capture_id = k.capture_id"
    " AND (l.source = 'treasury') = (k.kind = 'missing_at_treasury'))))"
)
# A run of an earlier day sees fewer captures and lines, so it may miss what a later one has proved.
_OPEN: Final = text(
    "INSERT INTO break (agency_id, id, kind, state, subject, amount, payment_id, capture_id,"
    " line_id, why, owner_role, opened_at, since_on) SELECT agency_id, :id, kind, 'open', :subject,"
    " :amount, (SELECT min(payment_id) FROM allocation a WHERE a.agency_id = k.agency_id"
    " AND a.capture_id = k.capture_id), capture_id, line_id, :why, 'accountant', :now, :since_on"
    " FROM (SELECT CAST(:agency AS text) AS agency_id, CAST(:kind AS text) AS kind,"
    " CAST(:capture_id AS text) AS capture_id, CAST(:line_id AS text) AS line_id) k"
    f" WHERE NOT {_PROVED}"
    " ON CONFLICT (agency_id, kind, subject) DO UPDATE SET state = 'open', resolved_at = NULL,"
    " resolution = NULL WHERE break.state = 'resolved'"
)
# And what it does not find may still be wrong: only a proof resolves, or the run of the last day.
_GONE: Final = text(
    "UPDATE break k SET state = 'resolved', resolved_at = :now, resolution = :resolution"
    f" WHERE agency_id = :agency AND state = 'open' AND {_OURS} AND since_on BETWEEN :since"
    f" AND :upto AND NOT (kind || '|' || subject) = ANY(:still) AND ({_PROVED} OR NOT EXISTS"
    " (SELECT 1 FROM recon_run r WHERE r.agency_id = k.agency_id AND r.business_on > :upto))"
)

# The provider's word, and the money's arrival at bank or treasury, for every capture that pays it;
# where the statement is the only word for a transfer, the treasury is the third side. Cash has the
# word of the two who signed its drawer's count.
_PROOF: Final = (
    "SELECT a.payment_id, bool_and(x.told_on IS NOT NULL AND x.came_on IS NOT NULL) AS proved,"
    " max(greatest(c.booked_on, x.told_on, x.came_on)) AS proof_on"
    " FROM allocation a JOIN capture c ON c.agency_id = a.agency_id AND c.id = a.capture_id"
    " JOIN payment p ON p.agency_id = a.agency_id AND p.id = a.payment_id AND p.state = :state"
    " CROSS JOIN LATERAL (SELECT coalesce(min(l.booked_on) FILTER (WHERE m.rule ="
    " '01-provider-id'), (SELECT c.booked_on FROM evidence v WHERE v.agency_id = c.agency_id"
    " AND v.capture_id = c.id AND v.source = 'notice' AND c.bank_reference IS NOT NULL LIMIT 1),"
    " (SELECT CAST(s.closed_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date) FROM counter_take k"
    " JOIN shift s ON s.agency_id = k.agency_id AND s.id = k.shift_id AND s.state = 'closed'"
    " WHERE k.agency_id = c.agency_id AND k.capture_id = c.id AND k.method = 'cash'),"
    f" CASE WHEN count(*) FILTER (WHERE m.rule IN ({TRANSFERS})) > 0"
    f" THEN min(l.booked_on) FILTER (WHERE m.rule IN {TREASURY_RULES})"
    " END) AS told_on,"
    f" min(l.booked_on) FILTER (WHERE m.rule IN {BANK_RULES} OR m.rule IN {TREASURY_RULES})"
    " AS came_on FROM recon_match m JOIN statement_line l ON l.agency_id = m.agency_id"
    " AND l.id = m.line_id WHERE m.agency_id = c.agency_id AND m.capture_id = c.id) x"
    " WHERE a.agency_id = :agency AND a.use IN ('debt', 'on_account') GROUP BY a.payment_id"
)
_TO_SETTLE: Final = text(
    f"SELECT payment_id FROM ({_PROOF}) y WHERE proved AND proof_on <= :on ORDER BY 1"
)
_TO_UNSETTLE: Final = text(
    f"SELECT payment_id FROM ({_PROOF}) y WHERE NOT proved OR proof_on >= :on ORDER BY 1"
)


@dataclass(frozen=True, slots=True)
class Closed:
    """What closing a day did: its seal, or what kept it open."""

    is_closed: bool
    open_checks: Mapping[str, Sequence[str]]
    settled: int = 0
    seal: str = ""


@dataclass(frozen=True, slots=True)
class Casework:
    """Breaks and days of the agencies."""

    store: Store
    holders: Holders

    async def keep(
        self, tx: Tx, agency_id: str, found: Sequence[Difference], run: str, days: tuple[date, date]
    ) -> int:
        """Open what a run found, and resolve what it no longer finds; gives how many are open."""
        now = self.store.clock.now()
        for d in found:
            await tx.run(
                _OPEN,
                {"agency": agency_id, "id": self.store.clock.new_id("brk"), "kind": d.kind,
                 "subject": d.subject, "amount": d.amount, "capture_id": d.capture_id,
                 "line_id": d.line_id, "why": d.why, "now": now, "since_on": d.since_on},
            )  # fmt: skip
        await tx.run(
            _GONE,
            {"agency": agency_id, "now": now, "resolution": f"{run} finds both sides in agreement",
             "since": days[0], "upto": days[1], "still": [f"{d.kind}|{d.subject}" for d in found]},
        )  # fmt: skip
        return len(found)

    async def close(self, agency_id: str, on: date, actor: str, run_id: str | None) -> Closed:
        """Close a day, if every check holds. Twice does nothing twice.

        Raises Refusal when the day is not over yet.
        """
        now = self.store.clock.now()
        if hanoi_day(now) <= on:
            raise Refusal("day-not-ready", f"{on} is not over in Hanoi: close it tomorrow.")
        wrong = {v.rule: list(v.what) for v in await violations(self.store, agency_id)}
        async with self.store.begin() as tx:
            # Whoever posts holds this lock shared: from here on nobody posts into the day.
            await tx.run(locks.CLOSING, {"agency": agency_id})
            known = await _day(tx, agency_id, on)
            if known and known["state"] == "closed":
                return Closed(is_closed=True, open_checks={}, seal=known["seal"])
            broken = await failing(tx, agency_id, on, self.holders.banks(agency_id)) | wrong
            if broken:
                return Closed(is_closed=False, open_checks=broken)
            seal = await seal_now(tx, agency_id, on)
            if await is_by_two(tx, agency_id) and not await is_signed(tx, agency_id, on, seal):
                return Closed(is_closed=False, open_checks={SIGNED: [f"/console/days/{on}"]})
            await tx.run(
                text(
                    "INSERT INTO day (agency_id, booked_on, state, closed_by, closed_at, run_id,"
                    " seal) VALUES (:agency, :on, 'closed', :actor, :now, :run, :seal)"
                    " ON CONFLICT (agency_id, booked_on) DO UPDATE SET state = 'closed',"
                    " closed_by = :actor, closed_at = :now, run_id = :run, seal = :seal"
                ),
                {"agency": agency_id, "on": on, "actor": actor, "now": now, "run": run_id,
                 "seal": seal},
            )  # fmt: skip
            await tx.note(agency_id, actor, "day.close", on.isoformat())
            settled = await self._mark(tx, agency_id, on)
        return Closed(is_closed=True, open_checks={}, settled=settled, seal=seal)

    async def close_signed(self) -> int:
        """Close the days that two people have signed since their checks held; count them."""
        done = 0
        for agency_id, on in await DaySheets(self.store, self.holders).signed_and_open():
            async with self.store.begin() as tx:
                run = await tx.row(_LAST_RUN, {"agency": agency_id, "on": on})
            closed = await self.close(agency_id, on, BY_TWO, run["id"] if run else None)
            done += closed.is_closed
        return done

    async def reopen(self, agency_id: str, on: date, actor: str) -> int:
        """Unlock the last closed day and take its marks back; gives how many payments.

        Raises Refusal for a day that is not closed, or that a later closed day builds on.
        """
        async with self.store.begin() as tx:
            await tx.run(locks.CLOSING, {"agency": agency_id})
            last = await tx.row(
                text(
                    "SELECT max(booked_on) AS on FROM day"
                    " WHERE agency_id = :agency AND state = 'closed'"
                ),
                {"agency": agency_id},
            )
            if not last or last["on"] is None or last["on"] < on:
                raise Refusal("not-found", f"{on} is not closed.")
            if last["on"] > on:
                raise Refusal("day-closed", f"Reopen {last['on']} first: it builds on {on}.")
            await tx.run(
                text(
                    "UPDATE day SET state = 'reopened', reopened_at = :now"
                    " WHERE agency_id = :agency AND booked_on = :on"
                ),
                {"agency": agency_id, "on": on, "now": self.store.clock.now()},
            )
            await tx.note(agency_id, actor, "day.reopen", on.isoformat())
            return await self._mark(tx, agency_id, on, back=True)

    async def _mark(self, tx: Tx, agency_id: str, on: date, *, back: bool = False) -> int:
        wanted = _TO_UNSETTLE if back else _TO_SETTLE
        decide = rules.unsettle if back else rules.settle
        rows = await tx.rows(
            wanted, {"agency": agency_id, "on": on, "state": "settled" if back else "paid"}
        )
        for row in rows:
            payment = await tx.payment(agency_id, row["payment_id"], lock=True)
            if payment:
                await tx.record([decide(payment)])
        return len(rows)


async def _day(tx: Tx, agency_id: str, on: date) -> Mapping[str, Any] | None:
    return await tx.row(
        text("SELECT state, seal FROM day WHERE agency_id = :agency AND booked_on = :on"),
        {"agency": agency_id, "on": on},
    )
