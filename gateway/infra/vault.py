"""Cell encryption: AES-256-GCM whose associated data is the place, so cells cannot be swapped.

Layout: one version byte, eight bytes of key id, twelve of nonce, then ciphertext and tag.
"""

import base64
import binascii
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_key_bytes = 32
_head_bytes = 9
_nonce_bytes = 12


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _key_bytes, salt=None, info=purpose).derive(master)


@dataclass(frozen=True, slots=True)
class MasterVault:
    """A vault under one master key; each purpose has a key of its own, derived by HKDF."""

    _cells: AESGCM = field(repr=False)
    _index_key: bytes = field(repr=False)
    key_id: bytes

    @classmethod
    def of(cls, master: bytes) -> Self:
        """Build from 32 bytes."""
        if len(master) != _key_bytes:
            raise ValueError("The master key must be 32 bytes, written in base64.")
        key_id = hashlib.sha256(b"thuphi key id" + master).digest()[:8]
        cells = AESGCM(_derive(master, b"thuphi cells"))
        return cls(cells, _derive(master, b"thuphi index"), key_id)

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Build from base64."""
        try:
            return cls.of(base64.b64decode(text.strip(), validate=True))
        except (binascii.Error, ValueError):
            raise ValueError("The master key must be 32 bytes, written in base64.") from None

    def seal(self, place: str, plain: bytes) -> bytes:
        """Encrypt for one place, ``table|row|column``."""
        nonce = os.urandom(_nonce_bytes)
        head = b"\x01" + self.key_id
        return head + nonce + self._cells.encrypt(nonce, plain, head + place.encode())

    def open(self, place: str, sealed: bytes) -> bytes:
        """Decrypt; ValueError when changed, moved or sealed by another key."""
        head, rest = sealed[:_head_bytes], sealed[_head_bytes:]
        if head != b"\x01" + self.key_id:
            raise ValueError("This cell was sealed by another key.")
        nonce, body = rest[:_nonce_bytes], rest[_nonce_bytes:]
        try:
            return self._cells.decrypt(nonce, body, head + place.encode())
        except InvalidTag:
            raise ValueError("This cell was changed or moved.") from None

    def index(self, kind: str, plain: str) -> str:
        """Give a keyed hash that finds equal values without showing them."""
        return hmac.new(self._index_key, f"{kind}|{plain}".encode(), "sha256").hexdigest()
