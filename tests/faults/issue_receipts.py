"""A process of its own that issues receipts until nothing is left; killed by the test beside it."""

import asyncio
import sys
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import create_async_engine

from gateway.infra.clock import TestClock
from gateway.infra.vault import MasterVault
from gateway.store.tx import Store
from receipts.outside import Outside
from receipts.service import Receipts


async def main(url: str, public_url: str, now: str, folder: str) -> None:
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=1, max_overflow=0
    )
    clock = TestClock(datetime.fromisoformat(now))
    store = Store(engine, clock, public_url)
    receipts = Receipts(store, MasterVault.of(bytes(range(32))), Outside(Path(folder)))
    print("ready", flush=True)  # noqa: T201 - the test waits for it.
    await receipts.issue()
    await engine.dispose()


asyncio.run(main(*sys.argv[1:]))
