"""What officers write into a form is an amount, or a refusal; never an error of ours."""

import pytest

from gateway.domain.errors import Refusal
from gateway.domain.money import amount_dong_max
from gateway.entry.web.console_form import amount_of


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0", 0), ("1.234.567", 1_234_567), ("1 234\u00a0567", 1_234_567),
     (str(amount_dong_max), amount_dong_max)],
)  # fmt: skip
def test_an_amount_is_read_as_people_write_it(text: str, amount: int) -> None:
    assert amount_of(text) == amount


@pytest.mark.parametrize(
    "text",
    ["", "-1", "1,5", "1e3", "١٢", str(amount_dong_max + 1), "0" * 19 + "9" * 19, "9" * 5_000],
)
def test_what_no_account_can_hold_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="whole number"):
        amount_of(text)
