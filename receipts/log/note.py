"""What leaves the log as text, in the forms of C2SP that other people's tools read.

A checkpoint (tlog-checkpoint) is a signed note (signed-note, Ed25519): origin, size and root. A
proof (tlog-proof) holds one leaf's inclusion and the checkpoint that it leads to; a link holds how
a checkpoint grew out of an older one, in the words that a witness is asked with (tlog-witness).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from receipts.log.tree import hash_bytes

text_bytes_max: Final = 65_536  # A proof has 64 hashes at most, a note many signatures.
signatures_max: Final = 64  # Ours, and those of others who saw it; the form asks for sixteen.
path_hashes_max: Final = 128  # Twice the depth of any tree that can be counted.
_ED25519: Final = b"\x01"
_key_id_bytes: Final = 4
_HEADER: Final = "c2sp.org/tlog-proof@v1"
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_NAME: Final = re.compile(r"[^\s+]{1,255}")
_SIGNATURE: Final = re.compile(r"— ([^\s+]{1,255}) ([A-Za-z0-9+/=]{8,16384})")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


class UnreadableTextError(Exception):
    """These words are no checkpoint, key or proof; the sentence says which."""


class ForgedNoteError(Exception):
    """A checkpoint that carries our key's name, and not its signature."""


class UnknownSignerError(Exception):
    """Nobody signed the checkpoint whose key was given."""


def base64_of(raw: bytes) -> str:
    """Write bytes as all of these texts do."""
    return base64.b64encode(raw).decode()


def _bytes_of(text: str, what: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UnreadableTextError(f"The {what} is not written in base64.") from None
    if base64_of(raw) != text:
        raise UnreadableTextError(f"The {what} is not written the one way in base64.")
    return raw


def _hash_in(line: str, what: str) -> bytes:
    found = _bytes_of(line, what)
    if len(found) != hash_bytes:
        raise UnreadableTextError(f"The {what} has a hash of another length.")
    return found


def _number_in(text: str, what: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise UnreadableTextError(f"The {what} has no number where one stands.")
    return int(text)


@dataclass(frozen=True, slots=True)
class LogKey:
    """A log's name and the public half of its key: what whoever checks must have been given."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Give the four bytes that name it in a signature."""
        said = self.name.encode() + b"\n" + _ED25519 + self.public
        return hashlib.sha256(said).digest()[:_key_id_bytes]

    def text(self) -> str:
        """Write it the way note keys are handed out."""
        return f"{self.name}+{self.id.hex()}+{base64_of(_ED25519 + self.public)}\n"

    @classmethod
    def of(cls, text: str) -> Self:
        """Read it. Raises UnreadableTextError."""
        name, sign, rest = text.strip().partition("+")
        number, _, encoded = rest.partition("+")
        raw = _bytes_of(encoded, "key") if sign else b""
        if raw[:1] != _ED25519 or len(raw) != 1 + hash_bytes or not _NAME.fullmatch(name):
            raise UnreadableTextError("It is not a log's key: name+number+key, of Ed25519.")
        found = cls(name, raw[1:])
        if found.id.hex() != number:
            raise UnreadableTextError("The key's number is that of another key.")
        return found


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's promise: it has so many leaves, under this root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Write what is signed."""
        return f"{self.origin}\n{self.size}\n{base64_of(self.root)}\n"

    def signed(self, key: Ed25519PrivateKey) -> str:
        """Sign it under the log's own name; the same checkpoint gives the same note, always."""
        return signed(self.text(), self.origin, key)


def signed(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """Sign a text under a name."""
    named = LogKey(name, key.public_key().public_bytes_raw())
    return f"{text}\n— {named.name} {base64_of(named.id + key.sign(text.encode()))}\n"


def opened(note: str, key: LogKey) -> Checkpoint:
    """Check a signed checkpoint and read it; extension lines are signed and say nothing to us.

    Raises UnreadableTextError, UnknownSignerError or ForgedNoteError.
    """
    return _checkpoint_in(text_of(note, key), key.name)


def text_of(note: str, key: LogKey) -> str:
    """Check the signature of a note, a checkpoint or another, and give what it says.

    Raises UnreadableTextError, UnknownSignerError or ForgedNoteError.
    """
    text, blank, signatures = note.rpartition("\n\n")
    lines = signatures.removesuffix("\n").split("\n")
    if not blank or not note.endswith("\n") or _CONTROL.search(note) or len(note) > text_bytes_max:
        raise UnreadableTextError("It is not a signed checkpoint.")
    if len(lines) > signatures_max:
        raise UnreadableTextError("The checkpoint has more signatures than are read.")
    text += "\n"
    is_signed = False
    for line in lines:
        found = _SIGNATURE.fullmatch(line)
        if found is None:
            raise UnreadableTextError("The checkpoint has a line that is no signature.")
        raw = _bytes_of(found[2], "signature")
        if found[1] == key.name and raw[:_key_id_bytes] == key.id:
            _require_signed(key, raw[_key_id_bytes:], text)
            is_signed = True
    if not is_signed:
        raise UnknownSignerError("The checkpoint is signed by nobody whose key you gave.")
    return text


def _require_signed(key: LogKey, signature: bytes, text: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text.encode())
    except InvalidSignature:
        raise ForgedNoteError("The checkpoint was changed after it was signed.") from None


def _checkpoint_in(text: str, name: str) -> Checkpoint:
    origin, *rest = text.removesuffix("\n").split("\n")
    if len(rest) < 2 or not all(rest):  # noqa: PLR2004 - size and root.
        raise UnreadableTextError("The checkpoint lacks its size or its root.")
    if origin != name:
        raise UnreadableTextError("The checkpoint is of another log than its key.")
    return Checkpoint(origin, _number_in(rest[0], "checkpoint"), _hash_in(rest[1], "checkpoint"))


@dataclass(frozen=True, slots=True)
class Proof:
    """One leaf's way to the root of a checkpoint."""

    index: int
    path: tuple[bytes, ...]
    note: str

    def text(self) -> str:
        """Write it as a file of its own."""
        path = "".join(f"{base64_of(step)}\n" for step in self.path)
        return f"{_HEADER}\nindex {self.index}\n{path}\n{self.note}"

    @classmethod
    def of(cls, text: str) -> Self:
        """Read it; extra data, which nobody vouches for, is passed over. Raises UnreadableText."""
        head, blank, note = text.partition("\n\n")
        first, *lines = head.split("\n")
        if first != _HEADER or not blank:
            raise UnreadableTextError("It is not a proof of inclusion in a log.")
        if lines and lines[0].startswith("extra "):
            lines = lines[1:]
        if not lines or not lines[0].startswith("index "):
            raise UnreadableTextError("The proof does not say of which leaf it is.")
        index = _number_in(lines[0].removeprefix("index "), "proof")
        return cls(index, _path_in(lines[1:], "proof"), note)


@dataclass(frozen=True, slots=True)
class Link:
    """How a checkpoint grew out of an older one."""

    old: int
    path: tuple[bytes, ...]
    note: str

    def text(self) -> str:
        """Write it as a file of its own."""
        path = "".join(f"{base64_of(step)}\n" for step in self.path)
        return f"old {self.old}\n{path}\n{self.note}"

    @classmethod
    def of(cls, text: str) -> Self:
        """Read it. Raises UnreadableTextError."""
        head, blank, note = text.partition("\n\n")
        first, *lines = head.split("\n")
        if not first.startswith("old ") or not blank:
            raise UnreadableTextError("It is not a proof of consistency of a log.")
        return cls(_number_in(first.removeprefix("old "), "proof"), _path_in(lines, "proof"), note)


def _path_in(lines: Sequence[str], what: str) -> tuple[bytes, ...]:
    if len(lines) > path_hashes_max:
        raise UnreadableTextError(f"The {what} is longer than one can be.")
    return tuple(_hash_in(line, what) for line in lines)
