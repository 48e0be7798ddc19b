"""What a file adds up to, account by account, held against what the file itself says of it.

Lines that were cut off, doubled or put in show in the figures around them: a running balance, the
balances of a statement, the row of totals. A difference refuses the file whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import sub
from typing import Any, Final

from reconciliation.readers.line import StatementLine, refuse

# A thousand times the largest amount; a column of the database holds nine times as much.
file_sum_dong_max: Final = 10**18


@dataclass(slots=True)
class AccountTotals:
    """The figures of one account in one file; a balance is None where the file tells none."""

    account: str
    count: int = 0
    sum: int = 0
    opening: int | None = None
    closing: int | None = None
    # A running balance has its oldest line first, or last: both may be until one cannot.
    _said: int | None = None  # By the line before.
    _moved: int = 0
    _rises: bool = True
    _falls: bool = True

    def rise(self, moved: list[int], said: list[int]) -> bool:
        """Follow many balances at once, the oldest first; False, and nothing is done, if not so."""
        before = said[0] - moved[0] if self._said is None else self._said
        if not self._rises or said != [*accumulate(moved, initial=before)][1:]:
            return False
        if self._said is None:
            self.opening = before
        if len(said) > 1 or self._said is not None:
            fell = [*accumulate(moved[:-1], sub, initial=said[0])]
            begins = self._said is None or said[0] == self._said - self._moved
            self._falls = self._falls and begins and said == fell
        self.closing = self._said = said[-1]
        self._moved = moved[-1]
        return True

    def follow(self, line_no: int, moved: int, balance: int) -> None:
        """Hold the balance beside a line against the line before it."""
        said = self._said
        if said is None:
            self.opening, self.closing = balance - moved, balance
        else:
            rose, fell = said + moved, said - self._moved
            possible = [rose] * self._rises + [fell] * self._falls
            self._rises = self._rises and balance == rose
            self._falls = self._falls and balance == fell
            if self._rises:
                self.closing = balance
            elif self._falls:
                self.opening = balance - moved
            else:
                wanted = min(possible, key=lambda made: abs(made - balance))
                raise refuse(line_no, "balance", f"is {balance}, and the lines make it {wanted}")
        self._said, self._moved = balance, moved


@dataclass(frozen=True, slots=True)
class _Stated:
    """The balances that a file says an account had, and on which line it last did."""

    line_no: int
    opening: int
    closing: int


@dataclass(slots=True)
class Totals:
    """Grows with each line; whole when the last line was read."""

    accounts: dict[str, AccountTotals] = field(default_factory=dict)
    _stated: dict[str, _Stated] = field(default_factory=dict)
    _sum: int = 0  # Of all accounts.

    def add(self, lines: Sequence[StatementLine], balances: Sequence[str] = ()) -> None:
        """Count lines, and hold the balance beside each against the line before it."""
        moved, told = [line.net for line in lines], any(balances)
        self._weigh(lines, moved)
        of = self.of(lines[0].account)
        if all(line.account == of.account for line in lines):
            of.count += len(lines)
            of.sum += sum(moved)
            if not told or (all(balances) and of.rise(moved, [*map(int, balances)])):
                return
        else:
            for line in lines:
                of = self.of(line.account)
                of.count += 1
                of.sum += line.net
        for line, balance in zip(lines, balances, strict=False):
            if balance:
                self.of(line.account).follow(line.line_no, line.net, int(balance))

    def _weigh(self, lines: Sequence[StatementLine], moved: list[int]) -> None:
        """Refuse a sum that no column of the database holds, with the line that makes it so."""
        before, self._sum = self._sum, self._sum + sum(moved)
        if max(abs(before), abs(self._sum)) + sum(map(abs, moved)) <= file_sum_dong_max:
            return
        for line, made in zip(lines, accumulate(moved, initial=before), strict=False):
            if abs(made + line.net) > file_sum_dong_max:
                detail = f"makes the sum of the file larger than {file_sum_dong_max}"
                raise refuse(line.line_no, "", detail)

    def of(self, account: str) -> AccountTotals:
        """Give an account's figures."""
        found = self.accounts.get(account)
        if found is None:
            found = self.accounts[account] = AccountTotals(account)
        return found

    def section(self, line_no: int, account: str, opening: int, closing: int) -> None:
        """Take what one statement of an account opens and closes with, as a file may have many.

        Each begins where the one before ended, or ends where that one began; else lines are
        missing between them.
        """
        before = self._stated.get(account)
        if before is None or before.closing == opening:
            opening = opening if before is None else before.opening
        elif closing == before.opening:
            closing = before.closing
        else:
            raise refuse(line_no, "", differs("the balance before", opening, before.closing))
        self._stated[account] = _Stated(line_no, opening, closing)

    def close(self) -> None:
        """See that the balances around the lines are those beside them; call it after the last."""
        for account, stated in self._stated.items():
            of = self.of(account)
            for what, said, made in (
                ("the opening balance", stated.opening, of.opening),
                ("the closing balance", stated.closing, of.closing),
            ):
                if made is not None and said != made:
                    raise refuse(stated.line_no, "", differs(what, said, made))
            of.opening, of.closing = stated.opening, stated.closing

    def as_json(self) -> list[dict[str, Any]]:
        """Give the figures as they are kept beside the file."""
        return [
            {"account": x.account, "count": x.count, "sum": x.sum, "opening": x.opening,
             "closing": x.closing}
            for x in self.accounts.values()
        ]  # fmt: skip


def differs(what: str, said: int, found: int) -> str:
    """Say that a control figure is not what the lines add up to."""
    return f"says that {what} is {said}, and the lines make it {found}"
