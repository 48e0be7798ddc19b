"""What a bank or the treasury wrote beside a movement: sealed, and opened for one person at a time.

Names of citizens stand in it, and often nothing else says whose the money is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import text

from gateway.ports.vault import Vault
from gateway.store.tx import Row, Store, Tx

shown_max: Final = 20  # Beside one case; more lines of one capture would be an error of ours.
_TEXTS: Final = text(
    "SELECT l.id, l.memo_sealed FROM statement_line l WHERE l.agency_id = :agency"
    " AND l.memo_sealed IS NOT NULL AND (l.id = :line OR l.id IN (SELECT m.line_id"
    " FROM recon_match m WHERE m.agency_id = :agency AND m.capture_id = :capture)"
    " OR l.id IN (SELECT v.source_id FROM evidence v WHERE v.agency_id = :agency"
    f" AND v.capture_id = :capture AND v.source = 'statement')) ORDER BY l.id LIMIT {shown_max}"
)


@dataclass(frozen=True, slots=True)
class BankTexts:
    """The sealed texts of one agency's statement lines."""

    store: Store
    vault: Vault = field(repr=False)

    async def count(self, case: Row, agency_id: str) -> int:
        """Count the texts that belong to a case; opens none."""
        async with self.store.begin() as tx:
            return len(await self._of(tx, case, agency_id))

    async def read(self, case: Row, agency_id: str, actor: str) -> list[str]:
        """Open the texts that belong to a case, and write down who looked."""
        async with self.store.begin() as tx:
            rows = await self._of(tx, case, agency_id)
            for row in rows:
                await tx.note(agency_id, actor, "memo.read", row["id"])
        return [
            self.vault.open(f"statement_line|{r['id']}|memo", bytes(r["memo_sealed"])).decode()
            for r in rows
        ]

    async def _of(self, tx: Tx, case: Row, agency_id: str) -> Sequence[Row]:
        return await tx.rows(
            _TEXTS,
            {"agency": agency_id, "line": case["line_id"], "capture": case["capture_id"]},
        )
