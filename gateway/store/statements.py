"""The statements that ``Tx`` sends most, built once."""

from typing import Final

from sqlalchemy import bindparam, func, select

from gateway.store import tables as t

_P, _L, _D = t.payment.c, t.fee_line.c, t.day.c
# Built once: to build a statement costs more than to run it.
PAYMENTS: Final = {
    "id": select(t.payment).where(
        _P.agency_id == bindparam("agency"), _P.id == bindparam("payment")
    ),
    "reference": select(t.payment).where(_P.reference == bindparam("payment")),
    "token": select(t.payment).where(_P.token == bindparam("payment")),
}
LOCKED: Final = PAYMENTS["id"].with_for_update(key_share=True)  # NO KEY: see locks.py.
LINES: Final = (
    select(t.fee_line)
    .where(_L.agency_id == bindparam("agency"), _L.payment_id.in_(bindparam("ids", expanding=True)))
    .order_by(_L.payment_id, _L.n)
)
LINES_OF_ONE: Final = (
    select(t.fee_line)
    .where(_L.agency_id == bindparam("agency"), _L.payment_id == bindparam("payment"))
    .order_by(_L.n)
)
_R = t.receipt.c
_NEXT = t.receipt.alias("successor")
# A receipt is replaced when the one that points back at it is signed.
REPLACED_BY: Final = (
    select(_NEXT.c.id)
    .where(_NEXT.c.agency_id == _R.agency_id, _NEXT.c.replaces_id == _R.id,
           _NEXT.c.xml.is_not(None))
    .scalar_subquery()
    .label("replaced_by")
)  # fmt: skip
# What a payment shows of its receipts; only signed ones are shown.
RECEIPTS: Final = (
    select(_R.payment_id, _R.id, _R.kind, _R.form, _R.series, _R.number, _R.amount,
           _R.numbered_at, _R.verify_code, _R.token, _R.replaces_id, REPLACED_BY)
    .where(_R.agency_id == bindparam("agency"), _R.xml.is_not(None),
           _R.payment_id.in_(bindparam("ids", expanding=True)))
    .order_by(_R.numbered_at)
)  # fmt: skip
# Whose platform issues the receipt of a debt, where we must not.
ELSEWHERE: Final = (
    select(t.capture.c.provider)
    .join(t.allocation, (t.allocation.c.agency_id == t.capture.c.agency_id)
          & (t.allocation.c.capture_id == t.capture.c.id))
    .where(t.allocation.c.agency_id == bindparam("agency"), t.allocation.c.use == "debt",
           t.allocation.c.payment_id == bindparam("payment"), t.capture.c.receipt_elsewhere)
    .limit(1)
)  # fmt: skip
LAST_CLOSED: Final = select(func.max(_D.booked_on).label("closed_on")).where(
    _D.agency_id == bindparam("agency"), _D.state == "closed"
)
# No receipt can be there before these; afterwards there may be some to show.
BEFORE_RECEIPTS: Final = frozenset(
    {"payment.opened", "payment.waived", "payment.partly_paid", "payment.paid"}
)
# What no decision about a payment changes once it is asked for; what is sealed is moved to another
# key, and erased, by statements of their own, which a later save must not undo.
FIXED: Final = frozenset(
    {"payer_sealed", "key_sealed", "reference", "branch_id", "client_id", "dossier_id",
     "procedure", "instalment", "price_on", "amount", "return_url", "metadata", "token",
     "created_at"}
)  # fmt: skip
