"""Encryption of single cells, bound to the place where they are stored."""

from typing import Protocol


class Vault(Protocol):
    """AES-256-GCM; the associated data is table|row|column, so cells cannot be swapped."""

    @property
    def head(self) -> bytes:
        """Give how every cell begins that the present key seals."""
        ...

    def seal(self, place: str, plain: bytes) -> bytes:
        """Encrypt for one place, ``table|row|column``; the key id travels in the result."""
        ...

    def open(self, place: str, sealed: bytes) -> bytes:
        """Decrypt; ValueError when the bytes were changed, moved or sealed by another key."""
        ...

    def index(self, kind: str, plain: str) -> str:
        """Give a keyed hash that finds equal values without showing them."""
        ...
