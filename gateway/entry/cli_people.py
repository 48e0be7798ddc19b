"""``thuphi clients`` and ``thuphi staff``: who may come in; what opens is shown this once."""

import argparse
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from gateway.entry import cli_values as values
from gateway.entry.bootstrap import Parts
from gateway.entry.cli_said import say

Opened = AbstractAsyncContextManager[Parts]
ROLES: Final = ("accountant", "approver", "clerk", "operator", "auditor")


async def do_clients_add(args: argparse.Namespace, opened: Opened) -> int:
    """Add a client, and its webhook when one is named; secrets are shown this once."""
    async with opened as parts:
        client_id, key = await parts.access.add_client(
            args.name, args.agency, may_price=args.may_price,
            return_origins=args.return_origin, may_bring_files=args.may_bring_files,
        )  # fmt: skip
        said: dict[str, Any] = {"client_id": client_id, "api_key": key}
        if args.webhook:
            made = await parts.webhooks.add(args.agency, client_id, args.webhook)
            said |= {"webhook_secret": made.secret, "webhook_public_key": made.public_key}
        say(args, said)
    return 0


async def do_staff_add(args: argparse.Namespace, opened: Opened) -> int:
    """Add a member of staff; the password is shown this once."""
    async with opened as parts:
        password = await parts.access.add_staff(args.username, args.role, args.agency)
        say(args, {"username": args.username, "password": password})
    return 0


def describe(add: Any, commands: Any, opened: Any) -> None:  # noqa: ANN401 - argparse's own types are private.
    """Describe the commands to argparse."""
    clients = commands.add_parser("clients", help="procedure systems").add_subparsers(required=True)
    client = add("add", lambda args: do_clients_add(args, opened()), "add a client", clients)
    client.add_argument("name", type=values.name)
    client.add_argument("--agency", required=True)
    client.add_argument("--webhook", metavar="URL", type=values.web_address)
    client.add_argument(
        "--return-origin", metavar="ORIGIN", type=values.origin, action="append", default=[]
    )
    client.add_argument("--may-price", action="store_true")
    client.add_argument(
        "--may-bring-files", action="store_true", help="statement files, over the API"
    )
    staff = commands.add_parser("staff", help="people").add_subparsers(required=True)
    person = add("add", lambda args: do_staff_add(args, opened()), "add a member of staff", staff)
    person.add_argument("username", type=values.name)
    person.add_argument("--role", required=True, choices=ROLES)
    person.add_argument("--agency", required=True)
