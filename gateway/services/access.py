"""Who may come in: clients by key, staff by password; only hashes are stored."""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Network
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from gateway.domain.errors import Refusal
from gateway.store import locks
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx

MAKER: Final = "command line"  # Clients and staff are made by command alone.
session_hours_max: Final = 8  # One working day at a counter.
sign_in_tries_max: Final = 5  # For one name from one place.
# For all names from one place: a whole branch behind one address, on a bad Monday morning.
place_tries_max: Final = 50
sign_in_window: Final = timedelta(minutes=15)
_HASHER: Final = PasswordHasher()  # Argon2id with the library's current defaults.
# Verified when the user name is unknown, so that both answers take the same time.
_NOBODY: Final = _HASHER.hash(secrets.token_hex(16))

_TRIES: Final = text(
    "SELECT count(*) AS from_here, count(*) FILTER (WHERE username = :name) AS of_name"
    " FROM sign_in_try WHERE source = :place AND at > :since"
)
_OLD_TRIES: Final = text("DELETE FROM sign_in_try WHERE at <= :since")
_CLIENT: Final = text(
    "SELECT c.id, c.agency_id, c.may_price, c.return_origins, c.may_bring_files,"
    " ARRAY(SELECT b.id FROM branch b WHERE b.agency_id = c.agency_id) AS branches"
    " FROM client c JOIN client_key k ON k.agency_id = c.agency_id AND k.client_id = c.id"
    " WHERE k.key_hash = :hash AND k.revoked_at IS NULL"
)


def digest(secret: str) -> str:
    """Hash a secret of 128 or more random bits; nothing slower is needed for those."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Client:
    """A procedure system that presented a key."""

    id: str
    agency_id: str
    may_price: bool
    return_origins: tuple[str, ...]
    branches: frozenset[str] = frozenset()  # Of its agency.
    may_bring_files: bool = False


@dataclass(frozen=True, slots=True)
class Officer:
    """A member of staff who is signed in."""

    id: str
    agency_id: str
    username: str
    role: str
    csrf: str


@dataclass(frozen=True, slots=True)
class Access:
    """Keys, passwords and sessions."""

    store: Store

    async def client(self, key: str) -> Client:
        """Find the client of a key."""
        async with self.store.once() as tx:
            row = await tx.row(_CLIENT, {"hash": digest(key)})
        if row is None:
            raise Refusal("unauthenticated", "Send a valid key: Authorization: Bearer <key>.")
        return Client(
            row["id"], row["agency_id"], row["may_price"], tuple(row["return_origins"]),
            frozenset(row["branches"]), row["may_bring_files"],
        )  # fmt: skip

    async def add_client(
        self, name: str, agency_id: str, *, may_price: bool, return_origins: list[str],
        may_bring_files: bool = False,
    ) -> tuple[str, str]:  # fmt: skip
        """Add a client; give its id and its key, which is shown this once."""
        clock = self.store.clock
        async with self.store.begin() as tx:
            agency = await tx.row(select(t.agency).where(t.agency.c.id == agency_id))
            if agency is None:
                raise Refusal("not-found", f"There is no agency {agency_id}; run seed first.")
            client_id = clock.new_id("cli")
            prefix = "tp_test_" if agency["is_sandbox"] else "tp_live_"
            key = prefix + secrets.token_urlsafe(32)
            await tx.run(
                t.client.insert(),
                {"agency_id": agency_id, "id": client_id, "name": name, "may_price": may_price,
                 "may_bring_files": may_bring_files, "return_origins": return_origins,
                 "created_at": clock.now()},
            )  # fmt: skip
            await tx.run(
                t.client_key.insert(),
                {"key_hash": digest(key), "agency_id": agency_id, "client_id": client_id,
                 "created_at": clock.now()},
            )  # fmt: skip
            await tx.note(agency_id, MAKER, "client.add", client_id)
        return client_id, key

    async def add_staff(self, username: str, role: str, agency_id: str) -> str:
        """Add a member of staff; give the password, which is shown this once."""
        password = secrets.token_urlsafe(12)
        clock = self.store.clock
        row = {
            "agency_id": agency_id, "id": clock.new_id("stf"), "username": username,
            "password_hash": _HASHER.hash(password), "role": role, "created_at": clock.now(),
        }  # fmt: skip
        try:
            async with self.store.begin() as tx:
                await tx.run(t.staff.insert(), row)
                await tx.note(agency_id, MAKER, "staff.add", str(row["id"]))
        except IntegrityError as error:
            if "uq_staff_username" in str(error.orig):
                raise Refusal(
                    "invalid-request", "That user name is taken: choose another."
                ) from None
            raise Refusal("not-found", f"There is no agency {agency_id}; run seed first.") from None
        return password

    async def sign_in(self, username: str, password: str, source: str) -> str:
        """Check a password and open a session; give its token."""
        now, place = self.store.clock.now(), place_of(source)
        async with self.store.begin() as tx:
            await _note_try(tx, username, place, now)
            staff = await tx.row(
                select(t.staff).where(
                    t.staff.c.username == username, t.staff.c.disabled_at.is_(None)
                )
            )
        # In a thread: it takes as long as many requests, and nobody else waits for it.
        if not await asyncio.to_thread(_matches, staff, password) or staff is None:
            raise Refusal("unauthenticated", "The user name or the password is wrong.")
        token = secrets.token_urlsafe(32)
        tried = t.sign_in_try.c
        async with self.store.begin() as tx:
            await tx.run(
                t.sign_in_try.delete().where(tried.username == username, tried.source == place)
            )
            await tx.run(
                t.staff_session.insert(),
                {"token_hash": digest(token), "agency_id": staff["agency_id"],
                 "staff_id": staff["id"], "csrf": secrets.token_urlsafe(24), "created_at": now,
                 "expires_at": now + timedelta(hours=session_hours_max)},
            )  # fmt: skip
        return token

    async def officer(self, token: str) -> Officer | None:
        """Find who a session belongs to, if it still lives."""
        s, u = t.staff_session.c, t.staff.c
        async with self.store.begin() as tx:
            row = await tx.row(
                select(u.id, u.agency_id, u.username, u.role, s.csrf)
                .join(t.staff_session, (s.agency_id == u.agency_id) & (s.staff_id == u.id))
                .where(
                    s.token_hash == digest(token), s.revoked_at.is_(None),
                    s.expires_at > self.store.clock.now(), u.disabled_at.is_(None),
                )
            )  # fmt: skip
        return Officer(**row) if row else None

    async def sign_out(self, token: str) -> None:
        """Revoke a session."""
        async with self.store.begin() as tx:
            await tx.run(
                t.staff_session.update()
                .where(t.staff_session.c.token_hash == digest(token))
                .values(revoked_at=self.store.clock.now())
            )


def place_of(source: str) -> str:
    """Take an IPv6 network as one place: whoever has one address there has all of them."""
    try:
        return str(IPv6Network((source, 64), strict=False))
    except ValueError:
        return source


async def _note_try(tx: Tx, username: str, place: str, now: datetime) -> None:
    """Write a try down before it is made, one of a place at a time: none slips past the count.

    A name is counted for each place by itself, so that nobody shuts a colleague out from elsewhere.
    That leaves each place its own tries, which is nothing against a password of 96 random bits.
    """
    await tx.run(locks.SIGNING_IN, {"place": place})
    since = now - sign_in_window
    await tx.run(_OLD_TRIES, {"since": since})
    (tried,) = await tx.rows(_TRIES, {"place": place, "name": username, "since": since})
    if tried["of_name"] >= sign_in_tries_max or tried["from_here"] >= place_tries_max:
        raise Refusal("too-many-requests", "Too many tries; wait a quarter of an hour.")
    await tx.run(t.sign_in_try.insert(), {"username": username, "source": place, "at": now})


def _matches(staff: Row | None, password: str) -> bool:
    try:
        return _HASHER.verify(staff["password_hash"] if staff else _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
