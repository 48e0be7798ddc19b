"""``/receipts/{token}.xml|.pdf|.html``, and the same on other paper: the proof, to be kept."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from gateway.domain.errors import Refusal
from gateway.domain.ids import ALPHABET
from gateway.entry.web.checking_words import CORRECTED, VERIFY
from gateway.entry.web.citizen_words import WAIT, spoken
from gateway.entry.web.console_form import fields_of
from gateway.entry.web.page import language, page, send, wants_page
from gateway.entry.web.problems import problem
from gateway.entry.web.reading import PageRoute
from gateway.entry.web.words import said
from receipts.brand import PLAIN, Brand
from receipts.face import face, logged, qr_svg
from receipts.kept import Kept, Since
from receipts.labels import LABELS, PAPER_WORDS, PAPER_WORDS_EN
from receipts.mailing import PAYER, Mailing
from receipts.paper import Shape
from receipts.papers import Papers
from receipts.post import is_address
from receipts.proving import Proofs
from receipts.rules import rules_on
from receipts.service import Receipts
from receipts.xml import read_sealed

ENDINGS: Final = ("xml", "pdf", "html", "svg")
form_bytes_max: Final = 4_096  # One address.
PROVEN: Final = "proven.xml"
retry_after_s: Final = 2  # The worker draws every second.


def filename(shown: dict[str, Any], ending: str) -> dict[str, str]:
    """Give the name that a copy is saved under."""
    name = f"bien-lai-{shown['series']}-{shown['number']}.{ending}"
    return {"content-disposition": f'inline; filename="{name}"'}


def copy_of(
    request: Request,
    kept: Kept,
    ending: str,
    here: str,
    since: Since,
    brand: Brand,
    *,
    can_mail: bool = False,
) -> Response:
    """Give one copy of a receipt: the original, the drawn one, a page, or its check's QR code.

    ``here`` is where the others are, without their endings. The original is byte for byte, so
    only the page tells what became of it since.
    """
    if ending == "svg":
        return send(qr_svg(read_sealed(kept.xml).verify_url), "image/svg+xml")
    if ending == "pdf" and kept.pdf is None:
        return not_drawn_yet(request, here)
    shown = face(read_sealed(kept.xml))
    if ending == "html":
        return page("receipt.html", {
            "lang": "vi", "r": shown, "here": here, "log": log_of(kept), **became(since, "vi"),
            "label": LABELS, "brand": brand, "agency_id": kept.agency_id,
            "paper": brand.paper_words or PAPER_WORDS, "paper_en": PAPER_WORDS_EN,
            "can_mail": can_mail, "mailed": request.query_params.get("mailed", ""),
            "is_paper": "print" in request.query_params, "is_citizen": here.startswith("/receipts"),
        })  # fmt: skip
    if ending == "pdf" and kept.pdf:
        return send(kept.pdf, "application/pdf", more=filename(shown, "pdf"))
    return send(kept.xml, "application/xml", more=filename(shown, "xml"))


def became(since: Since, lang: str) -> dict[str, Any]:
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


def log_of(kept: Kept) -> dict[str, str]:
    """Give what is shown of a receipt's place in the log, and where its proof is; or nothing."""
    if kept.proof is None:
        return {}
    shown = logged(kept.proof)
    at = f"/log/{quote(kept.agency_id)}/proof?leaf={shown['leaf']}&size={shown['size']}"
    return shown | {"proof": at}


def not_drawn_yet(request: Request, here: str) -> Response:
    """Say when to come back while the worker draws."""
    retry = {"retry-after": str(retry_after_s)}
    if wants_page(request):
        shown = spoken(language(request), WAIT) | {"here": here, "seconds": retry_after_s}
        return page("receipt_wait.html", shown, 503, retry)
    answer = problem(Refusal("unavailable", "The PDF is being drawn; come back soon."))
    answer.headers.update(retry)
    return answer


@dataclass(frozen=True, slots=True)
class ReceiptPages:
    """The doors to a receipt."""

    receipts: Receipts
    proofs: Proofs
    papers: Papers
    mailing: Mailing

    async def proven(self, token: str) -> Response:
        """Give the file with its evidence for ten years, once there is some."""
        kept = await self.proofs.by_token(token) if set(token) <= set(ALPHABET) else None
        if kept is None:
            raise Refusal("not-found", "There is no proven receipt under such a link.")
        sealed, data = kept
        shown = face(read_sealed(sealed))
        return send(data, "application/xml", more=filename(shown, PROVEN))

    async def copy(self, request: Request, token: str, ending: str) -> Response:
        """Give a copy to whoever has the link."""
        kept = await self._kept(token)
        since = await self.receipts.shelf.since(kept)
        brand = await self.papers.look(kept.agency_id)
        can_mail = self.mailing.place is not None
        here = f"/receipts/{token}"
        return copy_of(request, kept, ending, here, since, brand, can_mail=can_mail)

    async def mail(self, request: Request, token: str) -> Response:
        """Send the PDF to the address that whoever has the link typed."""
        kept = await self._kept(token)
        length = request.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= form_bytes_max):
            raise Refusal("too-large", f"A form has at most {form_bytes_max} bytes.")
        to = (await fields_of(request)).get("to", "").strip()
        if not is_address(to):
            return RedirectResponse(f"/receipts/{token}.html?mailed=no#mail", 303)
        await self.mailing.ask(kept.agency_id, kept.id, to, PAYER)
        return RedirectResponse(f"/receipts/{token}.html?mailed=yes#mail", 303)

    async def paper(self, request: Request, token: str, shape: Shape) -> Response:
        """Give another shape to whoever has the link; the first who asks has it drawn."""
        kept = await self._kept(token)
        pdf = await self.papers.ask(kept, shape)
        if pdf is None:
            return not_drawn_yet(request, f"/receipts/{token}")
        named = filename(face(read_sealed(kept.xml)), f"{shape}.pdf")
        return send(pdf, "application/pdf", more=named)

    async def logo(self, agency_id: str) -> Response:
        """Give an agency's logo, which its receipts' pages show."""
        # An id is letters, digits, dots and dashes; what is none of those opens nothing.
        is_id = agency_id.isascii() and agency_id.isprintable()
        brand = await self.papers.look(agency_id) if is_id else PLAIN
        if not brand.logo:
            raise Refusal("not-found", "There is no such logo.")
        return send(brand.logo, "image/svg+xml")

    async def _kept(self, token: str) -> Kept:
        kept = await self.receipts.shelf.by_token(token) if set(token) <= set(ALPHABET) else None
        if kept is None:
            raise Refusal("not-found", "There is no such receipt link.")
        return kept


def routes(pages: ReceiptPages) -> APIRouter:
    """Give the routes."""
    door = APIRouter(include_in_schema=False, route_class=PageRoute)

    @door.get(f"/receipts/{{token}}.{PROVEN}")  # Before the others: it ends as one of them does.
    async def proven(token: str) -> Response:
        return await pages.proven(token)

    for shape in (Shape.STRIP, Shape.COPY):
        door.add_api_route(f"/receipts/{{token}}.{shape}.pdf", _papers(pages, shape))
    for ending in ENDINGS:
        door.add_api_route(f"/receipts/{{token}}.{ending}", _copies(pages, ending))

    @door.post("/receipts/{token}/mail")
    async def mail(request: Request, token: str) -> Response:
        return await pages.mail(request, token)

    @door.get("/receipts/logo/{agency_id}.svg")
    async def logo(agency_id: str) -> Response:
        return await pages.logo(agency_id)

    return door


def _papers(pages: ReceiptPages, shape: Shape) -> Callable[[Request, str], Awaitable[Response]]:
    async def paper(request: Request, token: str) -> Response:
        return await pages.paper(request, token, shape)

    return paper


def _copies(pages: ReceiptPages, ending: str) -> Callable[[Request, str], Awaitable[Response]]:
    async def copy(request: Request, token: str) -> Response:
        return await pages.copy(request, token, ending)

    return copy
