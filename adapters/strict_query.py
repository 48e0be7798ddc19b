"""A query string read strictly: ASCII, escapes of one case, no name twice, within limits."""

import re
from typing import Final
from urllib.parse import parse_qsl

from gateway.domain.errors import ForgedError

query_chars_max: Final = 65_536  # A genuine notice is under 2 KB; longer is an attack.
query_fields_max: Final = 64  # A genuine notice has about 12.


_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})?")


def read(query: str) -> dict[str, str]:
    """Split a query, whose escapes are all of one case, as one encoder writes them."""
    if len(query) > query_chars_max or not query.isascii() or not _is_of_one_case(query):
        raise ForgedError("The query is too long or not encoded as browsers do.")
    try:
        pairs = parse_qsl(
            query,
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=query_fields_max,
        )
    except ValueError as error:
        raise ForgedError("The query cannot be read.") from error
    said = dict(pairs)
    if len(said) != len(pairs):
        raise ForgedError("A parameter stands twice.")
    return said


def _is_of_one_case(query: str) -> bool:
    """Refuse a mixture, and a lone lower-case letter: that is one flipped bit of an upper one."""
    escapes = _ESCAPE.findall(query)
    letters = [c for escape in escapes for c in escape if c.isalpha()]
    lower = sum(c.islower() for c in letters)
    return all(escapes) and (lower == 0 or lower == len(letters) > 1)
