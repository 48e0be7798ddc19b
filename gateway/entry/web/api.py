"""``/v1``: JSON to values, values to JSON; what happens in between is the services' business."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import select

from gateway.domain.addresses import origin_of
from gateway.domain.errors import FieldError, Refusal
from gateway.domain.states import State
from gateway.entry.web.bodies import attempt_body, no_body, payment_body, refund_body
from gateway.entry.web.json_reader import Reader, body_bytes_max, read_json
from gateway.entry.web.openapi import idempotency_key_max
from gateway.ports.clock import Clock
from gateway.services import catalogue
from gateway.services.access import Access, Client
from gateway.services.attempts import Attempts
from gateway.services.cancelling import Cancelling
from gateway.services.outbox import Outbox, events_page_max
from gateway.services.payments import Answer, Payments, Wanted, page_size_max, render
from gateway.services.refunds import RefundDesk
from gateway.store import tables as t
from gateway.store.statements import REPLACED_BY
from gateway.store.tx import Store
from gateway.store.views import receipt_view, refund_view


@dataclass(frozen=True, slots=True)
class ApiParts:
    """The services behind ``/v1``."""

    store: Store
    access: Access
    payments: Payments
    attempts: Attempts
    cancelling: Cancelling
    refunds: RefundDesk
    outbox: Outbox


async def read_body(request: Request) -> bytes:
    """Read a body up to its limit, whatever it says its length is."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > body_bytes_max:
            raise Refusal("too-large", f"A body has at most {body_bytes_max} bytes.")
    return bytes(body)


def idempotency_key(request: Request) -> str:
    """Read the key: a bare token or a quoted string (the RFC draft), up to 255 characters."""
    given = request.headers.get("idempotency-key", "").strip()
    if len(given) > 1 and given[0] == given[-1] == '"':
        given = given[1:-1]
    if not given or len(given) > idempotency_key_max or not given.isprintable():
        raise Refusal("idempotency-key-missing", "Send an Idempotency-Key of 1 to 255 characters.")
    return given


def body_hash(values: Mapping[str, Any]) -> str:
    """Compare bodies after parsing: order and white space do not matter."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def said(answer: Answer | Refusal) -> Response:
    """Answer as was answered before, or refuse."""
    if isinstance(answer, Refusal):
        raise answer
    headers = {"idempotency-replayed": "true"} if answer.replayed else None
    return Response(answer.body, answer.status, headers, "application/json")


def shown(values: Mapping[str, Any]) -> Response:
    """Answer with values."""
    return Response(render(values), 200, None, "application/json")


def _number(request: Request, name: str, least: int, most: int, default: int) -> int:
    given = request.query_params.get(name, str(default))
    # The longest number that a column holds has as many digits as `most` at the most.
    is_short = len(given) <= len(str(most))
    if not (is_short and given.isascii() and given.isdigit() and least <= int(given) <= most):
        raise Refusal(
            "invalid-request", "A query parameter is wrong.",
            (FieldError(f"/{name}", f"Must be a whole number from {least} to {most}."),),
        )  # fmt: skip
    return int(given)


def _instant(request: Request, name: str) -> datetime | None:
    given = request.query_params.get(name)
    if given is None:
        return None
    reader = Reader({name: given})
    found = reader.instant(name, datetime.min.replace(tzinfo=UTC))
    reader.check()
    return found


def routes(parts: ApiParts) -> APIRouter:
    """Give the routes of ``/v1``."""
    api = APIRouter(prefix="/v1")
    _payment_routes(api, parts)
    _changing_routes(api, parts)
    _refund_routes(api, parts)
    _reading_routes(api, parts)
    return api


async def client_of(parts: ApiParts, request: Request) -> Client:
    """Give the client whose key a request carries."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Refusal("unauthenticated", "Send a key: Authorization: Bearer <key>.")
    return await parts.access.client(key.strip())


def _payment_routes(api: APIRouter, parts: ApiParts) -> None:

    @api.post("/payments", status_code=201)
    async def request_payment(request: Request) -> Response:
        """Ask for a payment."""
        client = await client_of(parts, request)
        key = idempotency_key(request)
        values = read_json(await read_body(request))
        once = ("POST /v1/payments", key, body_hash(values))
        try:
            wanted = _wanted(parts.store.clock, client, values)
        except Refusal as refusal:
            # Time passes, tariffs and origins change: what was answered once stays the answer.
            return said(await parts.payments.stored(client, once) or refusal)
        keyed = Wanted(**wanted, key=key, body_hash=once[2])
        (answer,) = await parts.payments.request_many(client, [keyed])
        return said(answer)

    @api.get("/payments/{payment_id}")
    async def get_payment(request: Request, payment_id: str) -> Response:
        """Show one payment."""
        client = await client_of(parts, request)
        return shown(await parts.payments.get(client.agency_id, payment_id))

    @api.get("/payments")
    async def search_payments(request: Request) -> Response:
        """Find payments."""
        client = await client_of(parts, request)
        state = request.query_params.get("state")
        if state is not None and state not in list(State):
            raise Refusal(
                "invalid-request", "A query parameter is wrong.",
                (FieldError("/state", "There is no such state."),),
            )  # fmt: skip
        data, cursor = await parts.payments.search(
            client.agency_id,
            _number(request, "limit", 1, page_size_max, 20),
            request.query_params.get("cursor"),
            dossier_id=request.query_params.get("dossier_id"),
            reference=request.query_params.get("reference"),
            state=state,
            created_from=_instant(request, "created_from"),
            created_to=_instant(request, "created_to"),
        )
        return shown({"data": data, "next_cursor": cursor})


def _changing_routes(api: APIRouter, parts: ApiParts) -> None:
    @api.post("/payments/{payment_id}/cancel")
    async def cancel_payment(request: Request, payment_id: str) -> Response:
        """Withdraw a payment."""
        client = await client_of(parts, request)
        key = idempotency_key(request)
        body = await read_body(request)
        values = read_json(body) if body else {}
        no_body(values)
        once = (f"POST /v1/payments/{payment_id}/cancel", key, body_hash(values))
        return said(await parts.cancelling.cancel(client, payment_id, once))

    @api.post("/payments/{payment_id}/attempts", status_code=201)
    async def start_attempt(request: Request, payment_id: str) -> Response:
        """Begin an attempt; a live one with the same provider is given back."""
        client = await client_of(parts, request)
        key = idempotency_key(request)
        values = read_json(await read_body(request))
        wanted = attempt_body(values)
        address = request.client.host if request.client else "127.0.0.1"
        once = (f"POST /v1/payments/{payment_id}/attempts", key, body_hash(values))
        return said(
            await parts.attempts.start_for_client(client, payment_id, wanted, address, once)
        )


def _refund_routes(api: APIRouter, parts: ApiParts) -> None:
    @api.post("/payments/{payment_id}/refunds", status_code=201)
    async def ask_refund(request: Request, payment_id: str) -> Response:
        """Ask for a refund, guarded by what the asker believes can be refunded."""
        client = await client_of(parts, request)
        key = idempotency_key(request)
        values = read_json(await read_body(request))
        body = refund_body(values)
        once = (f"POST /v1/payments/{payment_id}/refunds", key, body_hash(values))
        wanted = (body.amount, body.reason, body.expected)
        return said(await parts.refunds.ask_for_client(client, payment_id, wanted, once))

    @api.get("/payments/{payment_id}/refunds")
    async def list_refunds(request: Request, payment_id: str) -> Response:
        """List the refunds of a payment."""
        client = await client_of(parts, request)
        rows = await parts.refunds.of_payment(client.agency_id, payment_id)
        return shown({"data": [refund_view(row) for row in rows]})

    @api.get("/refunds/{refund_id}")
    async def get_refund(request: Request, refund_id: str) -> Response:
        """Show one refund."""
        client = await client_of(parts, request)
        return shown(refund_view(await parts.refunds.get(client.agency_id, refund_id)))


def _reading_routes(api: APIRouter, parts: ApiParts) -> None:
    @api.get("/providers")
    async def list_providers(request: Request) -> Response:
        """List the ways to pay of the client's agency, what each can do, and how well it works."""
        client = await client_of(parts, request)
        return shown({"data": await parts.attempts.ways.shown(client.agency_id)})

    @api.get("/events")
    async def read_events(request: Request) -> Response:
        """Read events after a position."""
        client = await client_of(parts, request)
        after = _number(request, "after", 0, 2**63 - 1, 0)
        limit = _number(request, "limit", 1, events_page_max, 100)
        return shown({"data": await parts.outbox.after(client.agency_id, after, limit)})

    @api.get("/receipts/{receipt_id}")
    async def get_receipt(request: Request, receipt_id: str) -> Response:
        """Show one receipt."""
        client = await client_of(parts, request)
        c = t.receipt.c
        async with parts.store.begin() as tx:
            row = await tx.row(
                select(t.receipt, REPLACED_BY).where(
                    c.agency_id == client.agency_id, c.id == receipt_id, c.xml.is_not(None)
                )
            )
        if row is None:
            raise Refusal("not-found", "There is no such receipt.")
        return shown(receipt_view(row, parts.store.public_url) | {"payment_id": row["payment_id"]})


def _wanted(clock: Clock, client: Client, values: Mapping[str, Any]) -> dict[str, Any]:
    """Check what only the books know: agency, branch, origin, price."""
    body = payment_body(values, clock.now())
    errors = []
    if body.agency != client.agency_id:
        errors.append(FieldError("/agency", "This key does not ask for that agency."))
    if body.branch not in client.branches:
        errors.append(FieldError("/branch", "The agency has no such branch."))
    if errors:
        raise Refusal("invalid-request", "Some fields are wrong.", tuple(errors))
    if body.return_url and origin_of(body.return_url) not in client.return_origins:
        raise Refusal(
            "return-url-not-registered", "Register the origin of the return address first.",
            (FieldError("/return_url", "Its origin is not registered for this client."),),
        )  # fmt: skip
    if body.lines and not client.may_price:
        raise Refusal("price-not-allowed", "This client may send facts, not lines.")
    lines = body.lines or catalogue.price(
        client.agency_id, body.procedure, body.facts or catalogue.Facts(), body.price_on
    )
    return {
        "branch_id": body.branch, "dossier_id": body.dossier_id, "procedure": body.procedure,
        "price_on": body.price_on, "lines": lines, "expires_at": body.expires_at,
        "instalment": body.instalment, "payer": body.payer, "return_url": body.return_url,
        "metadata": body.metadata,
    }  # fmt: skip
