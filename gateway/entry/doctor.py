"""``thuphi doctor``: looks at everything that must be right, and says what to do about the rest."""

import argparse
import json
import os
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Final

from sqlalchemy import text

from gateway.domain.calendar import hanoi_day, rfc3339
from gateway.entry.bootstrap import Parts, without
from gateway.entry.doctor_finding import Finding, Look, broken, row_of
from gateway.entry.doctor_receipts import RECEIPTS
from gateway.entry.plugins import adapters
from gateway.entry.reconciling import sources_of
from gateway.entry.scheduler import jobs_of
from gateway.services.agencies import TREASURY_CODE
from gateway.services.invariant_rules import HEARD, NOTICES
from gateway.services.invariants import violations
from gateway.services.ways import ABROAD
from gateway.store.roles import ROLES, lacking

versions_known: Final = range(15, 19)  # PostgreSQL, by CONTRACT 7.
clock_skew_max: Final = timedelta(seconds=5)
calendar_ahead: Final = timedelta(days=60)  # Next year's Tết is decreed by then.
late_ticks_max: Final = 3  # A job that missed so many of its ticks has stopped.


async def database(parts: Parts) -> Finding:
    """Look at the server's version and its durability."""
    row = await row_of(
        parts,
        "SELECT current_setting('server_version_num')::int / 10000 AS version,"
        " current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS sync",
    )
    if row["version"] not in versions_known:
        return Finding("database", is_right=False, said=f"PostgreSQL {row['version']} is not one"
                       " of 15 to 18: use one of those.")  # fmt: skip
    if row["fsync"] != "on" or row["sync"] == "off":
        return Finding("database", is_right=False, said="fsync or synchronous_commit is off, so"
                       " what is acknowledged may be lost: set both on.")  # fmt: skip
    return Finding("database", is_right=True, said=f"PostgreSQL {row['version']}, durable")


async def powers(parts: Parts) -> Finding:
    """Look whether a process can lay the owner's power down, and for one that has not."""
    lack = [why for role in ROLES if (why := await lacking(parts.engine, role))]
    async with parts.store.begin() as tx:
        at_work = await tx.rows(
            text("SELECT DISTINCT application_name AS name FROM pg_stat_activity WHERE datname"
                 " = current_database() AND starts_with(application_name, :without) ORDER BY 1"),
            {"without": without},
        )  # fmt: skip
    if not lack:
        lack = [f"a process works {r['name'].removeprefix('thuphi ')}: restart it" for r in at_work]
    if lack:
        return Finding("roles", is_right=False, said="; ".join(lack))
    return Finding("roles", is_right=True, said="web, worker and auditors have the least they need")


async def clock(parts: Parts) -> Finding:
    """Compare our time with the database's."""
    row = await row_of(parts, "SELECT clock_timestamp() AS at")
    skew = abs(parts.clock.now() - row["at"])
    if parts.settings.clock_at:
        return Finding("clock", is_right=True, said="a test clock; sandbox only")
    if skew > clock_skew_max:
        return Finding("clock", is_right=False, said=f"this machine and the database differ by"
                       f" {skew.total_seconds():.0f} s: set both by NTP.")  # fmt: skip
    return Finding("clock", is_right=True, said="agrees with the database's")


async def key(parts: Parts) -> Finding:
    """Open something that is sealed with the master key."""
    row = await row_of(
        parts, "SELECT 'year_key|' || agency_id || '/' || year || '|key' AS place,"
        " key_sealed AS sealed FROM year_key WHERE key_sealed IS NOT NULL UNION ALL"
        " (SELECT 'payment|' || id || '|payer', payer_sealed FROM payment"
        " WHERE payer_sealed IS NOT NULL AND key_sealed IS NULL AND erased_at IS NULL"
        " ORDER BY id DESC LIMIT 1) LIMIT 1",
    )  # fmt: skip
    if not row:
        return Finding("master key", is_right=True, said="is set; nothing is sealed with it yet")
    try:
        parts.vault.open(row["place"], bytes(row["sealed"]))
    except ValueError:
        return Finding("master key", is_right=False, said="does not open what the database holds:"
                       " give back the key that sealed it.")  # fmt: skip
    return Finding("master key", is_right=True, said="opens what is sealed")


async def providers(parts: Parts) -> Finding:
    """Say what is offered, and what the others lack."""
    has = {name for name, _ in parts.providers}
    lack = [
        f"{spec.name} needs {', '.join(f'THUPHI_{f}' for f in spec.fields)}"
        for spec in adapters()
        if spec.name not in has
    ]
    if not has:
        return Finding("providers", is_right=False, said="nobody can pay: " + "; ".join(lack))
    barred = await parts.attempts.ways.barred(parts.settings.default_agency)
    lack += [f"{p.name} is not offered: {ABROAD}" for p in barred]
    said = f"offered: {', '.join(sorted(has - {p.name for p in barred}))}"
    return Finding("providers", is_right=True, said="; ".join([said, *lack]))


async def agencies(parts: Parts) -> Finding:
    """Look for an agency, a branch and a client."""
    row = await row_of(
        parts,
        "SELECT (SELECT count(*) FROM agency) AS agencies, (SELECT count(*) FROM branch)"
        " AS branches, (SELECT count(*) FROM client_key WHERE revoked_at IS NULL) AS keys",
    )
    if not row["agencies"]:
        return Finding("agencies", is_right=False, said="there is none: run thuphi seed.")
    if not row["keys"]:
        return Finding("agencies", is_right=False, said="no client has a key: run thuphi clients"
                       " add NAME --agency A.")  # fmt: skip
    said = f"{row['agencies']} agencies, {row['branches']} branches, {row['keys']} keys"
    return Finding("agencies", is_right=True, said=said)


async def sources(parts: Parts) -> Finding:
    """Look for sources of files that are late or out of reach."""
    rows = await sources_of(parts).shown()
    wrong = [f"{r['agency_id']} {r['name']}: {r['trouble']}" for r in rows if r["trouble"]]
    wrong += [
        f"{r['agency_id']} {r['name']} is late since {r['late_since']}"
        for r in rows
        if r["late_since"]
    ]
    if wrong:
        said = "; ".join(wrong) + ": see thuphi sources list."
        return Finding("sources", is_right=False, said=said)
    said = f"{len(rows)} are on time" if rows else "none; files are brought by hand"
    return Finding("sources", is_right=True, said=said)


async def treasury(parts: Parts) -> Finding:
    """Look for live agencies by whose code nobody can tell whose a treasury's file is."""
    async with parts.store.begin() as tx:
        rows = await tx.rows(
            text("SELECT id, is_sandbox FROM agency WHERE coalesce(settings ->> :code, '') = ''"
                 " ORDER BY id"),
            {"code": TREASURY_CODE},
        )  # fmt: skip
    if not rows:
        return Finding("treasury", is_right=True, said="each agency's files are told by its code")
    said = (
        f"{', '.join(r['id'] for r in rows)} takes any agency's treasury file: run thuphi agency"
        " settings --agency A --treasury-code CODE."
    )
    return Finding("treasury", is_right=all(r["is_sandbox"] for r in rows), said=said)


async def worker(parts: Parts) -> Finding:
    """Look for jobs that never ran, stopped, or failed at their last tick."""
    now = parts.clock.now()
    async with parts.store.begin() as tx:
        rows = await tx.rows(
            text("SELECT DISTINCT ON (job) job, scheduled_for, state FROM job_run"
                 " ORDER BY job, scheduled_for DESC"),
        )  # fmt: skip
    last = {r["job"]: r for r in rows}
    wrong = []
    for job, (every, _) in jobs_of(parts).items():
        allowed = timedelta(seconds=max(every * late_ticks_max, 120))
        if job not in last or now - last[job]["scheduled_for"] > allowed:
            wrong.append(f"«{job}» does not run")
        elif last[job]["state"] == "failed":
            wrong.append(f"«{job}» failed at {rfc3339(last[job]['scheduled_for'])}")
    if wrong:
        return Finding("worker", is_right=False, said=f"{'; '.join(wrong)}: start thuphi worker,"
                       " or read its log.")  # fmt: skip
    return Finding("worker", is_right=True, said=f"{len(last)} jobs tick")


async def notices(parts: Parts) -> Finding:
    """Look for notices that nobody could read: their money may be known to nobody."""
    unread = await broken(parts, NOTICES)
    if unread:
        return Finding("notices", is_right=False, said=f"{unread} were never read, and are tried no"
                       " more: the worker's log says why, by «replay notices».")  # fmt: skip
    return Finding("notices", is_right=True, said="each was read, or is tried again")


async def messages(parts: Parts) -> Finding:
    """Look for events that a client does not take, or was never sent."""
    row = await row_of(parts, "SELECT count(*) AS n FROM delivery WHERE state = 'stuck'")
    wrong = []
    if row["n"]:
        wrong.append(f"{row['n']} deliveries were given up after three days")
    if unsent := await broken(parts, HEARD):
        wrong.append(f"{unsent} payments that are paid were told to nobody")
    if wrong:
        return Finding("webhooks", is_right=False, said=f"{'; '.join(wrong)}: ask the client to"
                       " read GET /v1/events.")  # fmt: skip
    return Finding("webhooks", is_right=True, said="none is stuck")


async def days(parts: Parts) -> Finding:
    """Look for days that should be closed by now."""
    row = await row_of(
        parts,
        "SELECT count(DISTINCT e.booked_on) AS n, min(e.booked_on)::text AS oldest FROM entry e"
        " WHERE e.booked_on < :limit AND NOT EXISTS (SELECT 1 FROM day d WHERE"
        " d.agency_id = e.agency_id AND d.booked_on = e.booked_on AND d.state = 'closed')",
        limit=hanoi_day(parts.clock.now()) - timedelta(days=1),
    )
    if row["n"]:
        said = f"{row['n']} days are not closed: run thuphi reconcile --date {row['oldest']}."
        return Finding("days", is_right=False, said=said)
    return Finding("days", is_right=True, said="all that are over are closed")


async def calendar(parts: Parts) -> Finding:
    """Look whether the working calendar reaches far enough ahead, and what is not decreed yet."""
    known, today = parts.captures.calendar, hanoi_day(parts.clock.now())
    ahead = today + calendar_ahead
    missing = sorted({today.year, ahead.year} - known.years)
    if missing:
        return Finding("calendar", is_right=False, said=f"no working calendar covers {missing[0]}:"
                       f" add gateway/calendar/vietnam-{missing[0]}.toml.")  # fmt: skip
    open_days = [day.isoformat() for day in sorted(known.undecided) if today <= day]
    said = f"covers {min(known.years)} to {max(known.years)}"
    if open_days:
        said += f"; expected days off that nobody has decreed: {', '.join(open_days)}"
    return Finding("calendar", is_right=True, said=said)


async def books(parts: Parts) -> Finding:
    """Ask every invariant, and look at the seal of every closed day."""
    from reconciliation.seals import broken

    wrong = await violations(parts.store) + await broken(parts.store)
    if wrong:
        said = "; ".join(f"{v.rule}: {', '.join(v.what)}" for v in wrong)
        return Finding("books", is_right=False, said=f"{said}. Stop and look: this never happens"
                       " by itself.")  # fmt: skip
    return Finding("books", is_right=True, said="every invariant and every seal holds")


async def folder(parts: Parts) -> Finding:
    """Look whether the data folder can be written."""
    path = parts.settings.data_dir
    if path.exists() and not os.access(path, os.W_OK):
        return Finding("data folder", is_right=False, said=f"{path} cannot be written: change its"
                       " owner, or set THUPHI_DATA_DIR.")  # fmt: skip
    return Finding("data folder", is_right=True, said="is there")


LOOKS: Final[tuple[Look, ...]] = (
    database, powers, clock, key, folder, providers, agencies, treasury, sources, *RECEIPTS, worker,
    notices, messages, days, calendar, books,
)  # fmt: skip


async def examine(parts: Parts) -> list[Finding]:
    """Look at everything, one after the other."""
    return [await look(parts) for look in LOOKS]


async def do_doctor(args: argparse.Namespace, opened: AbstractAsyncContextManager[Parts]) -> int:
    """Say what is right and what to do; exit 1 when something is wrong."""
    async with opened as parts:
        found = await examine(parts)
    if args.json:
        shown = [{"name": f.name, "ok": f.is_right, "said": f.said} for f in found]
        print(json.dumps({"findings": shown}, ensure_ascii=False))
    else:
        for f in found:
            print(f"{'ok   ' if f.is_right else 'WRONG'} {f.name:12} {f.said}")
    return 0 if all(f.is_right for f in found) else 1
