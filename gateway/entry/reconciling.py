"""Reconciliation, put together of the parts: imported late, so that web stays light."""

from typing import TYPE_CHECKING

from gateway.entry.bootstrap import Parts

if TYPE_CHECKING:
    from reconciliation.collecting import Collecting
    from reconciliation.day_sheets import DaySheets
    from reconciliation.fetched import Fetched
    from reconciliation.holders import Holders
    from reconciliation.intake import Intake
    from reconciliation.remittances import Remittances
    from reconciliation.service import Reconciliation
    from reconciliation.sources import Sources
    from reconciliation.trying import Trying


def holders_of(parts: Parts) -> "Holders":
    """Say which agency has which account."""
    from reconciliation.holders import Holders

    return Holders(parts.providers, parts.captures.agencies)


def intake_of(parts: Parts) -> "Intake":
    """Put the queue of files together; it is light, so the web process has it too."""
    from reconciliation.intake import Intake

    return Intake(parts.engine, parts.clock, parts.vault, holders_of(parts))


def sources_of(parts: Parts) -> "Sources":
    """Put together where files come from by themselves; it is light until a server is reached."""
    from reconciliation.sources import Sources

    return Sources(parts.store, parts.vault)


def collecting_of(parts: Parts) -> "Collecting":
    """Put together what brings those files in, for the worker."""
    from reconciliation.collecting import Collecting

    return Collecting(sources_of(parts), intake_of(parts))


def remittances_of(parts: Parts) -> "Remittances":
    """Put together the slips to the budget."""
    from reconciliation.remittances import Remittances

    return Remittances(parts.store, holders_of(parts))


def day_sheets_of(parts: Parts) -> "DaySheets":
    """Put together the days as people see and sign them."""
    from reconciliation.day_sheets import DaySheets

    return DaySheets(parts.store, holders_of(parts))


def fetched_of(parts: Parts) -> "Fetched":
    """Put together what fetches providers' reports, for the worker."""
    from reconciliation.fetched import Fetched

    return Fetched(intake_of(parts), holders_of(parts))


def trying_of(parts: Parts) -> "Trying":
    """Put together what tries changed rules, for a command."""
    from reconciliation.inputs import DayRules
    from reconciliation.trying import Trying

    days = DayRules(parts.captures.business_day, parts.captures.calendar)
    return Trying(parts.store, holders_of(parts), days)


def reconciliation_of(parts: Parts) -> "Reconciliation":
    """Put reconciliation together, for the worker and the commands; the web process never asks.

    What only a file told of gets its receipts and events before the day is closed.
    """
    from reconciliation.casework import Casework
    from reconciliation.service import Reconciliation

    async def catch_up() -> None:
        while await parts.replacing.run() + await parts.receipts.issue():
            pass
        while await parts.outbox.sequence():
            pass

    holders = holders_of(parts)
    return Reconciliation(
        store=parts.store, intake=intake_of(parts), captures=parts.captures, sender=parts.sender,
        casework=Casework(parts.store, holders), holders=holders, before_close=catch_up,
    )  # fmt: skip
