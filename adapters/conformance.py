"""The suite that every adapter inherits, ours and third parties'. Public API.

Subclass ``ProviderConformance``, answer the questions of ``Vectors`` with what your provider
recorded, and every test runs against your adapter. It needs the standard library alone: no
network, no clock, no test runner. Two ways to run it:

- name the class in ``AdapterSpec.suite`` as ``"module:Class"``; then ``thuphi adapters check NAME``
  prints a table;
- subclass it once more in a test module as ``Test…``; pytest (with pytest-asyncio and its
  ``asyncio_mode = "auto"``) then collects every test.

What to give is said by the docstrings of ``adapters.suite.vectors.Vectors``; docs/guides/
add-a-bank.md shows a whole package.
"""

from adapters.suite.manners import MannerSuite
from adapters.suite.run import Checked, check
from adapters.suite.vectors import Operation, Power, Vectors
from adapters.suite.wire import ScriptedWire

__all__ = [
    "Checked",
    "Operation",
    "Power",
    "ProviderConformance",
    "ScriptedWire",
    "Vectors",
    "check",
]


class ProviderConformance(MannerSuite):
    """What must hold for every provider, whatever its protocol."""
