"""What a run looks at: captures and lines of a window, as they stood at one pinned instant.

Everything here is written once and never changed, so the same window and instant give the same
inputs, and the same rules the same answer. Business days are told by the settings and calendars of
now: where they were changed since, the digest says so. No payer's data is read.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import TextClause, text

from gateway.domain.calendar import Calendar, hanoi_day
from gateway.domain.till import bag_number
from gateway.services.capture_facts import IS_CASH
from gateway.store.tx import Tx
from reconciliation.holders import Holders
from reconciliation.marks import marks

Rows = list[dict[str, Any]]

_VALUES: Final = " AND c.value_on BETWEEN :since AND :upto AND c.taken_at <= :as_of"
# What everybody told of a transfer: one may know the bank's reference that another lacks.
_ADVICES: Final = (
    "FROM credit_advice a WHERE a.agency_id = c.agency_id AND a.capture_id = c.id"
    " AND a.at <= :as_of"
)
_CAPTURES: Final = text(
    "SELECT c.id, c.provider || '/' || c.account AS provider_account, c.txn_id, c.amount,"
    " c.value_on, c.value_on - DATE '2000-01-01' AS day_no, c.paid_at, c.provider, c.account,"
    f" (SELECT min(a.bank_account) {_ADVICES}) AS bank_account,"
    " coalesce(nullif(c.bank_reference, ''),"
    f" (SELECT min(a.bank_reference) {_ADVICES} AND a.bank_reference <> '')) AS bank_reference,"
    f" {IS_CASH} AS is_cash"
    f" FROM capture c WHERE c.agency_id = :agency{_VALUES} ORDER BY c.id"
)
_SHARES: Final = text(
    "SELECT DISTINCT a.capture_id, a.payment_id, p.reference FROM allocation a"
    " JOIN capture c ON c.agency_id = a.agency_id AND c.id = a.capture_id"
    " JOIN payment p ON p.agency_id = a.agency_id AND p.id = a.payment_id"
    f" WHERE a.agency_id = :agency{_VALUES} ORDER BY 1, 2"
)
# What approved refunds took from a fee line before it was remitted: the treasury never gets it.
_GIVEN_BACK: Final = (
    "(SELECT coalesce(sum(x.part), 0)::bigint FROM refund r,"
    " unnest(r.parts) WITH ORDINALITY AS x (part, n) WHERE r.agency_id = f.agency_id"
    " AND r.payment_id = f.payment_id AND x.n = f.n AND r.route <> 'treasury'"
    " AND r.decided_at <= :as_of AND r.state NOT IN ('requested','rejected')"
    " AND NOT (r.state = 'failed' AND r.ended_at <= :as_of))"
)
# What the payer won back in a dispute, and owes again, pays nothing; the capture that paid it anew
# does.
_OWED_AGAIN: Final = (
    "EXISTS (SELECT 1 FROM dispute d WHERE d.agency_id = c.agency_id AND d.capture_id = c.id"
    " AND d.state = 'lost' AND NOT d.is_borne AND d.ended_at <= :as_of)"
)


def dues_of(which: str) -> TextClause:
    """Ask what is due to the budget of captures that pay a debt; ``which`` is a condition.

    The capture that pays names the business day on which the whole payment became due.
    """
    return text(
        "SELECT a.payment_id, a.capture_id, f.budget_line, f.kind,"
        f" sum(f.amount - {_GIVEN_BACK})::bigint AS amount"
        " FROM capture c JOIN allocation a ON a.agency_id = c.agency_id AND a.capture_id = c.id"
        " AND a.use = 'debt' JOIN fee_line f ON f.agency_id = a.agency_id"
        " AND f.payment_id = a.payment_id AND f.amount > 0"
        f" WHERE c.agency_id = :agency AND {which} AND NOT {_OWED_AGAIN} GROUP BY 1, 2, 3, 4"
        f" HAVING sum(f.amount - {_GIVEN_BACK}) > 0 ORDER BY 1, 2, 3, 4"
    )


_DUES: Final = dues_of(f"c.result = 'paid'{_VALUES}")
# What went back through a provider's batch: a refund by our name of it, a quarrel by its own, and
# with the other sign when the agency won it.
_TAKEN_BACK: Final = text(
    "SELECT r.id, r.capture_id, c.provider || '/' || c.account AS provider_account, 'refund'"
    " AS kind, substr(r.id, 5) AS reference, r.amount FROM refund r JOIN capture c"
    " ON c.agency_id = r.agency_id AND c.id = r.capture_id WHERE r.agency_id = :agency"
    " AND r.route = 'provider' AND r.decided_at <= :as_of AND r.state NOT IN"
    " ('requested','rejected') UNION ALL SELECT d.id, d.capture_id, d.provider || '/' || d.account,"
    " 'reversal', d.provider_dispute_id, d.amount FROM dispute d WHERE d.agency_id = :agency"
    " AND d.opened_at <= :as_of UNION ALL SELECT d.id || '|won', d.capture_id, d.provider || '/' ||"
    " d.account, 'reversal', d.provider_dispute_id, -d.amount FROM dispute d"
    " WHERE d.agency_id = :agency AND d.state = 'won' AND d.ended_at <= :as_of ORDER BY 1"
)
# What left in each deposit bag for the bank; the drawer's float went back to the safe. What a clerk
# brought later for a shortage leaves under the same number.
_BAGS: Final = text(
    "SELECT id, id AS shift_id, bag, counted_amount - float_amount AS amount, closed_at AS left_at"
    " FROM shift WHERE agency_id = :agency AND state = 'closed' AND bag <> ''"
    " AND counted_amount > float_amount AND closed_at <= :as_of UNION ALL SELECT d.id, s.id,"
    " s.bag, d.amount, d.ended_at FROM shift_difference d JOIN shift s"
    " ON s.agency_id = d.agency_id AND s.id = d.shift_id WHERE d.agency_id = :agency"
    " AND d.state = 'made_good' AND d.ended_at <= :as_of ORDER BY 1"
)
_BAGGED: Final = text(
    "SELECT k.shift_id AS bag_id, k.capture_id, c.amount FROM counter_take k JOIN capture c"
    " ON c.agency_id = k.agency_id AND c.id = k.capture_id WHERE k.agency_id = :agency"
    " AND k.method = 'cash' AND c.taken_at <= :as_of ORDER BY 2"
)
_LINES: Final = text(
    "SELECT l.id, l.source, l.account, l.booked_on, l.booked_on - DATE '2000-01-01' AS day_no,"
    " l.line_no, l.kind, l.gross, l.fee, l.net, l.txn_id, l.reference, l.batch_id,"
    " l.obligation_id, l.budget_line, l.value_on, l.value_on - DATE '2000-01-01' AS value_no,"
    " l.marks, l.candidates"
    " FROM statement_line l JOIN statement_file f ON f.agency_id = l.agency_id"
    " AND f.id = l.file_id WHERE l.agency_id = :agency AND f.state = 'taken'"
    " AND l.booked_on BETWEEN :since AND :upto AND f.taken_at <= :as_of ORDER BY l.id"
)


# Statement lines that were read as words for captures (captures.py names them so).
_ADVISED: Final = text(
    "SELECT l.id AS line_id, a.capture_id FROM credit_advice a JOIN statement_line l"
    " ON l.agency_id = a.agency_id AND l.source = 'statement'"
    " AND a.report_id = 'statement:' || l.account || ':' || l.line_key"
    " WHERE a.agency_id = :agency AND a.reporter = 'statement'"
    " AND a.booked_on BETWEEN :since AND :upto AND a.at <= :as_of ORDER BY l.id"
)
# What an earlier run found of payouts and treasury's lines by what was there then: which batches a
# payout without a name is, which documents or which day's money. It is booked, so it stays so.
_KEPT: Final = text(
    "SELECT m.rule, m.line_id, m.capture_id, m.amount, m.why FROM recon_match m"
    " JOIN recon_run r ON r.agency_id = m.agency_id AND r.id = m.run_id AND r.as_of < :as_of"
    " JOIN statement_line l ON l.agency_id = m.agency_id AND l.id = m.line_id"
    " AND l.booked_on BETWEEN :since AND :upto WHERE m.agency_id = :agency AND m.rule IN"
    " ('05-payout-parts','05-payout-unnamed','08-parts','08-reference','09-lump')"
    " ORDER BY m.line_id, m.capture_id, m.rule"
)
# What the agency has still to make good, voucher by voucher. What this run itself is about to say
# of a line is left out: only what an earlier run had booked is known before it looks.
_OWED_BY_AGENCY: Final = text(
    "SELECT e.voucher_id AS voucher, sum(CASE WHEN e.debit = '1383' THEN e.amount"
    " ELSE -e.amount END)::bigint AS amount FROM entry e WHERE e.agency_id = :agency"
    " AND '1383' IN (e.debit, e.credit) AND CASE WHEN e.voucher_kind = 'statement_line'"
    " THEN EXISTS (SELECT 1 FROM recon_match m JOIN recon_run r ON r.agency_id = m.agency_id"
    " AND r.id = m.run_id WHERE m.agency_id = e.agency_id AND m.line_id = e.voucher_id"
    " AND m.rule IN ('05-batch','05-payout-parts','05-payout-unnamed','10-top-up')"
    " AND r.as_of < :as_of)"
    " ELSE e.created_at <= :as_of END GROUP BY e.voucher_id ORDER BY e.voucher_id"
)
_FIRST_DAY: Final = date(2000, 1, 1)  # Rules count days from here; SQL dialects differ on dates.


@dataclass(frozen=True, slots=True)
class DayRules:
    """How days are told: an account's business day, and who is in time until which day."""

    business_day: Callable[[str, str, datetime], date]  # Provider, account, instant.
    calendar: Calendar

    def confirm_by(self, business_on: date) -> date:
        """Give the last day on which the treasury confirms a day's money in time."""
        patience = marks()["treasury_patience_working_days"]
        return self.calendar.add_working_days(business_on, patience)

    def seen_by(self, left_on: date) -> date:
        """Give the last day on which a bank counts in time what left in a deposit bag."""
        return self.calendar.add_working_days(left_on, marks()["bag_patience_working_days"])


@dataclass(frozen=True, slots=True)
class Inputs:
    """The tables that the rules join; ``digest`` names them."""

    captures: Rows
    shares: Rows
    dues: Rows
    taken_back: Rows
    lines: Rows
    advised: Rows
    bags: Rows
    bagged: Rows
    owed_by_agency: Rows
    accounts: Rows
    kept: Rows = field(default_factory=list)  # Matches that earlier runs booked.

    @property
    def digest(self) -> str:
        """SHA-256 over every row."""
        return hashlib.sha256(self.letters).hexdigest()

    @property
    def letters(self) -> bytes:
        """Write every row, in the one way that is hashed."""
        said = [
            self.captures, self.shares, self.dues, self.taken_back, self.lines, self.advised,
            self.bags, self.bagged, self.owed_by_agency, self.accounts, self.kept,
        ]  # fmt: skip
        return json.dumps(said, default=str).encode()


async def load(
    tx: Tx, agency_id: str, on: date, as_of: datetime, days: int, holders: Holders,
    rules: DayRules,
) -> Inputs:  # fmt: skip
    """Read the window that ends with a day, as it stood at an instant."""
    asked: dict[str, Any] = {
        "agency": agency_id, "since": on - timedelta(days=days), "upto": on, "as_of": as_of,
    }  # fmt: skip
    captures = await tx.rows(_CAPTURES, asked)
    business_days = {
        c["id"]: rules.business_day(c["provider"], c["account"], c["paid_at"]) for c in captures
    }
    confirm_by = {day: rules.confirm_by(day) for day in set(business_days.values())}
    banks = holders.banks(agency_id)
    numbers = {held: bank for bank, held in banks.items()}  # For captures of before 0011.
    return Inputs(
        captures=[
            dict(c) | {"business_on": (day := business_days[c["id"]]), "business_no": day_no(day),
                       "bank_account": c["bank_account"] or numbers.get(c["provider_account"])}
            for c in captures
        ],
        shares=list(map(dict, await tx.rows(_SHARES, asked))),
        dues=[
            dict(d) | {"booked_on": (day := business_days[d["capture_id"]]), "day_no": day_no(day),
                       "confirm_by_no": day_no(confirm_by[day])}
            for d in await tx.rows(_DUES, asked)
        ],
        taken_back=list(
            map(dict, await tx.rows(_TAKEN_BACK, {"agency": agency_id, "as_of": as_of}))
        ),
        lines=list(map(dict, await tx.rows(_LINES, asked))),
        advised=list(map(dict, await tx.rows(_ADVISED, asked))),
        bags=[
            _bag(g, asked["since"], rules)
            for g in await tx.rows(_BAGS, {"agency": agency_id, "as_of": as_of})
        ],
        bagged=list(map(dict, await tx.rows(_BAGGED, {"agency": agency_id, "as_of": as_of}))),
        owed_by_agency=list(
            map(dict, await tx.rows(_OWED_BY_AGENCY, {"agency": agency_id, "as_of": as_of}))
        ),
        accounts=[{"provider_account": name} for name in holders.accounts(agency_id)],
        kept=list(map(dict, await tx.rows(_KEPT, asked))),
    )  # fmt: skip


def _bag(row: Mapping[str, Any], since: date, rules: DayRules) -> dict[str, Any]:
    """Say how a bank names a bag, and until when it is in time.

    The window may no longer hold the line of an earlier bag, so that none is missed for it.
    """
    left_on = hanoi_day(row["left_at"])
    seen_by_no = day_no(rules.seen_by(left_on)) if left_on >= since else None
    return {
        "id": row["id"], "shift_id": row["shift_id"], "bag": row["bag"],
        "number": bag_number(row["bag"]), "amount": row["amount"], "left_on": left_on,
        "seen_by_no": seen_by_no,
    }  # fmt: skip


def day_no(day: date) -> int:
    """Give a day's number, so that rules compare days as plain numbers."""
    return (day - _FIRST_DAY).days
