"""The ways to pay: who can take what is due of a payment, how well each works, what each can do."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from gateway.domain.calendar import rfc3339
from gateway.domain.errors import Refusal
from gateway.domain.health import Health, Standing
from gateway.domain.payment import Payment
from gateway.ports.provider import Method, Provider
from gateway.services.captures import Captures
from gateway.services.health import ProviderHealth
from gateway.services.health import shown as standing_of
from gateway.store import tables as t

Standings = Mapping[tuple[str, str], Health]
ABROAD: Final = "Personal data would leave the country, and THUPHI_ALLOW_ABROAD is not set."
_ORDER: Final = {Standing.HEALTHY: 0, Standing.DEMOTED: 1, Standing.HIDDEN: 2}


@dataclass(frozen=True, slots=True)
class Offer:
    """A way to pay, and how well it works now."""

    provider: Provider
    health: Health

    @property
    def is_open(self) -> bool:
        """Tell whether a citizen may be sent there."""
        return self.health.standing is not Standing.HIDDEN


@dataclass(frozen=True, slots=True)
class Footing:
    """On what an agency's payers are sent somewhere: who works, and whether abroad is allowed."""

    health: Standings
    may_leave: bool

    def bars(self, provider: Provider) -> bool:
        """Tell whether a provider may not be used, for it takes personal data abroad."""
        return provider.can.needs_abroad and not self.may_leave


@dataclass(frozen=True, slots=True)
class Ways:
    """The providers of every agency, as payments and clients ask for them."""

    captures: Captures
    providers: Mapping[tuple[str, str], Provider]
    closed: Collection[tuple[str, str]]  # Accounts that are offered no more.
    health: ProviderHealth
    allows_abroad: bool = False  # Whether personal data of a live agency may leave the country.

    async def footing(self, agency_id: str) -> Footing:
        """Ask how each provider works now, and whether one abroad may be used."""
        return Footing(await self.health.of_agency(agency_id), await self.may_leave(agency_id))

    async def may_leave(self, agency_id: str) -> bool:
        """Ask whether personal data of an agency's payers may leave the country.

        A sandbox has none, so it may try everything (ADR 26).
        """
        needed = any(p.can.needs_abroad for p in self._of(agency_id))
        return self.allows_abroad or not needed or await self._is_sandbox(agency_id)

    async def _is_sandbox(self, agency_id: str) -> bool:
        async with self.captures.store.once() as tx:
            row = await tx.row(select(t.agency.c.is_sandbox).where(t.agency.c.id == agency_id))
        return bool(row and row["is_sandbox"])

    async def barred(self, agency_id: str) -> list[Provider]:
        """List the providers that an agency has, and may not use."""
        may_leave = await self.may_leave(agency_id)
        return [p for p in self._of(agency_id) if p.can.needs_abroad and not may_leave]

    def _of(self, agency_id: str) -> list[Provider]:
        return [
            p
            for key, p in self.providers.items()
            if key not in self.closed and self.captures.agency_of(p) == agency_id
        ]

    async def offered(self, payment: Payment) -> list[Offer]:
        """List who can take what is due: the well first, those that fail last or hidden a while."""
        footing, fresh = await self.footing(payment.agency_id), Health()
        offers = [
            Offer(p, footing.health.get((p.name, p.account), fresh))
            for p in self.fitting(payment, may_leave=footing.may_leave)
        ]
        return sorted(offers, key=lambda offer: _ORDER[offer.health.standing])

    async def shown(self, agency_id: str) -> list[dict[str, Any]]:
        """Show every way to pay of an agency as ``GET /v1/providers`` does."""
        footing = await self.footing(agency_id)
        return [
            way(p, footing.health.get((p.name, p.account), Health()))
            | {"offered": not footing.bars(p), "why_not": ABROAD if footing.bars(p) else None}
            for p in self._of(agency_id)
        ]

    def fitting(self, payment: Payment, *, may_leave: bool) -> list[Provider]:
        """List the providers whose limits allow what is due, one account of each.

        An account that the agency opened itself comes before the one of the environment.
        """
        found: dict[str, Provider] = {}
        for (name, account), p in sorted(self.providers.items(), key=_default_last):
            fits = (
                (name, account) not in self.closed
                and self.captures.agency_of(p) == payment.agency_id
                and not p.can.at_counter
                and (may_leave or not p.can.needs_abroad)
                and p.can.amount_min <= due_at(payment, p) <= p.can.amount_max
            )
            if fits:
                found.setdefault(name, p)
        return list(found.values())

    def methods(self, payment: Payment, provider: Provider) -> list[Method]:
        """List the ways of one provider that can take what is due."""
        due = due_at(payment, provider)
        return [m for m in provider.can.methods if m.amount_min <= due <= m.amount_max]

    def choose(self, payment: Payment, name: str, method: str, footing: Footing) -> Provider:
        """Find the provider that was named, or refuse it and say when it is tried again."""
        for provider in self.fitting(payment, may_leave=footing.may_leave):
            if provider.name != name:
                continue
            if method and method not in {m.code for m in self.methods(payment, provider)}:
                continue
            health = footing.health.get((provider.name, provider.account))
            if health and health.standing is Standing.HIDDEN:
                raise Refusal(
                    "provider-unavailable", "This way to pay does not work now; choose another.",
                    extra={"retry_at": rfc3339(health.retry_at)} if health.retry_at else {},
                )  # fmt: skip
            return provider
        raise Refusal("provider-unavailable", "This way to pay is not offered for this payment.")


def _default_last(item: tuple[tuple[str, str], Provider]) -> tuple[bool, str, str]:
    (name, account), _ = item
    return account == "default", name, account


def due_at(payment: Payment, provider: Provider) -> int:
    """Give what this provider would take: all of it, or for a transfer what is still missing."""
    return payment.amount - (0 if provider.can.fixed_amount else payment.amount_on_account)


def way(provider: Provider, health: Health) -> dict[str, Any]:
    """Show a provider: what it can do, in data, and its standing."""
    can = provider.can
    return {
        **standing_of(provider.name, health), "account": provider.account,
        "title_vi": can.title_vi, "title_en": can.title_en, "amount_min": can.amount_min,
        "amount_max": can.amount_max, "currencies": list(can.currencies),
        "methods": [
            {"code": m.code, "title_vi": m.title_vi, "title_en": m.title_en,
             "amount_min": m.amount_min, "amount_max": m.amount_max}
            for m in can.methods
        ],
        "fixed_amount": can.fixed_amount, "at_counter": can.at_counter,
        "inquires": can.inquires, "reports": can.reports, "needs_abroad": can.needs_abroad,
        "refund": {"partial": can.refund.partial, "amount_min": can.refund.amount_min,
                   "amount_max": can.refund.amount_max, "days_max": can.refund.days_max}
        if can.refund else None,
        "issues_receipt": can.issues_receipt,
    }  # fmt: skip
