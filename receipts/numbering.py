"""Numbers without a gap: a number and its row are one transaction, under the lock of its series.

Each branch and kind of an agency has a series of its own, so no lock is city-wide. A series belongs
to the kind of its first receipt, which is written in the transaction that opens the series; one
that was numbered elsewhere before says its kind itself. Locks
are taken in one order (first the agency's, if a series must be opened; then the series by name), so
two workers never wait for each other in a circle.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from gateway.domain.calendar import hanoi_day
from gateway.store import locks
from gateway.store import tables as t
from gateway.store.tx import Tx
from receipts.outside import Series
from receipts.rules import RuleSet

_OF_THE_YEAR: Final = text(
    "SELECT s.branch_id, coalesce(s.kind, r.kind) AS kind, s.series FROM series s LEFT JOIN receipt"
    " r ON r.agency_id = s.agency_id AND r.form = s.form AND r.series = s.series AND r.number = 1"
    " WHERE coalesce(s.kind, r.kind) IS NOT NULL AND s.agency_id = :agency AND s.form = :form"
    " AND s.series = ANY(:symbols) AND s.last_number < :max ORDER BY s.series"
)
_TAKEN: Final = text("SELECT series FROM series WHERE agency_id = :agency AND form = :form")
_LOCK: Final = text(
    "SELECT series, last_number FROM series WHERE agency_id = :agency AND form = :form"
    " AND series = ANY(:symbols) ORDER BY series FOR UPDATE"
)
# Asked after the lock, in a statement of its own: an earlier one would not see the last writer.
_LAST: Final = text(
    "SELECT s.series, r.numbered_at FROM series s JOIN receipt r ON r.agency_id = s.agency_id"
    " AND r.form = s.form AND r.series = s.series AND r.number = s.last_number"
    " WHERE s.agency_id = :agency AND s.form = :form AND s.series = ANY(:symbols)"
)
_ADVANCE: Final = text(
    "UPDATE series SET last_number = :last WHERE agency_id = :agency AND form = :form"
    " AND series = :series"
)

Place = tuple[str, str]  # Branch and kind: what a series is for.


class ForgottenError(Exception):
    """The database has forgotten receipts that were given out; the sentence says what to do."""


def forgotten(form: str, series: str, given: int, known: int) -> str:
    """Say what a restored database does not know."""
    return (
        f"{form} {series} has given numbers up to {given}, and this database knows {known}: it was"
        " restored from a backup. Run thuphi receipts restore; or, if the folder of"
        " THUPHI_HIGH_WATER_DIR is another installation's, name one of its own."
    )


@dataclass(slots=True)
class Book:
    """One locked series: it gives numbers until the transaction ends."""

    series: str
    last: int
    at: datetime

    def take(self) -> int:
        """Give the next number."""
        self.last += 1
        return self.last


@dataclass(frozen=True, slots=True)
class Numbering:
    """The numbers of one agency's receipts of one day."""

    tx: Tx
    agency_id: str
    rules: RuleSet
    now: datetime
    marks: Mapping[Series, int]  # How far each series came, by what is kept outside the database.

    async def open(self, places: frozenset[Place]) -> dict[Place, Book]:
        """Lock the series of these places, opening those that are missing."""
        symbols = await self._find()
        if not places <= symbols.keys():
            await self.tx.run(locks.SERIES, {"agency": self.agency_id})
            symbols = await self._find()
            for place in sorted(places - symbols.keys()):
                symbols[place] = await self._open_one(place[0])
        wanted = {"agency": self.agency_id, "form": self.rules.form,
                  "symbols": [symbols[p] for p in places]}  # fmt: skip
        locked = {r["series"]: r["last_number"] for r in await self.tx.rows(_LOCK, wanted)}
        self._require_remembered(locked)
        before = {r["series"]: r["numbered_at"] for r in await self.tx.rows(_LAST, wanted)}
        # Time rises with the number, even where a clock stands still or lags behind another's.
        books = {
            p: Book(s, locked[s], max(self.now, before.get(s, self.now)))
            for p, s in symbols.items()
            if p in places
        }
        year = hanoi_day(self.now).year
        for book in books.values():
            if (on := hanoi_day(book.at)).year != year:
                raise ValueError(f"The series {book.series} is of {year}, and its last receipt"
                                 f" of {on}: the clock is wrong, or was.")  # fmt: skip
        return books

    def _require_remembered(self, locked: Mapping[str, int]) -> None:
        """Refuse to give a number twice. Raises ForgottenError."""
        for series, last in locked.items():
            given = self.marks.get((self.rules.form, series), 0)
            if given > last:
                raise ForgottenError(forgotten(self.rules.form, series, given, last))

    async def close(self, books: Collection[Book]) -> None:
        """Write how far each series has come."""
        for book in books:
            if book.last > self.rules.number_max:
                raise OverflowError(f"The series {book.series} has no number left.")
            await self.tx.run(
                _ADVANCE,
                {"agency": self.agency_id, "form": self.rules.form, "series": book.series,
                 "last": book.last},
            )  # fmt: skip

    async def _find(self) -> dict[Place, str]:
        rows = await self.tx.rows(
            _OF_THE_YEAR,
            {"agency": self.agency_id, "form": self.rules.form, "symbols": self._symbols(),
             "max": self.rules.number_max},
        )  # fmt: skip
        return {(r["branch_id"], r["kind"]): r["series"] for r in rows}

    async def _open_one(self, branch_id: str) -> str:
        wanted = {"agency": self.agency_id, "form": self.rules.form}
        taken = {r["series"] for r in await self.tx.rows(_TAKEN, wanted)}
        free = [s for s in self._symbols() if s not in taken]
        if not free:
            raise LookupError(f"The agency {self.agency_id} has used every series of this year.")
        await self.tx.run(
            t.series.insert(),
            {"agency_id": self.agency_id, "branch_id": branch_id, "form": self.rules.form,
             "series": free[0], "last_number": 0},
        )  # fmt: skip
        return free[0]

    def _symbols(self) -> list[str]:
        return list(self.rules.series_of(hanoi_day(self.now).year))
