"""The sealed XML inside a PDF, cut out without a PDF reader.

What is cut out proves itself: its signature covers every byte of it. So nothing has to be believed
of the PDF around it, and no parser of a format that is known for its attacks has to be in the web
process. A PDF whose attachment is hidden in another way (encrypted, say) has none for us.
"""

import zlib
from typing import Final

from receipts.proof import proven_bytes_max
from receipts.xml import HEAD

MAGIC: Final = b"%PDF-"
_MARK: Final = b"/EmbeddedFile"
files_max: Final = 16  # Ours have two; each that is tried costs at most one inflated receipt.
header_bytes_max: Final = 2_048  # Of one object, between its type and its data.


def is_pdf(data: bytes) -> bool:
    """Tell whether it is a PDF, by its first bytes."""
    return data.startswith(MAGIC)


def attached(pdf: bytes) -> bytes | None:
    """Give the first attachment that begins as a receipt does, or nothing."""
    at = -1
    for _ in range(files_max):
        at = pdf.find(_MARK, at + 1)
        while at >= 0 and pdf[at + len(_MARK) : at + len(_MARK) + 1] == b"s":  # The list of them.
            at = pdf.find(_MARK, at + 1)
        if at < 0:
            return None
        begin = pdf.find(b"stream", at, at + header_bytes_max)
        found = _content(pdf, begin + len(b"stream")) if begin >= 0 else b""
        if found.startswith(HEAD):
            return found
    return None


def _content(pdf: bytes, begin: int) -> bytes:
    """Read what a stream holds: deflated, as everybody writes it, or as it is."""
    begin += 2 if pdf[begin : begin + 2] == b"\r\n" else 1
    if pdf.startswith(HEAD, begin):
        end = pdf.find(b"endstream", begin)
        # A line end stands before the word; a receipt ends with its own last bracket.
        return pdf[begin:end].rstrip(b"\r\n") if end >= 0 else b""
    try:
        return zlib.decompressobj().decompress(memoryview(pdf)[begin:], proven_bytes_max + 1)
    except zlib.error:
        return b""
