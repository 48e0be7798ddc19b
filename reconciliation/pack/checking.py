"""Checks an audit pack offline: that nothing was changed, and that the day in it holds together.

First the signature, then each digest; then what a signature does not say: that what is in the pack
adds up. So even whoever holds the agency's key cannot write a day that contradicts itself.
"""

import json
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reconciliation.pack import form
from reconciliation.pack.judging import BrokenPackError, judge

manifest_bytes_max: Final = 1_048_576  # Some names of rules, and of a day's files.
_UNREADABLE: Final = (
    zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, RuntimeError, EOFError,
)  # fmt: skip


class UnreadablePackError(Exception):
    """It is no pack, or not one of a form that is known."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A pack in which nothing is wrong."""

    agency: str
    on: str
    lines: int
    matches: int
    entries: int
    lacking: tuple[str, ...]
    unread_acts: int  # Whose words are left out, so that their seals are linked and not made again.


def is_pack(path: Path) -> bool:
    """Tell an audit pack from another archive, by what its manifest calls itself."""
    try:
        with zipfile.ZipFile(path) as file:
            said = json.loads(_content(file, form.MANIFEST, manifest_bytes_max))
    except _UNREADABLE:
        return False
    version = said.get("version") if isinstance(said, dict) else None
    return isinstance(version, str) and version.startswith("thuphi-audit-pack-")


def check(path: Path, vouched: Callable[[str, str], str]) -> Sound:
    """Check all of it. ``vouched`` gives what a note says, by the key that is named in the pack.

    Raises BrokenPackError, UnreadablePackError, and what ``vouched`` raises.
    """
    try:
        with zipfile.ZipFile(path) as file:
            manifest = _content(file, form.MANIFEST, manifest_bytes_max)
            said = _said(manifest)
            note, key = (_content(file, n).decode() for n in (form.NOTE, form.KEY))
            signed = vouched(note, key)
            if signed != form.vouched_for(said["agency"], said["date"], manifest):
                raise BrokenPackError(f"{form.MANIFEST} is not what was signed.")
            _require_whole(file, said)
            contents = {name: _content(file, name) for name in said["files"]}
        unread = judge(said, contents)
    except _UNREADABLE as error:
        raise UnreadablePackError(f"It is not an audit pack that can be read: {error}") from None
    count = {n: len(form.rows_in(contents[n])) for n in (form.LINES, form.MATCHES, form.ENTRIES)}
    return Sound(
        agency=said["agency"], on=said["date"], lines=count[form.LINES],
        matches=count[form.MATCHES], entries=count[form.ENTRIES], lacking=tuple(said["lacking"]),
        unread_acts=unread,
    )  # fmt: skip


def _said(manifest: bytes) -> dict[str, Any]:
    said: Any = json.loads(manifest)
    if said["version"] != form.VERSION:
        raise ValueError("it is of another version")
    texts = (said["agency"], said["date"], *said["files"].values(), *said["lacking"])
    if not all(isinstance(x, str) for x in texts):
        raise ValueError("its manifest is of another form")
    return dict(said)


def _require_whole(file: zipfile.ZipFile, said: Mapping[str, Any]) -> None:
    """See that the pack holds what its manifest says, byte for byte, and nothing else."""
    names = Counter(info.filename for info in file.infolist())
    wanted = Counter([*said["files"], form.MANIFEST, form.NOTE])
    for name in sorted((names - wanted) + (wanted - names)):
        raise BrokenPackError(f"{name} is there and not named, or named and not there.")
    for name in form.ALWAYS:
        if name not in said["files"]:
            raise BrokenPackError(f"{name} is not there.")
    for name, digest in said["files"].items():
        if form.sha256(_content(file, name)) != digest:
            raise BrokenPackError(f"{name} is not what the manifest says.")


def _content(
    file: zipfile.ZipFile, name: str, bytes_max: int = form.file_bytes_max
) -> bytes:  # fmt: skip
    info = file.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED or info.file_size > bytes_max:
        raise ValueError(f"{name} is longer than it can be, or packed.")
    return file.read(info)
