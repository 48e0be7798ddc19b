"""``/v1/files``: a program brings the statement file that an officer would upload."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.calendar import rfc3339
from gateway.domain.errors import FieldError, Refusal
from gateway.entry.web.api import ApiParts, client_of, idempotency_key, said, shown
from gateway.entry.web.json_reader import is_written
from gateway.services.access import Client
from gateway.services.payments import Answer, render
from reconciliation.intake import Intake, name_chars_max
from reconciliation.readers.line import file_bytes_max
from reconciliation.readers.profile import PROFILES

_ROUTE: Final = "POST /v1/files"


@dataclass(frozen=True, slots=True)
class FileParts:
    """What stands behind these routes."""

    api: ApiParts
    intake: Intake


def routes(parts: FileParts) -> APIRouter:
    """Give the routes."""
    door = APIRouter(prefix="/v1")

    @door.post("/files", status_code=201)
    async def bring_file(request: Request) -> Response:
        """Keep a statement file as it is, and queue it."""
        client = await _bringer(parts, request)
        key = idempotency_key(request)
        profile, name = _asked(request)
        content = await _content(request)
        digest = hashlib.sha256(f"{profile}\n{name}\n".encode() + content).hexdigest()
        once = (_ROUTE, key, digest)
        async with parts.api.store.begin() as tx:
            stored = await parts.api.payments.replay(tx, client, *once)
        if stored is None:  # The same bytes are one file, so a crash here costs nothing.
            by = f"client:{client.id}"
            file_id = await parts.intake.store(client.agency_id, profile, name, content, by)
            answer = Answer(201, render(await _view(parts, client, file_id)))
            async with parts.api.store.begin() as tx:
                stored = await parts.api.payments.replay(tx, client, *once)
                if stored is None:
                    await parts.api.payments.remember(tx, client, *once, answer)
        return said(stored or answer)

    @door.get("/files/{file_id}")
    async def get_file(request: Request, file_id: str) -> Response:
        """Say what became of a file."""
        client = await _bringer(parts, request)
        return shown(await _view(parts, client, file_id))

    return door


async def _bringer(parts: FileParts, request: Request) -> Client:
    client = await client_of(parts.api, request)
    if not client.may_bring_files:
        raise Refusal("forbidden", "This key may not bring files.")
    return client


def _asked(request: Request) -> tuple[str, str]:
    """Read how the file is laid out, and what it is called."""
    profile, name = (request.query_params.get(x, "") for x in ("profile", "name"))
    wrong = []
    if profile not in PROFILES:
        wrong.append(FieldError("/profile", f"Must be one of {', '.join(PROFILES)}."))
    if not 0 < len(name) <= name_chars_max or not is_written(name):
        wrong.append(FieldError("/name", f"Must have 1 to {name_chars_max} characters."))
    if wrong:
        raise Refusal("invalid-request", "A query parameter is wrong.", tuple(wrong))
    return profile, name


async def _content(request: Request) -> bytes:
    """Read a body up to the limit of a file."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > file_bytes_max:
            raise Refusal("too-large", f"A file has at most {file_bytes_max} bytes.")
    if not body:
        raise Refusal("invalid-request", "Send the file's bytes as the body.")
    return bytes(body)


async def _view(parts: FileParts, client: Client, file_id: str) -> Mapping[str, Any]:
    row = await parts.intake.shown(client.agency_id, file_id)
    taken_at = row["taken_at"] if row["state"] != "queued" else None
    return {
        **row, "totals": row["totals"] or [], "uploaded_at": rfc3339(row["uploaded_at"]),
        "taken_at": rfc3339(taken_at) if taken_at else None,
    }  # fmt: skip
