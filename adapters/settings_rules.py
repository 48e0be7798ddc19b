"""What a setting of an adapter must look like; one sentence when it does not."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit


def matching(values: Mapping[str, str], field: str, pattern: str, rule: str) -> str:
    """Take a value that fits the pattern whole, or say which setting breaks which rule."""
    value = values.get(field, "").strip()
    if not re.fullmatch(pattern, value):
        raise ValueError(f"THUPHI_{field} must be {rule}.")
    return value


def optional(values: Mapping[str, str], field: str, pattern: str, rule: str) -> str:
    """Take a value that may be missing, and is then empty."""
    return matching(values, field, pattern, rule) if field in values else ""


def secret(values: Mapping[str, str], field: str) -> str:
    """Take a secret that is there, printable and without spaces; never show it."""
    return matching(values, field, r"[!-~]{8,256}", "8 to 256 printable characters, no spaces")


def web_address(values: Mapping[str, str], field: str) -> str:
    """Take an http or https address without credentials, query or fragment."""
    rule = f"THUPHI_{field} must be an http or https address without query or credentials."
    value = values.get(field, "").strip()
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError(rule) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValueError(rule)
    if parts.query or parts.fragment or not re.fullmatch(r"[!-~]+", value):
        raise ValueError(rule)
    return value
