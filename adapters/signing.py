"""Canonical strings, keyed hashes and constant-time comparison; nothing else."""

import hmac
from collections.abc import Iterable
from urllib.parse import quote_plus

from gateway.domain.errors import ForgedError


def form_sorted(pairs: Iterable[tuple[str, str]]) -> str:
    """Join ``name=value`` by ``&``, sorted by name, form-encoded, without empty values."""
    chosen = sorted((name, value) for name, value in pairs if value)
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in chosen)


def piped(values: Iterable[str]) -> str:
    """Join raw values by ``|``; an absent one is an empty field."""
    return "|".join(values)


def hmac_sha256(key: str, message: bytes) -> str:
    """Give the HMAC-SHA256 in lower-case hex."""
    return hmac.digest(key.encode(), message, "sha256").hex()


def hmac_sha512(key: str, message: bytes) -> str:
    """Give the HMAC-SHA512 in lower-case hex."""
    return hmac.digest(key.encode(), message, "sha512").hex()


def agree(given: str, expected: str) -> bool:
    """Compare in constant time; an empty word never agrees."""
    return bool(given) and hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def require(given: str, expected: str) -> None:
    """Refuse a signature that does not hold, without showing either side."""
    if not agree(given, expected):
        raise ForgedError("The signature does not hold.")
