"""Seals everything anew and kills itself before its n-th commit, the hard way."""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime

from sqlalchemy import event
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.infra.clock import TestClock
from gateway.infra.vault import MasterVault
from gateway.services import reseal
from gateway.store.tx import Store

OLD, NEW = bytes(range(32)), bytes(range(1, 33))


async def main(url: str, at: int) -> None:
    """Go on until killed, or done."""
    engine = create_async_engine(url)
    seen = 0

    def commit(_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine.sync_engine, "commit", commit)
    store = Store(engine, TestClock(datetime(2026, 11, 18, tzinfo=UTC)), "http://127.0.0.1")
    await reseal.Reseal(store, MasterVault.of(NEW, OLD)).run()
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
