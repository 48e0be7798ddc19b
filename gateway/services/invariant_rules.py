"""The rules about money as queries, each for what breaks it: an empty answer is the proof.

Each names the agency whose that is, or none where nobody knows it yet.
``:before`` is the instant before which what takes a moment must have happened.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_BALANCES: Final = (
    "(SELECT agency_id, account, sum(amount)::bigint AS balance FROM"
    " (SELECT agency_id, debit AS account, amount FROM entry UNION ALL"
    " SELECT agency_id, credit, -amount FROM entry) x GROUP BY agency_id, account)"
)

_ELSEWHERE: Final = (
    "EXISTS (SELECT 1 FROM allocation x JOIN capture c ON c.agency_id = x.agency_id"
    " AND c.id = x.capture_id WHERE x.agency_id = p.agency_id AND x.payment_id = p.id"
    " AND x.use = 'debt' AND c.receipt_elsewhere)"
)

NOTICES: Final = "no notice is left unread"
LOGGED: Final = "each sealed receipt is in the transparency log"
HEARD: Final = "each client is told of each payment that is paid"
unread_hours_max: Final = 4  # All of a notice's tries together take three and a half.

RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "the ledger sums to zero": (
            f"SELECT agency_id, agency_id AS what FROM {_BALANCES} b GROUP BY agency_id"
            " HAVING sum(balance) <> 0"
        ),
        "no balance is on its wrong side": (
            f"SELECT agency_id, agency_id || ' ' || account AS what FROM {_BALANCES} b WHERE"
            " (account IN ('1110','1120','1125','1381','1382','1383','1388','6420','6430',"
            "'M1','M2','M3','M4','M5') AND balance < 0)"
            " OR (account IN ('3310','3320','3330','3370','3375','3380','4900','M9')"
            " AND balance > 0)"
        ),
        # What the safe gave to drawers comes back in their bags; a float that came back short
        # lacks in the safe until whoever owes it has made it good.
        "nothing in transit is less than the floats that are out": (
            "SELECT agency_id, agency_id AS what"
            f" FROM {_BALANCES} b WHERE account = '1130' AND balance <"
            " -(SELECT coalesce(sum(float_amount), 0) FROM shift s"
            " WHERE s.agency_id = b.agency_id AND s.state <> 'closed')"
            " - (SELECT coalesce(sum(s.float_amount - s.counted_amount), 0) FROM shift s"
            " JOIN shift_difference d ON d.agency_id = s.agency_id AND d.shift_id = s.id"
            " AND d.state <> 'made_good' WHERE s.agency_id = b.agency_id AND s.state = 'closed'"
            " AND s.counted_amount < s.float_amount)"
        ),
        "cash equals what lies in the drawers of shifts that are not closed": (
            "SELECT b.agency_id, b.agency_id AS what"
            f" FROM {_BALANCES} b WHERE account = '1110' AND balance <>"
            " (SELECT coalesce(sum(s.float_amount), 0) FROM shift s WHERE s.agency_id ="
            " b.agency_id AND s.state <> 'closed') + (SELECT coalesce(sum(c.amount), 0)"
            " FROM counter_take k JOIN shift s ON s.agency_id = k.agency_id AND s.id = k.shift_id"
            " JOIN capture c ON c.agency_id = k.agency_id AND c.id = k.capture_id"
            " WHERE k.agency_id = b.agency_id AND k.method = 'cash' AND s.state <> 'closed')"
        ),
        "shortages equal the differences that nobody decided": (
            "SELECT b.agency_id, b.agency_id AS what"
            f" FROM {_BALANCES} b WHERE account = '1382' AND balance <>"
            " (SELECT coalesce(sum(amount), 0) FROM shift_difference d"
            " WHERE d.agency_id = b.agency_id AND d.state = 'open')"
        ),
        "a capture at a counter has a person, a branch and a shift": (
            "SELECT c.agency_id, c.id AS what FROM capture c LEFT JOIN counter_take k"
            " ON k.agency_id = c.agency_id AND k.capture_id = c.id"
            " WHERE c.provider = 'counter' AND k.capture_id IS NULL"
        ),
        "charges and losses are covered": (
            f"SELECT agency_id, agency_id AS what FROM {_BALANCES} b GROUP BY agency_id HAVING"
            " coalesce(sum(balance) FILTER (WHERE account IN ('6420','6430','4900')), 0) <> 0"
        ),
        "what is assessed is owed, collected, waived, cancelled or refunded": (
            f"SELECT agency_id, agency_id AS what FROM {_BALANCES} b WHERE account LIKE 'M%'"
            " GROUP BY agency_id HAVING sum(balance) <> 0"
        ),
        "each payment's amounts agree with its captures": (
            "SELECT p.agency_id, p.id AS what"
            " FROM payment p LEFT JOIN (SELECT agency_id, payment_id,"
            " sum(amount) AS came FROM allocation GROUP BY agency_id, payment_id) a"
            " ON a.agency_id = p.agency_id AND a.payment_id = p.id WHERE coalesce(a.came, 0)"
            " - (SELECT coalesce(sum(r.amount), 0) FROM refund r WHERE r.agency_id = p.agency_id"
            " AND r.payment_id = p.id AND r.source <> 'debt' AND r.state = 'done')"
            " - (SELECT coalesce(sum(e.amount), 0) FROM entry e WHERE e.agency_id = p.agency_id"
            " AND e.payment_id = p.id AND e.rule = 'dispute_lost' AND e.credit = '1381')"
            " <> p.amount_received + p.amount_on_account + p.amount_suspended"
        ),
        "each payment's collection is in the books": (
            "SELECT p.agency_id, p.id AS what"
            " FROM payment p LEFT JOIN (SELECT agency_id, payment_id,"
            " sum(CASE WHEN credit = 'M1' THEN amount ELSE -amount END) AS collected FROM entry"
            " WHERE (debit = 'M2' AND credit = 'M1') OR (debit = 'M1' AND credit = 'M2')"
            " GROUP BY agency_id, payment_id) e ON e.agency_id = p.agency_id"
            " AND e.payment_id = p.id WHERE coalesce(e.collected, 0) <> p.amount_received"
        ),
        "each payment's refunds are in its sums and in the books": (
            "SELECT p.agency_id, p.id AS what"
            " FROM payment p LEFT JOIN (SELECT agency_id, payment_id,"
            " sum(amount) FILTER (WHERE state = 'done') AS given,"
            " sum(amount) FILTER (WHERE state IN ('requested','approved','sent','in_doubt'))"
            " AS going, sum(amount) FILTER (WHERE state IN ('approved','sent','in_doubt','done'))"
            " AS booked FROM refund WHERE source = 'debt' GROUP BY agency_id, payment_id) r"
            " ON r.agency_id = p.agency_id AND r.payment_id = p.id LEFT JOIN (SELECT agency_id,"
            " payment_id, sum(CASE WHEN debit = 'M5' THEN amount ELSE -amount END) AS said"
            " FROM entry WHERE 'M5' IN (debit, credit) GROUP BY agency_id, payment_id) e"
            " ON e.agency_id = p.agency_id AND e.payment_id = p.id"
            " WHERE coalesce(r.given, 0) <> p.amount_refunded"
            " OR coalesce(r.going, 0) <> p.amount_refunding"
            " OR coalesce(r.booked, 0) <> coalesce(e.said, 0)"
        ),
        "what payers won back of what paid is in the books": (
            "SELECT p.agency_id, p.id AS what FROM payment p WHERE p.amount_charged_back > 0"
            " AND p.amount_charged_back > (SELECT coalesce(sum(e.amount), 0) FROM dispute d"
            " JOIN entry e ON e.agency_id = d.agency_id AND e.voucher_kind = 'dispute'"
            " AND e.voucher_id = d.id AND e.debit = '6430' WHERE d.agency_id = p.agency_id"
            " AND d.payment_id = p.id AND d.is_borne)"
        ),
        "refunds payable equal the refunds approved and not done": (
            "SELECT b.agency_id, b.agency_id AS what"
            f" FROM {_BALANCES} b WHERE account = '3380' AND -balance <>"
            " (SELECT coalesce(sum(amount), 0) FROM refund r WHERE r.agency_id = b.agency_id"
            " AND r.state IN ('approved','sent','in_doubt'))"
        ),
        "what is disputed equals the open disputes": (
            "SELECT b.agency_id, b.agency_id AS what"
            f" FROM {_BALANCES} b WHERE account = '1381' AND balance <>"
            " (SELECT coalesce(sum(amount), 0) FROM dispute d WHERE d.agency_id = b.agency_id"
            " AND d.state = 'opened')"
        ),
        "nobody approved what they asked for": (
            "SELECT agency_id, id AS what FROM refund WHERE decided_by = requested_by"
        ),
        "unidentified money equals what payments hold and open cases name": (
            "SELECT b.agency_id, b.agency_id AS what"
            f" FROM {_BALANCES} b WHERE account = '3310' AND -balance <>"
            " (SELECT coalesce(sum(amount_on_account), 0) FROM payment p"
            " WHERE p.agency_id = b.agency_id)"
            " + (SELECT coalesce(sum(amount), 0) FROM break k WHERE k.agency_id = b.agency_id"
            " AND k.state = 'open' AND (k.subject LIKE 'capture:%' OR k.subject LIKE 'shift:%')"
            " AND k.kind IN"
            " ('amount','double','late','unknown_money','cash_over'))"
        ),
        "what is on account of a payment that ended has its cases": (
            "SELECT p.agency_id, p.id AS what"
            " FROM payment p LEFT JOIN (SELECT agency_id, payment_id,"
            " sum(amount) AS amount FROM break WHERE kind = 'partial' AND state = 'open'"
            " GROUP BY agency_id, payment_id) k ON k.agency_id = p.agency_id"
            " AND k.payment_id = p.id WHERE p.state IN ('cancelled','expired')"
            " AND p.amount_on_account <> coalesce(k.amount, 0)"
        ),
        "surplus equals its open cases": (
            "SELECT b.agency_id, b.agency_id AS what"
            f" FROM {_BALANCES} b WHERE account = '3320' AND -balance <>"
            " (SELECT coalesce(sum(amount), 0) FROM break k WHERE k.agency_id = b.agency_id"
            " AND k.state = 'open' AND k.kind = 'surplus')"
        ),
        "each capture is booked once, whole": (
            "SELECT c.agency_id, c.id AS what"
            " FROM capture c LEFT JOIN (SELECT agency_id, voucher_id,"
            " sum(amount) AS booked FROM entry WHERE voucher_kind = 'capture'"
            " AND debit IN ('1380','1110') GROUP BY agency_id, voucher_id) e"
            " ON e.agency_id = c.agency_id AND e.voucher_id = c.id"
            " WHERE coalesce(e.booked, 0) <> c.amount"
        ),
        "each paid payment has one event that says so": (
            "SELECT p.agency_id, p.id AS what"
            " FROM payment p LEFT JOIN event e ON e.agency_id = p.agency_id"
            " AND e.payment_id = p.id AND e.type = 'payment.paid'"
            " WHERE p.state IN ('paid','settled','refunded') GROUP BY p.agency_id, p.id"
            " HAVING count(e.id) <> 1 + (SELECT count(*) FROM dispute d WHERE"
            " d.agency_id = p.agency_id AND d.payment_id = p.id AND d.state = 'lost'"
            " AND NOT d.is_borne)"
        ),
        "each paid payment has its receipts": (
            "SELECT p.agency_id, p.id AS what"
            " FROM payment p JOIN fee_line f ON f.agency_id = p.agency_id"
            " AND f.payment_id = p.id AND f.amount > 0 LEFT JOIN receipt r"
            " ON r.agency_id = p.agency_id AND r.payment_id = p.id AND r.kind = f.kind"
            " JOIN event e ON e.agency_id = p.agency_id AND e.payment_id = p.id"
            " AND e.type = 'payment.paid'"
            " WHERE p.state IN ('paid','settled') AND e.occurred_at < :before AND r.id IS NULL"
            f" AND NOT {_ELSEWHERE}"
        ),
        "no debt has two receipts": (
            "SELECT r.agency_id, r.id AS what"
            " FROM receipt r JOIN payment p ON p.agency_id = r.agency_id"
            f" AND p.id = r.payment_id WHERE {_ELSEWHERE}"
        ),
        "receipt numbers have no gap and no repeat": (
            "SELECT s.agency_id, s.agency_id || ' ' || s.series AS what"
            " FROM series s LEFT JOIN receipt r"
            " ON r.agency_id = s.agency_id AND r.form = s.form AND r.series = s.series"
            " GROUP BY s.agency_id, s.form, s.series, s.last_number, s.taken_over"
            " HAVING count(r.number) <> s.last_number - s.taken_over"
            " OR coalesce(max(r.number), s.taken_over) <> s.last_number"
            " OR coalesce(min(r.number), s.taken_over + 1) <> s.taken_over + 1"
        ),
        LOGGED: (
            "SELECT agency_id, id AS what FROM receipt WHERE xml IS NOT NULL AND leaf_index IS NULL"
            " AND signed_at < :before"
        ),
        "each log is dense, and its newest checkpoint is of all of it": (
            "SELECT g.agency_id, g.agency_id AS what FROM receipt_log g"
            " LEFT JOIN (SELECT agency_id, count(*) AS n, max(leaf_index) + 1 AS size FROM log_leaf"
            " GROUP BY agency_id) l ON l.agency_id = g.agency_id"
            " LEFT JOIN (SELECT agency_id, max(size) AS size FROM log_checkpoint"
            " GROUP BY agency_id) c ON c.agency_id = g.agency_id"
            " WHERE (l.n, l.n) IS DISTINCT FROM (l.size, c.size)"
        ),
        "receipt numbers rise with time": (
            "SELECT agency_id, what FROM (SELECT agency_id, id AS what, numbered_at,"
            " lag(numbered_at) OVER (PARTITION BY agency_id, form, series ORDER BY number)"
            " AS before FROM receipt) x WHERE numbered_at < before"
        ),
        # The letters of each act, as Acts.add puts them together; a newline stands in none but the
        # last. The count beside each break finds one that is missing at the chain's end.
        "each act about a break is sealed onto the one before": (
            "SELECT agency_id, id AS what FROM (SELECT c.*, lag(seal, 1, '') OVER w AS before,"
            " row_number() OVER w AS nth FROM case_action c"
            " WINDOW w AS (PARTITION BY agency_id ORDER BY number)) x"
            " WHERE number <> nth OR seal_before <> before OR seal <> encode(sha256(convert_to("
            "concat_ws(E'\\n', seal_before, agency_id, number, id, break_id, kind, actor,"
            " coalesce(about_id, ''), coalesce(about_actor, ''), to_char(at AT TIME ZONE 'UTC',"
            " 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), said), 'UTF8')), 'hex')"
        ),
        "each break knows how many acts are about it": (
            "SELECT k.agency_id, k.id AS what FROM break k LEFT JOIN (SELECT agency_id, break_id,"
            " count(*) AS n FROM case_action GROUP BY agency_id, break_id) c"
            " ON c.agency_id = k.agency_id AND c.break_id = k.id"
            " WHERE k.action_count <> coalesce(c.n, 0)"
        ),
        "each attached file is named by its act": (
            "SELECT c.agency_id, c.id AS what FROM case_action c LEFT JOIN case_file f"
            " ON f.agency_id = c.agency_id AND f.action_id = c.id"
            " WHERE (c.kind = 'attach') <> (f.id IS NOT NULL)"
        ),
        "positions are dense": (
            "SELECT agency_id, agency_id AS what"
            " FROM event WHERE position IS NOT NULL GROUP BY agency_id"
            " HAVING max(position) <> count(*) OR min(position) <> 1"
        ),
        "sequences are dense": (
            "SELECT agency_id, payment_id AS what FROM event WHERE payment_id IS NOT NULL"
            " GROUP BY agency_id, payment_id HAVING max(sequence) <> count(*)"
        ),
        "no event waits for its position": (
            "SELECT agency_id, id AS what"
            " FROM event WHERE position IS NULL AND occurred_at < :before"
        ),
        NOTICES: (
            "SELECT NULL::text AS agency_id, notice_id AS what"
            " FROM notice_work WHERE state = 'stored'"
            f" AND received_at + interval '{unread_hours_max} hours' < :before"
        ),
        HEARD: (
            "SELECT e.agency_id, e.id AS what"
            " FROM event e JOIN payment y ON y.agency_id = e.agency_id"
            " AND y.id = e.payment_id JOIN endpoint p ON p.agency_id = y.agency_id"
            " AND p.client_id = y.client_id AND p.disabled_at IS NULL"
            " AND p.created_at <= e.occurred_at LEFT JOIN delivery d"
            " ON d.agency_id = e.agency_id AND d.event_id = e.id AND d.endpoint_id = p.id"
            " WHERE e.type = 'payment.paid' AND e.occurred_at < :before AND d.event_id IS NULL"
        ),
    }
)
