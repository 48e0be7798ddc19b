"""A file's bytes as lines of text: Unicode, or one of the code pages that offices still have.

TCVN3 (ABC) and VNI were fonts rather than code pages: a byte drew a Vietnamese letter, and nothing
in the file says so. A profile names the one that its sender uses.
"""

import codecs
import io
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from gateway.domain.errors import Refusal
from reconciliation.readers.legacy import from_tcvn3, from_vni
from reconciliation.readers.line import file_bytes_max, refuse

line_chars_max: Final = 1_000_000  # Above any row; a file of one line must not fill the memory.
_chunk_bytes: Final = 1_048_576
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


def _composed(line: str) -> str:
    return line if line.isascii() else unicodedata.normalize("NFC", line)


# Name -> Python's codec, and what is left to do. Latin-1 gives each byte its own number.
_KNOWN: Final[dict[str, tuple[str, Callable[[str], str]]]] = {
    "utf-8": ("utf-8-sig", _composed),
    "utf-16": ("utf-16", _composed),
    "windows-1258": ("cp1258", _composed),
    "tcvn3": ("latin-1", from_tcvn3),
    "vni": ("latin-1", from_vni),
}


def plain_lines(content: bytes) -> Iterator[str]:
    """Give the lines of a UTF-8 file as they stand, or refuse it with the line that is not."""
    _measure(content)
    _prove(content, "utf-8-sig", "UTF-8")
    return _lines(content, "utf-8-sig")


def composed_lines(content: bytes, encodings: Sequence[str]) -> Iterator[str]:
    """Give the lines of a file in one of some encodings, composed (NFC).

    A byte order mark decides. Else each is tried in turn; a file that begins in UTF-8 and goes on
    in something else is refused, with the line.
    """
    _measure(content)
    for mark, codec in _BOMS:
        if content.startswith(mark):
            _prove(content, codec, codec.removesuffix("-sig").upper())
            return map(_composed, _lines(content, codec))
    for name in encodings:
        codec, rest = _KNOWN[name]
        wrong = _first_wrong(content, codec)
        if wrong is None:
            return map(rest, _lines(content, codec))
        if name == encodings[-1] or (name == "utf-8" and not content[:wrong].isascii()):
            raise _not_in(content, wrong, name)
    raise Refusal("file-refused", "The profile names no encoding.")


def _measure(content: bytes) -> None:
    if len(content) > file_bytes_max:
        raise Refusal("file-refused", f"The file is longer than {file_bytes_max} bytes.")


def _prove(content: bytes, codec: str, name: str) -> None:
    wrong = _first_wrong(content, codec)
    if wrong is not None:
        raise _not_in(content, wrong, name)


def _not_in(content: bytes, at: int, name: str) -> Refusal:
    return refuse(content.count(b"\n", 0, at) + 1, "", f"is not {name.upper()}")


def _first_wrong(content: bytes, codec: str) -> int | None:
    """Find the first byte that is not of an encoding, without the whole text in memory."""
    decoder = codecs.getincrementaldecoder(codec)()
    for at in range(0, len(content), _chunk_bytes):
        held = len(decoder.getstate()[0])
        chunk = content[at : at + _chunk_bytes]
        try:
            decoder.decode(chunk, final=at + _chunk_bytes >= len(content))
        except UnicodeDecodeError as error:
            return max(0, at - held + error.start)
        except UnicodeError:  # UTF-16 that does not say which end comes first.
            return 0
    return None


def _lines(content: bytes, codec: str) -> Iterator[str]:
    text = io.TextIOWrapper(io.BytesIO(content), codec, newline="")
    number = 0
    while line := text.readline(line_chars_max):
        number += 1
        if len(line) == line_chars_max:
            raise refuse(number, "", f"is longer than {line_chars_max} characters")
        yield line
