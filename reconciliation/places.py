"""Where files are put for us: a folder, or a bank's server that speaks SFTP.

Nothing there is moved or deleted: it is theirs, and what was read is known by name, size and time.
"""

import asyncio
import re
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from gateway.domain.errors import Refusal

if TYPE_CHECKING:
    import asyncssh

connect_s_max: Final = 20  # A bank's line is slow; one that says nothing for so long is not there.
session_s_max: Final = 600  # All of one look: the largest file at 2 Mbit/s.
silence_s: Final = 15  # Then it is asked whether it still lives, three times before it is given up.
_PUBLIC: Final = re.compile(r"[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}( [^\n]*)?")
listed_max: Final = 10_000  # A folder with more was never tidied: the pattern must say less.


class AwayError(Exception):
    """A place cannot be looked at; the sentence says why, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it lies there."""

    name: str
    size: int
    changed_at: datetime


class Place(Protocol):
    """What every place can do."""

    async def listed(self) -> list[Seen]:
        """List the plain files that the pattern names. Raises AwayError."""
        ...

    async def read(self, name: str, limit: int) -> bytes:
        """Read one, up to one byte more than a limit. Raises OSError, or AwayError."""
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of this machine, which others write to."""

    path: Path
    pattern: str

    async def listed(self) -> list[Seen]:
        """List it; links lead elsewhere and are passed over."""
        return await asyncio.to_thread(self._listed)

    def _listed(self) -> list[Seen]:
        found = []
        try:
            for entry in self.path.iterdir():
                said = entry.lstat()
                if stat.S_ISREG(said.st_mode) and fnmatchcase(entry.name, self.pattern):
                    at = datetime.fromtimestamp(said.st_mtime, UTC)
                    found.append(Seen(_said(entry.name), said.st_size, at))
        except OSError as error:
            raise AwayError(_why(error)) from None
        return _few(found)

    async def read(self, name: str, limit: int) -> bytes:
        """Read one."""

        def read() -> bytes:
            path = next((p for p in self.path.iterdir() if _said(p.name) == name), self.path / name)
            with path.open("rb") as file:
                return file.read(limit + 1)

        return await asyncio.to_thread(read)


@dataclass(frozen=True, slots=True)
class Sftp:
    """A folder of a bank's server, by a connection that is open."""

    client: "asyncssh.SFTPClient"
    path: str
    pattern: str

    async def listed(self) -> list[Seen]:
        """List it."""
        found = []
        for entry in await self.client.readdir(self.path):
            name, said = str(entry.filename), entry.attrs
            mode = said.permissions or 0
            if stat.S_ISREG(mode) and fnmatchcase(name, self.pattern):
                at = datetime.fromtimestamp(said.mtime or 0, UTC)
                found.append(Seen(name, said.size or 0, at))
        return _few(found)

    async def read(self, name: str, limit: int) -> bytes:
        """Read one."""
        async with self.client.open(f"{self.path.rstrip('/')}/{name}", "rb") as file:
            return cast("bytes", await file.read(limit + 1))


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "the folder is not there"
    if isinstance(error, PermissionError):
        return "the folder may not be read by us"
    return f"the folder cannot be read ({error.strerror})"


def _said(name: str) -> str:
    """Write a name so that it can be kept: a folder's names are bytes, and need not be UTF-8."""
    return name.encode("utf-8", "replace").decode()


def _few(found: list[Seen]) -> list[Seen]:
    if len(found) > listed_max:
        raise AwayError(f"it holds more than {listed_max} files: narrow the pattern")
    return sorted(found, key=lambda seen: (seen.changed_at, seen.name))


def reached(
    kind: str, place: Mapping[str, Any], secret: bytes | None
) -> AbstractAsyncContextManager[Place]:
    """Open a place by what is kept of it. Raises AwayError."""
    return _sftp(place, secret or b"") if kind == "sftp" else _folder(place)


@asynccontextmanager
async def _folder(place: Mapping[str, Any]) -> AsyncIterator[Place]:
    yield Folder(Path(place["path"]), place["pattern"])


@asynccontextmanager
async def _sftp(place: Mapping[str, Any], secret: bytes) -> AsyncIterator[Place]:
    """Connect as one user to the one server whose key was given, with nothing from this machine."""
    import asyncssh  # Heavy, and only the worker and a command connect.

    try:
        async with asyncio.timeout(connect_s_max):
            connection = await asyncssh.connect(
                place["host"], place["port"], username=place["user"], config=None, agent_path=None,
                known_hosts=_known(place), keepalive_interval=silence_s, **_credential(secret),
            )  # fmt: skip
        async with _patient(connection):
            async with asyncio.timeout(connect_s_max):
                client = await connection.start_sftp_client()
            yield Sftp(client, place["path"], place["pattern"])
    except asyncssh.HostKeyNotVerifiable:
        raise AwayError("its server shows another key than the one that was given") from None
    except asyncssh.PermissionDenied:
        raise AwayError("its server refuses this user or secret") from None
    except TimeoutError:
        raise AwayError(f"its server said nothing for {connect_s_max} seconds") from None
    except asyncssh.SFTPNoSuchFile:
        raise AwayError("its server has no such folder or file") from None
    except asyncssh.SFTPPermissionDenied:
        raise AwayError("its server does not let this user read there") from None
    except asyncssh.SFTPError as error:
        raise AwayError(f"its server refuses it ({type(error).__name__})") from None
    except (OSError, asyncssh.Error) as error:
        raise AwayError(f"its server cannot be reached ({type(error).__name__})") from None


@asynccontextmanager
async def _patient(connection: "asyncssh.SSHClientConnection") -> AsyncIterator[None]:
    """Cut a connection at the end, or when its time is over: a polite end waits for the server."""
    loop = asyncio.get_running_loop()
    over = loop.call_later(session_s_max, connection.abort)
    try:
        yield
    except Exception:
        if over.when() <= loop.time():
            raise AwayError(f"its server was not done after {session_s_max} seconds") from None
        raise
    finally:
        over.cancel()
        connection.abort()


def _known(place: Mapping[str, Any]) -> Any:  # noqa: ANN401 - asyncssh's own union.
    import asyncssh

    return asyncssh.import_known_hosts(f"[{place['host']}]:{place['port']} {place['host_key']}\n")


def _credential(secret: bytes) -> dict[str, Any]:
    """Tell a private key from a password by how it begins."""
    import asyncssh

    if secret.startswith(b"-----BEGIN "):
        return {"client_keys": [asyncssh.import_private_key(secret)], "password": None}
    return {"client_keys": None, "password": secret.decode()}


def _is_public(words: str) -> bool:
    import asyncssh

    if not _PUBLIC.fullmatch(words):  # asyncssh would read a private one as well.
        return False
    try:
        asyncssh.import_public_key(words)
    except asyncssh.KeyImportError:
        return False
    return True


def require_reachable(kind: str, place: Mapping[str, Any], secret: bytes | None) -> None:
    """Refuse what can never be reached: a folder that is not one, a key that is none.

    Raises Refusal.
    """
    if kind == "folder" and not Path(place["path"]).is_dir():
        raise Refusal("invalid-request", f"{place['path']} is no folder here.")
    if kind == "sftp":
        import asyncssh

        if not _is_public(place["host_key"]):
            raise Refusal("invalid-request", "The host key is not a public key: one line, such as"
                          " «ssh-ed25519 AAAA…».")  # fmt: skip
        try:
            _credential(secret or b"")
        except (asyncssh.KeyImportError, UnicodeDecodeError):
            raise Refusal("invalid-request", "The private key cannot be read, or is locked by a"
                          " password: save it without one.") from None  # fmt: skip
