"""``thuphi profile``: how statement files are read; a profile is tried on a file, or guessed."""

import argparse
import json
from itertools import islice
from pathlib import Path
from typing import Any, Final

from gateway.domain.errors import Refusal
from gateway.entry.cli_books import given_file, given_profile
from reconciliation.readers.line import StatementLine
from reconciliation.readers.profile import PROFILES, Profile, load_profile, read_profile
from reconciliation.readers.reading import Reading

lines_shown: Final = 5


async def do_profile_list(args: argparse.Namespace) -> int:
    """List the profiles, and whether each is confirmed or assumed, and by what."""
    rows = [
        {"name": p.name, "source": p.source, "format": p.format, "status": p.status,
         "basis": p.basis}
        for p in map(load_profile, PROFILES)
    ]  # fmt: skip
    if args.json:
        print(json.dumps({"profiles": rows}, ensure_ascii=False))
        return 0
    for row in rows:
        print(f"{row['name']:20} {row['source']:10} {row['status']:10} {row['basis']}")
    return 0


async def do_profile_check(args: argparse.Namespace) -> int:
    """Read a file by a profile, ours or a file of one's own; keep nothing."""
    said = _tried(given_profile(args.profile), given_file(Path(args.file)))
    _show(args, said)
    return 1 if said["refusal"] else 0


async def do_profile_guess(args: argparse.Namespace) -> int:
    """Propose a profile for a sample file, and show the first lines as it would read them."""
    from reconciliation.readers.guess import guess

    content = given_file(Path(args.file))
    toml = guess(content)
    said = _tried(read_profile("guess", toml), content)
    if args.json:
        print(json.dumps({"profile": toml, **said}, ensure_ascii=False))
        return 0
    print(toml)
    _show(args, said, before="# ")
    return 0


def _tried(profile: Profile, content: bytes) -> dict[str, Any]:
    """Read a file to its end; give its first lines, what it adds up to, or why it is refused."""
    reading, first = Reading(profile, content), list[StatementLine]()
    refusal = None
    try:
        lines = iter(reading)
        for line in islice(lines, lines_shown):
            first.append(line)
        for _ in lines:
            pass
    except Refusal as wrong:
        refusal = wrong.detail
    totals = [] if refusal else reading.totals.as_json()
    return {"lines": [_shown(x) for x in first], "totals": totals, "refusal": refusal}


def _shown(line: StatementLine) -> dict[str, Any]:
    return {
        "line": line.line_no, "account": line.account, "booked_on": line.booked_on.isoformat(),
        "kind": line.kind, "gross": line.gross, "fee": line.fee, "net": line.net,
        "reference": line.reference, "txn_id": line.txn_id, "memo": line.memo,
        "candidates": list(line.candidates),
    }  # fmt: skip


def _show(args: argparse.Namespace, said: dict[str, Any], before: str = "") -> None:
    if args.json:
        print(json.dumps(said, ensure_ascii=False))
        return
    for x in said["lines"]:
        what = f"{x['account']} {x['booked_on']} {x['kind']} {x['net']}"
        print(f"{before}line {x['line']}: {what} {x['reference'] or ''} {x['memo']}".rstrip())
    for x in said["totals"]:
        balances = "" if x["opening"] is None else f", balance {x['opening']} to {x['closing']}"
        print(f"{before}{x['account']}: {x['count']} lines, sum {x['sum']}{balances}")
    if said["refusal"]:
        print(f"{before}refused: {said['refusal']}")


def describe(add: Any, commands: Any) -> None:  # noqa: ANN401 - argparse's own types are private.
    """Describe the commands."""
    under = commands.add_parser("profile", help="how statement files are read").add_subparsers(
        required=True
    )
    add("list", do_profile_list, "list the profiles, and which are assumed", under)
    check = add("check", do_profile_check, "read a file by a profile, and keep nothing", under)
    check.add_argument("profile", metavar="PROFILE", help="a name, or your own file.toml")
    check.add_argument("file", metavar="FILE")
    guess = add("guess", do_profile_guess, "propose a profile for a sample file", under)
    guess.add_argument("file", metavar="FILE")
