"""What an argument may be; each reader says in a few words how it is written."""

import argparse
import re
from datetime import date
from typing import Final

from gateway.domain.addresses import is_origin, is_plain_url, origin_of

# No book is older, and a day after the last one can still be reckoned.
first_year: Final = 2000
last_year: Final = 2199
port_max: Final = 65_535
name_chars_max: Final = 100
citizens_max: Final = 1_000_000  # Of one day: a third of a year's in Hanoi.
overlap_hours_max: Final = 24 * 365  # Two secrets that are valid for longer are no rotation.
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SHARE: Final = re.compile(r"0|1|[01]?\.[0-9]{1,6}")


def day_of(text: str) -> date:
    """Read YYYY-MM-DD."""
    try:
        found = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        found = None
    if found is None:
        raise argparse.ArgumentTypeError("a day is written YYYY-MM-DD")
    if not first_year <= found.year <= last_year:
        raise argparse.ArgumentTypeError(f"a day is of the years {first_year} to {last_year}")
    return found


def _whole(text: str, least: int, most: int, what: str) -> int:
    is_whole = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    if not is_whole or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{what} is a whole number from {least} to {most}")
    return int(text)


def port(text: str) -> int:
    """Read a port that can be listened on; 0 would be any, and nobody would know which."""
    return _whole(text, 1, port_max, "a port")


def citizens(text: str) -> int:
    """Read how many citizens come."""
    return _whole(text, 1, citizens_max, "the number of payments")


def hours(text: str) -> int:
    """Read for how many hours a former secret is believed."""
    return _whole(text, 0, overlap_hours_max, "the overlap")


def share(text: str) -> float:
    """Read a share."""
    if not _SHARE.fullmatch(text) or float(text) > 1:
        raise argparse.ArgumentTypeError("a share is a number from 0 to 1, such as 0.1")
    return float(text)


def name(text: str) -> str:
    """Read what somebody or something is called."""
    clean = text.strip()
    if not clean or len(clean) > name_chars_max or not clean.isprintable():
        raise argparse.ArgumentTypeError(f"a name has 1 to {name_chars_max} printable characters")
    return clean


def web_address(text: str) -> str:
    """Read an address that webhooks go to."""
    if is_plain_url(text):
        return text
    raise argparse.ArgumentTypeError("it must be like https://dvc.example.vn/hook")


def origin(text: str) -> str:
    """Read an origin that citizens may be sent back to."""
    if is_origin(text):
        return origin_of(text)
    raise argparse.ArgumentTypeError("it must be like https://dvc.example.vn, with no path")
