"""What the code really sends, as the server says, and the same as a pgbench script.

``log_statement = all`` makes the server write down each execution, BEGIN and COMMIT included, with
its values, of which the script is made. Where the server offers ``pg_stat_statements``, that counts
(CONTRACT 7), and both must agree; the embedded server's wheel has none, so there the log counts.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import asyncpg

preload: Final = "pg_stat_statements"
_MARK: Final = "SELECT 'thuphi bench mark %s'"
mark_s_max: Final = 10.0  # A log collector writes within milliseconds.
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


@dataclass(frozen=True, slots=True)
class Seen:
    """What one request made us send, in order, and how often each statement was counted."""

    sent: list[Sent]
    counts: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Witness:
    """The server's own word on what one database was sent."""

    admin: asyncpg.Connection  # A superuser's, to another database: what it asks is not counted.
    inside: asyncpg.Connection  # To the database itself, for marks.
    database: str
    log: str
    version: str
    counts: bool  # Whether pg_stat_statements is offered.

    @classmethod
    async def of(cls, server: str, inside: str, database: str) -> Self:
        """Open both eyes. Raises with what to do when the log cannot be read."""
        admin = await asyncpg.connect(server)
        log = await admin.fetchval("SELECT coalesce(pg_current_logfile('stderr'), 'log')")
        if await admin.fetchval("SELECT pg_stat_file($1, true)", log) is None:
            raise FileNotFoundError("The server's log is not a file: set logging_collector = on.")
        libraries = await admin.fetchval("SHOW shared_preload_libraries")
        counts = preload in [name.strip() for name in libraries.split(",")]
        if counts:
            await admin.execute(f"CREATE EXTENSION IF NOT EXISTS {preload}")
        version = await admin.fetchval("SHOW server_version")
        return cls(admin, await asyncpg.connect(inside), database, log, version.split()[0], counts)

    @property
    def said(self) -> str:
        """Name who counts."""
        return f"{preload if self.counts else 'the log'} of PostgreSQL {self.version}"

    async def close(self) -> None:
        """Close both."""
        await self.admin.close()
        await self.inside.close()

    async def begin(self) -> int:
        """Forget what was counted; give the place in the log where the next lines come."""
        if self.counts:
            await self.admin.execute(
                f"SELECT {preload}_reset(0, oid, 0) FROM pg_database WHERE datname = $1",
                self.database,
            )
        size: int = await self.admin.fetchval("SELECT (pg_stat_file($1)).size", self.log)
        return size

    async def seen_since(self, begin: int) -> Seen:
        """Give what was executed since; where both count, both must say the same."""
        counts = await self._counts()
        mark = _MARK % begin
        await self.inside.execute(mark)
        async with asyncio.timeout(mark_s_max):
            while mark.encode() not in (said := await self._log(begin)):
                pass  # Asking takes a millisecond; a collector writes a moment later.
        sent = [one for one in read_log(said, self.database) if one.sql != mark]
        if counts is None:
            counts = [(n, words) for words, n in Counter(one.words for one in sent).items()]
        assert sum(n for n, _ in counts) == len(sent), (counts, [one.words for one in sent])
        return Seen(sent, counts)

    async def _log(self, begin: int) -> bytes:
        said: bytes = await self.admin.fetchval(
            "SELECT pg_read_binary_file($1, $2, greatest((pg_stat_file($1)).size - $2, 0))",
            self.log, begin,
        )  # fmt: skip
        return said

    async def _counts(self) -> list[tuple[int, str]] | None:
        if not self.counts:
            return None
        rows = await self.admin.fetch(
            f"SELECT s.query, sum(s.calls)::int AS calls FROM {preload} s JOIN pg_database d"
            " ON d.oid = s.dbid WHERE d.datname = $1 AND s.toplevel GROUP BY s.query"
            " ORDER BY 2 DESC, 1",
            self.database,
        )
        return [(row["calls"], " ".join(row["query"].split())) for row in rows]


def read_log(said: bytes, database: str) -> list[Sent]:
    """Give what a part of the log says was executed, in order."""
    text = said.decode("utf-8", "replace")
    found: list[Sent] = []
    last: dict[str, int] = {}
    for record in re.split(r"\n(?!\t)", text):
        match = _RECORD.match(record.replace("\n\t", "\n"))
        if match is None or match[2] != database:
            continue
        process, kind, words = match[1], match[3], match[4]
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
            for text, other in zip(texts_of(a), texts_of(b), strict=True):
                if text != other and not text.startswith("\\x") and not _INSTANT.match(text):
                    found[text] = None
    return list(found)


def texts_of(value: str | None) -> list[str]:
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
