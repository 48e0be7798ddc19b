"""Matching against data whose truth is known, and the judge that must see what is wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bench.reconciliation.judge import judge
from bench.reconciliation.measure import streams
from bench.reconciliation.reading import load
from bench.reconciliation.world import World
from reconciliation.engine import Found, match
from reconciliation.readers.canonical import build_lines
from reconciliation.readers.totals import Totals

PAYMENTS = 10_000  # Of few, two days collect the same, and their lumps rightly stay open.


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("truth")
    World(PAYMENTS, 1, "dirty").write(place)
    return place


@pytest.fixture
def files(folder: Path) -> Iterator[Any]:
    with duckdb.connect() as base:
        load(base, folder)
        yield base


def test_no_money_is_closed_wrongly_and_each_break_is_of_its_kind(files: Any) -> None:
    verdict = judge(files, match(streams(files)))

    assert verdict.wrong_lines == 0
    assert verdict.keyed >= 0.999
    assert min(verdict.kinds_found, verdict.kinds_right) >= 0.99
    assert len(verdict.by_class) > 8  # The month did have its troubles.


def test_the_judge_sees_money_that_is_closed_wrongly(files: Any) -> None:
    """A judge who is always content proves nothing."""
    found = match(streams(files))
    files.register("said", found.matches)
    turned = files.sql(
        "SELECT rule, line_id, CASE capture_id WHEN a THEN b WHEN b THEN a ELSE capture_id END"
        " AS capture_id, amount, why FROM said, (SELECT min(capture_id) AS a,"
        " max(capture_id) AS b FROM said WHERE rule = '01-provider-id')"
    ).to_arrow_table()

    assert judge(files, Found(turned, found.differences)).wrong_dong > 0


def test_what_only_the_three_files_and_the_truth_tell_closes_nothing_wrongly(
    folder: Path, tmp_path: Path
) -> None:
    """An outsider's folder has no gateway's side: it is rebuilt."""
    for file in folder.glob("*.csv"):
        if file.name != "gateway.csv":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with duckdb.connect() as base:
        load(base, tmp_path)
        verdict = judge(base, match(streams(base)))

    assert verdict.wrong_lines == 0
    assert verdict.everything > 0.9


def test_columns_are_read_as_the_products_reader_reads_lines(files: Any) -> None:
    """A text that is plain skips the reader: what it would have named is named all the same."""
    rows = files.sql(
        "SELECT n, account, '', CAST(booked_on AS VARCHAR), '', CAST(amount AS VARCHAR), 'VND', '',"
        " reference, memo, '' FROM statement ORDER BY n"
    ).fetchall()
    lines = build_lines("statement", ((n, cells) for n, *cells in rows), Totals(), {})
    wanted = {(f"s{line.line_no}", r) for line in lines for r in line.candidates}

    found = set(files.sql("SELECT line_id, reference FROM candidate").fetchall())
    payments = {r for (r,) in files.sql("SELECT reference FROM payment").fetchall()}
    assert {x for x in found if x[0].startswith("s")} <= wanted
    assert {x for x in wanted if x[1] in payments} <= found
