"""Matching is a partition, whatever the files say; and its SQL is no dialect's secret."""

import os
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciliation.engine import BREAKS, Result, rules, run, tables_of
from reconciliation.inputs import Inputs

# Invented days: 45 in «make test», 1,000 in «make proof».
days = int(os.environ.get("PROOF_DAYS_MATCHED", "45"))
DAY_NO = (date(2026, 11, 18) - date(2000, 1, 1)).days
PG_TYPES = {
    "amount": "bigint", "day_no": "int", "line_no": "int", "gross": "bigint", "fee": "bigint",
    "net": "bigint", "value_on": "date",
    "booked_on": "date", "paid_at": "timestamptz", "business_on": "date", "business_no": "int",
    "confirm_by_no": "int", "value_no": "int",
    "rate_ppm": "bigint", "fixed": "bigint", "slack": "bigint",
    "is_cash": "boolean", "seen_by_no": "int", "left_on": "date",
}  # fmt: skip


def _day(n: int) -> date:
    return date.fromordinal(date(2026, 11, 18).toordinal() + n)


references = ("AAAA", "BBBB", "CCCC")


@given(st.integers(0, 2**32))
@settings(max_examples=days, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_line_is_a_match_or_a_break_and_never_both(seed: int) -> None:
    """And one capture is on the bank's statement once, on a provider's report once."""
    world = _world(seed)
    result = run(world)

    matched = {m.line_id for m in result.matches}
    broken = [d.line_id for d in result.differences if d.line_id]
    assert matched | set(broken) == {x["id"] for x in world.lines}
    assert matched.isdisjoint(broken)
    assert all(m.rule and m.why for m in result.matches)
    assert all(d.kind and d.why and d.amount > 0 for d in result.differences)
    transfers = (
        "02-bank-movement",
        "03-reference",
        "04-nth-of-equals",
        "11-business-day",
        "02-advised",
        "13-lost-reference",
    )
    _each_capture_once(result, transfers)
    _each_capture_once(result, ("01-provider-id",))
    lines_used = [(m.line_id, m.capture_id) for m in result.matches]
    assert len(lines_used) == len(set(lines_used))


def _each_capture_once(result: Result, of: tuple[str, ...]) -> None:
    used = [m.capture_id for m in result.matches if m.rule in of]
    assert len(used) == len(set(used))
    lines = [m.line_id for m in result.matches if m.rule in of]
    assert len(lines) == len(set(lines))


@given(st.integers(0, 2**32))
@settings(max_examples=days // 3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_same_inputs_in_any_order_give_the_same_answer(seed: int) -> None:
    world = _world(seed)
    turned = Inputs(world.captures[::-1], world.shares[::-1], world.dues[::-1],
                    world.taken_back[::-1], world.lines[::-1],
                    world.advised[::-1], world.bags[::-1], world.bagged[::-1],
                    world.owed_by_agency[::-1], world.accounts[::-1])  # fmt: skip

    assert run(turned).digest == run(world).digest


async def test_the_rules_give_the_same_answer_on_postgresql(database_url: str) -> None:
    """The text is plain SQL: the way past one machine stays open."""
    connection = await asyncpg.connect(database_url)
    try:
        for seed in range(25):
            world = _world(seed)
            assert await _on_postgresql(connection, world) == _answer(run(world)), seed
    finally:
        await connection.close()


def _world(seed: int) -> Inputs:
    """Draw a small, crowded world: few amounts, days and references, so that much looks alike."""
    chance = Random(seed)  # noqa: S311 - a story, not a secret.
    captures, shares, dues, lines = [], [], [], []
    for i in range(12):
        n, amount, is_transfer = (
            chance.randrange(4),
            chance.choice((5_000, 10_000)),
            (chance.random() < 0.6),
        )
        business = n + chance.choice((0, 0, 1, 3))  # After the cut-off; on a Friday evening.
        captures.append({
            "id": f"cap{i:02}", "provider_account": "vietqr/default" if is_transfer
            else "vnpay/default", "txn_id": f"T{i}", "amount": amount, "value_on": _day(n),
            "day_no": DAY_NO + n, "paid_at": datetime(2026, 11, 18 + n, 5, i, tzinfo=UTC),
            "business_on": _day(business), "business_no": DAY_NO + business,
            "bank_account": "0123" if is_transfer else None,
            "bank_reference": chance.choice((None, None, f"FT{i}", "FT1")) if is_transfer else None,
            "is_cash": not is_transfer and chance.random() < 0.3,
        })  # fmt: skip
        which = chance.randrange(3)
        shares.append({"capture_id": f"cap{i:02}", "payment_id": f"pay{which}",
                       "reference": references[which]})  # fmt: skip
        dues.append({"payment_id": f"pay{i}", "capture_id": f"cap{i:02}", "kind": "phi",
                     "budget_line": "2716", "amount": amount, "booked_on": _day(business),
                     "day_no": DAY_NO + business,
                     "confirm_by_no": DAY_NO + business + 3})  # fmt: skip
    for i in range(24):
        source = ("provider", "statement", "treasury")[i % 3]
        n, amount = chance.randrange(2), chance.choice((5_000, 10_000))
        sign = -1 if source == "statement" and chance.random() < 0.2 else 1
        lines.append({
            "id": f"lin{i:02}", "source": source, "account": {
            "provider": f"vnpay/{chance.choice(('default', 'default', 'default', 'tay-ho'))}",
            "statement": "0123", "treasury": "1057757"}[source], "booked_on": _day(n),
            "day_no": DAY_NO + n, "value_on": _day(n), "value_no": DAY_NO + n, "line_no": i,
            "kind": chance.choice(("payment", "payment",
            "charge", "refund")) if source == "provider" else "credit", "gross": sign * amount,
            "fee": 0, "net": sign * amount, "txn_id": f"T{chance.randrange(14)}",
            "reference": chance.choice((None, "FT1", f"FT{i}", "B1", "NS1", "BAG1")),
            "batch_id": {"provider": chance.choice(("B1", "B2")), "statement": None,
            "treasury": "NS1"}[source], "obligation_id": chance.choice((None, "pay1",
            f"pay{chance.randrange(14)}")) if source == "treasury" else None,
            "budget_line": "2716" if source == "treasury" else None, "marks": chance.choice(([],
            [], ["VNPAY THANH TOAN"], ["NOP NSNN"], ["NOP TIEN MAT"], ["BU PHI THANH TOAN"],
            ["VNPAY THANH TOAN", "BU PHI THANH TOAN"])),
            "candidates": chance.sample(references, 1)
            if source == "statement" and chance.random() < 0.5 else [],
        })  # fmt: skip
    taken_back = [
        {"id": f"ref_{n}", "capture_id": f"cap{n:02}", "provider_account": "vnpay/default",
         "kind": "refund", "reference": f"FT{n}", "amount": chance.choice((5_000, 10_000))}
        for n in range(6)
    ]  # fmt: skip
    for line in lines:  # A refund is a negative line of a report.
        if line["kind"] == "refund":
            line["gross"], line["net"] = -line["gross"], -line["net"]
    advised = [
        {"line_id": line["id"], "capture_id": f"cap{chance.randrange(12):02}"}
        for line in lines
        if line["source"] == "statement" and line["net"] > 0 and chance.random() < 0.3
    ]
    bags, in_bag = _bags(chance, lines)
    owed = [{"voucher": f"lin{chance.randrange(24):02}", "amount": chance.choice((-5_000, 20_000))}]
    accounts = [{"provider_account": f"vnpay/{name}"} for name in ("default", "tay-ho")]
    return Inputs(
        captures, shares, dues, taken_back, lines, advised, bags, in_bag, owed, accounts
    )  # fmt: skip


def _bags(
    chance: Random, lines: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Draw deposit bags and what was in them; let marked lines name some."""
    bags = [
        {"id": f"shf{n}", "shift_id": f"shf{n // 2}", "bag": f"BAG{n}", "number": f"BAG{n % 3}",
         "amount": chance.choice((5_000, 10_000)), "left_on": _day(0),
         "seen_by_no": chance.choice((DAY_NO, None))}
        for n in range(4)
    ]  # fmt: skip
    for line in (x for x in lines if x["marks"] == ["NOP TIEN MAT"]):
        named = ((None, None), ("BAG0", None), ("BAG1", None), ("BAG9", None), (None, "bag-2"))
        line["batch_id"], line["reference"] = chance.choice(named)
    in_bag = [{"bag_id": f"shf{n % 4}", "capture_id": f"cap{n:02}", "amount": 1} for n in range(6)]
    return bags, in_bag


def _answer(result: Result) -> tuple[list[Any], list[Any]]:
    return (
        sorted((m.rule, m.line_id, m.capture_id or "", m.amount, m.why) for m in result.matches),
        sorted(
            (d.kind, d.subject, d.amount, d.line_id or "", d.capture_id or "", d.why, d.since_on)
            for d in result.differences
        ),
    )


async def _on_postgresql(
    connection: asyncpg.Connection, world: Inputs
) -> tuple[list[Any], list[Any]]:
    shape = tables_of(world)
    names = {name: list(rows[0]) for name, rows in shape.items() if rows}
    names |= {"candidate": ["line_id", "reference"], "advised": ["line_id", "capture_id"],
              "mark": ["line_id", "kind", "provider_account"],
              "bag_named": ["line_id", "number"], "attempt": ["provider_account", "reference"],
              "declared_charge": ["provider_account", "rate_ppm", "fixed", "slack"]}  # fmt: skip
    async with connection.transaction():
        for name, columns in names.items():
            wanted = [c for c in columns if c not in ("candidates", "marks")]
            kinds = ", ".join(f"{c} {PG_TYPES.get(c, 'text')}" for c in wanted)
            await connection.execute(f"CREATE TEMP TABLE {name} ({kinds}) ON COMMIT DROP")
            await connection.copy_records_to_table(
                name, columns=wanted, records=[[r[c] for c in wanted] for r in shape[name]]
            )
        await connection.execute(
            "CREATE TEMP TABLE matched (rule text, line_id text, capture_id text, amount bigint,"
            " why text) ON COMMIT DROP"
        )
        for name, sql in rules().items():
            if name != BREAKS:
                await connection.execute(
                    f"INSERT INTO matched SELECT '{name.removesuffix('.sql')}', line_id,"
                    f" capture_id, amount, why FROM ({sql}) found"
                )
        matches = await connection.fetch("SELECT * FROM matched")
        breaks = await connection.fetch(f"SELECT * FROM ({rules()[BREAKS]}) found")
    return (
        sorted((m["rule"], m["line_id"], m["capture_id"] or "", m["amount"], m["why"])
               for m in matches),
        sorted((d["kind"], d["subject"], int(d["amount"]), d["line_id"] or "",
                d["capture_id"] or "", d["why"], d["since_on"]) for d in breaks),
    )  # fmt: skip
