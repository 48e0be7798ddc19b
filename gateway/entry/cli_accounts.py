"""``thuphi accounts``: open provider accounts, rotate their credentials, try them."""

import argparse
import json
import sys
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from gateway.domain.calendar import rfc3339
from gateway.domain.errors import Refusal
from gateway.entry.bootstrap import Parts
from gateway.entry.cli_values import hours as hours_of
from gateway.entry.settings import PREFIX
from gateway.services.account_trial import try_account
from gateway.services.accounts import overlap_default
from gateway.services.agencies import Agencies
from gateway.services.ways import ABROAD

Opened = AbstractAsyncContextManager[Parts]
ACTOR: Final = "command line"
_SAID: Final = {
    "answered": "the provider answered, and we believe it ({})",
    "unreachable": "the provider could not be reached: check its address",
    "disbelieved": "no answer that can be believed: check the address, the merchant's code and the"
    " secret",
    "mute": "its settings are well formed; it cannot be asked anything",
}


def _fields(path: str) -> dict[str, str]:
    """Read NAME=value lines; credentials stand in a file or come by pipe, never in an argument."""
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Refusal("file-refused", f"{path} cannot be read; check its path.") from None
    found: dict[str, str] = {}
    for n, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not sign:
            raise Refusal("file-refused", f"Line {n} of {path} is not NAME=value.")
        found[name.strip().removeprefix(PREFIX)] = value.strip().strip('"')
    return found


async def do_add(args: argparse.Namespace, opened: Opened) -> int:
    """Open an account of an agency; the adapter is built once, so wrong fields are found now."""
    values = _fields(args.fields)
    async with opened as parts:
        parts.registry.build(args.provider, args.name, values)
        await parts.registry.accounts.add(args.agency, args.provider, args.name, values, ACTOR)
        await parts.registry.refresh()
        provider = parts.registry.offered[args.provider, args.name]
        names = provider.can.notice_names or (provider.name,)
        doors = [f"{parts.settings.public_url}/notices/{n}/{args.name}" for n in names]
    said = {"account": f"{args.provider}/{args.name}", "agency": args.agency, "notices": doors}
    print(json.dumps(said) if args.json else f"{said['account']}: open for {args.agency}. Register"
          f" at the provider: {', '.join(doors)}")  # fmt: skip
    return 0


async def do_list(args: argparse.Namespace, opened: Opened) -> int:
    """List the accounts, the environment's too."""
    async with opened as parts:
        if args.agency:
            await Agencies(parts.store).require(args.agency)
        rows = await parts.registry.accounts.listed(args.agency)
        shown: list[dict[str, Any]] = [
            {"account": f"{r['provider']}/{r['name']}", "agency": r["agency_id"],
             "state": "closed" if r["closed_at"] else "open",
             "rotating_until": rfc3339(r["former_until"]) if r["former_until"] else None}
            for r in rows
        ]  # fmt: skip
        shown += [
            {"account": f"{name}/default", "agency": parts.settings.default_agency,
             "state": "open", "rotating_until": None}
            for name, account in sorted(parts.providers)
            if account == "default" and args.agency in (None, parts.settings.default_agency)
        ]  # fmt: skip
        barred = {
            f"{p.name}/{p.account}"
            for agency in {one["agency"] for one in shown}
            for p in await parts.attempts.ways.barred(agency)
        }
    shown = [one | {"why_not": ABROAD if one["account"] in barred else None} for one in shown]
    if args.json:
        print(json.dumps({"accounts": shown}))
        return 0
    for one in shown:
        until = f", old secret valid until {one['rotating_until']}" if one["rotating_until"] else ""
        why = f", not offered: {one['why_not']}" if one["why_not"] else ""
        print(f"{one['account']:24} {one['agency']:16} {one['state']}{until}{why}")
    return 0


async def do_rotate(args: argparse.Namespace, opened: Opened) -> int:
    """Take new credentials; the old ones are believed for a while."""
    fresh = _fields(args.fields)
    async with opened as parts:
        known = {(a.provider, a.name): a.values for a, _ in await parts.registry.accounts.all()}
        values = {**known.get((args.provider, args.name), {}), **fresh}
        parts.registry.build(args.provider, args.name, values)
        overlap = timedelta(hours=args.overlap_hours)
        await parts.registry.accounts.rotate(args.provider, args.name, fresh, overlap, ACTOR)
    said = {"account": f"{args.provider}/{args.name}", "old_valid_hours": args.overlap_hours}
    print(json.dumps(said) if args.json else f"{said['account']}: rotated; what is signed with the"
          f" old secret is believed for {args.overlap_hours} hours more.")  # fmt: skip
    return 0


async def do_close(args: argparse.Namespace, opened: Opened) -> int:
    """Offer an account no more; its notices are still taken."""
    async with opened as parts:
        await parts.registry.accounts.close(args.provider, args.name, ACTOR)
    said = {"account": f"{args.provider}/{args.name}", "state": "closed"}
    print(json.dumps(said) if args.json else f"{said['account']}: offered no more.")
    return 0


async def do_test(args: argparse.Namespace, opened: Opened) -> int:
    """Try an account: ask its provider about an order that nobody opened. Nothing moves."""
    async with opened as parts:
        provider = parts.providers.get((args.provider, args.name))
        if provider is None:
            raise Refusal(
                "not-found",
                f"There is no account {args.provider}/{args.name}; see thuphi accounts list.",
            )
        trial = await try_account(provider, parts.clock, parts.settings.public_url)
    word = {True: "ok", False: "WRONG", None: "unknown"}[trial.is_right]
    return _tried(args, word, _SAID[trial.code].format(trial.verdict))


def _tried(args: argparse.Namespace, word: str, said: str) -> int:
    account, is_right = f"{args.provider}/{args.name}", {"ok": True, "WRONG": False}.get(word)
    if args.json:
        print(json.dumps({"account": account, "ok": is_right, "said": said}))
    else:
        print(f"{word:8} {account}: {said}")
    return 1 if is_right is False else 0


def describe(add: Any, commands: Any, opened: Any) -> None:  # noqa: ANN401 - argparse's own types are private.
    """Describe the commands to argparse."""
    group = commands.add_parser("accounts", help="provider accounts").add_subparsers(required=True)
    runs = {
        "add": (do_add, "open a provider account of an agency"),
        "list": (do_list, "list provider accounts"),
        "rotate": (do_rotate, "take new credentials; the old ones stay valid a while"),
        "close": (do_close, "offer an account no more"),
        "test": (do_test, "ask the provider something that moves nothing"),
    }
    for name, (run, words) in runs.items():
        made = add(name, lambda args, run=run: run(args, opened()), words, group)
        if name != "list":
            made.add_argument("provider")
            made.add_argument("name")
        if name in ("add", "rotate"):
            made.add_argument(
                "--fields", required=True, metavar="FILE",
                help="NAME=value lines as in .env, or - for standard input",
            )  # fmt: skip
        if name == "rotate":
            hours = int(overlap_default.total_seconds() // 3600)
            made.add_argument("--overlap-hours", type=hours_of, default=hours)
        if name in ("add", "list"):
            made.add_argument("--agency", required=name == "add", metavar="A")
