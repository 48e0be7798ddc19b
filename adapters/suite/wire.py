"""A wire that answers what it was told to, so that an adapter is tried without a network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.errors import InDoubtError
from gateway.ports.wire import Reply

_KEY_HEADER: Final = "idempotency-key"


@dataclass(slots=True)
class ScriptedWire:
    """Gives the next answer to each call, and remembers what was asked.

    ``keys`` are the Idempotency-Key headers of the calls, empty where there was none.
    """

    answers: list[Reply | Exception] = field(default_factory=list)
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout_s: float = 15.0,  # noqa: ARG002 - the port's signature.
    ) -> Reply:
        """Give the next answer; without one, it is as if nobody answered."""
        self.asked.append((method, url, body))
        named = {k.lower(): v for k, v in (headers or {}).items()}
        self.keys.append(named.get(_KEY_HEADER, ""))
        answer = self.answers.pop(0) if self.answers else InDoubtError("No answer.")
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def calls(self) -> list[tuple[str, str, bytes, str]]:
        """Give each call as the provider tells one from its repeat."""
        return [(*asked, key) for asked, key in zip(self.asked, self.keys, strict=True)]
