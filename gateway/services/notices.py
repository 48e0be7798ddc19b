"""Notices: kept raw and sealed before anyone reads them, thanked only after commit."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, text

from gateway.domain.errors import ForgedError, Refusal
from gateway.ports.provider import Ack, Notice, Outcome, Provider, RawNotice
from gateway.ports.vault import Vault
from gateway.services.captures import Captures
from gateway.services.disputes import Disputes
from gateway.services.refund_sender import RefundSender
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx

refused_kept: Final = timedelta(days=30)
replay_batch: Final = 50
replay_pause: Final = timedelta(seconds=60)
replay_tries_max: Final = 20  # Then a person looks; the notice stays where it is.


@dataclass(frozen=True, slots=True)
class Notices:
    """The door that providers knock on."""

    store: Store
    vault: Vault
    captures: Captures
    by_path: Mapping[tuple[str, str], Provider]  # (path name, account) -> provider
    former: Mapping[tuple[str, str], Provider]  # The same with the secrets of before a rotation.
    ask: Callable[[Row, datetime], Awaitable[object]]  # Asks a provider about one attempt, now.
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
        async with self.store.once() as tx:
            await tx.put(
                t.notice,
                {"id": notice_id, "received_at": raw.received_at,
                 "agency_id": self.captures.agency_of(provider), "provider": provider.name,
                 "account": provider.account, "source": source,
                 "sealed": self.vault.seal(f"notice|{notice_id}|raw", plain),
                 "hash": hashlib.sha256(raw.query.encode() + b"\n" + raw.body).hexdigest()},
            )  # fmt: skip
            await tx.put(
                t.notice_work,
                {"notice_id": notice_id, "received_at": raw.received_at, "state": "stored",
                 "tries": 0, "due_at": raw.received_at + replay_pause},
            )  # fmt: skip
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
            return await self.disputes.told(tx, provider, said, said.dispute)
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
        """Take up what was stored and never finished, because we fell over in between."""
        now = self.store.clock.now()
        w, n = t.notice_work.c, t.notice.c
        async with self.store.begin() as tx:
            rows = await tx.rows(
                select(t.notice, w.tries)
                .join(t.notice_work, (w.notice_id == n.id) & (w.received_at == n.received_at))
                .where(w.state == "stored", w.due_at <= now, w.tries < replay_tries_max)
                .limit(replay_batch)
                .with_for_update(skip_locked=True, of=t.notice_work)
            )
            for row in rows:
                await tx.run(
                    t.notice_work.update().where(w.notice_id == row["id"])
                    .values(tries=row["tries"] + 1, due_at=now + replay_pause * (row["tries"] + 1))
                )  # fmt: skip
        for row in rows:
            provider = self.adapter_of(row["provider"], row["account"])
            if provider:
                await self._read(provider, row["id"], self._unseal(row["id"], row["sealed"]))
        return len(rows)

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
