"""The HTTP server inside this process: granian, with limits on slow headers."""

import asyncio
import logging
import socket
import threading
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import psutil

from gateway.entry.settings import SettingError

header_timeout_ms: Final = 10_000  # A client that needs longer for its headers is no client.
start_tries_max: Final = 500
end_tries_max: Final = 100


@asynccontextmanager
async def serving(app: Any, port: int, address: str = "127.0.0.1") -> AsyncIterator[None]:  # noqa: ANN401 - any ASGI application.
    """Serve an ASGI application until the block ends. Raises SettingError when it cannot."""
    _require_free(address, port)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from granian.constants import Interfaces
        from granian.http import HTTP1Settings
        from granian.server.embed import Server

    logging.getLogger("_granian").setLevel(logging.WARNING)
    server = Server(
        app, address=address, port=port, interface=Interfaces.ASGI, log_enabled=False,
        http1_settings=HTTP1Settings(header_read_timeout=header_timeout_ms), websockets=False,
    )  # fmt: skip
    others = _natives()
    task = asyncio.create_task(server.serve())
    try:
        await _answering(address, port, task)
        yield
    finally:
        server.stop()  # type: ignore[no-untyped-call] # granian leaves it untyped
        await asyncio.shield(task)
        await _ended(others)


def _natives() -> frozenset[int]:
    """Name the threads of this process that Python did not start."""
    ours = {thread.native_id for thread in threading.enumerate()}
    return frozenset(t.id for t in psutil.Process().threads() if t.id not in ours)


async def _ended(others: frozenset[int]) -> None:
    """Wait until the server's own threads are gone, as they are at once nearly always.

    One that still lets go of a Python object while the interpreter ends aborts the process.
    """
    for _ in range(end_tries_max):
        if _natives() <= others:
            return
        await asyncio.sleep(0.01)


def _require_free(address: str, port: int) -> None:
    """Say at once that a port is taken: whoever has it would answer in our place."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # As the server itself does.
        try:
            probe.bind((address, port))
        except OSError:
            raise SettingError(f"Port {port} cannot be used; choose another with --port.") from None


async def _answering(address: str, port: int, task: "asyncio.Task[None]") -> None:
    """Wait until the port answers, or say why it never will."""
    for _ in range(start_tries_max):
        if task.done():
            raise SettingError(f"Port {port} cannot be used; choose another with --port.")
        with suppress(OSError):
            _, writer = await asyncio.open_connection(address, port)
            writer.close()
            return
        await asyncio.sleep(0.01)
    raise OSError(f"Nothing answers on port {port}.")
