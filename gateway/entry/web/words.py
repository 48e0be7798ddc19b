"""What a table of words is: a code or a key, and its text in Vietnamese and in English."""

from collections.abc import Mapping

Words = Mapping[str, tuple[str, str]]


def both(vietnamese: str, english: str) -> tuple[str, str]:
    """Pair two texts that are too long for a line."""
    return vietnamese, english


def said(lang: str, *tables: Words) -> dict[str, str]:
    """Give the texts of some tables in one language."""
    return {key: pair[lang == "en"] for table in tables for key, pair in table.items()}
