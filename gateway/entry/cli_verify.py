"""``thuphi verify``: one file, offline: its signature, its number, and its place in the log.

No database, no key of ours, no network: everything that is believed was given.
"""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

from gateway.entry.cli_log import CHECKPOINT, KEY, LEAVES, given
from gateway.entry.cli_said import say
from gateway.entry.ends import file_words
from gateway.entry.settings import environment
from gateway.infra.clock import SystemClock


async def do_verify(args: argparse.Namespace) -> int:
    """Check a receipt's file; with a proof or an exported checkpoint, its place in the log too."""
    from receipts.verify import Finding, Verdict

    codes = {Verdict.VALID: 0, Verdict.NOT_VALID: 1, Verdict.UNREADABLE: 2, Verdict.NOT_TRUSTED: 3}
    try:
        found = _checked(args)
    except OSError as error:
        found = Finding(Verdict.UNREADABLE, file_words(error))
    except ValueError as error:
        found = Finding(Verdict.UNREADABLE, f"{error}")
    if found.verdict is Verdict.UNREADABLE and not args.json:
        print(f"thuphi: {found.why}", file=sys.stderr)
    else:
        say(args, {"verdict": str(found.verdict), "why": found.why, **found.facts()})
    return codes[found.verdict]


def _checked(args: argparse.Namespace) -> Any:  # noqa: ANN401 - a Finding; its module is read when it is needed.
    """Check all that can be checked with what was given. Raises OSError and ValueError."""
    from gateway.entry.cli_pack import judged
    from receipts.archive import check, is_archive
    from receipts.attached import attached, is_pdf
    from receipts.log.check import check_logged
    from receipts.log.note import LogKey, UnreadableTextError
    from receipts.proof import cut, proven_bytes_max
    from receipts.verify import Finding, Verdict, anchors_of, trusted_in, trusted_of, verify
    from reconciliation.pack.checking import is_pack

    folder = Path(environment(Path.cwd()).get("THUPHI_DATA_DIR", ".data")) / "trust"
    trusted = trusted_of(args.trust) if args.trust else trusted_in(folder)
    if is_archive(args.file):
        try:
            key = LogKey.of(given(args.log_key) or "") if args.log_key else None
        except UnreadableTextError as error:
            return Finding(Verdict.UNREADABLE, str(error))
        return judged(args.file, key) if is_pack(args.file) else check(args.file, trusted, key)
    with args.file.open("rb") as file:
        data = file.read(proven_bytes_max + 1)
    if is_pdf(data):  # The pages are only a picture; what is signed is attached.
        data = attached(data) or b""
    found = verify(data, trusted, anchors_of(args.trust or [folder]), SystemClock().now())
    if not (args.checkpoint or args.proof or args.log_key or args.consistency):
        return found
    try:
        return check_logged(found, cut(data)[0], _evidence(args))
    except UnreadableTextError as error:
        return Finding(Verdict.UNREADABLE, str(error))


def _evidence(args: argparse.Namespace) -> Any:  # noqa: ANN401 - the same.
    from receipts.log.audit import read_leaves
    from receipts.log.check import Evidence
    from receipts.log.note import LogKey, UnreadableTextError

    exported = args.checkpoint if args.checkpoint and args.checkpoint.is_dir() else None
    key = args.log_key or (exported and exported / KEY)
    if key is None:
        raise UnreadableTextError("Name the log's key, which you trust, as --log-key.")
    note = (exported / CHECKPOINT) if exported else args.checkpoint
    leaves = given(exported and exported / LEAVES)
    return Evidence(
        key=LogKey.of(given(key) or ""), checkpoint=given(note), proof=given(args.proof),
        link=given(args.consistency),
        entries=[x.digest for x in read_leaves(leaves)] if leaves is not None else None,
    )  # fmt: skip


_FILES: Final = (
    ("--proof", "PROOF", "its .tlog-proof, from its page, its PDF or the log"),
    ("--checkpoint", "CP", "a checkpoint that was exported before, or the folder of that export"),
    ("--log-key", "K", "the log's key; else the one in the folder of the export"),
    ("--consistency", "FILE", "how the log grew between the two checkpoints, from the log"),
)


def describe(add: Any) -> None:  # noqa: ANN401 - argparse's own types are private.
    """Describe the command to argparse."""
    check = add(
        "verify",
        do_verify,
        "check a receipt's XML or PDF file, an archive or an audit pack, offline",
    )
    check.add_argument("file", type=Path)
    check.add_argument(
        "--trust", type=Path, metavar="CERT", action="append",
        help="a certificate (PEM) to trust, or a folder of them; else the data folder's trust/",
    )  # fmt: skip
    for name, metavar, words in _FILES:
        check.add_argument(name, type=Path, metavar=metavar, help=words)
