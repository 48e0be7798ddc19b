"""Writes an audit pack: a closed day in one file, signed, with nothing of a payer in the open.

What a payer may stand in, statements as they came and what officers wrote in words of their own, is
named by its digest, unless it is asked for; whoever asks is written down.
"""

import zipfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.ports.vault import Vault
from gateway.services.books import trial_balance
from gateway.store.tx import Row, Store
from reconciliation.acts import canonical
from reconciliation.engine import Result, rules, rules_digest
from reconciliation.inputs import Inputs
from reconciliation.pack import form
from reconciliation.pack.gathering import Gathered, gather

_DATE: Final = (1980, 1, 1, 0, 0, 0)  # The first that the form can say.
_CONTENT: Final = text(
    "SELECT content_sealed FROM statement_file WHERE agency_id = :agency AND id = :id"
)
_LINK: Final = ("number", "break_id", "seal_before", "seal")
_ACT: Final = (*_LINK, "id", "kind", "actor", "about_id", "about_actor", "at")


@dataclass(slots=True)
class _Writing:
    """A pack that is being written, and the digests of what is in it."""

    file: zipfile.ZipFile
    digests: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, content: bytes) -> None:
        if len(content) > form.file_bytes_max:
            raise Refusal("file-refused", f"{name} would be longer than a pack holds.")
        self.file.writestr(zipfile.ZipInfo(name, _DATE), content)
        self.digests[name] = form.sha256(content)


@dataclass(frozen=True, slots=True)
class AuditPacks:
    """Writes packs; who signs for an agency is told from outside."""

    store: Store
    vault: Vault
    match: Callable[[str, date, datetime], Awaitable[tuple[Inputs, Result]]]
    key: Callable[[str], Awaitable[str]]  # An agency's public key, as text.
    sign: Callable[[str, str], Awaitable[str]]  # What it says, with its signature.

    async def write(
        self, agency_id: str, on: date, path: Path, actor: str, *, with_personal_data: bool
    ) -> dict[str, Any]:
        """Write a closed day into a new file; give what stands in it. Raises Refusal."""
        _require_new(path)
        async with self.store.begin() as tx:
            day = await gather(tx, agency_id, on)
            what = "pack.open" if with_personal_data else "pack.write"
            await tx.note(agency_id, actor, what, on.isoformat())
        key = await self.key(agency_id)
        part = path.with_name(f".{path.name}.part")
        try:
            with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as file:
                writing = _Writing(file)
                for name, content in _tables(day, with_words=with_personal_data):
                    writing.put(name, content)
                balance = await trial_balance(self.store, agency_id, on)
                writing.put(form.BALANCE, form.written(map(asdict, balance)))
                lacking = await self._repeat(day, writing)
                if with_personal_data:
                    await self._statements(day, writing)
                writing.put(form.KEY, key.encode())
                said = {
                    "version": form.VERSION, "agency": agency_id, "date": on.isoformat(),
                    "personal_data": with_personal_data, "lacking": lacking,
                    "files": writing.digests,
                }  # fmt: skip
                manifest = canonical(said).encode()
                note = await self.sign(agency_id, form.vouched_for(agency_id, f"{on}", manifest))
                for name, content in ((form.MANIFEST, manifest), (form.NOTE, note.encode())):
                    file.writestr(zipfile.ZipInfo(name, _DATE), content)
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
        return {
            "lines": len(day.lines), "matches": len(day.matches), "breaks": len(day.breaks),
            "entries": len(day.entries), "lacking": lacking,
        }  # fmt: skip

    async def _repeat(self, day: Gathered, writing: _Writing) -> list[str]:
        """Put in what the closing run saw, by which rules, and all that it found.

        Rules and calendars may have changed since. What is not as the run had it is left out, and
        named.
        """
        run, lacking = day.run, []
        if rules_digest() == run["rules_hash"]:
            for name, rule in rules().items():
                writing.put(f"{form.RULES}{name}", rule.encode())
            marks = files("reconciliation").joinpath("marks.toml")
            writing.put(form.MARKS, marks.read_bytes())
        else:
            lacking.append("rules")
        given, result = await self.match(run["agency_id"], run["business_on"], run["as_of"])
        if given.digest == run["inputs_hash"]:
            writing.put(form.INPUTS, given.letters)
        else:
            lacking.append("inputs")
        if result.digest == run["result_hash"]:
            writing.put(form.RESULTS, result.letters)
        else:
            lacking.append("results")
        return lacking

    async def _statements(self, day: Gathered, writing: _Writing) -> None:
        """Put in the files as they came, one after another."""
        for row in day.files:
            asked = {"agency": day.run["agency_id"], "id": row["id"]}
            async with self.store.begin() as tx:
                found = await tx.row(_CONTENT, asked)
            if found is None:
                raise LookupError(row["id"])
            place = f"statement_file|{row['id']}|content"
            content = self.vault.open(place, bytes(found["content_sealed"]))
            writing.put(f"{form.STATEMENTS}{row['id']}", content)


def _require_new(path: Path) -> None:
    if path.exists():
        raise Refusal("file-refused", f"{path} is there already: name another.")


def _tables(day: Gathered, *, with_words: bool) -> Iterator[tuple[str, bytes]]:
    """Give all that stands in tables, in the order in which it is written."""
    closed, before = day.day, day.before
    said = {
        **{n: closed[n] for n in ("agency_id", "booked_on", "closed_by", "closed_at", "run_id")},
        "seal": closed["seal"], "seal_before": day.seal_before,
        "run_before": before.get("id"), "steps": [form.plain(s) for s in day.steps],
    }  # fmt: skip
    yield form.DAY, form.written([said])
    yield form.SIGNATURES, form.written(day.signatures)
    proof = form.proof_of(day.lines, day.captures, day.matches)
    yield form.PROOF, form.written([proof])
    yield form.RUNS, form.written(day.runs)
    yield form.FILES, form.written(day.files)
    yield form.LINES, form.written(day.lines)
    yield form.CAPTURES, form.written(day.captures)
    yield form.MATCHES, form.written(day.matches)
    yield form.BREAKS, form.written(day.breaks)
    yield form.ACTS, form.written(_act(row, with_words=with_words) for row in day.acts)
    # What is neither number nor truth stands in the letters that the day's seal is made of.
    yield (
        form.ENTRIES,
        form.written(
            {n: row[n] if isinstance(row[n], int | None) else f"{row[n]}" for n in form.SEALED}
            for row in day.entries
        ),
    )


def _act(row: Row, *, with_words: bool) -> Mapping[str, Any]:
    """Give an act, or only its link of the chain where it is about no break of the day."""
    if not row["is_mine"]:
        return {name: row[name] for name in _LINK}
    said = {name: row[name] for name in _ACT}
    if with_words or not form.has_own_words(row["said"]):
        return said | {"said": row["said"]}
    return said | {"said_sha256": form.sha256(row["said"].encode())}
