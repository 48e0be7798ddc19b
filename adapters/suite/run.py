"""Runs a conformance suite without a test runner: in a command, in an installation."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from adapters.suite.manners import MannerSuite
from adapters.suite.vectors import POWER_MARK, Power
from adapters.suite.wire import ScriptedWire

reason_chars_max: Final = 160  # One line of a table.
_PREFIX: Final = "test_"


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that must hold, as a sentence, and in one line why it does not.

    ``applies`` is false where it is about a power that this adapter does not have.
    """

    sentence: str
    why: str = ""
    applies: bool = True

    @property
    def holds(self) -> bool:
        """Tell whether it does."""
        return not self.why


async def check(suite: type[MannerSuite], name: str = "") -> list[Checked]:
    """Run every test of a suite, each on an instance of its own, in the order they are written.

    ``name`` is that of the adapter it must be about; somebody else's suite proves nothing.
    """
    found = [Checked(f"it is the adapter {name}", _other(suite, name))] if name else []
    for test in names_of(suite):
        why = await _run(suite, test)
        found.append(Checked(_sentence(test), why, bool(why) or _applies(suite, test)))
    return found


def _applies(suite: type[MannerSuite], test: str) -> bool:
    """Tell whether a test that held is about something that this adapter has."""
    power: Power | None = getattr(getattr(suite, test), POWER_MARK, None)
    return power is None or suite().has(power)


def _other(suite: type[MannerSuite], name: str) -> str:
    try:
        found = suite().provider(ScriptedWire()).name
    except Exception as error:  # noqa: BLE001 - whatever an adapter raises is its failure.
        return _reason(error)
    return "" if found == name else f"the suite is about {found}"


def names_of(suite: type[MannerSuite]) -> Iterator[str]:
    """List the tests of a suite, inherited ones first."""
    seen: set[str] = set()
    for part in reversed(suite.__mro__):
        for name in vars(part):
            if name.startswith(_PREFIX) and name not in seen:
                seen.add(name)
                yield name


async def _run(suite: type[MannerSuite], name: str) -> str:
    """Run one test; give why it failed, in one line, or nothing."""
    try:
        done = getattr(suite(), name)()
        if inspect.isawaitable(done):
            await done
    except Exception as error:  # noqa: BLE001 - whatever an adapter raises is its failure.
        return _reason(error)
    return ""


def _sentence(name: str) -> str:
    return name.removeprefix(_PREFIX).replace("_", " ")


def _reason(error: Exception) -> str:
    kind, words = type(error).__name__, str(error).strip()
    first = words.splitlines()[0] if words else ""
    if isinstance(error, AssertionError):
        return (first or _line_of(error))[:reason_chars_max]
    return f"{kind}: {first}"[:reason_chars_max]


def _line_of(error: Exception) -> str:
    """Quote the assertion that failed, where it has no words of its own."""
    frames = inspect.getinnerframes(error.__traceback__) if error.__traceback__ else []
    quoted = frames[-1].code_context if frames else None
    return quoted[0].strip() if quoted else "it does not hold"
