"""Receipts by e-mail, when they are asked for: by the payer, an officer, or the agency's setting.

An address that somebody typed is sealed, and forgotten once the message is sent or given up. A
crash after the hand-over sends a message again, with the same Message-ID: twice is better than not.
"""

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select, text

from gateway.domain.errors import Refusal
from gateway.ports.vault import Vault
from gateway.services.payer_keys import PayerKeys
from gateway.store import tables as t
from gateway.store.tx import Row, Store
from receipts.face import face
from receipts.kept import Kept, Shelf
from receipts.post import MailPlace, NotNowError, NotTakenError, is_address, letter
from receipts.xml import read_sealed

PAYER: Final = "payer"
AGENCY: Final = "agency"  # Its setting says so, and nobody asked for this one.
batch: Final = 20
lease: Final = timedelta(minutes=2)  # Three times what a silent server may take.
first_wait: Final = timedelta(minutes=1)
wait_max: Final = timedelta(hours=6)
tries_max: Final = 12  # Two days: after that whoever waits has called, and it can be sent anew.
asked_max: Final = 5  # By links, for one receipt: a link is no way to fill others' letter boxes.
log: Final = logging.getLogger("thuphi.receipts")

_CLAIM: Final = text(
    "UPDATE receipt_mail m SET ask_at = :until, tries = tries + 1 FROM (SELECT x.agency_id, x.id"
    " FROM receipt_mail x JOIN receipt r ON r.agency_id = x.agency_id AND r.id = x.receipt_id"
    " WHERE x.ask_at <= :now AND r.pdf IS NOT NULL ORDER BY x.ask_at LIMIT :batch"
    " FOR UPDATE OF x SKIP LOCKED) w WHERE m.agency_id = w.agency_id AND m.id = w.id"
    " RETURNING m.agency_id, m.id, m.receipt_id, m.to_sealed, m.tries"
)
_PAYER: Final = text(
    "SELECT p.id, p.payer_sealed FROM receipt r JOIN payment p ON p.agency_id = r.agency_id"
    " AND p.id = r.payment_id WHERE r.agency_id = :agency AND r.id = :receipt"
)


@dataclass(frozen=True, slots=True)
class Mailing:
    """The messages."""

    store: Store
    vault: Vault
    place: MailPlace | None

    async def ask(self, agency_id: str, receipt_id: str, to: str, by: str) -> None:
        """Queue a message. Without an address it goes to the one that the payer gave.

        Raises Refusal. What an officer asks for is written down, without the address.
        """
        if self.place is None:
            raise Refusal("unavailable", "This system sends no e-mail.")
        if to and not is_address(to):
            raise Refusal("invalid-request", "That is no e-mail address that we can write to.")
        c = t.receipt_mail.c
        row = mail_row(self.store, agency_id, receipt_id, by)
        if to:
            row["to_sealed"] = self.vault.seal(_place(row["id"]), to.encode())
        async with self.store.begin() as tx:
            asked = await tx.rows(
                select(c.id).where(
                    c.agency_id == agency_id, c.receipt_id == receipt_id, c.asked_by == PAYER
                )
            )
            if by == PAYER and len(asked) >= asked_max:
                raise Refusal("too-many-requests", "It was sent often enough; download it.")
            await tx.run(t.receipt_mail.insert(), row)
            if by != PAYER:
                await tx.note(agency_id, by, "receipt.mail", receipt_id)

    async def send(self) -> int:
        """Send what is due; give how many were taken."""
        if self.place is None:
            return 0
        now = self.store.clock.now()
        async with self.store.begin() as tx:
            rows = await tx.rows(_CLAIM, {"now": now, "until": now + lease, "batch": batch})
        return sum([await self._send(self.place, row) for row in rows])

    async def _send(self, place: MailPlace, row: Row) -> bool:
        kept = await Shelf(self.store).of_agency(row["agency_id"], row["receipt_id"])
        to = await self._address(row)
        if kept is None or kept.pdf is None or not is_address(to):
            await self._end(row, "given_up", "no-address")
            return False
        try:
            await asyncio.to_thread(place.hand_over, self._letter(place, to, kept, row["id"]))
        except NotTakenError as error:
            log.warning("receipts: %s is refused by the mail server: %s", row["id"], error)
            await self._end(row, "given_up", "refused")
            return False
        except NotNowError as error:
            log.warning("receipts: %s is not sent yet: %s", row["id"], error)
            await self._wait(row)
            return False
        await self._end(row, "sent", None)
        return True

    def _letter(self, place: MailPlace, to: str, kept: Kept, mail_id: str) -> Any:  # noqa: ANN401 - an EmailMessage.
        link = f"{self.store.public_url}/receipts/{kept.token}.html"
        return letter(place, to, face(read_sealed(kept.xml)), link, kept.pdf or b"", mail_id)

    async def _address(self, row: Row) -> str:
        """Open the address that was typed, or the one that the payer gave with the payment."""
        if row["to_sealed"] is not None:
            return self.vault.open(_place(row["id"]), bytes(row["to_sealed"])).decode()
        asked = {"agency": row["agency_id"], "receipt": row["receipt_id"]}
        async with self.store.begin() as tx:
            found = await tx.row(_PAYER, asked)
            if found is None or found["payer_sealed"] is None:
                return ""
            cells = await PayerKeys(self.vault).of(tx, row["agency_id"], [found["id"]])
        place = f"payment|{found['id']}|payer"
        plain = cells[found["id"]].open(place, bytes(found["payer_sealed"]))
        return str(json.loads(plain).get("email", "")) if plain is not None else ""

    async def _wait(self, row: Row) -> None:
        if row["tries"] >= tries_max:
            await self._end(row, "given_up", "not-reached")
            return
        wait = min(first_wait * 2 ** (row["tries"] - 1), wait_max)
        await self._set(row, {"ask_at": self.store.clock.now() + wait})

    async def _end(self, row: Row, state: str, code: str | None) -> None:
        now = self.store.clock.now()
        ended = {"state": state, "code": code, "ask_at": None, "to_sealed": None, "ended_at": now}
        await self._set(row, ended)

    async def _set(self, row: Row, values: dict[str, Any]) -> None:
        c = t.receipt_mail.c
        which = (c.agency_id == row["agency_id"], c.id == row["id"])
        async with self.store.begin() as tx:
            await tx.run(t.receipt_mail.update().where(*which).values(values))


def mail_row(store: Store, agency_id: str, receipt_id: str, by: str) -> dict[str, Any]:
    """Make the row of a message that is to be sent."""
    now = store.clock.now()
    return {
        "agency_id": agency_id, "id": store.clock.new_id("mail"), "receipt_id": receipt_id,
        "to_sealed": None, "state": "queued", "tries": 0, "asked_at": now, "asked_by": by,
        "ask_at": now,
    }  # fmt: skip


def _place(mail_id: str) -> str:
    return f"receipt_mail|{mail_id}|to"
