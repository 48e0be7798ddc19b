"""Rows of many requests, kept together: whoever comes while a statement runs shares the next one.

Nobody waits for company: alone, a request has a statement of its own at once. Under load one commit
carries many, and each still waits until its own rows are on disk.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Table

from gateway.store.tx import Row, Store

Kept = Mapping[Table, Row]  # One row for each table.


@dataclass(slots=True)
class Gathering:
    """Keeps rows of the same tables."""

    store: Store
    _waiting: list[tuple[Kept, asyncio.Future[None]]] = field(default_factory=list, repr=False)
    _sending: asyncio.Task[None] | None = field(default=None, repr=False)

    async def put(self, rows: Kept) -> None:
        """Come back when these rows are committed; raises what kept them from it."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, done))
        if self._sending is None or self._sending.done():
            # A task of its own: whoever hangs up takes nobody else's rows along.
            self._sending = asyncio.create_task(self._send())
        await done

    async def _send(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await self._commit([rows for rows, _ in batch])
            except Exception as error:  # noqa: BLE001 - handed to those who asked.
                await self._one_by_one(batch, error)
            else:
                for _, done in batch:
                    _tell(done)

    async def _one_by_one(
        self, batch: Sequence[tuple[Kept, asyncio.Future[None]]], error: Exception
    ) -> None:
        """Find whose row it was: nobody is refused for another's."""
        for rows, done in batch:
            own: Exception | None = error
            if len(batch) > 1:
                own = await self._failed(rows)
            _tell(done, own)

    async def _failed(self, rows: Kept) -> Exception | None:
        try:
            await self._commit([rows])
        except Exception as error:  # noqa: BLE001 - handed to who asked.
            return error
        return None

    async def _commit(self, all_rows: Sequence[Kept]) -> None:
        async with self.store.once() as tx:
            for table in all_rows[0]:
                await tx.put(table, *(rows[table] for rows in all_rows))


def _tell(done: "asyncio.Future[None]", error: Exception | None = None) -> None:
    """Wake who asked, unless that request is over."""
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
