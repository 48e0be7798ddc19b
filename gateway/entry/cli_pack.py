"""``thuphi audit-pack``: one closed day as a file for an auditor, and how ``verify`` judges it."""

import argparse
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.entry.bootstrap import Parts
from gateway.entry.cli_books import agency_of
from gateway.entry.cli_said import say
from gateway.entry.cli_values import day_of
from gateway.entry.reconciling import reconciliation_of

if TYPE_CHECKING:
    from receipts.log.note import LogKey
    from receipts.verify import Finding
    from reconciliation.pack.checking import Sound

Opened = AbstractAsyncContextManager[Parts]
ACTOR: Final = "command line"


async def do_pack(args: argparse.Namespace, opened: Opened) -> int:
    """Write a closed day into a new file."""
    from receipts.log.vouching import vouch
    from reconciliation.pack.writing import AuditPacks

    async with opened as parts:
        journal = parts.receipts.journal

        async def key(agency_id: str) -> str:
            await journal.open(agency_id)
            return (await journal.key(agency_id)).text()

        async def sign(agency_id: str, said: str) -> str:
            return await vouch(journal, agency_id, said)

        match = reconciliation_of(parts).match
        packs = AuditPacks(parts.store, parts.vault, match, key, sign)
        agency = await agency_of(args, parts)
        made = await packs.write(
            agency, args.date, args.file, ACTOR, with_personal_data=args.with_personal_data
        )
    say(args, {"file": f"{args.file}", **made})
    return 0


def judged(path: Path, key: "LogKey | None") -> "Finding":
    """Check a pack with the key that was given, or with its own, for which nobody vouches."""
    from receipts.log import note
    from receipts.log.vouching import vouched
    from receipts.verify import Finding, Verdict
    from reconciliation.pack.checking import UnreadablePackError, check
    from reconciliation.pack.judging import BrokenPackError

    try:
        sound = check(path, lambda said, own: vouched(said, key or note.LogKey.of(own)))
    except UnreadablePackError as error:
        return Finding(Verdict.UNREADABLE, f"{error}")
    except BrokenPackError as error:
        return Finding(Verdict.NOT_VALID, f"{error}")
    except note.UnknownSignerError:
        return Finding(Verdict.NOT_TRUSTED, "The pack is signed by nobody whose key you gave.")
    except (note.UnreadableTextError, note.ForgedNoteError):
        return Finding(Verdict.NOT_VALID, "manifest.note or log-key was changed after the signing.")
    lacks = "" if key else " That it is whose it says, nobody vouches: name the log's key, as"
    end = f"{lacks} --log-key." if lacks else ""
    return Finding(Verdict.VALID if key else Verdict.NOT_TRUSTED, f"{_words(sound)}{end}")


def _words(sound: "Sound") -> str:
    """Say what was found to be whole, and what of it could not be looked at."""
    said = (
        f"{sound.on} of {sound.agency} is whole: {sound.entries} entries balance,"
        f" {sound.matches} matches name {sound.lines} lines, and the proof adds up."
    )
    if sound.lacking:
        said += f" Left out, for it has changed since: {', '.join(sound.lacking)}."
    if sound.unread_acts:
        said += f" {sound.unread_acts} acts have left their words out; their seals are linked."
    return said


def describe(add: Any, commands: Any, opened: Any) -> None:  # noqa: ANN401, ARG001 - argparse's own types are private.
    """Describe the command to argparse."""
    made = add(
        "audit-pack",
        lambda args: do_pack(args, opened()),
        "write a closed day, with all that proves it, into one file for an auditor",
    )
    made.add_argument("file", type=Path, metavar="FILE.zip")
    made.add_argument("--date", type=day_of, required=True, metavar="YYYY-MM-DD")
    made.add_argument("--agency", metavar="A", help="the account default's agency if absent")
    made.add_argument(
        "--with-personal-data", action="store_true",
        help="the statements as they came, and officers' own words: payers' names may be in them",
    )  # fmt: skip
