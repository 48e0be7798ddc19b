"""After a backup was restored: receipts that were given out since come back from outside.

What comes back is what was numbered and sealed then, byte for byte, and the same leaves of the log;
a payment that is not there any more is opened again under its old reference, unpaid, so that its
money finds it when a provider or a bank tells of it. Nothing is made up: whatever does not fit
stops the whole agency, and a second run goes on where the first one stopped.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.errors import Refusal
from gateway.domain.payment import open_payment
from gateway.ports.vault import Vault
from gateway.services.payer_keys import PayerCells, PayerKeys
from gateway.store import locks
from gateway.store import tables as t
from gateway.store.events import Told, emit_each
from gateway.store.tx import Row, Store, Tx
from gateway.store.views import receipt_view
from receipts import records
from receipts.draft import secrets_of
from receipts.keys import Keys
from receipts.log.journal import Journal, RewrittenLogError
from receipts.missing import Back, Found, Search
from receipts.outside import Outside, Series
from receipts.receipt import Receipt
from receipts.seal import BrokenSealError, fingerprint, open_seal
from receipts.xml import write

_LAST: Final = text(
    "SELECT last_number FROM series WHERE agency_id = :agency AND form = :form"
    " AND series = :series FOR UPDATE"
)
_FOLLOWED: Final = text("SELECT 1 FROM refund WHERE agency_id = :agency AND id = :id")
_ADVANCE: Final = text(
    "UPDATE series SET last_number = :last WHERE agency_id = :agency AND form = :form"
    " AND series = :series"
)
# What the payment had of a key when a receipt of it was numbered, if it had or had lost one.
_KEYED: Final = text(
    "UPDATE payment SET key_sealed = x.key, erased_at = greatest(erased_at, x.erased)"
    " FROM (SELECT CAST(:key AS bytea) AS key, CAST(:erased AS timestamptz) AS erased) x"
    " WHERE agency_id = :agency AND id = :id AND (x.key IS NOT NULL OR x.erased IS NOT NULL)"
    " AND (key_sealed IS DISTINCT FROM x.key OR erased_at IS DISTINCT FROM x.erased)"
)
# A key that the payment was given after it was erased knows of that, and stays.
_ERASED_AGAIN: Final = text(
    "UPDATE payment SET key_sealed = NULL, erased_at = :at WHERE agency_id = :agency"
    " AND id = :payment AND (erased_at IS NULL OR erased_at < :at)"
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back."""

    receipts: int
    seals: int
    payments: int
    leaves: int


@dataclass(frozen=True, slots=True)
class Restoring:
    """Takes receipts in from outside."""

    store: Store
    vault: Vault
    keys: Keys
    journal: Journal
    outside: Outside

    async def run(self, agency_id: str, actor: str) -> Restored:
        """Bring back what an agency's database has forgotten. Raises Refusal, and nothing is done.

        The leaves come last, and by batches: the log is then what it was when it was signed last.
        """
        search = Search(self.store, self.outside)
        found = await search.found(agency_id)
        try:
            missing = await search.missing(agency_id, found)
            trusted = await self.keys.trusted(agency_id)
            years = await self._years(agency_id, found)
            cells = await self._cells(agency_id, missing, years)
            await asyncio.to_thread(_require_whole, missing, cells, trusted)
            payments = await self._reopen(agency_id, missing, years)
            await self._write(agency_id, missing, actor)
            await self._erase(agency_id, found)
            leaves = await self._log(agency_id, found)
        except (ValueError, RewrittenLogError) as error:
            raise Refusal("file-refused", str(error)) from None
        fresh = [x for x in missing if not x.is_here]
        seals = sum(x.sealed is not None for x in missing)
        return Restored(len(fresh), seals, payments, leaves)

    async def _years(self, agency_id: str, found: Found) -> dict[bytes, Row]:
        """Give the years' keys by their names: those that are here, and those that are outside."""
        async with self.store.begin() as tx:
            here = await tx.rows(select(t.year_key).where(t.year_key.c.agency_id == agency_id))
        years = {bytes(row["key_id"]): row for row in here}
        numbers = {row["year"] for row in here}
        for place in found.years.values():
            row = records.row_of(t.year_key, self.outside.at(place))
            if row["key_id"] not in years and row["year"] in numbers:
                raise ValueError(
                    f"Payments were asked for in {row['year']} before this was restored, and have"
                    " a key that those of before cannot have too: restore the backup again, and"
                    " start nothing before this command."
                )
            years.setdefault(row["key_id"], row)
        return years

    async def _cells(
        self, agency_id: str, missing: list[Back], years: Mapping[bytes, Row]
    ) -> dict[str, PayerCells]:
        """Give what opens the secrets of what is missing, by receipt.

        A payment that was erased between two receipts of it had another key for each.
        """
        keys = PayerKeys(self.vault)
        async with self.store.begin() as tx:
            payments = [x.row["payment_id"] for x in missing if x.is_here]
            here = await keys.of(tx, agency_id, payments)
        cells: dict[str, PayerCells] = {}
        for back in missing:
            if back.is_here:
                cells[back.row["id"]] = here[back.row["payment_id"]]
            else:
                key = back.key
                year = years.get(key["key_sealed"][1:9]) if key["key_sealed"] else None
                cells[back.row["id"]] = keys.given(agency_id, key, year)
        return cells

    async def _reopen(self, agency_id: str, missing: list[Back], years: Mapping[bytes, Row]) -> int:
        """Open payments again that are not there, each as it was, with its payer's key."""
        said = {x.payment["id"]: x for x in missing if not x.is_here}
        async with self.store.begin() as tx:
            for _, year in sorted(years.items()):
                await tx.run(insert(t.year_key).on_conflict_do_nothing(), dict(year))
        c = t.payment.c
        done = 0
        for payment_id, back in sorted(said.items()):
            async with self.store.begin() as tx:
                here = select(c.id).where(c.agency_id == agency_id, c.id == payment_id)
                if await tx.row(here) is None:
                    await tx.record([open_payment(records.unpaid(back.payment))])
                    done += 1
                values = {"agency": agency_id, "id": payment_id, "key": back.key["key_sealed"]}
                await tx.run(_KEYED, values | {"erased": back.key["erased_at"]})
        return done

    async def _erase(self, agency_id: str, found: Found) -> None:
        """Destroy again the keys of payers who were erased since the backup."""
        for place in found.erased:
            row = records.row_of(t.erasure, self.outside.at(place))
            named = {"agency": agency_id, "payment": row["payment_id"], "at": row["decided_at"]}
            async with self.store.begin() as tx:
                if await tx.payment(agency_id, row["payment_id"], lock=True) is None:
                    continue  # Neither in the backup nor receipted.
                await tx.run(_ERASED_AGAIN, named)
                kept = row | {"outside_at": row["decided_at"]}
                await tx.run(
                    insert(t.erasure).on_conflict_do_update(
                        index_elements=["agency_id", "id"], set_=kept
                    ),
                    kept,
                )

    async def _write(self, agency_id: str, missing: list[Back], actor: str) -> None:
        """Write all rows in one transaction: the agency is whole again, or as it was."""
        if not missing:
            return
        fresh = [back for back in missing if not back.is_here]
        branches = {(x.row["form"], x.row["series"]): x.payment["branch_id"] for x in fresh}
        last: dict[Series, int] = {}
        async with self.store.begin() as tx:
            await tx.run(locks.SERIES, {"agency": agency_id})
            for series, branch_id in sorted(branches.items()):
                await _open_series(tx, agency_id, series, branch_id)
            for back in missing:
                row = back.row
                if not back.is_here:
                    await tx.run(t.receipt.insert(), dict(row))
                    last[row["form"], row["series"]] = row["number"]
                if back.sealed:
                    await self._seal(tx, row, back.sealed)
                if back.correction:
                    await _agree(tx, records.row_of(t.correction, back.correction))
            for series, number in sorted(last.items()):
                await tx.run(_ADVANCE, _named(agency_id, series) | {"last": number})
            told = [self._told(back.row) for back in missing if back.sealed]
            await emit_each(tx, agency_id, told)
            await tx.note(agency_id, actor, "receipts.restore", f"{len(missing)} receipts")

    async def _seal(self, tx: Tx, row: Row, said: Mapping[str, Any]) -> None:
        c, at = t.receipt.c, datetime.fromisoformat(said["at"])
        await tx.run(
            t.receipt.update()
            .where(c.agency_id == row["agency_id"], c.id == row["id"])
            .values(xml=said["xml"].encode(), signed_at=at,
                    proof_due_at=at if said["is_proved"] else None)
        )  # fmt: skip

    def _told(self, row: Row) -> Told:
        """Say it again to the client: whether it heard it before, nobody knows here."""
        data = receipt_view(row, self.store.public_url) | {"payment_id": row["payment_id"]}
        return row["payment_id"], "receipt.issued", data

    async def _log(self, agency_id: str, found: Found) -> int:
        """Let the log grow as it grew then, batch by batch."""
        size, done = await self.journal.size(agency_id), 0
        while (place := found.leaves.get(size + done)) is not None:
            done += await self.journal.take_back(agency_id, self.outside.at(place))
        beyond = [index for index in found.leaves if index > size + done]
        if beyond:
            raise ValueError(
                f"The log of {agency_id} was signed with {min(beyond)} leaves, and those from"
                f" {size + done} on are not in {self.outside.folder}: put its files there again."
            )
        return done


def _named(agency_id: str, series: Series) -> dict[str, Any]:
    return {"agency": agency_id, "form": series[0], "series": series[1]}


def _require_whole(
    missing: list[Back], cells: Mapping[str, PayerCells], trusted: frozenset[str]
) -> None:
    """See that each sealed file is the one that its row stands for, and by our own signer."""
    for back in missing:
        if back.sealed is None:
            continue
        row = back.row
        named = f"{row['form']} {row['series']} {row['number']}"
        known = secrets_of(row, cells[row["id"]])
        receipt = Receipt.of(row["content"], known.payer_name)
        try:
            document, certificate = open_seal(back.sealed["xml"].encode())
        except BrokenSealError as error:
            raise ValueError(f"{named}: {error}") from None
        if document != write(receipt):
            raise ValueError(f"{named}: its file says something else than its row.")
        if fingerprint(certificate) not in trusted:
            raise ValueError(
                f"{named} was signed with a certificate that this database does not know: give"
                " it again with thuphi agency certificate, then restore."
            )


async def _open_series(tx: Tx, agency_id: str, series: Series, branch_id: str) -> None:
    if await tx.row(_LAST, _named(agency_id, series)) is None:
        await tx.run(
            t.series.insert(),
            {"agency_id": agency_id, "branch_id": branch_id, "form": series[0],
             "series": series[1], "last_number": 0},
        )  # fmt: skip


async def _agree(tx: Tx, row: dict[str, Any]) -> None:
    """Write what was agreed to; without its refund, which is not here either, nobody asks again."""
    refund = {"agency": row["agency_id"], "id": row["refund_id"]}
    if row["refund_id"] and await tx.row(_FOLLOWED, refund) is None:
        return
    c = t.correction.c
    here = (c.agency_id == row["agency_id"]) & (c.id == row["id"])
    if await tx.row(select(c.id).where(here)):
        await tx.run(t.correction.update().where(here).values(row))
    else:
        await tx.run(t.correction.insert(), row)
