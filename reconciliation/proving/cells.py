"""Opens what was kept sealed: notices as they arrived, and the bytes of statement files."""

import asyncio
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

# The providers whose notices 20-notices.sql reads; others' are read by their own adapters.
READABLE: Final = ("vnpay", "momo", "zalopay", "vietqr", "payos", "stripe")
# Which reading each profile of files has.
PROFILES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "canonical-provider": "31-provider", "canonical-statement": "32-statement",
        "canonical-treasury": "33-treasury", "stripe-payouts": "34-stripe-payouts",
    }
)  # fmt: skip
_NOTICES: Final = (
    "SELECT n.id, n.provider || '/' || n.account, (extract(epoch FROM n.received_at)"
    " * 1000000)::bigint, n.sealed FROM notice n JOIN notice_work w ON w.notice_id = n.id"
    " AND w.received_at = n.received_at WHERE n.agency_id = $1 AND w.state = 'done'"
)
_FILES: Final = (
    "SELECT id, profile, (extract(epoch FROM taken_at) * 1000000)::bigint AS taken,"
    " content_sealed FROM statement_file WHERE agency_id = $1 AND state = 'taken'"
    " ORDER BY taken_at, id"
)
Opens = Callable[[str, bytes], bytes]
# What an adapter read in a notice of money: number, amount, our name or number of the order, the
# text, when it was paid, the payment that its account stands for.
Word = tuple[str, int, str | None, int | None, str | None, int | None, str | None]
Reads = Callable[[str, bytes], Word | None]  # By the account that the notice came for.


def rules(name: str) -> str:
    """Read one of the calculator's own SQL texts."""
    return files("reconciliation.proving").joinpath("sql", f"{name}.sql").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Cells:
    """Sealed evidence of one agency, and what opens it."""

    source: Any
    base: Any
    opens: Opens
    reads: Reads
    agency_id: str
    notices_batch: int

    async def notices(self) -> int:
        """Read every notice that was believed; gives how many. One that does not open is found."""
        count, text, laid = 0, rules("20-notices"), None
        cursor = await self.source.cursor(_NOTICES, self.agency_id)
        while rows := await cursor.fetch(self.notices_batch):
            count += len(rows)
            opened = [self._open(f"notice|{row[0]}|raw", row[3]) for row in rows]
            if laid:  # Until then the calculator is busy, and takes nothing else.
                await laid
            if None in opened:
                for row, plain in zip(rows, opened, strict=True):
                    if plain is None:
                        self._changed(f"notice {row[0]}")
            self._register([*zip(*rows, strict=True)], opened)
            self._read_others(rows, opened)
            # It is read while the next ones are fetched and opened.
            laid = asyncio.create_task(asyncio.to_thread(self.base.execute, text))
        if laid:
            await laid
        return count

    def _read_others(self, rows: Sequence[Any], opened: Sequence[bytes | None]) -> None:
        """Take the word of an adapter that is not ours, where no text here reads its notices."""
        foreign = {h for h in {row[1] for row in rows} if h.partition("/")[0] not in READABLE}
        for (name, holder, received, _), plain in zip(rows, opened, strict=True):
            if not foreign:
                return
            if plain is None or holder not in foreign:
                continue
            word = self.reads(holder, plain)
            if word:
                self.base.execute(
                    "INSERT INTO word VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [name, holder, received, *word],
                )

    async def files(self) -> int:
        """Read every file that was taken; gives how many."""
        from pyarrow import csv

        rows = await self.source.fetch(_FILES, self.agency_id)
        for row in rows:
            content = self._open(f"statement_file|{row['id']}|content", row["content_sealed"])
            if content is None:
                self._changed(f"statement file {row['id']}")
            if row["profile"] not in PROFILES:
                what = f"statement file {row['id']}: profile {row['profile']} has no reading here"
                self._find(what)
            if content is None or row["profile"] not in PROFILES:
                continue
            header = content.removeprefix(b"\xef\xbb\xbf")
            names = header.partition(b"\n")[0].decode().strip("\r").replace('"', "").split(",")
            table = csv.read_csv(
                io.BytesIO(content),
                parse_options=csv.ParseOptions(newlines_in_values=b'"' in content),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(names, "string"), strings_can_be_null=False
                ),
            )
            self.base.register("content", _numbered(table, may_break=b'"' in content))
            values = {"file": row["id"], "taken": row["taken"]}
            self.base.execute(rules(PROFILES[row["profile"]]), values)
            self.base.unregister("content")
        return len(rows)

    def _open(self, place: str, sealed: bytes) -> bytes | None:
        try:
            return self.opens(place, sealed)
        except ValueError:
            return None

    def _changed(self, what: str) -> None:
        self._find(f"{what} cannot be opened: it was changed or moved")

    def _find(self, what: str) -> None:
        self.base.execute("INSERT INTO finding VALUES (?)", [what])

    def _register(self, columns: Sequence[Sequence[Any]], opened: Sequence[bytes | None]) -> None:
        import pyarrow as pa

        names, holders, received, _ = columns
        plain = pa.array(opened, pa.binary()).cast(pa.string())
        laid = {"id": names, "holder": holders, "received": received, "plain": plain}
        self.base.register("opened", pa.table(laid))


def _numbered(table: Any, *, may_break: bool) -> Any:  # noqa: ANN401 - pyarrow ships no types.
    """Say on which line of the file each record begins; a cell may hold line breaks."""
    import pyarrow as pa
    import pyarrow.compute as pc

    first = pa.array(range(2, table.num_rows + 2), pa.int32())
    if not may_break:
        return table.append_column("line_no", first)
    breaks = pa.array([0] * table.num_rows, pa.int32())
    for column in table.columns:
        breaks = pc.add(breaks, pc.count_substring(column, "\n").combine_chunks())
    before = pc.subtract(pc.cumulative_sum(breaks), breaks)
    return table.append_column("line_no", pc.add(first, before))
