"""What may resolve a break, ranked, each with its reasons: a plain query, and never a guess.

A proposal is confident only where nothing else is as good. It resolves nothing by itself: one
person proposes it, another agrees.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from gateway.services.capture_facts import IS_CASH, WRITTEN_OFF
from gateway.store.tx import Row, Tx

shown_max: Final = 8  # Whoever needs more looks by hand.
# How much each reason weighs, of 100; a rival that is as good takes away what it would prove.
_WEIGHTS: Final = {
    "amount": 40, "named": 50, "alike": 25, "same_day": 10, "near": 5, "only": 20, "rival": -30,
}  # fmt: skip
alike_percent_min: Final = 70  # Of a reference's characters, each in its place.
near_days_max: Final = 10  # Further apart, the day says nothing.

# What a capture or line tells of itself: its day, amount, account and the references in its text.
_SELF: Final = (
    "SELECT k.amount, coalesce(c.value_on, l.booked_on) AS day_on, coalesce(c.bank_reference,"
    " l.reference) AS reference, c.provider, c.account, ARRAY(SELECT DISTINCT n FROM"
    " statement_line x, unnest(x.candidates) n WHERE x.agency_id = k.agency_id AND (x.id = l.id"
    " OR x.id IN (SELECT m.line_id FROM recon_match m WHERE m.agency_id = k.agency_id"
    " AND m.capture_id = k.capture_id))) AS names, k.capture_id, l.id AS line_id FROM break k"
    " LEFT JOIN capture c ON c.agency_id = k.agency_id AND c.id = k.capture_id"
    " LEFT JOIN statement_line l ON l.agency_id = k.agency_id AND l.id = k.line_id"
    " WHERE k.agency_id = :agency AND k.id = :id"
)
_ALIKE: Final = (
    "(SELECT coalesce(max((SELECT count(*) FROM generate_series(1, length({0})) i"
    " WHERE substr({0}, i, 1) = substr(n, i, 1)) * 100 / greatest(length({0}), 1)), 0)::int"
    " FROM unnest({1}) n)"
)
_PAYMENTS: Final = (
    "SELECT 'payment' AS kind, p.id, p.reference AS name, p.dossier_id AS more,"
    " p.amount - p.amount_on_account AS amount,"
    " CAST(p.created_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date) AS day_on,"
    " p.reference = ANY(s.names) AS is_named, "
    + _ALIKE.format("p.reference", "s.names")
    + " AS alike FROM self s JOIN payment p ON p.agency_id = :agency AND p.state = 'open'"
    # Nobody pays what is not asked for yet, unless the text names it.
    " AND NOT p.in_doubt AND ((p.amount = s.amount AND p.amount_on_account = 0"
    " AND CAST(p.created_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date) <= s.day_on)"
    " OR p.reference = ANY(s.names))"
)
# The same money, told of twice: a transfer of that amount and account that the statement lacks.
_TWINS: Final = (
    "SELECT 'capture', c.id, coalesce(c.bank_reference, c.txn_id), p.reference, c.amount,"
    " c.value_on, false, "
    + _ALIKE.format("coalesce(c.bank_reference, '')", "ARRAY[coalesce(s.reference, '')]")
    + " FROM self s JOIN break k ON k.agency_id = :agency AND k.kind = 'missing_at_provider'"
    " AND k.state = 'open' AND k.amount = s.amount JOIN capture c ON c.agency_id = k.agency_id"
    " AND c.id = k.capture_id AND c.id <> s.capture_id AND c.provider = s.provider"
    " AND c.account = s.account LEFT JOIN payment p ON p.agency_id = k.agency_id"
    " AND p.id = k.payment_id"
)
# What has not arrived at the bank yet, for a credit that no rule explains.
_COMING: Final = (
    "SELECT 'capture' AS kind, c.id, coalesce(c.bank_reference, c.txn_id) AS name,"
    " p.reference AS more, c.amount, c.value_on AS day_on, false AS is_named, "
    + _ALIKE.format("coalesce(c.bank_reference, '')", "ARRAY[coalesce(s.reference, '')]")
    + " AS alike FROM self s JOIN capture c ON c.agency_id = :agency AND c.amount = s.amount"
    f" AND c.booked_on BETWEEN s.day_on - {near_days_max} AND s.day_on + {near_days_max}"
    " AND c.value_on <= s.day_on LEFT JOIN LATERAL (SELECT min(a.payment_id) AS payment_id"
    " FROM allocation a WHERE a.agency_id = c.agency_id AND a.capture_id = c.id) a ON true"
    " LEFT JOIN payment p ON p.agency_id = c.agency_id AND p.id = a.payment_id"
    " WHERE NOT EXISTS (SELECT 1 FROM recon_match m JOIN statement_line x"
    " ON x.agency_id = m.agency_id AND x.id = m.line_id AND x.source = 'statement'"
    " WHERE m.agency_id = c.agency_id AND m.capture_id = c.id)"
    f" AND NOT {IS_CASH} AND {WRITTEN_OFF} = 0"
)
_RANKED: Final = (
    "WITH self AS ({self}), found AS ({found}), told AS (SELECT f.*, f.amount = s.amount AS fits,"
    " abs(f.day_on - s.day_on) AS days,"
    " count(*) FILTER (WHERE f.amount = s.amount) OVER () AS fitting FROM found f"
    " CROSS JOIN self s), scored AS (SELECT *,"
    " CASE WHEN fits THEN {amount} ELSE 0 END + CASE WHEN is_named THEN {named}"
    " WHEN alike >= {alike_min} THEN {alike} ELSE 0 END + CASE WHEN days = 0 THEN {same_day}"
    " WHEN days <= {near_max} THEN {near} ELSE 0 END"
    " + CASE WHEN fits AND fitting = 1 THEN {only} ELSE 0 END AS score FROM told)"
    " SELECT kind, id, name, more, amount, days, fits, is_named, alike, fitting, least(99,"
    " greatest(0, score + CASE WHEN count(*) OVER (PARTITION BY score) > 1 THEN {rival} ELSE 0"
    " END))::int AS confidence, count(*) OVER (PARTITION BY score) - 1 AS rivals FROM scored"
    " ORDER BY score DESC, days, id LIMIT {rows}"
)
_FILLED: Final = _WEIGHTS | {
    "alike_min": alike_percent_min, "near_max": near_days_max, "rows": shown_max, "self": _SELF
}  # fmt: skip
_FOR_CAPTURE: Final = text(_RANKED.format(**_FILLED, found=f"{_PAYMENTS} UNION ALL {_TWINS}"))
_FOR_LINE: Final = text(_RANKED.format(**_FILLED, found=_COMING))


@dataclass(frozen=True, slots=True)
class Proposal:
    """One thing that may resolve a break, how sure that is (of 100), and why."""

    kind: str  # payment | capture
    id: str
    name: str
    more: str
    amount: int
    confidence: int
    fits: bool
    reasons: tuple[tuple[str, int], ...]  # A code, and the figure that belongs to it.


async def ranked(tx: Tx, agency_id: str, case: Row) -> list[Proposal]:
    """List what may resolve an open break, the likeliest first; mostly nothing for other kinds."""
    if case["state"] != "open":
        return []
    query = _query_of(case)
    if query is None:
        return []
    rows = await tx.rows(query, {"agency": agency_id, "id": case["id"]})
    return [
        Proposal(
            r["kind"], r["id"], r["name"] or r["id"], r["more"] or "", r["amount"],
            r["confidence"], r["fits"], tuple(_reasons(r)),
        )
        for r in rows
    ]  # fmt: skip


def _query_of(case: Row) -> Any:  # noqa: ANN401 - SQLAlchemy's own width.
    if case["kind"] == "unknown_money" and case["capture_id"]:
        return _FOR_CAPTURE
    if str(case["subject"]).startswith("line:") and case.get("is_credit"):
        return _FOR_LINE
    return None


def _reasons(row: Row) -> Sequence[tuple[str, int]]:
    said = [
        ("amount" if row["fits"] else "other_amount", row["amount"]),
        ("named", 0) if row["is_named"] else ("alike", row["alike"]),
        ("same_day", 0) if row["days"] == 0 else ("days", row["days"]),
        ("only", 0) if row["fits"] and row["fitting"] == 1 else ("rivals", row["rivals"]),
    ]
    return [
        (code, n) for code, n in said
        if (code != "alike" or n >= alike_percent_min) and (code != "rivals" or n > 0)
    ]  # fmt: skip
