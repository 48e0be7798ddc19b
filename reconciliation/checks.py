"""The checks at close (LEDGER): what must hold before a day may be locked, each with its list."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlalchemy import text

from gateway.services.capture_facts import IS_CASH, WRITTEN_OFF
from gateway.store.tx import Tx

TRANSFERS: Final = (
    "'02-advised','02-bank-movement','03-reference','04-nth-of-equals','11-business-day',"
    "'13-lost-reference'"
)
BANK_RULES: Final = (
    f"({TRANSFERS},'05-batch','05-payout-parts','05-payout-unnamed','12-bag','by-hand')"
)
TREASURY_RULES: Final = "('08-obligation','08-parts','08-reference','09-lump')"
_BALANCE: Final = (
    "(SELECT coalesce(sum(CASE WHEN debit = '{0}' THEN amount ELSE -amount END), 0)::bigint"
    " FROM entry WHERE agency_id = :agency AND booked_on <= :upto AND '{0}' IN (debit, credit))"
)
_ARRIVED: Final = (
    "EXISTS (SELECT 1 FROM recon_match m JOIN statement_line l ON l.agency_id = m.agency_id"
    " AND l.id = m.line_id WHERE m.agency_id = c.agency_id AND m.capture_id = c.id"
    " AND l.booked_on <= :upto AND m.rule IN {0})"
)
# The kind of receipt that a credited account asks for.
_KIND: Final = "CASE e.credit WHEN '3330' THEN 'le_phi' ELSE 'phi' END"

# What moved on each bank account: by its statement's own lines; a transfer that gives money back
# leaves the account on which that money came, or the agency's first.
_MOVED: Final = (
    "SELECT CASE WHEN e.debit = '1120' THEN e.amount ELSE -e.amount END AS amount,"
    " l.id IS NOT NULL AS is_by_line, coalesce(l.account, (SELECT min(x.account) FROM refund r"
    " JOIN recon_match m ON m.agency_id = r.agency_id AND m.capture_id = r.capture_id"
    " JOIN statement_line x ON x.agency_id = m.agency_id AND x.id = m.line_id"
    " AND x.source = 'statement' WHERE r.agency_id = e.agency_id AND r.id = e.voucher_id),"
    " (SELECT min(k) FROM jsonb_object_keys(CAST(:banks AS jsonb)) k), '') AS account"
    " FROM entry e LEFT JOIN statement_line l ON l.agency_id = e.agency_id"
    " AND l.id = e.voucher_id AND e.voucher_kind IN ('statement_line','remittance')"
    " WHERE e.agency_id = :agency AND e.booked_on <= :upto AND '1120' IN (e.debit, e.credit)"
)

# What refunds, quarrels and approved losses took out of clearing, and no paid batch has shown yet.
_GONE_FROM_CLEARING: Final = (
    "(SELECT coalesce(sum(CASE WHEN e.credit = '1380' THEN e.amount ELSE -e.amount END), 0)::bigint"
    " FROM entry e WHERE e.agency_id = :agency AND e.booked_on <= :upto"
    " AND '1380' IN (e.debit, e.credit)"
    " AND (e.voucher_kind IN ('refund','dispute') OR e.rule = 'written_off')"
    " AND NOT EXISTS (SELECT 1 FROM recon_match m JOIN statement_line l"
    " ON l.agency_id = m.agency_id AND l.id = m.line_id"
    " LEFT JOIN dispute d ON d.agency_id = e.agency_id AND d.id = e.voucher_id"
    " JOIN entry p ON p.agency_id = l.agency_id AND p.batch_id = l.batch_id"
    " AND p.provider_account = l.account AND p.rule = 'payout' AND p.booked_on <= :upto"
    " WHERE m.agency_id = e.agency_id AND m.rule = '01-taken-back'"
    " AND l.reference IN (substr(e.voucher_id, 5), d.provider_dispute_id)))"
)

# One file tells of the capture's day: its lines begin before that is over and end after it began.
_REPORTED: Final = (
    "EXISTS (SELECT 1 FROM statement_line l WHERE l.agency_id = c.agency_id"
    " AND CASE l.source WHEN 'provider' THEN l.account = c.provider || '/' || c.account"
    " WHEN 'statement' THEN CAST(:banks AS jsonb) ->> l.account = c.provider || '/' || c.account"
    " OR EXISTS (SELECT 1 FROM credit_advice a WHERE a.agency_id = c.agency_id"
    " AND a.capture_id = c.id AND a.bank_account = l.account) ELSE false END"
    " GROUP BY l.file_id HAVING min(l.booked_on) <= c.booked_on AND max(l.booked_on) >= c.value_on)"
)

# Each query gives what breaks its check, so an empty answer is the proof (LEDGER, close of day).
CHECKS: Final[Mapping[str, str]] = {
    # One by one: what is missing on one account must not hide behind another's, and the lines of an
    # account that is not ours and books nothing keep no day open; they are breaks.
    "the bank account equals its statement": (
        f"WITH moved AS ({_MOVED}), told AS (SELECT account, sum(net)::bigint AS amount"
        " FROM statement_line WHERE agency_id = :agency AND source = 'statement'"
        " AND booked_on <= :upto GROUP BY account), ours AS (SELECT account,"
        " sum(amount)::bigint AS amount, bool_or(is_by_line) AS is_by_line FROM moved"
        " GROUP BY account) SELECT '1120 ' || account || ': ' || coalesce(o.amount, 0)"
        " || ', statement ' || coalesce(t.amount, 0) AS what FROM ours o FULL JOIN told t"
        " USING (account) WHERE (o.is_by_line OR account = ''"
        " OR CAST(:banks AS jsonb) ->> account IS NOT NULL)"
        " AND coalesce(o.amount, 0) <> coalesce(t.amount, 0) ORDER BY account"
    ),
    # A bank may list a transfer before the business day on which its account's setting books it.
    "clearing equals the captures not paid out, one by one": (
        "SELECT '1380 ' || ours || ', captures ' || theirs AS what FROM (SELECT"
        f" {_BALANCE.format('1380')} AS ours, (SELECT coalesce(sum(CASE WHEN c.booked_on <= :upto"
        f" THEN c.amount ELSE 0 END - CASE WHEN {_ARRIVED.format(BANK_RULES)} THEN c.amount"
        " ELSE 0 END), 0)::bigint FROM capture c WHERE c.agency_id = :agency"
        f" AND NOT {IS_CASH})"
        f" - {_GONE_FROM_CLEARING} AS theirs) x"
        " WHERE ours <> theirs"
    ),
    "each capture was looked for in its provider's or bank's file": (
        "SELECT c.id AS what FROM capture c WHERE c.agency_id = :agency AND c.booked_on <= :upto"
        f" AND NOT {IS_CASH}"
        " AND NOT EXISTS (SELECT 1 FROM recon_match m WHERE m.agency_id = c.agency_id"
        f" AND m.capture_id = c.id AND m.rule IN ('01-provider-id','by-hand',{TRANSFERS}))"
        f" AND {WRITTEN_OFF} = 0"
        " AND NOT EXISTS (SELECT 1 FROM break k WHERE k.agency_id = c.agency_id"
        " AND k.subject = 'capture:' || c.id AND k.kind = 'missing_at_provider'"
        f" AND k.state = 'open' AND {_REPORTED})"
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
        f" AND r.kind = {_KIND} AND NOT EXISTS (SELECT 1 FROM receipt s WHERE"
        " s.agency_id = r.agency_id AND s.replaces_id = r.id AND s.xml IS NOT NULL))"
        # What was given back and is seen on a replacement is on none that is in force.
        " + (SELECT coalesce(sum(x.part), 0) FROM correction k JOIN receipt s"
        " ON s.agency_id = k.agency_id AND s.id = k.successor_id AND s.xml IS NOT NULL"
        f" AND s.payment_id = e.payment_id AND s.kind = {_KIND} JOIN refund f"
        " ON f.agency_id = k.agency_id AND f.id = k.refund_id CROSS JOIN LATERAL"
        " unnest(f.parts) WITH ORDINALITY x(part, n) JOIN fee_line l ON l.agency_id = f.agency_id"
        " AND l.payment_id = f.payment_id AND l.n = x.n AND l.kind = s.kind"
        " WHERE k.agency_id = e.agency_id)"
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
SIGNED: Final = "two people have signed the day"  # Where the agency wants it so.
shown_max: Final = 5


async def failing(
    tx: Tx, agency_id: str, on: date, banks: Mapping[str, str]
) -> dict[str, list[str]]:
    """Ask every check at close; each answer lists what breaks it.

    ``banks`` says which provider account holds which of the agency's bank accounts.
    """
    broken: dict[str, list[str]] = {}
    asked = {"agency": agency_id, "upto": on, "banks": json.dumps(dict(banks))}
    for name, query in CHECKS.items():
        given = {k: v for k, v in asked.items() if f":{k}" in query}
        rows = await tx.rows(text(f"{query} LIMIT {shown_max}"), given)
        if rows:
            broken[name] = [str(r["what"]) for r in rows]
    return broken
