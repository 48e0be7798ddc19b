"""``thuphi log``: export what somebody else keeps, and audit everything against such an export."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final

from gateway.domain.errors import Refusal
from gateway.entry.bootstrap import Parts
from gateway.entry.cli_said import say
from gateway.services.invariants import grace
from gateway.store.roles import AUDITOR, WORKER
from receipts.log.audit import Audit, Exported, read_exported, write_leaves
from receipts.log.journal import size_in
from receipts.log.note import ForgedNoteError, LogKey, UnknownSignerError, UnreadableTextError

Opened = Callable[[str], AbstractAsyncContextManager[Parts]]
CHECKPOINT, KEY, LEAVES = "checkpoint", "log-key", "leaves"
file_bytes_max: Final = 1_073_741_824  # Ten million leaves, of a hundred bytes each.
not_trusted: Final = 3  # As ``verify`` says it.


def given(path: Path | None) -> str | None:
    """Read a text file that was named. Raises OSError, and ValueError when it is no text."""
    if path is None:
        return None
    with path.open("rb") as file:
        raw = file.read(file_bytes_max + 1)
    try:
        if len(raw) <= file_bytes_max:
            return raw.decode()
    except UnicodeDecodeError:
        pass
    raise ValueError(f"{path.name} is not a text that can be read.")


def _require_new(folder: Path) -> None:
    """Refuse a folder that holds something: an export of before must not be lost to a later one."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refusal("file-refused", f"{folder} is not an empty folder: name another, and keep"
                      " what was exported before.")  # fmt: skip


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")


async def _export(args: argparse.Namespace, opened: Opened) -> int:
    """Write the newest checkpoint, the log's key and all leaves into a folder of their own."""
    _require_new(args.folder)
    async with opened(AUDITOR) as parts:
        agency, journal = args.agency or parts.settings.default_agency, parts.receipts.journal
        key, note = await journal.key(agency), await journal.checkpoint(agency)
        audit = Audit(parts.store, parts.receipts.trusted)
        leaves = write_leaves(await audit.export(agency, size_in(note)))
    read_exported(note, key, leaves)  # What would be no anchor is not handed out.
    _write(args.folder, {KEY: key.text(), LEAVES: leaves, CHECKPOINT: note})
    say(args, {"log": key.name, "size": size_in(note), "folder": f"{args.folder}"})
    return 0


def _anchor(args: argparse.Namespace, own: LogKey) -> Exported:
    """Read the export that everything is measured against."""
    exported: Path = args.checkpoint
    is_folder = exported.is_dir()
    key_file = args.log_key or (exported / KEY if is_folder else None)
    key = LogKey.of(given(key_file) or "") if key_file else own
    if key.name != own.name:
        raise Refusal("invalid-request", f"It was exported from {key.name}, and this log is"
                      f" {own.name}.")  # fmt: skip
    note = given(exported / CHECKPOINT if is_folder else exported)
    return read_exported(note or "", key, given(exported / LEAVES if is_folder else None))


async def _audit(args: argparse.Namespace, opened: Opened) -> int:
    """Measure the whole log, and each receipt, against an export; exit 1 if anything differs."""
    async with opened(WORKER) as parts:
        agency = args.agency or parts.settings.default_agency
        anchor = _anchor(args, await parts.receipts.journal.key(agency))
        flaws = await Audit(parts.store, parts.receipts.trusted).run(
            agency, anchor, parts.clock.now() - grace
        )
    said = {"log": anchor.checkpoint.origin, "size": anchor.checkpoint.size, "is_whole": not flaws}
    if args.json:
        print(json.dumps(said | {"flaws": [{"kind": f.kind, "what": f.what} for f in flaws]}))
    else:
        say(args, said)
        for flaw in flaws:
            print(f"{flaw.kind:20} {flaw.what}")
    return 1 if flaws else 0


async def _ended(args: argparse.Namespace, work: Callable[..., Any], opened: Opened) -> int:
    """Run, and say in one line what a file is that is no checkpoint, key or leaf."""
    codes = {ForgedNoteError: 1, UnreadableTextError: 2, ValueError: 2,
             UnknownSignerError: not_trusted}  # fmt: skip
    try:
        code: int = await work(args, opened)
    except tuple(codes) as error:
        print(f"thuphi: {error}", file=sys.stderr)
        return codes[type(error)]
    return code


async def do_export(args: argparse.Namespace, opened: Opened) -> int:
    """Export; see ``_export``."""
    return await _ended(args, _export, opened)


async def do_audit(args: argparse.Namespace, opened: Opened) -> int:
    """Audit; see ``_audit``."""
    return await _ended(args, _audit, opened)


def describe(add: Any, commands: Any, opened: Opened) -> None:  # noqa: ANN401 - argparse's own types are private.
    """Describe the commands to argparse."""
    group = commands.add_parser("log", help="the transparency log of receipts")
    under = group.add_subparsers(required=True)
    out = add(
        "export", lambda args: do_export(args, opened),
        "write checkpoint, key and leaves into a new folder, for somebody else to keep", under,
    )  # fmt: skip
    out.add_argument("folder", type=Path, metavar="DIR")
    look = add(
        "audit", lambda args: do_audit(args, opened),
        "measure the log and every receipt against a checkpoint that was exported before", under,
    )  # fmt: skip
    look.add_argument(
        "--checkpoint", type=Path, required=True, metavar="CP",
        help="the folder of an export, which names what differs; or its checkpoint alone",
    )  # fmt: skip
    look.add_argument(
        "--log-key", type=Path, metavar="K",
        help="the log's key; else the one in the folder of the export, or this installation's",
    )  # fmt: skip
    for command in (out, look):
        command.add_argument("--agency", metavar="A", help="the account default's agency if absent")
