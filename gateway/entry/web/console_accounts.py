"""The console's pages for providers: how each works now, and the agency's accounts with them.

A credential goes in and never comes out: a page names the fields, and shows no value of one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from gateway.domain.errors import Refusal
from gateway.entry.registry import Registry
from gateway.entry.web.console import Console
from gateway.entry.web.console_form import fields_of, require
from gateway.ports.plugin import AdapterSpec
from gateway.ports.provider import Provider
from gateway.services.access import Officer
from gateway.services.account_trial import Trial, try_account
from gateway.services.accounts import overlap_default
from gateway.services.health import ProviderHealth
from gateway.services.ways import Ways

MAY_MANAGE: Final = frozenset({"operator"})
overlap_hours_max: Final = 720  # A month: longer, and a stolen secret is never out of use.
value_chars_max: Final = 4_096  # A private key in PEM is the longest credential there is.
DEFAULT: Final = "default"  # The environment's account: it is changed where the settings are.


@dataclass(frozen=True, slots=True)
class AccountPages:
    """The routes under ``/console/providers``."""

    console: Console
    registry: Registry
    health: ProviderHealth
    ways: Ways

    async def list(self, request: Request, officer: Officer) -> Response:
        """Show each account: how it works now, when it is tried again, whether it is offered."""
        rows = {(r["provider"], r["name"]): r for r in await self._rows(officer)}
        seen = await self.health.figures(officer.agency_id)
        barred = await self._barred(officer)
        return self.console.page("providers", request, officer, {
            "rows": [
                {"provider": p, "account": a, "can": self._built(p, a).can, "calls": calls,
                 "health": health, "row": rows.get((p, a)), "barred": (p, a) in barred}
                for (p, a), (calls, health) in sorted(seen.items())
            ],
            "may_manage": officer.role in MAY_MANAGE,
        })  # fmt: skip

    async def new(self, request: Request, officer: Officer) -> Response:
        """Show the form of a new account: first whose, then its fields."""
        require(officer, MAY_MANAGE)
        wanted = request.query_params.get("provider", "")
        spec = self.registry.specs.get(wanted)
        return self.console.page("provider_new", request, officer, {
            "spec": spec, "names": sorted(self.registry.specs), "fields": _fields(spec),
        })  # fmt: skip

    async def add(self, request: Request, officer: Officer) -> Response:
        """Keep a new account; its adapter is built once, so wrong fields are found now."""
        require(officer, MAY_MANAGE)
        form = await fields_of(request)
        provider, name = form.get("provider", ""), form.get("name", "").strip()
        values = self._values(provider, form)
        self.registry.build(provider, name, values)
        actor = f"staff:{officer.username}"
        await self.registry.accounts.add(officer.agency_id, provider, name, values, actor)
        await self.registry.refresh()
        return RedirectResponse(f"/console/providers/{provider}/{name}?told=added", 303)

    async def one(
        self, request: Request, officer: Officer, provider: str, name: str,
        trial: Trial | None = None,
    ) -> Response:  # fmt: skip
        """Show one account: its addresses to register, and what can be done with it."""
        built = self._own(officer, provider, name)
        rows = [r for r in await self._rows(officer) if (r["provider"], r["name"])
                == (provider, name)]  # fmt: skip
        calls, health = (await self.health.figures(officer.agency_id))[provider, name]
        doors = [
            f"{self.console.public_url}/notices/{path}/{name}"
            for path in built.can.notice_names or (provider,)
        ]
        return self.console.page("provider", request, officer, {
            "provider": provider, "account": name, "can": built.can, "doors": doors,
            "row": rows[0] if rows else None, "calls": calls, "health": health, "trial": trial,
            "barred": (provider, name) in await self._barred(officer),
            "fields": _fields(self.registry.specs.get(provider)),
            "hours": int(overlap_default.total_seconds() // 3_600), "hours_max": overlap_hours_max,
            "may_manage": officer.role in MAY_MANAGE,
            "told": request.query_params.get("told", ""),
        })  # fmt: skip

    async def rotate(
        self, request: Request, officer: Officer, provider: str, name: str
    ) -> Response:
        """Take new credentials; a field that is left empty stays as it is."""
        require(officer, MAY_MANAGE)
        await self._kept(officer, provider, name)
        form = await fields_of(request)
        fresh = self._values(provider, form)
        if not fresh:
            raise Refusal("invalid-request", "Write at least one new value.")
        hours = form.get("hours", "")
        if not (hours.isascii() and hours.isdigit() and int(hours[:5]) <= overlap_hours_max):
            raise Refusal("invalid-request", f"Write 0 to {overlap_hours_max} hours.")
        accounts, actor = self.registry.accounts, f"staff:{officer.username}"
        known = {(a.provider, a.name): a.values for a, _ in await accounts.all()}
        self.registry.build(provider, name, {**known[provider, name], **fresh})
        await accounts.rotate(provider, name, fresh, timedelta(hours=int(hours)), actor)
        await self.registry.refresh()
        return RedirectResponse(f"/console/providers/{provider}/{name}?told=rotated", 303)

    async def close(
        self, _request: Request, officer: Officer, provider: str, name: str
    ) -> Response:
        """Offer an account no more; its notices are still taken."""
        require(officer, MAY_MANAGE)
        await self._kept(officer, provider, name)
        await self.registry.accounts.close(provider, name, f"staff:{officer.username}")
        await self.registry.refresh()
        return RedirectResponse(f"/console/providers/{provider}/{name}?told=closed", 303)

    async def try_it(
        self, request: Request, officer: Officer, provider: str, name: str
    ) -> Response:
        """Ask the provider something that moves nothing, and say how it went."""
        require(officer, MAY_MANAGE)
        built = self._own(officer, provider, name)
        actor = f"staff:{officer.username}"
        await self.registry.accounts.note(officer.agency_id, provider, name, "test", actor)
        trial = await try_account(built, self.console.store.clock, self.console.public_url)
        return await self.one(request, officer, provider, name, trial)

    async def _barred(self, officer: Officer) -> set[tuple[str, str]]:
        """Name the accounts that take personal data abroad, where that is not allowed."""
        return {(p.name, p.account) for p in await self.ways.barred(officer.agency_id)}

    def _own(self, officer: Officer, provider: str, name: str) -> Provider:
        """Find an account of the officer's agency; another's is as one that does not exist."""
        built = self.registry.offered.get((provider, name))
        if built is None or self.registry.agencies[provider, name] != officer.agency_id:
            raise Refusal("not-found", "The agency has no such account.")
        return built

    def _built(self, provider: str, name: str) -> Provider:
        return self.registry.offered[provider, name]

    async def _rows(self, officer: Officer) -> Any:  # noqa: ANN401 - rows.
        return await self.registry.accounts.listed(officer.agency_id)

    async def _kept(self, officer: Officer, provider: str, name: str) -> None:
        """Refuse what is no row of the officer's agency."""
        if (provider, name) not in {(r["provider"], r["name"]) for r in await self._rows(officer)}:
            raise Refusal("not-found", "The agency has no such account.")

    def _values(self, provider: str, form: Mapping[str, str]) -> dict[str, str]:
        """Read the fields that were filled in."""
        spec = self.registry.specs.get(provider)
        known = spec.known_fields if spec else ()
        said = {f: form.get(f, "").strip() for f in known}
        if any(len(value) > value_chars_max for value in said.values()):
            raise Refusal("invalid-request", f"A value has {value_chars_max} characters at most.")
        return {f: value for f, value in said.items() if value}


def _fields(spec: AdapterSpec | None) -> list[dict[str, Any]]:
    """Say what a form asks: the name of each field, whether it is needed, whether it is secret."""
    if spec is None:
        return []
    return [
        {"name": f, "is_needed": f in spec.fields, "is_secret": f in spec.secret_fields}
        for f in spec.known_fields
    ]
