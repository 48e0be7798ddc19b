"""What a file says again of a line that is known: the same, which adds nothing, or something else.

A statement and a treasury's list are final, so one that contradicts an earlier file is refused
whole. Providers correct their reports: what is booked stays, and the other word is a case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.ports.clock import Clock
from reconciliation.readers.line import refuse

_KNOWN: Final = text(
    "SELECT l.id, l.source, l.account, l.line_key, l.booked_on, l.gross, l.fee, l.net, f.name"
    " FROM unnest(CAST(:sources AS text[]), CAST(:accounts AS text[]), CAST(:keys AS text[]))"
    " AS k (source, account, line_key) JOIN statement_line l ON l.agency_id = :agency"
    " AND l.source = k.source AND l.account = k.account AND l.line_key = k.line_key"
    " JOIN statement_file f ON f.agency_id = l.agency_id AND f.id = l.file_id"
)
_OPEN: Final = text(
    "INSERT INTO break (agency_id, id, kind, state, subject, amount, line_id, why, owner_role,"
    " opened_at, since_on) VALUES (:agency, :id, 'status_conflict', 'open', :subject, :amount,"
    " :line, :why, 'accountant', :now, :since_on) ON CONFLICT (agency_id, kind, subject)"
    " DO UPDATE SET state = 'open', amount = :amount, why = :why, resolved_at = NULL,"
    " resolution = NULL"
)
_AGREED: Final = text(
    "UPDATE break SET state = 'resolved', resolved_at = :now, resolution = :how"
    " WHERE agency_id = :agency AND kind = 'status_conflict' AND state = 'open'"
    " AND subject = ANY(:subjects)"
)
# A day that only one side writes, as a value date or a batch, contradicts nothing.
_SAID: Final = ("booked_on", "gross", "fee", "net")
Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Retold:
    """The lines of a file that were known before."""

    connection: AsyncConnection
    clock: Clock
    agency_id: str

    async def compare(self, lines: Sequence[Line]) -> None:
        """Compare lines with what earlier files said of them.

        Raises Refusal, with the line and the earlier file, where a bank or the treasury
        contradicts itself.
        """
        asked = {
            "agency": self.agency_id,
            "sources": [x["source"] for x in lines],
            "accounts": [x["account"] for x in lines],
            "keys": [x["line_key"] for x in lines],
        }
        found = (await self.connection.execute(_KNOWN, asked)).mappings()
        known = {(k["source"], k["account"], k["line_key"]): dict(k) for k in found}
        agreed = []
        for line in lines:
            before = known[line["source"], line["account"], line["line_key"]]
            if all(line[name] == before[name] for name in _SAID):
                agreed.append(f"report:{before['id']}")
            elif line["source"] == "provider":
                await self._open(line, before)
            else:
                raise refuse(line["line_no"], "", _contradicts(before))
        how = "the provider reports again what is booked"
        if agreed and lines[0]["source"] == "provider":
            said = {"agency": self.agency_id, "subjects": agreed, "how": how}
            await self.connection.execute(_AGREED, said | {"now": self.clock.now()})

    async def _open(self, line: Line, before: Line) -> None:
        differs = abs(line["net"] - before["net"]) or abs(line["gross"] - before["gross"])
        await self.connection.execute(
            _OPEN,
            {"agency": self.agency_id, "id": self.clock.new_id("brk"),
             "subject": f"report:{before['id']}", "amount": differs or abs(line["net"]),
             "line": before["id"], "why": _corrects(before, line),
             "now": self.clock.now(), "since_on": before["booked_on"]},
        )  # fmt: skip


def _contradicts(before: Line) -> str:
    name, amount, on = before["name"], before["net"], before["booked_on"]
    return f"contradicts the file «{name}», which says {amount} on {on}: ask which of them is right"


def _corrects(before: Line, now: Line) -> str:
    a, b, on = before["gross"], before["fee"], before["booked_on"]
    c, d, then = now["gross"], now["fee"], now["booked_on"]
    return f"the provider reported {a} less {b} on {on}, and now reports {c} less {d} on {then}"
