"""A QR code as PNG: a bank's app reads it from the phone's gallery, and no gallery takes SVG."""

import struct
import zlib
from typing import Final

import zxingcpp

module_pixels: Final = 10  # Shown at half this size: sharp on a phone's dense screen, and to scan.
_MAGIC: Final = b"\x89PNG\r\n\x1a\n"


def qr_png(words: str) -> bytes:
    """Draw a QR code with its quiet zone, in grey levels, one byte a pixel."""
    code = zxingcpp.create_barcode(words, zxingcpp.BarcodeFormat.QRCode)
    image = code.to_image(scale=module_pixels)
    height, width = image.shape
    pixels = bytes(image)  # type: ignore[call-overload] # The stub does not tell of the buffer.
    # Each row begins with its filter, 0 for none: equal rows then deflate to almost nothing.
    rows = b"".join(b"\0" + pixels[y * width : (y + 1) * width] for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        _MAGIC + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND")
    )


def _chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
