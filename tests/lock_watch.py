"""Watches every transaction of a running site: locks are taken down the list of locks.py."""

import re
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.store import locks

NAMED = {1: (locks.RUN, locks.REQUEST, locks.DISPUTE), 2: (locks.POSTING, locks.CLOSING),
         4: (locks.MONEY,), 6: (locks.SERIES, locks.LOG), 9: (locks.CASES,)}  # fmt: skip
ROWS = {"shift": 3, "shift_difference": 3, "attempt": 5, "refund": 5, "series": 6, "payment": 7,
        "break": 8}  # fmt: skip
ATTEMPTS, PAYMENTS = ROWS["attempt"], ROWS["payment"]
FREE = 0  # Attempts that nobody else held: whoever waits for nobody may take them at any time.
_NUMBER = re.compile(r"7413\d{3}")
_PLACE_OF = {_NUMBER.findall(str(lock))[0]: place for place, all_ in NAMED.items() for lock in all_}
_ROW = re.compile(
    r"FROM (?P<first>\w+)\b.* FOR (?:NO KEY )?UPDATE(?: OF (?P<named>\w+(?:, \w+)*))?", re.DOTALL
)


def places_of(statement: str) -> list[int]:
    """Give the places in the list of the locks that a statement waits for, as it takes them."""
    named = [_PLACE_OF[n] for n in _NUMBER.findall(statement) if n in _PLACE_OF]
    row = _ROW.search(statement)
    if named or row is None or "SKIP LOCKED" in statement:
        return named
    tables = row["named"].split(", ") if row["named"] else [row["first"]]
    return [ROWS[table] for table in tables if table in ROWS]


@dataclass
class LockWatch:
    """Notes which locks each transaction holds, and who goes back up the list."""

    seen: set[int] = field(default_factory=set)
    back: list[str] = field(default_factory=list)
    _held: WeakKeyDictionary[Any, set[int]] = field(default_factory=WeakKeyDictionary)

    def over(self, engine: AsyncEngine) -> "LockWatch":
        """Watch an engine from now on."""
        event.listen(engine.sync_engine, "before_cursor_execute", self.statement)
        return self

    def statement(self, connection: Any, _cursor: object, statement: str, *_: object) -> None:
        """Note a lock; what is held already may be taken again."""
        held = self._held.setdefault(connection.get_transaction(), set())
        if "FROM attempt" in statement and "SKIP LOCKED" in statement:
            held.add(FREE)
        if 'UPDATE "attempt"' in statement and PAYMENTS in held and not held & {ATTEMPTS, FREE}:
            self.back.append(f"an attempt is changed after {sorted(held)}: {statement}")
        for place in places_of(statement):
            self.seen.add(place)
            if place not in held and held and place < max(held):
                self.back.append(f"{place} is taken after {sorted(held)}: {statement}")
            held.add(place)
