"""Where something is kept of a payer, each cell under the key of its payment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import text

from gateway.ports.vault import Cells, Vault
from gateway.services.payer_keys import PayerCells, is_by_master
from gateway.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Column:
    """A sealed column: how its rows are found from a payment, and what its places are called."""

    table: str
    column: str
    what: str
    owner: str = "x.payment_id"
    join: str = ""

    @property
    def by_master(self) -> str:
        """Find what a master key still seals itself."""
        return (
            f"FROM {self.table} x{self.join} WHERE {self.owner} IS NOT NULL"
            f" AND substring(x.{self.column} FROM 1 FOR 1) = CAST(:kind AS bytea)"
        )


# In the order in which their rows are locked (store/locks.py).
COLUMNS: Final = (
    Column("refund", "payee_sealed", "payee"),
    Column("receipt", "salts_sealed", "salts"),
    Column("payment", "payer_sealed", "payer", "x.id"),
    Column(
        "correction", "text_sealed", "text", "r.payment_id",
        " JOIN receipt r ON r.agency_id = x.agency_id AND r.id = x.receipt_id",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """One sealed cell of a payment."""

    of: Column
    agency_id: str
    id: str
    payment_id: str
    sealed: bytes | None = field(repr=False)

    @property
    def place(self) -> str:
        """Say what it is bound to."""
        return f"{self.of.table}|{self.id}|{self.of.what}"


async def held(tx: Tx, agency_id: str, payment_ids: Sequence[str]) -> list[Cell]:
    """Lock some payments with all that is kept of their payers, and give the cells."""
    found = []
    for column in COLUMNS:
        rows = await tx.rows(
            text(f"SELECT x.id, {column.owner} AS payment_id, x.{column.column} AS sealed"
                 f" FROM {column.table} x{column.join} WHERE x.agency_id = :agency"
                 f" AND {column.owner} = ANY(:ids) ORDER BY x.id FOR NO KEY UPDATE OF x"),
            {"agency": agency_id, "ids": list(payment_ids)},
        )  # fmt: skip
        found += [
            Cell(column, agency_id, row["id"], row["payment_id"],
                 bytes(row["sealed"]) if row["sealed"] is not None else None)
            for row in rows
        ]  # fmt: skip
    return found


async def is_moved(tx: Tx, vault: Vault, agency_id: str, payment_id: str) -> bool:
    """Tell whether no master key seals anything of a payment's payer itself."""
    asked = {"kind": vault.head[:1], "agency": agency_id, "payment": payment_id}
    for column in COLUMNS:
        mine = f"{column.by_master} AND x.agency_id = :agency AND {column.owner} = :payment"
        if await tx.rows(text(f"SELECT 1 {mine} LIMIT 1"), asked):
            return False
    return True


async def move(
    tx: Tx, vault: Vault, cells: Sequence[Cell], to: Mapping[str, Cells | PayerCells]
) -> int:
    """Seal what a master key seals itself by another key, by payment; count the cells."""
    done = 0
    for cell in cells:
        if cell.sealed is None or not is_by_master(vault, cell.sealed):
            continue
        fresh = to[cell.payment_id].seal(cell.place, vault.open(cell.place, cell.sealed))
        await tx.run(
            text(f"UPDATE {cell.of.table} SET {cell.of.column} = :fresh"
                 " WHERE agency_id = :agency AND id = :id"),
            {"fresh": fresh, "agency": cell.agency_id, "id": cell.id},
        )  # fmt: skip
        done += 1
    return done
