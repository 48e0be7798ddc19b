"""Load over HTTP with as little Python as possible: prepared bytes out, a status line in."""

import asyncio
from collections.abc import Iterator, Sequence
from time import perf_counter

_END = b"\r\n\r\n"


class _Caller(asyncio.Protocol):
    """One keep-alive connection that sends the next request when an answer is whole."""

    def __init__(self, requests: Iterator[bytes], status: bytes, marks: Sequence[bytes]) -> None:
        self._requests, self._status, self._marks = requests, b"HTTP/1.1 " + status, marks
        self._heard = bytearray()
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._answers = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        request = next(self._requests, None)
        assert self._transport is not None
        if request is None:
            self._transport.close()
            self.done.set_result(self._answers)
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Gather one answer, look at it, and go on."""
        self._heard += data
        head, found, body = self._heard.partition(_END)
        if not found:
            return
        size = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(body) < size:
            return
        if not head.startswith(self._status) or not any(m in body for m in self._marks):
            self.done.set_exception(AssertionError(bytes(self._heard[:600])))
            return
        self._answers += 1
        self._heard.clear()
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail when it was not we who ended it."""
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the web process hung up"))


async def fire(
    port: int, requests: Sequence[bytes], clients: int, status: bytes, marks: Sequence[bytes]
) -> float:
    """Send every request once over ``clients`` connections; give requests a second.

    Each connection has an address of its own, as providers' machines have: quotas are per source.
    """
    loop = asyncio.get_running_loop()
    waiting = iter(requests)
    began = perf_counter()
    callers = await asyncio.gather(
        *(
            loop.create_connection(
                lambda: _Caller(waiting, status, marks), "127.0.0.1", port,
                local_addr=(f"127.0.0.{2 + n}", 0),
            )
            for n in range(clients)
        )
    )  # fmt: skip
    answers = await asyncio.gather(*(caller.done for _, caller in callers))
    took = perf_counter() - began
    assert sum(answers) == len(requests)
    return len(requests) / took
