"""Writes that wait, and leave together: one statement for all rows of a step, whatever the tables.

A round trip costs more than the row it carries, so ``Tx`` gathers inserts and changes and sends
them before it reads again or commits. Foreign keys are checked at the end of a statement, so a
payment and its lines may stand in the same one; two changes of one table never do, for PostgreSQL
keeps only one of them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Table

from gateway.store import tables as t

Row = Mapping[str, Any]

# The same evidence, advice or case again adds nothing.
_QUIET: Final = {
    "evidence": " ON CONFLICT DO NOTHING",
    "credit_advice": " ON CONFLICT DO NOTHING",
    "break": " ON CONFLICT (agency_id, kind, subject) DO NOTHING",
}


def _plain(value: object) -> str:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(type(value).__name__)


@dataclass(slots=True)
class Waiting:
    """What was decided and not sent yet."""

    puts: dict[str, list[Row]] = field(default_factory=dict, repr=False)
    changes: dict[str, tuple[tuple[str, ...], Row]] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return bool(self.puts or self.changes)

    def touches(self, table: Table) -> bool:
        """Tell whether something waits for this table."""
        return table.name in self.puts or table.name in self.changes

    def statement(self) -> tuple[str, tuple[str, ...]]:
        """Give the one statement and its values; nothing waits afterwards."""
        inserts = tuple((name, tuple(rows[0])) for name, rows in self.puts.items())
        changes = tuple((name, key, tuple(row)) for name, (key, row) in self.changes.items())
        sent: Iterable[object] = [*self.puts.values(), *(row for _, row in self.changes.values())]
        values = tuple(json.dumps(rows, ensure_ascii=False, default=_plain) for rows in sent)
        self.puts.clear()
        self.changes.clear()
        return _statement(inserts, changes), values


@cache
def _statement(
    inserts: tuple[tuple[str, tuple[str, ...]], ...],
    changes: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...],
) -> str:
    parts: list[str] = []
    for name, columns in inserts:
        table, listed = _quoted(name), _listed(columns)
        parts.append(
            f"INSERT INTO {table} ({listed}) SELECT {listed}"
            f" FROM json_populate_recordset(NULL::{table}, ${len(parts) + 1}::json)"
            f"{_QUIET.get(name, '')}"
        )
    for name, key, columns in changes:  # One row, and the planner knows: it goes by the index.
        table = _quoted(name)
        assigned = ", ".join(f'"{c}" = r."{c}"' for c in columns if c not in key)
        same = " AND ".join(f'w."{c}" = r."{c}"' for c in key)
        parts.append(
            f"UPDATE {table} w SET {assigned}"
            f" FROM json_populate_record(NULL::{table}, ${len(parts) + 1}::json) r WHERE {same}"
        )
    *before, last = parts
    named = ", ".join(f"w{n} AS ({part})" for n, part in enumerate(before, 1))
    return f"WITH {named} {last}" if named else last


def _quoted(name: str) -> str:
    if name not in t.metadata.tables:
        raise KeyError(name)
    return f'"{name}"'


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(f'"{c}"' for c in columns)
