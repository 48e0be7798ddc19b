"""Compares what is proved with what is booked, account by account and day by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

# Balance is debit less credit, on both sides; a day is wrong where one account of it is.
_BALANCES: Final = """
WITH legs AS (
  SELECT day, debit AS account, amount AS proved, 0 AS booked FROM summed
  UNION ALL SELECT day, credit, -amount, 0 FROM summed
  UNION ALL SELECT day, debit, 0, amount FROM booked
  UNION ALL SELECT day, credit, 0, -amount FROM booked
)
SELECT account, CAST(sum(proved) AS BIGINT) AS proved, CAST(sum(booked) AS BIGINT) AS booked
FROM legs WHERE day <= ? GROUP BY account ORDER BY account
"""
_DAYS: Final = """
WITH legs AS (
  SELECT day, debit, credit, amount FROM summed
  UNION ALL SELECT day, debit, credit, -amount FROM booked
), pairs AS (
  SELECT day, debit, credit FROM legs WHERE day <= ? GROUP BY ALL HAVING sum(amount) <> 0
)
SELECT day, debit, credit FROM pairs ORDER BY ALL
"""
_ENTRIES: Final = (
    "SELECT voucher_kind, voucher_id, sum(amount)::bigint FROM entry WHERE agency_id = $1"
    " AND booked_on = $2 AND debit = $3 AND credit = $4 GROUP BY 1, 2"
)
_PROVED: Final = (
    "SELECT kind, voucher, CAST(sum(amount) AS BIGINT) FROM proved"
    " WHERE day = ? AND debit = ? AND credit = ? GROUP BY ALL"
)


@dataclass(frozen=True, slots=True)
class Balance:
    """One account at the end of the period: debit less credit, in đồng."""

    account: str
    proved: int
    booked: int


@dataclass(frozen=True, slots=True)
class Difference:
    """The first voucher, on one day and pair of accounts, that is not booked as proved."""

    day: date
    debit: str
    credit: str
    voucher: str
    proved: int
    booked: int


def balances(base: Any, upto: date) -> Sequence[Balance]:  # noqa: ANN401 - duckdb ships no types.
    """Give every account that was ever used."""
    return [Balance(*row) for row in base.execute(_BALANCES, [upto]).fetchall()]


async def differences(
    source: Any, base: Any, agency_id: str, upto: date  # noqa: ANN401 - the same.
) -> Sequence[Difference]:  # fmt: skip
    """Name what differs: turnovers of days, so that two wrong days do not make one right end."""
    found = []
    for day, debit, credit in base.execute(_DAYS, [upto]).fetchall():
        booked = {
            (kind, voucher): amount
            for kind, voucher, amount in await source.fetch(_ENTRIES, agency_id, day, debit, credit)
        }
        told = base.execute(_PROVED, [day, debit, credit]).fetchall()
        proved = {(kind, voucher): amount for kind, voucher, amount in told}
        wrong = (v for v in sorted(booked.keys() | proved.keys())
                 if booked.get(v, 0) != proved.get(v, 0))  # fmt: skip
        first = next(wrong)
        found.append(
            Difference(day, debit, credit, " ".join(first), proved.get(first, 0),
                       booked.get(first, 0))
        )  # fmt: skip
    return found
