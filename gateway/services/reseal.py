"""Re-encryption: every sealed cell under the present master key, in small steps that may be cut.

A cell says which key sealed it, so a run that was killed goes on where it was, and a second run
finds nothing to do. What is kept of payers goes to the payments' own keys, and stays there: of
those a new master key seals the years' keys alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from gateway.ports.vault import Vault
from gateway.services.payer_cells import COLUMNS, held, move
from gateway.services.payer_keys import PayerKeys, year_place
from gateway.store.tx import Row, Store

batch: Final = 200  # Cells in one transaction: a kill costs at most so much work.


@dataclass(frozen=True, slots=True)
class Cell:
    """One sealed column: its table, the columns that name a row, and the place it is bound to."""

    table: str
    column: str
    key: tuple[str, ...]
    place: Callable[[Row], str]
    only: str = "true"


def _by_id(table: str, column: str, what: str, *key: str, only: str = "true") -> Cell:
    key = key or ("agency_id", "id")
    return Cell(table, column, key, lambda r: f"{table}|{r['id']}|{what}", only)


def _account(column: str, what: str) -> Cell:
    return Cell(
        "provider_account", column, ("provider", "name"),
        lambda r: f"provider_account|{r['provider']}/{r['name']}|{what}",
    )  # fmt: skip


CELLS: Final = (
    _by_id("notice", "sealed", "raw", "id", "received_at"),
    Cell("year_key", "key_sealed", ("agency_id", "year"), year_place),
    _by_id("endpoint", "secret_sealed", "secret"),
    _by_id("endpoint", "signing_key_sealed", "key"),
    _by_id("signing_key", "key_sealed", "key"),
    _by_id("receipt_mail", "to_sealed", "to"),
    Cell("channel", "values_sealed", ("agency_id",), lambda r: f"channel|{r['agency_id']}|values"),
    Cell(
        "receipt_log", "key_sealed", ("agency_id",), lambda r: f"receipt_log|{r['agency_id']}|key"
    ),
    _by_id("statement_file", "content_sealed", "content"),
    _by_id("statement_line", "memo_sealed", "memo"),
    _by_id("source", "secret_sealed", "secret"),
    _by_id("case_file", "content_sealed", "content"),
    _by_id("refund", "payee_sealed", "payee", only="payment_id IS NULL"),
    _account("sealed", "values"),
    _account("former_sealed", "former"),
)


@dataclass(frozen=True, slots=True)
class Reseal:
    """Moves cells from older keys to the present one."""

    store: Store
    vault: Vault

    async def run(self) -> dict[str, int]:
        """Do all that is left; gives how many cells of each column were moved."""
        moved: dict[str, int] = {}
        for cell in CELLS:
            done = 0
            while step := await self._step(cell):
                done += step
            if done:
                moved[f"{cell.table}.{cell.column}"] = done
        while step := await self._payers():
            moved["payers"] = moved.get("payers", 0) + step
        return moved

    async def left(self) -> int:
        """Count the cells that an older key still seals."""
        total = 0
        async with self.store.begin() as tx:
            for cell in CELLS:
                row = await tx.row(
                    text(f"SELECT count(*) AS n FROM {cell.table} WHERE {_old(cell)}"),
                    {"head": self.vault.head},
                )
                total += row["n"] if row else 0
            for column in COLUMNS:
                row = await tx.row(text(f"SELECT count(*) AS n {column.by_master}"), self._head)
                total += row["n"] if row else 0
        return total

    @property
    def _head(self) -> dict[str, object]:
        return {"kind": self.vault.head[:1]}

    async def _payers(self) -> int:
        """Move the cells of some payments to keys of their own; count the cells."""
        async with self.store.begin() as tx:
            for column in COLUMNS:
                found = await tx.rows(
                    text(f"SELECT DISTINCT {column.owner} AS payment_id, x.agency_id"
                         f" {column.by_master} ORDER BY 2, 1 LIMIT {batch}"),
                    self._head,
                )  # fmt: skip
                if found:
                    break
            else:
                return 0
            agency_id = found[0]["agency_id"]
            ids = [r["payment_id"] for r in found if r["agency_id"] == agency_id]
            cells = await held(tx, agency_id, ids)
            keys = PayerKeys(self.vault)
            own = {i: await keys.to_seal(tx, agency_id, i) for i in ids}
            return await move(tx, self.vault, cells, own)

    async def _step(self, cell: Cell) -> int:
        keys = ", ".join(cell.key)
        same = " AND ".join(f"{k} = :{k}" for k in cell.key)
        async with self.store.begin() as tx:
            rows = await tx.rows(
                text(
                    f"SELECT {keys}, {cell.column} AS sealed FROM {cell.table} WHERE {_old(cell)}"
                    f" LIMIT {batch} FOR UPDATE SKIP LOCKED"
                ),
                {"head": self.vault.head},
            )
            for row in rows:
                place = cell.place(row)
                fresh = self.vault.seal(place, self.vault.open(place, bytes(row["sealed"])))
                await tx.run(
                    text(f"UPDATE {cell.table} SET {cell.column} = :fresh WHERE {same}"),
                    {k: row[k] for k in cell.key} | {"fresh": fresh},
                )
        return len(rows)


def _old(cell: Cell) -> str:
    return (
        f"{cell.only} AND {cell.column} IS NOT NULL"
        f" AND substring({cell.column} FROM 1 FOR length(CAST(:head AS bytea)))"
        " <> CAST(:head AS bytea)"
    )
