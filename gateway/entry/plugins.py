"""Adapters, found by entry point: ours and third parties' alike."""

from collections.abc import Mapping
from importlib.metadata import entry_points

from gateway.entry.settings import PREFIX, SettingError, Settings
from gateway.ports.plugin import AdapterSpec
from gateway.ports.provider import Provider
from gateway.ports.wire import Wire


def adapters() -> list[AdapterSpec]:
    """Load the declarations of every installed adapter."""
    found = [point.load() for point in entry_points(group="thuphi.providers")]
    return sorted(found, key=lambda spec: spec.name)


def offered(
    specs: list[AdapterSpec], settings: Settings, wire: Wire
) -> Mapping[tuple[str, str], Provider]:
    """Build the account ``default`` of each adapter whose settings are there."""
    built: dict[tuple[str, str], Provider] = {}
    for spec in specs:
        given = {f: settings.adapters[f] for f in spec.fields if f in settings.adapters}
        if not given:
            continue
        missing = [PREFIX + f for f in spec.fields if f not in given]
        if missing:
            raise SettingError(f"{spec.name} also needs {', '.join(missing)}.")
        try:
            built[spec.name, "default"] = spec.build(given, wire, "default")
        except ValueError as error:
            raise SettingError(f"{spec.name}: {error}") from None
    return built
