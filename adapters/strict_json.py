"""JSON read strictly: UTF-8, one object, no repeated key, no NaN, no half characters."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

milliseconds_min: Final = 1_577_836_800_000  # 2020: nothing was ever paid through us before.
milliseconds_max: Final = 253_402_300_799_999  # The last that a datetime can hold.
address_chars_max: Final = 4_000  # A payment page's address is some hundred.
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")  # Decoded UTF-8 itself never holds one.
_MILLISECONDS: Final = re.compile(r"[0-9]{1,15}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_object(body: bytes) -> dict[str, Any]:
    """Read one JSON object; ValueError says what is wrong without quoting it."""
    try:
        said = _DECODER.decode(body.decode())
        if _SURROGATE.search(body):  # Half a character alone cannot be stored.
            json.dumps(said, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ValueError("This is not strict JSON.") from error
    if not isinstance(said, dict):
        raise ValueError("This is not a JSON object.")  # noqa: TRY004 - one kind of refusal.
    return said


def text_of(value: object) -> str:
    """Take a JSON value as the text that was signed; an absent one is empty."""
    if value is None:
        return ""
    if type(value) not in (str, int):
        raise ValueError("A field is neither text nor a whole number.")
    return str(value)


def address_of(value: object) -> str:
    """Take an address that a browser may be sent to; anything else is empty."""
    known = isinstance(value, str) and re.fullmatch(r"https?://[!-~]+", value)
    return str(value) if known and len(str(value)) <= address_chars_max else ""


def instant_of(milliseconds: str) -> datetime | None:
    """Take a time; a bad one is no reason to lose money that moved."""
    known = int(milliseconds) if _MILLISECONDS.fullmatch(milliseconds) else 0
    if not milliseconds_min <= known <= milliseconds_max:
        return None
    return _EPOCH + timedelta(milliseconds=known)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object in which a key stands twice: two readers would differ."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("A key stands twice.")
    return made


def _no_constant(name: str) -> Any:  # noqa: ANN401 - the hook's own type.
    """Refuse NaN and the infinities, which json.loads would take as numbers."""
    raise ValueError(f"{name} is not JSON.")


# Made once: json.loads would make one for each notice, which takes as long as reading it.
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
