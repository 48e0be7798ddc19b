"""Whose account it is: a line belongs to an account, and an account to one agency (CONTRACT 1)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.ports.provider import HoldsAccount, Provider
from reconciliation.readers.table import StatementLine, refuse

# The column in which each kind of file names the account; the treasury names the agency itself.
_COLUMNS: Final[Mapping[str, str]] = {"provider": "provider", "statement": "account"}


@dataclass(frozen=True, slots=True)
class Holders:
    """The accounts that agencies have, at providers and through them at banks."""

    providers: Mapping[tuple[str, str], Provider] = field(repr=False)
    agencies: Mapping[tuple[str, str], str]  # (provider, account) -> agency

    def of(self, agency_id: str) -> dict[str, Provider]:
        """Give an agency's own providers, by provider/account."""
        return {
            f"{name}/{account}": provider
            for (name, account), provider in self.providers.items()
            if self.agencies.get((name, account)) == agency_id
        }

    def banks(self, agency_id: str) -> dict[str, str]:
        """Give an agency's own bank accounts, each with the provider/account that holds it."""
        return {
            provider.account_number: name
            for name, provider in self.of(agency_id).items()
            if isinstance(provider, HoldsAccount)
        }

    def check(self, agency_id: str, lines: Iterable[StatementLine]) -> None:
        """Refuse a file that tells of somebody else's account, and name the line.

        What one agency's bank says must never become money in another one's books.
        """
        known: dict[str, Collection[str]] = {
            "provider": self.of(agency_id), "statement": self.banks(agency_id),
        }  # fmt: skip
        for line in lines:
            column = _COLUMNS.get(line.source)
            if column and line.account not in known[line.source]:
                ours = ", ".join(sorted(known[line.source])) or "none"
                raise refuse(line.line_no, column, f"is no account of {agency_id} (it has: {ours})")
