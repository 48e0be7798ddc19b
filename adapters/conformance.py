"""The suite that every adapter inherits, ours and third parties'.

Subclass ``ProviderConformance`` in a test module, name the class ``Test…`` and answer its
questions; every test then runs against your adapter. It touches no network and needs no clock.
"""

# ruff: noqa: S101 - this is a test suite; pytest reads its assertions.

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import ClassVar, Final, Literal

import pytest

from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.ports.provider import (
    Inquires,
    Notice,
    Order,
    Outcome,
    Provider,
    RawNotice,
    Verdict,
)
from gateway.ports.wire import Reply, Wire

longest_notice_bytes: Final = 65_536  # Every adapter's limit is at most this.
_FLIPS: Final = (0x01, 0x20, 0x80)  # A neighbour, the other case, not ASCII.


@dataclass(slots=True)
class ScriptedWire:
    """A wire that answers what it was told to, and remembers what was asked."""

    answers: list[Reply | Exception] = field(default_factory=list)
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002 - the port's signature.
        body: bytes = b"",
        timeout_s: float = 15.0,  # noqa: ARG002 - the port's signature.
    ) -> Reply:
        """Give the next answer; without one, it is as if nobody answered."""
        self.asked.append((method, url, body))
        answer = self.answers.pop(0) if self.answers else InDoubtError("No answer.")
        if isinstance(answer, Exception):
            raise answer
        return answer


class ProviderConformance(ABC):
    """What must hold for every provider, whatever its protocol."""

    carrier: ClassVar[Literal["query", "body"]]  # Where the notice's words are.
    signed_headers: ClassVar[tuple[str, ...]] = ()  # Headers without which nothing is believed.

    @abstractmethod
    def provider(self, wire: Wire) -> Provider:
        """Build the adapter with test settings."""

    @abstractmethod
    def secrets(self) -> tuple[str, ...]:
        """Give every secret the adapter was built with."""

    @abstractmethod
    def order(self) -> Order:
        """Give an order that the provider takes."""

    @abstractmethod
    def notices(self) -> Mapping[Verdict, RawNotice]:
        """Give one genuine notice for each verdict the provider can express."""

    @abstractmethod
    def understood(self) -> Notice:
        """Give what the CAPTURED notice must be read as, to the last field."""

    @abstractmethod
    def unknown(self) -> tuple[RawNotice, ...]:
        """Give well-signed notices with codes nobody documented."""

    @abstractmethod
    def foreign(self) -> tuple[RawNotice, ...]:
        """Give notices signed with another secret, or for another merchant."""

    @abstractmethod
    def repeated(self) -> tuple[RawNotice, ...]:
        """Give notices in which a name stands twice, signed if that is possible."""

    @abstractmethod
    def resigned(self, raw: RawNotice, signature: str | None) -> RawNotice:
        """Replace the signature by this text; None removes it."""

    @abstractmethod
    def signature(self, raw: RawNotice) -> str:
        """Give the signature that a notice carries."""

    @abstractmethod
    def acknowledgements(self) -> Mapping[Outcome, tuple[int, object]]:
        """Give the status and the JSON body of each acknowledgement, as the bank documents it."""

    def answer(self) -> Reply | None:
        """Give a genuine answer to ``ask`` that says captured; None where it cannot be asked."""
        return None

    # Checkout.

    async def test_a_checkout_can_be_repeated(self) -> None:
        """The browser's back button and our own retry must not make a second order."""
        provider = self.provider(ScriptedWire())

        first, second = await provider.checkout(self.order()), await provider.checkout(self.order())

        assert first == second
        assert (first.redirect_url is None) != (first.qr_text is None)

    async def test_an_amount_outside_the_limits_is_declined(self) -> None:
        """An amount that a field cannot carry would be cut, and money with it."""
        provider = self.provider(ScriptedWire())

        for amount in (0, -1, provider.can.amount_max + 1):
            with pytest.raises(DeclinedError):
                await provider.checkout(replace(self.order(), amount=amount))

    # Notices.

    def test_a_genuine_notice_is_understood_to_the_last_field(self) -> None:
        """One misread field is money in the wrong place."""
        said = self.provider(ScriptedWire()).read(self.notices()[Verdict.CAPTURED])

        assert said == self.understood()

    def test_verdicts_are_told_apart(self) -> None:
        """Declined is not cancelled, and neither is captured."""
        provider = self.provider(ScriptedWire())

        read = {verdict: provider.read(raw).verdict for verdict, raw in self.notices().items()}

        assert read == {verdict: verdict for verdict in self.notices()}

    def test_an_unknown_code_is_never_captured(self) -> None:
        """A provider adds codes without telling; none of them is money until we know it."""
        provider = self.provider(ScriptedWire())

        for raw in self.unknown():
            assert _verdict_or_refusal(provider, raw) is not Verdict.CAPTURED

    def test_every_flipped_byte_is_refused(self) -> None:
        """Whatever is not covered by the signature is a forger's to choose."""
        provider, raw = self.provider(ScriptedWire()), self.notices()[Verdict.CAPTURED]

        for changed in self._flipped(raw):
            with pytest.raises(ForgedError):
                provider.read(changed)

    def test_missing_empty_and_truncated_signatures_are_refused(self) -> None:
        """A handler that skips the check when nothing is there has no check."""
        provider, raw = self.provider(ScriptedWire()), self.notices()[Verdict.CAPTURED]
        held = self.signature(raw)

        for word in (None, "", " ", "0", held[:-1], held[: len(held) // 2], held + "0", held * 2):
            with pytest.raises(ForgedError):
                provider.read(self.resigned(raw, word))

    def test_foreign_signatures_and_merchants_are_refused(self) -> None:
        """Another merchant of the same bank is a stranger."""
        provider = self.provider(ScriptedWire())

        for raw in self.foreign():
            with pytest.raises(ForgedError):
                provider.read(raw)

    def test_headers_that_are_signed_must_be_there(self) -> None:
        """Without its time a notice could be replayed for ever."""
        provider, raw = self.provider(ScriptedWire()), self.notices()[Verdict.CAPTURED]

        for name in self.signed_headers:
            kept = {k: v for k, v in raw.headers.items() if k != name}
            with pytest.raises(ForgedError):
                provider.read(replace(raw, headers=kept))

    def test_too_long_not_utf8_and_repeated_names_are_refused(self) -> None:
        """Two readers of an odd notice would read two things."""
        provider, raw = self.provider(ScriptedWire()), self.notices()[Verdict.CAPTURED]
        more = longest_notice_bytes + 1
        if self.carrier == "query":
            odd = [
                replace(raw, query=f"{raw.query}&pad={'x' * more}"),
                replace(raw, query=f"{raw.query}&pad=%FF"),
                replace(raw, query=""),
            ]
        else:
            odd = [replace(raw, body=b) for b in (raw.body + b" " * more, raw.body + b"\xff", b"")]

        for strange in [*odd, *self.repeated()]:
            with pytest.raises(ForgedError):
                provider.read(strange)

    # Asking.

    async def test_silence_and_nonsense_leave_the_order_in_doubt(self) -> None:
        """No answer is a state of its own, never a failure and never money."""
        genuine = self.answer()
        if genuine is None:
            assert not isinstance(self.provider(ScriptedWire()), Inquires)
            return
        nonsense: list[Reply | Exception] = [
            InDoubtError("Time-out."),
            DeclinedError("No route."),
            Reply(500, {}, genuine.body),
            Reply(200, {}, b""),
            Reply(200, {}, b"<html>maintenance</html>"),
            Reply(200, {}, b"[]"),
            Reply(200, {}, b"{}"),
            Reply(200, {}, genuine.body[:-2]),
            Reply(200, {}, genuine.body + b" " * longest_notice_bytes),
        ]
        for answer in nonsense:
            with pytest.raises(InDoubtError):
                await self._ask(answer)

    async def test_every_flipped_digit_or_letter_of_an_answer_leaves_doubt(self) -> None:
        """An answer is believed as little as a notice, until its signature holds."""
        genuine = self.answer()
        if genuine is None:
            return
        for values in _changed_values(genuine.body):
            with pytest.raises(InDoubtError):
                await self._ask(Reply(200, {}, values))

    async def test_a_genuine_answer_is_believed(self) -> None:
        """Else every silent payment would stay in doubt."""
        genuine = self.answer()
        if genuine is not None:
            said = await self._ask(genuine)
            assert said.verdict is Verdict.CAPTURED
            assert (said.order_reference, said.amount) == (
                self.order().reference,
                self.order().amount,
            )

    # Manners.

    async def test_no_secret_is_shown(self) -> None:
        """What an exception or a repr shows ends in a log."""
        provider = self.provider(ScriptedWire())
        raw = self.notices()[Verdict.CAPTURED]
        shown = [
            repr(provider),
            str(provider),
            repr(raw),
            repr(await provider.checkout(self.order())),
        ]
        for strange in (self.resigned(raw, "0"), *self.foreign(), *self.repeated()):
            with pytest.raises(ForgedError) as caught:
                provider.read(strange)
            shown += [repr(e) for e in _chain(caught.value)]

        for secret in (*self.secrets(), self.signature(raw)):
            assert not any(secret in text for text in shown)

    def test_it_acknowledges_in_the_providers_own_words(self) -> None:
        """A bank that does not understand our thanks sends the notice again."""
        provider, wanted = self.provider(ScriptedWire()), self.acknowledgements()

        given = {outcome: provider.acknowledge(outcome) for outcome in Outcome}

        assert {o: (a.status, _json(a.body)) for o, a in given.items()} == wanted

    def test_it_says_who_it_is(self) -> None:
        """Paths, settings and pages are made from these words."""
        provider = self.provider(ScriptedWire())

        assert provider.name
        assert provider.account
        assert provider.can.notice_names
        assert provider.can.title_vi
        assert provider.can.title_en
        assert provider.can.inquires == isinstance(provider, Inquires)

    async def _ask(self, answer: Reply | Exception) -> Notice:
        provider = self.provider(ScriptedWire([answer]))
        assert isinstance(provider, Inquires)
        return await provider.ask(self.order(), self.order().created_at + timedelta(minutes=5))

    def _flipped(self, raw: RawNotice) -> Iterator[RawNotice]:
        for by in _FLIPS:
            for at in range(len(raw.query)):
                yield replace(raw, query=_flip_text(raw.query, at, by))
            for at in range(len(raw.body)):
                changed = raw.body[:at] + bytes([raw.body[at] ^ by]) + raw.body[at + 1 :]
                yield replace(raw, body=changed)
            for name in self.signed_headers:
                for at in range(len(raw.headers[name])):
                    changed_header = {name: _flip_text(raw.headers[name], at, by)}
                    yield replace(raw, headers={**raw.headers, **changed_header})


def _flip_text(text: str, at: int, by: int) -> str:
    return text[:at] + chr(ord(text[at]) ^ by) + text[at + 1 :]


def _verdict_or_refusal(provider: Provider, raw: RawNotice) -> Verdict | None:
    try:
        return provider.read(raw).verdict
    except ForgedError:
        return None


def _changed_values(body: bytes) -> Iterator[bytes]:
    """Change one character of one value at a time."""
    said = json.loads(body)
    for name, value in said.items():
        for at in range(len(str(value))):
            yield json.dumps({**said, name: _flip_text(str(value), at, 0x01)}).encode()


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _json(body: bytes) -> object:
    return json.loads(body) if body else None
