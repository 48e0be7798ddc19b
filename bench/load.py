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
        if not is_whole(self._heard):
            return
        head, _, body = self._heard.partition(_END)
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


async def paced(
    port: int, requests: Sequence[bytes], rate: float, clients: int, status: bytes,
    marks: Sequence[bytes],
) -> list[float]:  # fmt: skip
    """Send a request at each of its moments, ``rate`` a second; give the milliseconds of each.

    A moment does not wait for the answer before it: when all connections are busy, the time that
    a request waits for one counts too.
    """
    loop = asyncio.get_running_loop()
    free: asyncio.Queue[_Steady] = asyncio.Queue()
    for n in range(clients):
        _, caller = await loop.create_connection(
            lambda: _Steady(status, marks, free), "127.0.0.1", port,
            local_addr=(f"127.0.0.{2 + n}", 0),
        )  # fmt: skip
        free.put_nowait(caller)
    began, answers = perf_counter() + 0.1, []
    for n, request in enumerate(requests):
        due = began + n / rate
        await asyncio.sleep(max(0.0, due - perf_counter()))
        answers.append((await free.get()).send(request, due))
    took = await asyncio.gather(*answers)
    while not free.empty():
        free.get_nowait().hang_up()
    return list(took)


class _Steady(asyncio.Protocol):
    """One keep-alive connection that sends what it is given, and is free again when answered."""

    def __init__(
        self, status: bytes, marks: Sequence[bytes], free: "asyncio.Queue[_Steady]"
    ) -> None:
        self._status, self._marks, self._free = b"HTTP/1.1 " + status, marks, free
        self._heard = bytearray()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[float] | None = None
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, request: bytes, due: float) -> "asyncio.Future[float]":
        """Send one request; the answer's time is counted from when it was due."""
        assert self._transport is not None
        self._due, self._answer = due, asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        """Gather one answer, look at it, and be free."""
        self._heard += data
        if not is_whole(self._heard):
            return
        answer, said = self._answer, bytes(self._heard)
        assert answer is not None
        self._heard.clear()
        if said.startswith(self._status) and any(m in said for m in self._marks):
            answer.set_result((perf_counter() - self._due) * 1000)
        else:
            answer.set_exception(AssertionError(said[:600]))
        self._free.put_nowait(self)

    def hang_up(self) -> None:
        """Close the connection."""
        assert self._transport is not None
        self._transport.close()


def is_whole(heard: bytearray) -> bool:
    """Tell whether a whole answer is there: its head, and as many bytes as that says."""
    head, found, body = heard.partition(_END)
    return bool(found) and len(body) >= int(
        head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
    )
