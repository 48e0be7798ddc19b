"""The embedded server comes up again after any crash, with its data, and ends when it should."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import psutil
import pytest

from gateway.domain.errors import Refusal
from gateway.infra.embedded import Embedded, forget_the_dead

_ADOPT: Final = 36  # PR_SET_CHILD_SUBREAPER of Linux.
# Uses a server until its input ends, as any of our commands does; killed, it says no goodbye.
_USER = """
import sys
from pathlib import Path
from typing import Final
from gateway.infra.embedded import Embedded

server = Embedded(Path(sys.argv[1]))
print(server.url(), flush=True)
sys.stdin.read()
server.stop()
"""


@dataclass(frozen=True, slots=True)
class Crash:
    """A folder whose server and user ran a moment ago."""

    folder: Path
    url: str
    user: subprocess.Popen[bytes]

    @property
    def lock(self) -> Path:
        """Where the server says that it is there."""
        return self.folder / "postgres" / "postmaster.pid"

    @property
    def server(self) -> psutil.Process:
        """The server, as the lock file names it."""
        return psutil.Process(int(self.lock.read_text("ascii").split("\n", 1)[0]))

    def kill_user(self) -> None:
        """End the command that used the server, the hard way."""
        if self.user.poll() is None:
            self.user.kill()
            self.user.communicate()

    def kill_server(self) -> int:
        """End the server, the hard way; it stays a zombie as long as nobody asks for it."""
        server = self.server
        server.send_signal(signal.SIGKILL)
        left = [p for p in server.children() if p.status() != psutil.STATUS_ZOMBIE]
        psutil.wait_procs(left, timeout=20)
        assert server.status() == psutil.STATUS_ZOMBIE
        return int(server.pid)

    def comes_up_again(self) -> None:
        """Run a command of ours, which finds the server dead, and starts and stops it."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway.entry.cli", "migrate", "--json"],
            capture_output=True, text=True, check=False, cwd=self.folder, timeout=60,
            env={"PATH": os.environ["PATH"], "THUPHI_DATA_DIR": str(self.folder)},
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, '{"migrated": true}\n'), done.stderr
        assert not self.lock.exists(), "the last one stops it"


@pytest.fixture
def crash() -> Iterator[Crash]:
    """Give a running server with a row in it; we take the place of a machine that buries nobody."""
    system = ctypes.CDLL(None)
    system.prctl(_ADOPT, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory(prefix="tc") as name:
        made = start(Path(name))
        asyncio.run(write(made.url))
        yield made
        made.kill_user()
        with suppress(FileNotFoundError, psutil.NoSuchProcess):
            if made.server.name() == "postgres":  # And nobody who only has its number.
                made.server.send_signal(signal.SIGQUIT)
                psutil.wait_procs([made.server], timeout=20)
    system.prctl(_ADOPT, 0, 0, 0, 0)


def start(folder: Path) -> Crash:
    """Start a user of the server and wait for its word."""
    user = subprocess.Popen(  # noqa: S603 - our own program.
        [sys.executable, "-c", _USER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert user.stdout
    return Crash(folder, user.stdout.readline().decode().strip(), user)


async def write(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    await connection.close()


async def kept(folder: Path) -> int:
    server = Embedded(folder)
    connection = await asyncpg.connect(server.url())
    n: int = await connection.fetchval("SELECT n FROM kept")
    await connection.close()
    server.stop()
    return n


def test_after_a_killed_server_that_nobody_buried(crash: Crash) -> None:
    """In a container without an init a dead server stays a zombie, and its number is taken."""
    crash.kill_user()
    crash.kill_server()

    crash.comes_up_again()

    assert asyncio.run(kept(crash.folder)) == 1


def test_after_a_machine_that_gave_the_number_to_somebody_else(crash: Crash) -> None:
    """A container that starts again gives the small numbers to others."""
    crash.kill_user()
    pid = crash.kill_server()
    for file in (crash.lock, *(crash.folder / "postgres").glob(".s.PGSQL.*.lock")):
        lines = file.read_text("ascii")
        assert lines.startswith(f"{pid}\n")
        file.write_text(lines.replace(f"{pid}\n", f"{os.getpid()}\n", 1), "ascii")

    crash.comes_up_again()


def test_after_a_crash_in_the_middle_of_a_start(crash: Crash) -> None:
    """The lock file is written line by line."""
    crash.kill_user()
    crash.kill_server()
    crash.lock.write_text("".join(crash.lock.read_text("ascii").splitlines(keepends=True)[:3]))

    crash.comes_up_again()


def test_a_killed_user_does_not_keep_the_server_running_for_ever(crash: Crash) -> None:
    crash.kill_user()
    assert crash.server.is_running()

    crash.comes_up_again()


def test_a_server_that_is_used_is_joined_and_left_alone(crash: Crash) -> None:
    before = crash.server.pid

    assert asyncio.run(kept(crash.folder)) == 1

    assert crash.server.pid == before
    assert crash.user.poll() is None


def test_processes_of_a_dead_server_are_waited_for_and_then_named(crash: Crash) -> None:
    """A second server beside them would ruin the data, so the lock stays."""
    crash.kill_user()
    (writer, *_) = crash.server.children()
    writer.suspend()  # As one that is too busy to notice.
    crash.server.send_signal(signal.SIGKILL)

    with pytest.raises(Refusal, match=f"end {writer.pid}, then start again"):
        forget_the_dead(crash.folder / "postgres", patience_s=0.2)

    assert crash.lock.exists()
    writer.resume()
    psutil.wait_procs([writer], timeout=20)
    crash.comes_up_again()
