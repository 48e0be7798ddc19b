"""Databases to break: a walk is prepared once, and each point strikes at a copy of its own."""

import os
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import asyncpg
from databases import in_database
from sqlalchemy import text

from gateway.entry.bootstrap import Parts, engine_of
from gateway.infra.clock import TestClock
from gateway.services.invariants import violations
from gateway.store.migrate import migrate
from walks.strike import EVERY_STATEMENT, Boundaries
from walks.walk import Given, Walk, books, outside_of, parts_on
from walks.webhooks import Ear, listening


@dataclass
class Workshop:
    """One walk, prepared; what it must leave; and what was struck where."""

    walk: Walk
    ear: Ear
    server_url: str
    prepared: str = field(default_factory=lambda: f"tp_prepared_{token_hex(5)}")
    given: Given = field(default_factory=dict)
    expected: Mapping[str, list[str]] = field(default_factory=dict)
    struck: Counter[str] = field(default_factory=Counter)

    async def prepare(self) -> None:
        """Prepare the walk, and walk it once undisturbed: so the books must be in the end."""
        await self.sql(f"CREATE DATABASE {self.prepared}")
        async with gateway(self.url(self.prepared), self.walk) as parts:
            await migrate(parts.engine)
            self.given = await self.walk.prepare(parts)
        async with self.copy() as name, gateway(self.url(name), self.walk) as parts:
            await self.end(parts)
            self.expected = await books(parts)

    def url(self, name: str) -> str:
        """Give the address of a copy."""
        return in_database(self.server_url, name)

    @asynccontextmanager
    async def copy(self) -> AsyncIterator[str]:
        """Give a copy; its endpoint is told from the others' by the path of its address."""
        name = f"tp_struck_{token_hex(5)}"
        await self.sql(f"CREATE DATABASE {name} TEMPLATE {self.prepared}")
        await self.sql(f"UPDATE endpoint SET url = '{self.ear.url}/{name}'", name)
        try:
            yield name
        finally:
            await self.sql(f"DROP DATABASE {name} WITH (FORCE)")
            shutil.rmtree(outside_of(self.url(name)), ignore_errors=True)

    async def sql(self, statement: str, name: str = "postgres") -> Any:
        """Say one thing to the server, or to a copy; the connection lives no longer than that."""
        connection = await asyncpg.connect(self.url(name))
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    async def count(self) -> int:
        """Give how many points there are: those of a walk that nothing disturbs."""
        async with self.copy() as name, gateway(self.url(name), self.walk) as parts:
            boundaries = Boundaries(parts.engine, 0, lambda: None)
            await self.walk.go(parts, self.given, lambda _: None)
        return boundaries.seen

    async def end(self, parts: Parts) -> None:
        """Do what clients, banks, workers and accountants do when a crashed one's lease is over."""
        assert isinstance(parts.clock, TestClock)
        parts.clock.move(timedelta(minutes=10))
        await self.walk.go(parts, self.given, lambda _: None)
        await parts.notices.replay()
        await parts.receipts.issue()
        await parts.outbox.sequence()

    async def judge(self, parts: Parts, name: str, said: list[str]) -> None:
        """See that what was acknowledged is there, walk again, and look at the books."""
        async with parts.store.begin() as tx:
            for word in said:
                if promise := self.walk.phases[word]:
                    row = await tx.row(text(f"SELECT ({promise}) AS kept"))
                    assert row == {"kept": True}, f"{word} was acknowledged, and is not there"
        await self.end(parts)
        assert await violations(parts.store) == []
        found = await books(parts)
        for table, rows in self.expected.items():
            assert found[table] == rows, f"{table} differs after {said}: {found[table]} for {rows}"
        await self._heard(parts, name)

    async def _heard(self, parts: Parts, name: str) -> None:
        """See that each event was heard, none before the one ahead of it, few of them twice."""
        async with parts.store.begin() as tx:
            rows = await tx.rows(text("SELECT payment_id, sequence FROM delivery"))
        heard = self.ear.heard[name]
        first = list(dict.fromkeys(heard))
        assert sorted(first) == sorted((r["payment_id"], r["sequence"]) for r in rows)
        for payment in {p for p, _ in first}:
            told = [sequence for p, sequence in first if p == payment]
            assert told == sorted(told), f"an event overtook another: {told}"
        assert len(heard) - len(first) <= len({p for p, _ in first}), "one a payment is under way"

    async def report(self, how: str) -> None:
        """Hand the numbers to the proof that is being written, if one is."""
        where = os.environ.get("PROOF_REPORT")
        if where:
            version = await self.sql("SHOW server_version")
            phases = ", ".join(f"{self.struck[phase]} in {phase}" for phase in self.walk.phases)
            steps = "before every statement, " if EVERY_STATEMENT else ""
            with Path(where).open("a", encoding="utf-8") as out:  # noqa: ASYNC230 - one line, once.
                out.write(
                    f"- `{self.walk.name}`: {how}, {steps}before every commit and after every"
                    f" transaction: {self.struck.total()} points ({phases}); PostgreSQL {version}\n"
                )


@asynccontextmanager
async def opened(walk: Walk, server_url: str) -> AsyncIterator[Workshop]:
    """Open a workshop for a walk."""
    async with listening() as ear:
        shop = Workshop(walk, ear, server_url)
        try:
            await shop.prepare()
            yield shop
        finally:
            await shop.sql(f"DROP DATABASE IF EXISTS {shop.prepared} WITH (FORCE)")
            shutil.rmtree(outside_of(shop.url(shop.prepared)), ignore_errors=True)


@asynccontextmanager
async def gateway(url: str, walk: Walk) -> AsyncIterator[Parts]:
    """Open a gateway on a database."""
    engine = engine_of(url)
    try:
        yield parts_on(engine, url, walk.at)
    finally:
        await engine.dispose()
