"""What the API takes and gives, as JSON Schema 2020-12; the parser's own limits stand in it.

A test sends every body to both the parser and these schemas, and holds every answer of a long
story against them with nothing left over, so neither can change without the other.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.domain.addresses import url_chars_max
from gateway.domain.health import Standing
from gateway.domain.money import amount_dong_max
from gateway.domain.refund import Route, Source
from gateway.domain.states import AttemptState, RefundState, State
from gateway.entry.web import bodies as b
from gateway.entry.web.json_reader import DAY, INSTANT
from gateway.services.catalogue import quantity_max
from gateway.services.refunds import reason_chars_max

Schema = Mapping[str, Any]
_TEXT: Final[Schema] = {"type": "string"}
_FLAG: Final[Schema] = {"type": "boolean"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_LINK: Final[Schema] = {"type": "string", "format": "uri"}
_ISSUER: Final[Schema] = {
    "type": "string",
    "description": "Who issues the receipt: «agency», or the provider whose platform does.",
}


def ref(name: str) -> Schema:
    """Point to a schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(inner: Schema) -> Schema:
    """Give a list of something."""
    return {"type": "array", "items": inner}


def _or_null(inner: Schema) -> Schema:
    return {"anyOf": [inner, {"type": "null"}]}


def _one_of(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def _whole(least: int, most: int, **more: object) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most, **more}


def _written(most: int, form: re.Pattern[str] | None = None) -> Schema:
    """Describe text as the parser takes it: something to see, and nothing that steers."""
    pattern = f"^{form.pattern}$" if form else r"\S"
    return {"type": "string", "minLength": 1, "maxLength": most, "pattern": pattern}


def _given(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """Describe an object that we take: an unknown field is refused."""
    return {
        "type": "object", "properties": {**required, **(optional or {})},
        "required": list(required), "additionalProperties": False,
    }  # fmt: skip


def _shown(fields: Mapping[str, Schema], *maybe: str) -> Schema:
    """Describe an object that we show: every field is there; later versions may add some."""
    needed = [name for name in fields if name not in maybe]
    return {"type": "object", "properties": dict(fields), "required": needed}


_CODE: Final = _written(64, b.CODE)
_LINE: Final[Mapping[str, Schema]] = {
    "code": _CODE, "kind": ref("FeeKind"), "name": _written(b.name_chars_max),
    "amount": ref("Money"), "budget_line": _written(b.budget_line_chars_max, b.CODE),
}  # fmt: skip
_WANTED: Final[Schema] = {
    **_given(
        {"agency": _CODE, "dossier_id": _written(100, b.DOSSIER), "procedure": _CODE,
         "price_on": ref("Day")},
        {
            "branch": {**_or_null(_CODE), "default": "online"}, "facts": ref("Facts"),
            "lines": {**listed(ref("LineWanted")), "minItems": 1, "maxItems": b.lines_max},
            "payer": _or_null(ref("Payer")),
            "return_url": _or_null({**_written(url_chars_max), "format": "uri",
                                    "pattern": "^https?://"}),
            "expires_at": _or_null({"type": "string", "format": "date-time",
                                    "pattern": f"^{INSTANT.pattern}$"}),
            "instalment": _whole(1, b.instalments_max, default=1),
            "metadata": _or_null({
                "type": "object", "maxProperties": b.metadata_keys_max,
                "propertyNames": {"minLength": 1, "maxLength": b.metadata_key_max},
                "additionalProperties": _written(b.metadata_value_max),
            }),
        },
    ),
    "oneOf": [{"required": ["facts"]}, {"required": ["lines"]}],
    "description": "Facts are priced from the catalogue; lines only for clients that may price.",
}  # fmt: skip
TAKEN: Final[Mapping[str, Schema]] = {
    "PaymentWanted": _WANTED,
    "Facts": _given(
        {},
        {"channel": {**_or_null(ref("Channel")), "default": "online"},
         "quantity": _whole(1, quantity_max, default=1),
         "pages": _whole(1, quantity_max, default=1),
         "value": _whole(0, amount_dong_max, default=0)},
    ),
    "LineWanted": _given(_LINE),
    "Payer": _given({}, {name: _or_null(_written(b.name_chars_max)) for name in b.PAYER}),
    "CancellationWanted": _given({}),
    "AttemptWanted": _given(
        {"provider": _written(b.provider_chars_max)}, {"method": _written(b.method_chars_max)}
    ),
    "RefundWanted": _given({
        "amount": _whole(1, amount_dong_max), "reason": _written(reason_chars_max),
        "expected_refundable": {**ref("Money"), "description": "What you believe can be refunded."},
    }),
}  # fmt: skip

_AMOUNTS: Final = (
    "amount", "amount_received", "amount_on_account", "amount_suspended", "amount_refunded",
    "amount_charged_back", "amount_refundable", "amount_settled",
)  # fmt: skip
_RECEIPT: Final[Mapping[str, Schema]] = {
    "id": _TEXT, "kind": ref("FeeKind"), "form": _TEXT, "series": _TEXT,
    "number": {"type": "integer", "minimum": 1}, "amount": ref("Money"),
    "issued_at": ref("Instant"), "verify_code": _TEXT,
    "status": _one_of("valid", "replaced"), "replaces": _or_null(_TEXT),
    "replaced_by": _or_null(_TEXT), "links": ref("ReceiptLinks"),
}  # fmt: skip
_STANDING: Final[Mapping[str, Schema]] = {
    "provider": _TEXT, "standing": ref("Standing"), "why": _TEXT,
    "retry_at": _or_null(ref("Instant")),
}  # fmt: skip
_TITLES: Final[Mapping[str, Schema]] = {
    "title_vi": _TEXT, "title_en": _TEXT, "amount_min": ref("Money"), "amount_max": ref("Money"),
}  # fmt: skip
VALUES: Final[Mapping[str, Schema]] = {
    "FeeKind": _one_of(*b.KINDS), "Channel": _one_of(*b.CHANNELS), "Standing": _one_of(*Standing),
    "PaymentState": _one_of(*State), "AttemptState": _one_of(*AttemptState),
    "RefundState": _one_of(*RefundState), "RefundSource": _one_of(*Source),
    "RefundRoute": _one_of(*Route),
    "Money": _whole(0, amount_dong_max, description="Whole đồng, as a plain integer."),
    "Instant": {"type": "string", "format": "date-time", "pattern": "Z$",
                "description": "RFC 3339, in UTC."},
    "Day": {"type": "string", "format": "date", "pattern": f"^{DAY.pattern}$",
            "description": "A day in Hanoi."},
}  # fmt: skip
SHOWN: Final[Mapping[str, Schema]] = {
    "Payment": _shown({
        "id": _TEXT, "reference": _TEXT, "state": ref("PaymentState"), "agency": _TEXT,
        "branch": _TEXT, "dossier_id": _TEXT, "procedure": _TEXT, "price_on": ref("Day"),
        **{name: ref("Money") for name in _AMOUNTS},
        "in_doubt": _FLAG, "late": _FLAG, "currency": _one_of("VND"), "lines": listed(ref("Line")),
        "receipts": listed(ref("Receipt")), "receipt_issuer": _or_null(_ISSUER),
        "metadata": {"type": "object", "additionalProperties": _TEXT},
        "return_url": _or_null(_LINK), "links": ref("PaymentLinks"),
        "created_at": ref("Instant"), "expires_at": ref("Instant"),
        "paid_at": _or_null(ref("Instant")),
    }),
    "Line": _shown(_LINE),
    "Receipt": _shown(_RECEIPT),
    "ReceiptAlone": _shown({**_RECEIPT, "payment_id": _TEXT}),
    "Attempt": _shown({
        "id": _TEXT, "provider": _TEXT, "provider_reference": _TEXT,
        "state": ref("AttemptState"), "amount": ref("Money"), "redirect_url": _or_null(_LINK),
        "qr_text": _or_null(_TEXT), "expires_at": ref("Instant"),
        "receipt_issuer": _ISSUER,
    }),
    "Refund": _shown({
        "id": _TEXT, "payment_id": _or_null(_TEXT), "state": ref("RefundState"),
        "amount": ref("Money"), "reason": _TEXT, "source": ref("RefundSource"),
        "route": ref("RefundRoute"), "created_at": ref("Instant"),
        "ended_at": _or_null(ref("Instant")),
    }),
    "ProviderHealth": _shown(_STANDING),
    "Method": _shown({"code": _TEXT, **_TITLES}),
    "RefundRule": _shown({
        "partial": _FLAG, "amount_min": ref("Money"), "amount_max": ref("Money"),
        "days_max": _COUNT,
    }),
    "PaymentLinks": _shown({"self": _LINK, "pay": _LINK, "bill": _LINK}, "bill"),
    "ReceiptLinks": _shown({"xml": _LINK, "pdf": _LINK, "html": _LINK}),
    "FieldError": _shown({"pointer": _TEXT, "detail": _TEXT}),
    "Provider": _shown({
        **_STANDING, "account": _TEXT, **_TITLES, "currencies": listed(_TEXT),
        "methods": listed(ref("Method")), "fixed_amount": _FLAG,
        "at_counter": _FLAG, "inquires": _FLAG, "reports": _FLAG,
        "refund": _or_null(ref("RefundRule")),
        "issues_receipt": _FLAG, "needs_abroad": _FLAG, "offered": _FLAG,
        "why_not": _or_null(_TEXT),
    }),
    "PaymentPage": _shown({"data": listed(ref("Payment")), "next_cursor": _or_null(_TEXT)}),
    "File": _shown({
        "id": _TEXT, "agency": _TEXT, "profile": _TEXT, "name": _TEXT,
        "state": _one_of("queued", "taken", "refused"), "refusal": _or_null(_TEXT),
        "lines": _or_null(_COUNT), "totals": listed(ref("FileTotals")),
        "uploaded_at": ref("Instant"), "taken_at": _or_null(ref("Instant")),
    }),
    "FileTotals": _shown({
        "account": _TEXT, "count": _COUNT, "sum": {"type": "integer"},
        "opening": _or_null({"type": "integer"}), "closing": _or_null({"type": "integer"}),
    }),
    "RefundList": _shown({"data": listed(ref("Refund"))}),
    "ProviderList": _shown({"data": listed(ref("Provider"))}),
    "EventList": _shown({"data": listed(ref("Event"))}),
    "Problem": _shown(
        {"type": {"type": "string", "pattern": "^/problems/"}, "title": _TEXT,
         "status": {"type": "integer"}, "detail": _TEXT,
         "errors": listed(ref("FieldError")),
         "payment_id": _TEXT, "pay": _LINK, "retry_at": ref("Instant"),
         "refundable": ref("Money")},
        "errors", "payment_id", "pay", "retry_at", "refundable",
    ),
}  # fmt: skip

# What an event is about -> its types, and what its data shows.
_EVENTS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "PaymentEvent": ("Payment", tuple(f"payment.{word}" for word in (
        "opened", "partly_paid", "paid", "suspended", "expired", "cancelled", "waived", "settled",
        "settlement_reversed", "refunded", "charged_back",
    ))),
    "ReceiptEvent": ("ReceiptAlone", ("receipt.issued", "receipt.replaced")),
    "RefundEvent": ("Refund", ("refund.requested", "refund.done", "refund.failed")),
    "ProviderEvent": ("ProviderHealth", ("provider.degraded", "provider.recovered")),
}  # fmt: skip


def _event(data: str, types: tuple[str, ...]) -> Schema:
    return _shown({
        "id": _TEXT, "type": _one_of(*types), "position": {"type": "integer", "minimum": 1},
        "payment_id": {"type": "null"} if data == "ProviderHealth" else _TEXT,
        "sequence": _COUNT, "occurred_at": ref("Instant"), "agency": _TEXT, "data": ref(data),
    })  # fmt: skip


EVENTS: Final[Mapping[str, Schema]] = {
    **{name: _event(*about) for name, about in _EVENTS.items()},
    "Event": {
        "oneOf": [ref(name) for name in _EVENTS],
        "discriminator": {
            "propertyName": "type",
            "mapping": {kind: ref(name)["$ref"] for name, (_, types) in _EVENTS.items()
                        for kind in types},
        },
    },
}  # fmt: skip
SCHEMAS: Final[Mapping[str, Schema]] = {**VALUES, **TAKEN, **SHOWN, **EVENTS}
