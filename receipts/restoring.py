"""After a backup was restored: receipts that were given out since come back from outside.

What comes back is what was numbered and sealed then, byte for byte, and the same leaves of the log;
a payment that is not there any more is opened again under its old reference, unpaid, so that its
money finds it when a provider or a bank tells of it. Nothing is made up: whatever does not fit
stops the whole agency, and a second run goes on where the first one stopped.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, text

from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.domain.payment import open_payment
from gateway.ports.vault import Vault
from gateway.store import locks
from gateway.store import tables as t
from gateway.store.events import Told, emit_each
from gateway.store.tx import Row, Store, Tx
from gateway.store.views import receipt_view
from receipts import records
from receipts.draft import Secrets
from receipts.keys import Keys
from receipts.log.journal import Journal, RewrittenLogError
from receipts.outside import LOGGED, NUMBERED, SEALED, Outside, Place, Series
from receipts.receipt import Receipt
from receipts.seal import BrokenSealError, fingerprint, open_seal
from receipts.xml import write

look_back: Final = timedelta(days=1)  # Clocks differ, and a transaction lasts a while.
_NEWEST: Final = text("SELECT max(signed_at) AS at FROM receipt WHERE agency_id = :agency")
_LAST: Final = text(
    "SELECT last_number FROM series WHERE agency_id = :agency AND form = :form"
    " AND series = :series FOR UPDATE"
)
_HERE: Final = text(
    "SELECT agency_id, id, payment_id, kind, form, series, number, amount, issued_on, numbered_at,"
    " verify_code, token, salts_sealed, content, replaces_id, xml IS NOT NULL AS is_sealed"
    " FROM receipt WHERE agency_id = :agency AND form = :form AND series = :series"
    " AND number >= :first"
)
_FOLLOWED: Final = text("SELECT 1 FROM refund WHERE agency_id = :agency AND id = :id")
_ADVANCE: Final = text(
    "UPDATE series SET last_number = :last WHERE agency_id = :agency AND form = :form"
    " AND series = :series"
)


@dataclass(slots=True)
class Found:
    """Where the lines stand that may be needed; of two about one thing the last one counts."""

    numbered: dict[tuple[Series, int], Place] = field(default_factory=dict)
    sealed: dict[tuple[Series, int], Place] = field(default_factory=dict)
    leaves: dict[int, Place] = field(default_factory=dict)

    def last(self) -> dict[Series, int]:
        """Say how far each series was sealed."""
        far: dict[Series, int] = {}
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
        found = await self._found(agency_id)
        try:
            missing = await self._missing(agency_id, found)
            trusted = await self.keys.trusted(agency_id)
            await asyncio.to_thread(self._require_whole, missing, trusted)
            payments = await self._reopen(agency_id, missing)
            await self._write(agency_id, missing, actor)
            leaves = await self._log(agency_id, found)
        except (ValueError, RewrittenLogError) as error:
            raise Refusal("file-refused", str(error)) from None
        fresh = [x for x in missing if not x.is_here]
        seals = sum(x.sealed is not None for x in missing)
        return Restored(len(fresh), seals, payments, leaves)

    async def _found(self, agency_id: str) -> Found:
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
            return found

        return await asyncio.to_thread(read)

    async def _missing(self, agency_id: str, found: Found) -> list[Back]:
        """Compare series by series; give what is to be written, in the order of its time."""
        missing: list[Back] = []
        for series, given in sorted(found.last().items()):
            first = min(n for s, n in found.sealed if s == series)
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

    def _require_whole(self, missing: list[Back], trusted: frozenset[str]) -> None:
        """See that each sealed file is the one that its row stands for, and by our own signer."""
        for back in missing:
            if back.sealed is None:
                continue
            row = back.row
            named = f"{row['form']} {row['series']} {row['number']}"
            plain = self.vault.open(f"receipt|{row['id']}|salts", row["salts_sealed"])
            receipt = Receipt.of(row["content"], Secrets.of(plain).payer_name)
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

    async def _reopen(self, agency_id: str, missing: list[Back]) -> int:
        """Open payments again that are not there, each as it was asked for."""
        said = {x.payment["id"]: x.payment for x in missing if not x.is_here}
        c = t.payment.c
        done = 0
        for payment_id in sorted(said):
            payment = records.unpaid(said[payment_id])
            async with self.store.begin() as tx:
                here = select(c.id).where(c.agency_id == agency_id, c.id == payment_id)
                if await tx.row(here) is None:
                    await tx.record([open_payment(payment)])
                    done += 1
        return done

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
        return done


def _named(agency_id: str, series: Series) -> dict[str, Any]:
    return {"agency": agency_id, "form": series[0], "series": series[1]}


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
