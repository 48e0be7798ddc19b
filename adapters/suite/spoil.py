"""Ways to spoil a message, and to see that nobody believes it."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.ports.provider import RawNotice
from gateway.ports.wire import Reply

longest_notice_bytes: Final = 65_536  # Every adapter's limit is at most this.
_FLIPS: Final = (0x01, 0x20, 0x80)  # A neighbour, the other case, not ASCII.


@dataclass(slots=True)
class Caught:
    """The refusal that was waited for."""

    error: BaseException | None = None


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error with everything that led to it, as a log would show it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@contextmanager
def refuses(kind: type[Exception], what: str) -> Iterator[Caught]:
    """Require that the block raises this; ``what`` says in a failure's one line what was tried."""
    caught = Caught()
    try:
        yield caught
    except kind as error:
        caught.error = error
        return
    except Exception as error:
        raise AssertionError(
            f"{what}: {type(error).__name__} was raised, not {kind.__name__}"
        ) from error
    raise AssertionError(f"{what}: nothing was raised, where {kind.__name__} must be")


def flipped(raw: RawNotice, headers: Iterable[str]) -> Iterator[tuple[str, RawNotice]]:
    """Flip each byte of query, body and the signed headers in turn; say where."""
    for by in _FLIPS:
        for at in range(len(raw.query)):
            yield f"byte {at} of the query", replace(raw, query=flip(raw.query, at, by))
        for at in range(len(raw.body)):
            changed = raw.body[:at] + bytes([raw.body[at] ^ by]) + raw.body[at + 1 :]
            yield f"byte {at} of the body", replace(raw, body=changed)
        for name in headers:
            for at in range(len(raw.headers[name])):
                spoiled = {**raw.headers, name: flip(raw.headers[name], at, by)}
                yield f"byte {at} of {name}", replace(raw, headers=spoiled)


def flipped_bytes(genuine: Reply) -> Iterator[tuple[str, Reply]]:
    """Flip each byte of an answer's body in turn; say where."""
    body = genuine.body
    for by in _FLIPS:
        for at in range(len(body)):
            changed = body[:at] + bytes([body[at] ^ by]) + body[at + 1 :]
            yield f"byte {at}", replace(genuine, body=changed)


def flipped_text(text: str) -> Iterator[tuple[str, str]]:
    """Flip each character of a text in turn; say where."""
    for by in _FLIPS:
        for at in range(len(text)):
            yield f"character {at}", flip(text, at, by)


def flip(text: str, at: int, by: int) -> str:
    """Change one character."""
    return text[:at] + chr(ord(text[at]) ^ by) + text[at + 1 :]


def nonsense(genuine: Reply) -> list[tuple[str, Reply | Exception]]:
    """List what comes back when a call may have been obeyed and the answer cannot be used."""
    return [
        ("a time-out", InDoubtError("Time-out.")),
        ("a reset", InDoubtError("Reset.")),
        ("a 500 with a good body", Reply(500, {}, genuine.body)),
        ("a 502", Reply(502, {}, b"<html>bad gateway</html>")),
        ("a 503", Reply(503, {}, b"")),
        ("a 404 of something in between", Reply(404, {}, b"<html>not here</html>")),
        ("an empty answer", Reply(200, {}, b"")),
        ("a page", Reply(200, {}, b"<html>maintenance</html>")),
        ("a list", Reply(200, {}, b"[]")),
        ("an empty object", Reply(200, {}, b"{}")),
        ("half of an answer", Reply(200, {}, genuine.body[: len(genuine.body) // 2])),
        ("an answer that ends too early", Reply(200, {}, genuine.body[:-2])),
        ("bytes that are no text", Reply(200, {}, genuine.body[:-1] + b"\xff}")),
        ("an endless answer", Reply(200, {}, genuine.body + b" " * longest_notice_bytes)),
    ]


def unreachable() -> tuple[str, Exception]:
    """Give the one failure that surely never arrived."""
    return "no route", DeclinedError("No route.")


def changed_values(genuine: Reply, left_out: Iterable[str] = ()) -> Iterator[tuple[str, Reply]]:
    """Change one character of one value of a JSON answer at a time; say which.

    ``left_out`` are outermost names that are not covered by the answer's signature.
    """
    said = json.loads(genuine.body)
    for path, value in _leaves({k: v for k, v in said.items() if k not in set(left_out)}):
        text = str(value)
        for at in range(len(text)):
            spoiled = _placed(said, path, _alike(flip(text, at, 0x01), value))
            where = ".".join(str(step) for step in path)
            yield f"character {at} of {where}", replace(genuine, body=json.dumps(spoiled).encode())


def _alike(text: str, value: object) -> object:
    """Keep a whole number one where its changed digits still are; only its value is spoiled."""
    is_number = type(value) is int and text.isdigit() and text == str(int(text))
    return int(text) if is_number else text


def _leaves(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], object]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*path, number))
    else:
        yield path, value


def _placed(value: Any, path: tuple[Any, ...], leaf: object) -> object:  # noqa: ANN401 - any JSON.
    if not path:
        return leaf
    made = list(value) if isinstance(value, list) else dict(value)
    made[path[0]] = _placed(value[path[0]], path[1:], leaf)
    return made
