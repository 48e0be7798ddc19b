"""An agency's logo: an SVG that is read, and written again from what is known to be harmless.

What could act (scripts, links, pictures from elsewhere, HTML) is an error, so that nobody wonders
why a logo looks other than it did; what only editors write is left out.
"""

import re
from typing import Final
from xml.etree import ElementTree as ET

from gateway.domain.errors import Refusal

SVG: Final = "http://www.w3.org/2000/svg"
logo_bytes_max: Final = 16_384  # A receipt's PDF stays below 60 KB with it.
elements_max: Final = 400
depth_max: Final = 16
_KEPT: Final = frozenset(
    {"svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "defs",
     "linearGradient", "radialGradient", "stop", "clipPath"}
)  # fmt: skip
_LEFT_OUT: Final = frozenset({"title", "desc", "metadata"})
_LOOK: Final = frozenset(
    {"fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-linecap",
     "stroke-linejoin", "stroke-miterlimit", "stroke-dasharray", "stroke-opacity", "opacity",
     "clip-path", "clip-rule", "stop-color", "stop-opacity"}
)  # fmt: skip
_PLACE: Final = frozenset(
    {"id", "viewBox", "width", "height", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx",
     "ry", "fx", "fy", "d", "points", "transform", "offset", "gradientUnits", "gradientTransform",
     "spreadMethod", "clipPathUnits", "preserveAspectRatio"}
)  # fmt: skip
_ACTS: Final = re.compile(r"(?i)url\s*\((?!#[\w-]+\)\Z)|javascript|data:|@import|expression|\\")


def cleaned(data: bytes) -> str:
    """Give a logo's SVG, cleaned. Raises Refusal, which says what was found in it."""
    if len(data) > logo_bytes_max:
        raise _refused(f"is too large: at most {logo_bytes_max} bytes")
    if b"<!" in re.sub(rb"<!--.*?-->", b"", data, flags=re.DOTALL):
        raise _refused("has a DOCTYPE, an entity or CDATA: save it as plain SVG")
    try:
        root = ET.fromstring(data)  # noqa: S314 - without a DOCTYPE there is no entity to expand.
    except (ET.ParseError, ValueError, LookupError):
        raise _refused("is not XML") from None
    if root.tag != f"{{{SVG}}}svg" or not (root.get("viewBox") or root.get("width")):
        raise _refused("is not an SVG with a viewBox or a width")
    if sum(1 for _ in root.iter()) > elements_max:
        raise _refused(f"has more than {elements_max} elements: simplify it")
    ET.register_namespace("", SVG)
    made = _element(root, 1)
    if made is None:
        raise _refused("is empty")
    return ET.tostring(made, "unicode")


def _element(found: ET.Element, depth: int) -> ET.Element | None:
    space, _, name = str(found.tag).rpartition("}")
    if space != f"{{{SVG}" or name in _LEFT_OUT:
        return None  # What an editor remembers of its own work.
    if name not in _KEPT:
        raise _refused(f"has <{name}>, which a logo may not have: draw it with paths")
    if depth > depth_max:
        raise _refused(f"is nested more than {depth_max} deep")
    made = ET.Element(found.tag, _attributes(found))
    children = (_element(x, depth + 1) for x in found if isinstance(x.tag, str))
    made.extend([x for x in children if x is not None])
    return made


def _attributes(found: ET.Element) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in found.attrib.items():
        bare = name.rpartition("}")[2]
        if bare.lower().startswith("on") or bare == "href":
            raise _refused(f"has the attribute {bare}, which could act or lead elsewhere")
        if bare == "style":
            pairs = [x.partition(":") for x in value.split(";") if x.strip()]
            given = {k.strip(): v.strip() for k, _, v in pairs if k.strip() in _LOOK}
        else:
            given = {name: value} if name in _PLACE | _LOOK else {}
        if any(_ACTS.search(text) for text in given.values()):
            raise _refused(f"leads elsewhere by its {bare}")
        kept |= given
    return kept


def _refused(why: str) -> Refusal:
    return Refusal("invalid-request", f"The logo {why}.")
