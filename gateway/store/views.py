"""Rows to values, and a payment as the world sees it (CONTRACT 3): one shape, everywhere."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from gateway.domain.calendar import rfc3339
from gateway.domain.ledger import Entry
from gateway.domain.payment import Capture, FeeLine, Payment
from gateway.domain.refund import Refund, Route, Source, refundable
from gateway.domain.states import RefundState, State


def payment_of(row: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> Payment:
    """Build the value from its row and its fee lines."""
    return Payment(
        id=row["id"], agency_id=row["agency_id"], branch_id=row["branch_id"],
        client_id=row["client_id"], reference=row["reference"], dossier_id=row["dossier_id"],
        procedure=row["procedure"], price_on=row["price_on"], token=row["token"],
        lines=tuple(
            FeeLine(x["code"], x["kind"], x["name"], x["amount"], x["budget_line"]) for x in lines
        ),
        created_at=row["created_at"], expires_at=row["expires_at"], state=State(row["state"]),
        instalment=row["instalment"], amount_received=row["amount_received"],
        amount_on_account=row["amount_on_account"], amount_suspended=row["amount_suspended"],
        amount_refunded=row["amount_refunded"],
        amount_refunding=row["amount_refunding"], amount_settled=row["amount_settled"],
        amount_charged_back=row["amount_charged_back"],
        in_doubt=row["in_doubt"], late=row["late"], sequence=row["sequence"],
        paid_at=row["paid_at"], return_url=row["return_url"], metadata=row["metadata"],
        payer_sealed=row["payer_sealed"], key_sealed=row["key_sealed"], erased_at=row["erased_at"],
    )  # fmt: skip


def payment_row(payment: Payment) -> dict[str, Any]:
    """Build the row from the value."""
    return {
        "agency_id": payment.agency_id, "id": payment.id, "reference": payment.reference,
        "branch_id": payment.branch_id, "client_id": payment.client_id,
        "dossier_id": payment.dossier_id, "procedure": payment.procedure,
        "instalment": payment.instalment, "price_on": payment.price_on,
        "state": str(payment.state), "amount": payment.amount,
        "amount_received": payment.amount_received,
        "amount_on_account": payment.amount_on_account,
        "amount_suspended": payment.amount_suspended,
        "amount_refunded": payment.amount_refunded,
        "amount_refunding": payment.amount_refunding, "amount_settled": payment.amount_settled,
        "amount_charged_back": payment.amount_charged_back,
        "in_doubt": payment.in_doubt, "late": payment.late,
        "payer_sealed": payment.payer_sealed, "key_sealed": payment.key_sealed,
        "return_url": payment.return_url,
        "metadata": payment.metadata, "token": payment.token, "sequence": payment.sequence,
        "created_at": payment.created_at, "expires_at": payment.expires_at,
        "paid_at": payment.paid_at,
    }  # fmt: skip


def entry_row(
    entry: Entry, agency_id: str, booked_on: date, value_on: date,
    capture: Capture | None, payment: Payment | None,
) -> dict[str, Any]:  # fmt: skip
    """Build the row of one posting; what its capture and its payment say need not be said twice."""
    return {
        "agency_id": agency_id, "booked_on": booked_on, "value_on": value_on,
        "debit": entry.debit, "credit": entry.credit, "amount": entry.amount,
        "voucher_kind": entry.voucher_kind or ("capture" if capture else "correction"),
        "voucher_id": entry.voucher_id or (capture.id if capture else ""),
        "payment_id": entry.payment_id,
        "branch_id": entry.branch_id or (payment.branch_id if payment else None),
        "provider_account": entry.provider_account
        or (f"{capture.provider}/{capture.account}" if capture else None),
        "batch_id": entry.batch_id, "budget_line": entry.budget_line,
        "evidence_hash": entry.evidence_hash or (capture.evidence_hash if capture else None),
        "rule": entry.rule, "storno": entry.storno,
    }  # fmt: skip


def payment_view(
    payment: Payment, receipts: Sequence[Mapping[str, Any]], public_url: str, elsewhere: str = ""
) -> dict[str, Any]:
    """Show a payment as ``GET /v1/payments/{id}`` does.

    ``elsewhere`` names the provider whose platform issues the receipt, where it is not the agency.
    """
    return {
        "id": payment.id,
        "reference": payment.reference,
        "state": str(payment.state),
        "agency": payment.agency_id,
        "branch": payment.branch_id,
        "dossier_id": payment.dossier_id,
        "procedure": payment.procedure,
        "price_on": payment.price_on.isoformat(),
        "amount": payment.amount,
        "amount_received": payment.amount_received,
        "amount_on_account": payment.amount_on_account,
        "amount_suspended": payment.amount_suspended,
        "amount_refunded": payment.amount_refunded,
        "amount_charged_back": payment.amount_charged_back,
        "amount_refundable": refundable(payment),
        "amount_settled": payment.amount_settled,
        "in_doubt": payment.in_doubt,
        "late": payment.late,
        "currency": "VND",
        "lines": [
            {"code": x.code, "kind": x.kind, "name": x.name, "amount": x.amount,
             "budget_line": x.budget_line}
            for x in payment.lines
        ],
        "receipts": [receipt_view(r, public_url) for r in receipts],
        "receipt_issuer": (elsewhere or "agency") if payment.paid_at else None,
        "metadata": payment.metadata,
        "return_url": payment.return_url,
        "links": {
            "self": f"{public_url}/v1/payments/{payment.id}",
            "pay": f"{public_url}/pay/{payment.token}",
            **({"bill": f"{public_url}/pay/{payment.token}/bill"} if elsewhere else {}),
        },
        "created_at": rfc3339(payment.created_at),
        "expires_at": rfc3339(payment.expires_at),
        "paid_at": rfc3339(payment.paid_at) if payment.paid_at else None,
    }  # fmt: skip


def receipt_view(row: Mapping[str, Any], public_url: str) -> dict[str, Any]:
    """Show a receipt as it stands inside a payment."""
    address = f"{public_url}/receipts/{row['token']}"
    return {
        "id": row["id"],
        "kind": row["kind"],
        "form": row["form"],
        "series": row["series"],
        "number": row["number"],
        "amount": row["amount"],
        "issued_at": rfc3339(row["numbered_at"]),
        "verify_code": row["verify_code"],
        "status": "replaced" if row.get("replaced_by") else "valid",
        "replaces": row.get("replaces_id"),
        "replaced_by": row.get("replaced_by"),
        "links": {"xml": f"{address}.xml", "pdf": f"{address}.pdf", "html": f"{address}.html"},
    }


def refund_of(row: Mapping[str, Any]) -> Refund:
    """Build the value from its row."""
    return Refund(
        id=row["id"], agency_id=row["agency_id"], capture_id=row["capture_id"],
        payment_id=row["payment_id"], source=Source(row["source"]), route=Route(row["route"]),
        state=RefundState(row["state"]), amount=row["amount"], reason=row["reason"],
        requested_by=row["requested_by"], created_at=row["created_at"],
        decided_by=row["decided_by"], parts=tuple(row["parts"]),
    )  # fmt: skip


def refund_row(refund: Refund) -> dict[str, Any]:
    """Build the row's part that the value decides."""
    return {
        "agency_id": refund.agency_id, "id": refund.id, "capture_id": refund.capture_id,
        "payment_id": refund.payment_id, "source": str(refund.source), "route": str(refund.route),
        "state": str(refund.state), "amount": refund.amount, "reason": refund.reason,
        "requested_by": refund.requested_by, "decided_by": refund.decided_by,
        "created_at": refund.created_at, "parts": list(refund.parts),
    }  # fmt: skip


def refund_view(row: Mapping[str, Any]) -> dict[str, Any]:
    """Show a refund as ``GET /v1/refunds/{id}`` does."""
    ended = row["ended_at"]
    return {
        "id": row["id"], "payment_id": row["payment_id"], "state": row["state"],
        "amount": row["amount"], "reason": row["reason"], "source": row["source"],
        "route": row["route"], "created_at": rfc3339(row["created_at"]),
        "ended_at": rfc3339(ended) if ended else None,
    }  # fmt: skip
