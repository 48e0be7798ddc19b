"""What officers write into the console's forms: who may send one, its texts, its amounts."""

from fastapi import Request

from gateway.domain.errors import Refusal
from gateway.domain.money import amount_dong_max
from gateway.services.access import Officer


def require(officer: Officer, roles: frozenset[str]) -> None:
    """Refuse an officer whose role does not do this."""
    if officer.role not in roles:
        raise Refusal("forbidden", "Your role does not do this.")


async def fields_of(request: Request) -> dict[str, str]:
    """Read the texts of a form; a file is none, and a NUL is no character that can be kept."""
    given = await request.form()
    return {k: _kept(v) for k, v in given.items() if isinstance(v, str)}


async def ticked(request: Request, name: str) -> list[str]:
    """Read all values of one field that may be there several times."""
    given = await request.form()
    return [_kept(v) for v in given.getlist(name) if isinstance(v, str)]


def _kept(said: str) -> str:
    return said.replace("\0", "\ufffd")


def amount_of(text: str) -> int:
    """Read an amount as people write it: 1.234.567 or 1 234 567, and never a decimal."""
    digits = "".join(c for c in text if c not in " .\u00a0")
    is_short = len(digits) <= len(str(amount_dong_max))
    is_whole = is_short and digits.isascii() and digits.isdigit()
    if not is_whole or int(digits) > amount_dong_max:
        raise Refusal("invalid-amount", "Write a whole number of đồng, such as 1.234.567.")
    return int(digits)
