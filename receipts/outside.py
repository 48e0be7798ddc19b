"""What the database must never forget, kept outside it: a file a day, written before it is told.

A database that was restored from a backup does not know which numbers it gave since. The files do:
each line is on disk before the transaction that it speaks of is committed, so nobody has seen what
is not here. Lines are only ever appended. Of two lines about one thing the last counts, for the
earlier one's transaction was rolled back. A line that was cut off was never acknowledged.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Any, Final

NUMBERED, SEALED, LOGGED, MARK = "numbered", "sealed", "logged", "mark"
YEAR, ERASED = "year", "erased"  # A key that payers' own are sealed by; a payer who was erased.
# Marks are repeated at the head of each new file; a clock that lags still writes into the last.
files_with_marks: Final = 3
unfinished_s: Final = 3600  # A file that nobody wrote to for so long is finished by nobody.
digest_chars: Final = 64
fields_in_line: Final = 6
day_chars: Final = len("2026-11-18")
thin_name: Final = ".thin.receipts"
Series = tuple[str, str]  # Form and symbol.


@dataclass(frozen=True, slots=True)
class Record:
    """One line: what it is about, and all that is needed to write it into a database again."""

    kind: str
    form: str
    series: str
    number: int  # Of a receipt; of leaves: the first one's place; of a key: its year.
    body: dict[str, Any] = field(repr=False)

    def line(self) -> bytes:
        """Write it, with its own digest at the end, so that one that was cut off is seen."""
        said = json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))
        text = f"{self.kind}\t{self.form}\t{self.series}\t{self.number}\t{said}".encode()
        return text + b"\t" + hashlib.sha256(text).hexdigest().encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stands, so that a month of them need not be held in memory."""

    path: Path
    offset: int
    length: int


@dataclass(slots=True)
class Outside:
    """The folder outside the database; all workers write into one."""

    folder: Path
    days: int = 35  # How far back the oldest backup goes that somebody may restore.
    _read_to: dict[Path, int] = field(default_factory=dict, repr=False)
    _marks: dict[str, dict[Series, int]] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def agencies(self) -> list[str]:
        """Name the agencies that something is kept of."""
        return sorted(p.name for p in self.folder.iterdir()) if self.folder.is_dir() else []

    def keep(self, agency_id: str, on: date, records: Sequence[Record], name: str = "") -> None:
        """Append to the day's file, and come back when it is on the disk. Raises OSError."""
        folder = self.folder / agency_id
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / (name or f"{on}.receipts")
        marks = self.marks(agency_id)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            size = os.fstat(handle).st_size
            if size == 0:
                head = [Record(MARK, *series, last, {}) for series, last in marks.items()]
                records = [*head, *records]
            is_cut = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            _write(handle, b"\n" * is_cut + b"".join(record.line() for record in records))
            os.fsync(handle)
        finally:
            os.close(handle)  # The lock goes with it.
        if size == 0:
            for made in (folder, self.folder):
                _sync_names(made)

    def begin(self, agency_id: str, name: str, on: date) -> None:
        """Give a file that was written under another name its own, now that it is whole."""
        folder = self.folder / agency_id
        (folder / name).rename(folder / f"{on}.begun.receipts")
        _sync_names(folder)

    def thin(self, agency_id: str, before: date) -> int:
        """Let go of what was kept before a day, but for how far each series came; count the files.

        What is erased is then in no file any more, as in no backup of before that day; nor in one
        that was cut off while it was written.
        """
        self._drop_unfinished(agency_id)
        marks, files = self.marks(agency_id), self._files(agency_id)
        old = [p for p in files if p.name[:day_chars] < before.isoformat()]
        full = [p for p in old if not p.name.endswith(thin_name)]
        if not full:
            return 0
        thin = full[-1].with_name(full[-1].name[:day_chars] + thin_name)
        fresh = thin.with_name(f".thin.{os.getpid()}")
        with fresh.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.writelines(Record(MARK, *s, last, {}).line() for s, last in sorted(marks.items()))
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(thin)
        for path in old:
            if path != thin:
                path.unlink()
        _sync_names(thin.parent)
        return len(full)

    def _drop_unfinished(self, agency_id: str) -> None:
        for path in (self.folder / agency_id).glob(".*"):
            if time.time() - path.stat().st_mtime > unfinished_s:
                path.unlink()

    def marks(self, agency_id: str) -> dict[Series, int]:
        """Say how far each series has come: the highest number that was sealed, by the files."""
        with self._lock:
            paths = self._files(agency_id)[-files_with_marks:]
            known = self._marks.setdefault(agency_id, {})
            gone = [p for p in self._read_to if p.parent.name == agency_id and not p.exists()]
            if gone:  # Somebody took files away: what is left is all that counts.
                known.clear()
                for path in [p for p in self._read_to if p.parent.name == agency_id]:
                    del self._read_to[path]
            for path in paths:
                for kind, series, number, place in _lines(path, self._read_to.get(path, 0)):
                    self._read_to[path] = place.offset + place.length
                    if kind in (SEALED, MARK):
                        known[series] = max(known.get(series, 0), number)
            return dict(known)

    def index(self, agency_id: str, since: date | None) -> Iterator[tuple[str, Series, int, Place]]:
        """List the lines of all days since one, in the order in which they were written."""
        for path in self._files(agency_id):
            if since is None or path.name[:day_chars] >= since.isoformat():
                yield from _lines(path, 0)

    def at(self, place: Place) -> dict[str, Any]:
        """Read one line again, and see that it is whole. Raises ValueError."""
        with place.path.open("rb") as file:
            file.seek(place.offset)
            text, _, digest = file.read(place.length).rstrip(b"\n").rpartition(b"\t")
        if hashlib.sha256(text).hexdigest().encode() != digest:
            raise ValueError(f"{place.path} was changed: a line of it is not what was written.")
        body: dict[str, Any] = json.loads(text.split(b"\t", fields_in_line - 2)[-1])
        return body

    def _files(self, agency_id: str) -> list[Path]:
        folder = self.folder / agency_id
        return sorted(folder.glob("*.receipts")) if folder.is_dir() else []


def _lines(path: Path, start: int) -> Iterator[tuple[str, Series, int, Place]]:
    """Read the heads of what is whole, from a place on."""
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                return  # Still being written, or cut off by a crash.
            place, start = Place(path, start, len(line)), start + len(line)
            *head, rest = line.split(b"\t", fields_in_line - 2)
            is_whole = len(rest.rpartition(b"\t")[2]) == digest_chars + 1
            if len(head) == fields_in_line - 2 and is_whole:
                kind, form, series, number = (x.decode() for x in head)
                yield kind, (form, series), int(number), place


def _write(handle: int, data: bytes) -> None:
    """Write all of it; a disk that is full says so."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _sync_names(folder: Path) -> None:
    """Bring a new file's name to the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # Some file systems sync no folders; they need not.
            os.fsync(handle)
    finally:
        os.close(handle)
