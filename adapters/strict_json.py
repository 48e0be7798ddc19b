"""JSON read strictly: UTF-8, one object, no repeated key, no NaN, no half characters."""

import json
from typing import Any


def read_object(body: bytes) -> dict[str, Any]:
    """Read one JSON object; ValueError says what is wrong without quoting it."""
    try:
        said = json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
        json.dumps(said, ensure_ascii=False).encode()  # Lone surrogates cannot be stored.
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


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object in which a key stands twice: two readers would differ."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("A key stands twice.")
    return made


def _no_constant(name: str) -> Any:  # noqa: ANN401 - the hook's own type.
    """Refuse NaN and the infinities, which json.loads would take as numbers."""
    raise ValueError(f"{name} is not JSON.")
