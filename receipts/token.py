"""Keys that never leave a token: an HSM, a smart card or SoftHSM, by PKCS#11.

One session serves the whole process, one signature at a time. It is opened anew after a failure,
but never with a PIN that was refused once: tokens lock themselves after a few.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from receipts.signing import CannotSignError, low, part_bytes

if TYPE_CHECKING:
    import pkcs11

none_is_set: Final = (
    "The key is on a token, and none is set: set THUPHI_PKCS11_MODULE, THUPHI_PKCS11_TOKEN and"
    " THUPHI_PKCS11_PIN_FILE."
)


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """Where the token is, and what opens it."""

    module: Path
    label: str
    pin: str = field(repr=False)


class Token:
    """One token, opened when it is first needed."""

    def __init__(self, place: TokenPlace) -> None:
        """Remember where it is; nothing is loaded yet, for the web process never signs."""
        self._place = place
        self._lock = Lock()
        self._session: pkcs11.Session | None = None
        self._keys: dict[str, Any] = {}  # The library leaves open what a key can do.
        self._is_stale = False  # The module must look for its slots again.
        self._is_refused = False

    def sign(self, label: str, data: bytes) -> bytes:
        """Sign with the key of a label. Raises CannotSignError when the token is away."""
        from pkcs11.exceptions import PinIncorrect, PinLocked, PKCS11Error

        with self._lock:
            if self._is_refused:
                raise self._away("its PIN was refused; it is not tried again before a restart")
            try:
                try:
                    return self._sign(label, data)
                except PKCS11Error:
                    if self._session is None:  # It could not even be opened.
                        raise
                    self._let_go()
                    return self._sign(label, data)
            except (PinIncorrect, PinLocked) as error:
                self._is_refused = True
                self._let_go()
                raise self._away(f"its PIN was refused ({type(error).__name__})") from None
            except PKCS11Error as error:
                self._let_go()
                # Its words may quote what was sent; its kind says enough.
                raise self._away(f"«{label}»: {type(error).__name__}") from None

    def close(self) -> None:
        """Log out; whoever signs next opens it again."""
        with self._lock:
            if self._session is not None:
                self._let_go()

    def _sign(self, label: str, data: bytes) -> bytes:
        from pkcs11 import KeyType, Mechanism

        key = self._key(label)
        if key.key_type is KeyType.RSA:
            return bytes(key.sign(data, mechanism=Mechanism.SHA256_RSA_PKCS))
        # Not every token hashes for ECDSA; each of them signs a hash.
        made = bytes(key.sign(hashlib.sha256(data).digest(), mechanism=Mechanism.ECDSA))
        return low(*(int.from_bytes(x, "big") for x in (made[:part_bytes], made[part_bytes:])))

    def _key(self, label: str) -> Any:  # noqa: ANN401 - the same.
        import pkcs11

        if self._session is None:
            library = pkcs11.lib(str(self._place.module))
            if self._is_stale:
                library.reinitialize()
                self._is_stale = False
            token = library.get_token(token_label=self._place.label)
            self._session = token.open(user_pin=self._place.pin)
        if label not in self._keys:
            found = self._session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=label)
            self._keys[label] = found
        return self._keys[label]

    def _let_go(self) -> None:
        """Forget the session and whatever came of it."""
        from pkcs11.exceptions import PKCS11Error

        session, self._session = self._session, None
        self._keys.clear()
        self._is_stale = True
        try:
            if session is not None:
                session.close()
        except PKCS11Error:
            pass  # It was gone already; that is why it is let go.

    def _away(self, why: str) -> CannotSignError:
        return CannotSignError(f"The token {self._place.label} does not sign: {why}.")


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key on the token, by its label; without a token it says what is missing."""

    token: Token | None
    label: str

    def sign(self, data: bytes) -> bytes:
        """Let the token sign."""
        if self.token is None:
            raise CannotSignError(none_is_set)
        return self.token.sign(self.label, data)
