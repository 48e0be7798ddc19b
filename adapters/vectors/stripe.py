"""What Stripe's adapter must make of its recorded messages (stripe_messages.py)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from adapters.conformance import Operation, ProviderConformance
from adapters.vectors.stripe_messages import (
    CREATED,
    INTENT,
    ORDER,
    REFUND,
    SECONDS,
    SECRET_KEY,
    WEBHOOK_SECRET,
    build,
    completed,
    dispute,
    notice,
    opened,
    raw,
    refund,
    refusal,
    reply,
    session,
    sign,
    standing,
)
from gateway.ports.provider import (
    Notice,
    Order,
    Outcome,
    Provider,
    RawNotice,
    RefundOrder,
    RefundVerdict,
    Verdict,
)
from gateway.ports.wire import Reply, Wire


class StripeConformance(ProviderConformance):
    """The common suite on Stripe."""

    carrier = "body"
    signed_headers = ("stripe-signature",)
    unsigned_answers = frozenset[Operation](("checkout", "inquiry", "refund", "refund_inquiry"))

    def provider(self, wire: Wire) -> Provider:
        return build(wire)

    def secrets(self) -> tuple[str, ...]:
        return (SECRET_KEY, WEBHOOK_SECRET)

    def order(self) -> Order:
        return ORDER

    def accepted(self) -> Reply | None:
        return opened()

    def refusals(self) -> tuple[Reply, ...]:
        return (
            refusal(400, code="amount_too_small", param="line_items"),
            refusal(401),
            refusal(402, "card_error"),
            refusal(403),
            refusal(429, code="rate_limit"),
        )

    def known_already(self) -> Reply | None:
        return refusal(400, "idempotency_error")

    def foreign_accepted(self) -> tuple[Reply, ...]:
        return (
            opened(client_reference_id="ANOTHER"),
            opened(amount_total=15_000),
            opened(amount_total=150_000.0),
            opened(amount_total="150000"),
            opened(currency="usd"),
            opened(livemode=True),
            opened(url="javascript:alert(1)"),
            opened(url=None),
            opened(id="../../v1/refunds"),
            refusal(409, code="idempotency_key_in_use"),
        )

    def notices(self) -> Mapping[Verdict, RawNotice]:
        failed = session(payment_status="unpaid")
        expired = session(payment_status="unpaid", status="expired", payment_intent=None)
        ours = {"thuphi_attempt": ORDER.reference}
        intent = {"id": INTENT, "object": "payment_intent", "metadata": ours, "status": "canceled"}
        return {
            Verdict.CAPTURED: completed(),
            Verdict.PENDING: completed(payment_status="unpaid"),
            Verdict.DECLINED: notice("checkout.session.async_payment_failed", failed),
            Verdict.EXPIRED: notice("checkout.session.expired", expired),
            Verdict.CANCELLED: notice("payment_intent.canceled", intent),
            Verdict.REVIEW: notice("charge.dispute.created", dispute("needs_response")),
        }

    def understood(self) -> Notice:
        return Notice(
            verdict=Verdict.CAPTURED,
            txn_id=INTENT,
            amount=150_000,
            order_reference="HN20261124000001",
            paid_at=CREATED,
            code="checkout.session.completed",
        )

    def unknown(self) -> tuple[RawNotice, ...]:
        states: tuple[object, ...] = ("PAID", "", None, True, 1, "no_payment_required", "paid ")
        return (
            *(completed(payment_status=state) for state in states),
            completed(currency="usd"),
            completed(currency="VND"),
            completed(payment_intent=None),
            notice("checkout.session.expired", session()),
            notice("payment_intent.succeeded", session()),
            notice("invoice.paid", session()),
            notice("", session()),
            notice("checkout.session.completed", {}),
        )

    def foreign(self) -> tuple[RawNotice, ...]:
        body = completed().body
        late = CREATED + timedelta(seconds=301)
        return (
            raw(body, f"t={SECONDS},v1={sign(body, 'whsec_of_somebody_else')}"),
            raw(body, f"t={SECONDS},v0={sign(body)}"),
            replace(raw(body), received_at=late),
            notice("checkout.session.completed", session(), livemode=True),
            notice("checkout.session.completed", session(), account="acct_another"),
        )

    def repeated(self) -> tuple[RawNotice, ...]:
        body = completed().body
        twice = f"t={SECONDS},v1={sign(body)},t={SECONDS}"
        return (
            raw(body[:-1] + b', "type": "checkout.session.completed"}'),
            raw(b'{"created": 1, ' + body[1:]),
            raw(body, twice),
        )

    def resigned(self, raw: RawNotice, signature: str | None) -> RawNotice:
        if signature is None:
            return replace(raw, headers={})
        return replace(raw, headers={"stripe-signature": f"t={SECONDS},v1={signature}"})

    def signature(self, raw: RawNotice) -> str:
        return raw.headers["stripe-signature"].partition("v1=")[2]

    def answers(self) -> Mapping[Verdict, Reply]:
        return {
            Verdict.CAPTURED: standing("complete", "paid", "succeeded"),
            Verdict.PENDING: standing("complete", "unpaid", "processing"),
            Verdict.DECLINED: standing("complete", "unpaid", "requires_payment_method"),
            Verdict.CANCELLED: standing("complete", "unpaid", "canceled"),
            Verdict.EXPIRED: standing("expired", "unpaid", None),
            Verdict.REVIEW: standing("open", "paid", "succeeded"),
        }

    def unknown_answers(self) -> tuple[Reply, ...]:
        return (
            standing("complete", "PAID", "succeeded"),
            standing("complete", "no_payment_required", "succeeded"),
            standing("done", "paid", "succeeded"),
            standing("complete", "paid", None),
        )

    def unknown_order(self) -> Reply | None:
        return refusal(404, code="resource_missing")

    def foreign_answers(self) -> tuple[Reply, ...]:
        return (
            standing("complete", "paid", "succeeded", client_reference_id="ANOTHER"),
            standing("complete", "paid", "succeeded", id="cs_test_another"),
            standing("complete", "paid", "succeeded", amount_total=15_000),
            standing("complete", "paid", "succeeded", currency="usd"),
            standing("complete", "paid", "succeeded", livemode=True),
        )

    def refund_order(self) -> RefundOrder | None:
        return REFUND

    def refund_answers(self) -> Mapping[RefundVerdict, Reply]:
        return {
            RefundVerdict.DONE: reply(refund()),
            RefundVerdict.PENDING: reply(refund(status="pending")),
            RefundVerdict.REFUSED: reply(refund(status="failed")),
        }

    def refund_repeated(self) -> Reply | None:
        return refusal(400, code="charge_already_refunded")

    def foreign_refund_answers(self) -> tuple[Reply, ...]:
        return (
            reply(refund(metadata={"thuphi_refund": "ANOTHER"})),
            reply(refund(metadata={})),
            reply(refund(payment_intent="pi_another")),
            reply(refund(amount=1)),
            reply(refund(currency="usd")),
            reply(refund(id=None)),
        )

    def refund_inquiries(self) -> Mapping[RefundVerdict, Reply]:
        other = refund(id="re_other", metadata={"thuphi_refund": "ANOTHER"})
        states = {
            RefundVerdict.DONE: "succeeded",
            RefundVerdict.PENDING: "requires_action",
            RefundVerdict.REFUSED: "canceled",
        }
        return {
            verdict: reply({"object": "list", "data": [other, refund(status=state)]})
            for verdict, state in states.items()
        }

    def withdrawn(self) -> Reply | None:
        return standing("expired", "unpaid", None)

    def acknowledgements(self) -> Mapping[Outcome, tuple[int, object]]:
        thanks: tuple[int, object] = (200, None)
        return dict.fromkeys(Outcome, thanks) | {
            Outcome.FORGED: (400, None),
            Outcome.FAILED: (500, None),
        }
