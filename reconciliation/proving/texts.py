"""Reads which payment a text names: notices, banks' lines and the treasury's documents."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from gateway.domain.ids import (
    ALPHABET,
    TRANSFER_PREFIX,
    find_references,
    pack,
    read_reference,
    reference_length,
)
from reconciliation.proving.cells import rules
from reconciliation.proving.columns import put


def refer(base: Any) -> None:  # noqa: ANN401 - duckdb ships no types.
    """Say which payment each text names, where it matters: of marked lines, documents and words."""
    base.execute(
        "CREATE TABLE referring (line_id VARCHAR, is_whole BOOLEAN);"
        " CREATE TABLE memo_named (memo VARCHAR, is_line BOOLEAN, payment_id VARCHAR);"
    )
    told = base.execute(
        "SELECT DISTINCT id, memo FROM line WHERE id IN (SELECT line_id FROM marked)"
    )
    referring = [
        [line_id, any(found.values())]
        for line_id, memo in told.fetchall()
        if (found := _references(memo, is_line=True))
    ]
    put(base, "referring", referring)
    base.execute(rules("45-texts"))
    memos = base.execute("SELECT memo, is_line FROM unread").fetchall()
    named = [
        [memo, is_line, r] for memo, is_line in memos for r in _references(memo, is_line=is_line)
    ]
    base.execute("CREATE TEMP TABLE names (memo VARCHAR, is_line BOOLEAN, reference VARCHAR)")
    put(base, "names", named)
    base.execute(
        "INSERT INTO memo_named SELECT DISTINCT n.memo, n.is_line, p.id FROM names n JOIN payment p"
        " ON p.reference = n.reference; CREATE TABLE sole_named AS SELECT memo, is_line,"
        " min(payment_id) AS payment_id FROM memo_named GROUP BY ALL HAVING count(*) = 1"
    )


def _references(memo: str, *, is_line: bool) -> dict[str, bool]:
    """Give the references in a text, and whether each is whole. Notices came as single bytes."""
    with suppress(UnicodeError):  # A statement's text is letters already.
        memo = memo.encode("latin-1").decode()
    found = {r.reference: not r.corrected for r in find_references(memo)}
    bare = read_reference(memo.strip())
    if bare and not bare.corrected:
        found[bare.reference] = True
    if is_line and not any(found.values()):
        found |= dict.fromkeys(_misspelt(pack(memo.replace("\n", ""))), False)
    return found


def _misspelt(packed: str) -> Iterator[str]:
    """Give each reference that is one lost, extra or turned letter away from what a text says."""
    _, *words = packed.split(TRANSFER_PREFIX)
    for n in range(len(words)):
        word = TRANSFER_PREFIX.join(words[n:])
        for tried in _one_away(word):
            read = read_reference(tried)
            if read and not read.corrected:
                yield read.reference


def _one_away(word: str) -> Iterator[str]:
    short, same, long = (word[: reference_length + more] for more in (-1, 0, 1))
    for at in range(reference_length + 1):
        yield long[:at] + long[at + 1 :]
        yield same[:at] + same[at : at + 2][::-1] + same[at + 2 :]
        yield from (short[:at] + letter + short[at:] for letter in ALPHABET)
