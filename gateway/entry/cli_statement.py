"""``thuphi statement``: what a procedure system's payments came to, as a file."""

import argparse
import csv
import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from gateway.domain.errors import Refusal
from gateway.domain.money import figures
from gateway.domain.texts import cell_of
from gateway.entry.bootstrap import Parts
from gateway.entry.cli_books import agency_of
from gateway.entry.cli_values import day_of
from gateway.entry.ends import file_words
from gateway.services.client_statements import ClientStatements, Period

Opened = AbstractAsyncContextManager[Parts]


async def do_statement(args: argparse.Namespace, opened: Opened) -> int:
    """Write every movement of a period into a new file; one that is there is not written over."""
    from gateway.entry.web.export_columns import STATEMENT  # The same file as the console's.

    names = [column.name for column in STATEMENT]
    if args.since > args.upto:
        raise Refusal("invalid-request", "--from is after --to: exchange them.")
    async with opened as parts:
        agency = await agency_of(args, parts)
        statements = ClientStatements(parts.store)
        client = await statements.named(agency, args.client) if args.client else ""
        period = Period(agency, args.since, args.upto, client)
        try:
            with args.file.open("x", encoding="utf-8-sig", newline="") as file:
                writer, lines = csv.writer(file), 0
                writer.writerow(names)
                async for row in statements.lines(period):
                    writer.writerow([cell_of(row[name]) for name in names])
                    lines += 1
        except OSError as error:
            raise Refusal("file-refused", file_words(error)) from None
        totals = [dict(row) for row in await statements.totals(period)]
    amount = sum(row["amount"] for row in totals)
    if args.json:
        said = {"file": str(args.file), "lines": lines, "amount": amount, "clients": totals}
        print(json.dumps(said, ensure_ascii=False))
        return 0
    print(f"{args.file}: {lines} lines, {figures(amount)} đồng.")
    for row in totals:
        print(f"  {row['client']}: {row['payments']} payments, taken {figures(row['taken'] or 0)},"
              f" given back {figures(row['given_back'] or 0)}")  # fmt: skip
    return 0


def describe(add: Any, commands: Any, opened: Any) -> None:  # noqa: ANN401, ARG001 - argparse's own types are private.
    """Describe the command to argparse."""
    made = add(
        "statement", lambda args: do_statement(args, opened()),
        "write what the payments of one client, or of all, came to in a period",
    )  # fmt: skip
    made.add_argument("file", type=Path, metavar="FILE.csv")
    made.add_argument("--from", dest="since", type=day_of, required=True, metavar="YYYY-MM-DD")
    made.add_argument("--to", dest="upto", type=day_of, required=True, metavar="YYYY-MM-DD")
    made.add_argument("--client", metavar="NAME", help="all of the agency's if absent")
    made.add_argument("--agency", metavar="A")
