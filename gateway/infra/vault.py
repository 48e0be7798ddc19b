"""Cell encryption: AES-256-GCM whose associated data is the place, so cells cannot be swapped.

Layout: one byte for the kind of key, eight of key id, twelve of nonce, ciphertext and tag. While
the master key is changed, older keys still open what they sealed.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_key_bytes = 32
_head_bytes = 9
_nonce_bytes = 12
_by_master = b"\x01"
_by_kept_key = b"\x02"  # A key that is kept sealed itself, and may be destroyed.


_sentence = "The master key must be 32 bytes, written in base64."


def _id(master: bytes) -> bytes:
    return hashlib.sha256(b"thuphi key id" + master).digest()[:8]


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _key_bytes, salt=None, info=purpose).derive(master)


def _seal(cells: AESGCM, head: bytes, place: str, plain: bytes) -> bytes:
    nonce = os.urandom(_nonce_bytes)
    return head + nonce + cells.encrypt(nonce, plain, head + place.encode())


def _open(cells: AESGCM | None, place: str, sealed: bytes) -> bytes:
    if cells is None:
        raise ValueError("This cell was sealed by another key.")
    head, rest = sealed[:_head_bytes], sealed[_head_bytes:]
    nonce, body = rest[:_nonce_bytes], rest[_nonce_bytes:]
    try:
        return cells.decrypt(nonce, body, head + place.encode())
    except InvalidTag:
        raise ValueError("This cell was changed or moved.") from None


@dataclass(frozen=True, slots=True)
class KeptKey:
    """Cells under one key that somebody keeps; without it they say nothing to anybody."""

    _cells: AESGCM = field(repr=False)
    head: bytes

    def seal(self, place: str, plain: bytes) -> bytes:
        """Encrypt for one place, ``table|row|column``."""
        return _seal(self._cells, self.head, place, plain)

    def open(self, place: str, sealed: bytes) -> bytes:
        """Decrypt; ValueError when changed, moved or sealed by another key."""
        return _open(self._cells if sealed.startswith(self.head) else None, place, sealed)


@dataclass(frozen=True, slots=True)
class MasterVault:
    """A vault under one master key; each purpose has a key of its own, derived by HKDF."""

    _cells: AESGCM = field(repr=False)
    _index_key: bytes = field(repr=False)
    key_id: bytes
    _older: Mapping[bytes, AESGCM] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, master: bytes, *older: bytes) -> Self:
        """Build from 32 bytes, and the keys that sealed before."""
        if any(len(key) != _key_bytes for key in (master, *older)):
            raise ValueError(_sentence)
        cells = {_id(key): AESGCM(_derive(key, b"thuphi cells")) for key in (master, *older)}
        return cls(cells[_id(master)], _derive(master, b"thuphi index"), _id(master), cells)

    @classmethod
    def of_text(cls, text: str, *older: str) -> Self:
        """Build from base64."""
        try:
            keys = [base64.b64decode(t.strip(), validate=True) for t in (text, *older)]
            return cls.of(*keys)
        except (binascii.Error, ValueError):
            raise ValueError(_sentence) from None

    @property
    def head(self) -> bytes:
        """Give how every cell begins that the present key seals."""
        return _by_master + self.key_id

    def under(self, key: bytes) -> KeptKey:
        """Give what seals and opens under another key of 32 bytes."""
        return KeptKey(AESGCM(key), _by_kept_key + _id(key))

    def seal(self, place: str, plain: bytes) -> bytes:
        """Encrypt for one place, ``table|row|column``."""
        return _seal(self._cells, self.head, place, plain)

    def open(self, place: str, sealed: bytes) -> bytes:
        """Decrypt; ValueError when changed, moved or sealed by another key."""
        is_ours = sealed[:1] == _by_master
        return _open(self._older.get(sealed[1:_head_bytes]) if is_ours else None, place, sealed)

    def index(self, kind: str, plain: str) -> str:
        """Give a keyed hash that finds equal values without showing them."""
        return hmac.new(self._index_key, f"{kind}|{plain}".encode(), "sha256").hexdigest()
