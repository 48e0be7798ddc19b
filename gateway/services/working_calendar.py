"""The working calendar from its dated files: one a year, each line with a status and a source."""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

from gateway.domain.calendar import Calendar

STATUSES: Final = frozenset({"confirmed", "partial", "general", "undecided"})
EXCHANGED: Final = "Hoán đổi ngày làm việc"


@cache
def vietnam() -> Calendar:
    """Read the calendar of public bodies, all years that there are files for."""
    folder = files("gateway") / "calendar"
    found = sorted(
        (f.name, f.read_text("utf-8")) for f in folder.iterdir() if f.name.endswith(".toml")
    )
    return calendar_of([tomllib.loads(text) for _, text in found])


def calendar_of(years: Iterable[Mapping[str, Any]]) -> Calendar:
    """Put years together; a line that is of another year, or says no status, is an error."""
    covered: set[int] = set()
    days_off: dict[date, str] = {}
    worked: set[date] = set()
    undecided: set[date] = set()
    for said in years:
        covered.add(said["year"])
        for line in (*said.get("off", ()), *said.get("exchange", ())):
            rests = line["days"] if "days" in line else [line["off"]]
            works = [line["worked"]] if "worked" in line else []
            _check(said["year"], line, rests, works)
            days_off |= dict.fromkeys(rests, line.get("name", EXCHANGED))
            worked.update(works)
            if line["status"] == "undecided":
                undecided.update(rests)
    return Calendar(frozenset(covered), days_off, frozenset(worked), frozenset(undecided))


def _check(
    year: int, line: Mapping[str, Any], rests: Iterable[date], works: Iterable[date]
) -> None:
    where = f"calendar {year}, {line.get('name', EXCHANGED)}"
    if line["status"] not in STATUSES or not line["source"]:
        raise ValueError(f"{where}: a status and a source are needed.")
    if any(day.year != year for day in (*rests, *works)):
        raise ValueError(f"{where}: a day of another year.")
    if any(_rests_anyway(day) for day in rests) or not all(map(_rests_anyway, works)):
        raise ValueError(f"{where}: weekends rest anyway, and only they can be worked instead.")


def _rests_anyway(day: date) -> bool:
    return day.weekday() in (5, 6)
