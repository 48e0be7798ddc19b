"""Provider health: each call is noted, a job judges, and procedure systems are told of a change."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, TypeVar

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.calendar import rfc3339
from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.domain.health import Calls, Health, Standing, judge, window
from gateway.ports.provider import Provider
from gateway.store import locks
from gateway.store import tables as t
from gateway.store.tx import Store, Tx

Said = TypeVar("Said")
# The window begins where the provider's standing last changed, so that old failures are paid for.
_CALLS: Final = text(
    "SELECT count(*) AS count, count(*) FILTER (WHERE NOT is_ok) AS failed,"
    " coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY took_ms), 0)::int AS middle_ms"
    " FROM provider_call WHERE provider = :provider AND account = :account AND at >= :since"
)
_STANDINGS: Final = text("SELECT * FROM provider_standing WHERE agency_id = :agency")
_ONE: Final = text(
    "SELECT * FROM provider_standing WHERE agency_id = :agency AND provider = :provider"
    " AND account = :account"
)
_FORGET: Final = text("DELETE FROM provider_call WHERE at < :before")


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """Notes, judges and tells."""

    store: Store
    providers: Mapping[tuple[str, str], Provider]
    agencies: Mapping[tuple[str, str], str]

    async def watched(
        self, provider: Provider, what: str, call: Callable[[], Awaitable[Said]]
    ) -> Said:
        """Make one call, and note how it went; a clear «no» is an answer like any other."""
        began, is_ok = monotonic(), False
        try:
            said = await call()
            is_ok = True
        except DeclinedError as error:
            is_ok = not error.is_unreachable
            raise
        except InDoubtError:
            raise
        else:
            return said
        finally:
            await self._note(provider, what, is_ok=is_ok, took_ms=int((monotonic() - began) * 1000))

    async def _note(self, provider: Provider, what: str, *, is_ok: bool, took_ms: int) -> None:
        async with self.store.once() as tx:
            await tx.run(
                t.provider_call.insert(),
                {"agency_id": self.agencies[provider.name, provider.account],
                 "provider": provider.name, "account": provider.account, "what": what,
                 "at": self.store.clock.now(), "is_ok": is_ok, "took_ms": took_ms},
            )  # fmt: skip

    async def of_agency(self, agency_id: str) -> dict[tuple[str, str], Health]:
        """Give the standing of each provider account that is not simply healthy."""
        async with self.store.once() as tx:
            rows = await tx.rows(_STANDINGS, {"agency": agency_id})
        return {(r["provider"], r["account"]): _health(r) for r in rows}

    async def figures(self, agency_id: str) -> dict[tuple[str, str], tuple[Calls, Health]]:
        """Give, of each account of an agency, our calls in the window and its standing."""
        standings = await self.of_agency(agency_id)
        since = self.store.clock.now() - window
        found = {}
        async with self.store.begin() as tx:
            for name, account in self.providers:
                if self.agencies[name, account] == agency_id:
                    holder = {"provider": name, "account": account, "since": since}
                    row = await tx.row(_CALLS, holder)
                    calls = Calls(**row) if row else Calls()
                    found[name, account] = calls, standings.get((name, account), Health())
        return found

    async def judge(self) -> int:
        """Judge every account; gives how many changed. One worker at a time."""
        changed, now = 0, self.store.clock.now()
        async with self.store.begin() as tx:
            mine = await tx.row(locks.JUDGING)
            if not mine or not mine["mine"]:
                return 0
            for name, account in sorted(self.providers):
                changed += await self._judge_one(tx, name, account)
            await tx.run(_FORGET, {"before": now - 2 * window})
        return changed

    async def _judge_one(self, tx: Tx, name: str, account: str) -> bool:
        now, agency = self.store.clock.now(), self.agencies[name, account]
        holder = {"provider": name, "account": account}
        row = await tx.row(_ONE, holder | {"agency": agency})
        before = _health(row) if row else Health()
        since = max(now - window, before.since_at or now - window)
        figures = await tx.row(_CALLS, holder | {"since": since})
        after = judge(before, Calls(**figures) if figures else Calls(), now)
        if after == before:
            return False
        values = {
            "standing": str(after.standing), "why": after.why, "since_at": after.since_at,
            "retry_at": after.retry_at, "rests": after.rests,
        }  # fmt: skip
        await tx.run(
            insert(t.provider_standing)
            .values(agency_id=agency, **holder, **values)
            .on_conflict_do_update(index_elements=["agency_id", "provider", "account"], set_=values)
        )
        if _is_bad(before) != _is_bad(after):
            await self._tell(tx, agency, name, after)
        return True

    async def _tell(self, tx: Tx, agency: str, name: str, after: Health) -> None:
        """Put one event into the outbox; it is about no payment, so it has no sequence."""
        kind = "provider.degraded" if _is_bad(after) else "provider.recovered"
        await tx.put(
            t.event,
            {"agency_id": agency, "id": self.store.clock.new_id("evt"), "type": kind,
             "payment_id": None, "sequence": 0, "occurred_at": self.store.clock.now(),
             "data": shown(name, after)},
        )  # fmt: skip


def shown(name: str, health: Health) -> dict[str, Any]:
    """Show a standing as the API and its events do."""
    retry = health.retry_at
    return {
        "provider": name, "standing": str(health.standing), "why": health.why,
        "retry_at": rfc3339(retry) if retry else None,
    }  # fmt: skip


def _is_bad(health: Health) -> bool:
    """Tell whether procedure systems should know; probation is still bad."""
    return health.standing is not Standing.HEALTHY


def _health(row: Mapping[str, Any]) -> Health:
    return Health(
        Standing(row["standing"]), row["why"], row["since_at"], row["retry_at"], row["rests"]
    )
