"""How a process comes to its role: as a member, as the owner on a managed server, or not at all."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
import pytest_asyncio
import yaml
from databases import in_database
from front_door import Site, free_port
from sqlalchemy import text

from gateway.entry.bootstrap import Parts, prepare, running
from gateway.entry.doctor import examine
from gateway.entry.settings import SettingError, read_settings
from gateway.infra.embedded import Embedded
from gateway.store.migrate import keep_roles
from gateway.store.roles import ROLES, WEB, WORKER

ROOT = Path(__file__).parents[2]
MASTER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
SETTINGS = read_settings({"THUPHI_MASTER_KEY": MASTER_KEY}, ())
_NAMES = (
    "SELECT DISTINCT application_name FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name LIKE 'thuphi%'"
)


@dataclass(frozen=True, slots=True)
class Person:
    """A database user who is nobody in particular, and a database that is its own."""

    name: str
    url: str
    admin: asyncpg.Connection


def as_user(url: str, name: str) -> str:
    """Give the address for another user; the password is for servers that ask for one."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{name}:word@{host}").geturl()


async def person(server_url: str, powers: str = "") -> Person:
    """Make a user and a database that it owns."""
    name = f"tp_user_{token_hex(5)}"
    admin = await asyncpg.connect(server_url)
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'word' {powers}")
    await admin.execute(f"CREATE DATABASE {name} OWNER {name}")
    return Person(name, as_user(in_database(server_url, name), name), admin)


@pytest_asyncio.fixture
async def owner(
    server_url: str,
    template: str,  # noqa: ARG001 - whoever made it made the roles.
) -> AsyncIterator[Person]:
    """Give an owner who may neither make roles nor take those that are there."""
    made = await person(server_url)
    yield made
    await made.admin.execute(f"DROP DATABASE {made.name} WITH (FORCE)")
    await made.admin.execute(f"DROP OWNED BY {made.name}")
    await made.admin.execute(f"DROP ROLE {made.name}")
    await made.admin.close()


@pytest.fixture
def fresh() -> Iterator[str]:
    """Give a server of its own, where nobody has made our roles yet."""
    with tempfile.TemporaryDirectory(prefix="tp") as folder:
        server = Embedded(Path(folder))
        yield server.url()
        server.stop()


async def works_as(parts: Parts) -> tuple[str, str]:
    async with parts.store.begin() as tx:
        row = await tx.row(
            text("SELECT current_user AS who, current_setting('application_name') AS name")
        )
    assert row is not None
    return row["who"], row["name"]


async def test_who_may_not_take_a_role_is_told_once_and_works_on(
    owner: Person, caplog: pytest.LogCaptureFixture
) -> None:
    await prepare(SETTINGS, owner.url)

    async with running(SETTINGS, owner.url, WEB) as parts:
        assert await works_as(parts) == (owner.name, f"thuphi without {WEB}")

    (said,) = [r.getMessage() for r in caplog.records if r.name == "thuphi"]
    assert said.startswith(f"works without its role: this user may not take {WEB}: GRANT")
    assert owner.name not in said


async def test_a_member_takes_its_role_at_the_next_start(
    owner: Person, caplog: pytest.LogCaptureFixture
) -> None:
    await prepare(SETTINGS, owner.url)
    await owner.admin.execute(f"GRANT {WORKER} TO {owner.name}")

    async with running(SETTINGS, owner.url, WORKER) as parts:
        assert await works_as(parts) == (WORKER, WORKER)

    assert "without its role" not in caplog.text


async def test_the_doctor_names_a_process_without_its_role_and_then_the_cure(
    owner: Person,
) -> None:
    await prepare(SETTINGS, owner.url)

    async def said(parts: Parts) -> str:
        return {f.name: f.said for f in await examine(parts) if not f.is_right}.get("roles", "")

    async with running(SETTINGS, owner.url, WORKER) as old:
        await works_as(old)
        async with running(SETTINGS, owner.url, WEB) as parts:
            assert f"GRANT {WEB} to it" in await said(parts)
        await owner.admin.execute(f"GRANT {', '.join(ROLES)} TO {owner.name}")
        async with running(SETTINGS, owner.url, WEB) as parts:
            assert await said(parts) == f"a process works without {WORKER}: restart it"
    async with running(SETTINGS, owner.url, WEB) as parts:
        assert await said(parts) == ""


async def test_an_owner_on_a_managed_server_makes_the_roles_and_takes_them(fresh: str) -> None:
    """No superuser there: since PostgreSQL 16 the maker of a role must still join it."""
    owner = await person(fresh, "CREATEROLE")
    await prepare(SETTINGS, owner.url)

    for role in ROLES:
        async with running(SETTINGS, owner.url, role) as parts:
            assert await works_as(parts) == (role, role)
    await owner.admin.close()


async def test_a_role_that_comes_later_is_taken_once_migrate_has_granted(fresh: str) -> None:
    """A role without rights would refuse everything, so it is not taken before."""
    owner = await person(fresh)
    await prepare(SETTINGS, owner.url)
    await owner.admin.execute(f"CREATE ROLE {WEB}; GRANT {WEB} TO {owner.name}")

    async with running(SETTINGS, owner.url, WEB) as parts:
        assert (await works_as(parts))[0] == owner.name
        await keep_roles(parts.engine)
    async with running(SETTINGS, owner.url, WEB) as parts:
        assert (await works_as(parts))[0] == WEB
    await owner.admin.close()


@pytest.mark.parametrize(("service", "role"), [("web", WEB), ("worker", WORKER)])
async def test_each_service_of_the_compose_file_works_in_its_role(
    service: str, role: str, database_url: str, tmp_path: Path
) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    port = free_port()
    words = [str(port) if w == "8080" else w for w in compose["services"][service]["command"]]
    values = {
        "THUPHI_DATABASE_URL": database_url, "THUPHI_MASTER_KEY": MASTER_KEY,
        "THUPHI_PUBLIC_URL": f"http://127.0.0.1:{port}", "PATH": os.environ["PATH"],
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.entry.cli", *words, cwd=tmp_path, env=values,
        stderr=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    admin = await asyncpg.connect(database_url)
    names: set[str] = set()
    async with httpx.AsyncClient() as http:
        while role not in names:
            assert process.returncode is None, "it ended by itself"
            await asyncio.sleep(0.05)
            with suppress(httpx.TransportError):
                await http.get(f"http://127.0.0.1:{port}/readyz")  # Web asks only when it is asked.
            names = {r[0] for r in await admin.fetch(_NAMES)}
    process.terminate()
    assert await process.wait() == 0
    await admin.close()

    assert names - {"thuphi"} == {role}  # The one that prepared it may still be leaving.


async def test_a_user_who_is_only_a_member_serves_but_never_migrates(
    site: Site, database_url: str
) -> None:
    """The strictest setting: a login of its own for the web process, which owns nothing."""
    name = f"tp_login_{token_hex(5)}"
    await site.as_owner(f"CREATE ROLE {name} LOGIN PASSWORD 'word' IN ROLE {WEB}")
    url = as_user(database_url, name)

    await prepare(SETTINGS, url)
    async with running(SETTINGS, url, WEB) as parts:
        assert (await works_as(parts))[0] == WEB
    await site.as_owner("UPDATE alembic_version SET version_num = '0003'")
    with pytest.raises(SettingError, match="run thuphi migrate as their owner"):
        await prepare(SETTINGS, url)

    await site.as_owner(f"DROP ROLE {name}")
