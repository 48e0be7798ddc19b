"""What the code really sends, read from the server's own log, and the same as a pgbench script.

``pg_stat_statements`` is not in the embedded server's wheel, so ``log_statement = all`` counts
instead: the server itself writes down each execution, BEGIN and COMMIT included, with its values.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

LOUD: Final = ("log_statement = 'all'", "log_line_prefix = '@%p %d|'", "log_min_messages = 'log'")
_RECORD: Final = re.compile(r"^@(\d+) (\S*)\|(LOG|DETAIL):  (.*)\Z", re.DOTALL)
_EXECUTE: Final = re.compile(r"(?:execute [^:]*|statement): (.*)\Z", re.DOTALL)
_VALUE: Final = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")
_DOLLAR: Final = re.compile(r"\$(\d+)")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:")


@dataclass(frozen=True, slots=True)
class Sent:
    """One execution, with its values as the server wrote them: None or text."""

    sql: str
    values: tuple[str | None, ...] = ()

    @property
    def words(self) -> str:
        """Give its first line's beginning, for a table."""
        return " ".join(self.sql.split())


async def set_loud(url: str, *, loud: bool) -> None:
    """Make the server write down each statement, or stop it."""
    connection = await asyncpg.connect(url)
    for setting in LOUD:
        name = setting.split(" ", 1)[0]
        await connection.execute(
            f"ALTER SYSTEM SET {setting}" if loud else f"ALTER SYSTEM RESET {name}"
        )
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


def read_log(log: Path, begin: int, database: str) -> list[Sent]:
    """Give what was executed since a place in the log, in order."""
    text = log.read_bytes()[begin:].decode("utf-8", "replace")
    found: list[Sent] = []
    last: dict[str, int] = {}
    for record in re.split(r"\n(?!\t)", text):
        said = _RECORD.match(record.replace("\n\t", "\n"))
        if said is None or said[2] != database:
            continue
        process, kind, words = said[1], said[3], said[4]
        if kind == "DETAIL" and process in last and words.lower().startswith("parameters: "):
            at = last[process]
            found[at] = Sent(found[at].sql, _values(words))
        elif kind == "LOG" and (executed := _EXECUTE.match(words)):
            last[process] = len(found)
            found.append(Sent(executed[1]))
    return found


def _values(words: str) -> tuple[str | None, ...]:
    return tuple(
        None if raw == "NULL" else raw[1:-1].replace("''", "'") for _, raw in _VALUE.findall(words)
    )


def changing(first: Sequence[Sent], second: Sequence[Sent]) -> list[str]:
    """List the first run's texts that differ from run to run: ids, keys, references, hashes."""
    assert [x.sql for x in first] == [x.sql for x in second], "two requests sent other statements"
    found: dict[str, None] = {}
    for one, two in zip(first, second, strict=True):
        for a, b in zip(one.values, two.values, strict=True):
            for text, other in zip(_texts(a), _texts(b), strict=True):
                if text != other and not text.startswith("\\x") and not _INSTANT.match(text):
                    found[text] = None
    return list(found)


def _texts(value: str | None) -> list[str]:
    """Give a value's texts: itself, or the leaves of JSON."""
    if value is None or not value.startswith(("[", "{")):
        return [value] if value else []
    leaves: list[str] = []
    waiting = [json.loads(value)]
    while waiting:
        held = waiting.pop()
        if isinstance(held, dict):
            waiting.extend(held.values())
        elif isinstance(held, list):
            waiting.extend(held)
        elif isinstance(held, str):
            leaves.append(held)
    return leaves


def expressions(texts: Iterable[str], letter: str, variable: str = ":n") -> dict[str, str]:
    """Give each changing text an expression of the same length, unique for each n and letter."""
    made: dict[str, str] = {}
    for serial, text in enumerate(texts):
        # A prefix of its own keeps two texts of one length apart.
        prefix = f"{serial:02}{letter}"
        made[text] = (
            f"('{prefix}' || lpad(({variable})::text, {max(len(text) - len(prefix), 7)}, '0'))"
        )
    return made


def literal(value: str | None) -> str:
    """Write a value so that pgbench finds no variable in it."""
    if value is None:
        return "NULL"
    quoted = value.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a")
    return f"E'{quoted}'"


def _filled(value: str | None, unique: Mapping[str, str]) -> str:
    """Write a value with an expression wherever one of the changing texts stands."""
    if value is None or not unique:
        return literal(value)
    longest_first = sorted(unique, key=len, reverse=True)
    parts = re.split(f"({'|'.join(map(re.escape, longest_first))})", value)
    return "(" + " || ".join(unique.get(x) or literal(x) for x in parts if x or value == "") + ")"


def script(sent: Sequence[Sent], unique: Mapping[str, str], clients: int) -> str:
    """Write the pgbench script: n counts 1, 2, 3, … over all clients, each once."""
    lines = ["\\set i :i + 1", f"\\set n :i * {clients} + :client_id"]
    for one in sent:

        def fill(found: re.Match[str], values: tuple[str | None, ...] = one.values) -> str:
            return _filled(values[int(found[1]) - 1], unique)

        # A cast from a long text to text is no work; the statement stays as it was sent.
        lines.append(" ".join(_DOLLAR.sub(fill, one.sql).rstrip("; \n").split("\n")) + ";")
    return "\n".join(lines) + "\n"


def counted(sent: Sequence[Sent]) -> list[tuple[int, str]]:
    """Count each statement of one request, in the order of first use."""
    return [(n, words) for words, n in Counter(x.words for x in sent).items()]
