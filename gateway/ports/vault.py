"""Encryption of single cells, bound to the place where they are stored."""

from typing import Protocol


class Cells(Protocol):
    """AES-256-GCM; the associated data is table|row|column, so cells cannot be swapped."""

    @property
    def head(self) -> bytes:
        """Give how every cell begins that this key seals: the kind of key, and which it is."""
        ...

    def seal(self, place: str, plain: bytes) -> bytes:
        """Encrypt for one place, ``table|row|column``; the key id travels in the result."""
        ...

    def open(self, place: str, sealed: bytes) -> bytes:
        """Decrypt; ValueError when the bytes were changed, moved or sealed by another key."""
        ...


class Vault(Cells, Protocol):
    """Cells under the master key, and under keys that the caller keeps sealed somewhere."""

    def under(self, key: bytes) -> Cells:
        """Give what seals and opens under another key of 32 bytes."""
        ...

    def index(self, kind: str, plain: str) -> str:
        """Give a keyed hash that finds equal values without showing them."""
        ...
