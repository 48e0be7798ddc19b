"""From proofs to bookings: what the matched lines of a statement mean in the ledger (LEDGER.md).

Pure. Each posting carries the voucher that makes it happen once: the statement line, or the batch.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from gateway.domain import ledger
from gateway.domain.ledger import Entry

if TYPE_CHECKING:  # The web process books what people agree to, and never loads the engine.
    from reconciliation.engine import Match, Result
    from reconciliation.inputs import Inputs

TRANSFER_RULES: Final = frozenset(
    {"02-bank-movement", "03-reference", "04-nth-of-equals", "11-business-day", "02-advised",
     "13-lost-reference"}
)  # fmt: skip
_BATCH_RULES: Final = frozenset({"05-batch", "05-payout-parts", "05-payout-unnamed"})
_TREASURY_RULES: Final = frozenset({"08-obligation", "08-parts", "08-reference", "09-lump"})
Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Posting:
    """Entries that belong to one voucher, and their true day."""

    voucher: str
    on: date
    entries: tuple[Entry, ...]


def postings(given: "Inputs", result: "Result") -> list[Posting]:
    """Say what to book for everything that is proved; the caller leaves out what is booked."""
    lines = {x["id"]: x for x in given.lines}
    by_line: dict[str, list[Match]] = defaultdict(list)
    for match in result.matches:
        by_line[match.line_id].append(match)
    accounts = {x["id"]: x["provider_account"] for x in given.captures}
    payouts = _Payouts(_reported(given, by_line), by_line, _first_parts(result, lines))
    found: list[Posting] = []
    for line_id, matches in sorted(by_line.items()):
        line = lines[line_id]
        account = accounts.get(matches[0].capture_id, "")
        entries = tuple(_entries(line, matches, account, given, payouts))
        if entries:
            found.append(Posting(line_id, line["booked_on"], entries))
    return found


def arrived(line: Line, parts: Iterable[tuple[int, str]]) -> Posting:
    """Book a credit that people say brought these captures: each amount, and its account."""
    entries = [
        e for amount, account in parts for e in ledger.payout(line["id"], amount, account, "")
    ]
    return Posting(line["id"], line["booked_on"], tuple(entries))


def _entries(
    line: Line, matches: "Sequence[Match]", account: str, given: "Inputs", payouts: "_Payouts"
) -> Iterable[Entry]:
    rule = matches[0].rule
    if rule in TRANSFER_RULES:
        return ledger.payout(line["id"], line["net"], account, "")
    if rule in _BATCH_RULES:
        return payouts.entries(line, rule, account, matches)
    if rule in _TREASURY_RULES:
        return _confirmed(line, matches, given)
    plain = {
        "07-remittance": lambda: ledger.remitted(line["id"], -line["net"]),
        "10-top-up": lambda: ledger.topped_up(line["id"], line["net"]),
        "12-bag": lambda: ledger.banked(line["id"], line["net"]),
    }
    return plain[rule]() if rule in plain else ()


def _first_parts(result: "Result", lines: Mapping[str, Line]) -> frozenset[str]:
    """Name the payouts that carry the charges: of one that comes in parts, the first."""
    first: dict[str | None, str] = {}
    for m in sorted(result.matches, key=lambda m: _place(lines[m.line_id])):
        if m.rule in _BATCH_RULES:
            first.setdefault(m.capture_id, m.line_id)
    return frozenset(first.values())


def _place(line: Line) -> tuple[object, ...]:
    return line["booked_on"], line.get("line_no", 0), line["id"]


def _reported(given: "Inputs", by_line: "Mapping[str, Sequence[Match]]") -> dict[str, list[Line]]:
    """Give each account's reported lines, but not what is listed twice.

    A line that proves nothing yet stands in the payout all the same, and so does its charge.
    """
    lines = [x for x in given.lines if x["source"] == "provider"]
    proved = {_name(x) for x in lines if x["id"] in by_line}
    found: dict[str, list[Line]] = defaultdict(list)
    for x in lines:
        if x["id"] in by_line or _name(x)[-1] is None or _name(x) not in proved:
            found[x["account"]].append(x)
    return found


def _name(line: Line) -> tuple[object, ...]:
    name = line.get("txn_id") if line["kind"] == "payment" else line.get("reference")
    return line["account"], line["kind"], line["gross"], name


@dataclass(frozen=True, slots=True)
class _Payouts:
    """What payouts book."""

    reported: Mapping[str, Sequence[Line]]  # By account.
    by_line: "Mapping[str, Sequence[Match]]"
    charged: frozenset[str]

    def entries(
        self, payout: Line, rule: str, account: str, matches: "Iterable[Match]"
    ) -> Iterator[Entry]:
        """Book a payout net, batch by batch, and the charges of each, so that it is at zero.

        A batch that gives back more of earlier charges than it takes is a charge the other way
        round.
        """
        batches = self._batches(payout, rule, account, matches)
        for batch, lines in batches.items():
            net = sum(x["net"] for x in lines) if len(batches) > 1 else payout["net"]
            charges = sum(-x["net"] if x["kind"] == "charge" else x["fee"] for x in lines)
            if charges and payout["id"] in self.charged:
                booked = ledger.charge(payout["id"], abs(charges), account, batch)
                yield from booked if charges > 0 else ledger.storno(booked)
            if net:
                came = ledger.payout(payout["id"], abs(net), account, batch)
                yield from came if net > 0 else ledger.storno(came)

    def _batches(
        self, payout: Line, rule: str, account: str, matches: "Iterable[Match]"
    ) -> dict[str, list[Line]]:
        """Give the batches of a payout, with their lines: what it names, or what it proves."""
        listed = self.reported.get(account, ())
        named = {payout["reference"] or ""}
        if rule == "05-payout-unnamed":
            paid = {m.capture_id for m in matches}
            named = {
                _batch_of(x) for x in listed
                if x["kind"] == "payment"
                and any(m.capture_id in paid for m in self.by_line.get(x["id"], ()))
            }  # fmt: skip
        batches: dict[str, list[Line]] = {b: [] for b in sorted(named)}
        for x in listed:
            if _batch_of(x) in batches:
                batches[_batch_of(x)].append(x)
        return batches


def _batch_of(line: Line) -> str:
    """Name a batch as 05-payout-unnamed does: what has no number goes by its day."""
    return line["batch_id"] or f"day {line['value_no']}"


def _confirmed(line: Line, matches: "Sequence[Match]", given: "Inputs") -> Iterator[Entry]:
    """Book what the treasury confirms; phí is apportioned first, all of it to the budget.

    A split that leaves a share with the agency is a rule of each fee (a later setting).
    """
    mine = {m.capture_id for m in matches}
    phi = sum(
        d["amount"]
        for d in given.dues
        if d["capture_id"] in mine
        and d["kind"] == "phi"
        and d["budget_line"] == line["budget_line"]
        and line["obligation_id"] in (None, d["payment_id"])
    )
    if matches[0].rule != "09-lump":
        phi = min(phi, line["net"])  # One of several documents apportions what it brings.
    if phi:
        yield from ledger.apportioned(line["id"], phi, line["budget_line"])
    yield from ledger.confirmed(line["id"], line["net"], line["budget_line"])
