"""How a command ends: what can be expected to go wrong is one sentence and an exit code.

0 done, 1 the answer is no, 2 bad usage or unreadable input (CONTRACT 4). Whatever is not known
here is a defect, and keeps its traceback.
"""

import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import DBAPIError

from gateway.domain.errors import Refusal
from gateway.entry.settings import SettingError

answer_is_no: Final = 1
bad_usage: Final = 2
# Refusals of what was asked wrongly, or cannot be looked at; the others say no to a right question.
_BAD_USAGE: Final = frozenset(
    {
        "invalid-request", "invalid-amount", "not-found", "file-refused", "too-large",
        "no-rule-for-date", "no-calendar-for-year", "unknown-procedure", "unavailable",
    }
)  # fmt: skip
_ADDRESS: Final = "check THUPHI_DATABASE_URL"
# The beginning of PostgreSQL's own code -> what is the matter, and what to do.
_SERVER_SAYS: Final[Mapping[str, str]] = {
    "3D": f"The server has no such database: create it, or {_ADDRESS}.",
    "28": f"The database refuses this user or its password: {_ADDRESS}.",
    "53300": "The database takes no more connections: end some, or raise its max_connections.",
    "57": "The database is starting or stopping: try again in a moment.",
    "08": f"The connection to the database broke: see its log, and {_ADDRESS}.",
    "42704": f"The database does not know an option of its address: {_ADDRESS}.",
    "25006": f"This database may only be read, as a standby is: {_ADDRESS}.",
}


@dataclass(frozen=True, slots=True)
class End:
    """What is said at the end, and the exit code."""

    said: str
    code: int = bad_usage


def ended(error: Exception) -> End | None:
    """Say what went wrong and what to do; None for what nobody expected."""
    if isinstance(error, SettingError):
        return End(f"{error}")
    if isinstance(error, Refusal):
        return End(error.detail, bad_usage if error.code in _BAD_USAGE else answer_is_no)
    if isinstance(error, DBAPIError):
        return _server_end(error)
    if isinstance(error, OSError):
        return End(file_words(error) if error.filename else _unreachable(error))
    return None


def file_words(error: OSError) -> str:
    """Say which file or folder it was, and what the system says about it."""
    return (
        f"{os.fsdecode(error.filename)} cannot be used ({error.strerror}): check its path, and who"
        " may read and write there."
    )


def _unreachable(error: OSError) -> str:
    """Say why there is no connection; only the database is dialled without a word of its own."""
    if isinstance(error, ssl.SSLError):
        why = getattr(error, "verify_message", None) or error.reason or "no TLS"
        return (
            f"The database's certificate is not believed ({why.rstrip('.')}): check sslmode,"
            " sslrootcert and the host's name in THUPHI_DATABASE_URL."
        )
    is_plain = error.errno and not isinstance(error, socket.gaierror)  # Else errno is not one.
    why = os.strerror(error.errno or 0) if is_plain else error.strerror or f"{error}"
    return f"The database cannot be reached ({why or 'no answer'}): start it, or {_ADDRESS}."


def _server_end(error: DBAPIError) -> End | None:
    code = str(getattr(error.orig, "sqlstate", None) or "")
    for beginning, said in _SERVER_SAYS.items():
        if code.startswith(beginning):
            return End(said)
    return End(_SERVER_SAYS["08"]) if error.connection_invalidated else None
