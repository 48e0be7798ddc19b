"""How an adapter introduces itself: its settings, which of them are secret, and how it is built.

A distribution declares an entry point in the group ``thuphi.providers`` that names an
``AdapterSpec``. The adapter is offered when all its fields are set.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.ports.provider import Provider
from gateway.ports.wire import Wire

ENTRY_POINT_GROUP: Final = "thuphi.providers"
SETTING_PREFIX: Final = "THUPHI_"


@dataclass(frozen=True, slots=True)
class AdapterSpec:
    """One adapter, as settings and start-up see it.

    ``fields`` are setting names without ``THUPHI_``: ``VNPAY_TMN_CODE`` is read from
    ``THUPHI_VNPAY_TMN_CODE``; one that ends in ``_URL`` is the provider's own address, which
    outbound HTTP may always reach. ``build`` takes the values by field, the wire and the
    account's name; it raises ValueError with one sentence, naming the setting and never a
    secret's value. ``suite`` names the class that inherits ``adapters.conformance`` with the
    provider's recorded messages, as ``"module:Class"``: ``thuphi adapters check`` runs it.
    ``optional_fields`` may be missing; alone they offer nothing.
    """

    name: str
    fields: tuple[str, ...]
    secret_fields: tuple[str, ...]
    build: Callable[[Mapping[str, str], Wire, str], Provider]
    suite: str = ""
    optional_fields: tuple[str, ...] = ()

    @property
    def known_fields(self) -> tuple[str, ...]:
        """Every setting that this adapter reads."""
        return self.fields + self.optional_fields
