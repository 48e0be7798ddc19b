"""Notices: kept raw and sealed before anyone reads them, thanked only after commit."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, select, text

from gateway.domain.errors import ForgedError, Refusal
from gateway.ports.provider import Ack, Notice, Outcome, Provider, RawNotice
from gateway.ports.vault import Vault
from gateway.services.captures import Captures
from gateway.services.disputes import Disputes
from gateway.services.lanes import Lanes
from gateway.services.refund_sender import RefundSender
from gateway.store import tables as t
from gateway.store.gathering import Gathering
from gateway.store.tx import Row, Store, Tx

refused_kept: Final = timedelta(days=30)
replay_pause: Final = timedelta(seconds=60)
replay_tries_max: Final = 20  # Then a person looks; the notice stays where it is.

_W: Final = t.notice_work.c
_N: Final = t.notice.c
_ITS_WORK: Final = (_W.notice_id == _N.id) & (_W.received_at == _N.received_at)
_IS_DUE: Final = (
    _W.state == "stored", _W.due_at <= bindparam("now"), _W.tries < replay_tries_max,
)  # fmt: skip
_STORED: Final = (
    select(_N.provider, _N.account).join(t.notice_work, _ITS_WORK).where(*_IS_DUE).distinct()
)
_OLDEST: Final = (
    select(t.notice, _W.tries)
    .join(t.notice_work, _ITS_WORK)
    .where(*_IS_DUE, _N.provider == bindparam("name"), _N.account == bindparam("holder"))
    .order_by(_W.due_at)
    .limit(1)
    .with_for_update(skip_locked=True, of=t.notice_work)
)


@dataclass(frozen=True, slots=True)
class Notices:
    """The door that providers knock on."""

    store: Store
    kept: Gathering
    vault: Vault
    captures: Captures
    by_path: Mapping[tuple[str, str], Provider]  # (path name, account) -> provider
    former: Mapping[tuple[str, str], Provider]  # The same with the secrets of before a rotation.
    ask: Callable[[Row, datetime], Awaitable[bool]]  # Asks a provider about one attempt, now.
    refunds: RefundSender
    disputes: Disputes

    async def take(self, path: str, account: str, raw: RawNotice, source: str) -> Ack:
        """Keep, verify, apply, commit, and only then acknowledge."""
        provider = self.by_path.get((path, account))
        if provider is None:
            raise Refusal("not-found", "There is no such provider account.")
        notice_id = await self._keep(provider, raw, source)
        return provider.acknowledge(await self._read(provider, notice_id, raw))

    async def _keep(self, provider: Provider, raw: RawNotice, source: str) -> str:
        notice_id = self.store.clock.new_id("ntc")
        plain = json.dumps(
            {"method": raw.method, "query": raw.query, "headers": dict(raw.headers),
             "body": raw.body.decode("latin-1"), "received_at": raw.received_at.isoformat()}
        ).encode()  # fmt: skip
        row = {
            "id": notice_id, "received_at": raw.received_at,
            "agency_id": self.captures.agency_of(provider), "provider": provider.name,
            "account": provider.account, "source": source,
            "sealed": self.vault.seal(f"notice|{notice_id}|raw", plain),
            "hash": hashlib.sha256(raw.query.encode() + b"\n" + raw.body).hexdigest(),
        }  # fmt: skip
        work = {
            "agency_id": row["agency_id"], "notice_id": notice_id,
            "received_at": raw.received_at, "state": "stored", "tries": 0,
            "due_at": raw.received_at + replay_pause,
        }  # fmt: skip
        await self.kept.put({t.notice: row, t.notice_work: work})
        return notice_id

    async def _read(self, provider: Provider, notice_id: str, raw: RawNotice) -> Outcome:
        work = t.notice_work
        try:
            said = self._believed(provider, raw)
        except ForgedError:
            async with self.store.begin() as tx:
                await tx.run(
                    work.update().where(work.c.notice_id == notice_id)
                    .values(state="refused", outcome=str(Outcome.FORGED))
                )  # fmt: skip
            return Outcome.FORGED
        if provider.can.notice_is_hint:
            return await self._ask_back(provider, notice_id, said)
        async with self.store.begin() as tx:
            outcome = await self._apply(tx, provider, said, notice_id, raw)
            await tx.change(
                work, {"notice_id": notice_id}, {"state": "done", "outcome": str(outcome)}
            )
        return outcome

    def _believed(self, provider: Provider, raw: RawNotice) -> Notice:
        """Verify and parse; while secrets are rotated, with the old ones too."""
        try:
            return provider.read(raw)
        except ForgedError:
            for former in self.former.values():
                if (former.name, former.account) == (provider.name, provider.account):
                    return former.read(raw)
            raise

    async def _apply(
        self, tx: Tx, provider: Provider, said: Notice, notice_id: str, raw: RawNotice
    ) -> Outcome:
        """Give a word to whom it concerns: refunds, disputes, or money that was taken."""
        if said.refund:
            known = await self.refunds.told(tx, provider, said.refund)
            return Outcome.RECORDED if known else Outcome.UNKNOWN_ORDER
        if said.dispute:
            agency = self.captures.agency_of(provider)
            return await self.disputes.told(tx, provider, said, said.dispute, agency)
        digest = hashlib.sha256(raw.query.encode() + b"\n" + raw.body).hexdigest()
        return await self.captures.apply(tx, provider, said, "notice", notice_id, digest)

    async def _ask_back(self, provider: Provider, notice_id: str, said: Notice) -> Outcome:
        """Believe nothing of a weakly signed word but that it is time to ask.

        That it is time is on disk before anyone is asked, so a fall in between loses nothing.
        """
        async with self.store.begin() as tx:
            outcome, attempt = await self.captures.hinted(tx, provider, said)
            await tx.change(
                t.notice_work, {"notice_id": notice_id}, {"state": "done", "outcome": str(outcome)}
            )
        if attempt is not None:
            await self.ask(attempt, self.store.clock.now())
        return outcome

    async def replay(self) -> int:
        """Take up what was stored and never finished, because we fell over in between.

        Each account's by itself, for some must be asked about over the wire.
        """
        return await Lanes("replay notices", self._stored, self._claim, self._read_again).run()

    async def _stored(self) -> list[tuple[str, str]]:
        async with self.store.begin() as tx:
            rows = await tx.rows(_STORED, {"now": self.store.clock.now()})
        stored = [(row["provider"], row["account"]) for row in rows]
        return [holder for holder in stored if self.adapter_of(*holder)]

    async def _claim(self, holder: tuple[str, str]) -> tuple[str, Row] | None:
        """Take the oldest of an account, and count this try."""
        name, account = holder
        now, w = self.store.clock.now(), t.notice_work
        async with self.store.begin() as tx:
            row = await tx.row(_OLDEST, {"now": now, "name": name, "holder": account})
            if row is None:
                return None
            tries = row["tries"] + 1
            await tx.run(
                w.update().where(w.c.notice_id == row["id"])
                .values(tries=tries, due_at=now + replay_pause * tries)
            )  # fmt: skip
        return row["id"], row

    async def _read_again(self, row: Row) -> bool:
        provider = self.adapter_of(row["provider"], row["account"])
        if provider:
            await self._read(provider, row["id"], self._unseal(row["id"], row["sealed"]))
        return True

    def adapter_of(self, name: str, account: str) -> Provider | None:
        """Find the adapter of a stored notice."""
        for provider in self.by_path.values():
            if (provider.name, provider.account) == (name, account):
                return provider
        return None

    def _unseal(self, notice_id: str, sealed: bytes) -> RawNotice:
        kept = json.loads(self.vault.open(f"notice|{notice_id}|raw", bytes(sealed)))
        return RawNotice(
            kept["method"], kept["query"], kept["headers"], kept["body"].encode("latin-1"),
            datetime.fromisoformat(kept["received_at"]),
        )  # fmt: skip

    async def purge(self) -> int:
        """Forget refused notices after their time; what was believed is kept."""
        before = self.store.clock.now() - refused_kept
        async with self.store.begin() as tx:
            gone = await tx.rows(
                text(
                    "DELETE FROM notice_work WHERE state = 'refused' AND received_at < :before"
                    " RETURNING notice_id"
                ),
                {"before": before},
            )
            await tx.run(
                text("DELETE FROM notice WHERE id = ANY(:ids) AND received_at < :before"),
                {"ids": [r["notice_id"] for r in gone], "before": before},
            )
        return len(gone)
