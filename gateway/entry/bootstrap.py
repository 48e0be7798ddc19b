"""The composition root: the one place that knows every part and puts them together."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from asyncpg import InsufficientPrivilegeError
from sqlalchemy import select
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.counter import Counter
from gateway.domain.addresses import is_plain_url
from gateway.entry.plugins import adapters, business_days, offered
from gateway.entry.registry import Registry
from gateway.entry.settings import SettingError, Settings
from gateway.infra.breaker import Breaker
from gateway.infra.clock import SystemClock, TestClock
from gateway.infra.vault import MasterVault
from gateway.infra.wire import GuardedWire
from gateway.ports.clock import Clock
from gateway.ports.provider import Cancels, Inquires, Provider
from gateway.ports.vault import Vault
from gateway.ports.wire import Wire
from gateway.services.access import Access
from gateway.services.accounts import Accounts
from gateway.services.attempts import Attempts
from gateway.services.cancelling import Cancelling
from gateway.services.captures import Captures
from gateway.services.counter import Counters
from gateway.services.disputes import Disputes
from gateway.services.health import ProviderHealth
from gateway.services.notices import Notices
from gateway.services.outbox import Outbox
from gateway.services.payer_keys import PayerKeys
from gateway.services.payments import Payments
from gateway.services.refund_rows import RefundRows
from gateway.services.refund_sender import RefundSender
from gateway.services.refunds import RefundDesk
from gateway.services.ways import Ways
from gateway.services.webhooks import Webhooks
from gateway.services.working_calendar import vietnam
from gateway.store import roles
from gateway.store import tables as t
from gateway.store.gathering import Gathering
from gateway.store.migrate import migrate
from gateway.store.partitions import keep_partitions
from gateway.store.tx import Store
from receipts.authorities import Authorities
from receipts.log.push import Push
from receipts.outside import Outside
from receipts.proving import Proofs
from receipts.replacing import Replacing
from receipts.service import Receipts
from receipts.token import Token
from receipts.transmission import Transmission

pool_connections_max: Final = 20
without: Final = "thuphi without "  # How a session calls itself that could not take its role.
log: Final = logging.getLogger("thuphi")


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that runs, wired together once."""

    settings: Settings
    registry: Registry = field(repr=False)
    engine: AsyncEngine = field(repr=False)
    clock: Clock
    vault: Vault = field(repr=False)
    store: Store
    providers: dict[tuple[str, str], Provider] = field(repr=False)
    access: Access
    payments: Payments
    captures: Captures
    attempts: Attempts
    cancelling: Cancelling
    refunds: RefundDesk
    sender: RefundSender
    notices: Notices
    counters: Counters
    outbox: Outbox
    webhooks: Webhooks
    receipts: Receipts
    replacing: Replacing
    transmission: Transmission
    proofs: Proofs
    push: Push

    @property
    def can_ask(self) -> frozenset[tuple[str, str]]:
        """Give the accounts that can be asked what became of an order, or to withdraw it."""
        return frozenset(
            key for key, p in self.providers.items() if isinstance(p, (Inquires, Cancels))
        )


def engine_of(url: str, role: str = "", name: str = "thuphi") -> AsyncEngine:
    """Open the pool; every session works in UTC, and as a role when one is named.

    The role comes with the connection, so RESET ROLE gives back nothing; its name is what an
    operator sees in ``pg_stat_activity``.
    """
    settings = {"timezone": "UTC", "application_name": role or name}
    if role:
        settings["role"] = role
    return create_async_engine(
        "postgresql+asyncpg://",  # The driver reads the address itself, with libpq's sslmode.
        pool_size=pool_connections_max,
        max_overflow=0,
        hide_parameters=True,  # An error's text must not quote what a person sent.
        connect_args={"dsn": url, "server_settings": settings},
    )


def clock_of(settings: Settings) -> Clock:
    """Give the machine's clock, or the test clock where one is set."""
    return TestClock(settings.clock_at) if settings.clock_at else SystemClock()


async def require_sandbox(parts: Parts) -> None:
    """Refuse a test clock where there is a live agency. Raises SettingError."""
    if parts.settings.clock_at is None:
        return
    async with parts.store.begin() as tx:
        live = await tx.row(select(t.agency.c.id).where(t.agency.c.is_sandbox.is_(False)).limit(1))
    if live:
        raise SettingError(
            f"THUPHI_CLOCK is set, and {live['id']} is a live agency: remove the test clock."
        )


async def require_agency(parts: Parts) -> None:
    """Refuse accounts of an agency that is not there, once there are any. Raises SettingError."""
    named = parts.settings.default_agency
    async with parts.store.begin() as tx:
        known = [r["id"] for r in await tx.rows(select(t.agency.c.id).order_by(t.agency.c.id))]
    if known and named not in known:
        raise SettingError(
            f"THUPHI_DEFAULT_AGENCY is {named}, which is no agency here; there are"
            f" {', '.join(known)}."
        )


def vault_of(settings: Settings) -> MasterVault:
    """Give the vault under the master key. Raises SettingError with one sentence."""
    if not settings.master_key:
        raise SettingError(
            "THUPHI_MASTER_KEY is missing: set 32 random bytes in base64, for example from"
            " «openssl rand -base64 32»."
        )
    try:
        former = (settings.master_key_former,) if settings.master_key_former else ()
        return MasterVault.of_text(settings.master_key, *former)
    except ValueError as error:
        raise SettingError(f"THUPHI_MASTER_KEY: {error}") from None


def build(settings: Settings, engine: AsyncEngine, clock: Clock) -> Parts:
    """Put everything together. Raises SettingError with one sentence."""
    vault = vault_of(settings)
    specs = adapters()

    def wire_to(values: Mapping[str, str]) -> Wire:
        """Give a wire of its own: one provider that hangs never closes the way to another."""
        return Breaker(GuardedWire(_origins(values), settings.wire_allow), clock)

    providers = dict(offered(specs, settings, wire_to))
    store = Store(engine, clock, settings.public_url)
    keys = PayerKeys(vault)
    payments = Payments(store, keys)
    agencies = dict.fromkeys(providers, settings.default_agency)
    registry = Registry(
        {spec.name: spec for spec in specs}, wire_to, Accounts(store, vault), providers, agencies
    )
    captures = Captures(store, payments, agencies, business_days(specs, settings), vietnam())
    health = ProviderHealth(store, providers, agencies)
    ways = Ways(captures, providers, registry.closed, health, settings.allow_abroad)
    attempts = Attempts(store, payments, captures, providers, ways, health)
    rows = RefundRows(store, keys)
    sender = RefundSender(store, attempts, rows, providers)

    def till_of(agency_id: str) -> Counter:
        """Give an agency's counters, which need no settings."""
        agencies["counter", agency_id] = agency_id
        return Counter(agency_id)

    outside = Outside(settings.high_water_dir, settings.high_water_days)
    receipts = Receipts(store, vault, outside, Token(settings.token) if settings.token else None)
    return Parts(
        settings=settings, registry=registry, engine=engine, clock=clock, vault=vault, store=store,
        providers=providers, access=Access(store), payments=payments, captures=captures,
        attempts=attempts, cancelling=Cancelling(store, payments, attempts),
        refunds=RefundDesk(store, payments, rows, providers), sender=sender,
        notices=Notices(
            store, Gathering(store), vault, captures, registry.by_path, registry.former,
            attempts.ask_one, sender, Disputes(store, rows),
        ),
        counters=Counters(store, attempts, till_of), outbox=Outbox(store),
        webhooks=Webhooks(
            store, vault, GuardedWire(_origins(settings.adapters), settings.wire_allow)
        ), receipts=receipts, replacing=Replacing(store, vault, receipts.keys, outside),
        transmission=Transmission(
            store, vault, receipts.keys,
            lambda url: GuardedWire(_origins({"LINE_URL": url}), settings.wire_allow),
        ),
        proofs=Proofs(store, Authorities(_stamping(settings), settings.stamp_url)),
        push=Push(
            store, receipts.journal,
            GuardedWire(_origins({"LOG_PUSH_URL": settings.log_push}), settings.wire_allow),
            settings.log_push,
        ),
    )  # fmt: skip


def _stamping(settings: Settings) -> Wire:
    """Give the way to the time-stamp authority, and to whom certificates name."""
    return GuardedWire(_origins({"TSA_URL": settings.stamp_url}), settings.wire_allow)


def _origins(values: Mapping[str, str]) -> frozenset[str]:
    """Give the addresses that settings name; the wire always lets us reach those.

    What is no address, its adapter refuses by name.
    """
    return frozenset(
        _origin(v) for k, v in values.items() if k.endswith("_URL") and is_plain_url(v)
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{parts.hostname}:{port}"


async def prepare(settings: Settings, url: str) -> None:
    """Bring the database to the newest shape, as the owner of its tables."""
    vault_of(settings)  # A start that cannot go on must change nothing.
    engine = engine_of(url)
    try:
        await migrate(engine)
        await keep_partitions(Store(engine, clock_of(settings), settings.public_url))
    except ProgrammingError as error:
        if not isinstance(error.orig and error.orig.__cause__, InsufficientPrivilegeError):
            raise
        raise SettingError(
            "This database user may not change the tables: run thuphi migrate as their owner."
        ) from None
    finally:
        await asyncio.shield(engine.dispose())


@asynccontextmanager
async def running(settings: Settings, url: str, role: str = "") -> AsyncIterator[Parts]:
    """Build on a database, working as a role if one is named, and let go of it at the end."""
    engine = await _engine_as(role, url) if role else engine_of(url)
    parts = build(settings, engine, clock_of(settings))
    try:
        yield parts
    finally:
        if parts.receipts.token is not None:
            parts.receipts.token.close()
        await asyncio.shield(engine.dispose())


async def _engine_as(role: str, url: str) -> AsyncEngine:
    """Take a role, or say in the log that everything is done with the user's whole power."""
    asking = engine_of(url)
    try:
        why = await roles.lacking(asking, role)
    finally:
        await asyncio.shield(asking.dispose())
    if not why:
        return engine_of(url, role)
    log.warning("works without its role: %s", why)
    return engine_of(url, name=f"{without}{role}")
