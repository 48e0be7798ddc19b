"""What people at a desk ask of the books: today, a search, one payment's whole story, open cases.

Reading only, and only one agency's rows. Personal data stays sealed; ``reveal`` opens it for one
person, once, and leaves a trace.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from gateway.domain.calendar import day_end, day_start, hanoi_day
from gateway.domain.errors import Refusal
from gateway.domain.ids import read_typed
from gateway.domain.payment import Payment
from gateway.ports.vault import Vault
from gateway.services.payer_keys import PayerKeys
from gateway.services.unexplained import unexplained_in
from gateway.store.tx import Row, Store, Tx

page_rows_max: Final = 50
stuck_after: Final = timedelta(minutes=5)

_TODAY: Final = text(
    "SELECT provider, count(*) AS n, sum(amount)::bigint AS amount FROM capture"
    " WHERE agency_id = :agency AND value_on = :on GROUP BY provider ORDER BY provider"
)
_BY_BRANCH: Final = text(
    "SELECT b.name, count(*) AS n, sum(p.amount_received)::bigint AS amount FROM payment p"
    " JOIN branch b ON b.agency_id = p.agency_id AND b.id = p.branch_id WHERE p.agency_id = :agency"
    " AND p.paid_at >= :since AND p.paid_at < :upto GROUP BY b.name ORDER BY b.name"
)
_WAITING: Final = text(
    "SELECT (SELECT count(*) FROM payment WHERE agency_id = :agency AND in_doubt) AS in_doubt,"
    " (SELECT count(*) FROM break WHERE agency_id = :agency AND state = 'open') AS breaks,"
    " (SELECT min(since_on) FROM break WHERE agency_id = :agency AND state = 'open') AS oldest,"
    " (SELECT count(*) FROM receipt WHERE agency_id = :agency AND xml IS NULL"
    " AND numbered_at < :before) AS unsealed,"
    " (SELECT count(*) FROM refund WHERE agency_id = :agency AND state = 'requested') AS refunds,"
    " (SELECT count(*) FROM correction WHERE agency_id = :agency AND state = 'asked')"
    " AS corrections,"
    " (SELECT count(*) FROM erasure WHERE agency_id = :agency AND state = 'asked') AS erasures,"
    " (SELECT count(*) FROM delivery WHERE agency_id = :agency AND state = 'stuck') AS stuck,"
    " (SELECT count(*) FROM statement_file WHERE agency_id = :agency AND state = 'queued')"
    " AS files,"
    " (SELECT count(DISTINCT job) FROM job_run j WHERE state = 'failed' AND NOT EXISTS"
    " (SELECT 1 FROM job_run k WHERE k.job = j.job AND k.scheduled_for > j.scheduled_for"
    " AND k.state = 'done') AND j.scheduled_for > :lately) AS jobs"
)
_OPEN_DAYS: Final = text(
    "SELECT e.booked_on, count(*) AS n FROM entry e WHERE e.agency_id = :agency"
    " AND e.booked_on < :today AND NOT EXISTS (SELECT 1 FROM day d WHERE"
    " d.agency_id = e.agency_id AND d.booked_on = e.booked_on AND d.state = 'closed')"
    " GROUP BY e.booked_on ORDER BY e.booked_on"
)
_SEARCH: Final = (
    "SELECT p.id, p.reference, p.dossier_id, p.procedure, p.state, p.amount, p.amount_received,"
    " p.amount_on_account, p.amount_suspended, p.in_doubt, p.created_at, p.paid_at,"
    " b.name AS branch FROM payment p JOIN branch b ON b.agency_id = p.agency_id"
    " AND b.id = p.branch_id WHERE p.agency_id = :agency"
)
_BREAKS: Final = (
    "SELECT k.id, k.kind, k.state, k.subject, k.amount, k.payment_id, k.capture_id, k.line_id,"
    " k.proposal, k.why, k.owner_role, k.since_on, k.opened_at, k.resolved_at, k.resolution,"
    " p.reference, p.dossier_id FROM break k LEFT JOIN payment p ON p.agency_id = k.agency_id"
    " AND p.id = k.payment_id WHERE k.agency_id = :agency"
)
_RECEIPTS: Final = (
    "SELECT r.id, r.payment_id, r.kind, r.form, r.series, r.number, r.amount, r.issued_on,"
    " r.verify_code, r.xml IS NOT NULL AS is_sealed, p.dossier_id, EXISTS (SELECT 1 FROM receipt s"
    " WHERE s.agency_id = r.agency_id AND s.replaces_id = r.id) AS is_replaced FROM receipt r"
    " JOIN payment p ON p.agency_id = r.agency_id AND p.id = r.payment_id"
    " WHERE r.agency_id = :agency"
)
_DAYS: Final = text(
    "SELECT x.on, d.state, d.closed_by, d.closed_at, d.seal, r.id AS run_id, r.ended_at,"
    " r.summary FROM (SELECT DISTINCT booked_on AS on FROM entry WHERE agency_id = :agency"
    " UNION SELECT booked_on FROM day WHERE agency_id = :agency"
    " UNION SELECT business_on FROM recon_run WHERE agency_id = :agency) x"
    " LEFT JOIN day d ON d.agency_id = :agency AND d.booked_on = x.on"
    " LEFT JOIN LATERAL (SELECT id, ended_at, summary FROM recon_run WHERE agency_id = :agency"
    " AND business_on = x.on ORDER BY ended_at DESC, id DESC LIMIT 1) r ON true"
    " ORDER BY x.on DESC LIMIT 62"
)
_FILES: Final = text(
    "SELECT id, profile, name, state, refusal, line_count, line_sum, totals, uploaded_by,"
    " uploaded_at FROM statement_file WHERE agency_id = :agency"
    " ORDER BY uploaded_at DESC, id DESC LIMIT 20"
)
_RUN: Final = text("SELECT * FROM recon_run WHERE agency_id = :agency AND id = :id")
_MATCHES: Final = text(
    "SELECT m.rule, m.why, m.amount, m.capture_id, l.source, l.booked_on, a.payment_id"
    " FROM recon_match m JOIN statement_line l ON l.agency_id = m.agency_id AND l.id = m.line_id"
    " LEFT JOIN LATERAL (SELECT min(payment_id) AS payment_id FROM allocation a"
    " WHERE a.agency_id = m.agency_id AND a.capture_id = m.capture_id) a ON true"
    " WHERE m.agency_id = :agency AND m.run_id = :id ORDER BY m.rule, m.id LIMIT 500"
)

# Everything that happened to one payment: (when, kind, code, amount, more), from every table.
_CAPTURES_OF: Final = (
    "(SELECT capture_id FROM allocation WHERE agency_id = :agency AND payment_id = :id"
    " UNION SELECT capture_id FROM break WHERE agency_id = :agency AND payment_id = :id)"
)
_STORY: Final = text(
    "SELECT a.created_at AS at, 1 AS rank, 'attempt' AS kind, a.provider AS code, a.amount,"
    " a.state AS more, a.asked::text AS also FROM attempt a JOIN attempt_share s"
    " ON s.agency_id = a.agency_id AND s.attempt_id = a.id"
    " WHERE a.agency_id = :agency AND s.payment_id = :id"
    " UNION ALL SELECT taken_at, 2, 'capture', result, amount, provider, txn_id FROM capture"
    f" WHERE agency_id = :agency AND id IN {_CAPTURES_OF}"
    " UNION ALL SELECT taken_at, 8, 'elsewhere', provider, amount, NULL, NULL FROM capture"
    f" WHERE agency_id = :agency AND id IN {_CAPTURES_OF} AND result = 'paid'"
    " AND receipt_elsewhere"
    " UNION ALL SELECT at, 3, 'evidence', source, NULL, NULL, NULL FROM evidence"
    f" WHERE agency_id = :agency AND capture_id IN {_CAPTURES_OF}"
    " UNION ALL SELECT created_at, 4, 'entry', debit || '/' || credit, amount, rule,"
    " booked_on::text FROM entry WHERE agency_id = :agency AND payment_id = :id"
    " UNION ALL SELECT opened_at, 5, 'break', kind, amount, why, id FROM break"
    " WHERE agency_id = :agency AND payment_id = :id"
    " UNION ALL SELECT resolved_at, 5, 'resolved', kind, amount, resolution, id FROM break"
    " WHERE agency_id = :agency AND payment_id = :id AND resolved_at IS NOT NULL"
    " UNION ALL SELECT occurred_at, 6, 'event', type, NULL, position::text, sequence::text"
    " FROM event WHERE agency_id = :agency AND payment_id = :id"
    " UNION ALL SELECT l.at, 7, 'delivery', coalesce(l.status::text, 'none'), NULL, l.error,"
    " l.took_ms::text FROM delivery_log l JOIN event e ON e.agency_id = l.agency_id"
    " AND e.id = l.event_id WHERE l.agency_id = :agency AND e.payment_id = :id"
    " UNION ALL SELECT numbered_at, 8, 'receipt', kind, amount, form || ' ' || series,"
    " number::text FROM receipt WHERE agency_id = :agency AND payment_id = :id"
    " UNION ALL SELECT coalesce(r.ended_at, x.at), 9, 'match', m.rule, m.amount, m.why, m.run_id"
    " FROM recon_match m LEFT JOIN recon_run r ON r.agency_id = m.agency_id AND r.id = m.run_id"
    " LEFT JOIN case_action x ON x.agency_id = m.agency_id AND x.id = m.action_id"
    f" WHERE m.agency_id = :agency AND m.capture_id IN {_CAPTURES_OF}"
    " UNION ALL SELECT created_at, 5, 'refund', state, amount, reason, id FROM refund"
    " WHERE agency_id = :agency AND payment_id = :id"
    " UNION ALL SELECT opened_at, 5, 'dispute', state, amount, provider, id FROM dispute"
    " WHERE agency_id = :agency AND payment_id = :id"
    " UNION ALL SELECT at, 10, 'audit', action, NULL, actor, NULL FROM audit"
    " WHERE agency_id = :agency AND (object_id = :id OR object_id IN (SELECT id FROM receipt"
    " WHERE agency_id = :agency AND payment_id = :id)) ORDER BY 1, 2, 4"
)


@dataclass(frozen=True, slots=True)
class Search:
    """What somebody looks for; empty fields ask for nothing."""

    words: str = field(default="", repr=False)
    state: str = ""
    branch: str = ""
    since: date | None = None
    upto: date | None = None
    before: str = ""  # The id after which the page goes on.


@dataclass(frozen=True, slots=True)
class Desk:
    """The read side for staff of one agency at a time."""

    store: Store
    vault: Vault = field(repr=False)

    async def today(self, agency_id: str) -> dict[str, Any]:
        """Give what came in today, what waits, and which days are not closed."""
        now = self.store.clock.now()
        on = hanoi_day(now)
        asked = {"agency": agency_id}
        async with self.store.begin() as tx:
            return {
                "on": on,
                "came": await tx.rows(_TODAY, asked | {"on": on}),
                "branches": await tx.rows(
                    _BY_BRANCH, asked | {"since": day_start(on), "upto": day_end(on)}
                ),
                "waits": await tx.row(
                    _WAITING,
                    asked | {"before": now - stuck_after, "lately": now - timedelta(days=1)},
                ),
                "open_days": await tx.rows(_OPEN_DAYS, asked | {"today": on}),
                "unexplained": await unexplained_in(tx, agency_id, on),
                "days": (await tx.rows(_DAYS, asked))[:5],
            }

    async def payments(self, agency_id: str, search: Search) -> Sequence[Row]:
        """Find payments, newest first; one row more than a page says that there are more."""
        query, values = [_SEARCH], {"agency": agency_id, "rows": page_rows_max + 1}
        if search.words:
            found = read_typed(search.words)
            query.append(
                " AND (p.id = :words OR p.reference = :reference OR p.dossier_id ILIKE :start"
                " OR p.id IN (SELECT a.payment_id FROM allocation a JOIN capture c"
                " ON c.agency_id = a.agency_id AND c.id = a.capture_id"
                " WHERE a.agency_id = :agency AND (c.txn_id = :words OR c.bank_reference = :words))"
                ")"
            )
            start = search.words.replace("\\", "").replace("%", r"\%").replace("_", r"\_")
            values |= {"words": search.words, "start": f"{start}%",
                       "reference": found.reference if found else ""}  # fmt: skip
        if search.state == "in_doubt":
            query.append(" AND p.in_doubt")
        elif search.state:
            query.append(" AND p.state = :state")
            values["state"] = search.state
        if search.branch:
            query.append(" AND p.branch_id = :branch")
            values["branch"] = search.branch
        if search.since:
            query.append(" AND p.created_at >= :since")
            values["since"] = day_start(search.since)
        if search.upto:
            query.append(" AND p.created_at < :upto")
            values["upto"] = day_end(search.upto)
        if search.before:
            query.append(" AND p.id < :before")
            values["before"] = search.before
        async with self.store.begin() as tx:
            return await tx.rows(text("".join(query) + " ORDER BY p.id DESC LIMIT :rows"), values)

    async def branches(self, agency_id: str) -> Sequence[Row]:
        """List the branches."""
        async with self.store.begin() as tx:
            return await tx.rows(
                text("SELECT id, name FROM branch WHERE agency_id = :agency ORDER BY name"),
                {"agency": agency_id},
            )

    async def story(
        self, agency_id: str, payment_id: str
    ) -> tuple[Payment, Sequence[Row], Sequence[Row]]:
        """Give a payment, its receipts, and everything that happened to it, in order of time."""
        async with self.store.begin() as tx:
            payment = await self._payment(tx, agency_id, payment_id)
            receipts = await tx.receipts(agency_id, [payment_id])
            moments = await tx.rows(_STORY, {"agency": agency_id, "id": payment_id})
        return payment, receipts, moments

    async def reveal(self, agency_id: str, payment_id: str, actor: str) -> dict[str, str]:
        """Open what we know of the payer, and write down who looked; nothing once it is erased."""
        async with self.store.begin() as tx:
            payment = await self._payment(tx, agency_id, payment_id)
            await tx.note(agency_id, actor, "payer.read", payment_id)
            cells = (await PayerKeys(self.vault).of(tx, agency_id, [payment_id]))[payment_id]
        if payment.payer_sealed is None:
            return {}
        opened = cells.open(f"payment|{payment_id}|payer", payment.payer_sealed)
        payer: dict[str, str] = json.loads(opened) if opened is not None else {}
        return payer

    async def is_erased(self, payment: Payment) -> bool:
        """Tell whether what was kept of a payer cannot be opened any more."""
        async with self.store.begin() as tx:
            keys = await PayerKeys(self.vault).of(tx, payment.agency_id, [payment.id])
        return keys[payment.id].is_erased

    async def _payment(self, tx: Tx, agency_id: str, payment_id: str) -> Payment:
        payment = await tx.payment(agency_id, payment_id)
        if payment is None:
            raise Refusal("not-found", "There is no such payment in this agency.")
        return payment

    async def case(self, agency_id: str, break_id: str) -> Row:
        """Give one case."""
        async with self.store.begin() as tx:
            row = await tx.row(
                text(f"{_BREAKS} AND k.id = :id"), {"agency": agency_id, "id": break_id}
            )
        if row is None:
            raise Refusal("not-found", "There is no such break in this agency.")
        return row

    async def receipts(
        self, agency_id: str, series: str, number: int | None, before: str
    ) -> Sequence[Row]:
        """List receipts, newest first."""
        query = _RECEIPTS
        values: dict[str, Any] = {"agency": agency_id, "rows": page_rows_max + 1}
        if series:
            query += " AND r.series = :series"
            values["series"] = series.strip().upper()
        if number is not None:
            query += " AND r.number = :number"
            values["number"] = number
        if before:
            query += " AND r.id < :before"
            values["before"] = before
        async with self.store.begin() as tx:
            return await tx.rows(text(f"{query} ORDER BY r.id DESC LIMIT :rows"), values)

    async def days(self, agency_id: str) -> tuple[Sequence[Row], Sequence[Row]]:
        """Give the days that were booked on, with their last run, and the files that came."""
        async with self.store.begin() as tx:
            return (
                await tx.rows(_DAYS, {"agency": agency_id}),
                await tx.rows(_FILES, {"agency": agency_id}),
            )

    async def run(self, agency_id: str, run_id: str) -> tuple[Row, Sequence[Row]]:
        """Give one reconciliation run and the matches that it was the first to find."""
        asked = {"agency": agency_id, "id": run_id}
        async with self.store.begin() as tx:
            run = await tx.row(_RUN, asked)
            if run is None:
                raise Refusal("not-found", "There is no such run in this agency.")
            return run, await tx.rows(_MATCHES, asked)


def age_days(since: date, now: datetime) -> int:
    """Give how many Hanoi days a case has been open."""
    return (hanoi_day(now) - since).days


def cut(rows: Sequence[Row]) -> tuple[Sequence[Row], Mapping[str, Any] | None]:
    """Give one page, and the row after which the next begins, if there is a next."""
    page = rows[:page_rows_max]
    return page, page[-1] if len(rows) > page_rows_max else None
