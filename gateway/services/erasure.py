"""Erasing what is kept of a payer: one person asks, another agrees, and a key is destroyed.

Nothing else is touched: receipts, entries and the log stay as they are, and are verified as before.
What a signed receipt shows by its agency's setting stays on it, as the law wants.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.calendar import day_start, hanoi_day
from gateway.domain.errors import Refusal
from gateway.domain.texts import reason_of
from gateway.ports.vault import Vault
from gateway.services.agencies import PAYER_YEARS, payer_years_default
from gateway.services.payer_cells import is_moved
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx

reason_chars_max: Final = 300
shown_max: Final = 50  # Requests that wait, on one page.
log: Final = logging.getLogger("thuphi.privacy")

# Why a payer's data is still needed; the first that holds is told.
_NEEDED: Final = (
    ("p.state = 'open'", "The payment is open: withdraw it, or wait for its end."),
    ("p.in_doubt", "An attempt is in doubt; wait until it is settled."),
    (
        ("EXISTS (SELECT 1 FROM dispute d WHERE d.agency_id = p.agency_id"
        " AND d.payment_id = p.id AND d.state = 'opened')"
        " OR EXISTS (SELECT 1 FROM dispute d JOIN allocation a ON a.agency_id = d.agency_id"
        " AND a.capture_id = d.capture_id WHERE a.agency_id = p.agency_id"
        " AND a.payment_id = p.id AND d.state = 'opened')"),
        "The payer disputes it with the provider; wait for the end.",
    ),
    (
        ("EXISTS (SELECT 1 FROM refund r WHERE r.agency_id = p.agency_id AND r.payment_id = p.id"
        " AND r.state IN ('requested','approved','sent','in_doubt'))"),
        "A refund is not finished.",
    ),
    (
        ("EXISTS (SELECT 1 FROM event e WHERE e.agency_id = p.agency_id AND e.payment_id = p.id"
        " AND e.type = 'payment.paid' AND e.handled_at IS NULL) OR EXISTS (SELECT 1 FROM receipt r"
        " WHERE r.agency_id = p.agency_id AND r.payment_id = p.id AND r.xml IS NULL)"),
        "A receipt is being made; it takes seconds.",
    ),
    (
        ("EXISTS (SELECT 1 FROM correction c JOIN receipt r ON r.agency_id = c.agency_id"
        " AND r.id = c.receipt_id WHERE c.agency_id = p.agency_id AND r.payment_id = p.id"
        " AND (c.state = 'asked' OR (c.state = 'agreed' AND c.cause <> 'text'"
        " AND c.successor_id IS NULL)))"),
        "A receipt of it is being put right.",
    ),
)  # fmt: skip
_STANDING: Final = text(
    "SELECT p.id, CASE "
    + " ".join(f"WHEN {why} THEN {n}" for n, (why, _) in enumerate(_NEEDED))
    + " END AS needed FROM payment p WHERE p.agency_id = :agency AND p.id = :id"
)
_DESTROY: Final = text(
    "UPDATE payment SET key_sealed = NULL, erased_at = :now WHERE agency_id = :agency AND id = :id"
)
_WAITING: Final = text(
    "SELECT e.*, p.reference, p.dossier_id FROM erasure e JOIN payment p"
    " ON p.agency_id = e.agency_id AND p.id = e.payment_id WHERE e.agency_id = :agency"
    f" AND e.state = 'asked' ORDER BY e.id LIMIT {shown_max}"
)
_OF_DOSSIER: Final = text(
    "SELECT id FROM payment WHERE agency_id = :agency AND dossier_id = :dossier"
    " AND (key_sealed IS NOT NULL OR (payer_sealed IS NOT NULL AND erased_at IS NULL)) ORDER BY id"
)
# Years that are over for longer than their agency keeps payers' data.
_DUE: Final = text(
    "SELECT y.agency_id, y.year, y.key_id FROM year_key y JOIN agency a ON a.id = y.agency_id"
    " WHERE y.key_sealed IS NOT NULL AND y.year"
    " + coalesce((a.settings ->> :setting)::integer, :years) < :this_year ORDER BY 1, 2"
)
# What still needs a year's key, or was never moved to a key of its own. A payment that was asked
# for as the year ended may have the key of the day before.
_HOLDS: Final = text(
    "SELECT count(*) AS n FROM payment p WHERE p.agency_id = :agency AND p.created_at >= :since"
    " AND p.created_at < :upto AND ((substring(p.key_sealed FROM 2 FOR 8) = :key AND ("
    + " OR ".join(f"({why})" for why, _ in _NEEDED)
    + ")) OR (p.key_sealed IS NULL AND p.erased_at IS NULL"
    " AND substring(p.payer_sealed FROM 1 FOR 1) = :master))"
)
_DESTROY_YEAR: Final = text(
    "UPDATE year_key SET key_sealed = NULL, destroyed_at = :now WHERE agency_id = :agency"
    " AND year = :year AND key_sealed IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class Erasure:
    """Asks, decides, and destroys keys."""

    store: Store
    vault: Vault = field(repr=False)

    async def of_dossier(self, agency_id: str, dossier_id: str) -> list[str]:
        """Name the payments of a dossier whose payer something is kept of."""
        async with self.store.begin() as tx:
            found = await tx.rows(_OF_DOSSIER, {"agency": agency_id, "dossier": dossier_id})
        if not found:
            raise Refusal("not-found", "Nothing is kept of a payer of this dossier.")
        return [row["id"] for row in found]

    async def ask(
        self, agency_id: str, payment_ids: Sequence[str], reason: str, actor: str
    ) -> list[str]:
        """Ask to erase the payer of each payment, all of them or none; give the requests' ids."""
        clean, made = reason_of(reason, reason_chars_max), []
        async with self.store.begin() as tx:
            for payment_id in payment_ids:
                await _require_free(tx, agency_id, payment_id)
                row = {
                    "agency_id": agency_id, "id": self.store.clock.new_id("ers"),
                    "payment_id": payment_id, "state": "asked", "reason": clean,
                    "asked_by": actor, "asked_at": self.store.clock.now(),
                }  # fmt: skip
                if not await tx.run(insert(t.erasure).on_conflict_do_nothing(), row):
                    raise Refusal("invalid-request", "The same was asked already; it waits.")
                await tx.note(agency_id, actor, "erasure.ask", payment_id)
                made.append(str(row["id"]))
        return made

    async def decide(self, agency_id: str, erasure_id: str, actor: str, *, agree: bool) -> str:
        """Agree or refuse, as a second person; give the payment's id. Raises Refusal."""
        c = t.erasure.c
        here = (c.agency_id == agency_id) & (c.id == erasure_id)
        async with self.store.begin() as tx:
            row = await tx.row(select(t.erasure).where(here).with_for_update())
            if row is None:
                raise Refusal("not-found", "There is no such request in this agency.")
            if row["asked_by"] == actor:
                raise Refusal("same-person", "Somebody else must decide what you asked for.")
            if row["state"] != "asked":
                raise Refusal("invalid-request", "It is decided already.")
            payment_id, now = str(row["payment_id"]), self.store.clock.now()
            if agree:
                await _erase(tx, agency_id, payment_id, self.vault)
            said = {"state": "agreed" if agree else "refused", "decided_by": actor}
            await tx.run(t.erasure.update().where(here).values(**said, decided_at=now))
            what = "erasure.agree" if agree else "erasure.refuse"
            await tx.note(agency_id, actor, what, payment_id)
        return payment_id

    async def waiting(self, agency_id: str) -> Sequence[Row]:
        """List what waits for a second person."""
        async with self.store.begin() as tx:
            return await tx.rows(_WAITING, {"agency": agency_id})

    async def of_payment(self, agency_id: str, payment_id: str) -> Sequence[Row]:
        """List what was asked about a payment, oldest first."""
        c = t.erasure.c
        async with self.store.begin() as tx:
            return await tx.rows(
                select(t.erasure)
                .where(c.agency_id == agency_id, c.payment_id == payment_id)
                .order_by(c.id)
            )

    async def retire(self) -> str:
        """Destroy the keys of years that no agency keeps any longer; say what was done."""
        now = self.store.clock.now()
        asked = {
            "setting": PAYER_YEARS, "years": payer_years_default, "this_year": hanoi_day(now).year
        }  # fmt: skip
        async with self.store.begin() as tx:
            due = await tx.rows(_DUE, asked)
        done = [year for year in due if await self._retire(year)]
        return f"{len(done)} destroyed, {len(due) - len(done)} held"

    async def _retire(self, due: Row) -> bool:
        agency_id, year = due["agency_id"], due["year"]
        first = hanoi_day(self.store.clock.now()).replace(year=year, month=1, day=1)
        next_year = first.replace(year=year + 1, day=2)
        async with self.store.begin() as tx:
            (holds,) = await tx.rows(_HOLDS, {
                "agency": agency_id, "key": due["key_id"], "master": self.vault.head[:1],
                "since": day_start(first), "upto": day_start(next_year),
            })  # fmt: skip
            if holds["n"]:
                log.warning(
                    "the payers' key of %s for %d is kept: %d payments are not finished, or wait"
                    " for thuphi reseal", agency_id, year, holds["n"],
                )  # fmt: skip
                return False
            values = {"agency": agency_id, "year": year, "now": self.store.clock.now()}
            if await tx.run(_DESTROY_YEAR, values):
                await tx.note(agency_id, "job:retention", "payer_key.destroy", str(year))
        return True


async def _erase(tx: Tx, agency_id: str, payment_id: str, vault: Vault) -> None:
    await tx.payment(agency_id, payment_id, lock=True)
    await _require_free(tx, agency_id, payment_id)
    if not await is_moved(tx, vault, agency_id, payment_id):
        raise Refusal(
            "payer-needed", "It was kept before payers had keys of their own: run thuphi reseal."
        )
    values = {"agency": agency_id, "id": payment_id, "now": tx.clock.now()}
    await tx.run(_DESTROY, values)


async def _require_free(tx: Tx, agency_id: str, payment_id: str) -> None:
    """Refuse to erase what is needed still, or is not there."""
    payment = await tx.payment(agency_id, payment_id)
    if payment is None:
        raise Refusal("not-found", "There is no such payment in this agency.")
    if payment.key_sealed is None and (payment.payer_sealed is None or payment.erased_at):
        said = "It is erased already." if payment.erased_at else "Nothing is kept of its payer."
        raise Refusal("invalid-request", said)
    standing = await tx.row(_STANDING, {"agency": agency_id, "id": payment_id})
    if standing and standing["needed"] is not None:
        raise Refusal("payer-needed", _NEEDED[standing["needed"]][1])
