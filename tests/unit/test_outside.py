"""The files outside the database: what was kept is found, whatever was cut off or taken away."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from receipts.outside import NUMBERED, SEALED, Outside, Record

ON = date(2026, 11, 18)
SERIES = ("EBL01", "26TAA")


def sealed(number: int, series: str = "26TAA") -> Record:
    return Record(SEALED, "EBL01", series, number, {"xml": f"<BLai>số {number}</BLai>"})


def numbers(outside: Outside) -> list[int]:
    return [number for _, _, number, _ in outside.index("a", None)]


def test_what_was_kept_is_read_again_as_it_was(tmp_path: Path) -> None:
    outside = Outside(tmp_path)
    outside.keep("a", ON, [Record(NUMBERED, *SERIES, 9, {}), sealed(2), sealed(1)])

    assert outside.marks("a") == {SERIES: 2}, "what is numbered and not sealed was given to nobody"
    (_, two, _) = list(Outside(tmp_path).index("a", None))
    assert outside.at(two[3]) == {"xml": "<BLai>số 2</BLai>"}
    assert outside.marks("b") == {}
    assert outside.agencies() == ["a"]
    assert (tmp_path / "a" / "2026-11-18.receipts").stat().st_mode & 0o077 == 0, "nobody else reads"


def test_each_process_sees_what_the_others_keep(tmp_path: Path) -> None:
    ours, theirs = Outside(tmp_path), Outside(tmp_path)
    ours.keep("a", ON, [sealed(1)])
    assert theirs.marks("a") == {SERIES: 1}
    theirs.keep("a", ON, [sealed(2)])

    assert ours.marks("a") == {SERIES: 2}


def test_a_line_that_was_cut_off_counts_as_never_written(tmp_path: Path) -> None:
    """The transaction behind it was not committed; what comes after begins on a line of its own."""
    outside = Outside(tmp_path)
    outside.keep("a", ON, [sealed(1)])
    path = tmp_path / "a" / "2026-11-18.receipts"
    whole = path.read_bytes()
    path.write_bytes(whole + sealed(2).line()[:-30])
    assert outside.marks("a") == {SERIES: 1}

    outside.keep("a", ON, [sealed(3)])

    assert numbers(outside) == [1, 3]
    assert outside.marks("a") == Outside(tmp_path).marks("a") == {SERIES: 3}


def test_a_new_days_file_says_how_far_each_series_had_come(tmp_path: Path) -> None:
    """So a start reads three files and not ten years."""
    outside = Outside(tmp_path)
    outside.keep("a", date(2026, 1, 5), [sealed(7, "26TAB")])
    for day in range(1, 6):
        outside.keep("a", date(2026, 11, day), [sealed(day)])

    assert Outside(tmp_path).marks("a") == {SERIES: 5, ("EBL01", "26TAB"): 7}
    (tmp_path / "a" / "2026-01-05.receipts").unlink()
    assert Outside(tmp_path).marks("a") == {SERIES: 5, ("EBL01", "26TAB"): 7}


def test_a_folder_that_was_taken_away_is_seen(tmp_path: Path) -> None:
    outside = Outside(tmp_path)
    outside.keep("a", ON, [sealed(1)])
    assert outside.marks("a")

    shutil.rmtree(tmp_path / "a")

    assert outside.marks("a") == {}


def test_a_line_that_was_changed_is_refused(tmp_path: Path) -> None:
    outside = Outside(tmp_path)
    outside.keep("a", ON, [sealed(1)])
    path = tmp_path / "a" / "2026-11-18.receipts"
    path.write_bytes(path.read_bytes().replace("số 1".encode(), "số 7".encode()))
    ((*_, place),) = list(outside.index("a", None))

    with pytest.raises(ValueError, match="not what was written"):
        outside.at(place)
