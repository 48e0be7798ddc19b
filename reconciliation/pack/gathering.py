"""Reads what a closed day consists of, as it stood when it was closed.

What was open after the last run of an earlier day is the opening; what that run did not know is
new; what was matched since is matched. Later runs and later acts change none of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.store.tx import Row, Tx
from reconciliation.seals import built_on

_NEVER: Final = {
    "on": date(2000, 1, 1), "as_of": (_T0 := datetime(2000, 1, 1, tzinfo=UTC)), "ended_at": _T0,
}  # fmt: skip
_DAY: Final = text(
    "SELECT * FROM day WHERE agency_id = :agency AND booked_on = :on AND state = 'closed'"
)
_STEPS: Final = text(
    "SELECT action, actor, at FROM audit WHERE agency_id = :agency AND object_id = :on"
    " AND action IN ('day.close','day.reopen') AND at <= :closed_at ORDER BY at, id"
)
# Also of the morning after: a day may be locked first and signed then.
_SIGNATURES: Final = text(
    "SELECT n, seal, hash, said, signed_by, signed_at FROM day_signature WHERE agency_id = :agency"
    " AND booked_on = :on AND seal = :seal AND signed_at >"
    " coalesce(CAST(:reopened_at AS timestamptz), '-infinity') ORDER BY n"
)
_RUN: Final = text("SELECT * FROM recon_run WHERE agency_id = :agency AND id = :id")
_BEFORE: Final = text(
    "SELECT id, business_on AS on, as_of, ended_at FROM recon_run WHERE agency_id = :agency"
    " AND business_on < :on AND ended_at <= :started ORDER BY business_on DESC, ended_at DESC"
    " LIMIT 1"
)
# Lines that were known by the end, which of them the run before knew, and who matched them when.
_KNOWN: Final = (
    "WITH known AS (SELECT l.*, l.booked_on <= :on0 AND f.taken_at <= :as_of0 AS was_known"
    " FROM statement_line l JOIN statement_file f ON f.agency_id = l.agency_id"
    " AND f.id = l.file_id WHERE l.agency_id = :agency AND l.booked_on <= :on"
    " AND f.state = 'taken' AND f.taken_at <= :as_of),"
    " made AS (SELECT m.*, coalesce(r.ended_at, c.at) AS made_at, k.was_known AS line_was_known"
    " FROM recon_match m JOIN known k ON k.id = m.line_id LEFT JOIN recon_run r"
    " ON r.agency_id = m.agency_id AND r.id = m.run_id LEFT JOIN case_action c"
    " ON c.agency_id = m.agency_id AND c.id = m.action_id WHERE m.agency_id = :agency"
    " AND coalesce(r.ended_at, c.at) <= :ended),"
    " held AS (SELECT c.*, c.value_on <= :on0 AND c.taken_at <= :as_of0 AS was_known,"
    " c.value_on <= :on AND c.taken_at <= :as_of AS is_known FROM capture c"
    " WHERE c.agency_id = :agency),"
    " fresh AS (SELECT m.* FROM made m LEFT JOIN held h ON h.id = m.capture_id"
    " WHERE NOT m.line_was_known OR m.made_at > :ended0 OR NOT coalesce(h.was_known, true))"
)
_BEFORE_MATCHED: Final = (
    "EXISTS (SELECT 1 FROM made m WHERE m.{0}_id = x.id AND m.made_at <= :ended0)"
)
_CAME: Final = (
    f"CASE WHEN NOT x.was_known THEN 'new' WHEN {_BEFORE_MATCHED} THEN 'known' ELSE 'opening' END"
)
_LINES: Final = text(
    f"{_KNOWN} SELECT * FROM (SELECT x.id, x.file_id, x.line_no, x.source, x.account, x.line_key,"
    " x.booked_on, x.value_on, x.kind, x.gross, x.fee, x.net, x.txn_id, x.reference, x.batch_id,"
    f" x.obligation_id, x.budget_line, {_CAME.format('line')} AS came FROM known x) y"
    " WHERE came <> 'known' OR id IN (SELECT line_id FROM fresh) ORDER BY id"
)
_CAPTURES: Final = text(
    f"{_KNOWN} SELECT * FROM (SELECT x.id, x.provider, x.account, x.txn_id, x.amount, x.result,"
    " x.booked_on, x.value_on, x.paid_at, x.taken_at,"
    f" CASE WHEN NOT x.is_known THEN 'later' ELSE {_CAME.format('capture')} END AS came"
    " FROM held x) y WHERE came IN ('opening','new') OR id IN (SELECT capture_id FROM fresh)"
    " ORDER BY id"
)
_MATCHES: Final = text(
    f"{_KNOWN} SELECT id, run_id, action_id, rule, why, capture_id, line_id, amount FROM fresh"
    " ORDER BY id"
)
_RUNS: Final = text(
    "SELECT id, business_on, as_of, inputs_hash, rules_hash, result_hash, summary, started_at,"
    " ended_at FROM recon_run WHERE agency_id = :agency AND ended_at <= :ended"
    " AND (business_on = :on OR id = ANY(:ids)) ORDER BY ended_at, id"
)
_FILES: Final = text(
    "SELECT id, profile, name, sha256, line_count, line_sum, totals, uploaded_by, uploaded_at,"
    " taken_at FROM statement_file WHERE agency_id = :agency AND state = 'taken'"
    " AND (id = ANY(:ids) OR taken_at > :as_of0 AND taken_at <= :as_of) ORDER BY id"
)
# As it stood when the day was closed: who has it since, and until when, the acts say.
_BREAKS: Final = text(
    "SELECT id, kind, subject, amount, payment_id, capture_id, line_id, proposal, why, owner_role,"
    " opened_at, since_on, CASE WHEN resolved_at <= :closed_at THEN 'resolved' ELSE 'open' END"
    " AS state, action_count - (SELECT count(*) FROM case_action c WHERE c.agency_id = :agency"
    " AND c.break_id = break.id AND c.at > :closed_at) AS acts,"
    " CASE WHEN resolved_at <= :closed_at THEN resolved_at END AS resolved_at,"
    " CASE WHEN resolved_at <= :closed_at THEN resolution END AS resolution FROM break"
    " WHERE agency_id = :agency AND opened_at <= :closed_at AND (resolved_at IS NULL"
    " OR resolved_at > :ended0 OR id IN (SELECT break_id FROM case_action"
    " WHERE agency_id = :agency AND id = ANY(:ids))) ORDER BY id"
)
_ACTS: Final = text(
    "WITH mine AS (SELECT * FROM case_action WHERE agency_id = :agency AND at <= :closed_at"
    " AND break_id = ANY(:ids)) SELECT c.*, c.break_id = ANY(:ids) AS is_mine FROM case_action c"
    " WHERE c.agency_id = :agency AND c.number BETWEEN (SELECT min(number) FROM mine)"
    " AND (SELECT max(number) FROM mine) ORDER BY c.number"
)
_ENTRIES: Final = text(
    "SELECT * FROM entry WHERE agency_id = :agency AND booked_on = :on ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class Gathered:
    """A closed day."""

    day: Row
    seal_before: str
    steps: Sequence[Row]
    signatures: Sequence[Row]
    run: Row
    before: Mapping[str, Any]  # The run after which the day began; of the year 2000, if none.
    lines: Sequence[Row]
    captures: Sequence[Row]
    matches: Sequence[Row]
    runs: Sequence[Row]
    files: Sequence[Row]
    breaks: Sequence[Row]
    acts: Sequence[Row]
    entries: Sequence[Row]


async def gather(tx: Tx, agency_id: str, on: date) -> Gathered:
    """Read a closed day. Raises Refusal when it is not closed, or not as it was sealed."""
    day = await tx.row(_DAY, {"agency": agency_id, "on": on})
    if day is None:
        raise Refusal("invalid-request", f"{on} is not closed: see thuphi reconcile --date {on}.")
    run = await tx.row(_RUN, {"agency": agency_id, "id": day["run_id"]})
    if run is None:
        raise Refusal(
            "invalid-request", f"{on} was closed without a run: there is nothing to prove."
        )
    seal_before = await built_on(tx, day)
    if seal_before is None:
        raise Refusal("invalid-request", f"{on} is not as it was sealed: see thuphi doctor.")
    found = await tx.row(_BEFORE, {"agency": agency_id, "on": on, "started": run["started_at"]})
    before = found or _NEVER
    asked = {
        "agency": agency_id, "on": on, "as_of": run["as_of"], "ended": run["ended_at"],
        "on0": before["on"], "as_of0": before["as_of"], "ended0": before["ended_at"],
        "closed_at": day["closed_at"],
    }  # fmt: skip
    lines, matches = await tx.rows(_LINES, asked), await tx.rows(_MATCHES, asked)
    by_hand = _named(matches, "action_id")
    breaks = await tx.rows(_BREAKS, asked | {"ids": by_hand})
    return Gathered(
        day=day, seal_before=seal_before, run=run, before=before, lines=lines, matches=matches,
        steps=await tx.rows(_STEPS, asked | {"on": on.isoformat()}),
        signatures=await tx.rows(
            _SIGNATURES, asked | {"seal": day["seal"], "reopened_at": day["reopened_at"]}
        ),
        captures=await tx.rows(_CAPTURES, asked),
        runs=await tx.rows(_RUNS, asked | {"ids": _named(matches, "run_id")}),
        files=await tx.rows(_FILES, asked | {"ids": _named(lines, "file_id")}),
        breaks=breaks,
        acts=await tx.rows(_ACTS, asked | {"ids": [k["id"] for k in breaks]}),
        entries=await tx.rows(_ENTRIES, asked),
    )  # fmt: skip


def _named(rows: Sequence[Row], name: str) -> list[str]:
    return sorted({row[name] for row in rows if row[name] is not None})
