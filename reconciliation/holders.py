"""Whose account it is: a line belongs to an account, and an account to one agency (CONTRACT 1)."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.errors import Refusal
from gateway.ports.provider import HoldsAccount, HoldsVirtualAccounts, Provider
from reconciliation.readers.line import StatementLine, refuse

# The column in which each kind of file names the account; the treasury names the agency itself.
_COLUMNS: Final[Mapping[str, str]] = {"provider": "provider", "statement": "account"}
# Of a virtual account of ours: the bank account behind it, and the payment that it stands for.
StandsFor = Callable[[str], tuple[str, str] | None]


@dataclass(frozen=True, slots=True)
class AtTreasury:
    """How the treasury names an agency; without a code nothing is compared."""

    code: str = ""
    chapter: str = ""

    def check(self, line: StatementLine) -> None:
        """Refuse a file that confirms another agency's money, and name the line."""
        if self.code and line.source == "treasury" and line.account != self.code:
            raise _another(line.line_no, "agency_code", self.code)
        if self.code and line.chapter and self.chapter and line.chapter != self.chapter:
            raise _another(line.line_no, "chapter", self.chapter)


def _another(line_no: int, column: str, ours: str) -> Refusal:
    what = f"is another agency's (ours is {ours}): take your own file, or correct agency settings"
    return refuse(line_no, column, what)


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

    def accounts(self, agency_id: str) -> list[str]:
        """Name the accounts whose settlements are an agency's own.

        Its counters are an account of their own: their terminals' banks report slips.
        """
        return sorted({*self.of(agency_id), f"counter/{agency_id}"})

    def at_providers(self, agency_id: str) -> dict[str, list[str]]:
        """Name an agency's accounts at each provider: a file may name the provider alone."""
        found: dict[str, list[str]] = {}
        for account in self.accounts(agency_id):
            found.setdefault(account.partition("/")[0], []).append(account)
        return found

    def banks(self, agency_id: str) -> dict[str, str]:
        """Give an agency's own bank accounts, each with the provider/account that holds it.

        Where several watch one account, it is whoever draws a QR for it.
        """
        watched = sorted(self.of(agency_id).items(), key=lambda x: not x[1].can.redirects)
        return {
            provider.account_number: name
            for name, provider in watched
            if isinstance(provider, HoldsAccount) and provider.account_number
        }

    def stands_for(self, agency_id: str) -> StandsFor:
        """Give what tells, of a virtual account, the bank account behind it and its payment."""
        virtual = [p for p in self.of(agency_id).values() if isinstance(p, HoldsVirtualAccounts)]

        def of(account: str) -> tuple[str, str] | None:
            named = ((p.account_number, p.payment_of(account)) for p in virtual)
            return next((found for found in named if found[1]), None)

        return of

    def owned(
        self, agency_id: str, lines: Iterable[StatementLine], treasury: AtTreasury
    ) -> Iterator[StatementLine]:
        """Give the lines on, and refuse at the first that tells of somebody else's account.

        What one agency's bank says must never become money in another one's books. A line on a
        virtual account of ours is one of the account that it stands for.
        """
        stands_for = self.stands_for(agency_id)
        known: dict[str, Collection[str]] = {
            "provider": self.accounts(agency_id),
            "statement": self.banks(agency_id),
        }  # fmt: skip
        for told in lines:
            line = _on_its_account(stands_for, told)
            column = _COLUMNS.get(line.source)
            if column and line.account not in known[line.source]:
                ours = ", ".join(sorted(known[line.source])) or "none"
                raise refuse(line.line_no, column, f"is no account of {agency_id} (it has: {ours})")
            treasury.check(line)
            yield line


def _on_its_account(stands_for: StandsFor, line: StatementLine) -> StatementLine:
    """Move a line from a virtual account to the real one; it names its payment, like no text.

    Its key keeps the account it was on, for equal lines of two such accounts are two.
    """
    found = stands_for(line.account) if line.source == "statement" else None
    if found is None:
        return line
    account, named = found
    return line._replace(
        account=account, candidates=(named,), line_key=f"{line.account}|{line.line_key}",
        marks=(), batch_id=None,
    )  # fmt: skip
