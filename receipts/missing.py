"""What an agency's database has forgotten: found by comparing it with what is kept outside."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from gateway.domain.calendar import hanoi_day
from gateway.store import tables as t
from gateway.store.tx import Row, Store
from receipts import records
from receipts.outside import ERASED, LOGGED, MARK, NUMBERED, SEALED, YEAR, Outside, Place, Series

look_back: Final = timedelta(days=1)  # Clocks differ, and a transaction lasts a while.
# Leaves come back last: a restore that was cut off is seen by the ones that it did not write.
_NEWEST: Final = text("SELECT max(logged_at) AS at FROM log_leaf WHERE agency_id = :agency")
_LAST: Final = text(
    "SELECT last_number FROM series WHERE agency_id = :agency AND form = :form AND series = :series"
)
_HERE: Final = text(
    "SELECT agency_id, id, payment_id, kind, form, series, number, amount, issued_on, numbered_at,"
    " verify_code, token, salts_sealed, content, replaces_id, xml IS NOT NULL AS is_sealed"
    " FROM receipt WHERE agency_id = :agency AND form = :form AND series = :series"
    " AND number >= :first"
)


@dataclass(slots=True)
class Found:
    """Where the lines stand that may be needed; of two about one thing the last one counts."""

    numbered: dict[tuple[Series, int], Place] = field(default_factory=dict)
    sealed: dict[tuple[Series, int], Place] = field(default_factory=dict)
    leaves: dict[int, Place] = field(default_factory=dict)
    years: dict[int, Place] = field(default_factory=dict)
    erased: list[Place] = field(default_factory=list)
    marks: dict[Series, int] = field(default_factory=dict)  # Of days that are let go.

    def last(self) -> dict[Series, int]:
        """Say how far each series was sealed."""
        far = dict(self.marks)
        for series, number in self.sealed:
            far[series] = max(far.get(series, 0), number)
        return far


@dataclass(frozen=True, slots=True)
class Back:
    """A receipt to write again: its row, and its sealed file if it had one."""

    row: Row
    sealed: Mapping[str, Any] | None
    payment: Mapping[str, Any] = field(default_factory=dict)
    correction: Mapping[str, Any] | None = None
    is_here: bool = False  # Its number is; only the seal is missing.

    @property
    def key(self) -> Row:
        """What its payment had of a key when it was numbered."""
        names = ("id", "key_sealed", "erased_at")
        return records.row_of(t.payment, {name: self.payment[name] for name in names})


@dataclass(frozen=True, slots=True)
class Search:
    """Compares, and writes nothing."""

    store: Store
    outside: Outside

    async def found(self, agency_id: str) -> Found:
        """Find the lines that may be needed: those since the newest leaf that is here."""
        async with self.store.begin() as tx:
            newest = await tx.row(_NEWEST, {"agency": agency_id})
        at: datetime | None = newest["at"] if newest else None
        since = hanoi_day(at - look_back) if at else None

        def read() -> Found:
            found = Found()
            for kind, series, number, place in self.outside.index(agency_id, since):
                if kind == NUMBERED:
                    found.numbered[series, number] = place
                elif kind == SEALED:
                    found.sealed[series, number] = place
                elif kind == LOGGED:
                    found.leaves[number] = place
                elif kind == YEAR:
                    found.years[number] = place
                elif kind == ERASED:
                    found.erased.append(place)
                elif kind == MARK:
                    found.marks[series] = max(found.marks.get(series, 0), number)
            return found

        return await asyncio.to_thread(read)

    async def missing(self, agency_id: str, found: Found) -> list[Back]:
        """Compare series by series; give what is to be written, in the order of its time."""
        missing: list[Back] = []
        for series, given in sorted(found.last().items()):
            first = min((n for s, n in found.sealed if s == series), default=given + 1)
            named = {"agency": agency_id, "form": series[0], "series": series[1]}
            async with self.store.begin() as tx:
                row = await tx.row(_LAST, named)
                here = {r["number"]: r for r in await tx.rows(_HERE, named | {"first": first})}
            last = row["last_number"] if row else 0
            for number in range(min(first, last + 1), given + 1):
                back = self._one(found, series, number, here.get(number), is_given=number <= last)
                if back:
                    missing.append(back)
        return sorted(missing, key=lambda x: (x.row["numbered_at"], x.row["number"]))

    def _one(
        self, found: Found, series: Series, number: int, here: Row | None, *, is_given: bool
    ) -> Back | None:
        seal, frozen = (x.get((series, number)) for x in (found.sealed, found.numbered))
        named = f"{series[0]} {series[1]} {number}"
        said = self.outside.at(seal) if seal else None
        if is_given:
            if said is None:
                return None
            if here is None or here["id"] != said["id"]:
                raise ValueError(f"{named} is another receipt outside than in this database.")
            return None if here["is_sealed"] else Back(here, sealed=said, is_here=True)
        if frozen is None:
            raise ValueError(f"{named} was given out, and is not in {self.outside.folder}: nothing"
                             " is restored before its file is there again.")  # fmt: skip
        body = self.outside.at(frozen)
        row = records.row_of(t.receipt, body["receipt"])
        if said and said["id"] != row["id"]:
            raise ValueError(f"{named} was sealed under another name than it was numbered.")
        return Back(row, said, body["payment"], body["correction"])
