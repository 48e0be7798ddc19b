"""Strict reading of JSON bodies: what is not plainly right is refused, with a pointer."""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from gateway.domain.addresses import is_plain_url, url_chars_max
from gateway.domain.errors import FieldError, Refusal
from gateway.domain.money import amount_dong_max
from gateway.domain.payment import FeeLine
from gateway.services.catalogue import Facts, quantity_max

body_bytes_max: Final = 65_536  # The largest sensible request is a few kilobytes.
lines_max: Final = 50
metadata_keys_max: Final = 50
metadata_key_max: Final = 40  # As long as Stripe's.
link_days_max: Final = 365
link_days_default: Final = 7
_DOSSIER: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,99}")
_CODE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_PAYER: Final = ("name", "email", "phone", "citizen_id", "tax_code", "address")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate keys")
    for name in found:
        name.encode()  # Half a surrogate pair is no character, and no answer could name it.
    return found


def _no_constant(name: str) -> None:
    raise ValueError(name)


def read_json(body: bytes) -> dict[str, Any]:
    """Parse an object: UTF-8, no duplicate keys, no NaN, bounded depth."""
    if len(body) > body_bytes_max:
        raise Refusal("too-large", f"A body has at most {body_bytes_max} bytes.")
    try:
        found = json.loads(
            body.decode("utf-8"), object_pairs_hook=_no_twins, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        raise Refusal("invalid-request", "The body is not plain JSON.") from None
    if not isinstance(found, dict):
        raise Refusal("invalid-request", "The body must be a JSON object.")
    return found


def _is_written(text: str) -> bool:
    """Tell whether text has only characters that somebody could have meant."""
    return all(unicodedata.category(c) not in ("Cc", "Cs", "Cn") for c in text)


@dataclass(slots=True)
class Reader:
    """Reads the fields of one object and gathers everything that is wrong with them."""

    values: Mapping[str, Any]
    at: str = ""
    errors: list[FieldError] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def wrong(self, name: str, detail: str) -> None:
        """Note one wrong field."""
        escaped = name.replace("~", "~0").replace("/", "~1")
        self.errors.append(FieldError(f"{self.at}/{escaped}", detail))

    def text(
        self, name: str, most: int = 200, pattern: re.Pattern[str] | None = None, default: str = ""
    ) -> str:
        """Read text as NFC; required when there is no default."""
        self.seen.add(name)
        value = self.values.get(name)
        if value is None:
            if not default:
                self.wrong(name, "This field is required.")
            return default
        if not isinstance(value, str):
            self.wrong(name, "Must be text.")
            return default
        value = unicodedata.normalize("NFC", value)
        if not value.strip() or len(value) > most:
            self.wrong(name, f"Must have 1 to {most} characters.")
        elif not _is_written(value):
            self.wrong(name, "Must not have control or unassigned characters.")
        elif pattern and not pattern.fullmatch(value):
            self.wrong(name, "Has characters or a form that is not allowed here.")
        return value

    def whole(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """Read a plain whole number: not true, not text, not 1.0."""
        self.seen.add(name)
        value = self.values.get(name, default)
        if type(value) is not int:
            self.wrong(name, "Must be a plain whole number.")
            return least
        if not least <= value <= most:
            self.wrong(name, f"Must be from {least} to {most}.")
        return value

    def one_of(self, name: str, allowed: tuple[str, ...], default: str = "") -> str:
        """Read one of a few words."""
        value = self.text(name, default=default)
        if value and value not in allowed:
            self.wrong(name, f"Must be one of: {', '.join(allowed)}.")
        return value

    def day(self, name: str) -> date:
        """Read YYYY-MM-DD."""
        value = self.text(name)
        try:
            if _DAY.fullmatch(value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        if value:
            self.wrong(name, "Must be a day such as 2026-11-18.")
        return date.min

    def instant(self, name: str, default: datetime) -> datetime:
        """Read an RFC 3339 instant with its zone."""
        self.seen.add(name)
        value = self.values.get(name)
        if value is None:
            return default
        try:
            if isinstance(value, str) and _INSTANT.fullmatch(value):
                return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        self.wrong(name, "Must be an instant such as 2026-11-25T00:00:00Z.")
        return default

    def inner(self, name: str, value: object) -> "Reader":
        """Read an object inside this one; its errors are ours."""
        self.seen.add(name.partition("/")[0])
        if not isinstance(value, dict):
            self.wrong(name, "Must be an object.")
            value = {}
        return Reader(value, f"{self.at}/{name}", self.errors)

    def end(self) -> None:
        """Refuse unknown fields."""
        for name in self.values:
            if name not in self.seen:
                self.wrong(name, "There is no such field.")

    def check(self) -> None:
        """Raise what was gathered, if anything."""
        if self.errors:
            raise Refusal("invalid-request", "Some fields are wrong.", tuple(self.errors))


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
        agency=r.text("agency", 64, _CODE),
        branch=r.text("branch", 64, _CODE, default="online"),
        dossier_id=r.text("dossier_id", 100, _DOSSIER),
        procedure=r.text("procedure", 64, _CODE),
        price_on=r.day("price_on"),
        facts=_facts(r),
        lines=_lines(r),
        payer=_payer(r),
        return_url=_return_url(r),
        expires_at=r.instant("expires_at", now + timedelta(days=link_days_default)),
        instalment=r.whole("instalment", 1, 1_000, default=1),
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
        channel=f.one_of("channel", ("online", "counter"), default="online"),
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
                x.text("code", 64, _CODE), x.one_of("kind", ("phi", "le_phi")),
                x.text("name", 300), x.whole("amount", 0, amount_dong_max),
                x.text("budget_line", 16, _CODE),
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
    found = {name: p.text(name, 300) for name in _PAYER if p.values.get(name) is not None}
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
        if not name or len(name) > metadata_key_max or not _is_written(name):
            m.wrong(name, f"A key has 1 to {metadata_key_max} characters, none for control.")
    return {name: m.text(name, 500) for name in m.values}
