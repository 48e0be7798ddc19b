"""``thuphi erase``: asks to erase what is kept of a payer; an officer agrees in the console."""

import argparse
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from gateway.entry.bootstrap import Parts
from gateway.entry.cli_said import say
from gateway.services.erasure import Erasure

Opened = AbstractAsyncContextManager[Parts]
ACTOR: Final = "command line"


async def do_erase(args: argparse.Namespace, opened: Opened) -> int:
    """Ask to erase the payer of a payment, or of a dossier's payments."""
    async with opened as parts:
        work = Erasure(parts.store, parts.vault)
        ids = [args.payment] if args.payment else await work.of_dossier(args.agency, args.dossier)
        made = await work.ask(args.agency, ids, args.reason, ACTOR)
        shelf = parts.receipts.shelf
        named = [
            f"{r['series']} {r['number']}" for i in ids for r in await shelf.naming(args.agency, i)
        ]
    said: dict[str, Any] = {"asked": made, "payments": ids, "names_stay_on": named}
    if not args.json:
        said["next"] = "an accountant or approver decides in the console, under /console/erasures"
    say(args, said)
    return 0


def describe(add: Any, _commands: Any, opened: Any) -> None:  # noqa: ANN401 - argparse's own types are private.
    """Describe the command to argparse."""
    erase = add(
        "erase", lambda args: do_erase(args, opened()),
        "ask to destroy the key of a payer's data; a second person agrees in the console",
    )  # fmt: skip
    erase.add_argument("--agency", required=True, metavar="A")
    which = erase.add_mutually_exclusive_group(required=True)
    which.add_argument("--payment", metavar="ID")
    which.add_argument("--dossier", metavar="ID")
    erase.add_argument("--reason", required=True)
