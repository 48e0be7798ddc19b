"""A query string read strictly: ASCII, upper-case escapes, no name twice, within limits."""

import re
from typing import Final
from urllib.parse import parse_qsl

from gateway.domain.errors import ForgedError

query_chars_max: Final = 65_536  # A genuine notice is under 2 KB; longer is an attack.
query_fields_max: Final = 64  # A genuine notice has about 12.


def read(query: str) -> dict[str, str]:
    """Split a query; a lower-case escape would be a second way to write the same byte."""
    if len(query) > query_chars_max or not query.isascii() or re.search(r"%.?[a-f]", query):
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
