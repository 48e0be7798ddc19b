"""The receipt on paper: PDF/A-3 and PDF/UA-1 by typst, with the sealed XML and its proof attached.

Only the worker draws. Never fork after a compile: a forked child was seen to hang.
"""

import json
from datetime import UTC, datetime, time
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import typst

from gateway.domain.errors import Refusal
from receipts.brand import PLAIN, Brand
from receipts.face import face, logged, qr_svg
from receipts.glyphs import BOX, Characters, characters, is_plain, shown_all
from receipts.labels import LABELS
from receipts.log.note import Proof
from receipts.paper import Converted, Shape
from receipts.receipt import Receipt

STANDARDS: Final = ("a-3a", "ua-1")
_HERE: Final = Path(__file__).parent / "templates"
_PACKAGES: Final = ("fontpkg_be_vietnam_pro", "manimgx_fonts", "noto_cjk_sans_otc")
# Nearly every receipt is set in the first and nothing else; the rest are asked by name.
_FIRST: Final = ("Be Vietnam Pro", "Noto Sans")
_HAN: Final = "Noto Sans CJK SC"  # Of the collection's ten faces, which differ in a few strokes.


@cache
def _fonts() -> Any:  # noqa: ANN401 - typst leaves it untyped.
    """Load the fonts once; the machine's own are never used, so each PDF looks the same."""
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False,
        font_paths=[str(files(package)) for package in _PACKAGES],
    )  # fmt: skip


@cache
def _shows() -> dict[str, Characters]:
    """Say of each family, in the order in which they are asked, what it has a picture of."""
    found = {
        font.family: characters(Path(font.path), font.index)
        for font in _fonts().fonts()
        if font.family == _HAN or " CJK " not in font.family
    }
    order = [*_FIRST, *sorted(found.keys() - {*_FIRST})]
    return {family: found[family] for family in order}


def draw(
    receipt: Receipt, xml: bytes, proof: Proof | None = None, brand: Brand = PLAIN,
    shape: Shape = Shape.A5, converted: Converted | None = None,
) -> bytes:  # fmt: skip
    """Draw a sealed receipt, with its proof if it is logged; the same give the same bytes.

    Names come in every script. What no font shows is a box on paper, and whole in the XML.
    """
    can = _shows()
    said = {
        **face(receipt),
        "brand": {"logo": bool(brand.logo), "footer": brand.footer},
        "paper": converted.words() if converted else {},
    }
    seen = shown_all(said, tuple(can.values()))
    all_of_it = json.dumps(seen, ensure_ascii=False)
    # Each run of text carries the list along, so the long one is for those who need it.
    fonts = [_FIRST[0]] if is_plain(all_of_it, can[_FIRST[0]]) else list(can)
    inputs = {
        "data": json.dumps(
            {
                **seen,
                "boxed": BOX in all_of_it, "fonts": fonts, "t": dict(LABELS),
                "paper": seen["paper"] or None, "log": logged(proof) if proof else None,
            }
        ),
        "xml": xml.decode(),
        "proof": proof.text() if proof else "",
        "logo": brand.logo,
        "qr": qr_svg(receipt.verify_url),
    }  # fmt: skip
    template = "strip.typ" if shape is Shape.STRIP else "receipt.typ"
    made: bytes = typst.compile(
        str(_HERE / template), root=str(_HERE), font_paths=_fonts(), sys_inputs=inputs,
        format="pdf", pdf_standards=list(STANDARDS),
        timestamp=datetime.combine(receipt.issued_on, time(), UTC),
    )  # fmt: skip
    return made


def require_drawable(logo: str) -> None:
    """Draw a logo by itself. Raises Refusal."""
    try:
        typst.compile(
            str(_HERE / "logo.typ"), root=str(_HERE), font_paths=_fonts(),
            sys_inputs={"logo": logo}, format="pdf", pdf_standards=list(STANDARDS),
        )  # fmt: skip
    except RuntimeError:
        raise Refusal("invalid-request", "The logo cannot be drawn; save it anew.") from None
