"""The rules of receipts are data with dates; a day that nobody wrote rules for is an error."""

from datetime import date

import pytest

from receipts.rules import rules_named, rules_on


@pytest.mark.parametrize(
    ("on", "name", "form", "first", "last", "shown"),
    [
        (date(2022, 7, 1), "vn-2022", "01BLP0-001", "AA-22E", "YY-22E", "0000007"),
        (date(2026, 6, 30), "vn-2022", "01BLP0-001", "AA-26E", "YY-26E", "0000007"),
        (date(2026, 7, 1), "vn-2026", "EBL01", "26TAA", "26TYY", "7"),
        (date(2027, 1, 1), "vn-2026", "EBL01", "27TAA", "27TYY", "7"),
    ],
)
def test_the_day_of_a_receipt_chooses_its_rules(
    on: date, name: str, form: str, first: str, last: str, shown: str
) -> None:
    rules = rules_on(on)
    series = list(rules.series_of(on.year))

    assert (rules.name, rules.form, rules.shown(7)) == (name, form, shown)
    assert (series[0], series[-1]) == (first, last)
    assert len(set(series)) == 400
    assert all(rules.series_pattern.fullmatch(s) for s in series)
    assert rules_named(name) is rules


def test_a_day_without_rules_is_an_error_and_never_a_default() -> None:
    with pytest.raises(LookupError, match="2022-06-30"):
        rules_on(date(2022, 6, 30))
    with pytest.raises(LookupError, match="vn-1999"):
        rules_named("vn-1999")


def test_each_kind_has_a_name() -> None:
    rules = rules_on(date(2026, 11, 18))

    assert rules.title("phi") == "Biên lai thu phí"
    assert rules.title("le_phi") == "Biên lai thu lệ phí"
