"""What the bodies of the API may say (CONTRACT 3); ``schemas.py`` describes them to clients."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from gateway.domain.addresses import is_plain_url, url_chars_max
from gateway.domain.money import amount_dong_max
from gateway.domain.payment import FeeLine
from gateway.entry.web.json_reader import Reader, is_written
from gateway.services.catalogue import Facts, quantity_max
from gateway.services.refunds import reason_chars_max

lines_max: Final = 50
metadata_keys_max: Final = 50
metadata_key_max: Final = 40  # As long as Stripe's.
metadata_value_max: Final = 500
name_chars_max: Final = 300  # A line of a receipt, a payer's name or address.
budget_line_chars_max: Final = 16  # Four digits now; nobody promises that it stays so.
instalments_max: Final = 1_000
KINDS: Final = ("phi", "le_phi")
CHANNELS: Final = ("online", "counter")
link_days_max: Final = 365
link_days_default: Final = 7
provider_chars_max: Final = 32
method_chars_max: Final = 64
DOSSIER: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,99}")
CODE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
PAYER: Final = ("name", "email", "phone", "citizen_id", "tax_code", "address")


@dataclass(frozen=True, slots=True)
class PaymentBody:
    """A request for a payment, read and checked, not yet priced."""

    agency: str
    branch: str
    dossier_id: str
    procedure: str
    price_on: date
    facts: Facts | None
    lines: tuple[FeeLine, ...]
    payer: dict[str, str] = field(repr=False)
    return_url: str | None = field(repr=False)
    expires_at: datetime
    instalment: int
    metadata: dict[str, str] = field(repr=False)


def payment_body(values: Mapping[str, Any], now: datetime) -> PaymentBody:
    """Read ``POST /v1/payments`` (CONTRACT 3). Raises Refusal with every wrong field."""
    r = Reader(values)
    body = PaymentBody(
        agency=r.text("agency", 64, CODE),
        branch=r.text("branch", 64, CODE, default="online"),
        dossier_id=r.text("dossier_id", 100, DOSSIER),
        procedure=r.text("procedure", 64, CODE),
        price_on=r.day("price_on"),
        facts=_facts(r),
        lines=_lines(r),
        payer=_payer(r),
        return_url=_return_url(r),
        expires_at=r.instant("expires_at", now + timedelta(days=link_days_default)),
        instalment=r.whole("instalment", 1, instalments_max, default=1),
        metadata=_metadata(r),
    )
    r.end()
    if not now < body.expires_at <= now + timedelta(days=link_days_max):
        r.wrong("expires_at", f"Must be in the future, and within {link_days_max} days.")
    if ("facts" in values) == ("lines" in values):
        r.wrong("facts", "Send either facts or lines.")
    r.check()
    return body


def _facts(r: Reader) -> Facts | None:
    r.seen.add("facts")
    if "facts" not in r.values:
        return None
    f = r.inner("facts", r.values["facts"])
    facts = Facts(
        channel=f.one_of("channel", CHANNELS, default="online"),
        quantity=f.whole("quantity", 1, quantity_max, default=1),
        pages=f.whole("pages", 1, quantity_max, default=1),
        value=f.whole("value", 0, amount_dong_max, default=0),
    )
    f.end()
    return facts


def _lines(r: Reader) -> tuple[FeeLine, ...]:
    r.seen.add("lines")
    if "lines" not in r.values:
        return ()
    given = r.values["lines"]
    if not isinstance(given, list) or not 1 <= len(given) <= lines_max:
        r.wrong("lines", f"Must be a list of 1 to {lines_max} lines.")
        return ()
    lines = []
    for n, value in enumerate(given):
        x = Reader(value if isinstance(value, dict) else {}, f"/lines/{n}", r.errors)
        lines.append(
            FeeLine(
                x.text("code", 64, CODE), x.one_of("kind", KINDS),
                x.text("name", name_chars_max), x.whole("amount", 0, amount_dong_max),
                x.text("budget_line", budget_line_chars_max, CODE),
            )
        )  # fmt: skip
        x.end()
    if sum(x.amount for x in lines) > amount_dong_max:
        r.wrong("lines", f"Together at most {amount_dong_max} đồng.")
    return tuple(lines)


def _payer(r: Reader) -> dict[str, str]:
    r.seen.add("payer")
    if r.values.get("payer") is None:
        return {}
    p = r.inner("payer", r.values["payer"])
    p.seen.update(PAYER)  # One that is null is not said.
    found = {name: p.text(name, name_chars_max) for name in PAYER if p.values.get(name) is not None}
    p.end()
    return found


def _return_url(r: Reader) -> str | None:
    r.seen.add("return_url")
    if r.values.get("return_url") is None:
        return None
    url = r.text("return_url", url_chars_max)
    if not is_plain_url(url):
        r.wrong("return_url", "Must be a plain http or https address.")
    return url


def _metadata(r: Reader) -> dict[str, str]:
    r.seen.add("metadata")
    given = r.values.get("metadata")
    if given is None:
        return {}
    m = r.inner("metadata", given)
    if len(m.values) > metadata_keys_max:
        r.wrong("metadata", f"At most {metadata_keys_max} keys.")
        return {}
    for name in m.values:
        if not name or len(name) > metadata_key_max or not is_written(name):
            m.wrong(name, f"A key has 1 to {metadata_key_max} characters, none for control.")
    return {name: m.text(name, metadata_value_max) for name in m.values}


@dataclass(frozen=True, slots=True)
class RefundBody:
    """What should be given back, and what the asker believes can be."""

    amount: int
    reason: str = field(repr=False)
    expected: int


def refund_body(values: Mapping[str, Any]) -> RefundBody:
    """Read ``POST /v1/payments/{id}/refunds``."""
    r = Reader(values)
    body = RefundBody(
        r.whole("amount", 1, amount_dong_max), r.text("reason", reason_chars_max),
        r.whole("expected_refundable", 0, amount_dong_max),
    )  # fmt: skip
    r.end()
    r.check()
    return body


def attempt_body(values: Mapping[str, Any]) -> tuple[str, str]:
    """Read ``POST /v1/payments/{id}/attempts``: the provider, and one of its ways or nothing."""
    r = Reader(values)
    provider = r.text("provider", provider_chars_max)
    method = r.text("method", method_chars_max) if "method" in values else ""
    r.end()
    r.check()
    return provider, method


def no_body(values: Mapping[str, Any]) -> None:
    """Refuse every field, where there is nothing to say."""
    r = Reader(values)
    r.end()
    r.check()
