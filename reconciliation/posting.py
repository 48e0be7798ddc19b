"""From proofs to bookings: what the matched lines of a statement mean in the ledger (LEDGER.md).

Pure. Each posting carries the voucher that makes it happen once: the statement line, or the batch.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from gateway.domain import ledger
from gateway.domain.ledger import Entry

if TYPE_CHECKING:  # The web process books what people agree to, and never loads the engine.
    from reconciliation.engine import Match, Result
    from reconciliation.inputs import Inputs

TRANSFER_RULES: Final = frozenset(
    {"02-bank-movement", "03-reference", "04-nth-of-equals", "11-business-day", "02-advised"}
)
_TREASURY_RULES: Final = frozenset({"08-obligation", "09-lump"})
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
    captures = {x["id"]: x for x in given.captures}
    by_line: dict[str, list[Match]] = defaultdict(list)
    for match in result.matches:
        by_line[match.line_id].append(match)
    found: list[Posting] = []
    for line_id, matches in sorted(by_line.items()):
        line, rule = lines[line_id], matches[0].rule
        entries: Iterable[Entry] = ()
        if rule in TRANSFER_RULES:
            account = captures[str(matches[0].capture_id)]["provider_account"]
            entries = ledger.payout(line_id, line["net"], account, "")
        elif rule == "05-batch":
            account = captures[str(matches[0].capture_id)]["provider_account"]
            entries = _batch(line, account, [x for x in given.lines if x["id"] in by_line])
        elif rule == "07-remittance":
            entries = ledger.remitted(line_id, -line["net"])
        elif rule == "10-top-up":
            entries = ledger.topped_up(line_id, line["net"])
        elif rule == "12-bag":
            entries = ledger.banked(line_id, line["net"])
        elif rule in _TREASURY_RULES:
            entries = _confirmed(line, matches, given)
        if found_entries := tuple(entries):
            found.append(Posting(line_id, line["booked_on"], found_entries))
    return found


def arrived(line: Line, parts: Iterable[tuple[int, str]]) -> Posting:
    """Book a credit that people say brought these captures: each amount, and its account."""
    entries = [
        e for amount, account in parts for e in ledger.payout(line["id"], amount, account, "")
    ]
    return Posting(line["id"], line["booked_on"], tuple(entries))


def _batch(payout: Line, account: str, lines: Iterable[Line]) -> Iterator[Entry]:
    """Book a payout net, and the charges that its batch declares, so that the batch is at zero.

    ``lines`` are those that prove something: one that is listed twice charges once.
    A batch that gives back more of earlier charges than it takes is a charge the other way round.
    """
    batch = payout["reference"]
    charges = sum(
        -x["net"] if x["kind"] == "charge" else x["fee"]
        for x in lines
        if x["source"] == "provider" and (x["account"], x["batch_id"]) == (account, batch)
    )
    if charges > 0:
        yield from ledger.charge(payout["id"], charges, account, batch)
    elif charges < 0:
        yield from ledger.storno(ledger.charge(payout["id"], -charges, account, batch))
    yield from ledger.payout(payout["id"], payout["net"], account, batch)


def _confirmed(line: Line, matches: "Iterable[Match]", given: "Inputs") -> Iterator[Entry]:
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
    if phi:
        yield from ledger.apportioned(line["id"], phi, line["budget_line"])
    yield from ledger.confirmed(line["id"], line["net"], line["budget_line"])
