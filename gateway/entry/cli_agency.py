"""``thuphi agency``: the certificate that signs its receipts, and what it says of itself."""

import argparse
import json
import sys
from contextlib import AbstractAsyncContextManager
from getpass import getpass
from pathlib import Path
from typing import Any, Final

from gateway.domain.errors import Refusal
from gateway.entry.bootstrap import Parts
from gateway.services.agencies import Agencies

Opened = AbstractAsyncContextManager[Parts]
ACTOR: Final = "command line"
file_bytes_max: Final = 1_048_576  # A chain of certificates has a few thousand.
_WORDS: Final = ("name", "tax_code", "address", "budget_chapter", "treasury_code")


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(file_bytes_max)
    except OSError:
        raise Refusal("file-refused", f"{path} cannot be read; check its path.") from None


def _password(args: argparse.Namespace) -> str:
    """Ask for the key's password; a file serves where nobody sits. Never an argument."""
    if args.password_file:
        try:
            return _content(args.password_file).decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise Refusal("file-refused", f"{args.password_file} is not UTF-8.") from None
    if not sys.stdin.isatty():
        raise Refusal("invalid-request", "The key has a password: name a --password-file.")
    return getpass("The key's password: ")


async def do_certificate(args: argparse.Namespace, opened: Opened) -> int:
    """Take an agency's certificate and key; they sign its receipts from now on."""
    from receipts.credentials import PasswordError, read_credentials

    certificate = _content(args.certificate) if args.certificate else None
    key = _content(args.key)
    async with opened as parts:
        now = parts.clock.now()
        try:
            new = read_credentials(certificate, key, None, now)
        except PasswordError:
            try:
                new = read_credentials(certificate, key, _password(args), now)
            except PasswordError:
                raise Refusal(
                    "invalid-request",
                    "The password does not open the key file, or the file is broken.",
                ) from None
        taken = await parts.receipts.keys.replace(args.agency, new, ACTOR)
    said = {"agency": args.agency, "certificate_sha256": taken}
    print(json.dumps(said) if args.json else f"{args.agency}: signs with {taken} from now on.")
    return 0


async def do_settings(args: argparse.Namespace, opened: Opened) -> int:
    """Show what an agency says of itself, and change what is given."""
    words = {n: v for n in _WORDS if (v := getattr(args, n)) is not None}
    shows = None if args.payer_name is None else args.payer_name == "shown"
    async with opened as parts:
        said = await Agencies(parts.store).change(args.agency, words, shows, ACTOR)
    if args.json:
        print(json.dumps(said, ensure_ascii=False))
    else:
        print("\n".join(f"{name:26} {value}" for name, value in said.items()))
    return 0


def describe(add: Any, commands: Any, opened: Any) -> None:  # noqa: ANN401 - argparse's own types are private.
    """Describe the commands to argparse."""
    group = commands.add_parser("agency", help="an agency").add_subparsers(required=True)
    sign = add(
        "certificate", lambda args: do_certificate(args, opened()),
        "sign receipts with this certificate and key from now on", group,
    )  # fmt: skip
    sign.add_argument("--agency", required=True, metavar="A")
    sign.add_argument(
        "--certificate", type=Path, metavar="FILE",
        help="PEM, also a chain; absent: the one in the PKCS#12 file",
    )  # fmt: skip
    sign.add_argument("--key", type=Path, required=True, metavar="FILE", help="PEM or PKCS#12")
    sign.add_argument(
        "--password-file", type=Path, metavar="FILE", help="of the key; absent: it is asked for"
    )
    tell = add(
        "settings", lambda args: do_settings(args, opened()),
        "show what an agency says of itself, and change what is given", group,
    )  # fmt: skip
    tell.add_argument("--agency", required=True, metavar="A")
    for name in _WORDS:
        tell.add_argument(f"--{name.replace('_', '-')}")
    tell.add_argument(
        "--payer-name", choices=("shown", "hidden"), help="on receipts that are numbered from now"
    )
