"""``thuphi agency``: the certificate that signs its receipts, and what it says of itself."""

import argparse
import asyncio
import json
import sys
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.domain.errors import Refusal
from gateway.entry.bootstrap import Parts
from gateway.services.agencies import (
    CLOSED_BY_TWO,
    MAILS,
    REPLACED_FROM,
    SHOWS_NAME,
    SIGNS_PDF,
    Agencies,
)
from receipts.channels import KINDS

if TYPE_CHECKING:
    from receipts.credentials import Credentials

Opened = AbstractAsyncContextManager[Parts]
ACTOR: Final = "command line"
file_bytes_max: Final = 1_048_576  # A chain of certificates has a few thousand.
_WORDS: Final = (
    "name", "tax_code", "address", "budget_chapter", "treasury_code", "treasury_name",
    "treasury_account", "area_code", "payer_years", "write_off_max",
)  # fmt: skip


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
    certificate = _content(args.certificate) if args.certificate else None
    async with opened as parts:
        now = parts.clock.now()
        if args.pkcs11:
            new = await _on_token(args.pkcs11, certificate, parts)
        else:
            new = _in_file(args, certificate, now)
        taken = await parts.receipts.keys.replace(args.agency, new, ACTOR)
    said = {"agency": args.agency, "certificate_sha256": taken}
    print(json.dumps(said) if args.json else f"{args.agency}: signs with {taken} from now on.")
    return 0


async def _on_token(label: str, certificate: bytes | None, parts: Parts) -> "Credentials":
    from receipts.credentials import token_credentials

    if certificate is None:
        raise Refusal("invalid-request", "Name the --certificate of the key on the token.")
    receipts = parts.receipts
    return await asyncio.to_thread(
        token_credentials, certificate, label, receipts.token, parts.clock.now()
    )


def _in_file(args: argparse.Namespace, certificate: bytes | None, now: datetime) -> "Credentials":
    from receipts.credentials import PasswordError, read_credentials

    key = _content(args.key)
    try:
        return read_credentials(certificate, key, None, now)
    except PasswordError:
        try:
            return read_credentials(certificate, key, _password(args), now)
        except PasswordError:
            raise Refusal(
                "invalid-request",
                "The password does not open the key file, or the file is broken.",
            ) from None


async def do_settings(args: argparse.Namespace, opened: Opened) -> int:
    """Show what an agency says of itself, and change what is given."""
    words = {n: v for n in _WORDS if (v := getattr(args, n)) is not None}
    said_of = {SHOWS_NAME: (args.payer_name, "shown"), SIGNS_PDF: (args.pdf, "signed"),
               MAILS: (args.receipt_mail, "always"), CLOSED_BY_TWO: (args.days, "signed"),
               REPLACED_FROM: (args.refunded, "replaced")}  # fmt: skip
    wants = {name: given == yes for name, (given, yes) in said_of.items() if given is not None}
    async with opened as parts:
        said = await Agencies(parts.store).change(args.agency, words, wants, ACTOR)
    if args.json:
        print(json.dumps(said, ensure_ascii=False))
    else:
        print("\n".join(f"{name:26} {value}" for name, value in said.items()))
    return 0


async def do_brand(args: argparse.Namespace, opened: Opened) -> int:
    """Show how an agency's receipts look, and change what is given."""
    from receipts.brand import change_brand
    from receipts.logo import cleaned

    given = {"footer": args.footer, "paper_words": args.paper_words}
    changes = {name: words for name, words in given.items() if words is not None}
    if args.logo is not None:
        from receipts.pdf import require_drawable

        changes["logo"] = cleaned(_content(args.logo))
        require_drawable(changes["logo"])
    elif args.no_logo:
        changes["logo"] = ""
    async with opened as parts:
        brand = await change_brand(parts.store, args.agency, changes, ACTOR)
    said = {"logo": bool(brand.logo), "footer": brand.footer, "paper_words": brand.paper_words}
    print(json.dumps(said, ensure_ascii=False) if args.json else f"{args.agency}: {said}")
    return 0


async def do_line(args: argparse.Namespace, opened: Opened) -> int:
    """Choose how an agency's messages reach the tax authority."""
    from receipts.authority import Authority

    kind = None if args.kind == "none" else args.kind
    values = {n: v for n in ("url", "user", "path") if (v := getattr(args, n)) is not None}
    if args.secret_file:
        values["secret"] = _content(args.secret_file).decode("utf-8", "replace").strip()
    async with opened as parts:
        await Authority(parts.store, parts.vault).connect(args.agency, kind, values, ACTOR)
    said = {"agency": args.agency, "line": kind}
    print(json.dumps(said) if args.json else f"{args.agency}: the line is {kind or 'taken away'}.")
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
    where = sign.add_mutually_exclusive_group(required=True)
    where.add_argument("--key", type=Path, metavar="FILE", help="PEM or PKCS#12")
    where.add_argument("--pkcs11", metavar="LABEL", help="of a key that stays on the token")
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
    tell.add_argument(
        "--pdf", choices=("signed", "plain"), help="whether PDFs that are drawn from now are signed"
    )
    tell.add_argument(
        "--days", choices=("signed", "closed"),
        help="whether a day is locked when two people have signed it, or as soon as it holds",
    )  # fmt: skip
    tell.add_argument(
        "--receipt-mail", choices=("always", "asked"),
        help="whether a payer who gave an address is sent the PDF without asking",
    )  # fmt: skip
    tell.add_argument(
        "--refunded", choices=("stands", "replaced"),
        help="whether a receipt stands after a refund, or a replacement says what is left",
    )  # fmt: skip
    brand = add(
        "brand", lambda args: do_brand(args, opened()),
        "show what an agency adds to its receipts' face, and change what is given", group,
    )  # fmt: skip
    brand.add_argument("--agency", required=True, metavar="A")
    which = brand.add_mutually_exclusive_group()
    which.add_argument("--logo", type=Path, metavar="FILE", help="an SVG of paths, at most 16 KB")
    which.add_argument("--no-logo", action="store_true", help="take the logo away")
    brand.add_argument("--footer", help="a line at the foot; empty: none")
    brand.add_argument("--paper-words", help="what a paper copy says of itself; empty: our words")
    line = add(
        "line", lambda args: do_line(args, opened()),
        "choose how the tax authority is told of receipts: a folder, a direct line or a provider",
        group,
    )  # fmt: skip
    line.add_argument("kind", choices=(*KINDS, "none"))
    line.add_argument("--agency", required=True, metavar="A")
    line.add_argument("--url", help="of the receiver")
    line.add_argument("--user", help="our name there")
    line.add_argument("--secret-file", type=Path, metavar="FILE", help="our password or token")
    line.add_argument("--path", help="of a folder that the worker writes to")
