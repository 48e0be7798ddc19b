"""The receipts of a period as one file that proves itself: written here, and checked offline.

Nothing in it depends on when or where it was written: files are stored as they are, in the order of
their numbers, under one date; the same receipts and the same checkpoint give the same bytes.
"""

import hashlib
import json
import zipfile
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.store.tx import Row, Store
from receipts.log.check import NotLoggedError, require_included
from receipts.log.journal import Journal, size_in
from receipts.log.note import (
    ForgedNoteError,
    LogKey,
    Proof,
    UnknownSignerError,
    UnreadableTextError,
)
from receipts.proving import grown
from receipts.verify import Finding, Verdict, verify

MANIFEST, CHECKPOINT, KEY = "manifest.json", "checkpoint", "log-key"
VERSION: Final = "thuphi-receipts-1"
page: Final = 50  # Their PDFs are in memory together.
file_bytes_max: Final = 16_777_216  # A signed PDF with forty renewals has a few megabytes.
manifest_bytes_max: Final = 1_073_741_824  # Three million receipts.
_DATE: Final = (1980, 1, 1, 0, 0, 0)  # The first that the form can say.
_PERIOD: Final = text(
    "SELECT agency_id, id, form, series, number, xml, pdf, leaf_index FROM receipt"
    " WHERE agency_id = :agency AND issued_on BETWEEN :first AND :last"
    " AND (form, series, number) > (:form, :series, :number)"
    " ORDER BY form, series, number LIMIT :page"
)


class BrokenArchiveError(Exception):
    """It is not a whole archive; the sentence says what is wrong."""


# What reading a file can raise that somebody made or broke: locked ones are a RuntimeError too.
_UNREADABLE: Final = (
    zipfile.BadZipFile, UnreadableTextError, KeyError, ValueError, RuntimeError, EOFError,
)  # fmt: skip


@dataclass(slots=True)
class _Writing:
    """An archive that is being written, and the digests of what is in it."""

    file: zipfile.ZipFile
    files: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, content: bytes) -> None:
        self.file.writestr(zipfile.ZipInfo(name, _DATE), content)
        self.files[name] = hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Archive:
    """Writes the receipts of a period into one file."""

    store: Store
    journal: Journal
    proven: Callable[[str, str, bytes], Awaitable[bytes]]  # Of a receipt: its file with evidence.

    async def write(self, agency_id: str, first: date, last: date, path: Path) -> int:
        """Write it, page by page; give how many receipts. Raises Refusal."""
        key = await self.journal.key(agency_id)
        note = await self.journal.checkpoint(agency_id)
        part = path.with_name(f".{path.name}.part")
        _require_new(path)
        try:
            with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as file:
                writing, count = _Writing(file), 0
                after = {"form": "", "series": "", "number": 0}
                period = {"agency": agency_id, "first": first, "last": last, "page": page}
                while rows := await self._page(period | after, size_in(note)):
                    for row in rows:
                        await self._one(writing, row, size_in(note))
                    after = {name: rows[-1][name] for name in after}
                    count += len(rows)
                writing.put(CHECKPOINT, note.encode())
                writing.put(KEY, key.text().encode())
                said = {
                    "version": VERSION, "agency": agency_id, "from": first.isoformat(),
                    "to": last.isoformat(), "receipts": count, "files": writing.files,
                }  # fmt: skip
                content = json.dumps(said, ensure_ascii=False, indent=1).encode()
                file.writestr(zipfile.ZipInfo(MANIFEST, _DATE), content)
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
        return count

    async def _page(self, values: Mapping[str, Any], size: int) -> list[Row]:
        async with self.store.begin() as tx:
            rows = list(await tx.rows(_PERIOD, values))
        for row in rows:
            if row["pdf"] is None or row["leaf_index"] is None:
                raise Refusal("file-refused", f"{_named(row)} is not sealed, logged and drawn yet:"
                              " try again when the worker has done it.")  # fmt: skip
            if row["leaf_index"] >= size:
                raise Refusal("file-refused", f"{_named(row)} was issued while this was written:"
                              " try again, or end the period before today.")  # fmt: skip
        return rows

    async def _one(self, writing: _Writing, row: Row, size: int) -> None:
        name, xml = f"receipts/{_file(row)}", bytes(row["xml"])
        proof = await self.journal.proof(row["agency_id"], row["leaf_index"], size)
        proven = await self.proven(row["agency_id"], row["id"], xml)
        async with self.store.begin() as tx:
            pdf = await grown(tx, row["agency_id"], row["id"], bytes(row["pdf"]))
        writing.put(f"{name}.xml", xml)
        if proven != xml:
            writing.put(f"{name}.proven.xml", proven)
        writing.put(f"{name}.pdf", pdf)
        writing.put(f"{name}.tlog-proof", proof.text().encode())


def _require_new(path: Path) -> None:
    if path.exists():
        raise Refusal("file-refused", f"{path} is there already: name another.")


def _named(row: Row) -> str:
    return f"{row['form']} {row['series']} {row['number']}"


def _file(row: Row) -> str:
    return f"{row['form']}_{row['series']}_{row['number']:08}"


def is_archive(path: Path) -> bool:
    """Tell an archive from a receipt, by its first bytes."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def check(path: Path, trusted: Collection[str], key: LogKey | None) -> Finding:
    """Check every digest, seal, number and proof."""
    try:
        count, unknown = _counted(path, trusted, key)
    except _UNREADABLE as error:
        return Finding(Verdict.UNREADABLE, f"It is not an archive of receipts: {error}")
    except UnknownSignerError as error:
        return Finding(Verdict.NOT_TRUSTED, str(error))
    except (BrokenArchiveError, ForgedNoteError, NotLoggedError) as error:
        return Finding(Verdict.NOT_VALID, str(error))
    if unknown or key is None:
        lacks = "the log's key, as --log-key" if key is None else "their signers, with --trust"
        why = f"All {count} receipts are whole; that they are whose they say, nobody vouches: name"
        return Finding(Verdict.NOT_TRUSTED, f"{why} {lacks}.")
    why = f"All {count} receipts are whole, numbered without a gap, and in their log."
    return Finding(Verdict.VALID, why)


def _counted(path: Path, trusted: Collection[str], key: LogKey | None) -> tuple[int, int]:
    """Check all of it; give how many receipts there are, and how many of unknown signers."""
    with zipfile.ZipFile(path) as file:
        said = _manifest(file)
        held = key or LogKey.of(_text(file, KEY))
        unknown, numbers = 0, defaultdict(list)
        for name in [n for n in said["files"] if n.endswith(".xml") and ".proven." not in n]:
            found = _receipt(file, name, trusted, held)
            unknown += found.verdict is Verdict.NOT_TRUSTED
            if (r := found.receipt) is not None:
                _require_named(said, name, r.form, r.series, r.number, r.issued_on)
                numbers[r.form, r.series].append(r.number)
    _require_dense(numbers)
    count = sum(map(len, numbers.values()))
    if count != said["receipts"]:
        raise BrokenArchiveError("Its manifest counts other receipts than are in it.")
    return count, unknown


def _manifest(file: zipfile.ZipFile) -> dict[str, Any]:
    """Read the manifest, and see that the archive holds what it says, byte for byte."""
    names = Counter(info.filename for info in file.infolist())
    said: Any = json.loads(_content(file, MANIFEST, manifest_bytes_max))
    if not isinstance(said, dict) or said.get("version") != VERSION:
        raise ValueError("it is of another version.")
    if not (
        isinstance(said["files"], dict)
        and isinstance(said["receipts"], int)
        and all(isinstance(x, str) for x in (said["from"], said["to"], *said["files"].values()))
    ):
        raise ValueError("its manifest is of another form.")
    if names != Counter([*said["files"], MANIFEST]):
        raise BrokenArchiveError("It holds other files than its manifest names.")
    for name, digest in said["files"].items():
        if hashlib.sha256(_content(file, name)).hexdigest() != digest:
            raise BrokenArchiveError(f"{name} is not what the manifest says.")
    return said


def _receipt(file: zipfile.ZipFile, name: str, trusted: Collection[str], key: LogKey) -> Finding:
    xml = _content(file, name)
    found = verify(xml, trusted)
    if found.receipt is None or found.verdict is Verdict.NOT_VALID:
        raise BrokenArchiveError(f"{name}: {found.why}")
    proof = Proof.of(_text(file, f"{name.removesuffix('.xml')}.tlog-proof"))
    if proof.note != _text(file, CHECKPOINT):
        raise BrokenArchiveError(f"{name} is proved in another checkpoint than the archive's.")
    require_included(xml, proof, key)
    return found


def _require_named(
    said: Mapping[str, Any], name: str, form: str, series: str, number: int, on: date
) -> None:
    if name != f"receipts/{_file({'form': form, 'series': series, 'number': number})}.xml":
        raise BrokenArchiveError(f"{name} is another receipt than its name says.")
    if not said["from"] <= on.isoformat() <= said["to"]:
        raise BrokenArchiveError(f"{name} is not of the period.")


def _require_dense(numbers: Mapping[tuple[str, str], list[int]]) -> None:
    """See that no number is missing: with the number the time rises, so a period is one piece."""
    for (form, series), given in numbers.items():
        for number in sorted(set(range(min(given), max(given) + 1)).difference(given)):
            raise BrokenArchiveError(f"{form} {series} {number} is missing.")


def _content(file: zipfile.ZipFile, name: str, bytes_max: int = file_bytes_max) -> bytes:
    info = file.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED or info.file_size > bytes_max:
        raise ValueError(f"{name} is larger than it can be, or packed.")
    return file.read(info)


def _text(file: zipfile.ZipFile, name: str) -> str:
    return _content(file, name).decode()
