"""Provider accounts as rows: each of one agency, its credentials sealed, two valid in a rotation.

The account ``default`` comes from the environment and is not here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, select, text
from sqlalchemy.exc import IntegrityError

from gateway.domain.errors import Refusal
from gateway.ports.vault import Vault
from gateway.store import tables as t
from gateway.store.tx import Row, Store

overlap_default: Final = timedelta(hours=72)  # Providers retry a notice for at most three days.
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,31}")
_STAMP: Final = text(
    "SELECT count(*) AS n, coalesce(sum(version), 0)::bigint AS changes FROM provider_account"
)


@dataclass(frozen=True, slots=True)
class Account:
    """One account with what its adapter needs to be built; ``former`` while a rotation lasts."""

    agency_id: str
    provider: str
    name: str
    values: Mapping[str, str] = field(repr=False)
    former: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of every agency."""

    store: Store
    vault: Vault = field(repr=False)

    async def add(
        self, agency_id: str, provider: str, name: str, values: Mapping[str, str], actor: str
    ) -> None:
        """Keep a new account. The caller has built its adapter once, so the values are right."""
        if name == "default" or not _NAME.fullmatch(name):
            raise Refusal(
                "invalid-request", "An account's name has 2 to 32 small letters, digits and -,"
                " and is not «default», which the settings name.",
            )  # fmt: skip
        now = self.store.clock.now()
        row = {
            "agency_id": agency_id, "provider": provider, "name": name,
            "sealed": self._seal(provider, name, values), "former_sealed": None,
            "former_until": None, "version": 1, "added_by": actor, "created_at": now,
            "changed_at": now,
        }  # fmt: skip
        try:
            async with self.store.begin() as tx:
                await tx.run(t.provider_account.insert(), row)
                await tx.note(agency_id, actor, "account.add", f"{provider}/{name}")
        except IntegrityError as error:
            taken = "pk_provider_account" in str(error.orig)
            raise Refusal(
                "invalid-request",
                f"There is an account {provider}/{name} already." if taken
                else f"There is no agency {agency_id}.",
            ) from None  # fmt: skip

    async def rotate(
        self, provider: str, name: str, values: Mapping[str, str], overlap: timedelta, actor: str
    ) -> None:
        """Take new credentials; notices signed with the old ones are believed a while longer."""
        now = self.store.clock.now()
        async with self.store.begin() as tx:
            row = await tx.row(_one(provider, name).with_for_update())
            if row is None or row["closed_at"] is not None:
                raise Refusal(
                    "not-found",
                    f"There is no open account {provider}/{name}; see thuphi accounts list.",
                )
            former = self._open(row, "sealed", "values")
            await tx.run(
                t.provider_account.update()
                .where(t.provider_account.c.provider == provider,
                       t.provider_account.c.name == name)
                .values(
                    sealed=self._seal(provider, name, {**former, **values}),
                    former_sealed=self._seal(provider, name, former, "former"),
                    former_until=now + overlap, changed_at=now, version=row["version"] + 1,
                )
            )  # fmt: skip
            await tx.note(row["agency_id"], actor, "account.rotate", f"{provider}/{name}")

    async def close(self, provider: str, name: str, actor: str) -> None:
        """Offer it no more. Its notices are still taken: money that moves is never refused."""
        now, c = self.store.clock.now(), t.provider_account.c
        async with self.store.begin() as tx:
            row = await tx.row(_one(provider, name).with_for_update())
            if row is None:
                raise Refusal(
                    "not-found", f"There is no account {provider}/{name}; see thuphi accounts list."
                )
            await tx.run(
                t.provider_account.update()
                .where(c.provider == provider, c.name == name)
                .values(closed_at=now, changed_at=now, version=row["version"] + 1)
            )
            await tx.note(row["agency_id"], actor, "account.close", f"{provider}/{name}")

    async def note(
        self, agency_id: str, provider: str, name: str, what: str, actor: str
    ) -> None:  # fmt: skip
        """Write down that somebody did something with an account that changes nothing of it."""
        async with self.store.begin() as tx:
            await tx.note(agency_id, actor, f"account.{what}", f"{provider}/{name}")

    async def listed(self, agency_id: str | None = None) -> Sequence[Row]:
        """List accounts without anything sealed."""
        c = t.provider_account.c
        wanted = select(
            c.agency_id, c.provider, c.name, c.created_at, c.changed_at, c.former_until, c.closed_at
        ).order_by(c.provider, c.name)
        async with self.store.begin() as tx:
            return await tx.rows(wanted.where(c.agency_id == agency_id) if agency_id else wanted)

    async def stamp(self) -> tuple[int, int]:
        """Say whether anything changed: the same stamp means the same accounts."""
        async with self.store.once() as tx:
            row = await tx.row(_STAMP)
        return (row["n"], row["changes"]) if row else (0, 0)

    async def all(self) -> list[tuple[Account, bool]]:
        """Open every account; the second value says whether it is offered."""
        now = self.store.clock.now()
        async with self.store.begin() as tx:
            rows = await tx.rows(select(t.provider_account))
        return [(self._account(row, now), row["closed_at"] is None) for row in rows]

    def _account(self, row: Row, now: datetime) -> Account:
        is_rotating = row["former_until"] is not None and row["former_until"] > now
        return Account(
            row["agency_id"], row["provider"], row["name"], self._open(row, "sealed", "values"),
            self._open(row, "former_sealed", "former") if is_rotating else None,
        )  # fmt: skip

    def _seal(
        self, provider: str, name: str, values: Mapping[str, str], column: str = "values"
    ) -> bytes:
        place = f"provider_account|{provider}/{name}|{column}"
        return self.vault.seal(place, json.dumps(dict(values)).encode())

    def _open(self, row: Row, column: str, place: str) -> dict[str, str]:
        where = f"provider_account|{row['provider']}/{row['name']}|{place}"
        opened: dict[str, str] = json.loads(self.vault.open(where, bytes(row[column])))
        return opened


def _one(provider: str, name: str) -> Select[Any]:
    c = t.provider_account.c
    return select(t.provider_account).where(c.provider == provider, c.name == name)
