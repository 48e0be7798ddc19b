"""Judges whether the day in an audit pack holds together: books, proof, matches, acts, rules."""

import tomllib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from json import dumps, loads
from typing import Any, Final

from reconciliation.acts import digest, seal_of
from reconciliation.engine import rules_digest
from reconciliation.pack import form

_OPTIONAL: Final = {form.INPUTS: "inputs", form.RESULTS: "results", form.MARKS: "rules"}
_PARTS: Final = ("opening", "turnover", "closing")
Rows = Sequence[Mapping[str, Any]]
Contents = Mapping[str, bytes]


class BrokenPackError(Exception):
    """Something in it was changed, or contradicts the rest; the sentence names it."""


def judge(said: Mapping[str, Any], contents: Contents) -> int:
    """Check what the files say of each other; give how many acts are only linked.

    Raises BrokenPackError.
    """
    (day,) = form.rows_in(contents[form.DAY])
    if (day["agency_id"], day["booked_on"]) != (said["agency"], said["date"]):
        raise BrokenPackError(f"{form.DAY} is another day than the manifest says.")
    tables = {n: form.rows_in(contents[n]) for n in form.ALWAYS if n.endswith(".jsonl")}
    _books(day, tables[form.ENTRIES], tables[form.BALANCE])
    _signatures(day, tables[form.SIGNATURES], tables[form.BALANCE])
    _run(said, day, tables[form.RUNS], contents)
    _matches(tables)
    _proof(contents, tables)
    _files(said, contents, tables[form.FILES])
    return _acts(said["agency"], tables[form.ACTS], tables[form.BREAKS])


def _books(day: Mapping[str, Any], entries: Rows, balance: Rows) -> None:
    """See that the day's seal is of these entries, and each of them balances."""
    for entry in entries:
        is_whole = entry["amount"] > 0 and entry["debit"] != entry["credit"]
        if not is_whole or entry["booked_on"] != day["booked_on"]:
            raise BrokenPackError(f"{form.ENTRIES}: entry {entry['id']} does not balance.")
    letters = [day["seal_before"], [[str(e[name]) for name in form.SEALED] for e in entries]]
    if sha256(dumps(letters).encode()).hexdigest() != day["seal"]:
        raise BrokenPackError(f"{form.ENTRIES}: they are not what the day was sealed with.")
    _balance(entries, balance)


def _balance(entries: Rows, balance: Rows) -> None:
    """See that the trial balance is the sum of the entries, carried on from its opening."""
    turned: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for entry in entries:  # A storno takes its amount off the side that it was booked on.
        amount, back = entry["amount"], entry["storno"]
        turned[entry["debit"]][back] += -amount if back else amount
        turned[entry["credit"]][not back] += -amount if back else amount
    for line in balance:
        opened, turnover, closed = (
            (line[f"{part}_debit"], line[f"{part}_credit"]) for part in _PARTS
        )
        if tuple(turned.pop(line["account"], [0, 0])) != turnover:
            raise BrokenPackError(f"{form.BALANCE}: {line['account']} did not turn over so much.")
        if opened[0] - opened[1] + turnover[0] - turnover[1] != closed[0] - closed[1]:
            raise BrokenPackError(f"{form.BALANCE}: {line['account']} is not carried on.")
    if any(any(sums) for sums in turned.values()):
        raise BrokenPackError(f"{form.BALANCE}: {min(turned)} is missing.")
    for part in _PARTS:
        if sum(x[f"{part}_debit"] - x[f"{part}_credit"] for x in balance):
            raise BrokenPackError(f"{form.BALANCE}: its {part} does not balance.")


def _signatures(day: Mapping[str, Any], signatures: Rows, balance: Rows) -> None:
    """See that whoever signed saw these entries and this balance, and that nobody signed twice."""
    shown = {
        "agency": day["agency_id"], "day": day["booked_on"], "seal": day["seal"],
        "balance": list(balance),
    }  # fmt: skip
    for signature in signatures:
        if signature["said"] != shown or signature["hash"] != digest(shown):
            raise BrokenPackError(
                f"{form.SIGNATURES}: {signature['n']} is for another day's sheet."
            )
    if len({s["signed_by"] for s in signatures}) != len(signatures):
        raise BrokenPackError(f"{form.SIGNATURES}: somebody signed twice.")


def _run(
    said: Mapping[str, Any], day: Mapping[str, Any], runs: Rows, contents: Contents
) -> None:  # fmt: skip
    """See that what the closing run saw, its rules and what it found are those that it noted."""
    run = next((r for r in runs if r["id"] == day["run_id"]), None)
    if run is None or run["business_on"] != day["booked_on"]:
        raise BrokenPackError(f"{form.RUNS}: the run that closed the day is not there.")
    for name, what in _OPTIONAL.items():
        if (name in contents) == (what in said["lacking"]):
            raise BrokenPackError(f"{name} is missing.")
    if form.INPUTS in contents and form.sha256(contents[form.INPUTS]) != run["inputs_hash"]:
        raise BrokenPackError(f"{form.INPUTS} is not what the run saw.")
    if form.RESULTS in contents and form.sha256(contents[form.RESULTS]) != run["result_hash"]:
        raise BrokenPackError(f"{form.RESULTS} is not what the run found.")
    if form.MARKS in contents:
        texts = {
            name.removeprefix(form.RULES): content.decode()
            for name, content in sorted(contents.items())
            if name.startswith(form.RULES) and name != form.MARKS
        }
        if rules_digest(texts, tomllib.loads(contents[form.MARKS].decode())) != run["rules_hash"]:
            raise BrokenPackError(f"{form.RULES}: they are not those of the run.")
    if form.RESULTS in contents:
        _found(run["id"], loads(contents[form.RESULTS])[0], form.rows_in(contents[form.MATCHES]))


def _found(run_id: str, found: Rows, matches: Rows) -> None:
    """See that each match which the closing run made is among what it found."""
    names = ("rule", "line_id", "capture_id", "amount", "why")
    known = {tuple(m[name] for name in names) for m in found}
    for match in matches:
        if match["run_id"] == run_id and tuple(match[name] for name in names) not in known:
            raise BrokenPackError(f"{form.MATCHES}: the run did not find {match['id']}.")


def _matches(tables: Mapping[str, Rows]) -> None:
    """See that each match names a line, a capture and who found it, and each line its file."""
    known = {n: {row.get("id") for row in rows} for n, rows in tables.items()}
    for line in tables[form.LINES]:
        if line["file_id"] not in known[form.FILES]:
            raise BrokenPackError(f"{form.LINES}: the file of {line['id']} is not there.")
    for match in tables[form.MATCHES]:
        by = form.ACTS if match["run_id"] is None else form.RUNS
        for name, table in (("line_id", form.LINES), ("capture_id", form.CAPTURES)):
            is_batch = name == "capture_id" and match[name] is None
            if not is_batch and match[name] not in known[table]:
                what = name.removesuffix("_id")
                raise BrokenPackError(
                    f"{form.MATCHES}: the {what} that {match['id']} names is not there."
                )
        if (match["action_id"] if by == form.ACTS else match["run_id"]) not in known[by]:
            raise BrokenPackError(f"{form.MATCHES}: nobody is there who found {match['id']}.")


def _proof(contents: Contents, tables: Mapping[str, Rows]) -> None:
    """See that opening and new less matched is closing, and that each is what the pack holds."""
    (proof,) = form.rows_in(contents[form.PROOF])
    for source, parts in proof.items():
        for what in ("count", "sum"):
            opening, new, matched, closing = (
                parts[name][what] for name in ("opening", "new", "matched", "closing")
            )
            if opening + new - matched != closing:
                raise BrokenPackError(f"{form.PROOF}: {source} does not add up.")
    if proof != form.proof_of(tables[form.LINES], tables[form.CAPTURES], tables[form.MATCHES]):
        raise BrokenPackError(f"{form.PROOF} is not the sum of lines, captures and matches.")


def _files(said: Mapping[str, Any], contents: Contents, files: Rows) -> None:
    """See that the statements are those whose digests are noted; without leave none is there."""
    there = {n for n in contents if n.startswith(form.STATEMENTS)}
    wanted = {f"{form.STATEMENTS}{row['id']}": row["sha256"] for row in files}
    if there != (wanted.keys() if said["personal_data"] else set()):
        raise BrokenPackError(f"{form.STATEMENTS}: other files are there than are noted.")
    for name in sorted(there):
        if form.sha256(contents[name]) != wanted[name]:
            raise BrokenPackError(f"{name} is not the file that was brought.")


def _acts(agency: str, acts: Rows, breaks: Rows) -> int:
    """See that each act is sealed onto the one before; give how many have left their words out."""
    of_day, unread = {k["id"] for k in breaks}, 0
    for before, act in zip([None, *acts], acts, strict=False):
        if before and (act["number"], act["seal_before"]) != (before["number"] + 1, before["seal"]):
            raise BrokenPackError(f"{form.ACTS}: the chain is broken at {act['number']}.")
        if ("id" in act) != (act["break_id"] in of_day):
            raise BrokenPackError(f"{form.ACTS}: {act['number']} is about another break.")
        if "id" not in act:
            continue
        if "said" not in act:
            unread += 1
            continue
        letters = [
            act["seal_before"], agency, str(act["number"]), act["id"], act["break_id"],
            act["kind"], act["actor"], act["about_id"] or "", act["about_actor"] or "",
            act["at"].removesuffix("Z"), act["said"],
        ]  # fmt: skip
        if seal_of(letters) != act["seal"]:
            raise BrokenPackError(f"{form.ACTS}: {act['number']} is not as it was sealed.")
    counted = Counter(act["break_id"] for act in acts if "id" in act)
    for case in breaks:  # One that is taken from the end breaks no chain.
        if counted[case["id"]] != case["acts"]:
            raise BrokenPackError(f"{form.ACTS}: an act about {case['id']} is not there.")
    return unread
