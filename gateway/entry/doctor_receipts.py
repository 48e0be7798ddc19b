"""What the doctor looks at in receipts: who signs, what waits, what is proved, who was told."""

from datetime import timedelta
from typing import Final

from gateway.domain.calendar import rfc3339
from gateway.entry.bootstrap import Parts
from gateway.entry.doctor_finding import Finding, Look, row_of
from gateway.entry.ends import file_words
from receipts.authority import Authority
from receipts.proving import pause_max, steps_first

certificate_notice: Final = timedelta(days=30)  # Its change is announced 15 days before.
receipt_wait_max: Final = timedelta(minutes=5)  # The job that makes them runs each second.
push_late: Final = timedelta(hours=3)  # Each hour's is pushed, and tried again every five minutes.
proof_wait_max: Final = timedelta(days=1)  # An authority may be away for a night.


async def certificates(parts: Parts) -> Finding:
    """Look whether each live agency can sign receipts, and for how long."""
    soon = parts.clock.now() + certificate_notice
    keys = parts.receipts.keys
    ends = await keys.ends()
    wrong = [
        f"{agency} can sign until {rfc3339(at)}" if at else f"{agency} cannot sign receipts"
        for agency, at in sorted(ends.items())
        if at is None or at < soon
    ]
    if wrong:
        wrong[-1] += ": run thuphi agency certificate."
    wrong += [f"{agency}: {why}" for agency, why in sorted((await keys.away()).items())]
    if wrong:
        return Finding("certificates", is_right=False, said="; ".join(wrong))
    return Finding("certificates", is_right=True, said=f"{len(ends)} live agencies can sign")


async def receipts(parts: Parts) -> Finding:
    """Look for paid payments whose receipt has a number and never got its seal or its PDF."""
    row = await row_of(
        parts,
        "SELECT count(*) FILTER (WHERE xml IS NULL) AS unsealed, count(*) FILTER (WHERE xml IS NOT"
        " NULL) AS undrawn, min(id) AS oldest FROM receipt"
        " WHERE pdf IS NULL AND numbered_at < :before",
        before=parts.clock.now() - receipt_wait_max,
    )
    if row["oldest"]:
        return Finding("receipts", is_right=False, said=f"{row['unsealed']} have no seal and"
                       f" {row['undrawn']} no PDF, {row['oldest']} first: read the worker's log for"
                       " «receipts».")  # fmt: skip
    return Finding("receipts", is_right=True, said="all that have a number are sealed and drawn")


async def proofs(parts: Parts) -> Finding:
    """Look for receipts that should have their evidence by now."""
    if not parts.settings.stamp_url:
        return Finding("proofs", is_right=True, said="no time-stamp authority is set, so none are"
                       " made: see THUPHI_TSA_URL")  # fmt: skip
    now = parts.clock.now()
    row = await row_of(
        parts, "SELECT count(*) AS n, min(id) AS oldest FROM receipt r WHERE proof_due_at < :soon"
        " AND signed_at < :before AND (SELECT count(*) FROM receipt_proof p WHERE p.agency_id ="
        " r.agency_id AND p.receipt_id = r.id) < :steps",
        soon=now + pause_max, before=now - proof_wait_max, steps=steps_first,
    )  # fmt: skip
    if row["n"]:
        return Finding("proofs", is_right=False, said=f"{row['n']} receipts have no evidence after"
                       f" a day, {row['oldest']} first: the worker's log says why.")  # fmt: skip
    return Finding("proofs", is_right=True, said="all that can be proved are, or will be today")


async def authority(parts: Parts) -> Finding:
    """Look for receipts that the tax authority should have been told of."""
    told = Authority(parts.store, parts.vault)
    wrong = [f"{agency}: {n} messages are overdue" for agency, n in (await told.late()).items()]
    wrong += [f"{agency} has no line to it (thuphi agency line)" for agency in await told.silent()]
    if wrong:
        said = f"{'; '.join(wrong)}. The console says why, under «Cơ quan thuế»."
        return Finding("tax authority", is_right=False, said=said)
    return Finding("tax authority", is_right=True, said="is told of each day in time")


async def log(parts: Parts) -> Finding:
    """Look whether checkpoints of the transparency logs arrive where they are pushed."""
    place, limit = parts.settings.log_push, parts.clock.now() - push_late
    if not place:
        return Finding("log", is_right=True, said="checkpoints are pushed nowhere: THUPHI_LOG_PUSH"
                       " hands them to another body")  # fmt: skip
    row = await row_of(
        parts,
        "SELECT min(g.agency_id) AS agency, min(p.trouble) AS trouble FROM receipt_log g"
        " JOIN log_checkpoint c ON c.agency_id = g.agency_id AND c.signed_at < :limit"
        " LEFT JOIN log_push p ON p.agency_id = g.agency_id AND p.place = :place"
        " WHERE c.size > coalesce(p.size, 0)",
        place=place, limit=limit,
    )  # fmt: skip
    if row["agency"]:
        why = row["trouble"] or "start thuphi worker."
        return Finding("log", is_right=False, said=f"checkpoints of {row['agency']} do not arrive"
                       f" at THUPHI_LOG_PUSH: {why}")  # fmt: skip
    return Finding("log", is_right=True, said="checkpoints arrive where they are pushed")


async def high_water(parts: Parts) -> Finding:
    """Look whether receipts are known outside that the database forgot, or the other way round."""
    marks, before = parts.receipts.high_water, parts.clock.now() - receipt_wait_max
    try:
        wrong = [f"{a}: {said}" for a, all_ in (await marks.forgotten()).items() for said in all_]
        wrong += [
            f"{agency} has receipts that are not in {marks.outside.folder}: a restored backup would"
            " lose them. The worker writes them there when nothing of the agency is left in it."
            for agency in await marks.unkept(before)
        ]
    except OSError as error:
        wrong = [file_words(error)]
    if wrong:
        return Finding("high-water", is_right=False, said="; ".join(wrong))
    return Finding("high-water", is_right=True, said="each number is kept outside the database")


RECEIPTS: Final[tuple[Look, ...]] = (
    certificates, receipts, high_water, proofs, log, authority,
)  # fmt: skip
