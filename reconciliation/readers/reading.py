"""Reads a file by its profile: bytes to statement lines as they come, with what they add up to.

Nothing is kept but a fingerprint of each line, so that a file of a million lines needs little
memory. A refusal may come at any line: whoever books lines takes all of them back then.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from reconciliation.readers import camt, mapped, mt940, stripe_payouts, table
from reconciliation.readers.canonical import Accounts, build_lines
from reconciliation.readers.line import Rows, StatementLine, file_bytes_max
from reconciliation.readers.profile import Profile
from reconciliation.readers.totals import Totals

_READERS: Final[Mapping[str, Callable[[Profile, bytes, Totals], Rows]]] = {
    "canonical": lambda profile, content, _: table.rows(profile, content),
    "camt": camt.rows,
    "mt940": mt940.rows,
    "table": mapped.rows,
    "stripe-payouts": lambda profile, content, _: stripe_payouts.rows(profile, content),
}


class Reading:
    """The lines of one file, once through; its totals are whole after the last line."""

    def __init__(
        self, profile: Profile, content: bytes, accounts: Accounts = MappingProxyType({})
    ) -> None:
        """Prepare; nothing is read before the first line is asked for."""
        self.totals = Totals()
        rows = _READERS[profile.format](profile, content, self.totals)
        self._lines = build_lines(profile.source, rows, self.totals, accounts)

    def __iter__(self) -> Iterator[StatementLine]:
        """Give each line; raises Refusal at the first that is wrong."""
        yield from self._lines
        self.totals.close()


def read(profile: Profile, content: bytes) -> tuple[StatementLine, ...]:
    """Read a whole file at once."""
    return tuple(Reading(profile, content))


def content_of(path: Path) -> bytes:
    """Give what a file holds, and no more of it than a file may have."""
    with path.open("rb") as file:
        return file.read(file_bytes_max + 1)
