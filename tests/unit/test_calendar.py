"""Working days of real years, exchanges, the cut-off's edge, and a year that nobody has listed."""

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files

import pytest

from gateway.domain.calendar import BusinessDays, Calendar, Works, day_by_cut_off
from gateway.domain.errors import Refusal
from gateway.services.working_calendar import EXCHANGED, calendar_of, vietnam

CUT_OFF = time(16, 30)


def hanoi(day: str, hour: str) -> datetime:
    """Give an instant by Hanoi's clock."""
    return datetime.fromisoformat(f"{day}T{hour}+07:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2025-01-29", False),  # The first day of Tết Ất Tỵ.
        ("2025-04-26", True),  # A Saturday, worked for Friday 2 May.
        ("2025-05-02", False),
        ("2025-11-24", True),  # Vietnam Culture Day is a holiday from 2026.
        ("2026-01-02", False),
        ("2026-01-10", True),
        ("2026-02-16", False),
        ("2026-02-23", True),
        ("2026-04-27", False),  # 10/3 lunar was a Sunday.
        ("2026-08-22", True),
        ("2026-08-31", False),
        ("2026-11-21", False),  # A Saturday,
        ("2026-11-22", False),  # and a Sunday.
        ("2026-11-23", True),  # An exchange was proposed and, as far as we saw, not decided.
        ("2026-11-24", False),
        ("2026-11-25", True),
        ("2027-01-01", False),
        ("2027-02-04", True),
        ("2027-02-08", False),
        ("2027-02-12", True),
        ("2027-05-03", False),  # 1 May is a Saturday.
    ],
)
def test_the_days_of_real_years(day: str, works: bool) -> None:
    assert vietnam().is_working(date.fromisoformat(day)) is works


@pytest.mark.parametrize("year", [2024, 2028])
def test_a_year_that_nobody_listed_is_refused_by_name(year: int) -> None:
    """It would otherwise look like a year without holidays."""
    with pytest.raises(Refusal) as caught:
        vietnam().is_working(date(year, 6, 3))

    assert caught.value.code == "no-calendar-for-year"
    assert str(year) in caught.value.detail


def test_a_deadline_that_runs_into_such_a_year_is_refused_too() -> None:
    calendar = vietnam()
    last = date(2027, 12, 31)

    assert calendar.next_working(last) == last
    with pytest.raises(Refusal, match="2028"):
        calendar.add_working_days(last, 1)


@pytest.mark.parametrize(
    ("day", "n", "found"),
    [
        ("2026-11-20", 0, "2026-11-20"),
        ("2026-11-20", 1, "2026-11-23"),
        ("2026-11-20", 3, "2026-11-26"),  # Over a weekend and 24 November.
        ("2026-11-21", 0, "2026-11-23"),  # A deadline on a Saturday moves to Monday.
        ("2026-11-21", 1, "2026-11-23"),  # The first working day after a Saturday is the same.
        ("2026-11-24", 1, "2026-11-25"),
        ("2026-08-21", 1, "2026-08-22"),  # A worked Saturday counts.
        ("2027-02-04", 1, "2027-02-12"),  # Over Tết.
    ],
)
def test_working_days_are_counted_over_weekends_and_holidays(day: str, n: int, found: str) -> None:
    day_found = vietnam().add_working_days(date.fromisoformat(day), n)

    assert day_found == date.fromisoformat(found)


def test_nothing_is_counted_backwards() -> None:
    with pytest.raises(ValueError, match="forwards"):
        vietnam().add_working_days(date(2026, 11, 20), -1)


@pytest.mark.parametrize(
    ("day", "hour", "every_day", "working_days"),
    [
        ("2026-11-18", "00:00:00", "2026-11-18", "2026-11-18"),
        ("2026-11-18", "16:29:59.999999", "2026-11-18", "2026-11-18"),
        ("2026-11-18", "16:30:00", "2026-11-19", "2026-11-19"),
        ("2026-11-18", "23:59:59", "2026-11-19", "2026-11-19"),
        ("2026-11-20", "16:31:00", "2026-11-21", "2026-11-23"),  # Friday evening.
        ("2026-11-21", "09:00:00", "2026-11-21", "2026-11-23"),
        ("2026-11-23", "17:00:00", "2026-11-24", "2026-11-25"),  # The holiday is no day either.
    ],
)
def test_a_business_day_is_told_by_the_cut_off_then_by_the_calendar(
    day: str, hour: str, every_day: str, working_days: str
) -> None:
    at = hanoi(day, hour)

    found = [BusinessDays(CUT_OFF, works).of(at, vietnam()).isoformat() for works in Works]
    assert found == [every_day, working_days]


def test_without_a_cut_off_a_day_ends_at_midnight_in_hanoi() -> None:
    assert day_by_cut_off(datetime(2026, 11, 18, 16, 59, 59, tzinfo=UTC), None).day == 18
    assert day_by_cut_off(datetime(2026, 11, 18, 17, tzinfo=UTC), None).day == 19


def test_an_account_that_works_every_day_asks_no_calendar() -> None:
    """Money that comes in a year without a list is booked on its day, as always."""
    nothing = Calendar(frozenset(), {}, frozenset())

    assert BusinessDays(CUT_OFF).of(hanoi("2031-01-01", "17:00"), nothing) == date(2031, 1, 2)


def test_every_line_of_the_shipped_years_has_a_source_and_every_year_has_its_holidays() -> None:
    """Twelve days are named by law since July 2026, eleven before; exchanges come on top."""
    calendar = vietnam()

    assert calendar.years == {2025, 2026, 2027}
    for year in calendar.years:
        off = [d for d, name in calendar.days_off.items() if d.year == year and name != EXCHANGED]
        # In 2027 two days of Tết's weekend and 1 May are made up, so that as many are off.
        assert len(off) == {2025: 11, 2026: 12, 2027: 12}[year]
    assert date(2027, 2, 8) in calendar.undecided
    assert {day.year for day in calendar.undecided} == {2027}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ({"status": "sure"}, "a status and a source"),
        ({"source": ""}, "a status and a source"),
        ({"days": [date(2027, 1, 1)]}, "another year"),
        ({"days": [date(2026, 1, 3)]}, "rest anyway"),
    ],
)
def test_a_calendar_line_that_cannot_be_is_an_error(line: dict[str, object], why: str) -> None:
    good = {"name": "x", "days": [date(2026, 1, 1)], "status": "partial", "source": "y"}

    with pytest.raises(ValueError, match=why):
        calendar_of([{"year": 2026, "off": [good | line]}])


def test_only_a_day_of_rest_can_be_worked_in_exchange() -> None:
    line = {"off": date(2026, 1, 2), "worked": date(2026, 1, 5), "status": "partial", "source": "y"}

    with pytest.raises(ValueError, match="only they can be worked"):
        calendar_of([{"year": 2026, "exchange": [line]}])


def test_a_holiday_on_a_weekend_is_made_up_on_the_next_working_day() -> None:
    """Art. 111.3: the fixed holidays of all years, from the files' own dates."""
    calendar = vietnam()
    for year in calendar.years:
        for month, day in ((1, 1), (4, 30), (5, 1), (9, 2)):
            holiday = date(year, month, day)
            assert not calendar.is_working(holiday)
            if holiday.weekday() >= 5:
                monday = holiday + timedelta(days=7 - holiday.weekday())
                assert not calendar.is_working(monday)
    folder = files("gateway") / "calendar"
    names = {tomllib.loads(f.read_text("utf-8"))["year"]: f.name for f in folder.iterdir()}
    assert names == {year: f"vietnam-{year}.toml" for year in calendar.years}
