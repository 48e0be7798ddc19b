"""Fetches the settlement reports that need not be sent as files, and takes each in as one.

So whatever a provider says is sealed, kept and read by the same rules, whichever way it came.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Final

from gateway.domain.calendar import rfc3339
from gateway.ports.provider import ReportLine, Reports
from gateway.services.sweeps import sweep
from reconciliation.holders import Holders
from reconciliation.intake import Intake
from reconciliation.readers.profile import load_profile

days_back: Final = 3  # What a payout is made of may be known some days after it arrived.
PROFILE: Final = "canonical-provider"
_NAMES: Final = {"provider_txn_id": "txn_id", "merchant_reference": "reference"}


@dataclass(frozen=True, slots=True)
class Fetched:
    """Reports of every account whose provider gives one when it is asked."""

    intake: Intake
    holders: Holders

    async def fetch(self, on: date) -> str:
        """Fetch what was settled up to a day; what was fetched before changes nothing.

        Raises SweepError at the end when one could not be had; it is asked for again tomorrow.
        """
        days = [on - timedelta(days=n) for n in range(days_back)]
        wanted = {
            f"{name}/{account} {day}": (name, account, day)
            for (name, account), provider in self.holders.providers.items()
            if isinstance(provider, Reports)
            for day in days
        }
        await sweep("fetch reports", wanted, self._fetch_one)
        return f"{len(wanted)} reports"

    async def _fetch_one(self, wanted: tuple[str, str, date]) -> None:
        name, account, day = wanted
        provider, agency = self.holders.providers[name, account], self.holders.agencies
        if not isinstance(provider, Reports):
            return
        lines = await provider.report(day)
        if lines:
            content = _written(f"{name}/{account}", lines)
            await self.intake.import_file(
                agency[name, account], PROFILE, f"{name}-{account}-{day}.csv", content, "worker"
            )


def _written(account: str, lines: Sequence[ReportLine]) -> bytes:
    """Write a report as the canonical file."""
    names = [column.name for column in load_profile(PROFILE).columns]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for line in lines:
        said = asdict(line) | {
            "provider": account, "currency": "VND", "txn_at": rfc3339(line.txn_at),
        }  # fmt: skip
        writer.writerow([said[_NAMES.get(name, name)] for name in names])
    return text.getvalue().encode()
