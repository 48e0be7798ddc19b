"""A break that was given to nobody is due by the working calendar."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateway.services.break_list import due_of


@pytest.mark.parametrize(
    ("opened_at", "more", "due"),
    [
        (datetime(2026, 11, 18, 3, tzinfo=UTC), {}, date(2026, 11, 23)),  # Over a weekend.
        (datetime(2026, 11, 20, 18, tzinfo=UTC), {}, date(2026, 11, 26)),  # The 24th is off too.
        (datetime(2026, 8, 31, 3, tzinfo=UTC), {}, date(2026, 9, 7)),  # National Day is off.
        (datetime(2026, 11, 18, tzinfo=UTC), {"due_on": date(2026, 12, 1)}, date(2026, 12, 1)),
        (datetime(2026, 11, 18, tzinfo=UTC), {"state": "resolved"}, None),
        (datetime(2199, 11, 18, tzinfo=UTC), {}, None),  # No calendar says what is worked then.
    ],
)
def test_its_day_is_three_working_days_after_it_was_found(
    opened_at: datetime, more: dict[str, Any], due: date | None
) -> None:
    row: dict[str, Any] = {"state": "open", "due_on": None, "opened_at": opened_at, **more}

    assert due_of(row) == due
