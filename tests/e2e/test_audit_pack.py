"""A closed day as one file: signed, checked offline, and wrong wherever one thing in it is."""

import json
from datetime import timedelta

from books import DAY, NEXT, paid_by_vnpay, reconcile, reconciliation, take, two_days
from cases import ONE, OTHER, agree, broken, cases, night, resolve, to_payment
from commands import KEY, Ended, Terminal
from east_bank import rows
from front_door import AGENCY, PROVIDERS, Site
from packs import CONTRADICTIONS, Files, changed, contents, put

from gateway.entry.reconciling import day_sheets_of
from receipts.log.vouching import vouch
from reconciliation.evidence import Side
from reconciliation.open_items import SOURCES
from reconciliation.pack import form
from reconciliation.pack.form import rows_in, sha256, vouched_for
from reconciliation.planning import LINK, Wanted

PAYER = "NGUYEN THI HOA 0912345678"


async def pack(site: Site, terminal: Terminal, url: str, name: str, *more: str) -> Ended:
    on = DAY.isoformat() if "--date" not in more else ""
    words = ("--date", on) if on else ()
    return await terminal.run(
        "audit-pack", "--agency", AGENCY, *words, *more, name, DATABASE_URL=url, MASTER_KEY=KEY,
        CLOCK=site.clock.now().isoformat(),
        HIGH_WATER_DIR=str(site.parts.settings.high_water_dir),
        **{n.removeprefix("THUPHI_"): value for n, value in PROVIDERS.items()},
    )  # fmt: skip


async def signed(site: Site, files: Files) -> Files:
    """Sign a pack anew after it was changed, as one could who holds the agency's key."""
    said = json.loads(files[form.MANIFEST])
    named = {n for n in files if n not in (form.MANIFEST, form.NOTE)}
    said["files"] = {n: sha256(files[n]) for n in sorted(named)}
    manifest = json.dumps(said).encode()
    note = await vouch(
        site.parts.receipts.journal, AGENCY, vouched_for(AGENCY, said["date"], manifest)
    )
    return files | {form.MANIFEST: manifest, form.NOTE: note.encode()}


async def verdict(terminal: Terminal, name: str, *more: str) -> tuple[int, str]:
    end = await terminal.run("verify", name, *more)
    return end.code, end.out + end.said


async def a_day_with_everything(site: Site) -> None:
    """Let one pay at VNPAY, and one by a transfer that two people give a home, with a comment."""
    payment = await site.payment(2)
    paid = await paid_by_vnpay(site)
    await night(site)
    await take(site, "statement", {"memo": f"{PAYER} CHUYEN TIEN", "counterparty": PAYER})
    await reconciliation(site).reconcile(AGENCY, DAY, "test", close=False)
    case = await broken(site, "unknown_money")
    await cases(site).comment(AGENCY, case["id"], f"Gọi cho {PAYER}", OTHER)
    proposed = to_payment(case, (payment["reference"], 10_000))
    await cases(site).propose(AGENCY, case["id"], proposed, ONE)
    await agree(site, case["id"])
    await take(site, "provider", {"merchant_reference": paid["attempt"]})
    report = await reconcile(site)
    assert report.closed is not None
    assert report.closed.is_closed, report.closed.open_checks
    sheets = day_sheets_of(site.parts)
    for person in (ONE, OTHER):
        shown = (await sheets.sheet(AGENCY, DAY)).hash
        await sheets.sign(AGENCY, DAY, person, shown)


async def test_a_closed_day_is_packed_and_each_change_of_it_is_named(
    site: Site, terminal: Terminal, database_url: str
) -> None:
    """First what anybody could do to the file; then what only the holder of the key could."""
    early = await pack(site, terminal, database_url, "early.zip")
    await a_day_with_everything(site)
    for name in ("a.zip", "b.zip"):
        end = await pack(site, terminal, database_url, name)
        assert (end.code, end.said) == (0, "")
    again = await pack(site, terminal, database_url, "a.zip")
    folder = terminal.folder
    key = (await site.parts.receipts.journal.key(AGENCY)).text()
    (folder / "log.key").write_text(key, "utf-8")
    trusted = ("--log-key", "log.key")
    files = contents(folder / "a.zip")

    assert (early.code, "2026-11-18 is not closed" in early.said) == (2, True), early.said
    assert (again.code, "is there already" in again.said) == (2, True)
    assert (folder / "a.zip").read_bytes() == (folder / "b.zip").read_bytes()
    code, said = await verdict(terminal, "a.zip", *trusted)
    assert (code, "is whole" in said, "1 acts have left their words out" in said) == (
        0, True, True,
    ), said  # fmt: skip
    assert (await verdict(terminal, "a.zip"))[0] == 3, "its own key vouches for nobody"
    signatures = rows_in(files[form.SIGNATURES])
    assert [s["signed_by"] for s in signatures] == [ONE, OTHER]
    for part in ("HOA", "0912345678", "Gọi"):
        assert not [n for n, c in files.items() if part.encode() in c], part
    (proof,) = rows_in(files[form.PROOF])
    assert proof["statement"]["new"] == proof["statement"]["matched"] == {
        "count": 1, "sum": 10_000,
    }  # fmt: skip
    assert proof["gateway"]["new"] == {"count": 2, "sum": 20_000}

    for name in files:
        put(folder / "x.zip", files | {name: files[name] + b" "})
        code, said = await verdict(terminal, "x.zip", *trusted)
        assert code in (1, 2), name
        assert name in said, said
        put(folder / "x.zip", {n: c for n, c in files.items() if n != name})
        code, said = await verdict(terminal, "x.zip", *trusted)
        assert code in (1, 2), name
    put(folder / "x.zip", files | {"more.txt": b""})
    assert "more.txt is there and not named" in (await verdict(terminal, "x.zip", *trusted))[1]

    for named, change in CONTRADICTIONS.items():
        put(folder / "x.zip", await signed(site, change(files)))
        code, said = await verdict(terminal, "x.zip", *trusted)
        assert (code, named in said) == (1, True), (named, said)
    put(folder / "x.zip", await signed(site, files))
    assert (await verdict(terminal, "x.zip", *trusted))[0] == 0, "as it is, it is signed as well"
    (case,) = await rows(site, "SELECT id FROM break WHERE state = 'resolved'")
    site.clock.move(timedelta(minutes=1))
    await cases(site).comment(AGENCY, case["id"], "later", OTHER)
    await pack(site, terminal, database_url, "c.zip")
    assert (folder / "c.zip").read_bytes() == (folder / "a.zip").read_bytes(), "it is closed"


async def test_what_comes_after_the_closing_changes_no_pack_and_the_next_day_opens_with_it(
    site: Site, terminal: Terminal, database_url: str
) -> None:
    """What the first day leaves open is what the second begins with."""
    payment = await paid_by_vnpay(site)
    await two_days(site, payment)
    for name, day in (("one.zip", DAY), ("two.zip", NEXT)):
        end = await pack(site, terminal, database_url, name, "--date", day.isoformat())
        assert (end.code, end.said) == (0, "")
        assert (await verdict(terminal, name))[0] == 3
    one, two = (contents(terminal.folder / f"{n}.zip") for n in ("one", "two"))

    (first,), (second,) = rows_in(one[form.PROOF]), rows_in(two[form.PROOF])
    for source in SOURCES:
        assert first[source]["closing"] == second[source]["opening"], source
    assert second["statement"] == {
        "opening": {"count": 0, "sum": 0}, "new": {"count": 3, "sum": 0},
        "matched": {"count": 3, "sum": 0}, "closing": {"count": 0, "sum": 0},
    }  # fmt: skip
    await take(site, "statement", {"line_id": "9", "booked_on": "2026-11-20", "memo": "CT"})
    site.clock.move(timedelta(days=1))
    await reconcile(site, NEXT + timedelta(days=1))
    (case,) = await rows(site, "SELECT id FROM break")
    await cases(site).comment(AGENCY, case["id"], "later", OTHER)
    await pack(site, terminal, database_url, "again.zip", "--date", DAY.isoformat())
    assert (terminal.folder / "again.zip").read_bytes() == (
        terminal.folder / "one.zip"
    ).read_bytes()


async def test_what_two_people_matched_names_their_act(
    site: Site, terminal: Terminal, database_url: str
) -> None:
    """A transfer that was told of twice, days apart: opening on the day that brings it together."""
    payment, on = await site.payment(), NEXT + timedelta(days=5)
    assert await site.sepay_says(f"TP{payment['reference']}", 10_000, 77) == 200
    site.clock.move(timedelta(days=7))
    interest = {"booked_on": "2026-11-18", "amount": 5, "memo": "LAI"}
    await take(site, "statement", {"booked_on": "2026-11-23", "memo": "CT"}, interest)
    for day in (on, DAY, on - timedelta(days=1)):
        await reconcile(site, day)
    (twin,) = await rows(site, "SELECT * FROM break WHERE kind = 'unknown_money' AND amount > 5")
    missing = await broken(site, "missing_at_provider")
    sides = (
        Side("break", twin["id"], 10_000), Side("capture", missing["capture_id"], 10_000),
    )  # fmt: skip
    await resolve(site, twin, Wanted(LINK, "", sides[:1], sides[1:]))
    site.clock.move(timedelta(days=1))
    report = await reconcile(site, on)
    assert report.closed is not None
    assert report.closed.is_closed, report.closed.open_checks
    end = await pack(site, terminal, database_url, "a.zip", "--date", on.isoformat())
    assert (end.code, end.said) == (0, "")

    files = contents(terminal.folder / "a.zip")
    (proof,) = rows_in(files[form.PROOF])
    assert proof["gateway"]["opening"] == proof["gateway"]["matched"] == {
        "count": 1, "sum": 10_000,
    }  # fmt: skip
    (line,) = rows_in(files[form.LINES])
    assert line["came"] == "known", "a run had found a capture of its own for it"
    (match,) = rows_in(files[form.MATCHES])
    *_, agreed = rows_in(files[form.ACTS])
    assert (match["rule"], match["action_id"]) == ("by-hand", agreed["id"])
    assert (await verdict(terminal, "a.zip"))[0] == 3
    put(terminal.folder / "x.zip", await signed(site, changed(form.ACTS, -1, id="act_x")(files)))
    assert f"nobody is there who found {match['id']}" in (await verdict(terminal, "x.zip"))[1]


async def test_personal_data_comes_along_when_it_is_asked_for_and_that_is_written_down(
    site: Site, terminal: Terminal, database_url: str
) -> None:
    await a_day_with_everything(site)
    await pack(site, terminal, database_url, "a.zip", "--with-personal-data")
    files = contents(terminal.folder / "a.zip")

    statements = [c for n, c in files.items() if n.startswith(form.STATEMENTS)]
    assert len(statements) == 2
    assert any(PAYER.encode() in c for c in statements)
    assert "Gọi cho".encode() in files[form.ACTS]
    code, said = await verdict(terminal, "a.zip")
    assert (code, "left their words out" in said) == (3, False)
    (name,) = (n for n, c in files.items() if PAYER.encode() in c and "statements" in n)
    put(terminal.folder / "x.zip", await signed(site, files | {name: b"other"}))
    assert f"{name} is not the file that was brought" in (await verdict(terminal, "x.zip"))[1]
    noted = await rows(site, "SELECT action FROM audit WHERE action LIKE 'pack.%'")
    assert [r["action"] for r in noted] == ["pack.open"]


async def test_rules_that_have_changed_since_are_left_out_and_that_is_said(
    site: Site, terminal: Terminal, database_url: str
) -> None:
    await a_day_with_everything(site)
    await site.as_owner("UPDATE recon_run SET rules_hash = 'x', result_hash = 'y'")
    end = await pack(site, terminal, database_url, "a.zip", "--json")

    assert json.loads(end.out)["lacking"] == ["rules", "results"]
    names = set(contents(terminal.folder / "a.zip"))
    assert not {n for n in names if n.startswith(form.RULES)} | ({form.RESULTS} & names)
    code, said = await verdict(terminal, "a.zip")
    assert (code, "has changed since: rules, results" in said) == (3, True)


async def test_a_day_that_is_not_as_it_was_sealed_is_not_packed(
    site: Site, terminal: Terminal, database_url: str
) -> None:
    await a_day_with_everything(site)
    await site.as_owner("ALTER TABLE entry DISABLE TRIGGER USER")
    await site.as_owner("UPDATE entry SET amount = amount + 1")
    end = await pack(site, terminal, database_url, "a.zip")
    assert (end.code, "is not as it was sealed" in end.said) == (2, True)
    assert not (terminal.folder / "a.zip").exists()
