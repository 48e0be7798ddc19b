"""One JSON object sent, one read back: what cannot be read after sending is doubt."""

import json
from collections.abc import Mapping
from typing import Any, Final

from adapters import strict_json
from gateway.domain.errors import InDoubtError
from gateway.ports.wire import Reply, Wire

answer_bytes_max: Final = 65_536  # A genuine answer is under 4 KB; longer is an attack.
answer_timeout_s: Final = 30.0  # MoMo asks its callers to wait at least so long.
_HEADERS: Final = {"content-type": "application/json; charset=utf-8"}


async def post(wire: Wire, url: str, asked: Mapping[str, object]) -> tuple[Reply, dict[str, Any]]:
    """Send a POST; give the answer and what it says, which nobody has verified yet.

    Raises InDoubtError for a 5xx or an answer that is no strict JSON object; whether another
    status may be believed is the provider's own affair.
    """
    body = json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode()
    reply = await wire.send("POST", url, headers=_HEADERS, body=body, timeout_s=answer_timeout_s)
    if reply.status >= 500 or len(reply.body) > answer_bytes_max:  # noqa: PLR2004 - HTTP's own word.
        raise InDoubtError("The provider failed, or its answer is too long.")
    try:
        return reply, strict_json.read_object(reply.body)
    except ValueError as error:
        raise InDoubtError("The provider's answer cannot be read.") from error
