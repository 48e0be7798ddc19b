"""Names of banks by BIN, from a dated file with its source: it changes with every merger."""

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final

FILE: Final = "2026.csv"


@cache
def _names() -> Mapping[str, str]:
    text = resources.files(__name__).joinpath(FILE).read_text(encoding="utf-8")
    return MappingProxyType({row["bin"]: row["name"] for row in csv.DictReader(text.splitlines())})


def bank_name(bank_bin: str) -> str:
    """Give the bank's name, or ValueError: a wrong BIN would send money elsewhere."""
    try:
        return _names()[bank_bin]
    except KeyError:
        raise ValueError(
            f"No transfer-enabled bank has the BIN in adapters/banks/{FILE}."
        ) from None
