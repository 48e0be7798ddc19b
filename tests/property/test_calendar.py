"""Laws of the working calendar, for any set of holidays and exchanges."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.calendar import BusinessDays, Calendar, Works, hanoi_day

SINCE, UPTO = date(2025, 1, 1), date(2027, 12, 31)
# A month before the end, so that a next working day is always inside; no year rests that long.
days = st.dates(SINCE, UPTO - timedelta(days=62))
few_days = st.sets(st.dates(SINCE, UPTO), max_size=30)
calendars = st.builds(
    lambda off, worked: Calendar(
        frozenset({2025, 2026, 2027}), dict.fromkeys(off, "x"),
        frozenset(d for d in worked if d.weekday() >= 5),
    ),
    few_days, few_days,
)  # fmt: skip
instants = st.datetimes(
    datetime(2025, 1, 2), datetime(2027, 10, 1), timezones=st.just(UTC)  # noqa: DTZ001 - the bounds are naive by hypothesis' rule.
)  # fmt: skip
rules = st.builds(BusinessDays, st.none() | st.times(), st.sampled_from(Works))


@given(calendars, days)
def test_the_next_working_day_is_worked_and_is_its_own_next(calendar: Calendar, day: date) -> None:
    found = calendar.next_working(day)

    assert found >= day
    assert calendar.is_working(found)
    assert calendar.next_working(found) == found
    between = [day + timedelta(days=n) for n in range((found - day).days)]
    assert not any(map(calendar.is_working, between))


@given(calendars, days, days)
def test_a_later_day_never_has_an_earlier_next_working_day(
    calendar: Calendar, one: date, other: date
) -> None:
    first, second = sorted((one, other))

    assert calendar.next_working(first) <= calendar.next_working(second)


@given(calendars, days, st.integers(1, 10), st.integers(1, 10))
def test_adding_working_days_twice_is_adding_their_sum(
    calendar: Calendar, day: date, n: int, m: int
) -> None:
    twice = calendar.add_working_days(calendar.add_working_days(day, n), m)

    assert twice == calendar.add_working_days(day, n + m)
    found = calendar.add_working_days(day, n)
    passed = [day + timedelta(days=k) for k in range(1, (found - day).days + 1)]
    assert sum(map(calendar.is_working, passed)) == n


@given(calendars, rules, instants, instants)
def test_a_business_day_is_never_before_its_day_and_never_goes_back(
    calendar: Calendar, rule: BusinessDays, one: datetime, other: datetime
) -> None:
    """What is paid later is never booked earlier, at one account."""
    first, second = sorted((one, other))

    assert rule.of(first, calendar) >= hanoi_day(first)
    assert rule.of(first, calendar) <= rule.of(second, calendar)


@given(calendars, instants, st.times())
def test_an_account_that_rests_books_on_working_days_alone(
    calendar: Calendar, at: datetime, cut_off: time
) -> None:
    assert calendar.is_working(BusinessDays(cut_off, Works.WORKING_DAYS).of(at, calendar))
