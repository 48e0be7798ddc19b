"""What queries ask of a capture ``c`` beside its own row, in one text for all of them."""

from typing import Final

# Cash stands in no file: it was counted in its drawer.
IS_CASH: Final = (
    "EXISTS (SELECT 1 FROM counter_take w WHERE w.agency_id = c.agency_id"
    " AND w.capture_id = c.id AND w.method = 'cash')"
)
# How much of it two people gave up; what they took back stands no more.
WRITTEN_OFF: Final = (
    "coalesce((SELECT sum(CASE WHEN e.storno THEN -e.amount ELSE e.amount END) FROM entry e"
    " WHERE e.agency_id = c.agency_id AND e.voucher_kind = 'correction' AND e.voucher_id = c.id"
    " AND e.rule = 'written_off' AND '6430' IN (e.debit, e.credit)), 0)::bigint"
)
