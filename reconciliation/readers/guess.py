"""Proposes a profile for a sample file: what its headings and cells look like, never more.

A guess is a beginning. It is marked so, and whoever uses it reads the first lines beside the file.
"""

import csv
import io
import json
import re
from collections.abc import Sequence
from itertools import islice
from typing import Final

from gateway.domain.errors import Refusal
from reconciliation.readers.cells import Cell, amount_of, folded, moment_of, text_of
from reconciliation.readers.encodings import composed_lines
from reconciliation.readers.fields import MONEY
from reconciliation.readers.mapped import grid, title_rows_max
from reconciliation.readers.profile import (
    ENCODINGS,
    NUMBERS,
    PROFILES,
    Layout,
    Profile,
    Status,
    load_profile,
    profile_text,
)
from reconciliation.readers.reading import Reading
from reconciliation.readers.xlsx import is_workbook

sample_rows: Final = 40  # By which the words and layouts of an unknown file are found.
# What a profile must read without a doubt to be the file's own: more than most days have.
lines_tried_max: Final = 10_000
headings_min: Final = 3  # Fewer known headings in a row are chance.
DAYS: Final = ("dd/mm/yyyy", "dd-mm-yyyy", "yyyy-mm-dd", "dd.mm.yyyy", "yyyy/mm/dd")
CLOCKS: Final = ("", " hh:mm:ss", " hh:mm")
_OPTIONAL: Final = (
    "debit", "credit", "balance", "value_on", "reference", "batch_id", "fee", "net", "currency",
)  # fmt: skip
Rows = Sequence[tuple[int, Sequence[Cell]]]


def guess(content: bytes) -> str:
    """Give a profile for a file, as TOML; raises Refusal when nothing in it is known."""
    fitting = [p for p in map(load_profile, PROFILES) if _reads(p, content)]
    if fitting:  # Of several, the one that knows most of its columns.
        return profile_text(max(fitting, key=lambda p: len(p.layout.picks)).name)
    encoding, delimiter = _written(content)
    layout = Layout((), encodings=(encoding,), delimiter=delimiter)
    rows = list(islice(grid(layout, content), title_rows_max + sample_rows))
    source, at, picks = _heading(rows)
    below = rows[at + 1 : at + 1 + sample_rows]
    return _toml(source, layout, rows[at][1], picks, below)


def _reads(profile: Profile, content: bytes) -> bool:
    """Tell whether a profile reads a file: all of it, or very many lines."""
    try:
        return sum(1 for _ in islice(Reading(profile, content), lines_tried_max)) > 0
    except Refusal:
        return False


def _written(content: bytes) -> tuple[str, str]:
    """Find the encoding and the delimiter: those by which most headings are known."""
    if is_workbook(content):
        return "utf-8", ","
    known, best = _known_headings(), (-1, "utf-8", ",")
    for encoding in ENCODINGS:
        try:
            text = "".join(islice(composed_lines(content, (encoding,)), title_rows_max))
        except Refusal:
            continue
        for delimiter in (",", ";", "\t", "|"):
            rows = csv.reader(io.StringIO(text), delimiter=delimiter)
            try:
                found = max((sum(folded(c) in known for c in row) for row in rows), default=0)
            except csv.Error:  # By this delimiter it is no table.
                continue
            # Accents are folded away, so letters that belong to the language count as well.
            letters = sum(c in "ạảãáàăâđêôơưộệịờ" for c in text.lower())
            best = max(best, (found * 10_000 + letters, encoding, delimiter), key=lambda x: x[0])
    return best[1], best[2]


def _known() -> dict[str, dict[str, str]]:
    """Collect the headings of every shipped table, source by source."""
    known: dict[str, dict[str, str]] = {}
    for name in PROFILES:
        profile = load_profile(name)
        for pick in profile.layout.picks:
            for heading in pick.header:
                known.setdefault(profile.source, {}).setdefault(folded(heading), pick.fills)
    return known


def _known_headings() -> frozenset[str]:
    return frozenset(heading for of in _known().values() for heading in of)


def _heading(rows: Rows) -> tuple[str, int, dict[int, str]]:
    """Find the row whose headings are known best, and what each column fills."""
    best: tuple[str, int, dict[int, str]] = ("statement", 0, {})
    for at, (_, cells) in enumerate(rows):
        for source, known in sorted(_known().items(), reverse=True):
            picks: dict[int, str] = {}
            for place, cell in enumerate(cells):
                fills = known.get(folded(cell))
                if fills and fills not in picks.values():
                    picks[place] = fills
            if len(picks) > len(best[2]):
                best = source, at, picks
    if len(best[2]) < headings_min:
        said = "No row of the file has headings that are known: write its profile by hand."
        raise Refusal("file-refused", said)
    return best


def _number(rows: Rows, places: Sequence[int]) -> str:
    for number in NUMBERS:
        try:
            for _, cells in rows:
                for place in places:
                    cell = cells[place] if place < len(cells) else ""
                    if text_of(cell):
                        amount_of(cell, number, 1)
        except ValueError:
            continue
        return number
    return next(iter(NUMBERS))


def _moment(rows: Rows, place: int) -> str:
    for layout in (f"{day}{clock}" for day in DAYS for clock in CLOCKS):
        try:
            for _, cells in rows:
                if place < len(cells) and text_of(cells[place]):
                    moment_of(cells[place], layout)
        except ValueError:
            continue
        return layout
    return DAYS[0]


def _lines_of(rows: Rows, picks: dict[int, str]) -> Rows:
    """Leave out what is no line: totals and signatures have no day."""
    dated = [p for p, f in picks.items() if f in ("booked_on", "txn_at", "value_on")]
    return [
        (n, cells)
        for n, cells in rows
        if any(p < len(cells) and re.search("[0-9]", text_of(cells[p])) for p in dated)
    ]


def _toml(
    source: str, layout: Layout, heading: Sequence[Cell], picks: dict[int, str], below: Rows
) -> str:
    lines = _lines_of(below, picks)
    number = _number(lines, [p for p, fills in picks.items() if fills in MONEY])
    said = [
        "# Guessed from a sample: read every line of this before you use it.",
        f'source = "{source}"', 'format = "table"', 'status = "assumed"',
        'basis = "guessed from a sample file"', f'encodings = ["{layout.encodings[0]}"]',
        f"delimiter = {_quoted(layout.delimiter)}", f'number = "{number}"',
        'account_labels = ["Số tài khoản", "Tài khoản", "Account"]',
        'currency_labels = ["Loại tiền", "Tiền tệ", "Currency"]',
        'opening_labels = ["Số dư đầu kỳ", "Opening balance"]',
        'closing_labels = ["Số dư cuối kỳ", "Closing balance"]',
        'totals_labels = ["Tổng", "Cộng", "Total"]', "", "[fixed]", 'currency = "VND"',
    ]  # fmt: skip
    if source == "provider":
        said.append('provider = "name-of-the-provider"')
        said += [] if "kind" in picks.values() else ['kind = "payment"']
        said += _states(heading)
    for place, fills in picks.items():
        said += ["", "[[column]]", f'fills = "{fills}"', f"header = [{_quoted(heading[place])}]"]
        if fills in _OPTIONAL:
            said.append("optional = true")
        if fills.endswith("_on") or fills == "txn_at":
            said.append(f'layout = "{_moment(lines, place)}"')
        if fills == "kind":
            said += ["", "[column.values]  # A word of theirs = payment, refund, charge, reversal."]
            said += [f'{_quoted(w)} = "{_kind(w)}"' for w in _words(lines, place)]
    return "\n".join(said) + "\n"


def _states(heading: Sequence[Cell]) -> list[str]:
    """Propose the column of states, with the words of every shipped profile that has such a one."""
    known: list[Status] = [s for n in PROFILES if (s := load_profile(n).layout.status)]
    for cell in heading:
        alike = [s for s in known if folded(cell) in map(folded, s.header)]
        if alike:
            keep, skip = (
                ", ".join(map(_quoted, dict.fromkeys(w for s in alike for w in getattr(s, of))))
                for of in ("keep", "skip")
            )
            said = [f"header = [{_quoted(cell)}]", f"keep = [{keep}]", f"skip = [{skip}]"]
            return ["", "[rows]  # Only what moved money is kept.", *said]
    return []


def _words(rows: Rows, place: int) -> list[str]:
    return list(dict.fromkeys(text_of(c[place]) for _, c in rows if place < len(c)))


def _kind(word: str) -> str:
    return "refund" if re.search("HOAN|REFUND", folded(word)) else "payment"


def _quoted(cell: Cell) -> str:
    """Write a text as TOML does, which is as JSON does."""
    text = json.dumps(cell if isinstance(cell, str) else text_of(cell), ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")  # The one sign that JSON writes as it is.
