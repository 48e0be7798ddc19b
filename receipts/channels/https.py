"""A direct line: the sealed XML is posted, and answered in JSON.

Request   POST, ``Content-Type: application/xml``, ``Authorization: Bearer``, ``Message-Id``.
Answer    200 ``{"accepted": true|false, "reference": "…", "code": "…"}``; the same Message-Id again
          gets the same answer. Anything else is no answer.
The authority's own interface was not found (DOMAIN 1.6), so this form is ours.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.ports.wire import Reply, Wire
from receipts.channels.parcel import Answer, Parcel, Said

said_chars_max: Final = 200  # Of what the receiver calls it: all that a page shows.
_OK: Final = 200
_REFUSED: Final = frozenset({400, 403, 413, 422})  # Read, and never to be taken as it is.


@dataclass(frozen=True, slots=True)
class DirectLine:
    """One address."""

    wire: Wire
    url: str
    secret: str = field(repr=False)

    async def send(self, parcel: Parcel) -> Said:
        """Post the message."""
        headers = {
            "content-type": "application/xml", "authorization": f"Bearer {self.secret}",
            "message-id": parcel.id,
        }  # fmt: skip
        reply = await self.wire.send("POST", self.url, headers=headers, body=parcel.xml)
        if reply.status in _REFUSED:
            return Said(Answer.REFUSED, "", f"HTTP {reply.status}")
        said = answer_of(reply)
        verdict = Answer.ACCEPTED if said.get("accepted") is True else Answer.REFUSED
        return Said(verdict, shown(said.get("reference")), shown(said.get("code")))


def answer_of(reply: Reply) -> dict[str, Any]:
    """Read a JSON object. Raises DeclinedError or InDoubtError when there is none."""
    if reply.status != _OK:
        raise refusal_of(reply.status)
    try:
        said = json.loads(reply.body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise InDoubtError("The answer cannot be read.")
    return said


def refusal_of(status: int) -> Exception:
    """Say what an answer that is none means: a 5xx may come after the message was taken."""
    if status in (401, 404, 429):
        return DeclinedError(f"The receiver answered {status}.", is_unreachable=True)
    return InDoubtError(f"The receiver answered {status}.")


def shown(value: object) -> str:
    """Keep of a receiver's word what a page may show."""
    text = str(value or "")
    return "".join(c for c in text if c.isprintable())[:said_chars_max]


def channel(values: Mapping[str, str], wire: Wire) -> DirectLine:
    """Make it of its values."""
    return DirectLine(wire, values["url"], values["secret"])
