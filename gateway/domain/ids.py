"""Time-ordered ids, and payment references that people can type and banks can carry.

An id is a prefix and 26 characters of Crockford base 32: 48 bits of milliseconds, 80 of chance.

A reference is ten random characters and two Reed-Solomon symbols over GF(32) with
x^5 + x^2 + 1 and roots α, α² (CONTRACT 1). Any single wrong character can be corrected, and every
swap of neighbours is detected and never mistaken for a single error.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
reference_length: Final = 12
TRANSFER_PREFIX: Final = "TP"
_DECODE: Final = {c: i for i, c in enumerate(ALPHABET)} | {"I": 1, "L": 1, "O": 0}

# α^i for i in 0..30, doubled so that exponents need no reduction.
_EXP: Final = [1] * 62
for _i in range(1, 62):
    _doubled = _EXP[_i - 1] << 1
    _EXP[_i] = _doubled ^ 0b100101 if _doubled & 32 else _doubled
_LOG: Final = {value: i for i, value in enumerate(_EXP[:31])}


def make_id(prefix: str, at: datetime, chance: bytes) -> str:
    """Make ``pay_…``: ordered by time, unique by ten bytes of chance."""
    number = (int(at.timestamp() * 1000) << 80) | int.from_bytes(chance[:10], "big")
    return f"{prefix}_" + "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def make_reference(chance: bytes) -> str:
    """Make a reference from at least seven bytes of chance."""
    bits = int.from_bytes(chance[:7], "big")
    body = [(bits >> (5 * i)) & 31 for i in range(10)]
    return "".join(ALPHABET[s] for s in [*body, *_parity(body)])


def _mul(a: int, b: int) -> int:
    return _EXP[_LOG[a] + _LOG[b]] if a and b else 0


def _syndromes(symbols: list[int]) -> tuple[int, int]:
    """Evaluate the word at α and α²; both are zero exactly for a code word."""
    s1 = s2 = 0
    for symbol in symbols:
        s1 = _mul(s1, _EXP[1]) ^ symbol
        s2 = _mul(s2, _EXP[2]) ^ symbol
    return s1, s2


def _parity(body: list[int]) -> list[int]:
    """Divide by (x - α)(x - α²) = x² + (α + α²)x + α³; the remainder is the check."""
    high = low = 0
    middle, last = _EXP[1] ^ _EXP[2], _EXP[3]
    for symbol in body:
        lead = symbol ^ high
        high, low = low ^ _mul(lead, middle), _mul(lead, last)
    return [high, low]


@dataclass(frozen=True, slots=True)
class ReadReference:
    """A reference as read; ``corrected`` says that one character had to be repaired."""

    reference: str
    corrected: bool


def read_reference(text: str) -> ReadReference | None:
    """Read twelve characters as a reference, repairing at most one; None when it is none.

    A repaired reference is only a candidate: it counts if that payment exists (CONTRACT 1).
    """
    symbols = [_DECODE.get(c, -1) for c in text.upper()]
    if len(symbols) != reference_length or -1 in symbols:
        return None
    s1, s2 = _syndromes(symbols)
    if s1 == 0 and s2 == 0:
        return ReadReference("".join(ALPHABET[s] for s in symbols), corrected=False)
    if s1 == 0 or s2 == 0:
        return None  # No single error leaves exactly one syndrome at zero.
    # An error e at the power p gives s1 = e·α^p and s2 = e·α^2p, so α^p = s2 / s1.
    power = (_LOG[s2] - _LOG[s1]) % 31
    if power >= reference_length:
        return None
    error = _EXP[(_LOG[s1] - power) % 31]
    symbols[reference_length - 1 - power] ^= error
    return ReadReference("".join(ALPHABET[s] for s in symbols), corrected=True)


def read_typed(text: str) -> ReadReference | None:
    """Read a reference as a person types it: any case, with or without ``TP``, signs between."""
    packed = re.sub(r"[^0-9A-Z]", "", fold(text))
    if len(packed) == len(TRANSFER_PREFIX) + reference_length:
        packed = packed.removeprefix(TRANSFER_PREFIX)  # A reference too may begin with these.
    return read_reference(packed)


def is_reference(text: str) -> bool:
    """Tell whether this is a whole, undamaged reference."""
    read = read_reference(text)
    return read is not None and not read.corrected


def fold(text: str) -> str:
    """Upper case, no accents, Đ as D: how names and memos are searched and compared."""
    swapped = text.replace("đ", "d").replace("Đ", "D")
    decomposed = unicodedata.normalize("NFD", swapped)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).upper()


def find_references(memo: str) -> Iterator[ReadReference]:
    """Find ``TP`` + reference in a transfer's text: exact ones first, then repaired ones.

    Banks change case, add prefixes, break lines inside words and strip accents, so the memo is
    folded to letters and digits alone before looking.
    """
    packed = re.sub(r"[^0-9A-Z]", "", fold(memo))
    width = len(TRANSFER_PREFIX) + reference_length
    found: dict[str, ReadReference] = {}
    for at in range(len(packed) - width + 1):
        if packed.startswith(TRANSFER_PREFIX, at):
            read = read_reference(packed[at + len(TRANSFER_PREFIX) : at + width])
            if read and (read.reference not in found or found[read.reference].corrected):
                found[read.reference] = read
    yield from sorted(found.values(), key=lambda r: r.corrected)
