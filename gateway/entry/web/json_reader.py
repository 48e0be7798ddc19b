"""Strict reading of JSON: what is not plainly right is refused, with a pointer."""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from gateway.domain.errors import FieldError, Refusal

body_bytes_max: Final = 65_536  # The largest sensible request is a few kilobytes.
DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


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


def is_written(text: str) -> bool:
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
        elif not is_written(value):
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
            if DAY.fullmatch(value):
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
            if isinstance(value, str) and INSTANT.fullmatch(value):
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
