"""Webhooks: each event to each endpoint at least once, in order per payment, for three days."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from sqlalchemy import text

from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.ports.vault import Vault
from gateway.ports.wire import Wire
from gateway.services.lanes import Lanes
from gateway.services.outbox import event_view
from gateway.services.payments import render
from gateway.store import tables as t
from gateway.store.tx import Row, Store

Slot = tuple[str, str, int]  # An agency's endpoint, and one of the places in which it is sent to.
endpoint_sends_max: Final = 5  # At once: a client that hangs has no more of us than that.
lease: Final = timedelta(seconds=60)  # Longer than a delivery may take.
timeout_s: Final = 15.0
first_pause_s: Final = 5
pause_s_max: Final = 6 * 3600
kept_trying: Final = timedelta(days=3)

_DUE: Final = text(
    "SELECT agency_id, endpoint_id, count(*) AS n FROM delivery"
    " WHERE state = 'waiting' AND due_at <= :now GROUP BY agency_id, endpoint_id"
)
# Only the head of each (endpoint, payment) can be claimed, so order holds per payment.
_CLAIM: Final = text(
    "WITH due AS (SELECT d.agency_id, d.event_id, d.endpoint_id FROM delivery d"
    " WHERE d.agency_id = :agency AND d.endpoint_id = :endpoint"
    " AND d.state = 'waiting' AND d.due_at <= :now"
    " AND (d.leased_until IS NULL OR d.leased_until < :now)"
    " AND NOT EXISTS (SELECT 1 FROM delivery b WHERE b.endpoint_id = d.endpoint_id"
    " AND b.payment_id = d.payment_id AND b.sequence < d.sequence AND b.state = 'waiting')"
    " ORDER BY d.due_at LIMIT 1 FOR UPDATE OF d SKIP LOCKED)"
    " UPDATE delivery d SET leased_until = :until, tries = d.tries + 1 FROM due"
    " WHERE d.agency_id = due.agency_id AND d.event_id = due.event_id"
    " AND d.endpoint_id = due.endpoint_id RETURNING d.*"
)
_LOAD: Final = text(
    "SELECT e.*, p.url, p.secret_sealed, p.signing_key_sealed FROM event e, endpoint p"
    " WHERE e.agency_id = :agency AND e.id = :event AND p.agency_id = :agency AND p.id = :endpoint"
)


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """What the client needs to verify us; the secret is shown this once."""

    id: str
    secret: str
    public_key: str


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Delivers events, signed in the Standard Webhooks way (v1 HMAC, v1a Ed25519)."""

    store: Store
    vault: Vault
    wire: Wire

    async def add(self, agency_id: str, client_id: str, url: str) -> NewEndpoint:
        """Add an endpoint of a client."""
        endpoint_id = self.store.clock.new_id("whk")
        secret = secrets.token_bytes(32)
        key = Ed25519PrivateKey.generate()
        raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        shown = f"whpk_{base64.b64encode(public).decode()}"
        async with self.store.begin() as tx:
            await tx.run(
                t.endpoint.insert(),
                {"agency_id": agency_id, "id": endpoint_id, "client_id": client_id, "url": url,
                 "secret_sealed": self.vault.seal(f"endpoint|{endpoint_id}|secret", secret),
                 "signing_key_sealed": self.vault.seal(f"endpoint|{endpoint_id}|key", raw),
                 "public_key": shown, "created_at": self.store.clock.now()},
            )  # fmt: skip
        return NewEndpoint(endpoint_id, f"whsec_{base64.b64encode(secret).decode()}", shown)

    async def deliver(self) -> int:
        """Send what is due, a few at once to each endpoint; gives how many were tried."""
        return await Lanes("deliver", self._due, self._claim, self._send).run()

    async def _due(self) -> list[Slot]:
        """List the places in which something can be sent: as many as are due, within the limit."""
        async with self.store.begin() as tx:
            due = await tx.rows(_DUE, {"now": self.store.clock.now()})
        return [
            (row["agency_id"], row["endpoint_id"], n)
            for row in due
            for n in range(min(row["n"], endpoint_sends_max))
        ]

    async def _claim(self, slot: Slot) -> tuple[str, tuple[Row, Row]] | None:
        """Take the next delivery of an endpoint, with its event: nobody else sends it meanwhile."""
        agency, endpoint, _ = slot
        now = self.store.clock.now()
        whose = {"agency": agency, "endpoint": endpoint}
        async with self.store.begin() as tx:
            delivery = await tx.row(_CLAIM, whose | {"now": now, "until": now + lease})
            if delivery is None:
                return None
            event = await tx.row(_LOAD, whose | {"event": delivery["event_id"]})
        if event is None:
            raise LookupError(delivery["event_id"])
        return f"{delivery['event_id']} to {endpoint}", (delivery, event)

    async def _send(self, claimed: tuple[Row, Row]) -> bool:
        """Send one; tells whether there was any answer."""
        delivery, event = claimed
        body = render(event_view(event))
        began = monotonic()
        status: int | None = None
        error: str | None = None
        try:
            reply = await self.wire.send(
                "POST", event["url"], headers=self._headers(delivery, event, body), body=body,
                timeout_s=timeout_s,
            )  # fmt: skip
            status = reply.status
        except (InDoubtError, DeclinedError) as failure:
            error = str(failure)
        await self._note(delivery, status, error, int((monotonic() - began) * 1000))
        return error is None

    def _headers(self, delivery: Row, event: Row, body: bytes) -> dict[str, str]:
        endpoint = delivery["endpoint_id"]
        stamp = str(int(self.store.clock.now().timestamp()))
        signed = f"{event['id']}.{stamp}.".encode() + body
        secret = self.vault.open(f"endpoint|{endpoint}|secret", bytes(event["secret_sealed"]))
        raw = self.vault.open(f"endpoint|{endpoint}|key", bytes(event["signing_key_sealed"]))
        v1 = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        v1a = base64.b64encode(Ed25519PrivateKey.from_private_bytes(raw).sign(signed)).decode()
        return {
            "content-type": "application/json", "webhook-id": event["id"],
            "webhook-timestamp": stamp, "webhook-signature": f"v1a,{v1a} v1,{v1}",
        }  # fmt: skip

    async def _note(
        self, delivery: Row, status: int | None, error: str | None, took_ms: int
    ) -> None:
        """Write what happened; no success means another try, until three days are over."""
        now = self.store.clock.now()
        done = status is not None and status // 100 == 2  # noqa: PLR2004 - the class of success.
        over = now - delivery["created_at"] >= kept_trying
        pause = min(first_pause_s * 4 ** min(delivery["tries"] - 1, 8), pause_s_max)
        c = t.delivery.c
        async with self.store.begin() as tx:
            await tx.run(
                t.delivery.update()
                .where(
                    c.agency_id == delivery["agency_id"], c.event_id == delivery["event_id"],
                    c.endpoint_id == delivery["endpoint_id"],
                )
                .values(
                    state="done" if done else "stuck" if over else "waiting",
                    due_at=now + timedelta(seconds=pause), leased_until=None,
                )
            )  # fmt: skip
            await tx.run(
                t.delivery_log.insert(),
                {"id": self.store.clock.new_id("dlg"), "at": now,
                 "agency_id": delivery["agency_id"], "event_id": delivery["event_id"],
                 "endpoint_id": delivery["endpoint_id"], "status": status, "error": error,
                 "took_ms": took_ms},
            )  # fmt: skip
