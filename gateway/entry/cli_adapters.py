"""``thuphi adapters``: which ways to pay are installed, and whether each does what it must."""

import argparse
import difflib
import importlib
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.entry.plugins import Installed, installed, setting_names
from gateway.entry.settings import PREFIX, SettingError, Settings, environment, read_settings
from gateway.infra.wire import GuardedWire
from gateway.ports.plugin import AdapterSpec
from gateway.services.ways import ABROAD

if TYPE_CHECKING:
    from adapters.conformance import Checked, ProviderConformance

sentence_chars: Final = 78  # The column of sentences in the table.


async def do_adapters_list(args: argparse.Namespace) -> int:
    """Say of each installed adapter where it is from, and what it needs to be offered."""
    found = installed()
    settings = read_settings(environment(Path.cwd()), setting_names(a.spec for a in found))
    rows = [_row(a, settings) for a in found]
    if args.json:
        print(json.dumps({"adapters": rows}, ensure_ascii=False))
        return 0
    for row in rows:
        needs = ", ".join(row["missing"])
        state = "offered" if row["offered"] else f"needs {needs}"
        state += f" to a sandbox alone: {row['why_not']}" if row["why_not"] else ""
        checked = "" if row["has_suite"] else "  (ships no suite)"
        print(f"{row['name']:12} {row['package']} {row['version']:10} {state}{checked}")
    return 0


def _row(adapter: Installed, settings: Settings) -> dict[str, Any]:
    spec = adapter.spec
    given = {f: settings.adapters[f] for f in spec.known_fields if f in settings.adapters}
    missing = [PREFIX + name for name in spec.fields if name not in given]
    barred = not missing and not settings.allow_abroad and _needs_abroad(spec, given)
    return {
        "name": spec.name, "package": adapter.package, "version": adapter.version,
        "offered": not missing, "missing": missing, "has_suite": bool(spec.suite),
        "why_not": ABROAD if barred else None,
    }  # fmt: skip


def _needs_abroad(spec: AdapterSpec, given: Mapping[str, str]) -> bool:
    try:
        return spec.build(given, GuardedWire(), "default").can.needs_abroad
    except ValueError:
        return False  # A wrong setting stops the start, with its sentence.


async def do_adapters_check(args: argparse.Namespace) -> int:
    """Run the conformance suite that an adapter ships; exit 1 if anything does not hold."""
    from adapters.conformance import check

    adapter = _named(args.name)
    found = await check(_suite(adapter), adapter.spec.name)
    failed = sum(not c.holds for c in found)
    held = sum(c.holds and c.applies for c in found)
    if args.json:
        rows = [{"check": c.sentence, "result": _result(c), "why": c.why} for c in found]
        said = {"adapter": args.name, "ok": held, "failed": failed, "checks": rows}
        print(json.dumps(said, ensure_ascii=False))
    else:
        for c in found:
            print(f"{c.sentence:{sentence_chars}} {_result(c)}{f'  {c.why}' if c.why else ''}")
        print(f"{args.name}: {held} hold, {failed} failed.")
    return 1 if failed else 0


def _result(checked: "Checked") -> str:
    """Give a test's word; one about a power that the adapter lacks says nothing of it."""
    if not checked.holds:
        return "failed"
    return "ok" if checked.applies else "-"


def _named(name: str) -> Installed:
    found = {a.spec.name: a for a in installed()}
    if name not in found:
        near = difflib.get_close_matches(name, found, n=1)
        hint = f" Did you mean {near[0]}?" if near else f" There are {', '.join(sorted(found))}."
        raise SettingError(f"No adapter {name} is installed.{hint}")
    return found[name]


def _suite(adapter: Installed) -> "type[ProviderConformance]":
    """Load the class that brings the adapter's recorded messages."""
    from adapters.conformance import ProviderConformance

    where = adapter.spec.suite
    if not where:
        raise SettingError(
            f"{adapter.spec.name} ships no suite: its AdapterSpec names none, so ask"
            f" {adapter.package} for one."
        )
    module, _, name = where.partition(":")
    try:
        suite = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingError(f"The suite {where} cannot be loaded: {error}.") from None
    if not isinstance(suite, type) or not issubclass(suite, ProviderConformance):
        raise SettingError(f"The suite {where} is no ProviderConformance.")
    if inspect.isabstract(suite):
        unanswered = ", ".join(sorted(suite.__abstractmethods__))
        raise SettingError(f"The suite {where} leaves questions open: {unanswered}.")
    return suite


def describe(add: Any, commands: Any) -> None:  # noqa: ANN401 - argparse's own types are private.
    """Describe the commands."""
    under = commands.add_parser("adapters", help="ways to pay").add_subparsers(required=True)
    add("list", do_adapters_list, "list the installed adapters", under)
    one = add("check", do_adapters_check, "check an adapter by the suite that it ships", under)
    one.add_argument("name", metavar="NAME")
