"""The accountant's commands: import a file, reconcile a day, print the trial balance."""

import argparse
import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date
from pathlib import Path
from typing import Any, Final

from gateway.domain.errors import Refusal
from gateway.domain.money import figures
from gateway.entry.bootstrap import Parts
from gateway.entry.ends import file_words
from gateway.entry.reconciling import reconciliation_of
from gateway.services.agencies import Agencies
from gateway.services.books import BalanceLine, trial_balance, unbalanced
from reconciliation.readers.profile import Profile, load_profile, own_profile
from reconciliation.readers.reading import content_of

Opened = AbstractAsyncContextManager[Parts]
_COLUMNS: Final = (
    "opening_debit", "opening_credit", "turnover_debit", "turnover_credit",
    "closing_debit", "closing_credit",
)  # fmt: skip
_HEADS: Final = ("Đầu kỳ Nợ", "Đầu kỳ Có", "Phát sinh Nợ", "Phát sinh Có", "Cuối kỳ Nợ",
                 "Cuối kỳ Có")  # fmt: skip


async def agency_of(args: argparse.Namespace, parts: Parts) -> str:
    """Give the agency that is named, or the one of the account ``default``; it is there."""
    return await Agencies(parts.store).require(args.agency or parts.settings.default_agency)


async def do_import(args: argparse.Namespace, opened: Opened) -> int:
    """Take a file whole, or refuse it with the line; the same file again changes nothing."""
    profile, content = given_profile(args.profile), given_file(Path(args.file))
    async with opened as parts:
        agency = await agency_of(args, parts)
        taken = await reconciliation_of(parts).intake.import_file(
            agency, profile, Path(args.file).name, content, "command line"
        )
    said = {"file": taken.file_id, "state": taken.state, "lines": taken.lines, "new": taken.added}
    print(
        json.dumps(said)
        if args.json
        else f"{Path(args.file).name}: {taken.state}, {taken.lines} lines, {taken.added} new"
    )
    return 0


def given_file(path: Path) -> bytes:
    """Give what a named file holds; raises Refusal with why it cannot be read."""
    try:
        return content_of(path)
    except OSError as error:
        raise Refusal("file-refused", file_words(error)) from None


def given_profile(name: str) -> Profile:
    """Give the profile of a name, or of a file of one's own, which ends in ``.toml``."""
    if not name.endswith(".toml"):
        return load_profile(name)
    path = Path(name)
    try:
        text = given_file(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal("file-refused", f"The profile {path.name} is not UTF-8.") from None
    return own_profile(path.name, text)


async def do_reconcile(args: argparse.Namespace, opened: Opened) -> int:
    """Reconcile a day and close it when every check holds; or reopen it."""
    async with opened as parts:
        reconciliation = reconciliation_of(parts)
        agency = await agency_of(args, parts)
        if args.reopen:
            back = await reconciliation.casework.reopen(agency, args.date, "command line")
            said: dict[str, Any] = {"reopened": args.date.isoformat(), "taken_back": back}
            print(json.dumps(said) if args.json else f"{args.date} is open again, {back} marks")
            return 0
        report = await reconciliation.reconcile(agency, args.date, "command line")
    said = report.as_json()
    if args.json:
        print(json.dumps(said, ensure_ascii=False))
    else:
        _print_report(said)
    return 0 if said["closed"] else 1


def _print_report(said: dict[str, Any]) -> None:
    print(f"{said['date']}: {said['matched']} of {said['lines']} lines matched")
    for source, parts in said["proof"].items():
        if any(part["count"] for part in parts.values()):
            told = [f"{name} {p['count']} ({figures(p['sum'])})" for name, p in parts.items()]
            print(f"  {source:9} {' + '.join(told[:2])} - {told[2]} = {told[3]}")
    for kind, count in sorted(said["breaks"].items()):
        print(f"  break {kind:22} {count}")
    if said["closed"]:
        print(f"The day is closed; {said['settled']} payments are settled.")
        return
    print("The day stays open. What is missing:")
    for check, what in said["open_checks"].items():
        print(f"  {check}: {', '.join(what)}")
    print("Import the missing files or resolve the breaks, then reconcile again.")


async def do_trial_balance(args: argparse.Namespace, opened: Opened) -> int:
    """Print the trial balance of a day; exit 1 if it does not add up, or is not as was sealed."""
    from reconciliation.seals import broken_of

    if args.since and args.since > args.date:
        raise Refusal("invalid-request", "--since is after --date: exchange them.")
    async with opened as parts:
        agency = await agency_of(args, parts)
        lines = await trial_balance(parts.store, agency, args.date, args.since)
        # Earlier days are in the opening balances.
        unsealed = await broken_of(parts.store, agency, date.min, args.date)
    wrong = unbalanced(lines) + [f"{v.rule}: {', '.join(v.what)}" for v in unsealed]
    if args.json:
        shown = [
            {"account": x.account, "title": x.title} | {c: getattr(x, c) for c in _COLUMNS}
            for x in lines
        ]
        said = {"date": args.date.isoformat(), "lines": shown, "wrong": wrong}
        print(json.dumps(said, ensure_ascii=False))
    else:
        print("\n".join(table(lines)))
        print("".join(f"WRONG {what}\n" for what in wrong), end="")
    return 1 if wrong else 0


def table(lines: Sequence[BalanceLine]) -> list[str]:
    """Write the trial balance as text, money first, memorandum accounts below."""
    if not lines:
        return ["Nothing was booked up to that day."]
    width = max(len(x.title) for x in lines) + 2
    head = f"{'TK':5}{'Tên tài khoản':{width}}" + "".join(f"{h:>17}" for h in _HEADS)
    rows = [head, "-" * len(head)]
    for part in (
        [x for x in lines if not x.is_memorandum],
        [x for x in lines if x.is_memorandum],
    ):
        if not part:
            continue
        rows += [
            f"{x.account:5}{x.title:{width}}"
            + "".join(f"{figures(getattr(x, c)):>17}" for c in _COLUMNS)
            for x in part
        ]
        total = (figures(sum(getattr(x, c) for x in part)) for c in _COLUMNS)
        rows += [f"{'':5}{'Cộng':{width}}" + "".join(f"{s:>17}" for s in total), ""]
    return rows[:-1]
