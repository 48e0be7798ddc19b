"""``/openapi.json``: what procedure systems generate their clients from.

Each operation names what it takes, what it gives and every refusal that it may answer with; a test
holds this table against the routes and against what they really say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from gateway.domain.errors import REFUSALS
from gateway.entry.web.json_reader import INSTANT
from gateway.entry.web.problems import STATUS
from gateway.entry.web.schemas import SCHEMAS, Schema, ref
from gateway.services.outbox import events_page_max
from gateway.services.payments import page_size_max
from reconciliation.intake import name_chars_max
from reconciliation.readers.profile import PROFILES

idempotency_key_max: Final = 255
_EVERYWHERE: Final = ("unauthenticated", "unavailable")
_ON_CHANGE: Final = (
    "invalid-request", "idempotency-key-missing", "idempotency-key-reused", "too-large", "too-slow",
)  # fmt: skip
_TEXT: Final[Schema] = {"type": "string"}
_INSTANT: Final[Schema] = {
    "type": "string", "format": "date-time", "pattern": f"^{INSTANT.pattern}$",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a client can ask for."""

    name: str
    says: str
    answer: str  # Schemas, by name.
    body: str = ""
    status: HTTPStatus = HTTPStatus.OK
    query: Mapping[str, Schema] | None = None
    refusals: tuple[str, ...] = ()
    needs_body: bool = True
    takes: str = "application/json"


def _page(most: int, default: int) -> Schema:
    return {"type": "integer", "minimum": 1, "maximum": most, "default": default}


_ONE: Final = "/v1/payments/{payment_id}"
OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("POST", "/v1/payments"): Operation(
        "request_payment", "Ask for a payment.", "Payment", "PaymentWanted", HTTPStatus.CREATED,
        refusals=("no-rule-for-date", "unknown-procedure", "price-not-allowed",
                  "return-url-not-registered", "payment-already-open"),
    ),
    ("GET", "/v1/payments"): Operation(
        "search_payments", "Find payments, newest first.", "PaymentPage",
        query={
            "dossier_id": _TEXT, "reference": _TEXT,
            "state": ref("PaymentState"), "created_from": _INSTANT,
            "created_to": _INSTANT, "cursor": _TEXT, "limit": _page(page_size_max, 20),
        },
        refusals=("invalid-request",),
    ),
    ("GET", _ONE): Operation(
        "get_payment", "Show one payment.", "Payment", refusals=("not-found",)
    ),
    ("POST", f"{_ONE}/cancel"): Operation(
        "cancel_payment", "Withdraw a payment; providers that may hold money are asked first.",
        "Payment", "CancellationWanted", needs_body=False,
        refusals=("not-found", "payment-not-open", "payment-in-doubt"),
    ),
    ("POST", f"{_ONE}/attempts"): Operation(
        "start_attempt", "Begin an attempt; a live one with the same provider is given back.",
        "Attempt", "AttemptWanted", HTTPStatus.CREATED,
        refusals=("not-found", "payment-not-open", "payment-in-doubt", "provider-unavailable",
                  "provider-failed"),
    ),
    ("POST", f"{_ONE}/refunds"): Operation(
        "ask_refund", "Ask for a refund, guarded by what you believe can be refunded.",
        "Refund", "RefundWanted", HTTPStatus.CREATED,
        refusals=("not-found", "payment-not-refundable", "refund-mismatch", "refund-too-much",
                  "payment-disputed"),
    ),
    ("GET", f"{_ONE}/refunds"): Operation(
        "list_refunds", "List the refunds of a payment.", "RefundList", refusals=("not-found",)
    ),
    ("GET", "/v1/refunds/{refund_id}"): Operation(
        "get_refund", "Show one refund.", "Refund", refusals=("not-found",)
    ),
    ("POST", "/v1/files"): Operation(
        "bring_file", "Bring a statement file, as its bytes; it is read in a moment, or refused.",
        "File", "", HTTPStatus.CREATED, takes="application/octet-stream",
        query={"profile": {"type": "string", "minLength": 1, "enum": list(PROFILES)},
               "name": {"type": "string", "minLength": 1, "maxLength": name_chars_max}},
        refusals=("forbidden",),
    ),
    ("GET", "/v1/files/{file_id}"): Operation(
        "get_file", "Say what became of a file.", "File", refusals=("forbidden", "not-found")
    ),
    ("GET", "/v1/providers"): Operation(
        "list_providers", "List the ways to pay of your agency, what each can do, and how well it"
        " works.", "ProviderList",
    ),
    ("GET", "/v1/events"): Operation(
        "read_events", "Read events after a position, in order and without a gap.", "EventList",
        query={"after": {"type": "integer", "minimum": 0, "default": 0},
               "limit": _page(events_page_max, 100)},
        refusals=("invalid-request",),
    ),
    ("GET", "/v1/receipts/{receipt_id}"): Operation(
        "get_receipt", "Show one receipt.", "ReceiptAlone", refusals=("not-found",)
    ),
}  # fmt: skip


def document(public_url: str, version: str) -> dict[str, Any]:
    """Give the whole description, OpenAPI 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    for (method, path), operation in OPERATIONS.items():
        paths.setdefault(path, {})[method.lower()] = _described(method, path, operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Thu Phí", "version": version,
                 "description": "Within /v1 come only additions: ignore what you do not know."},
        "servers": [{"url": public_url}],
        "security": [{"key": []}],
        "paths": paths,
        "webhooks": {"event": {"post": _webhook()}},
        "components": {
            "schemas": dict(SCHEMAS),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer",
                                        "description": "tp_live_… or tp_test_…"}},
        },
    }  # fmt: skip


def refusals_of(method: str, operation: Operation) -> tuple[str, ...]:
    """List the codes that an operation may refuse with."""
    return tuple(
        dict.fromkeys(
            (*operation.refusals, *(_ON_CHANGE if method == "POST" else ()), *_EVERYWHERE)
        )
    )


def _described(method: str, path: str, operation: Operation) -> dict[str, Any]:
    parameters = [_parameter("path", word[1:-1], _TEXT) for word in path.split("/")
                  if word.startswith("{")]  # fmt: skip
    parameters += [_parameter("query", *item) for item in (operation.query or {}).items()]
    answer: dict[str, Any] = {
        "description": operation.status.phrase, "content": _json(ref(operation.answer)),
    }  # fmt: skip
    said: dict[str, Any] = {
        "operationId": operation.name, "summary": operation.says, "description": operation.says,
        "responses": {str(int(operation.status)): answer, **_problems(method, operation)},
    }  # fmt: skip
    if method == "POST":
        parameters.append(_parameter(
            "header", "Idempotency-Key",
            {"type": "string", "minLength": 1, "maxLength": idempotency_key_max},
        ))  # fmt: skip
        answer["headers"] = {"Idempotency-Replayed": {
            "description": "There, and true, where the key was used before.",
            "schema": {"type": "string", "enum": ["true"]},
        }}  # fmt: skip
        said["requestBody"] = {
            "required": operation.needs_body, "content": {
                operation.takes: {"schema": ref(operation.body) if operation.body else {}},
            },
        }  # fmt: skip
    return said | ({"parameters": parameters} if parameters else {})


def _parameter(place: str, name: str, schema: Schema) -> dict[str, Any]:
    is_needed = place != "query" or bool(schema.get("minLength"))
    return {"in": place, "name": name, "required": is_needed, "schema": schema}


def _json(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _problems(method: str, operation: Operation) -> dict[str, Any]:
    """Describe the refusals, one answer for each status."""
    by_status: dict[int, list[str]] = {}
    for code in refusals_of(method, operation):
        by_status.setdefault(STATUS[code], []).append(f"`/problems/{code}`: {REFUSALS[code]}")
    return {
        str(status): {
            "description": "\n".join(said),
            "content": {"application/problem+json": {"schema": ref("Problem")}},
        }
        for status, said in sorted(by_status.items())
    }


def _webhook() -> dict[str, Any]:
    """Describe what we send to a client's own address: each event, signed, in order."""
    headers = ("webhook-id", "webhook-timestamp", "webhook-signature")
    says = "Each event, as GET /v1/events shows it, signed by Standard Webhooks."
    return {
        "operationId": "take_event", "summary": says, "description": says, "security": [],
        "parameters": [_parameter("header", name, _TEXT) for name in headers],
        "requestBody": {"required": True, "content": _json(ref("Event"))},
        "responses": {"2XX": {"description": "Taken. Anything else: again, for three days."}},
    }  # fmt: skip
