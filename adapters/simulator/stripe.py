"""Stripe's side: Checkout Sessions, refunds, disputes, payouts, and events about all of them."""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.simulator import pages, stripe_payouts
from adapters.simulator.config import SimulatorConfig
from adapters.simulator.faults import FaultScript, Variant
from adapters.simulator.journal import Journal
from adapters.simulator.orders import GivenBack, Orders, PageError, PayOrder, Txn, TxnState
from adapters.simulator.post import Letter, Post
from adapters.simulator.stripe_words import ApiError, Signed, listed, session_id
from gateway.domain.calendar import hanoi_day
from gateway.ports.clock import Clock

API: Final = "/stripe/v1"
PAGE: Final = "/stripe/c/pay"
session_s: Final = (30 * 60, 24 * 3_600)  # How long a session may live.
dong_max: Final = 99_999_999
# Stripe repeats for three days, less and less often; how often is not published.
RETRIES: Final = tuple(timedelta(minutes=m) for m in (5, 30, 120, 300, 600, 1_200))
DISPUTES: Final = (
    "warning_needs_response", "warning_closed", "needs_response", "under_review", "won", "lost",
)  # fmt: skip
_PAID: Final = {"status": "complete", "payment_status": "paid"}


@dataclass(slots=True)
class StripeSide:
    """One account, in test mode."""

    clock: Clock
    config: SimulatorConfig
    journal: Journal
    post: Post
    faults: FaultScript
    name: str = "stripe"
    statuses: Collection[str] = DISPUTES
    orders: Orders = field(init=False)
    answered: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)  # By their key.
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        """Open the order book."""
        self.orders = Orders(
            self.clock, self.journal, self.post, self.faults, self, "acct_thuphi",
            3_000_000, ("pi_", "re_"),
        )  # fmt: skip

    def routes(self) -> Sequence[Route]:
        """Give the API and the page."""
        sessions = f"{API}/checkout/sessions"
        return [
            Route(sessions, self._api(self.create), methods=["POST"]),
            Route(f"{sessions}/{{id}}", self._api(self.retrieve), methods=["GET"]),
            Route(f"{sessions}/{{id}}/expire", self._api(self.expire), methods=["POST"]),
            Route(f"{API}/refunds", self._api(self.refund), methods=["POST"]),
            Route(f"{API}/refunds", self._api(self.refunds), methods=["GET"]),
            Route(f"{API}/payouts", self._api(self.payouts), methods=["GET"]),
            Route(f"{API}/balance_transactions", self._api(self.movements), methods=["GET"]),
            Route(f"{PAGE}/{{id}}", self.page, methods=["GET"]),
        ]

    def _api(
        self, do: Callable[[Asked, dict[str, str]], "tuple[PayOrder | None, dict[str, Any]]"]
    ) -> Callable[[Asked], Any]:
        """Make a call a route: the key is known, and a repeated one is answered as before."""

        async def answer(request: Asked) -> Response:
            body = await request.body()
            said = dict(parse_qsl(body.decode() or request.url.query, keep_blank_values=True))
            if request.headers.get("authorization") != f"Bearer {self._secret('SECRET_KEY')}":
                return JSONResponse(ApiError(401, "").body, 401)
            try:
                order, made = self._once(request, body, lambda: do(request, said))
            except ApiError as refusal:
                return JSONResponse(refusal.body, refusal.status)
            if order is not None and do == self.create:
                await self.orders.open_early(order)
            if self.orders.is_slow(order):
                await asyncio.sleep(self.config.slow_s)
            return self.orders.misbehaved(order) or JSONResponse(made)

        return answer

    def _once(
        self, request: Asked, body: bytes, do: Callable[[], tuple[PayOrder | None, dict[str, Any]]]
    ) -> tuple[PayOrder | None, dict[str, Any]]:
        key = request.headers.get("idempotency-key", "")
        if request.method != "POST" or not key:
            return do()
        digest = hashlib.sha256(request.url.path.encode() + b"\n" + body).hexdigest()
        before = self.answered.get(key)
        if before and before[0] != digest:
            raise ApiError(400, "", kind="idempotency_error")
        if before is None:
            order, made = do()
            self.answered[key] = digest, made
            return order, made
        return self.orders.known.get(str(before[1].get("client_reference_id"))), before[1]

    def create(self, _: Asked, said: dict[str, str]) -> tuple[PayOrder, dict[str, Any]]:
        """Open a session."""
        amount = said["line_items[0][price_data][unit_amount]"]
        if said["line_items[0][price_data][currency]"] != "vnd" or said["mode"] != "payment":
            raise ApiError(400, "parameter_invalid", "line_items")
        if not re.fullmatch(r"[1-9][0-9]{0,15}", amount) or int(amount) > dong_max:
            raise ApiError(400, "amount_too_large", "line_items")
        ends = int(said["expires_at"])
        if not session_s[0] <= ends - self.clock.now().timestamp() <= session_s[1]:
            raise ApiError(400, "parameter_invalid", "expires_at")
        order = self.orders.open(
            PayOrder(
                said["client_reference_id"], int(amount),
                said["line_items[0][price_data][product_data][name]"], said["success_url"],
                datetime.fromtimestamp(ends, UTC), {"cancel_url": said["cancel_url"]},
            )
        )  # fmt: skip
        return order, self.session(order, None)

    def retrieve(self, request: Asked, said: dict[str, str]) -> tuple[PayOrder, dict[str, Any]]:
        """Say how a session stands, with what is to be expanded."""
        order = self._order(request.path_params["id"])
        session = self.session(order, order.taken)
        if order.taken and "expand[0]" in said:
            charge = {"object": "charge", "created": int(order.taken.at.timestamp())}
            session["payment_intent"] = {
                "id": order.taken.number, "object": "payment_intent", "status": "succeeded",
                "latest_charge": charge | {"id": order.taken.number.replace("pi_", "ch_")},
            }  # fmt: skip
        return order, session

    def expire(self, request: Asked, _: dict[str, str]) -> tuple[PayOrder, dict[str, Any]]:
        """End a session that is open."""
        order = self._order(request.path_params["id"])
        if self._status(order, order.taken) != "open":
            raise ApiError(400, "")
        order.expires_at = self.clock.now()  # Who still has the page open cannot pay it.
        txn = Txn("", order.amount, TxnState.EXPIRED, self.clock.now())
        order.txns.append(txn)
        self.orders.tell(order, txn, None)
        return order, self.session(order, None)

    def refund(self, _: Asked, said: dict[str, str]) -> tuple[PayOrder, dict[str, Any]]:
        """Give money back, and say so."""
        order = self._paid_by(said["payment_intent"])
        reference = said.get("metadata[thuphi_refund]", "")
        try:
            given = self.orders.give_back(order, reference, int(said["amount"]))
        except PageError:
            spent = order.taken is not None and order.given_back >= order.taken.amount
            code = "charge_already_refunded" if spent else "parameter_invalid"
            raise ApiError(400, code, "amount") from None
        made = self._refund(order, given)
        self.post.later(self.clock.now(), self.event("refund.created", made))
        return order, made

    def refunds(self, _: Asked, said: dict[str, str]) -> tuple[PayOrder, dict[str, Any]]:
        """List the refunds of a payment."""
        order = self._paid_by(said["payment_intent"])
        return order, listed([self._refund(order, given) for given in order.refunds])

    def payouts(self, _: Asked, said: dict[str, str]) -> tuple[None, dict[str, Any]]:
        """List the payouts that arrive in a time: each pays out the day before."""
        first, last = (int(said[f"arrival_date[{end}]"]) for end in ("gte", "lt"))
        days = sorted({hanoi_day(e.at) for e in self.journal.entries(self.name, kind="")})
        made = [
            stripe_payouts.payout(f"po_{day:%Y%m%d}", day + timedelta(days=1), self._settled(day))
            for day in days
        ]
        return None, listed([p for p in made if first <= p["arrival_date"] < last])

    def movements(self, _: Asked, said: dict[str, str]) -> tuple[None, dict[str, Any]]:
        """List what a payout is made of, a page at a time."""
        day = datetime.strptime(said["payout"], "po_%Y%m%d").replace(tzinfo=UTC).date()
        rows = [stripe_payouts.movement(row) for row in self._settled(day)]
        after = [n for n, row in enumerate(rows, 1) if row["id"] == said.get("starting_after")]
        rows, size = rows[after[0] if after else 0 :], int(said["limit"])
        return None, listed(rows[:size], has_more=len(rows) > size)

    def _settled(self, day: date) -> list[stripe_payouts.Row]:
        from adapters.simulator.reports import Reports

        return [*Reports(self.config, self.journal, [self.name]).provider(self.name, day)]

    async def page(self, request: Asked) -> Response:
        """Show the page of a session."""
        return pages.order(self.name, "Stripe", self.opened(request.url.path))

    def opened(self, redirect_url: str) -> PayOrder:
        """Find the order behind a page's address."""
        name = redirect_url.partition("?")[0].rstrip("/").rsplit("/", 1)[-1]
        for order in self.orders.known.values():
            if session_id(order) == name:
                return order
        raise PageError("There is no such session.")

    def letter(self, order: PayOrder, txn: Txn, variant: Variant) -> Letter | None:
        """Write the event about a transaction. Who only goes back leaves the session open."""
        session = self.session(order, txn)
        if txn.state is TxnState.CANCELLED:
            return None
        if txn.state is TxnState.DECLINED:  # On the page another card can be tried.
            intent = {"object": "payment_intent", "status": "requires_payment_method"}
            return self.event("payment_intent.payment_failed", intent)
        if txn.state is TxnState.EXPIRED:
            return self.event("checkout.session.expired", session)
        if variant is Variant.STALE:
            session["payment_status"] = "unpaid"
        foreign = {"account": "acct_another"} if variant is Variant.FOREIGN else {}
        secret = "whsec_of_a_forger" if variant is Variant.FORGED else ""
        return self.event("checkout.session.completed", session, secret, txn.at, **foreign)

    def back(self, order: PayOrder, txn: Txn) -> str:
        """Send the browser back; the address says nothing but which it is."""
        return (
            order.more.get("cancel_url", "")
            if txn.state is TxnState.CANCELLED
            else order.return_url
        )

    def dispute(self, reference: str, status: str) -> None:
        """Let the payer quarrel with the bank that issued the card, and tell of it."""
        order = self.orders.known[reference]
        txn = order.taken
        if txn is None:
            raise PageError("Nothing was paid.")
        kind = "closed" if status in ("won", "lost", "warning_closed") else "created"
        about = {
            "id": f"du_{txn.number}", "object": "dispute", "amount": txn.amount, "currency": "vnd",
            "payment_intent": txn.number, "status": status,
        }  # fmt: skip
        self.post.later(self.clock.now(), self.event(f"charge.dispute.{kind}", about))

    def event(
        self, kind: str, about: Mapping[str, Any], secret: str = "", at: datetime | None = None,
        **more: str,
    ) -> Letter:  # fmt: skip
        """Wrap an object in an event, and sign it anew at each try."""
        said = {
            "id": f"evt_{next(self.numbers)}", "object": "event", "type": kind, "livemode": False,
            "created": int((at or self.clock.now()).timestamp()), "data": {"object": dict(about)},
        } | more  # fmt: skip
        body = json.dumps(said, ensure_ascii=False, indent=2).encode()
        url = self.config.notice_url(self.name)
        make = Signed(url, body, secret or self._secret("WEBHOOK_SECRET"))
        return Letter(make, lambda status, _body: status // 100 == 2, RETRIES)  # noqa: PLR2004 - Stripe's own word for thanks.

    def session(self, order: PayOrder, txn: Txn | None) -> dict[str, Any]:
        """Write a session, after one of its transactions."""
        taken = txn if txn and txn.state is TxnState.TAKEN else None
        status = self._status(order, taken)
        page = f"{self._secret('BASE_URL')}/c/pay/{session_id(order)}"
        return {
            "id": session_id(order), "object": "checkout.session", "mode": "payment",
            "amount_total": taken.amount if taken else order.amount, "currency": "vnd",
            "client_reference_id": order.reference, "livemode": False, "status": status,
            "metadata": {"thuphi_attempt": order.reference}, "payment_status": "unpaid",
            "payment_intent": taken.number if taken else None,
            "url": page if status == "open" else None,
        } | (_PAID if taken else {})  # fmt: skip

    def _status(self, order: PayOrder, taken: Txn | None) -> str:
        if taken:
            return "complete"
        ended = any(t.state is TxnState.EXPIRED for t in order.txns)
        return "expired" if ended or self.clock.now() >= order.expires_at else "open"

    def _refund(self, order: PayOrder, given: GivenBack) -> dict[str, Any]:
        return {
            "id": given.txn_id, "object": "refund", "amount": given.amount, "currency": "vnd",
            "payment_intent": order.taken.number if order.taken else None,
            "status": "succeeded" if given.is_done else "pending",
            "metadata": {"thuphi_refund": given.reference} if given.reference else {},
        }  # fmt: skip

    def _order(self, name: str) -> PayOrder:
        try:
            return self.opened(name)
        except PageError:
            raise ApiError(404, "resource_missing", "id") from None

    def _paid_by(self, intent: str) -> PayOrder:
        for order in self.orders.known.values():
            if any(t.number == intent and t.state is TxnState.TAKEN for t in order.txns):
                return order
        raise ApiError(404, "resource_missing", "payment_intent")

    def _secret(self, name: str) -> str:
        return self.config.values[f"STRIPE_{name}"]
