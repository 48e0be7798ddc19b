"""``/receipts/{token}.xml|.pdf|.html`` and ``/verify/{code}``: the proof, and its check."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from gateway.domain.errors import Refusal
from gateway.domain.ids import ALPHABET
from gateway.entry.web.citizen_words import CORRECTED, FORM, VERIFY, WAIT, spoken
from gateway.entry.web.page import language, page, send, wants_page
from gateway.entry.web.problems import problem
from gateway.entry.web.reading import PageRoute
from gateway.entry.web.words import said
from receipts.face import face, grouped, logged, masked, qr_svg, tail
from receipts.kept import Kept, Since
from receipts.log.check import NotLoggedError, require_included
from receipts.log.note import ForgedNoteError, UnknownSignerError
from receipts.proving import Proofs
from receipts.rules import rules_on
from receipts.service import Receipts
from receipts.verify import Verdict, verify
from receipts.xml import read_sealed

ENDINGS: Final = ("xml", "pdf", "html", "svg")
PROVEN: Final = "proven.xml"
retry_after_s: Final = 2  # The worker draws every second.
code_letters: Final = 16
code_typed_max: Final = 32  # Twice a code: more is no slip of the finger, and is cut.
_LOOKALIKES: Final = str.maketrans({"I": "1", "L": "1", "O": "0"})
log: Final = logging.getLogger("thuphi.web")


def _filename(shown: dict[str, Any], ending: str) -> dict[str, str]:
    name = f"bien-lai-{shown['series']}-{shown['number']}.{ending}"
    return {"content-disposition": f'inline; filename="{name}"'}


def copy_of(request: Request, kept: Kept, ending: str, here: str, since: Since) -> Response:
    """Give one copy of a receipt: the original, the drawn one, a page, or its check's QR code.

    ``here`` is where the others are, without their endings. The original is byte for byte, so
    only the page tells what became of it since.
    """
    if ending == "svg":
        return send(qr_svg(read_sealed(kept.xml).verify_url), "image/svg+xml")
    if ending == "pdf" and kept.pdf is None:
        return _not_drawn_yet(request, here)
    shown = face(read_sealed(kept.xml))
    if ending == "html":
        return page("receipt.html", {
            "lang": "vi", "r": shown, "here": here, "log": _log(kept), **_became(since, "vi"),
        })  # fmt: skip
    if ending == "pdf" and kept.pdf:
        return send(kept.pdf, "application/pdf", more=_filename(shown, "pdf"))
    return send(kept.xml, "application/xml", more=_filename(shown, "xml"))


def _became(since: Since, lang: str) -> dict[str, Any]:
    """Say of which words an error was told, and which receipt stands instead of this one."""
    words = said(lang, VERIFY)
    named = [
        words["noticed"].format(
            f"{on:%d/%m/%Y}", ", ".join(said(lang, CORRECTED)[x] for x in texts)
        )
        for on, texts in since.notices
    ]
    after = since.successor
    if after is None:
        return {"noticed": named, "successor": ""}
    number = rules_on(after["issued_on"]).shown(after["number"])
    told = words["replaced_by"].format(
        after["form"], after["series"], number, f"{after['issued_on']:%d/%m/%Y}"
    )
    return {"noticed": named, "successor": told, "successor_code": after["verify_code"]}


def _log(kept: Kept) -> dict[str, str]:
    """Give what is shown of a receipt's place in the log, and where its proof is; or nothing."""
    if kept.proof is None:
        return {}
    shown = logged(kept.proof)
    at = f"/log/{quote(kept.agency_id)}/proof?leaf={shown['leaf']}&size={shown['size']}"
    return shown | {"proof": at}


def _not_drawn_yet(request: Request, here: str) -> Response:
    """Say when to come back while the worker draws."""
    retry = {"retry-after": str(retry_after_s)}
    if wants_page(request):
        shown = spoken(language(request), WAIT) | {"here": here, "seconds": retry_after_s}
        return page("receipt_wait.html", shown, 503, retry)
    answer = problem(Refusal("unavailable", "The PDF is being drawn; come back soon."))
    answer.headers.update(retry)
    return answer


def read_code(typed: str) -> str:
    """Read a code as people type it: any case, I and L for 1, O for 0, and signs between groups.

    Only letters and digits are left, so what is read is safe in a path.
    """
    kept = "".join(sign for sign in typed.upper() if sign.isalnum())
    return kept.translate(_LOOKALIKES)[:code_typed_max]


@dataclass(frozen=True, slots=True)
class ReceiptPages:
    """The doors to a receipt."""

    receipts: Receipts
    proofs: Proofs

    async def proven(self, token: str) -> Response:
        """Give the file with its evidence for ten years, once there is some."""
        kept = await self.proofs.by_token(token) if set(token) <= set(ALPHABET) else None
        if kept is None:
            raise Refusal("not-found", "There is no proven receipt under such a link.")
        sealed, data = kept
        shown = face(read_sealed(sealed))
        return send(data, "application/xml", more=_filename(shown, PROVEN))

    async def copy(self, request: Request, token: str, ending: str) -> Response:
        """Give a copy to whoever has the link."""
        kept = await self._kept(token)
        return copy_of(
            request, kept, ending, f"/receipts/{token}", await self.receipts.shelf.since(kept)
        )

    async def check(self, request: Request, code: str) -> Response:
        """Say whether a receipt with this code was issued, and what to compare."""
        typed = read_code(code)
        shown = spoken(language(request), VERIFY, FORM)
        shown |= {"rows": [], "sandbox": "", "proof": "", "typed": grouped(typed)}
        shown |= {"successor": "", "noticed": ()}
        words = shown["t"]
        is_code = len(typed) == code_letters and set(typed) <= set(ALPHABET)
        kept = await self.receipts.shelf.by_code(typed) if is_code else None
        if kept is None:
            advice = words["unknown_advice"]
            if len(typed) != code_letters:
                advice = words["length_advice"].format(code_letters, len(typed))
            return page("verify.html", shown | {"headline": "unknown", "advice": advice}, 404)
        trusted = await self.receipts.trusted(kept.agency_id)
        found = verify(kept.xml, trusted)
        is_whole = found.verdict is Verdict.VALID and await self._is_logged(kept)
        if not is_whole or found.receipt is None:
            log.error("a stored receipt does not hold any more")
            broken = {"headline": "broken", "advice": words["broken_advice"]}
            return page("verify.html", shown | broken)
        seen = face(found.receipt)
        became = _became(await self.receipts.shelf.since(kept), shown["lang"])
        headline = "test" if seen["sandbox"] else "valid"
        if became["successor"]:
            headline = "replaced"
        return page("verify.html", shown | {
            "headline": headline, "advice": words[f"{headline}_advice"],
            "rows": [*_rows(seen, words), *_log_rows(kept, words)], "sandbox": seen["sandbox"],
            "proof": _log(kept).get("proof", ""), **became,
        })  # fmt: skip

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

    async def _kept(self, token: str) -> Kept:
        kept = await self.receipts.shelf.by_token(token) if set(token) <= set(ALPHABET) else None
        if kept is None:
            raise Refusal("not-found", "There is no such receipt link.")
        return kept


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


def routes(pages: ReceiptPages) -> APIRouter:
    """Give the routes."""
    door = APIRouter(include_in_schema=False, route_class=PageRoute)

    @door.get(f"/receipts/{{token}}.{PROVEN}")  # Before the others: it ends as one of them does.
    async def proven(token: str) -> Response:
        return await pages.proven(token)

    for ending in ENDINGS:
        door.add_api_route(f"/receipts/{{token}}.{ending}", _copies(pages, ending))

    @door.get("/verify")
    async def typed(request: Request) -> Response:
        code, lang = read_code(request.query_params.get("code", "")), language(request)
        # Letters and digits of any script are left in a code; a location is ASCII.
        return RedirectResponse(
            f"/verify/{quote(code)}?lang={lang}" if code else f"/?lang={lang}", 303
        )

    @door.get("/verify/{code}")
    async def check(request: Request, code: str) -> Response:
        return await pages.check(request, code)

    return door


def _copies(pages: ReceiptPages, ending: str) -> Callable[[Request, str], Awaitable[Response]]:
    async def copy(request: Request, token: str) -> Response:
        return await pages.copy(request, token, ending)

    return copy
