"""What must hold for the notices of every provider, and for the citizen's way back."""

# ruff: noqa: S101 - this is a test suite; its assertions are what it is for.

import json
from dataclasses import replace

from adapters.suite.spoil import flipped, flipped_text, longest_notice_bytes, refuses
from adapters.suite.vectors import Power, Vectors, about
from adapters.suite.wire import ScriptedWire
from gateway.domain.errors import ForgedError
from gateway.ports.provider import Notice, Outcome, Provider, RawNotice, ReadsReturn, Verdict


class NoticeSuite(Vectors):
    """Verify, then parse: nothing of an unverified notice is believed."""

    def test_a_genuine_notice_is_understood_to_the_last_field(self) -> None:
        """One misread field is money in the wrong place."""
        said = self._quiet().read(self._genuine())

        assert said == self.understood(), f"it was read as {said}"

    def test_verdicts_are_told_apart(self) -> None:
        """Declined is not cancelled, and neither is captured."""
        provider = self._quiet()

        for verdict, raw in self.notices().items():
            read = provider.read(raw).verdict
            assert read is verdict, f"a notice of {verdict} was read as {read}"

    def test_an_unknown_code_is_never_captured(self) -> None:
        """A provider adds codes without telling; none of them is money until we know it."""
        provider = self._quiet()

        assert self.unknown(), "unknown() must give at least one notice"
        for number, raw in enumerate(self.unknown()):
            read = _verdict_or_refusal(provider, raw)
            assert read is not Verdict.CAPTURED, f"unknown notice {number} was captured"

    def test_every_flipped_byte_is_refused(self) -> None:
        """Whatever is not covered by the signature is a forger's to choose, or changes nothing.

        A hint is too weakly signed for that; it must at least be refused in good order.
        """
        provider = self._quiet()

        for where, changed in flipped(self._genuine(), self.signed_headers):
            if provider.can.notice_is_hint:
                _verdict_or_refusal(provider, changed)
                continue
            if self.has_unsigned_words and _read_or_refusal(provider, changed) == self.understood():
                continue
            with refuses(ForgedError, f"flipping {where}"):
                provider.read(changed)

    def test_missing_empty_and_truncated_signatures_are_refused(self) -> None:
        """A handler that skips the check when nothing is there has no check."""
        provider, raw = self._quiet(), self._genuine()
        held = self.signature(raw)

        for word in (None, "", " ", "0", held[:-1], held[: len(held) // 2], held + "0", held * 2):
            size = "no signature" if word is None else f"a signature of {len(word)} characters"
            with refuses(ForgedError, size):
                provider.read(self.resigned(raw, word))

    def test_foreign_signatures_and_merchants_are_refused(self) -> None:
        """Another merchant of the same bank is a stranger."""
        provider = self._quiet()

        assert self.foreign(), "foreign() must give at least one notice"
        for number, raw in enumerate(self.foreign()):
            with refuses(ForgedError, f"foreign notice {number}"):
                provider.read(raw)

    def test_headers_that_are_signed_must_be_there(self) -> None:
        """Without its time a notice could be replayed for ever."""
        provider, raw = self._quiet(), self._genuine()

        for name in self.signed_headers:
            kept = {k: v for k, v in raw.headers.items() if k != name}
            with refuses(ForgedError, f"a notice without {name}"):
                provider.read(replace(raw, headers=kept))

    def test_too_long_not_utf8_and_repeated_names_are_refused(self) -> None:
        """Two readers of an odd notice would read two things."""
        provider, raw = self._quiet(), self._genuine()
        more = longest_notice_bytes + 1
        if self.carrier == "query":
            odd = [
                replace(raw, query=f"{raw.query}&pad={'x' * more}"),
                replace(raw, query=f"{raw.query}&pad=%FF"),
                replace(raw, query=""),
            ]
        else:
            odd = [replace(raw, body=b) for b in (raw.body + b" " * more, raw.body + b"\xff", b"")]

        for what, strange in zip(("too long", "not UTF-8", "empty"), odd, strict=True):
            with refuses(ForgedError, f"a notice that is {what}"):
                provider.read(strange)
        for number, strange in enumerate(self.repeated()):
            with refuses(ForgedError, f"repeated notice {number}"):
                provider.read(strange)

    def test_it_acknowledges_in_the_providers_own_words(self) -> None:
        """A bank that does not understand our thanks sends the notice again."""
        provider, wanted = self._quiet(), self.acknowledgements()

        for outcome in Outcome:
            given = provider.acknowledge(outcome)
            words = json.loads(given.body) if given.body else None
            assert (given.status, words) == wanted[outcome], f"the words for {outcome} are others"

    @about(Power.READS_RETURN)
    def test_the_way_back_is_signed_too_and_says_the_same(self) -> None:
        """A page that believes an address bar thanks a citizen who paid nothing."""
        provider, query = self._quiet(), self.returned()
        if not isinstance(provider, ReadsReturn):
            assert query is None, "returned() is for an adapter that reads the way back"
            return
        assert query is not None, "an adapter that reads the way back gives returned()"

        said, told = provider.read_return(query), self.understood()

        assert (said.verdict, said.amount) == (told.verdict, told.amount)
        assert (said.order_reference, said.order_serial) == (
            told.order_reference,
            told.order_serial,
        )
        for where, changed in flipped_text(query):
            with refuses(ForgedError, f"flipping {where} of the way back"):
                provider.read_return(changed)

    def _quiet(self) -> Provider:
        """Build the adapter on a wire that nobody answers."""
        return self.provider(ScriptedWire())

    def _genuine(self) -> RawNotice:
        """Give the notice that says captured, or what a hint says instead."""
        given = self.notices()
        assert given, "notices() must give at least one notice"
        return given.get(Verdict.CAPTURED) or next(iter(given.values()))


def _verdict_or_refusal(provider: Provider, raw: RawNotice) -> Verdict | None:
    said = _read_or_refusal(provider, raw)
    return said.verdict if said else None


def _read_or_refusal(provider: Provider, raw: RawNotice) -> Notice | None:
    try:
        return provider.read(raw)
    except ForgedError:
        return None
