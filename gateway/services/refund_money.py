"""Which captured money may still be given back, and where it is: what a refund is decided on."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.domain.refund import Refund
from gateway.services.refund_rows import SOURCES
from gateway.store.tx import Row, Tx

# One that took no more than what was owed to the payer anyhow leaves the debt's money alone.
_LOST: Final = "d.state = 'lost' AND (d.is_borne IS NOT NULL OR d.amount = c.amount)"
# The captures through which a payment got its debt, largest first, and what disputes took back.
_CAPTURES: Final = text(
    "SELECT c.*, a.amount AS share, EXISTS (SELECT 1 FROM dispute d"
    f" WHERE d.agency_id = c.agency_id AND d.capture_id = c.id AND {_LOST}) AS is_lost,"
    " (SELECT coalesce(sum(e.amount), 0)::bigint FROM dispute d JOIN entry e"
    " ON e.agency_id = d.agency_id AND e.voucher_kind = 'dispute' AND e.voucher_id = d.id"
    " AND e.rule = 'dispute_lost' AND e.debit = '6430'"
    " WHERE d.agency_id = c.agency_id AND d.capture_id = c.id) AS borne"
    " FROM allocation a JOIN capture c ON c.agency_id = a.agency_id"
    " AND c.id = a.capture_id WHERE a.agency_id = :agency AND a.payment_id = :payment"
    " AND a.use IN ('debt','on_account') ORDER BY a.amount DESC, c.id"
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
    " AND m.capture_id = :capture AND m.rule IN ('08-obligation','09-lump')) AS yes"
)


async def captures_of(tx: Tx, agency_id: str, payment_id: str) -> tuple[list[Row], int]:
    """Give what paid a payment and the payer has not taken back, and how much the agency bears.

    A capture with a lost dispute is left out: the payer has that money already.
    """
    found = await tx.rows(_CAPTURES, {"agency": agency_id, "payment": payment_id})
    return [row for row in found if not row["is_lost"]], sum(
        min(row["borne"], row["share"]) for row in found
    )


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
        raise Refusal("payment-not-refundable", "The payer won this money back in a dispute.")


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
