"""Makes lines of rows of the canonical columns (CONTRACT 6); whatever a file was, it comes here."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from itertools import repeat
from operator import attrgetter
from typing import Final

from gateway.domain.calendar import HANOI, hanoi_day
from gateway.domain.ids import (
    TRANSFER_PREFIX,
    ReadReference,
    find_references,
    fold,
    pack,
    read_reference,
    read_whole,
    reference_length,
)
from reconciliation.marks import bag_in, marks_in
from reconciliation.readers.checks import Batch, checked
from reconciliation.readers.damaged import damaged_references
from reconciliation.readers.line import Row, Rows, StatementLine, refuse
from reconciliation.readers.profile import load_profile
from reconciliation.readers.totals import Totals

_REMITTANCE: Final = re.compile(r"-[0-9]+$")  # NS20261119-00001 is a line of NS20261119.
# As ``StatementLine._make`` without its call: a file may have a million lines.
_line_of: Final = partial(tuple.__new__, StatementLine)


# The accounts of an agency at each provider, by the provider's name.
Accounts = Mapping[str, Sequence[str]]


def build_lines(
    source: str, rows: Rows, totals: Totals, accounts: Accounts
) -> Iterator[StatementLine]:
    """Make lines of canonical rows, each with its number in the file, as they come."""
    columns = load_profile(f"canonical-{source}").columns
    balance = next((n for n, c in enumerate(columns) if c.name == "balance"), None)
    seen: dict[int, int] = {}
    for batch in checked(columns, rows):
        lines = _numbered(_BUILD[source](batch, accounts), seen)
        totals.add(lines, [cells[balance] for _, cells in batch] if balance is not None else ())
        yield from lines


def _numbered(lines: list[StatementLine], seen: dict[int, int]) -> list[StatementLine]:
    """Give a number to what looks alike: the n-th of equals in a file is the n-th in another.

    So overlaps add nothing, and two real movements that look alike stay two. Kept is a fingerprint
    of 128 bits of each, for the keys of a million lines would fill the memory.
    """
    counted = [f"{line.account}|{line.line_key}" for line in lines]
    fingerprints = [(hash(x) << 64) + hash(f"|{x}") for x in counted]
    fresh = dict.fromkeys(fingerprints, 1)
    if len(fresh) == len(lines) and seen.keys().isdisjoint(fresh):
        seen |= fresh
        return lines
    numbered = []
    for line, fingerprint in zip(lines, fingerprints, strict=True):
        nth = seen[fingerprint] = seen.get(fingerprint, 0) + 1
        key = line.line_key if nth == 1 else f"{line.line_key}|{nth}"
        numbered.append(line._replace(line_key=key))
    return numbered


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=HANOI)


def _references(text: str) -> list[ReadReference]:
    """Read the references that a text carries, undamaged ones first."""
    if not text:
        return []
    found = list(find_references(text))
    bare = read_reference(text.strip())
    if bare is None or bare.corrected:
        if not found or found[0].corrected:
            found += [ReadReference(r, corrected=True) for r in damaged_references(text)]
        return found
    return sorted([*found, bare], key=attrgetter("corrected"))


def _candidates(found: Sequence[ReadReference]) -> tuple[str, ...]:
    """Name the payments that may be meant, the likeliest first."""
    if len(found) == 1:  # As nearly always.
        return (found[0].reference,)
    return tuple(dict.fromkeys(read.reference for read in found))


def _wrong_amounts(kind: str, gross: int, fee: int, net: int) -> Iterator[tuple[str, str]]:
    """Say which amounts cannot be of their kind; what goes back to payers is negative.

    No entry can be booked for a payment of nothing, and none for a charge that nobody declared,
    so neither may come further than this.
    """
    if kind == "payment" and gross <= 0:
        yield "gross", "of a payment is not above zero"
    if kind == "payment" and fee < 0:
        yield "fee", "of a payment is below zero"
    if kind == "refund" and gross >= 0:
        yield "gross", "of a refund is not below zero"
    if kind == "reversal" and gross == 0:  # Above zero, it takes an earlier one back.
        yield "gross", "of a reversal is zero"
    if kind == "charge" and net >= 0:
        yield "net", "of a charge is not below zero"
    if net != gross - fee:
        yield "net", "is not gross less fee"


def _account(line_no: int, provider: str, accounts: Accounts) -> str:
    """Give the account that is meant; a file may name the provider alone where there is one."""
    if "/" in provider:
        return provider
    known = accounts.get(provider, ())
    if len(known) > 1:
        ways = "in the file, or under [fixed] in a profile of your own"
        detail = f"may mean {', '.join(known)}: name one of them {ways}"
        raise refuse(line_no, "provider", detail)
    return known[0] if known else f"{provider}/default"


def _provider(line_no: int, cells: Row, accounts: Accounts) -> StatementLine:
    provider, txn_id, ours, kind, gross_, fee_, net_, _, at, settled, batch_id = cells
    account = _account(line_no, provider, accounts)
    txn_at, gross, fee, net = _instant(at), int(gross_), int(fee_), int(net_)
    booked_on = hanoi_day(txn_at)
    for column, detail in _wrong_amounts(kind, gross, fee, net):
        raise refuse(line_no, column, detail)
    key = f"{kind}|{txn_id}"
    if kind != "payment":  # Two part refunds may go by the number of what was paid.
        key += f"|{ours}"
    return StatementLine(
        line_no=line_no, source="provider", account=account, line_key=key, booked_on=booked_on,
        value_on=date.fromisoformat(settled) if settled else booked_on, kind=kind,
        gross=gross, fee=fee, net=net, txn_at=txn_at, txn_id=txn_id, reference=ours or None,
        batch_id=batch_id or None, candidates=_candidates(_references(ours)),
    )  # fmt: skip


def _statements(batch: Batch) -> list[StatementLine]:
    """Make a bank's lines, column by column: they are the many."""
    numbers, rows = zip(*batch, strict=True)
    accounts, ids, booked, value, moved, _, _, references, memos, _ = zip(*rows, strict=True)
    amounts, days = [*map(int, moved)], [*map(date.fromisoformat, booked)]
    bags, marks, candidates = _told(memos, amounts)
    lines = zip(
        numbers, repeat("statement"), accounts,
        [
            f"id|{line_id}" if line_id else f"day|{on}|{amount}|{reference}"
            for line_id, on, amount, reference in zip(ids, booked, amounts, references, strict=True)
        ],
        days, [date.fromisoformat(x) if x else day for x, day in zip(value, days, strict=True)],
        ["credit" if amount > 0 else "debit" for amount in amounts], amounts, repeat(0), amounts,
        repeat(None), [x or None for x in ids], [x or None for x in references], bags,
        repeat(None), repeat(None), repeat(""), memos, marks, candidates,
    )  # fmt: skip
    return [*map(_line_of, lines)]


def _told(
    memos: Sequence[str], amounts: Sequence[int]
) -> tuple[list[str | None], list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Give of each memo the bag and the marks that it names, and the payments it may mean.

    Whoever names a payment whole pays it, though he writes what a bank writes of a payout.
    """
    whole = _whole(memos)
    bags: list[str | None] = [None] * len(memos)
    marks: list[tuple[str, ...]] = [()] * len(memos)
    candidates: list[tuple[str, ...]] = [(x,) if x else () for x in whole]
    for at, memo in enumerate(memos):
        if memo and whole[at] is None:
            found = _references(memo)
            candidates[at] = _candidates(found)
            if not found or found[0].corrected:
                folded = fold(memo)
                bags[at] = bag_in(folded) if amounts[at] > 0 else None
                marks[at] = marks_in(folded, amounts[at])
    return bags, marks, candidates


def _whole(memos: Sequence[str]) -> list[str | None]:
    """Give the reference of each memo that names one alone and undamaged; they are read at once."""
    text = "\n".join(memos)
    if text.count("\n") != len(memos) - 1:
        text = "\n".join(" ".join(memo.split()) for memo in memos)
    words = [
        packed.partition(TRANSFER_PREFIX)[2][:reference_length]
        if packed.count(TRANSFER_PREFIX) == 1 else ""
        for packed in pack(text).split("\n")
    ]  # fmt: skip
    whole = iter(read_whole([word for word in words if len(word) == reference_length]))
    return [next(whole) if len(word) == reference_length else None for word in words]


def _treasury(line_no: int, cells: Row) -> StatementLine:
    document, obligation_id, booked, agency, chapter, tieu_muc, moved, _, content = cells
    amount, booked_on = int(moved), date.fromisoformat(booked)
    return StatementLine(
        line_no=line_no, source="treasury", account=agency,
        line_key=f"{document}|{obligation_id}|{tieu_muc}", booked_on=booked_on,
        value_on=booked_on, kind="revenue", gross=amount, fee=0, net=amount, txn_id=document,
        reference=document, obligation_id=obligation_id or None, budget_line=tieu_muc,
        chapter=chapter, batch_id=_REMITTANCE.sub("", document), memo=content,
        candidates=_candidates(_references(content)),
    )  # fmt: skip


_BUILD: Final[Mapping[str, Callable[[Batch, Accounts], list[StatementLine]]]] = {
    "provider": lambda batch, accounts: [_provider(*row, accounts) for row in batch],
    "statement": lambda batch, _: _statements(batch),
    "treasury": lambda batch, _: [_treasury(*row) for row in batch],
}
