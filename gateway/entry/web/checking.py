"""``/verify``: whether a receipt was issued, by its code or by its file, for anybody.

A file is looked at in memory and kept nowhere: a form above the limit is refused by its length, and
below it nothing is spooled to a disk.
"""

import logging
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from gateway.domain.errors import Refusal
from gateway.domain.ids import ALPHABET
from gateway.entry.web.checking_words import FORM, VERIFY
from gateway.entry.web.citizen_words import spoken
from gateway.entry.web.notices import Quota, quota_window
from gateway.entry.web.page import language, page
from gateway.entry.web.reading import PageRoute
from gateway.entry.web.receipts import became, log_of
from gateway.services.access import place_of
from receipts.attached import attached, is_pdf
from receipts.face import face, grouped, logged, masked, tail
from receipts.kept import Kept
from receipts.log.check import NotLoggedError, require_included
from receipts.log.note import ForgedNoteError, UnknownSignerError
from receipts.papers import Papers
from receipts.proof import cut
from receipts.service import Receipts
from receipts.verify import Verdict, verify

code_letters: Final = 16
code_typed_max: Final = 32  # Twice a code: more is no slip of the finger, and is cut.
# Below the megabyte from which a form's files are spooled to a disk. A receipt has 60 KB, a proved
# one of ten years some hundred more; what is longer, ``thuphi verify`` reads.
file_bytes_max: Final = 1_000_000
form_bytes_max: Final = file_bytes_max + 8_192
_LOOKALIKES: Final = str.maketrans({"I": "1", "L": "1", "O": "0"})
log: Final = logging.getLogger("thuphi.web")


def read_code(typed: str) -> str:
    """Read a code as people type it: any case, I and L for 1, O for 0, and signs between groups.

    Only letters and digits are left, so what is read is safe in a path.
    """
    kept = "".join(sign for sign in typed.upper() if sign.isalnum())
    return kept.translate(_LOOKALIKES)[:code_typed_max]


@dataclass(frozen=True, slots=True)
class Checks:
    """The doors to the check. A code has 80 random bits; the quota is for those who try anyway."""

    receipts: Receipts
    papers: Papers
    quota: Quota

    async def code(self, request: Request, code: str) -> Response:
        """Say whether a receipt with this code was issued, and what to compare.

        Whatever is not there gets one answer, and the same work: never given, or not yet sealed.
        """
        if (slow := self._slow(request)) is not None:
            return slow
        typed = read_code(code)
        shown = _blank(request) | {"typed": grouped(typed)}
        is_code = len(typed) == code_letters and set(typed) <= set(ALPHABET)
        kept = await self.receipts.shelf.by_code(typed) if is_code else None
        if kept is None:
            advice = shown["t"]["unknown_advice"]
            if len(typed) != code_letters:
                advice = shown["t"]["length_advice"].format(code_letters, len(typed))
            return page("verify.html", shown | {"headline": "unknown", "advice": advice}, 404)
        return await self._found(shown, kept)

    async def file(self, request: Request) -> Response:
        """Say the same of a file: the XML, or a PDF that it is attached to."""
        if (slow := self._slow(request)) is not None:
            return slow
        shown = _blank(request)
        data = await _file_of(request)
        xml = attached(data) if is_pdf(data) else data
        # Nobody need be trusted for this: what it must equal is what we keep.
        found = verify(xml or b"", ())
        if found.receipt is None:
            bad = "altered" if found.verdict is Verdict.NOT_VALID else "unreadable"
            return page("verify.html", shown | _said(shown, bad), 404)
        kept = await self.receipts.shelf.by_code(found.receipt.verify_code)
        if kept is None or kept.xml != cut(xml or b"")[0]:
            return page("verify.html", shown | _said(shown, "foreign"), 404)
        said = "file_xml"
        if is_pdf(data):
            is_ours = (kept.pdf or b"").startswith(data) or await self.papers.has(kept, data)
            said = "file_pdf" if is_ours else "file_other"
        return await self._found(shown | {"file": said}, kept)

    async def _found(self, shown: dict[str, Any], kept: Kept) -> Response:
        words = shown["t"]
        trusted = await self.receipts.trusted(kept.agency_id)
        found = verify(kept.xml, trusted)
        is_whole = found.verdict is Verdict.VALID and await self._is_logged(kept)
        if not is_whole or found.receipt is None:
            log.error("a stored receipt does not hold any more")
            return page("verify.html", shown | _said(shown, "broken"))
        seen = face(found.receipt)
        since = became(await self.receipts.shelf.since(kept), shown["lang"])
        headline = "test" if seen["sandbox"] else "valid"
        if since["successor"]:
            headline = "replaced"
        return page("verify.html", shown | _said(shown, headline) | {
            "rows": [*_rows(seen, words), *_log_rows(kept, words)], "sandbox": seen["sandbox"],
            "proof": log_of(kept).get("proof", ""), **since,
        })  # fmt: skip

    def _slow(self, request: Request) -> Response | None:
        source = place_of(request.client.host if request.client else "")
        if self.quota.admit(source, self.receipts.store.clock.now()):
            return None
        shown, wait = _blank(request), int(quota_window.total_seconds())
        return page("verify.html", shown | _said(shown, "slow"), 429, {"retry-after": str(wait)})

    async def _is_logged(self, kept: Kept) -> bool:
        """Follow the proof from the stored copy; one that is too new for the log has none yet."""
        if kept.leaf_index is None:
            return True
        if kept.proof is None:
            return False
        try:
            key = await self.receipts.journal.key(kept.agency_id)
            require_included(kept.xml, kept.proof, key)
        except (NotLoggedError, ForgedNoteError, UnknownSignerError):
            return False
        return True


def _blank(request: Request) -> dict[str, Any]:
    """Give what every answer shows."""
    return spoken(language(request), VERIFY, FORM) | {
        "rows": [], "sandbox": "", "proof": "", "typed": "", "successor": "", "noticed": (),
        "file": "",
    }  # fmt: skip


def _said(shown: dict[str, Any], headline: str) -> dict[str, str]:
    return {"headline": headline, "advice": shown["t"][f"{headline}_advice"]}


async def _file_of(request: Request) -> bytes:
    """Take the form's file. Raises Refusal."""
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit()):
        raise Refusal("invalid-request", "The form must say its length.")
    if int(length) > form_bytes_max:
        raise Refusal("too-large", f"A file has at most {file_bytes_max} bytes.")
    try:
        file = (await request.form(max_files=1, max_fields=2)).get("file")
        return b"" if file is None or isinstance(file, str) else await file.read()
    finally:
        await request.close()


def _rows(shown: dict[str, Any], names: dict[str, str]) -> list[tuple[str, str]]:
    """Give what a checker compares, and no more of a person than the paper lets one recognise."""
    rows = [
        (names["name"], shown["title"]), (names["form"], shown["form"]),
        (names["series"], shown["series"]), (names["number"], shown["number"]),
        (names["day"], shown["day"]), (names["agency"], shown["agency"]),
        (names["tax_code"], shown["tax_code"]),
        (names["amount"], f"{shown['total']} đ ({shown['in_words']})"),
        (names["dossier"], tail(shown["dossier"])),
    ]  # fmt: skip
    if shown["payer"]:
        rows.append((names["payer"], masked(shown["payer"])))
    if shown["replaces"]:
        rows.append((names["replaces"], shown["replaces"]))
    return [*rows, (names["code"], shown["code"])]


def _log_rows(kept: Kept, said: dict[str, str]) -> list[tuple[str, str]]:
    """Give where the receipt is in the transparency log, as its PDF says it too."""
    if kept.proof is None:
        return []  # It becomes a leaf within seconds.
    seen = logged(kept.proof)
    place = f"{seen['leaf']} / {seen['size']}"
    return [(said["log"], seen["origin"]), (said["leaf"], place), (said["root"], seen["root"])]


def routes(checks: Checks) -> APIRouter:
    """Give the routes."""
    door = APIRouter(include_in_schema=False, route_class=PageRoute)

    @door.get("/verify")
    async def typed(request: Request) -> Response:
        code, lang = read_code(request.query_params.get("code", "")), language(request)
        # Letters and digits of any script are left in a code; a location is ASCII.
        return RedirectResponse(
            f"/verify/{quote(code)}?lang={lang}" if code else f"/?lang={lang}", 303
        )

    @door.post("/verify")
    async def file(request: Request) -> Response:
        return await checks.file(request)

    @door.get("/verify/{code}")
    async def check(request: Request, code: str) -> Response:
        return await checks.code(request, code)

    return door
