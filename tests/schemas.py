"""The API's own description as a judge: of bodies as it is, of answers with nothing left over."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from gateway.entry.web.openapi import document

DOCUMENT = document("http://127.0.0.1:8080", "1")


def closed(schema: Any) -> Any:
    """Let no object have a field that its schema does not name."""
    if isinstance(schema, list):
        return [closed(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(inner) for name, inner in schema.items()}
    if isinstance(made.get("properties"), dict) and "type" in made:
        made.setdefault("additionalProperties", False)
    return made


@cache
def judge(name: str, *, is_closed: bool = False) -> Draft202012Validator:
    """Give a judge of one schema, by its name."""
    whole: Mapping[str, Any] = closed(DOCUMENT) if is_closed else DOCUMENT
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": whole["components"]}
    )


def wrong(name: str, value: Any, *, is_closed: bool = False) -> list[str]:
    """Say what does not fit."""
    return [
        f"{name} at {'/'.join(map(str, e.absolute_path))}: {e.message}"
        for e in judge(name, is_closed=is_closed).iter_errors(value)
    ]
