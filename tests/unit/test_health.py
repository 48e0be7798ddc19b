"""A provider that fails is offered last, then hidden a while, and always gets another chance."""

from datetime import UTC, datetime, timedelta

from gateway.domain.health import Calls, Health, Standing, judge, rest_last, slow_ms

NOW = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_few_calls_say_nothing() -> None:
    assert judge(Health(), Calls(4, 4), NOW) == Health()


def test_a_failing_provider_is_demoted_then_hidden_with_an_hour_to_return() -> None:
    demoted = judge(Health(), Calls(10, 2), NOW)
    hidden = judge(demoted, Calls(10, 5), NOW + MINUTE)

    assert (demoted.standing, demoted.why) == (Standing.DEMOTED, "failing")
    assert (hidden.standing, hidden.retry_at) == (Standing.HIDDEN, NOW + 2 * MINUTE)
    assert judge(hidden, Calls(0, 0), NOW + MINUTE) == hidden


def test_after_its_rest_it_is_offered_last_and_success_heals_it() -> None:
    hidden = judge(Health(), Calls(10, 10), NOW)
    back = judge(hidden, Calls(), NOW + MINUTE)
    well = judge(back, Calls(5, 0), NOW + 2 * MINUTE)

    assert (back.standing, back.why) == (Standing.DEMOTED, "probation")
    assert well.standing is Standing.HEALTHY


def test_each_relapse_rests_longer_up_to_a_bound_and_an_hour_of_health_forgets() -> None:
    health, rests = Health(), []
    at = NOW
    for _ in range(7):
        health = judge(health, Calls(5, 5), at)
        assert health.retry_at
        rests.append(health.retry_at - at)
        at = health.retry_at
        health = judge(health, Calls(), at)
    assert rests[:3] == [MINUTE, 2 * MINUTE, 4 * MINUTE]
    assert rests[-1] == rest_last

    well = judge(health, Calls(5, 0), at)
    assert judge(well, Calls(5, 0), at + timedelta(hours=1)).rests == 0


def test_a_slow_provider_is_demoted_and_never_hidden_for_that() -> None:
    slow = judge(Health(), Calls(50, 0, slow_ms), NOW)

    assert (slow.standing, slow.why) == (Standing.DEMOTED, "slow")
    assert judge(slow, Calls(50, 0, slow_ms), NOW + MINUTE) == slow
