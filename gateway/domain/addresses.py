"""Addresses that others give us: what a plain web address is, and whose it is."""

from typing import Final
from urllib.parse import urlsplit

url_chars_max: Final = 1_000
_label_chars_max: Final = 63  # The DNS's own limit for each part of a name.


def is_plain_url(text: str) -> bool:
    """Tell whether this is an http or https address without a user, a blank or a surprise."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and host != ""
        and "@" not in parts.netloc
        and all("!" <= sign <= "~" for sign in text)
        and len(text) <= url_chars_max
        and all(0 < len(label) <= _label_chars_max for label in host.removesuffix(".").split("."))
    )


def is_origin(text: str) -> bool:
    """Tell whether this is scheme, host and port alone."""
    return is_plain_url(text) and origin_of(text) == text.lower().removesuffix("/")


def origin_of(url: str) -> str:
    """Give scheme, host and port of a plain address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
