"""Which characters a font can show, by the map that it carries, and what stands for the others.

The map is OpenType's ``cmap``. What no font shows is a box that everybody sees: a receipt that
cannot be drawn helps nobody.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from struct import unpack_from
from typing import Any, Final

BOX: Final = "\N{WHITE SQUARE}"
_COLLECTION: Final = b"ttcf"
_short_map, _long_map = 4, 12  # The formats of Unicode fonts; the long one has all planes.
# They only say how others are joined, and no font needs a picture of them.
_JOINERS: Final = frozenset("\u200c\u200d\ufe0e\ufe0f")
_MARK: Final = "\ufeff"  # Says how bytes are ordered, if it says anything.
Characters = frozenset[int]


def characters(font: Path, index: int = 0) -> Characters:
    """Read what a font, or one of a collection, has a picture of."""
    data = font.read_bytes()
    start = unpack_from(">I", data, 12 + 4 * index)[0] if data[:4] == _COLLECTION else 0
    (tables,) = unpack_from(">H", data, start + 4)
    for n in range(tables):
        tag, _, at, _ = unpack_from(">4sIII", data, start + 12 + 16 * n)
        if tag == b"cmap":
            return frozenset(_mapped(data, at))
    raise ValueError(f"{font.name} maps no character.")


def _mapped(data: bytes, table: int) -> Iterator[int]:
    (count,) = unpack_from(">H", data, table + 2)
    places = [table + unpack_from(">HHI", data, table + 4 + 8 * n)[2] for n in range(count)]
    by_format = {unpack_from(">H", data, place)[0]: place for place in places}
    if _long_map in by_format:
        return _long(data, by_format[_long_map])
    return _short(data, by_format[_short_map])


def _long(data: bytes, at: int) -> Iterator[int]:
    (groups,) = unpack_from(">I", data, at + 12)
    for n in range(groups):
        first, last, glyph = unpack_from(">III", data, at + 16 + 12 * n)
        yield from range(first if glyph else first + 1, last + 1)  # Glyph 0 is the missing one.


def _short(data: bytes, at: int) -> Iterator[int]:
    (doubled,) = unpack_from(">H", data, at + 6)
    ends, starts = at + 14, at + 16 + doubled
    for n in range(0, doubled, 2):
        (last,), (first,) = unpack_from(">H", data, ends + n), unpack_from(">H", data, starts + n)
        (delta,) = unpack_from(">H", data, starts + doubled + n)
        here = starts + 2 * doubled + n
        (offset,) = unpack_from(">H", data, here)
        for code in range(first, last + 1):
            (glyph,) = unpack_from(">H", data, here + offset + 2 * (code - first)) if offset else (
                code,
            )  # fmt: skip
            if glyph and (glyph + delta) % 65_536:
                yield code


def shown(text: str, fonts: Sequence[Characters]) -> str:
    """Give the text with a box for each cluster that no font has whole.

    A letter and its marks are set from one font, so marks that it lacks take the letter along.
    """
    if is_plain(text, fonts[0]):
        return text  # Nearly every text; one by one would take a tenth of the drawing.
    spaced = "".join(" " if c.isspace() else c for c in text)
    visible = (c for c in spaced if not _is_silent(c) or any(_covers(font, c) for font in fonts))
    return "".join(
        cluster if any(_covers(font, cluster) for font in fonts) else BOX
        for cluster in _clusters("".join(visible))
    )


def shown_all(value: Any, fonts: Sequence[Characters]) -> Any:  # noqa: ANN401 - JSON's own width.
    """Do the same with every text inside."""
    if isinstance(value, str):
        return shown(value, fonts)
    if isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return {name: shown_all(inner, fonts) for name, inner in value.items()}
    return [shown_all(inner, fonts) for inner in value]


@cache
def _plain(font: Characters) -> frozenset[str]:
    """Give the characters that a font shows as they are, whatever stands beside them."""
    mapped = frozenset(map(chr, font))
    return frozenset(
        c for c in mapped if not (_is_silent(c) or _is_refused(c) or (c.isspace() and c != " "))
    )


def is_plain(text: str, font: Characters) -> bool:
    """Tell whether one font shows a text just as it is."""
    return _plain(font).issuperset(text)


def _is_silent(c: str) -> bool:
    """Tell whether a character steers the text and is nothing to see."""
    return unicodedata.category(c) == "Cf" and c not in _JOINERS


def _is_refused(c: str) -> bool:
    """Tell whether PDF/A refuses a character that a font maps: nobody knows its meaning."""
    return c == _MARK or unicodedata.category(c) in ("Cc", "Cn", "Co", "Cs")


def _covers(font: Characters, cluster: str) -> bool:
    return all(c in _JOINERS or (ord(c) in font and not _is_refused(c)) for c in cluster)


def _clusters(text: str) -> Iterator[str]:
    cluster = ""
    for c in text:
        if cluster and not (c in _JOINERS or unicodedata.category(c).startswith("M")):
            yield cluster
            cluster = ""
        cluster += c
    if cluster:
        yield cluster
