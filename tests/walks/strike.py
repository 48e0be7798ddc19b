"""Strikes at the n-th boundary of a walk. As a program: walks in processes that kill themselves.

The program reads orders from its input, a line of JSON each, and does each in a child of its own:
a process that is killed like any other, without a second spent on importing everything anew.
"""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.entry.bootstrap import engine_of
from walks.close import CLOSE
from walks.pay import PAY
from walks.walk import parts_on
from walks.webhooks import WEBHOOKS

WALKS = {walk.name: walk for walk in (PAY, WEBHOOKS, CLOSE)}
EVERY_STATEMENT = "PROOF_EVERY_STATEMENT" in os.environ
_WRITES = re.compile(r"INSERT INTO|DELETE FROM|UPDATE \S+ (\w+ )?SET")


class Boundaries:
    """Counts the boundaries of transactions, or every statement too, and strikes at the n-th.

    A transaction that writes has two, before its commit and after it; one that only reads has one,
    for nothing on disk tells them apart. A statement that is a transaction by itself counts before.
    """

    def __init__(self, engine: AsyncEngine, at: int, strike: Callable[[], None]) -> None:
        """Listen to statements, before each commit, and after each transaction."""
        self.seen, self.at, self.strike = 0, at, strike
        self._writing: WeakSet[Any] = WeakSet()
        event.listen(engine.sync_engine, "before_cursor_execute", self.statement)
        event.listen(engine.sync_engine, "commit", self.commit)
        event.listen(engine.sync_engine.pool, "checkin", self.count)

    def statement(self, connection: Connection, _: object, statement: str, *__: object) -> None:
        """Count a statement that is a transaction by itself; the others when asked to."""
        if _WRITES.search(statement):
            self._writing.add(connection.get_transaction())
        alone = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
        if alone or EVERY_STATEMENT:
            self.count()

    def commit(self, connection: Connection) -> None:
        """Count a commit that has something to make durable."""
        if EVERY_STATEMENT or connection.get_transaction() in self._writing:
            self.count()

    def count(self, *_: object) -> None:
        """Count one, and strike if it is the one."""
        self.seen += 1
        if self.seen == self.at:
            self.strike()


def die() -> None:
    """End at once: nothing is flushed, closed or said."""
    os.kill(os.getpid(), signal.SIGKILL)


def say(word: str) -> None:
    """Say what was acknowledged; the line is out before the next step begins."""
    print(word, flush=True)  # noqa: T201


async def walk_and_die(name: str, url: str, given: dict[str, str], at: int) -> None:
    """Walk until the end, or until killed."""
    engine = engine_of(url)
    parts = parts_on(engine, url, WALKS[name].at)
    Boundaries(engine, at, die)
    await WALKS[name].go(parts, given, say)
    await engine.dispose()


def main() -> None:
    """Do orders until there are no more."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(walk_and_die(**json.loads(line)))
            return
        _, status = os.waitpid(child, 0)
        say(f"ended {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main()
