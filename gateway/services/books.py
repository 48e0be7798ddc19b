"""The trial balance: opening, turnover and closing of every account, as a treasurer reads it.

Debit and credit stand in columns of their own; a storno is taken off the turnover it corrects, so
turnovers are shown net (LEDGER.md). Amounts are whole đồng.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text

from gateway.domain.ledger import TITLES
from gateway.store.tx import Store

# A storno of "debit X" is a credit to X that takes the debit back, so it lowers X's debit turnover.
_TURNOVER: Final = text(
    "WITH legs AS ("
    " SELECT booked_on, debit AS account, NOT storno AS is_debit,"
    " CASE WHEN storno THEN -amount ELSE amount END AS moved FROM entry"
    " WHERE agency_id = :agency AND booked_on <= :upto"
    " UNION ALL SELECT booked_on, credit, storno,"
    " CASE WHEN storno THEN -amount ELSE amount END FROM entry"
    " WHERE agency_id = :agency AND booked_on <= :upto)"
    " SELECT account,"
    " coalesce(sum(CASE WHEN is_debit THEN moved ELSE -moved END)"
    " FILTER (WHERE booked_on < :since), 0)::bigint AS opening,"
    " coalesce(sum(moved) FILTER (WHERE is_debit AND booked_on >= :since), 0)::bigint AS debit,"
    " coalesce(sum(moved) FILTER (WHERE NOT is_debit AND booked_on >= :since), 0)::bigint"
    " AS credit FROM legs GROUP BY account ORDER BY account"
)


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """One account over one period; each pair of columns has at most one closing side."""

    account: str
    title: str
    opening_debit: int
    opening_credit: int
    turnover_debit: int
    turnover_credit: int
    closing_debit: int
    closing_credit: int

    @property
    def is_memorandum(self) -> bool:
        """Tell whether this account counts debts, and not money."""
        return self.account.startswith("M")


async def trial_balance(
    store: Store, agency_id: str, on: date, since: date | None = None
) -> list[BalanceLine]:
    """Give the trial balance of a day, or of the period that ends with it, by booking day."""
    async with store.begin() as tx:
        rows = await tx.rows(_TURNOVER, {"agency": agency_id, "upto": on, "since": since or on})
    return [
        _line(r["account"], r["opening"], r["debit"], r["credit"])
        for r in rows
        if r["opening"] or r["debit"] or r["credit"]
    ]


def _line(account: str, opening: int, debit: int, credit: int) -> BalanceLine:
    closing = opening + debit - credit
    return BalanceLine(
        account, TITLES[account], max(opening, 0), max(-opening, 0), debit, credit,
        max(closing, 0), max(-closing, 0),
    )  # fmt: skip


def unbalanced(lines: Sequence[BalanceLine]) -> list[str]:
    """Name what does not add up: each pair of columns, and opening + turnover = closing."""
    wrong = []
    for name in ("opening", "turnover", "closing"):
        debit = sum(getattr(x, f"{name}_debit") for x in lines)
        credit = sum(getattr(x, f"{name}_credit") for x in lines)
        if debit != credit:
            wrong.append(f"{name}: debit {debit}, credit {credit}")
    for x in lines:
        opened = x.opening_debit - x.opening_credit
        if opened + x.turnover_debit - x.turnover_credit != x.closing_debit - x.closing_credit:
            wrong.append(f"account {x.account}: opening + turnover is not closing")
    return wrong
