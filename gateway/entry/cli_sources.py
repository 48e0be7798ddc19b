"""``thuphi sources``: where statement files come from by themselves."""

import argparse
import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final

from gateway.domain.calendar import rfc3339
from gateway.domain.errors import Refusal
from gateway.entry.bootstrap import Parts
from gateway.entry.cli_values import port as port_of
from gateway.entry.reconciling import collecting_of, sources_of
from gateway.services.agencies import Agencies
from reconciliation.places import AwayError
from reconciliation.sources import EVERY, KINDS, Wanted

Opened = AbstractAsyncContextManager[Parts]
ACTOR: Final = "command line"
secret_bytes_max: Final = 65_536  # A private key has a few thousand.
sftp_port: Final = 22


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(secret_bytes_max).strip()
    except OSError as error:
        raise Refusal("file-refused", f"{path} cannot be read ({error.strerror}).") from None


def _place(args: argparse.Namespace) -> dict[str, Any]:
    """Gather what reaches the place. Raises Refusal, which names what is missing."""
    if args.kind == "upload":
        return {}
    if not args.path:
        raise Refusal("invalid-request", "Name the folder with --path.")
    if args.kind == "folder":
        if not Path(args.path).is_absolute():
            raise Refusal("invalid-request", "A folder here is named from the root: /srv/files.")
        return {"path": args.path, "pattern": args.pattern}
    if not (args.host and args.user and args.host_key and args.secret):
        raise Refusal("invalid-request", "A server wants --host, --user, --host-key and --secret.")
    try:
        host_key = _content(args.host_key).decode()
    except UnicodeDecodeError:
        raise Refusal("invalid-request", f"{args.host_key} is no public key.") from None
    return {
        "path": args.path, "pattern": args.pattern, "host": args.host, "port": args.port,
        "user": args.user, "host_key": host_key,
    }  # fmt: skip


async def do_add(args: argparse.Namespace, opened: Opened) -> int:
    """Open a source; a server's key and secret come from files."""
    secret = _content(args.secret) if args.kind == "sftp" and args.secret else None
    wanted = Wanted(args.name, args.kind, args.profile, _place(args), args.every, args.due, secret)
    async with opened as parts:
        await Agencies(parts.store).require(args.agency)
        await sources_of(parts).add(args.agency, wanted, ACTOR)
    said = {"source": args.name, "agency": args.agency, "due": args.due, "every": args.every}
    words = args.every.replace("_", " ")
    print(json.dumps(said) if args.json else f"{args.name}: one file is due by {args.due} of each"
          f" {words}. See whether it is reached: thuphi sources test {args.name} --agency"
          f" {args.agency}.")  # fmt: skip
    return 0


async def do_list(args: argparse.Namespace, opened: Opened) -> int:
    """List the sources: on time, late, or out of reach."""
    async with opened as parts:
        if args.agency:
            await Agencies(parts.store).require(args.agency)
        rows = await sources_of(parts).shown(args.agency or "")
    shown = [
        {"source": r["name"], "agency": r["agency_id"], "kind": r["kind"], "profile": r["profile"],
         "due": r["due_at"], "every": r["every"],
         "came_at": rfc3339(r["came_at"]) if r["came_at"] else None,
         "late_since": r["late_since"].isoformat() if r["late_since"] else None,
         "trouble": r["trouble"]}
        for r in rows
    ]  # fmt: skip
    if args.json:
        print(json.dumps({"sources": shown}))
        return 0
    for one in shown:
        late = f", late since {one['late_since']}" if one["late_since"] else ""
        trouble = f", {one['trouble']}" if one["trouble"] else ""
        print(f"{one['source']:24} {one['agency']:16} {one['kind']:7} {one['profile']:20}"
              f" due {one['due']}, last {one['came_at'] or 'never'}{late}{trouble}")  # fmt: skip
    return 0


async def do_close(args: argparse.Namespace, opened: Opened) -> int:
    """Look at a source no more."""
    async with opened as parts:
        await sources_of(parts).close(args.agency, args.name, ACTOR)
    said = {"source": args.name, "state": "closed"}
    print(json.dumps(said) if args.json else f"{args.name}: looked at no more.")
    return 0


async def do_test(args: argparse.Namespace, opened: Opened) -> int:
    """List what lies there, and take nothing."""
    async with opened as parts:
        try:
            seen = await sources_of(parts).test(args.agency, args.name)
        except AwayError as error:
            said = {"source": args.name, "ok": False, "said": str(error)}
            print(json.dumps(said) if args.json else f"WRONG    {args.name}: {error}.")
            return 1
    files = [{"name": x.name, "size": x.size, "changed_at": rfc3339(x.changed_at)} for x in seen]
    if args.json:
        print(json.dumps({"source": args.name, "ok": True, "files": files}))
        return 0
    print(f"ok       {args.name}: {len(files)} files")
    for one in files:
        print(f"  {one['changed_at']} {one['size']:>12} {one['name']}")
    return 0


async def do_collect(args: argparse.Namespace, opened: Opened) -> int:
    """Look at all sources twice, as the worker does in two minutes, and read what came."""
    async with opened as parts:
        collecting, intake = collecting_of(parts), collecting_of(parts).intake
        for _ in range(2):
            looked = await collecting.run()
        await intake.take_all()
    print(json.dumps({"looked": looked}) if args.json else f"looked at {looked}")
    return 0


def describe(add: Any, commands: Any, opened: Any) -> None:  # noqa: ANN401 - argparse's own types are private.
    """Describe the commands to argparse."""
    group = commands.add_parser("sources", help="where statement files come from").add_subparsers(
        required=True
    )
    runs = {
        "add": (do_add, "open a source of statement files"),
        "list": (do_list, "list sources: on time, late, or out of reach"),
        "close": (do_close, "look at a source no more"),
        "test": (do_test, "list what lies at a source, and take nothing"),
        "collect": (do_collect, "look at all sources now"),
    }
    for name, (run, words) in runs.items():
        made = add(name, lambda args, run=run: run(args, opened()), words, group)
        if name in ("add", "close", "test"):
            made.add_argument("name")
            made.add_argument("--agency", required=True)
        elif name == "list":
            made.add_argument("--agency")
        if name == "add":
            _add_options(made)


def _add_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--kind", choices=KINDS, required=True)
    made.add_argument("--profile", required=True, help="how its files are laid out")
    made.add_argument("--due", metavar="HH:MM", required=True, help="the hour in Hanoi")
    made.add_argument("--every", choices=EVERY, default=EVERY[0])
    made.add_argument("--path", help="the folder, here or on the server")
    made.add_argument("--pattern", default="*", help="which files, such as 'SK_*.csv'")
    made.add_argument("--host")
    made.add_argument("--port", type=port_of, default=sftp_port)
    made.add_argument("--user")
    made.add_argument("--host-key", type=Path, metavar="FILE", help="the server's public key")
    made.add_argument("--secret", type=Path, metavar="FILE", help="its password or a private key")
