"""Remittances: what closed days owe to the budget, line by line, on a slip that two people make.

One person prepares it of what is due and on no slip yet; another signs exactly what was shown. The
bank moves the money under the slip's number; when the treasury has confirmed each of its lines the
slip is confirmed. No entry is booked here: the bank's and the treasury's files do that (LEDGER.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.services.agencies import AREA, TREASURY_ACCOUNT, TREASURY_CODE, TREASURY_NAME
from gateway.store import locks
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from reconciliation.acts import digest
from reconciliation.holders import Holders

CONTENT: Final = "NOP NSNN"  # By which a statement tells a remittance (marks.toml).
listed_max: Final = 100
suffixes: Final = " BCDEFGHIJKLMNOPQRSTUVWXYZ"  # Of a day's second slip, and so on.
_LAST_CLOSED: Final = text(
    "SELECT max(d.booked_on) AS booked_on FROM day d WHERE d.agency_id = :agency"
    " AND d.state = 'closed' AND d.booked_on < coalesce((SELECT min(e.booked_on) FROM entry e"
    " WHERE e.agency_id = d.agency_id AND NOT EXISTS (SELECT 1 FROM day x"
    " WHERE x.agency_id = e.agency_id AND x.booked_on = e.booked_on AND x.state = 'closed')),"
    " 'infinity')"
)
# What is due by budget line: collected and put right, lệ phí and phí that nothing was kept of, less
# what was given back or confirmed since, on whatever day.
_DUE: Final = text(
    "SELECT coalesce(budget_line, '') AS budget_line, sum(CASE WHEN credit IN ('3330','3370')"
    " THEN amount ELSE 0 END - CASE WHEN debit IN ('3330','3370') THEN amount ELSE 0 END)::bigint"
    " AS amount FROM entry WHERE agency_id = :agency AND (debit IN ('3330','3370')"
    " OR credit IN ('3330','3370')) AND (booked_on <= :upto OR credit NOT IN ('3330','3370'))"
    " GROUP BY 1"
)
_UNCLOSED: Final = text(
    "SELECT min(e.booked_on) AS first FROM (SELECT DISTINCT booked_on FROM entry"
    " WHERE agency_id = :agency AND booked_on <= :upto) e WHERE NOT EXISTS (SELECT 1 FROM day d"
    " WHERE d.agency_id = :agency AND d.booked_on = e.booked_on AND d.state = 'closed')"
)
_ON_SLIPS: Final = text(
    "SELECT x.line ->> 'budget_line' AS budget_line, sum((x.line ->> 'amount')::bigint)::bigint"
    " AS amount FROM remittance r, jsonb_array_elements(r.slip -> 'lines') x (line)"
    " WHERE r.agency_id = :agency AND r.state = 'signed' GROUP BY 1"
)
# Money that left for the treasury and is not confirmed; that of a slip has the slip's number.
_ON_ITS_WAY: Final = text(
    "SELECT coalesce(sum(CASE WHEN e.debit = '1130' THEN e.amount ELSE -e.amount END), 0)::bigint"
    " AS amount FROM entry e JOIN statement_line l ON l.agency_id = e.agency_id"
    " AND l.id = e.voucher_id WHERE e.agency_id = :agency AND (e.debit, e.credit) IN"
    " (('1130','1120'), ('3330','1130')) AND NOT EXISTS (SELECT 1 FROM remittance r"
    " WHERE r.agency_id = e.agency_id AND r.number = CASE l.source WHEN 'treasury' THEN l.batch_id"
    " ELSE l.reference END)"
)
_LEFT: Final = text(
    "SELECT 1 FROM statement_line WHERE agency_id = :agency AND source = 'statement'"
    " AND reference = :number AND net < 0 LIMIT 1"
)
_ARRIVED: Final = text(
    "SELECT l.budget_line, sum(l.net)::bigint AS amount FROM statement_line l"
    " WHERE l.agency_id = :agency AND l.source = 'treasury' AND l.batch_id = :number"
    " AND EXISTS (SELECT 1 FROM recon_match m WHERE m.agency_id = l.agency_id"
    " AND m.line_id = l.id) GROUP BY 1"
)
_SIGNED: Final = text(
    "SELECT agency_id, id, number, slip FROM remittance WHERE state = 'signed' ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class Remittances:
    """The agencies' slips."""

    store: Store
    holders: Holders

    async def last_closed(self, agency_id: str) -> date | None:
        """Give the last day up to which every day is closed."""
        async with self.store.begin() as tx:
            row = await tx.row(_LAST_CLOSED, {"agency": agency_id})
        found: date | None = row["booked_on"] if row else None
        return found

    async def due(self, agency_id: str, upto: date) -> list[dict[str, Any]]:
        """List what is due and on no slip, by budget line."""
        async with self.store.begin() as tx:
            return await _due(tx, agency_id, upto)

    async def prepare(self, agency_id: str, upto: date, actor: str) -> str:
        """Put all that is due up to a closed day on a slip; give its id. Raises Refusal."""
        now = self.store.clock.now()
        async with self.store.begin() as tx:
            await tx.run(locks.RUN, {"agency": agency_id})
            await _require_closed(tx, agency_id, upto)
            lines = await _due(tx, agency_id, upto)
            if not lines:
                raise Refusal("invalid-request", "Nothing is due to the budget that is on no slip.")
            agency = await tx.row(select(t.agency).where(t.agency.c.id == agency_id))
            if agency is None:
                raise Refusal("not-found", f"There is no agency {agency_id}.")
            number = await _number(tx, agency_id, hanoi_day(now))
            slip = self._slip(agency, number, upto, lines)
            row = {
                "agency_id": agency_id, "id": self.store.clock.new_id("rem"), "number": number,
                "state": "prepared", "upto": upto, "amount": slip["amount"], "slip": slip,
                "hash": digest(slip), "prepared_by": actor, "prepared_at": now,
            }  # fmt: skip
            if not await tx.run(insert(t.remittance).on_conflict_do_nothing(), row):
                raise Refusal("invalid-request", "A slip waits for its second person already.")
            await tx.note(agency_id, actor, "remittance.prepare", number)
        return str(row["id"])

    def _slip(
        self, agency: Row, number: str, upto: date, lines: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Write what the slip says: the fields of C1-02/NS that the agency knows."""
        settings, banks = agency["settings"], sorted(self.holders.banks(agency["id"]))
        return {
            "number": number, "upto": upto.isoformat(), "currency": "VND",
            "payer": agency["name"], "payer_tax_code": agency["tax_code"],
            "payer_address": agency["address"], "debit_account": banks[0] if banks else "",
            "treasury": settings.get(TREASURY_NAME, ""),
            "treasury_account": settings.get(TREASURY_ACCOUNT, ""),
            "collecting_code": settings.get(TREASURY_CODE, ""),
            "content": f"{CONTENT} {number}",
            "lines": [
                {"n": n, "chapter": agency["budget_chapter"], "area": settings.get(AREA, ""),
                 **line}
                for n, line in enumerate(lines, 1)
            ],
            "amount": sum(line["amount"] for line in lines),
        }  # fmt: skip

    async def decide(
        self, agency_id: str, remittance_id: str, actor: str, shown: str, *, sign: bool
    ) -> None:
        """Sign what was shown, as a second person; or cancel it. Raises Refusal."""
        c = t.remittance.c
        here = (c.agency_id == agency_id) & (c.id == remittance_id)
        async with self.store.begin() as tx:
            row = await tx.row(select(t.remittance).where(here).with_for_update())
            if row is None:
                raise Refusal("not-found", "There is no such slip in this agency.")
            if sign and row["prepared_by"] == actor:
                raise Refusal("same-person", "Somebody else must sign what you prepared.")
            if sign and shown != row["hash"]:
                raise Refusal("invalid-request", "This is not what you were shown: read it again.")
            await _require_possible(tx, row, sign=sign)
            if sign:
                await _require_due(tx, row)
            state = "signed" if sign else "cancelled"
            await tx.run(
                t.remittance.update()
                .where(here)
                .values(state=state, decided_by=actor, decided_at=self.store.clock.now())
            )
            what = "remittance.sign" if sign else "remittance.cancel"
            await tx.note(agency_id, actor, what, row["number"])

    async def listed(self, agency_id: str) -> Sequence[Row]:
        """List slips, the newest first."""
        c = t.remittance.c
        async with self.store.begin() as tx:
            return await tx.rows(
                select(t.remittance)
                .where(c.agency_id == agency_id)
                .order_by(c.id.desc())
                .limit(listed_max)
            )

    async def one(self, agency_id: str, remittance_id: str) -> Row:
        """Give a slip. Raises Refusal."""
        c = t.remittance.c
        async with self.store.begin() as tx:
            found = await tx.row(
                select(t.remittance).where(c.agency_id == agency_id, c.id == remittance_id)
            )
        if found is None:
            raise Refusal("not-found", "There is no such slip in this agency.")
        return found

    async def confirm(self) -> int:
        """Close the slips whose every line the treasury has confirmed; count them."""
        async with self.store.begin() as tx:
            signed = await tx.rows(_SIGNED)
        done = 0
        for slip in signed:
            async with self.store.begin() as tx:
                asked = {"agency": slip["agency_id"], "number": slip["number"]}
                came = {x["budget_line"]: x["amount"] for x in await tx.rows(_ARRIVED, asked)}
                if came != {x["budget_line"]: x["amount"] for x in slip["slip"]["lines"]}:
                    continue
                c = t.remittance.c
                is_it = (c.agency_id == slip["agency_id"]) & (c.id == slip["id"])
                now = self.store.clock.now()
                done += await tx.run(
                    t.remittance.update()
                    .where(is_it, c.state == "signed")
                    .values(state="confirmed", confirmed_at=now)
                )
        return done


async def _due(tx: Tx, agency_id: str, upto: date) -> list[dict[str, Any]]:
    asked = {"agency": agency_id, "upto": upto}
    taken = {x["budget_line"]: x["amount"] for x in await tx.rows(_ON_SLIPS, asked)}
    found = {x["budget_line"]: x["amount"] for x in await tx.rows(_DUE, asked)}
    due = {line: amount - taken.get(line, 0) for line, amount in found.items()}
    return [
        {"budget_line": line, "amount": amount}
        for line, amount in sorted(due.items())
        if amount > 0
    ]


async def _require_closed(tx: Tx, agency_id: str, upto: date) -> None:
    """See that what is due will not change, and that nothing unknown is on its way."""
    row = await tx.row(_UNCLOSED, {"agency": agency_id, "upto": upto})
    if row and row["first"]:
        raise Refusal("invalid-request", f"{row['first']} must be closed first.")
    way = await tx.row(_ON_ITS_WAY, {"agency": agency_id})
    if way and way["amount"] > 0:
        raise Refusal("invalid-request", f"{way['amount']} đồng is on its way to the treasury that"
                      " no slip names: wait until it is confirmed.")  # fmt: skip


async def _require_possible(tx: Tx, row: Row, *, sign: bool) -> None:
    if sign and row["state"] != "prepared":
        raise Refusal("invalid-request", "It is decided already.")
    if not sign and row["state"] not in ("prepared", "signed"):
        raise Refusal("invalid-request", "It is decided already.")
    asked = {"agency": row["agency_id"], "number": row["number"]}
    if not sign and await tx.row(_LEFT, asked):
        raise Refusal("invalid-request", "The bank has moved its money already.")


async def _require_due(tx: Tx, row: Row) -> None:
    """See that what the slip says is still what is due: money may have been given back since."""
    now = {x["budget_line"]: x["amount"] for x in await _due(tx, row["agency_id"], row["upto"])}
    if now != {x["budget_line"]: x["amount"] for x in row["slip"]["lines"]}:
        raise Refusal("invalid-request", "What is due has changed since this slip was prepared:"
                      " cancel it, and prepare another.")  # fmt: skip


async def _number(tx: Tx, agency_id: str, on: date) -> str:
    """Give the day's next number; the treasury's lines are numbered after it."""
    c = t.remittance.c
    found = await tx.rows(
        select(c.number).where(c.agency_id == agency_id, c.number.like(f"NS{on:%Y%m%d}%"))
    )
    if len(found) >= len(suffixes):
        raise Refusal("invalid-request", "There are too many slips of today.")
    return f"NS{on:%Y%m%d}{suffixes[len(found)]}".strip()
