"""People at a break: comment, assign, attach, wait; one proposes how it ends, another agrees.

The second person signs what was shown: its hash comes with the form, and what has changed in
between is refused. Each act is a row of the chain (``acts``).
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import insert, select, text

from gateway.domain.calendar import Calendar, hanoi_day
from gateway.domain.errors import Refusal
from gateway.domain.texts import is_strange, one_line, without_strange
from gateway.ports.vault import Vault
from gateway.services.break_list import UNDECIDED, officers_in
from gateway.store import locks
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from reconciliation import acts
from reconciliation.acts import Act
from reconciliation.nearest import Nearest, nearest
from reconciliation.planning import FOR_GOOD, UNDO, WRITE_OFF, Plan, Wanted, plan, wanted_of
from reconciliation.proposals import Proposal, ranked
from reconciliation.settling import carry_out, work_of

text_chars_max: Final = 1_000
file_bytes_max: Final = 5 * 1024 * 1024  # A scanned page or two; statements come by their own door.
file_name_chars_max: Final = 120
wait_days_max: Final = 92  # A quarter: whoever waits longer says so again.
due_working_days_max: Final = 30
# By what a file begins with, whatever its name says; none of these runs anything when opened.
_TYPES: Final[Mapping[str, Callable[[bytes], bool]]] = {
    "application/pdf": lambda b: b.startswith(b"%PDF-"),
    "image/png": lambda b: b.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": lambda b: b.startswith(b"\xff\xd8\xff"),
}
_WAITING: Final = text(
    "SELECT c.* FROM case_action c WHERE c.agency_id = :agency AND c.break_id = :id"
    f" AND {UNDECIDED}"
)
_PROPOSAL: Final = text(
    "SELECT * FROM case_action WHERE agency_id = :agency AND id = :id AND kind = 'propose'"
)
_CASE: Final = text(
    "SELECT k.*, (SELECT p.reference FROM payment p WHERE p.agency_id = k.agency_id"
    " AND p.id = k.payment_id) AS reference, EXISTS (SELECT 1 FROM statement_line l"
    " WHERE l.agency_id = k.agency_id AND l.id = k.line_id AND l.source = 'statement'"
    " AND l.net > 0 AND NOT EXISTS (SELECT 1 FROM recon_match m"
    " WHERE m.agency_id = l.agency_id AND m.line_id = l.id)) AS is_credit"
    " FROM break k WHERE k.agency_id = :agency AND k.id = :id"
)
_NOT_IT: Final = "This is not the file that was attached."
_SET: Final = (
    "UPDATE break SET owner = :owner, due_on = :due WHERE agency_id = :agency AND id = :id",
    "UPDATE break SET waits_until = :until WHERE agency_id = :agency AND id = :id",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One break with all that people need: what was done, what waits, what may resolve it."""

    case: Row
    acts: Sequence[Row]
    proposals: Sequence[Proposal]
    waiting: Row | None  # A proposal that nobody has decided.
    plan: Mapping[str, Any] | None  # What it does, as things stand; None where it does not fit.
    refused: str  # Why it does not fit any more.
    hash: str  # Of what is shown, for whoever agrees.
    undoable: str  # The agreement that can be undone.
    nearest: Nearest | None  # What is most like it, and how it differs.


@dataclass(frozen=True, slots=True)
class Resolutions:
    """What an agency's people do about its breaks."""

    store: Store
    vault: Vault = field(repr=False)
    calendar: Calendar = field(repr=False)

    async def show(self, agency_id: str, break_id: str) -> Shown:
        """Give one break, and what may be done about it."""
        async with self.store.begin() as tx:
            case = await tx.row(_CASE, {"agency": agency_id, "id": break_id})
            if case is None:
                raise Refusal("not-found", "There is no such break in this agency.")
            done = await acts.of_break(tx, agency_id, break_id)
            waiting = await tx.row(_WAITING, {"agency": agency_id, "id": break_id})
            proposals = await ranked(tx, agency_id, case)
            near = await nearest(tx, agency_id, case)
        seen, refused = (None, "")
        if waiting:
            seen, refused = await self._seen(agency_id, waiting)
        signed = _signed(waiting, seen) if waiting and seen else ""
        return Shown(
            case, done, proposals, _opened(waiting) if waiting else None, seen, refused, signed,
            _undoable(done) if not waiting else "", near,
        )  # fmt: skip

    async def _seen(self, agency_id: str, proposal: Row) -> tuple[dict[str, Any] | None, str]:
        """Work a proposal out, in a transaction of its own: it locks in its own order."""
        try:
            async with self.store.begin() as tx:
                made = await _planned(tx, agency_id, proposal)
                return made.seen(), ""
        except Refusal as refusal:
            return None, refusal.detail

    async def comment(self, agency_id: str, break_id: str, said: str, actor: str) -> None:
        """Say something about a break."""
        await self._act(agency_id, Act(break_id, "comment", actor, {"text": _text(said)}))

    async def assign(
        self, agency_id: str, break_id: str, owner: str, days: int, actor: str
    ) -> None:
        """Give a break to a person, due in some working days."""
        if not 1 <= days <= due_working_days_max:
            raise Refusal("invalid-request", f"Give it 1 to {due_working_days_max} working days.")
        due = self.calendar.add_working_days(hanoi_day(self.store.clock.now()), days)
        async with self.store.begin() as tx:
            if owner not in await officers_in(tx, agency_id):
                raise Refusal("invalid-request", "Nobody of this agency has that name.")
            said = {"owner": owner, "due_on": due.isoformat()}
            _open(await acts.locked(tx, agency_id, break_id))
            values = {"agency": agency_id, "id": break_id, "owner": owner, "due": due}
            await tx.run(text(_SET[0]), values)
            await acts.add(tx, agency_id, Act(break_id, "assign", actor, said))

    async def wait(self, agency_id: str, break_id: str, until: date, why: str, actor: str) -> None:
        """Let a break rest until a day: it stays open, and comes back by itself."""
        ahead = (until - hanoi_day(self.store.clock.now())).days
        if not 1 <= ahead <= wait_days_max:
            raise Refusal("invalid-request", f"Choose a day within {wait_days_max} days.")
        said = {"until": until.isoformat(), "text": _text(why)}
        async with self.store.begin() as tx:
            _open(await acts.locked(tx, agency_id, break_id))
            values = {"agency": agency_id, "id": break_id, "until": until}
            await tx.run(text(_SET[1]), values)
            await acts.add(tx, agency_id, Act(break_id, "wait", actor, said))

    async def attach(
        self, agency_id: str, break_id: str, name: str, content: bytes, actor: str
    ) -> None:
        """Keep a file beside a break, sealed; its hash is in the chain."""
        if len(content) > file_bytes_max:
            raise Refusal("too-large", f"A file has {file_bytes_max} bytes at most.")
        kind = next((m for m, begins in _TYPES.items() if begins(content)), None)
        if kind is None:
            raise Refusal("invalid-request", "Attach a PDF, PNG or JPEG file.")
        clean = without_strange(name.replace("\\", "/").rpartition("/")[2])[-file_name_chars_max:]
        said = {"name": clean or "file", "media_type": kind, "size_bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest()}  # fmt: skip
        file_id = self.store.clock.new_id("fil")
        sealed = self.vault.seal(f"case_file|{file_id}|content", content)
        async with self.store.begin() as tx:
            await acts.locked(tx, agency_id, break_id)
            action_id = await acts.add(tx, agency_id, Act(break_id, "attach", actor, said))
            await tx.run(
                insert(t.case_file),
                {"agency_id": agency_id, "id": file_id, "action_id": action_id,
                 "name": said["name"], "media_type": kind, "size_bytes": len(content),
                 "content_sealed": sealed},
            )  # fmt: skip

    async def file(self, agency_id: str, file_id: str, actor: str) -> tuple[str, str, bytes]:
        """Open an attached file for one person, and write down who looked; name, type, content."""
        c = t.case_file.c
        async with self.store.begin() as tx:
            row = await tx.row(select(t.case_file).where(c.agency_id == agency_id, c.id == file_id))
            if row is None:
                raise Refusal("not-found", "There is no such file in this agency.")
            a = t.case_action.c
            is_it = (a.agency_id == agency_id) & (a.id == row["action_id"])
            act = await tx.row(select(a.said).where(is_it))
            await tx.note(agency_id, actor, "case.read", file_id)
        content = self._opened(file_id, bytes(row["content_sealed"]))
        if act is None or hashlib.sha256(content).hexdigest() != acts.read(act["said"])["sha256"]:
            raise Refusal("invalid-request", _NOT_IT)
        return row["name"], row["media_type"], content

    def _opened(self, file_id: str, sealed: bytes) -> bytes:
        try:
            return self.vault.open(f"case_file|{file_id}|content", sealed)
        except ValueError:  # Changed, or another's.
            raise Refusal("invalid-request", _NOT_IT) from None

    async def propose(self, agency_id: str, break_id: str, wanted: Wanted, actor: str) -> str:
        """Propose how a break ends; what does not fit is refused at once. Gives the act's id."""
        needs_reason = wanted.what in (WRITE_OFF, UNDO)
        clean = _text(wanted.reason) if wanted.reason.strip() or needs_reason else ""
        async with self.store.begin() as tx:
            made = await plan(tx, agency_id, break_id, replace(wanted, reason=clean))
            if await tx.row(_WAITING, {"agency": agency_id, "id": break_id}):
                raise Refusal("invalid-request", "A proposal waits already: decide that one first.")
            said = made.wanted.as_json()
            return await acts.add(tx, agency_id, Act(break_id, "propose", actor, said))

    async def decide(
        self, agency_id: str, action_id: str, actor: str, *, agree: bool, shown: str
    ) -> str:
        """Agree to what was shown, as a second person, or refuse; give the break's id.

        Whoever proposed may take the proposal back, and nobody agrees to their own.
        """
        wanted = {"agency": agency_id, "id": action_id}
        async with self.store.begin() as tx:
            if agree:  # A run that has looked already would book the same money again.
                await tx.run(locks.RUN, {"agency": agency_id})
            await tx.open_day(agency_id, hanoi_day(self.store.clock.now()))
            proposal = await tx.row(_PROPOSAL, wanted)
            if proposal is None:
                raise Refusal("not-found", "There is no such proposal in this agency.")
            if agree and proposal["actor"] == actor:
                raise Refusal("same-person", "Somebody else must agree to what you proposed.")
            made = await _planned(tx, agency_id, proposal) if agree else None
            await acts.locked(tx, agency_id, proposal["break_id"])
            waiting = await tx.row(_WAITING, {"agency": agency_id, "id": proposal["break_id"]})
            if waiting is None or waiting["id"] != action_id:
                raise Refusal("invalid-request", "It is decided already.")
            said: dict[str, Any] = {}
            if made:
                if shown != _signed(proposal, made.seen()):
                    raise Refusal("case-changed", "What was shown has changed; look again.")
                said = {"shown": shown, "done": work_of(made)}
            about = (action_id, proposal["actor"])
            kind = "agree" if agree else "refuse"
            act = Act(proposal["break_id"], kind, actor, said, about)
            made_id = await acts.add(tx, agency_id, act)
            if made:
                await carry_out(tx, agency_id, made, made_id)
        return str(proposal["break_id"])

    async def _act(self, agency_id: str, act: Act) -> None:
        async with self.store.begin() as tx:
            await acts.locked(tx, agency_id, act.break_id)
            await acts.add(tx, agency_id, act)


async def _planned(tx: Tx, agency_id: str, proposal: Row) -> Plan:
    wanted = wanted_of(_opened(proposal)["said"])
    return await plan(tx, agency_id, proposal["break_id"], wanted)


def _opened(act: Row) -> dict[str, Any]:
    return dict(act) | {"said": acts.read(act["said"])}


def _signed(proposal: Row, seen: Mapping[str, Any]) -> str:
    """Hash what is shown, with the seal of the proposal: whose it is and what it says."""
    return acts.digest({"proposal": proposal["seal"], "seen": seen})


def _undoable(done: Sequence[Row]) -> str:
    """Name the newest agreement that stands and can be taken back."""
    agreed = [a for a in done if a["kind"] == "agree"]
    taken_back = {a["said"]["done"].get("of") for a in agreed}
    left = [
        a["id"] for a in agreed
        if a["said"]["done"]["how"] not in FOR_GOOD and a["id"] not in taken_back
    ]  # fmt: skip
    return left[-1] if left else ""


def _open(case: Row) -> None:
    if case["state"] != "open":
        raise Refusal("case-changed", "The break is resolved already.")


def _text(said: str) -> str:
    clean = one_line(said)
    if not 1 <= len(clean) <= text_chars_max or is_strange(clean):
        raise Refusal("invalid-request", f"Write 1 to {text_chars_max} characters.")
    return clean
