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
from gateway.entry.web.citizen_words import FORM, VERIFY, WAIT, spoken
from gateway.entry.web.page import language, page, send, wants_page
from gateway.entry.web.problems import problem
from gateway.entry.web.reading import PageRoute
from receipts.face import face, grouped, logged, masked, qr_svg, tail
from receipts.log.check import NotLoggedError, require_included
from receipts.log.note import ForgedNoteError, UnknownSignerError
from receipts.service import Kept, Receipts
from receipts.verify import Verdict, verify
from receipts.xml import read_sealed

ENDINGS: Final = ("xml", "pdf", "html", "svg")
retry_after_s: Final = 2  # The worker draws every second.
code_letters: Final = 16
code_typed_max: Final = 32  # Twice a code: more is no slip of the finger, and is cut.
_LOOKALIKES: Final = str.maketrans({"I": "1", "L": "1", "O": "0"})
log: Final = logging.getLogger("thuphi.web")


def _filename(shown: dict[str, Any], ending: str) -> dict[str, str]:
    name = f"bien-lai-{shown['series']}-{shown['number']}.{ending}"
    return {"content-disposition": f'inline; filename="{name}"'}


def copy_of(request: Request, kept: Kept, ending: str, here: str) -> Response:
    """Give one copy of a receipt: the original, the drawn one, a page, or its check's QR code.

    ``here`` is where the others are, without their endings. The original is byte for byte.
    """
    if ending == "svg":
        return send(qr_svg(read_sealed(kept.xml).verify_url), "image/svg+xml")
    if ending == "pdf" and kept.pdf is None:
        return _not_drawn_yet(request, here)
    shown = face(read_sealed(kept.xml))
    if ending == "html":
        return page("receipt.html", {"lang": "vi", "r": shown, "here": here, "log": _log(kept)})
    if ending == "pdf" and kept.pdf:
        return send(kept.pdf, "application/pdf", more=_filename(shown, "pdf"))
    return send(kept.xml, "application/xml", more=_filename(shown, "xml"))


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

    async def copy(self, request: Request, token: str, ending: str) -> Response:
        """Give a copy to whoever has the link."""
        return copy_of(request, await self._kept(token), ending, f"/receipts/{token}")

    async def check(self, request: Request, code: str) -> Response:
        """Say whether a receipt with this code was issued, and what to compare."""
        typed = read_code(code)
        shown = spoken(language(request), VERIFY, FORM)
        shown |= {"rows": [], "sandbox": "", "proof": "", "typed": grouped(typed)}
        words = shown["t"]
        is_code = len(typed) == code_letters and set(typed) <= set(ALPHABET)
        kept = await self.receipts.by_code(typed) if is_code else None
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
        headline = "test" if seen["sandbox"] else "valid"
        return page("verify.html", shown | {
            "headline": headline, "advice": words[f"{headline}_advice"],
            "rows": [*_rows(seen, words), *_log_rows(kept, words)], "sandbox": seen["sandbox"],
            "proof": _log(kept).get("proof", ""),
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
        kept = await self.receipts.by_token(token) if set(token) <= set(ALPHABET) else None
        if kept is None:
            raise Refusal("not-found", "There is no such receipt link.")
        return kept


def _rows(shown: dict[str, Any], said: dict[str, str]) -> list[tuple[str, str]]:
    """Give what a checker compares, and no more of a person than the paper lets one recognise."""
    rows = [
        (said["name"], shown["title"]), (said["form"], shown["form"]),
        (said["series"], shown["series"]), (said["number"], shown["number"]),
        (said["day"], shown["day"]), (said["agency"], shown["agency"]),
        (said["tax_code"], shown["tax_code"]),
        (said["amount"], f"{shown['total']} đ ({shown['in_words']})"),
        (said["dossier"], tail(shown["dossier"])),
    ]  # fmt: skip
    if shown["payer"]:
        rows.append((said["payer"], masked(shown["payer"])))
    return [*rows, (said["code"], shown["code"])]


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
