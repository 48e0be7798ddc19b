"""payOS's signatures: an order over five fields, and what payOS says over every key that is there.

payOS signs with JavaScript, so values are written as its own client writes them; a list of keys
that we know would break on the day a new one is added.
"""

import json
from collections.abc import Mapping
from typing import Any

from adapters import signing


def sign_request(key: str, words: Mapping[str, Any]) -> str:
    """Sign an order: its five fields by name, raw."""
    return signing.hmac_sha256(key, "&".join(f"{k}={words[k]}" for k in sorted(words)).encode())


def sign_data(key: str, data: Mapping[str, Any]) -> str:
    """Sign what payOS says: every key that is there, sorted, as its own client writes values."""
    words = [f"{k}={v if type(v := data[k]) is int else _as_signed(v)}" for k in sorted(data)]
    return signing.hmac_sha256(key, "&".join(words).encode())


def _as_signed(value: object) -> str:
    """Write a value as JavaScript does, for that is what payOS signs with."""
    if value is None:
        return ""
    if isinstance(value, str):
        return "" if value in {"null", "undefined"} else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, list):
        parts = [dict(sorted(x.items())) if isinstance(x, dict) else x for x in value]
        return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return "[object Object]" if isinstance(value, dict) else str(value)
