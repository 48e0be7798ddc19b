"""Time-ordered ids, and payment references that people can type and banks can carry.

An id is a prefix and 26 characters of Crockford base 32: 48 bits of milliseconds, 80 of chance.

A reference is ten random characters and two Reed-Solomon symbols over GF(32) with
x^5 + x^2 + 1 and roots α, α² (CONTRACT 1). Any single wrong character can be corrected, and every
swap of neighbours is detected and never mistaken for a single error.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final, NamedTuple

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
reference_length: Final = 12
TRANSFER_PREFIX: Final = "TP"
_PREFIX: Final = TRANSFER_PREFIX.encode("ascii")
_NO_SYMBOL: Final = 255
_ALIKE: Final = {"I": 1, "L": 1, "O": 0}
_SYMBOLS: Final = bytes(_ALIKE.get(chr(c), ALPHABET.find(chr(c)) & _NO_SYMBOL) for c in range(256))
_LETTERS: Final = ALPHABET.encode("ascii").ljust(256, b"?")
_IS_NONE: Final = bytes(c == _NO_SYMBOL for c in range(256))
_SIGNS: Final = bytes(
    c for c in range(256) if not ((chr(c).isascii() and chr(c).isalnum()) or chr(c) == "\n")
)

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


def letters(chance: bytes) -> str:
    """Make a letter of each byte, five bits of chance in it: tokens, and codes that people type."""
    return "".join(ALPHABET[byte & 31] for byte in chance)


def make_reference(chance: bytes) -> str:
    """Make a reference from at least seven bytes of chance."""
    bits = int.from_bytes(chance[:7], "big")
    body = [(bits >> (5 * i)) & 31 for i in range(10)]
    return "".join(ALPHABET[s] for s in [*body, *_parity(body)])


def _mul(a: int, b: int) -> int:
    return _EXP[_LOG[a] + _LOG[b]] if a and b else 0


def _syndromes(symbols: Sequence[int]) -> tuple[int, int]:
    """Evaluate the word at α and α²; both are zero exactly for a code word."""
    both = 0
    for values, symbol in zip(_VALUES, symbols, strict=True):
        both ^= values[symbol]
    return both & 31, both >> 5


# What a symbol at each place, the first first, adds to the word's value at α and, above it, at α².
_VALUES: Final = tuple(
    tuple(_mul(s, _EXP[p]) | _mul(s, _EXP[2 * p % 31]) << 5 for s in range(32))
    for p in range(reference_length - 1, -1, -1)
)


# The same for many words at once: each place's values at α and at α², as tables for bytes.
_COLUMNS: Final = tuple(
    (
        bytes(v & 31 for v in values).ljust(256, b"\0"),
        bytes(v >> 5 for v in values).ljust(256, b"\0"),
    )
    for values in _VALUES
)


def _parity(body: list[int]) -> list[int]:
    """Divide by (x - α)(x - α²) = x² + (α + α²)x + α³; the remainder is the check."""
    high = low = 0
    middle, last = _EXP[1] ^ _EXP[2], _EXP[3]
    for symbol in body:
        lead = symbol ^ high
        high, low = low ^ _mul(lead, middle), _mul(lead, last)
    return [high, low]


class ReadReference(NamedTuple):
    """A reference as read; ``corrected`` says that one character had to be repaired."""

    reference: str
    corrected: bool


def read_reference(text: str) -> ReadReference | None:
    """Read twelve characters as a reference, repairing at most one; None when it is none.

    A repaired reference is only a candidate: it counts if that payment exists (CONTRACT 1).
    """
    if len(text) != reference_length:
        return None
    return _read(text.upper().encode("ascii", "replace"))


def _read(letters: bytes) -> ReadReference | None:
    """Read capitals and digits; a file has a million memos, so they are handled as bytes."""
    symbols = letters.translate(_SYMBOLS)
    if len(symbols) != reference_length or _NO_SYMBOL in symbols:  # «ß» is two capitals.
        return None
    s1, s2 = _syndromes(symbols)
    if s1 == 0 and s2 == 0:
        return ReadReference(symbols.translate(_LETTERS).decode("ascii"), corrected=False)
    if s1 == 0 or s2 == 0:
        return None  # No single error leaves exactly one syndrome at zero.
    # An error e at the power p gives s1 = e·α^p and s2 = e·α^2p, so α^p = s2 / s1.
    power = (_LOG[s2] - _LOG[s1]) % 31
    if power >= reference_length:
        return None
    error = _EXP[(_LOG[s1] - power) % 31]
    repaired = list(symbols)
    repaired[reference_length - 1 - power] ^= error
    return ReadReference("".join(ALPHABET[s] for s in repaired), corrected=True)


def read_whole(words: Sequence[str]) -> list[str | None]:
    """Read many words of twelve capitals and digits; None for each that is damaged.

    It works column by column, on all of them at once: a file has a million memos.
    """
    symbols = "".join(words).encode("ascii").translate(_SYMBOLS)
    wrong = 0
    s1, s2 = 0, 0
    for place, (at_1, at_2) in enumerate(_COLUMNS):
        column = symbols[place::reference_length]
        s1 ^= int.from_bytes(column.translate(at_1), "big")
        s2 ^= int.from_bytes(column.translate(at_2), "big")
        wrong |= int.from_bytes(column.translate(_IS_NONE), "big")
    damaged = (wrong | s1 | s2).to_bytes(len(words), "big")
    letters = symbols.translate(_LETTERS).decode("ascii")
    return [
        None if damaged[n] else letters[n * reference_length : (n + 1) * reference_length]
        for n in range(len(words))
    ]


def pack(text: str) -> str:
    """Fold a text to its letters and digits alone, line by line."""
    return fold(text).encode("ascii", "ignore").translate(None, _SIGNS).decode("ascii")


def _packed(text: str) -> bytes:
    return pack(text.replace("\n", "")).encode("ascii")


def read_typed(text: str) -> ReadReference | None:
    """Read a reference as a person types it: any case, with or without ``TP``, signs between."""
    packed = _packed(text)
    if len(packed) == len(_PREFIX) + reference_length:
        packed = packed.removeprefix(_PREFIX)  # A reference too may begin with these.
    return _read(packed)


def is_reference(text: str) -> bool:
    """Tell whether this is a whole, undamaged reference."""
    read = read_reference(text)
    return read is not None and not read.corrected


def fold(text: str) -> str:
    """Upper case, no accents, Đ as D: how names and memos are searched and compared."""
    if text.isascii():
        return text.upper()
    swapped = text.replace("đ", "d").replace("Đ", "D")
    decomposed = unicodedata.normalize("NFD", swapped)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).upper()


def find_references(memo: str) -> Iterator[ReadReference]:
    """Find ``TP`` + reference in a transfer's text: exact ones first, then repaired ones.

    Banks change case, add prefixes, break lines inside words and strip accents, so the memo is
    folded to letters and digits alone before looking.
    """
    packed = _packed(memo)
    width, last = len(_PREFIX), len(packed) - len(_PREFIX) - reference_length
    found: dict[str, ReadReference] = {}
    at = packed.find(_PREFIX)
    while 0 <= at <= last:
        read = _read(packed[at + width : at + width + reference_length])
        if read and (read.reference not in found or found[read.reference].corrected):
            found[read.reference] = read
        at = packed.find(_PREFIX, at + 1)
    return iter(sorted(found.values(), key=attrgetter("corrected")))
