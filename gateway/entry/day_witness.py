"""Who watches a ``thuphi day`` from outside: a client's webhook door, and the banks' journal."""

import base64
import hashlib
import hmac
import json
import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.store.tx import Tx

# What a day came to.
TOTALS: Final = text(
    "SELECT (SELECT count(*) FROM payment) AS payments,"
    " (SELECT count(*) FROM payment WHERE state IN ('paid','settled')) AS paid,"
    " (SELECT count(*) FROM payment WHERE state = 'settled') AS settled,"
    " (SELECT coalesce(sum(amount_received), 0)::bigint FROM payment) AS amount,"
    " (SELECT count(*) FROM receipt WHERE xml IS NOT NULL) AS receipts,"
    " (SELECT count(*) FROM notice) AS notices,"
    " (SELECT count(*) FROM counter_take) AS at_counters,"
    " (SELECT count(*) FROM provider_call WHERE what = 'checkout' AND NOT is_ok) AS unanswered,"
    " (SELECT count(DISTINCT line_id) FROM recon_match) AS matched,"
    " (SELECT count(*) FROM break WHERE state = 'open') AS breaks,"
    " (SELECT coalesce(sum(CASE WHEN credit IN ('3310','3320') THEN amount ELSE 0 END)"
    " - sum(CASE WHEN debit IN ('3310','3320') THEN amount ELSE 0 END), 0)::bigint FROM entry)"
    " AS suspense,"
    " (SELECT coalesce(sum(d), 0)::bigint FROM (SELECT amount AS d FROM entry UNION ALL"
    " SELECT -amount FROM entry) x) AS ledger_sum"
)
# A transfer is named by the bank's reference, for the statement may be the only one to tell of it;
# cash by its payment, for nobody else numbers it.
_TAKEN: Final = text(
    "SELECT CASE WHEN k.method = 'cash' THEN 'cash' WHEN a.capture_id IS NULL THEN c.provider"
    " ELSE 'bank' END AS provider, CASE WHEN k.method = 'cash' THEN (SELECT 'TP' || p.reference"
    " FROM allocation x JOIN payment p ON p.agency_id = x.agency_id AND p.id = x.payment_id"
    " WHERE x.agency_id = c.agency_id AND x.capture_id = c.id) ELSE c.txn_id END AS txn_id,"
    " coalesce(a.bank_reference, '') AS bank_reference, c.amount FROM capture c"
    " LEFT JOIN counter_take k ON k.agency_id = c.agency_id AND k.capture_id = c.id LEFT JOIN"
    " (SELECT agency_id, capture_id, max(bank_reference) AS bank_reference FROM credit_advice"
    " GROUP BY 1, 2) a ON a.agency_id = c.agency_id AND a.capture_id = c.id"
)
_UNTOLD: Final = text("SELECT id FROM event ORDER BY position")


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@dataclass
class Inbox:
    """What a procedure system heard; a message whose signature does not hold is not heard."""

    secret: str = field(repr=False)
    seen: dict[str, int] = field(default_factory=dict)  # Event id -> how often.
    last: dict[str, int] = field(default_factory=dict)  # Payment id -> sequence heard last.
    wrong: list[str] = field(default_factory=list)

    def hear(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Check the signature as Standard Webhooks says, then take note."""
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        if f"v1,{mac}" not in headers["webhook-signature"].split():
            self.wrong.append(f"a webhook's signature does not hold: {headers['webhook-id']}")
            return False
        said = json.loads(body)
        if said["id"] not in self.seen and said["payment_id"]:
            before = self.last.get(said["payment_id"], 0)
            if said["sequence"] <= before:
                self.wrong.append(f"{said['id']} came after a later event of its payment")
            self.last[said["payment_id"]] = max(before, said["sequence"])
        self.seen[said["id"]] = self.seen.get(said["id"], 0) + 1
        return True

    async def undelivered(self, tx: Tx) -> list[str]:
        """Name the events that never came, and what was wrong with those that did."""
        known = [r["id"] for r in await tx.rows(_UNTOLD)]
        missing = [e for e in known if e not in self.seen]
        told = [f"{len(missing)} events were not delivered, first {missing[0]}"] if missing else []
        return told + self.wrong


def inbox_app(inbox: Inbox) -> Starlette:
    """Give the door that webhooks come to."""

    async def hook(request: Request) -> Response:
        heard = inbox.hear(request.headers, await request.body())
        return Response(status_code=204 if heard else 401)

    return Starlette(routes=[Route("/hook", hook, methods=["POST"])])


async def differences(tx: Tx, journal: Sequence[Mapping[str, Any]]) -> list[str]:
    """Compare the books with what the citizens moved, movement by movement."""
    theirs = Counter(_key(e) for e in journal if e.get("kind") != "bag")
    ours = Counter(_key(r) for r in await tx.rows(_TAKEN))
    return [
        f"the journal has {theirs[k]} of {k}, the books {ours[k]}"
        for k in sorted(theirs | ours)
        if theirs[k] != ours[k]
    ]


def _key(row: Mapping[str, Any]) -> tuple[str, str, int]:
    name = row["bank_reference"] if row["provider"] == "bank" else row["txn_id"]
    return row["provider"], name, row["amount"]
