"""``thuphi rules``: what matches, by which text, and what a changed text would have done."""

import argparse
import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final

from gateway.domain.money import figures
from gateway.entry.bootstrap import Parts
from gateway.entry.cli_books import agency_of
from gateway.entry.reconciling import trying_of

Opened = AbstractAsyncContextManager[Parts]
_KINDS: Final = {
    "won": "won: proved only by the changed rules", "lost": "lost: proved only by those in force",
    "changed": "changed: they prove something else",
    "another_pass": "the same, by another pass",
}  # fmt: skip


async def do_try(args: argparse.Namespace, opened: Opened) -> int:
    """Match the whole history by changed rules too, and say what differs. Nothing is booked."""
    from reconciliation.trying import rules_in

    texts = rules_in(args.folder)
    async with opened as parts:
        agency = await agency_of(args, parts)
        tried = (await trying_of(parts).run(agency, texts)).as_json()
    if args.json:
        print(json.dumps(tried, ensure_ascii=False))
        return 0
    now, then = tried["matched"]["now"], tried["matched"]["then"]
    print(f"{agency}, {tried['since']} to {tried['upto']}: of {tried['lines']} lines {now} are"
          f" matched now, and {then} by the changed rules.")  # fmt: skip
    for kind, said in _KINDS.items():
        found = tried["changes"][kind]
        print(f"  {found['lines']:>9} {figures(found['amount']):>18} đ  {said}")
    for name, what in (("passes", "captures by pass"), ("breaks", "breaks by kind")):
        differ = _differing(tried[name])
        if differ:
            print(f"{what}, where they differ:")
            for code, before, after in differ:
                print(f"  {code:24} {before:>9} -> {after}")
    for one in tried["shown"]:
        sides = [f"{x['pass']} {' '.join(x['captures'])}".strip() if x else "nothing"
                 for x in (one["now"], one["then"])]  # fmt: skip
        print(f"{one['kind']}: {one['line']}, {one['source']}, {one['booked_on']},"
              f" {figures(one['amount'])} đ: {sides[0]} -> {sides[1]}")  # fmt: skip
    return 0


def _differing(counted: dict[str, dict[str, int]]) -> list[tuple[str, int, int]]:
    codes = sorted({*counted["now"], *counted["then"]})
    rows = [(c, counted["now"].get(c, 0), counted["then"].get(c, 0)) for c in codes]
    return [row for row in rows if row[1] != row[2]]


def describe(add: Any, commands: Any, opened: Any) -> None:  # noqa: ANN401 - argparse's own types are private.
    """Describe the command to argparse."""
    group = commands.add_parser("rules", help="what matches").add_subparsers(required=True)
    tried = add(
        "try", lambda args: do_try(args, opened()),
        "match the whole history by changed rules, and see what would be won, lost and changed",
        group,
    )  # fmt: skip
    tried.add_argument("folder", type=Path, metavar="DIR", help="SQL files that differ")
    tried.add_argument("--agency", metavar="A")
