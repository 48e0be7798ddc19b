"""The receipt on paper: PDF/A-3 and PDF/UA-1 by typst, with the sealed XML attached.

Only the worker draws. Never fork after a compile: a forked child was seen to hang.
"""

import json
from datetime import UTC, datetime, time
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import typst

from receipts.face import face, qr_svg
from receipts.receipt import Receipt

STANDARDS: Final = ("a-3a", "ua-1")
_HERE: Final = Path(__file__).parent / "templates"
_FONTS: Final = str(files("fontpkg_be_vietnam_pro") / "files")


@cache
def _fonts() -> Any:  # noqa: ANN401 - typst leaves it untyped.
    """Load the font once; the machine's own fonts are never used, so each PDF looks the same."""
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[_FONTS]
    )


def draw(receipt: Receipt, xml: bytes) -> bytes:
    """Draw a sealed receipt; the same receipt gives the same bytes."""
    inputs = {
        "data": json.dumps(face(receipt)),
        "xml": xml.decode(),
        "qr": qr_svg(receipt.verify_url),
    }
    made: bytes = typst.compile(
        str(_HERE / "receipt.typ"), root=str(_HERE), font_paths=_fonts(), sys_inputs=inputs,
        format="pdf", pdf_standards=list(STANDARDS),
        timestamp=datetime.combine(receipt.issued_on, time(), UTC),
    )  # fmt: skip
    return made
