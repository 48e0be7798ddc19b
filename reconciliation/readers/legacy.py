"""Vietnamese before Unicode: the tables of TCVN3 (the fonts called .Vn…, «ABC») and VNI.

TCVN3 has no capitals with tone marks: fonts whose names end in H draw capitals over the same bytes,
so a text in capitals comes out in small letters here. References and marks do not mind.
"""

import re
import unicodedata
from typing import Final

_TONES: Final = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")  # As à ả ã á ạ.
# Each vowel with the bytes of its five tones, in that order; TCVN 5712:1993, VN3.
_TCVN3_VOWELS: Final = {
    "a": "b5 b6 b7 b8 b9", "ă": "bb bc bd be c6", "â": "c7 c8 c9 ca cb", "e": "cc ce cf d0 d1",
    "ê": "d2 d3 d4 d5 d6", "i": "d7 d8 dc dd de", "o": "df e1 e2 e3 e4", "ô": "e5 e6 e7 e8 e9",
    "ơ": "ea eb ec ed ee", "u": "ef f1 f2 f3 f4", "ư": "f5 f6 f7 f8 f9", "y": "fa fb fc fd fe",
}  # fmt: skip
_TCVN3_LETTERS: Final = "ĂÂÊÔƠƯĐăâêôơưđ"  # From the byte A1 on.


def _tcvn3() -> dict[int, str]:
    table = {0xA1 + n: letter for n, letter in enumerate(_TCVN3_LETTERS)}
    for vowel, said in _TCVN3_VOWELS.items():
        for byte, tone in zip(bytes.fromhex(said), _TONES[1:], strict=True):
            table[byte] = unicodedata.normalize("NFC", vowel + tone)
    return table


TCVN3: Final = _tcvn3()

# VNI writes a letter and then its mark; the mark of a capital is a capital.
_VNI_MARKS: Final = {
    "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ù": "\u0301", "ï": "\u0323",
    "â": "\u0302", "à": "\u0302\u0300", "å": "\u0302\u0309", "ã": "\u0302\u0303",
    "á": "\u0302\u0301", "ä": "\u0302\u0323",
    "ê": "\u0306", "è": "\u0306\u0300", "ú": "\u0306\u0309", "ü": "\u0306\u0303",
    "é": "\u0306\u0301", "ë": "\u0306\u0323",
}  # fmt: skip
_VNI_ALONE: Final = {"ô": "ơ", "ö": "ư", "ñ": "đ", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ",
                     "ò": "ị", "î": "ỵ"}  # fmt: skip


def _vni() -> dict[str, str]:
    table = dict(_VNI_ALONE)
    for letter, bare in {"a": "a", "e": "e", "o": "o", "u": "u", "y": "y", "ô": "ơ",
                         "ö": "ư"}.items():  # fmt: skip
        for mark, tone in _VNI_MARKS.items():
            made = unicodedata.normalize("NFC", bare + tone)
            if len(made) == 1:
                table[letter + mark] = made
    return table | {k.upper(): v.upper() for k, v in table.items()}


VNI: Final = _vni()
_VNI_SIGNS: Final = re.compile("|".join(sorted(map(re.escape, VNI), key=len, reverse=True)))


def from_tcvn3(line: str) -> str:
    """Read a line whose characters are TCVN3's bytes."""
    return line if line.isascii() else line.translate(TCVN3)


def from_vni(line: str) -> str:
    """Read a line whose characters are VNI's bytes."""
    return line if line.isascii() else _VNI_SIGNS.sub(lambda found: VNI[found[0]], line)
