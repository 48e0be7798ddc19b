"""Tells the tax authority of each day's receipts, on that day, and knows how long there is for it.

A day is told in parts, as it goes on: what is sealed is put into a sealed message (``summary``)
once an hour, and at once when the day is nearly over. Each receipt is in one message, which a
column of its row keeps. A message is on disk before it is sent; its id makes a repeat harmless.
"""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, text

from gateway.domain.calendar import day_end, hanoi_day
from gateway.domain.errors import DeclinedError, InDoubtError, Refusal
from gateway.ports.vault import Vault
from gateway.ports.wire import Wire
from gateway.services.lanes import Lanes
from gateway.services.working_calendar import vietnam
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from receipts.channels import KINDS
from receipts.channels.parcel import Answer, Channel, Parcel, Said
from receipts.keys import Keys
from receipts.rules import rules_on
from receipts.summary import (
    FORMS,
    NOTICE,
    SUMMARY,
    TAIL,
    Message,
    Sender,
    mistake_of,
    write_notice,
    write_summary,
)
from receipts.xml import read_sealed

every: Final = timedelta(hours=1)  # Between the parts of a day.
hurry: Final = timedelta(minutes=30)  # Before its end: then each run makes a part.
receipts_max: Final = 1_000  # In one message: half a megabyte.
lease: Final = timedelta(minutes=10)  # Longer than a thousand calls to one provider may take.
pause_s: Final = 30
pause_s_max: Final = 1_800
log: Final = logging.getLogger("thuphi.receipts")

_AGENCIES: Final = text(
    "SELECT a.id FROM agency a JOIN channel c ON c.agency_id = a.id ORDER BY a.id"
)
_WAITING: Final = text(
    "SELECT r.issued_on, (SELECT max(made_at) FROM transmission x WHERE x.agency_id = :agency"
    " AND x.kind = 'summary' AND x.told_on = r.issued_on) AS last FROM receipt r"
    " WHERE r.agency_id = :agency AND r.transmission_id IS NULL AND r.xml IS NOT NULL"
    " GROUP BY r.issued_on ORDER BY r.issued_on"
)
_TAKE: Final = text(
    "SELECT id, xml, amount FROM receipt WHERE agency_id = :agency AND issued_on = :on"
    " AND transmission_id IS NULL AND xml IS NOT NULL ORDER BY form, series, number LIMIT :most"
    " FOR NO KEY UPDATE SKIP LOCKED"
)
_MISTAKES: Final = text(
    "SELECT c.id, c.said, c.reason, r.form, r.series, r.number, r.issued_on FROM correction c"
    " JOIN receipt r ON r.agency_id = c.agency_id AND r.id = c.receipt_id"
    " WHERE c.agency_id = :agency AND c.state = 'agreed' AND c.cause = 'text'"
    " AND c.transmission_id IS NULL ORDER BY c.decided_at, c.id LIMIT :most"
    " FOR NO KEY UPDATE OF c SKIP LOCKED"
)
_PART: Final = text(
    "SELECT coalesce(max(part), 0) + 1 AS part FROM transmission WHERE agency_id = :agency"
    " AND kind = :kind AND told_on = :on"
)
_DUE: Final = text("SELECT DISTINCT agency_id FROM transmission WHERE ask_at <= :now")
_CLAIM: Final = text(
    "UPDATE transmission SET ask_at = :until, tries = tries + 1, state = 'in_doubt'"
    " WHERE (agency_id, id) = (SELECT agency_id, id FROM transmission WHERE agency_id = :agency"
    " AND ask_at <= :now ORDER BY ask_at, told_on, part LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *"
)
_BREAK: Final = text(
    "INSERT INTO outage (agency_id, id, began_at) VALUES (:agency, :id, :now)"
    " ON CONFLICT DO NOTHING"
)
_REPAIR: Final = text(
    "UPDATE outage SET ended_at = :now WHERE agency_id = :agency AND ended_at IS NULL"
    " RETURNING began_at"
)
# What it held up is due later; what was late before it stays late.
_EXTEND: Final = text(
    "UPDATE transmission SET due_at = greatest(due_at, :due) WHERE agency_id = :agency"
    " AND state <> 'accepted' AND due_at >= :began"
)


@dataclass(frozen=True, slots=True)
class Transmission:
    """Makes messages and sends them."""

    store: Store
    vault: Vault
    keys: Keys
    wire_to: Callable[[str], Wire]  # The way to one address, and to nothing else of ours.

    async def run(self) -> int:
        """Make what is due, then send what waits; count what was sent."""
        async with self.store.begin() as tx:
            agencies = [r["id"] for r in await tx.rows(_AGENCIES)]
        for agency_id in agencies:
            try:
                await self._make(agency_id)
            except Exception:  # One agency's key must not silence the others.
                log.exception("receipts: messages to the tax authority could not be made")
        lanes: Lanes[str, Row] = Lanes("send receipts", self._due, self._claim, self._send)
        return await lanes.run()

    async def _make(self, agency_id: str) -> None:
        now = self.store.clock.now()
        async with self.store.begin() as tx:
            waiting = await tx.rows(_WAITING, {"agency": agency_id})
        for row in waiting:
            on: date = row["issued_on"]
            rules = rules_on(on)
            is_time = row["last"] is None or now - row["last"] >= every
            if rules.repair_working_days is not None and (is_time or now >= day_end(on) - hurry):
                while await self._summary(agency_id, on):
                    pass
        await self._notice(agency_id)

    async def _summary(self, agency_id: str, on: date) -> bool:
        async with self.store.begin() as tx:
            asked = {"agency": agency_id, "on": on, "most": receipts_max}
            rows = await tx.rows(_TAKE, asked)
            if not rows:
                return False
            receipts = [read_sealed(bytes(r["xml"])) for r in rows]
            message, sender = await self._head(tx, agency_id, SUMMARY, on)
            document = write_summary(message, sender, receipts)
            total = sum(r["amount"] for r in rows)
            await self._keep(tx, agency_id, message, document, len(rows), total, day_end(on))
            c = t.receipt.c
            await tx.run(
                t.receipt.update()
                .where(c.agency_id == agency_id, c.id.in_([r["id"] for r in rows]))
                .values(transmission_id=message.id)
            )
        return len(rows) == receipts_max

    async def _notice(self, agency_id: str) -> None:
        on = hanoi_day(self.store.clock.now())
        async with self.store.begin() as tx:
            rows = await tx.rows(_MISTAKES, {"agency": agency_id, "most": receipts_max})
            if not rows:
                return
            message, sender = await self._head(tx, agency_id, NOTICE, on)
            document = write_notice(message, sender, [mistake_of(r) for r in rows])
            await self._keep(tx, agency_id, message, document, len(rows), 0, day_end(on))
            c = t.correction.c
            await tx.run(
                t.correction.update()
                .where(c.agency_id == agency_id, c.id.in_([r["id"] for r in rows]))
                .values(transmission_id=message.id)
            )

    async def _head(self, tx: Tx, agency_id: str, kind: str, on: date) -> tuple[Message, Sender]:
        """Give the next part its number, under the lock of the agency's row."""
        agency = await tx.row(
            select(t.agency).where(t.agency.c.id == agency_id).with_for_update(key_share=True)
        )
        part = await tx.row(_PART, {"agency": agency_id, "kind": kind, "on": on})
        if agency is None or part is None:
            raise LookupError(agency_id)
        signer = await self.keys.current(agency_id)
        now = self.store.clock.now()
        signer.require_in_force(now)
        message = Message(self.store.clock.new_id("trm"), kind, on, part["part"], now)
        return message, Sender(
            agency["name"], agency["tax_code"], signer.fingerprint, agency["is_sandbox"]
        )

    async def _keep(
        self, tx: Tx, agency_id: str, message: Message, document: bytes, count: int, amount: int,
        due_at: datetime,
    ) -> None:  # fmt: skip
        signer = await self.keys.current(agency_id)
        await tx.run(t.transmission.insert(), {
            "agency_id": agency_id, "id": message.id, "kind": message.kind,
            "told_on": message.on, "part": message.part, "state": "queued", "count": count,
            "amount": amount, "xml": signer.seal(document, TAIL), "made_at": message.made_at,
            "due_at": due_at, "tries": 0, "ask_at": message.made_at,
        })  # fmt: skip

    async def _due(self) -> Sequence[str]:
        async with self.store.begin() as tx:
            rows = await tx.rows(_DUE, {"now": self.store.clock.now()})
        return [r["agency_id"] for r in rows]

    async def _claim(self, agency_id: str) -> tuple[str, Row] | None:
        now = self.store.clock.now()
        async with self.store.begin() as tx:
            row = await tx.row(_CLAIM, {"agency": agency_id, "now": now, "until": now + lease})
        return (row["id"], row) if row else None

    async def _send(self, row: Row) -> bool:
        """Send one; a receiver that is not reached breaks the line, one that answers mends it."""
        agency_id = row["agency_id"]
        found = await self._channel(agency_id)
        if found is None:
            return False
        kind, line = found
        try:
            said = await line.send(await self._parcel(row, whole=kind in ("vnpt", "viettel")))
        except (DeclinedError, InDoubtError) as error:
            await self._again(row, str(error), is_sure=isinstance(error, DeclinedError))
            return False
        await self._answered(row, said)
        return True

    async def _parcel(self, row: Row, *, whole: bool) -> Parcel:
        c = t.receipt.c
        async with self.store.begin() as tx:
            agency = await tx.row(select(t.agency).where(t.agency.c.id == row["agency_id"]))
            sealed = await tx.rows(
                select(c.xml)
                .where(c.agency_id == row["agency_id"], c.transmission_id == row["id"])
                .order_by(c.form, c.series, c.number)
            ) if whole else []  # fmt: skip
        if agency is None:
            raise LookupError(row["agency_id"])
        return Parcel(
            row["id"], FORMS[row["kind"]], row["told_on"], row["part"], row["agency_id"],
            agency["tax_code"], bytes(row["xml"]), [read_sealed(bytes(r["xml"])) for r in sealed],
        )  # fmt: skip

    async def _answered(self, row: Row, said: Said) -> None:
        now, agency_id = self.store.clock.now(), row["agency_id"]
        async with self.store.begin() as tx:
            await tx.run(_of(row).values(
                state=str(said.answer), ask_at=None, reference=said.reference, code=said.code,
                accepted_at=now if said.answer is Answer.ACCEPTED else None,
            ))  # fmt: skip
            repaired = await tx.row(_REPAIR, {"agency": agency_id, "now": now})
            if repaired:
                due = due_after_repair(row["told_on"], now)
                await tx.run(
                    _EXTEND, {"agency": agency_id, "due": due, "began": repaired["began_at"]}
                )

    async def _again(self, row: Row, why: str, *, is_sure: bool) -> None:
        now = self.store.clock.now()
        wait = min(pause_s * 2 ** min(row["tries"] - 1, 10), pause_s_max)
        async with self.store.begin() as tx:
            await tx.run(_of(row).values(
                state="queued" if is_sure else "in_doubt", code=why[:200],
                ask_at=now + timedelta(seconds=wait),
            ))  # fmt: skip
            outage = self.store.clock.new_id("out")
            await tx.run(_BREAK, {"agency": row["agency_id"], "id": outage, "now": now})

    async def _channel(self, agency_id: str) -> tuple[str, Channel] | None:
        async with self.store.begin() as tx:
            row = await tx.row(select(t.channel).where(t.channel.c.agency_id == agency_id))
        if row is None:
            return None
        plain = self.vault.open(f"channel|{agency_id}|values", bytes(row["values_sealed"]))
        values = json.loads(plain)
        make, _ = KINDS[row["kind"]]
        return row["kind"], make(values, self.wire_to(values.get("url", "")))


def _of(row: Row) -> Any:  # noqa: ANN401 - a statement.
    c = t.transmission.c
    return t.transmission.update().where(c.agency_id == row["agency_id"], c.id == row["id"])


def due_after_repair(told_on: date, at: datetime) -> datetime:
    """Say until when a message may be sent that a broken line held up, repaired at ``at``."""
    days = rules_on(told_on).repair_working_days
    if days is None:
        raise Refusal("no-rule-for-date", f"Nothing is told of receipts of {told_on}.")
    return day_end(vietnam().add_working_days(hanoi_day(at), days))
