"""Money: whole đồng, 64-bit, read strictly and shown the Vietnamese way."""

from typing import Final

from gateway.domain.errors import Refusal

amount_dong_max: Final = 10**15  # CONTRACT 1; far below 2^63, above any single public debt.


def dong(value: object) -> int:
    """Take a value as an amount of đồng, or refuse it.

    Only a plain ``int`` from 0 to 10^15 passes: ``True``, ``"150000"``, ``1.5e5`` and ``1.0``
    are each somebody's mistake, and a mistake about money is refused, never repaired.
    """
    if type(value) is not int:
        raise Refusal("invalid-amount", "An amount is a plain whole number of đồng.")
    if not 0 <= value <= amount_dong_max:
        raise Refusal("invalid-amount", f"An amount is from 0 to {amount_dong_max} đồng.")
    return value


def figures(amount: int) -> str:
    """Write 1234567 as ``1.234.567``, the way Vietnamese read it."""
    return f"{amount:,}".replace(",", ".")
