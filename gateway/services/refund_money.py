"""Which captured money may still be given back, and where it is: what a refund is decided on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from gateway.domain.dispute import Quarrel
from gateway.domain.errors import Refusal
from gateway.domain.payment import Payment
from gateway.domain.refund import WON_BACK, Refund
from gateway.services.refund_rows import SOURCES
from gateway.store.tx import Row, Tx

# The payer has all of the capture's money back, or owes again what it had paid.
_LOST: Final = "d.state = 'lost' AND (NOT d.is_borne OR d.amount = c.amount)"
_OF_CAPTURE: Final = "FROM dispute d WHERE d.agency_id = c.agency_id AND d.capture_id = c.id"
# What of a part was won back while it lay on account, and so paid nothing.
_WON_BEFORE: Final = (
    f"(SELECT coalesce(sum(d.amount), 0)::bigint {_OF_CAPTURE} AND a.use = 'on_account'"
    " AND d.state = 'lost' AND d.is_borne IS NULL)"
)
# One capture paid the whole, so the parts that lay on account became surplus.
_PAID_WITHOUT: Final = (
    "(a.use = 'on_account' AND EXISTS (SELECT 1 FROM allocation x WHERE x.agency_id = a.agency_id"
    " AND x.payment_id = a.payment_id AND x.use = 'debt' AND x.amount = p.amount_received"
    " AND NOT EXISTS (SELECT 1 FROM dispute d WHERE d.agency_id = x.agency_id"
    " AND d.capture_id = x.capture_id AND d.state = 'lost' AND NOT d.is_borne)))"
)
# The captures through which a payment got its debt, largest first: what each paid of it, what of
# that the payer won back at the agency's cost, and what refunds give back or are asked to.
_CAPTURES: Final = text(
    f"SELECT c.id, a.amount - {_WON_BEFORE} AS share, EXISTS (SELECT 1 {_OF_CAPTURE} AND {_LOST})"
    f" AS is_lost, EXISTS (SELECT 1 {_OF_CAPTURE} AND d.state = 'opened') AS is_disputed,"
    " (SELECT coalesce(sum(e.amount), 0)::bigint FROM dispute d JOIN entry e"
    " ON e.agency_id = d.agency_id AND e.voucher_kind = 'dispute' AND e.voucher_id = d.id"
    " AND e.rule = 'dispute_lost' AND e.debit = '6430'"
    " WHERE d.agency_id = c.agency_id AND d.capture_id = c.id) AS borne,"
    " (SELECT coalesce(sum(r.amount), 0)::bigint FROM refund r WHERE r.agency_id = c.agency_id"
    " AND r.capture_id = c.id AND r.source = 'debt' AND r.state NOT IN ('rejected','failed'))"
    " AS given FROM allocation a JOIN capture c ON c.agency_id = a.agency_id"
    " AND c.id = a.capture_id JOIN payment p ON p.agency_id = a.agency_id AND p.id = a.payment_id"
    " WHERE a.agency_id = :agency AND a.payment_id = :payment"
    f" AND a.use IN ('debt','on_account') AND NOT {_PAID_WITHOUT} ORDER BY a.amount DESC, c.id"
)
_QUARRELS: Final = text(
    "SELECT coalesce(bool_or(d.state = 'opened'), false) AS is_open,"
    f" coalesce(bool_or({_LOST}), false) AS is_lost FROM dispute d JOIN capture c"
    " ON c.agency_id = d.agency_id AND c.id = d.capture_id"
    " WHERE d.agency_id = :agency AND d.capture_id = :capture"
)
_CASE: Final = text(
    "SELECT amount FROM break WHERE agency_id = :agency AND subject = :subject"
    " AND kind = ANY(:kinds) AND state = 'open' FOR UPDATE"
)
# The treasury has it: its own line names the capture, so the claim is on the treasury (LEDGER).
_AT_TREASURY: Final = text(
    "SELECT EXISTS (SELECT 1 FROM recon_match m WHERE m.agency_id = :agency"
    " AND m.capture_id = :capture AND m.rule IN ('08-obligation','08-parts',"
    "'08-reference','09-lump')) AS yes"
)


@dataclass(frozen=True, slots=True)
class Paid:
    """A capture that paid a debt, and what of it may still go back. Amount in đồng."""

    id: str
    left: int
    is_disputed: bool


async def captures_of(tx: Tx, agency_id: str, payment_id: str) -> list[Paid]:
    """Give what paid a payment, largest first, without what the payer has taken back."""
    found = await tx.rows(_CAPTURES, {"agency": agency_id, "payment": payment_id})
    return [
        Paid(r["id"], r["share"] - min(r["borne"], r["share"]) - r["given"], r["is_disputed"])
        for r in found if not r["is_lost"]
    ]  # fmt: skip


def choose(captures: Sequence[Paid], amount: int) -> str:
    """Choose the capture that a refund gives back: the largest that can carry it whole.

    Where none can, it is spread, and goes by the largest. What is disputed is not free: raises
    Refusal where the rest is not enough. Nothing, where nothing paid.
    """
    free = [c for c in captures if not c.is_disputed]
    if len(free) < len(captures) and amount > sum(c.left for c in free):
        raise Refusal("payment-disputed", "The payer disputes this payment; wait for its end.")
    whole = (c.id for c in free if c.left >= amount)
    return next(whole, free[0].id if free else "")


async def charged_back_of(tx: Tx, payment: Payment, quarrel: Quarrel) -> int:
    """Say what of the money that a quarrel takes back had paid the payment."""
    found = await tx.rows(_CAPTURES, {"agency": payment.agency_id, "payment": payment.id})
    return sum(
        min(r["borne"] + quarrel.amount, r["share"]) - min(r["borne"], r["share"])
        for r in found if r["id"] == quarrel.capture_id
    )  # fmt: skip


async def quarrels_of(tx: Tx, agency_id: str, capture_id: str) -> Row:
    """Tell whether a payer disputes a capture now, and whether they have won it back."""
    row = await tx.row(_QUARRELS, {"agency": agency_id, "capture": capture_id})
    return row or {"is_open": False, "is_lost": False}


async def require_undisputed(tx: Tx, agency_id: str, capture_id: str) -> None:
    """Require that the payer does not get a capture's money back through the provider."""
    quarrels = await quarrels_of(tx, agency_id, capture_id)
    if quarrels["is_open"]:
        raise Refusal("payment-disputed", "The payer disputes this payment; wait for its end.")
    if quarrels["is_lost"]:
        raise Refusal("payment-not-refundable", WON_BACK)


async def require_case(tx: Tx, refund: Refund) -> None:
    """Require that a refund's case still holds its money: a dispute may have taken it since."""
    kinds = [kind for kind, source in SOURCES.items() if source is refund.source]
    asked = {"agency": refund.agency_id, "subject": f"capture:{refund.capture_id}"}
    case = await tx.row(_CASE, asked | {"kinds": kinds})
    if case is None or case["amount"] != refund.amount:
        raise Refusal("payment-not-refundable", "The case of this money is not what it was.")


async def is_at_treasury(tx: Tx, asked: Mapping[str, Any]) -> bool:
    """Tell whether the treasury has a capture's money."""
    row = await tx.row(_AT_TREASURY, asked)
    return bool(row and row["yes"])
