"""``thuphi prove``: the books once more, from raw evidence; exit 1 where they are not the same."""

import argparse
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from gateway.domain.errors import ForgedError, Refusal
from gateway.domain.ledger import TITLES
from gateway.domain.money import figures
from gateway.entry import cli_values as values
from gateway.entry.bootstrap import Parts
from gateway.entry.cli_books import Opened, agency_of
from gateway.entry.reconciling import holders_of
from gateway.ports.provider import (
    HoldsAccount,
    Provider,
    RawNotice,
    Verdict,
)
from gateway.store.roles import WORKER

if TYPE_CHECKING:
    from reconciliation.proving.cells import Word
    from reconciliation.proving.service import Proof, Proving, Terms

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HEADS: Final = ("Chứng minh", "Ghi sổ", "Chênh lệch")
shown_max: Final = 20  # Lines of a kind on a terminal; --json has them all.


def proving_of(parts: Parts) -> "Proving":
    """Put the second calculator together: what it may know is laid before it as plain values."""
    from reconciliation.proving.service import Proving

    return Proving(parts.engine, parts.vault.open, lambda agency_id: _terms(parts, agency_id))


def _terms(parts: Parts, agency_id: str) -> "Terms":
    """Say what the settings say of an agency's accounts."""
    from reconciliation.proving.service import Account, Terms

    holders = holders_of(parts)
    own = holders.of(agency_id)
    accounts = [Account(f"counter/{agency_id}", is_fixed=False)]
    for name, provider in own.items():
        days = parts.captures.days.get((provider.name, provider.account))
        cut_off = days.cut_off if days else None
        accounts.append(
            Account(
                name, provider.can.fixed_amount, provider.can.notice_is_hint,
                provider.account_number if isinstance(provider, HoldsAccount) else "",
                cut_off.hour * 3_600 + cut_off.minute * 60 if cut_off else None,
                rests=days is not None and days.works == "working_days",
            )
        )  # fmt: skip

    def reads(holder: str, plain: bytes) -> "Word | None":
        return _word(own.get(holder), plain)

    banks, stands_for = holders.banks(agency_id), holders.stands_for(agency_id)
    return Terms(accounts, banks, stands_for, reads, parts.captures.calendar)


def _word(provider: Provider | None, plain: bytes) -> "Word | None":
    """Read a notice once more by its own adapter; none where it is no word for money."""
    if provider is None or provider.can.notice_is_hint:
        return None
    kept = json.loads(plain)
    raw = RawNotice(
        kept["method"], kept["query"], kept["headers"], kept["body"].encode("latin-1"),
        datetime.fromisoformat(kept["received_at"]),
    )  # fmt: skip
    try:
        said = provider.read(raw)
    except ForgedError:  # Believed once, perhaps with a secret of before.
        return None
    if said.verdict is not Verdict.CAPTURED or said.refund or said.dispute:
        return None
    paid = (said.paid_at - _EPOCH) // timedelta(microseconds=1) if said.paid_at else None
    return (
        said.txn_id, said.amount, said.order_reference, said.order_serial, said.memo, paid,
        said.payment_reference or None,
    )  # fmt: skip


async def do_prove(args: argparse.Namespace, opened: Opened) -> int:
    """Prove a period; exit 1 if anything is booked that is not proved, or not booked that is."""
    since, upto = args.since, args.upto
    if since > upto:
        raise Refusal("invalid-request", "--from is after --to: exchange them.")
    async with opened as parts:
        agency = await agency_of(args, parts)
        proof = await proving_of(parts).prove(agency, since, upto)
    if args.json:
        print(json.dumps(proof.as_json(), ensure_ascii=False))
    else:
        print("\n".join(table(proof)))
    return 0 if proof.holds else 1


def table(proof: "Proof") -> list[str]:
    """Write a proof for a person: the balances at its end, then what is wrong, by name."""
    width = max((len(TITLES[b.account]) for b in proof.balances), default=0) + 2
    head = f"{'TK':5}{'Tên tài khoản':{width}}" + "".join(f"{h:>20}" for h in _HEADS)
    rows = [head, "-" * len(head)]
    for b in proof.balances:
        sums = (b.proved, b.booked, b.booked - b.proved)
        rows.append(f"{b.account:5}{TITLES[b.account]:{width}}"
                    + "".join(f"{figures(s):>20}" for s in sums))  # fmt: skip
    rows.append("")
    rows += _some(wrong_in(proof))
    rows += _some(
        [
            f"NOT DERIVED  capture {u['capture']} of {u['account']}, {figures(u['amount'])}:"
            f" {u['why']}"
            for u in proof.underived
        ]
    )
    rows.append("The books are what the evidence says." if proof.holds else "They are not equal.")
    return rows


def wrong_in(proof: "Proof") -> list[str]:
    """Name what is not equal, and what the evidence contradicts."""
    return [
        f"DIFFERS  {d.day} {d.debit}/{d.credit}: {d.voucher} is booked {figures(d.booked)},"
        f" proved {figures(d.proved)}" + ("" if d.day >= proof.since else ", before the period")
        for d in proof.differences
    ] + [f"FOUND  {what}" for what in proof.findings]


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - shown_max
    return lines[:shown_max] + ([f"  and {more} more; --json has them all"] if more > 0 else [])


def describe(add: Callable[..., argparse.ArgumentParser], opened: Callable[[str], Opened]) -> None:
    """Describe the command. It opens what is sealed, so it works as the worker does."""

    def run(args: argparse.Namespace) -> Awaitable[int]:
        return do_prove(args, opened(WORKER))

    proof = add("prove", run, "prove the books anew from raw evidence")
    proof.add_argument(
        "--from", dest="since", type=values.day_of, required=True, metavar="YYYY-MM-DD"
    )
    proof.add_argument("--to", dest="upto", type=values.day_of, required=True, metavar="YYYY-MM-DD")
    proof.add_argument("--agency", metavar="A", help="the account default's agency if absent")
