"""``thuphi receipts``: what is done with an agency's receipts as a whole."""

import argparse
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from gateway.domain.errors import Refusal
from gateway.entry.bootstrap import Parts
from gateway.entry.cli_said import say
from gateway.entry.cli_values import day_of
from receipts.archive import Archive
from receipts.restoring import Restoring
from receipts.rules import KINDS
from receipts.series import TakenOver, take_over

Opened = AbstractAsyncContextManager[Parts]
ACTOR: Final = "command line"


async def do_restore(args: argparse.Namespace, opened: Opened) -> int:
    """Take in what a restored database has forgotten, of one agency or of all, each by itself."""
    found, refused = {}, {}
    async with opened as parts:
        r = parts.receipts
        kept = r.outside.agencies()
        if args.agency and args.agency not in kept:
            raise Refusal("not-found", f"Nothing is kept of {args.agency} in {r.outside.folder}.")
        restoring = Restoring(parts.store, parts.vault, r.keys, r.journal, r.outside)
        for agency in [args.agency] if args.agency else kept:
            try:
                found[agency] = asdict(await restoring.run(agency, ACTOR))
            except Refusal as refusal:
                refused[agency] = refusal.detail
    if args.json and found:
        say(args, {"restored": found})
    for agency, counts in ({} if args.json else found).items():
        said = ", ".join(f"{count} {what}" for what, count in counts.items())
        say(args, {agency: f"came back: {said}"})
    if refused:
        wrong = "; ".join(f"{agency}: {detail}" for agency, detail in refused.items())
        raise Refusal("file-refused", f"Nothing came back of {wrong}")
    return 0


async def do_series(args: argparse.Namespace, opened: Opened) -> int:
    """Let a series of an agency's go on that was numbered elsewhere."""
    said = TakenOver(args.branch, args.kind, (args.form, args.series), args.last)
    async with opened as parts:
        await take_over(parts.store, args.agency, said, ACTOR)
    say(args, {"series": f"{args.form} {args.series}", "next": args.last + 1})
    return 0


async def do_export(args: argparse.Namespace, opened: Opened) -> int:
    """Write the receipts of a period into one file."""
    if args.first > args.last:
        raise Refusal("invalid-request", "--from is after --to: nothing lies between.")
    async with opened as parts:
        archive = Archive(parts.store, parts.receipts.journal, parts.proofs.proven)
        count = await archive.write(args.agency, args.first, args.last, args.file)
    say(args, {"receipts": count, "file": f"{args.file}"})
    return 0


def describe(add: Any, commands: Any, opened: Any) -> None:  # noqa: ANN401 - argparse's own types are private.
    """Describe the commands to argparse."""
    group = commands.add_parser("receipts", help="receipts").add_subparsers(required=True)
    back = add(
        "restore", lambda args: do_restore(args, opened()),
        "after a backup was restored, take in the receipts that were given out since", group,
    )  # fmt: skip
    back.add_argument("--agency", metavar="A", help="all that something is kept of if absent")
    over = add(
        "series", lambda args: do_series(args, opened()),
        "go on with a series that was numbered on paper or in another system until now", group,
    )  # fmt: skip
    out = add(
        "export", lambda args: do_export(args, opened()),
        "write the receipts of a period, with proofs and a manifest, into one archive", group,
    )  # fmt: skip
    out.add_argument("--agency", required=True, metavar="A")
    for name, dest in (("--from", "first"), ("--to", "last")):
        out.add_argument(name, dest=dest, type=day_of, required=True, metavar="YYYY-MM-DD")
    out.add_argument("file", type=Path, metavar="FILE.zip")
    for name, metavar in (("agency", "A"), ("branch", "B"), ("form", "F"), ("series", "S")):
        over.add_argument(f"--{name}", required=True, metavar=metavar)
    over.add_argument("--kind", required=True, choices=KINDS)
    over.add_argument("--last", required=True, type=int, metavar="N", help="given elsewhere")
