"""Outbound HTTP as an adapter sees it: small, with time-outs and limits, easy to script."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: status, lower-case header names, body within the limit."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Wire(Protocol):
    """Send one request.

    Raises InDoubtError when it may have arrived (time-out, reset, a broken answer) and
    DeclinedError when it surely did not (no route, refused, a forbidden address).
    """

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout_s: float = 15.0,
    ) -> Reply:
        """Send and read one answer; redirects are never followed."""
        ...
