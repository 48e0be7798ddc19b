"""Breaks that a run opens and closes, the checks at close, and the closing of a day itself.

Closing posts nothing: it locks the day, seals its entries and marks as settled what three sides
agree on. Reopening takes the lock and the marks back.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import text

from gateway.domain import payment as rules
from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.services.invariants import violations
from gateway.store.tx import Store, Tx
from reconciliation.engine import Difference

_ALONE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:agency, 7413002))")
_OURS: Final = "(subject LIKE 'line:%' OR kind LIKE 'missing%')"
_OPEN: Final = text(
    "INSERT INTO break (agency_id, id, kind, state, subject, amount, payment_id, capture_id,"
    " line_id, why, owner_role, opened_at, since_on) VALUES (:agency, :id, :kind, 'open', :subject,"
    " :amount, (SELECT min(payment_id) FROM allocation a WHERE a.agency_id = :agency"
    " AND a.capture_id = :capture_id), :capture_id, :line_id, :why, 'accountant', :now, :since_on)"
    " ON CONFLICT (agency_id, kind, subject) DO UPDATE SET state = 'open', resolved_at = NULL,"
    " resolution = NULL WHERE break.state = 'resolved'"
)
_GONE: Final = text(
    "UPDATE break SET state = 'resolved', resolved_at = :now, resolution = :resolution"
    f" WHERE agency_id = :agency AND state = 'open' AND {_OURS} AND since_on BETWEEN :since"
    " AND :upto AND NOT (kind || '|' || subject) = ANY(:still)"
)
_TRANSFERS: Final = "'02-bank-movement','03-reference','04-nth-of-equals','11-business-day'"
_BANK_RULES: Final = f"({_TRANSFERS},'05-batch')"
_TREASURY_RULES: Final = "('08-obligation','09-lump')"
_BALANCE: Final = (
    "(SELECT coalesce(sum(CASE WHEN debit = '{0}' THEN amount ELSE -amount END), 0)::bigint"
    " FROM entry WHERE agency_id = :agency AND booked_on <= :upto AND '{0}' IN (debit, credit))"
)
_ARRIVED: Final = (
    "EXISTS (SELECT 1 FROM recon_match m JOIN statement_line l ON l.agency_id = m.agency_id"
    " AND l.id = m.line_id WHERE m.agency_id = c.agency_id AND m.capture_id = c.id"
    " AND l.booked_on <= :upto AND m.rule IN {0})"
)

# What refunds and quarrels took out of clearing, and no paid batch has shown yet.
_GONE_FROM_CLEARING: Final = (
    "(SELECT coalesce(sum(CASE WHEN e.credit = '1380' THEN e.amount ELSE -e.amount END), 0)::bigint"
    " FROM entry e WHERE e.agency_id = :agency AND e.booked_on <= :upto"
    " AND '1380' IN (e.debit, e.credit) AND e.voucher_kind IN ('refund','dispute')"
    " AND NOT EXISTS (SELECT 1 FROM recon_match m JOIN statement_line l"
    " ON l.agency_id = m.agency_id AND l.id = m.line_id"
    " LEFT JOIN dispute d ON d.agency_id = e.agency_id AND d.id = e.voucher_id"
    " JOIN entry p ON p.agency_id = l.agency_id AND p.batch_id = l.batch_id"
    " AND p.provider_account = l.account AND p.rule = 'payout' AND p.booked_on <= :upto"
    " WHERE m.agency_id = e.agency_id AND m.rule = '01-taken-back'"
    " AND l.reference IN (substr(e.voucher_id, 5), d.provider_dispute_id)))"
)

# Each query gives what breaks its check, so an empty answer is the proof (LEDGER, close of day).
CHECKS: Final[Mapping[str, str]] = {
    "the bank account equals its statement": (
        "SELECT '1120 ' || ours || ', statement ' || theirs AS what FROM (SELECT"
        f" {_BALANCE.format('1120')} AS ours, (SELECT coalesce(sum(net), 0)::bigint"
        " FROM statement_line WHERE agency_id = :agency AND source = 'statement'"
        " AND booked_on <= :upto) AS theirs) x WHERE ours <> theirs"
    ),
    # A bank may list a transfer before the business day on which its account's setting books it.
    "clearing equals the captures not paid out, one by one": (
        "SELECT '1380 ' || ours || ', captures ' || theirs AS what FROM (SELECT"
        f" {_BALANCE.format('1380')} AS ours, (SELECT coalesce(sum(CASE WHEN c.booked_on <= :upto"
        f" THEN c.amount ELSE 0 END - CASE WHEN {_ARRIVED.format(_BANK_RULES)} THEN c.amount"
        " ELSE 0 END), 0)::bigint FROM capture c WHERE c.agency_id = :agency)"
        f" - {_GONE_FROM_CLEARING} AS theirs) x"
        " WHERE ours <> theirs"
    ),
    "each capture was looked for in its provider's or bank's file": (
        "SELECT c.id AS what FROM capture c WHERE c.agency_id = :agency AND c.booked_on <= :upto"
        " AND NOT EXISTS (SELECT 1 FROM recon_match m WHERE m.agency_id = c.agency_id"
        f" AND m.capture_id = c.id AND m.rule IN ('01-provider-id',{_TRANSFERS}))"
        " AND NOT EXISTS (SELECT 1 FROM break k WHERE k.agency_id = c.agency_id"
        " AND k.subject = 'capture:' || c.id AND k.kind = 'missing_at_provider')"
    ),
    "receipts equal what was collected, fee by fee": (
        "SELECT e.payment_id AS what FROM entry e JOIN payment p ON p.agency_id = e.agency_id"
        " AND p.id = e.payment_id LEFT JOIN capture c ON c.agency_id = e.agency_id"
        " AND c.id = e.voucher_id WHERE e.agency_id = :agency AND e.booked_on <= :upto"
        " AND e.credit IN ('3330','3370') AND e.voucher_kind = 'capture'"
        # What another platform receipts is collected too, and must have none of ours.
        " GROUP BY e.agency_id, e.payment_id, e.credit"
        " HAVING coalesce(sum(e.amount) FILTER (WHERE NOT c.receipt_elsewhere), 0) <> (SELECT"
        " coalesce(sum(r.amount), 0) FROM receipt r WHERE r.agency_id = e.agency_id"
        " AND r.payment_id = e.payment_id AND r.xml IS NOT NULL"
        " AND r.kind = CASE e.credit WHEN '3330' THEN 'le_phi' ELSE 'phi' END)"
    ),
    "confirmed remittances equal the treasury's lines": (
        "SELECT 'confirmed ' || ours || ', treasury ' || theirs AS what FROM (SELECT"
        " (SELECT coalesce(sum(amount), 0)::bigint FROM entry WHERE agency_id = :agency"
        " AND booked_on <= :upto AND debit = '3330' AND credit = '1130') AS ours,"
        " (SELECT coalesce(sum(net), 0)::bigint FROM statement_line l WHERE agency_id = :agency"
        " AND source = 'treasury' AND booked_on <= :upto AND NOT EXISTS (SELECT 1 FROM break k"
        " WHERE k.agency_id = l.agency_id AND k.subject = 'line:' || l.id AND k.state = 'open'))"
        " AS theirs) x WHERE ours <> theirs"
    ),
    "no file waits to be read": (
        "SELECT name AS what FROM statement_file WHERE agency_id = :agency AND state = 'queued'"
    ),
    "earlier days are closed": (
        "SELECT DISTINCT e.booked_on::text AS what FROM entry e WHERE e.agency_id = :agency"
        " AND e.booked_on < :upto AND NOT EXISTS (SELECT 1 FROM day d WHERE"
        " d.agency_id = e.agency_id AND d.booked_on = e.booked_on AND d.state = 'closed')"
    ),
}
shown_max: Final = 5

# The provider's word, and the money's arrival at bank or treasury, for every capture that pays it;
# where the statement is the only word for a transfer, the treasury is the third side.
_PROOF: Final = (
    "SELECT a.payment_id, bool_and(x.told_on IS NOT NULL AND x.came_on IS NOT NULL) AS proved,"
    " max(greatest(c.booked_on, x.told_on, x.came_on)) AS proof_on"
    " FROM allocation a JOIN capture c ON c.agency_id = a.agency_id AND c.id = a.capture_id"
    " JOIN payment p ON p.agency_id = a.agency_id AND p.id = a.payment_id AND p.state = :state"
    " CROSS JOIN LATERAL (SELECT coalesce(min(l.booked_on) FILTER (WHERE m.rule ="
    " '01-provider-id'), (SELECT c.booked_on FROM evidence v WHERE v.agency_id = c.agency_id"
    " AND v.capture_id = c.id AND v.source = 'notice' AND c.bank_reference IS NOT NULL LIMIT 1),"
    f" CASE WHEN count(*) FILTER (WHERE m.rule IN ({_TRANSFERS})) > 0"
    f" THEN min(l.booked_on) FILTER (WHERE m.rule IN {_TREASURY_RULES})"
    " END) AS told_on,"
    f" min(l.booked_on) FILTER (WHERE m.rule IN {_BANK_RULES} OR m.rule IN {_TREASURY_RULES})"
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

    async def checks(self, tx: Tx, agency_id: str, on: date) -> dict[str, list[str]]:
        """Ask every check at close; each answer lists what breaks it."""
        broken: dict[str, list[str]] = {}
        for name, query in CHECKS.items():
            values = {"agency": agency_id, "upto": on}
            given = {k: v for k, v in values.items() if f":{k}" in query}
            rows = await tx.rows(text(f"{query} LIMIT {shown_max}"), given)
            if rows:
                broken[name] = [str(r["what"]) for r in rows]
        return broken

    async def close(self, agency_id: str, on: date, actor: str, run_id: str | None) -> Closed:
        """Close a day, if every check holds. Twice does nothing twice.

        Raises Refusal when the day is not over yet.
        """
        now = self.store.clock.now()
        if hanoi_day(now) <= on:
            raise Refusal("day-not-ready", f"{on} is not over in Hanoi: close it tomorrow.")
        wrong = {v.rule: list(v.what) for v in await violations(self.store)}
        async with self.store.begin() as tx:
            # Whoever posts holds this lock shared: from here on nobody posts into the day.
            await tx.run(_ALONE, {"agency": agency_id})
            known = await _day(tx, agency_id, on)
            if known and known["state"] == "closed":
                return Closed(is_closed=True, open_checks={}, seal=known["seal"])
            broken = await self.checks(tx, agency_id, on) | wrong
            if broken:
                return Closed(is_closed=False, open_checks=broken)
            seal = await _seal(tx, agency_id, on)
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

    async def reopen(self, agency_id: str, on: date, actor: str) -> int:
        """Unlock the last closed day and take its marks back; gives how many payments.

        Raises Refusal for a day that is not closed, or that a later closed day builds on.
        """
        async with self.store.begin() as tx:
            await tx.run(_ALONE, {"agency": agency_id})
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
                    "UPDATE day SET state = 'reopened' WHERE agency_id = :agency"
                    " AND booked_on = :on"
                ),
                {"agency": agency_id, "on": on},
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


async def _seal(tx: Tx, agency_id: str, on: date) -> str:
    """SHA-256 over the day's entries and the day before's seal, so that days form a chain."""
    before = await tx.row(
        text(
            "SELECT seal FROM day WHERE agency_id = :agency AND booked_on < :on"
            " ORDER BY booked_on DESC LIMIT 1"
        ),
        {"agency": agency_id, "on": on},
    )
    entries = await tx.rows(
        text("SELECT * FROM entry WHERE agency_id = :agency AND booked_on = :on ORDER BY id"),
        {"agency": agency_id, "on": on},
    )
    said = [before["seal"] if before else "", [[str(v) for v in e.values()] for e in entries]]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
