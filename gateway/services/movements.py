"""Finds the bank movement of a credit advice: known already, another word for it, or a new one."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text

from gateway.domain.movements import Advice, Home, home_of
from gateway.ports.provider import Movement, Notice, Taker
from gateway.store import tables as t
from gateway.store.tx import Row, Tx

STATEMENT: Final = "statement"  # The reporter of every statement's lines, and their source.
_TOLD: Final = text(
    "SELECT c.* FROM credit_advice a JOIN capture c ON c.agency_id = a.agency_id"
    " AND c.id = a.capture_id WHERE a.agency_id = :agency AND a.reporter = :reporter"
    " AND a.report_id = :report"
)
_ALIKE: Final = (
    "SELECT 1 FROM credit_advice WHERE agency_id = :agency AND bank_account = :bank_account"
    " AND booked_on = :booked_on AND amount = :amount"
)
# A reporter alone tells each credit once: nothing is to be compared unless it repeats a reference.
_CROWDED: Final = text(
    f"SELECT EXISTS ({_ALIKE} AND reporter < :reporter) OR EXISTS ({_ALIKE}"
    f" AND reporter > :reporter) OR (:bank_reference <> '' AND EXISTS ({_ALIKE}"
    " AND bank_reference = :bank_reference)) AS crowded"
)
_KNOWN: Final = text(
    "SELECT a.reporter, a.bank_reference, a.payment_id, a.capture_id, (SELECT min(l.payment_id)"
    " FROM allocation l WHERE l.agency_id = a.agency_id AND l.capture_id = a.capture_id)"
    " AS booked_for FROM credit_advice a WHERE a.agency_id = :agency"
    " AND a.bank_account = :bank_account AND a.booked_on = :booked_on AND a.amount = :amount"
    " ORDER BY a.at, a.report_id"
)
_CAPTURE: Final = text("SELECT * FROM capture WHERE agency_id = :agency AND id = :id")


@dataclass(frozen=True, slots=True)
class Told:
    """One credit as one reporter told it; ``payment_id`` is the payment that it names."""

    agency_id: str
    reporter: str
    report_id: str
    movement: Movement
    payment_id: str | None = None

    @property
    def _alike(self) -> dict[str, Any]:
        """Give what equal credits have in common."""
        return {
            "agency": self.agency_id, "bank_account": self.movement.account,
            "booked_on": date.fromisoformat(self.movement.booked_on),
            "amount": self.movement.amount, "reporter": self.reporter,
            "bank_reference": self.movement.bank_reference,
        }  # fmt: skip

    @property
    def key(self) -> str:
        """Name all equal credits: who holds it places one at a time."""
        alike = (self.agency_id, self.movement.account, self.movement.booked_on)
        return f"{'|'.join(alike)}|{self.movement.amount}"

    async def known(self, tx: Tx) -> Row | None:
        """Find the capture of this very word, told before."""
        values = {"agency": self.agency_id, "reporter": self.reporter, "report": self.report_id}
        return await tx.row(_TOLD, values)

    async def home(self, tx: Tx) -> tuple[Row | None, str | None]:
        """Find the capture that this is another word for, or the payment that a new one is for."""
        crowd = await tx.row(_CROWDED, self._alike)
        if crowd is None or not crowd["crowded"]:
            return None, self.payment_id
        fresh = Advice(self.reporter, self.movement.bank_reference, self.payment_id)
        found: Home = home_of(fresh, [Advice(**r) for r in await tx.rows(_KNOWN, self._alike)])
        if found.capture_id is None:
            return None, found.payment_id
        return await tx.row(_CAPTURE, {"agency": self.agency_id, "id": found.capture_id}), None

    async def note(self, tx: Tx, capture_id: str, at: datetime) -> None:
        """Keep it; the same word again adds nothing."""
        await tx.put(
            t.credit_advice,
            {"agency_id": self.agency_id, "reporter": self.reporter, "report_id": self.report_id,
             "bank_account": self.movement.account, "booked_on": self._alike["booked_on"],
             "amount": self.movement.amount, "bank_reference": self.movement.bank_reference,
             "payment_id": self.payment_id, "capture_id": capture_id, "at": at},
        )  # fmt: skip


def told(agency_id: str, provider: Taker, said: Notice, source: str) -> Told | None:
    """Read a word as the advice of a credit, where it is one."""
    if said.movement is None:
        return None
    teller = STATEMENT if source == STATEMENT else f"{provider.name}/{provider.account}"
    return Told(agency_id, teller, said.txn_id, said.movement)
