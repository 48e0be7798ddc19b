"""The schemas that clients read and the parser that judges their bodies say the same."""

import copy
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from schemas import DOCUMENT, judge, wrong

from gateway.domain.errors import Refusal
from gateway.domain.money import amount_dong_max
from gateway.entry.web.bodies import attempt_body, no_body, payment_body, refund_body
from gateway.entry.web.schemas import SCHEMAS, TAKEN

NOW = datetime(2026, 11, 18, 1, tzinfo=UTC)
LINE = {"code": "x", "kind": "phi", "name": "Phí", "amount": 0, "budget_line": "2767"}
PLAIN: dict[str, Any] = {
    "agency": "hn-tthcc-test", "branch": "online", "dossier_id": "H26.14-261118-0001",
    "procedure": "1.004222", "price_on": "2026-11-18",
    "payer": {"name": "Nguyễn Thị Hoà", "phone": "0912345678"}, "instalment": 2,
    "return_url": "https://dvc.example.vn/xong", "expires_at": "2026-11-25T00:00:00Z",
    "metadata": {"k": "v"},
}  # fmt: skip
FACTS = PLAIN | {"facts": {"channel": "online", "quantity": 1, "pages": 2, "value": 0}}
LINES = PLAIN | {"lines": [LINE, LINE | {"kind": "le_phi", "amount": 0}]}
BODIES: list[tuple[str, Callable[[Mapping[str, Any]], object], dict[str, Any]]] = [
    ("PaymentWanted", lambda body: payment_body(body, NOW), FACTS),
    ("PaymentWanted", lambda body: payment_body(body, NOW), LINES),
    ("AttemptWanted", attempt_body, {"provider": "vnpay", "method": "NCB"}),
    ("RefundWanted", refund_body, {"amount": 1, "reason": "nhầm", "expected_refundable": 0}),
    ("CancellationWanted", no_body, {}),
]  # fmt: skip
# 1.0 is a whole number to JSON Schema and none to us, so it is not among these.
ODD: list[Any] = [
    None, True, 0, 1, -1, 51, 1_001, 10_001, amount_dong_max, amount_dong_max + 1, 1.5, "", " ",
    "x", "online", "phi", "1", "a b", "-x", "x" * 16, "x" * 17, "x" * 32, "x" * 33, "x" * 64,
    "x" * 65, "x" * 100, "x" * 101, "ộ" * 300, "ộ" * 301, "x" * 500, "x" * 501, "x" * 1_001, [], {},
    [LINE], [{}], [LINE] * 51, {"x": 1}, {"name": "x"}, {"k" * 40: "v"}, {"k" * 41: "v"},
    {"": "v"}, {"k": None}, {f"k{n}": "v" for n in range(51)}, {"quantity": 0}, {"channel": "boat"},
    {"channel": None}, "2026-11-18", "2026-1-8", "2026-11-25T00:00:00", "2026-11-25T07:00:00+07:00",
    "ftp://x", "https://dvc.example.vn/", f"https://dvc.example.vn/{'x' * 1_000}",
]  # fmt: skip
# What needs a clock, a calendar or arithmetic, which no schema has.
BEYOND = {"price_on": "a day that is none", "expires_at": "the past", "return_url": "no host"}


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List every place inside a body."""
    inner = value.items() if isinstance(value, dict) else enumerate(
        value if isinstance(value, list) else []
    )  # fmt: skip
    return [place for name, x in inner for place in ((*at, name), *places(x, (*at, name)))]


def changed(body: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """Put something else in one place; an Ellipsis takes it away."""
    made = copy.deepcopy(body)
    at: Any = made
    for name in place[:-1]:
        at = at[name]
    if value is ...:
        del at[place[-1]]
    else:
        at[place[-1]] = value
    return made


def refused(read: Callable[[Mapping[str, Any]], object], body: dict[str, Any]) -> bool:
    try:
        read(body)
    except Refusal:
        return True
    return False


@pytest.mark.parametrize(("name", "read", "body"), BODIES, ids=lambda v: str(v)[:20])
def test_parser_and_schema_take_and_refuse_the_same(
    name: str, read: Callable[[Mapping[str, Any]], object], body: dict[str, Any]
) -> None:
    """A client that was generated sends what the schema allows, and must not be refused for it."""
    assert not refused(read, body)
    assert wrong(name, body) == []
    tried = [(("surprise",), "x"), *((p, v) for p in places(body) for v in (..., *ODD))]
    if "facts" in body:
        tried.append((("lines",), [LINE]))

    apart = []
    for place, value in tried:
        made = changed(body, place, value)
        by_parser, by_schema = refused(read, made), bool(wrong(name, made))
        if by_parser != by_schema and place[0] not in BEYOND:
            apart.append((place, str(value)[:40], by_parser, by_schema))
    assert apart == []


@pytest.mark.parametrize("field", sorted(BEYOND))
def test_what_a_schema_cannot_say_it_never_says_too_strictly(field: str) -> None:
    """Where the parser looks closer than any schema, the schema at least refuses nothing good."""
    strict = [
        value for value in ODD
        if not refused(lambda body: payment_body(body, NOW), changed(FACTS, (field,), value))
        and wrong("PaymentWanted", changed(FACTS, (field,), value))
    ]  # fmt: skip
    assert strict == []


def test_the_description_is_sound_and_every_schema_is_used() -> None:
    for name in SCHEMAS:
        Draft202012Validator.check_schema(judge(name).schema)
    said = json.dumps(DOCUMENT)
    unused = [n for n in SCHEMAS if f'"#/components/schemas/{n}"' not in said]
    assert unused == []
    assert set(TAKEN) <= set(SCHEMAS)
