"""One worker that issues what waits, without drawing; says when it began, ended, and how many."""

import asyncio
import os
from time import time

from gateway.entry.bootstrap import running
from gateway.entry.settings import read_settings


async def main() -> None:
    """Issue until nothing waits."""
    settings = read_settings(dict(os.environ), ())
    async with running(settings, os.environ["THUPHI_DATABASE_URL"]) as parts:
        began, done = time(), 0
        while some := await parts.receipts.seal_all():
            done += some
        print(began, time(), done)


if __name__ == "__main__":
    asyncio.run(main())
