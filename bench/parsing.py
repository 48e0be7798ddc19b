"""Verify and parse: an adapter's ``read`` against the bare hash and parse of the same bytes.

The bytes are the recorded notice of each adapter's own conformance suite. The bare work is one HMAC
over what was sent, with the hash that the provider uses, and ``json.loads``, or ``parse_qsl`` where
the provider sends a query. Both take turns, and the best round of each counts.
"""

import hashlib
import hmac
import importlib
import json
from collections.abc import Callable
from timeit import Timer
from typing import Final
from urllib.parse import parse_qsl

from adapters.suite.vectors import Vectors
from adapters.suite.wire import ScriptedWire
from bench.result import Result, at_most, machine
from gateway.entry.plugins import installed
from gateway.ports.provider import RawNotice

ratio_max: Final = 3.0
rounds: Final = 15
calls: Final = 400
_HASHES: Final = {"vnpay": "sha512"}  # Everybody else signs with SHA-256.
_KEY: Final = b"a key of thirty-two random bytes"


def measure() -> list[Result]:
    """Measure every installed adapter that ships a suite."""
    ran_on = machine("verify and parse: one thread, the best of 15 rounds of 400")
    results = []
    for adapter in installed():
        if not adapter.spec.suite or not (vectors := _vectors(adapter.spec.suite)).notices():
            continue
        provider = vectors.provider(ScriptedWire())
        raw = next(iter(vectors.notices().values()))
        expected = vectors.understood()
        assert provider.read(raw) == expected
        ours, bare = _best(lambda p=provider, r=raw: p.read(r), _bare(adapter.spec.name, raw))
        results.append(
            at_most(f"verify and parse, {adapter.spec.name}", ran_on, ours, bare, "µs", ratio_max)
        )
    return results


def _vectors(dotted: str) -> Vectors:
    module, _, name = dotted.partition(":")
    suite: type[Vectors] = getattr(importlib.import_module(module), name)
    return suite()


def _bare(name: str, raw: RawNotice) -> Callable[[], object]:
    said, how = raw.body or raw.query.encode(), _HASHES.get(name, "sha256")
    assert how in hashlib.algorithms_available

    def from_json() -> object:
        return hmac.digest(_KEY, said, how), json.loads(said)

    def from_query() -> object:
        return hmac.digest(_KEY, said, how), dict(parse_qsl(said.decode()))

    return from_json if raw.body else from_query


def _best(ours: Callable[[], object], bare: Callable[[], object]) -> tuple[float, float]:
    """Give microseconds a call of each."""
    first, second = Timer(ours), Timer(bare)
    pairs = [(first.timeit(calls), second.timeit(calls)) for _ in range(rounds)]
    return tuple(min(x) / calls * 1e6 for x in zip(*pairs, strict=True))  # type: ignore[return-value]
