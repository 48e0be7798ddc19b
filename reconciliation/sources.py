"""Sources of statement files: opened, closed, tried and shown. ``collecting`` looks at them."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.errors import Refusal
from gateway.ports.vault import Vault
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from reconciliation.places import Place, Seen, reached, require_reachable
from reconciliation.readers.profile import load_profile

KINDS: Final = ("folder", "sftp", "upload")
EVERY: Final = ("working_day", "day")
_HOUR: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_SHOWN: Final = text(
    "SELECT s.agency_id, s.id, s.name, s.kind, s.profile, s.every, s.due_at, s.trouble,"
    " (SELECT max(x.at) FROM source_file x WHERE x.agency_id = s.agency_id"
    " AND x.source_id = s.id) AS came_at, (SELECT min(b.since_on) FROM break b"
    " WHERE b.agency_id = s.agency_id AND b.kind = 'file_error' AND b.state = 'open'"
    " AND b.subject LIKE 'source:' || s.id || ':%') AS late_since FROM source s"
    " WHERE s.state = 'open' AND (:agency = '' OR s.agency_id = :agency)"
    " ORDER BY s.agency_id, s.name"
)


_NOT_WAITED_FOR: Final = text(
    "UPDATE break SET state = 'resolved', resolved_at = :now, resolution = 'the source was closed'"
    " WHERE agency_id = :agency AND kind = 'file_error' AND state = 'open'"
    " AND subject LIKE 'source:' || :id || ':%'"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A source that somebody asks to open."""

    name: str
    kind: str
    profile: str
    place: Mapping[str, Any]
    every: str
    due_at: str
    secret: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Sources:
    """The agencies' sources: opened, closed, and shown."""

    store: Store
    vault: Vault = field(repr=False)

    async def add(self, agency_id: str, wanted: Wanted, actor: str) -> None:
        """Open a source. Raises Refusal, which names what is wrong."""
        _require(wanted)
        source_id = self.store.clock.new_id("src")
        sealed = None
        if wanted.secret is not None:
            sealed = self.vault.seal(_place(source_id), wanted.secret)
        row = {
            "agency_id": agency_id, "id": source_id, "name": wanted.name, "kind": wanted.kind,
            "profile": wanted.profile, "place": dict(wanted.place), "secret_sealed": sealed,
            "every": wanted.every, "due_at": wanted.due_at, "state": "open",
            "opened_at": self.store.clock.now(),
        }  # fmt: skip
        async with self.store.begin() as tx:
            if not await tx.run(insert(t.source).on_conflict_do_nothing(), row):
                raise Refusal("invalid-request", "This agency has a source of that name already.")
            await tx.note(agency_id, actor, "source.add", source_id)

    async def close(self, agency_id: str, name: str, actor: str) -> None:
        """Look at a source no more, and wait for no file of it; its name is free again.

        Raises Refusal.
        """
        c = t.source.c
        async with self.store.begin() as tx:
            row = await self._named(tx, agency_id, name)
            await tx.run(
                t.source.update()
                .where(c.agency_id == agency_id, c.id == row["id"])
                .values(state="closed", secret_sealed=None)
            )
            named = {"agency": agency_id, "id": row["id"], "now": self.store.clock.now()}
            await tx.run(_NOT_WAITED_FOR, named)
            await tx.note(agency_id, actor, "source.close", row["id"])

    async def shown(self, agency_id: str = "") -> Sequence[Row]:
        """List open sources: when a file came last, since when one is late, what is in the way."""
        async with self.store.begin() as tx:
            return await tx.rows(_SHOWN, {"agency": agency_id})

    async def test(self, agency_id: str, name: str) -> list[Seen]:
        """List what lies at a source now, and take nothing. Raises Refusal and AwayError."""
        async with self.store.begin() as tx:
            row = await self._named(tx, agency_id, name)
        if row["kind"] == "upload":
            raise Refusal("invalid-request", "Its files are brought by hand: there is no place.")
        async with self.reached(row) as place:
            return await place.listed()

    def reached(self, row: Row) -> AbstractAsyncContextManager[Place]:
        """Open a source's place."""
        sealed = row["secret_sealed"]
        secret = self.vault.open(_place(row["id"]), bytes(sealed)) if sealed is not None else None
        return reached(row["kind"], row["place"], secret)

    async def _named(self, tx: Tx, agency_id: str, name: str) -> Row:
        c = t.source.c
        is_it = (c.agency_id == agency_id) & (c.name == name) & (c.state == "open")
        row = await tx.row(select(t.source).where(is_it))
        if row is None:
            raise Refusal("not-found", f"There is no source {name}; see thuphi sources list.")
        return row


def _place(source_id: str) -> str:
    return f"source|{source_id}|secret"


def _require(wanted: Wanted) -> None:
    if not _NAME.fullmatch(wanted.name):
        raise Refusal("invalid-request", "A source's name is 1 to 40 of a to z, 0 to 9 and «-».")
    if wanted.kind not in KINDS or wanted.every not in EVERY:
        raise Refusal("invalid-request", f"A source is a {', '.join(KINDS)}; every"
                      f" {' or '.join(EVERY)}.")  # fmt: skip
    if not _HOUR.fullmatch(wanted.due_at):
        raise Refusal("invalid-request", "The hour is HH:MM in Hanoi, such as 08:30.")
    load_profile(wanted.profile)
    if wanted.kind == "sftp" and not wanted.secret:
        raise Refusal("invalid-request", "A server wants a password or a private key: name a file.")
    require_reachable(wanted.kind, wanted.place, wanted.secret)
