"""The keys of what is kept of payers: one for each payment, sealed by one for each agency's year.

The master key seals the year's key alone. Whoever destroys a payment's key, or a year's, makes
what they sealed say nothing for ever, to whoever holds the master key too. What was sealed before
payments had keys is still read, and moved by ``reseal``.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.calendar import hanoi_day
from gateway.ports.vault import Cells, Vault
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx

key_bytes: Final = 32
# A sealed key says which year's key sealed it, from its second byte on.
_KEYS: Final = text(
    "SELECT p.id, p.created_at, p.key_sealed, p.erased_at, y.year, y.key_sealed AS year_sealed"
    " FROM payment p LEFT JOIN year_key y ON y.agency_id = p.agency_id"
    " AND y.key_id = substring(p.key_sealed FROM 2 FOR 8)"
    " WHERE p.agency_id = :agency AND p.id = ANY(:ids)"
)
_KEEP: Final = text(
    "UPDATE payment SET key_sealed = :key, erased_at = coalesce(erased_at, :erased)"
    " WHERE agency_id = :agency AND id = :payment"
)


@dataclass(frozen=True, slots=True)
class PayerCells:
    """What opens and seals one payment's cells."""

    vault: Vault = field(repr=False)
    own: Cells | None = field(repr=False)
    is_erased: bool

    def open(self, place: str, sealed: bytes) -> bytes | None:
        """Decrypt; None when the key was destroyed. ValueError as a vault's."""
        if is_by_master(self.vault, sealed):
            return self.vault.open(place, sealed)
        if self.is_erased and not (self.own and sealed.startswith(self.own.head)):
            return None
        if self.own is None:
            raise ValueError("This cell's key is not there.")
        return self.own.open(place, sealed)

    def seal(self, place: str, plain: bytes) -> bytes:
        """Encrypt; a payment of before there were keys has none until ``reseal`` gives it one."""
        return (self.own or self.vault).seal(place, plain)


@dataclass(frozen=True, slots=True)
class PayerKeys:
    """Makes keys, and finds them."""

    vault: Vault = field(repr=False)
    # Of each agency the year that it opens payments in: no look at the database for each of them.
    _latest: dict[str, tuple[int, Cells]] = field(default_factory=dict, repr=False)

    async def of_year(self, store: Store, agency_id: str, at: datetime) -> Cells:
        """Give the key of the present year, which this process keeps; ask before a transaction."""
        year = hanoi_day(at).year
        known = self._latest.get(agency_id)
        if known is None or known[0] != year:
            async with store.begin() as tx:
                made = await _year(tx, self.vault, agency_id, year)
            if made is None:
                raise LookupError(f"The key of {agency_id} for {year} was destroyed.")
            known = self._latest[agency_id] = (year, made)
        return known[1]

    def fresh(self, year: Cells, payment_id: str) -> tuple[Cells, bytes]:
        """Give a payment a key: what seals with it, and the key sealed by its year's."""
        raw = secrets.token_bytes(key_bytes)
        return self.vault.under(raw), year.seal(_place(payment_id), raw)

    async def of(self, tx: Tx, agency_id: str, payment_ids: Iterable[str]) -> dict[str, PayerCells]:
        """Give what opens the cells of some payments of one agency."""
        rows = await tx.rows(_KEYS, {"agency": agency_id, "ids": list(payment_ids)})
        years: dict[int, Cells] = {}  # Opened once for all of them.
        return {row["id"]: self._cells(agency_id, row, years) for row in rows}

    def given(self, agency_id: str, payment: Row, year: Row | None) -> PayerCells:
        """Give what opens a payment's cells, from rows that are not in this database."""
        named = {"year": year and year["year"], "year_sealed": year and year["key_sealed"]}
        return self._cells(agency_id, {**payment, **named}, {})

    async def to_seal(self, tx: Tx, agency_id: str, payment_id: str) -> PayerCells:
        """Give what seals something new of a payer, where the payment is locked already.

        A payment that has no key gets one: nothing was known of its payer, or it was erased.
        """
        (row,) = await tx.rows(_KEYS, {"agency": agency_id, "ids": [payment_id]})
        cells = self._cells(agency_id, row, {})
        if cells.own is not None:
            return cells
        now = tx.clock.now()
        for at in (row["created_at"], now):  # The present year's where its own is over.
            year = await _year(tx, self.vault, agency_id, hanoi_day(at).year)
            if year is not None:
                break
        else:
            raise LookupError(f"The key of {agency_id} for this year was destroyed.")
        own, sealed = self.fresh(year, payment_id)
        erased = now if cells.is_erased else None  # With its year, so that no row says it.
        values = {"agency": agency_id, "payment": payment_id, "key": sealed, "erased": erased}
        await tx.run(_KEEP, values)
        return PayerCells(self.vault, own, cells.is_erased)

    def _cells(self, agency_id: str, row: Row, years: dict[int, Cells]) -> PayerCells:
        if row["key_sealed"] is None or row["year"] is None:
            return PayerCells(self.vault, None, row["erased_at"] is not None)
        if row["year_sealed"] is None:
            return PayerCells(self.vault, None, is_erased=True)
        if row["year"] not in years:
            years[row["year"]] = _opened(self.vault, agency_id, row["year"], row["year_sealed"])
        raw = years[row["year"]].open(_place(row["id"]), bytes(row["key_sealed"]))
        return PayerCells(self.vault, self.vault.under(raw), row["erased_at"] is not None)


def is_by_master(vault: Vault, sealed: bytes) -> bool:
    """Tell whether a master key sealed a cell itself, the present one or an older."""
    return sealed[:1] == vault.head[:1]


def year_place(row: Mapping[str, object]) -> str:
    """Say where a year's key is kept."""
    return f"year_key|{row['agency_id']}/{row['year']}|key"


def _place(payment_id: str) -> str:
    return f"payment|{payment_id}|key"


def _opened(vault: Vault, agency_id: str, year: int, sealed: bytes) -> Cells:
    place = year_place({"agency_id": agency_id, "year": year})
    return vault.under(vault.open(place, bytes(sealed)))


async def _year(tx: Tx, vault: Vault, agency_id: str, year: int) -> Cells | None:
    """Give an agency's key of a year, made now if there is none; None once it was destroyed."""
    c = t.year_key.c
    wanted = select(c.key_sealed).where(c.agency_id == agency_id, c.year == year)
    row = await tx.row(wanted)
    if row is None:
        raw = secrets.token_bytes(key_bytes)
        made = {"agency_id": agency_id, "year": year}
        fresh = made | {
            "key_id": vault.under(raw).head[1:], "key_sealed": vault.seal(year_place(made), raw),
            "created_at": tx.clock.now(),
        }  # fmt: skip
        await tx.run(insert(t.year_key).on_conflict_do_nothing(), fresh)
        row = await tx.row(wanted)  # A twin's, if it came first.
    if row is None or row["key_sealed"] is None:
        return None
    return _opened(vault, agency_id, year, row["key_sealed"])
