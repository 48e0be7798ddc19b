"""Which provider accounts there are: the environment's, and the rows of agencies, kept fresh.

Everything that knows providers shares the same three tables, which are changed in place.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.errors import Refusal
from gateway.ports.plugin import AdapterSpec
from gateway.ports.provider import Provider
from gateway.ports.wire import Wire
from gateway.services.accounts import Account, Accounts

look_every_s: Final = 5  # So long after a rotation every process knows it.
Key = tuple[str, str]
log: Final = logging.getLogger("thuphi.accounts")


@dataclass(slots=True)
class Registry:
    """The adapters, built; ``offered`` takes new payments, ``by_path`` reads notices."""

    specs: Mapping[str, AdapterSpec]
    wire: Callable[[Mapping[str, str]], Wire] = field(repr=False)  # For an account's addresses.
    accounts: Accounts
    offered: dict[Key, Provider]
    agencies: dict[Key, str]
    by_path: dict[Key, Provider] = field(default_factory=dict)
    former: dict[Key, Provider] = field(default_factory=dict)  # Until their rotation is over.
    closed: set[Key] = field(default_factory=set)  # Read, and offered no more.
    _stamp: tuple[int, int] = (0, 0)
    _rows: frozenset[Key] = frozenset()

    def __post_init__(self) -> None:
        """Open the doors of the environment's accounts."""
        for provider in self.offered.values():
            self._open_doors(self.by_path, provider)

    async def refresh(self) -> bool:
        """Read the rows again when something changed; tells whether it did.

        An account that cannot be built is left out, with the reason in the log: the others go on.
        """
        stamp = await self.accounts.stamp()
        if stamp == self._stamp and not self.former:
            return False
        found = await self.accounts.all()
        for key in self._rows - {(a.provider, a.name) for a, _ in found}:
            self.offered.pop(key, None)
        self.former.clear()
        self.closed.clear()
        for account, is_offered in found:
            self._take(account, is_offered=is_offered)
        self._rows = frozenset((a.provider, a.name) for a, _ in found)
        self._stamp = stamp
        return True

    def _take(self, account: Account, *, is_offered: bool) -> None:
        key = account.provider, account.name
        try:
            provider = self.build(account.provider, account.name, account.values)
            former = account.former and self.build(account.provider, account.name, account.former)
        except Refusal as refusal:
            log.error("account left out", extra={"account": "/".join(key), "why": refusal.detail})  # noqa: TRY400 - its sentence says all.
            return
        self.offered[key], self.agencies[key] = provider, account.agency_id
        if not is_offered:
            self.closed.add(key)
        self._open_doors(self.by_path, provider)
        if former:
            self._open_doors(self.former, former)

    def build(self, name: str, account: str, values: Mapping[str, str]) -> Provider:
        """Build an adapter from its fields. Raises Refusal with one sentence, never a secret."""
        spec = self.specs.get(name)
        if spec is None:
            known = ", ".join(sorted(self.specs))
            raise Refusal("invalid-request", f"There is no adapter {name}; there are {known}.")
        missing = [f for f in spec.fields if f not in values]
        unknown = sorted(set(values) - set(spec.known_fields))
        if missing or unknown:
            said = f"{name} needs {', '.join(missing)}." if missing else ""
            said += f" {name} has no field {', '.join(unknown)}." if unknown else ""
            raise Refusal("invalid-request", said.strip())
        try:
            return spec.build(dict(values), self.wire(values), account)
        except ValueError as error:
            raise Refusal("invalid-request", f"{error}".replace("THUPHI_", "")) from None

    def _open_doors(self, doors: dict[Key, Provider], provider: Provider) -> None:
        for path in provider.can.notice_names or (provider.name,):
            doors[path, provider.account] = provider


@asynccontextmanager
async def kept_fresh(registry: Registry) -> AsyncIterator[None]:
    """Look for changed accounts while the block runs; a failed look is tried again."""

    async def look() -> None:
        while True:
            await asyncio.sleep(look_every_s)
            try:
                await registry.refresh()
            except Exception:
                log.exception("accounts not read")

    task = asyncio.create_task(look())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
