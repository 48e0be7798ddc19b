"""Adapters, found by entry point: ours and third parties' alike; and the days of their accounts."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import time
from importlib.metadata import entry_points
from typing import Final

from gateway.domain.calendar import BusinessDays, Works
from gateway.entry.settings import PREFIX, SettingError, Settings
from gateway.ports.plugin import ENTRY_POINT_GROUP, AdapterSpec
from gateway.ports.provider import Provider
from gateway.ports.wire import Wire

# Settings that every provider's account has, whoever wrote its adapter: THUPHI_VNPAY_CUT_OFF.
CUT_OFF: Final = "CUT_OFF"
WORKING_DAYS: Final = "WORKING_DAYS"
_HOUR: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_MIDNIGHT: Final = time(0)


@dataclass(frozen=True, slots=True)
class Installed:
    """An adapter, and the distribution that it came with."""

    spec: AdapterSpec
    package: str
    version: str


def installed() -> list[Installed]:
    """Load the declarations of every installed adapter."""
    found = [
        Installed(p.load(), *((p.dist.name, p.dist.version) if p.dist else ("", "")))
        for p in entry_points(group=ENTRY_POINT_GROUP)
    ]
    return sorted(found, key=lambda adapter: adapter.spec.name)


def adapters() -> list[AdapterSpec]:
    """List the declarations of every installed adapter."""
    return [adapter.spec for adapter in installed()]


def setting_names(specs: Iterable[AdapterSpec]) -> list[str]:
    """List the settings that adapters and their accounts know, without ``THUPHI_``."""
    return [name for spec in specs for name in (*spec.known_fields, *_day_fields(spec))]


def _day_fields(spec: AdapterSpec) -> tuple[str, str]:
    prefix = spec.name.upper().replace("-", "_")
    return f"{prefix}_{CUT_OFF}", f"{prefix}_{WORKING_DAYS}"


def offered(
    specs: list[AdapterSpec], settings: Settings, wire: Callable[[Mapping[str, str]], Wire]
) -> Mapping[tuple[str, str], Provider]:
    """Build the account ``default`` of each adapter whose settings are there."""
    built: dict[tuple[str, str], Provider] = {}
    for spec in specs:
        given = {f: settings.adapters[f] for f in spec.known_fields if f in settings.adapters}
        if not given and not any(f in settings.adapters for f in _day_fields(spec)):
            continue
        missing = [PREFIX + f for f in spec.fields if f not in given]
        if missing:
            raise SettingError(f"{spec.name} also needs {', '.join(missing)}.")
        try:
            built[spec.name, "default"] = spec.build(given, wire(given), "default")
        except ValueError as error:
            raise SettingError(f"{spec.name}: {error}") from None
    return built


def business_days(
    specs: list[AdapterSpec], settings: Settings
) -> Mapping[tuple[str, str], BusinessDays]:
    """Read how each account ``default`` tells its business day, where it is not the Hanoi day."""
    found: dict[tuple[str, str], BusinessDays] = {}
    for spec in specs:
        cut_off, works = _day_fields(spec)
        if cut_off in settings.adapters or works in settings.adapters:
            found[spec.name, "default"] = BusinessDays(
                _cut_off(cut_off, settings.adapters.get(cut_off)),
                _works(works, settings.adapters.get(works, "no")),
            )
    return found


def _cut_off(name: str, text: str | None) -> time | None:
    if text is None:
        return None
    said = _HOUR.fullmatch(text)
    if not said:
        raise SettingError(f"{PREFIX}{name} must be an hour in Hanoi such as 16:30.")
    hour = time(int(said[1]), int(said[2]))
    if hour == _MIDNIGHT:  # Every capture of a day would belong to the next.
        raise SettingError(f"{PREFIX}{name}: a day ends at midnight by itself; leave it out.")
    return hour


def _works(name: str, text: str) -> Works:
    if text not in ("yes", "no"):
        raise SettingError(f"{PREFIX}{name} must be yes or no.")
    return Works.WORKING_DAYS if text == "yes" else Works.EVERY_DAY
