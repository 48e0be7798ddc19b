"""``thuphi vouchers``: closed days, for the agency's own accounting package."""

import argparse
import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from gateway.domain.errors import Refusal
from gateway.domain.money import figures
from gateway.entry.bootstrap import Parts
from gateway.entry.cli_books import agency_of
from gateway.entry.cli_values import day_of
from gateway.entry.ends import file_words

Opened = AbstractAsyncContextManager[Parts]


async def do_vouchers(args: argparse.Namespace, opened: Opened) -> int:
    """Write the vouchers of closed days into a new file; one that is there is not written over."""
    from reconciliation.vouchers import package_of, write_vouchers

    if args.since > args.upto:
        raise Refusal("invalid-request", "--from is after --to: exchange them.")
    package = package_of(args.mapping)
    async with opened as parts:
        agency = await agency_of(args, parts)
        made = await write_vouchers(parts.store, agency, (args.since, args.upto), package, args.by)
    try:
        with args.file.open("xb") as file:
            file.write(made.content)
    except OSError as error:
        raise Refusal("file-refused", file_words(error)) from None
    said = {
        "file": str(args.file), "lines": made.lines, "entries": made.entries,
        "amount": made.amount, "status": package.status,
    }  # fmt: skip
    if args.json:
        print(json.dumps(said))
        return 0
    print(
        f"{args.file}: {made.lines} lines of {made.entries} entries, {figures(made.amount)} đồng."
    )
    if made.is_illustrative:
        print("The names of accounts are illustrative: have your accountant change the mapping, and"
              " set its status to confirmed.")  # fmt: skip
    return 0


def describe(add: Any, commands: Any, opened: Any) -> None:  # noqa: ANN401, ARG001 - argparse's own types are private.
    """Describe the command to argparse."""
    made = add(
        "vouchers",
        lambda args: do_vouchers(args, opened()),
        "write closed days for an accounting package",
    )
    made.add_argument("file", type=Path, metavar="FILE.csv")
    made.add_argument("--from", dest="since", type=day_of, required=True)
    made.add_argument("--to", dest="upto", type=day_of, required=True)
    made.add_argument("--mapping", type=Path, help="what the package calls our accounts (TOML)")
    made.add_argument("--by", choices=("day", "entry"), default="day")
    made.add_argument("--agency")
