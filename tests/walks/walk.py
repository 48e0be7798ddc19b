"""What a walk is, the gateway that it goes through, and the books that it must leave."""

import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from front_door import SEPAY_SECRET, VNPAY_SECRET
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.entry.bootstrap import Parts, build
from gateway.entry.plugins import adapters
from gateway.entry.settings import read_settings
from gateway.infra.clock import TestClock

AT = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
Say = Callable[[str], None]
Given = Mapping[str, str]  # What the preparation hands on: keys, addresses.


@dataclass(frozen=True)
class Walk:
    """One way through the gateway.

    ``phases`` gives, for the word that is said at the end of each phase, the query that is true
    from then on; a phase that promises nothing to anybody outside has an empty one.
    """

    name: str
    at: datetime
    phases: Mapping[str, str]
    prepare: Callable[[Parts], Awaitable[Given]]
    go: Callable[[Parts, Given, Say], Awaitable[None]]

    def phase_after(self, said: list[str]) -> str:
        """Name the phase that was not over yet."""
        return [*self.phases, "nothing"][len(said)]


def outside_of(url: str) -> Path:
    """Say where a database's receipts are kept outside it, for all processes that walk there."""
    return Path(tempfile.gettempdir()) / f"{urlsplit(url).path.strip('/')}-outside"


def parts_on(engine: AsyncEngine, url: str, at: datetime = AT) -> Parts:
    """Put everything together on a database."""
    values = {
        "THUPHI_HIGH_WATER_DIR": str(outside_of(url)),
        "THUPHI_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "THUPHI_WIRE_ALLOW": "127.0.0.0/8",
        "THUPHI_VNPAY_TMN_CODE": "TESTTMN1", "THUPHI_VNPAY_SECRET": VNPAY_SECRET,
        "THUPHI_VNPAY_BASE_URL": "http://127.0.0.1:9/pay",
        "THUPHI_VNPAY_API_URL": "http://127.0.0.1:9/api",
        "THUPHI_VIETQR_BANK_BIN": "970436", "THUPHI_VIETQR_ACCOUNT": "0123456789",
        "THUPHI_VIETQR_ACCOUNT_NAME": "TT PHUC VU", "THUPHI_SEPAY_SECRET": SEPAY_SECRET,
    }  # fmt: skip
    settings = read_settings(values, [f for spec in adapters() for f in spec.known_fields])
    return build(settings, engine, TestClock(at))


# Everything that a walk leaves, without what chance decides (ids, numbers of tries).
BOOKS: Mapping[str, str] = {
    "payments": "SELECT dossier_id, state, amount_received, amount_on_account, amount_suspended,"
    " amount_settled, in_doubt, late, sequence FROM payment",
    "attempts": "SELECT provider, state, amount FROM attempt",
    "captures": "SELECT provider, txn_id, amount, result, booked_on, value_on FROM capture",
    "entries": "SELECT e.booked_on, e.value_on, debit, credit, e.amount, voucher_kind, batch_id,"
    " budget_line, rule, storno, dossier_id FROM entry e LEFT JOIN payment p"
    " ON p.agency_id = e.agency_id AND p.id = e.payment_id",
    "receipts": "SELECT dossier_id, kind, series, r.amount, xml IS NOT NULL AS sealed,"
    " pdf IS NOT NULL AS drawn FROM receipt r JOIN payment p ON p.agency_id = r.agency_id"
    " AND p.id = r.payment_id",
    "leaves": "SELECT leaf_index FROM log_leaf",
    # Who gets which is decided by who was paid first, and that by who was disturbed.
    "numbers": "SELECT series, number FROM receipt",
    "events": "SELECT dossier_id, e.sequence, type, position IS NOT NULL AS stamped FROM event e"
    " JOIN payment p ON p.agency_id = e.agency_id AND p.id = e.payment_id",
    "deliveries": "SELECT dossier_id, d.sequence, d.state FROM delivery d JOIN payment p"
    " ON p.agency_id = d.agency_id AND p.id = d.payment_id",
    "lines": "SELECT f.state, source, l.booked_on, net FROM statement_file f JOIN statement_line l"
    " ON l.agency_id = f.agency_id AND l.file_id = f.id",
    "matches": "SELECT rule, source, l.net, m.amount, txn_id FROM recon_match m"
    " JOIN statement_line l ON l.agency_id = m.agency_id AND l.id = m.line_id",
    # What was cleared up again is told by its trail; whoever was disturbed may have had to.
    "breaks": "SELECT kind, state, amount FROM break WHERE state <> 'resolved'",
    "days": "SELECT booked_on, state FROM day",
}


async def books(parts: Parts) -> dict[str, list[str]]:
    """Give the books of a database in an order that chance does not decide either."""
    found: dict[str, list[str]] = {}
    async with parts.store.begin() as tx:
        for name, query in BOOKS.items():
            rows: list[Any] = list(await tx.rows(text(query)))
            found[name] = sorted(str(tuple(row.values())) for row in rows)
    return found
