"""References that a text lost a letter of, gained one, or has two letters of the wrong way round.

The check characters repair one wrong letter (ids.py); here each place where more may have gone
wrong is tried. What is found is a candidate of the lowest rank: rules take it only with an existing
payment and its amount.
"""

import re
from collections.abc import Iterator
from typing import Final

from gateway.domain.ids import (
    TRANSFER_PREFIX,
    fold,
    is_reference,
    read_reference,
    reference_length,
)

_filler: Final = "0"  # Stands in the place of a lost letter until the check characters name it.


def damaged_references(memo: str) -> Iterator[str]:
    """Give what may have been meant: swapped neighbours, then a lost, then an extra letter."""
    packed = re.sub(r"[^0-9A-Z]", "", fold(memo))
    words = [
        packed[at + len(TRANSFER_PREFIX) :]
        for at in range(len(packed))
        if packed.startswith(TRANSFER_PREFIX, at)
    ]
    for tried in (_swapped, _lost, _extra):
        for word in words:
            yield from tried(word)


def _swapped(word: str) -> Iterator[str]:
    said = word[:reference_length]
    if len(said) == reference_length:
        for at in range(reference_length - 1):
            turned = said[:at] + said[at + 1] + said[at] + said[at + 2 :]
            if turned != said:
                yield from _whole(turned)


def _lost(word: str) -> Iterator[str]:
    said = word[: reference_length - 1]
    if len(said) == reference_length - 1:
        for at in range(reference_length):
            read = read_reference(said[:at] + _filler + said[at:])
            # Only the filler may have been changed: a second wrong letter is one too many.
            if read and _canonical(said) == read.reference[:at] + read.reference[at + 1 :]:
                yield read.reference


def _extra(word: str) -> Iterator[str]:
    said = word[: reference_length + 1]
    if len(said) == reference_length + 1:
        for at in range(reference_length + 1):
            yield from _whole(said[:at] + said[at + 1 :])


def _whole(said: str) -> Iterator[str]:
    if is_reference(said):
        yield _canonical(said)


def _canonical(said: str) -> str:
    return said.translate(str.maketrans("OIL", "011"))
