"""A thousand memos read at once say what each says alone: a file has a million."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.ids import find_references, make_reference, read_reference
from reconciliation.marks import bag_in, marks, marks_in
from reconciliation.readers.damaged import damaged_references
from reconciliation.readers.line import StatementLine
from reconciliation.readers.profile import load_profile
from reconciliation.readers.reading import read

REFERENCE = make_reference(b"seventh")
words = st.sampled_from(
    [REFERENCE, f"TP{REFERENCE}", f"tp{REFERENCE.lower()}", f"TP{REFERENCE[:5]}0{REFERENCE[6:]}",
     f"TP{REFERENCE[:5]}\n{REFERENCE[5:]}", "TP", "Nộp lệ phí", "T", "P", "\n", "đất đai", "=1+1",
     *(m["text"] for m in marks()["mark"])],
)  # fmt: skip
memos = st.lists(st.lists(words, max_size=4).map(" ".join).map(str.strip), max_size=12)


def written(memos: list[str]) -> bytes:
    """Write a statement of these memos."""
    names = [c.name for c in load_profile("canonical-statement").columns]
    rows = "".join(f'1,{n},2026-11-18,,1000,VND,,,"{m}",\n' for n, m in enumerate(memos))
    return (",".join(names) + "\n" + rows).encode()


def alone(memo: str) -> tuple[tuple[str, ...], str | None, tuple[str, ...]]:
    """Say what one memo says, the long way."""
    from gateway.domain.ids import fold

    found = list(find_references(memo))
    bare = read_reference(memo.strip())
    if bare and not bare.corrected:
        found.append(bare)
    found.sort(key=lambda x: x.corrected)
    is_whole = any(not x.corrected for x in found)
    folded = "" if is_whole else fold(memo)
    guessed = () if is_whole else damaged_references(memo)
    named = tuple(dict.fromkeys([*(x.reference for x in found), *guessed]))
    return named, bag_in(folded), marks_in(folded, 1000)


@given(memos)
def test_memos_read_together_say_what_each_says_alone(memos: list[str]) -> None:
    lines: tuple[StatementLine, ...] = read(load_profile("canonical-statement"), written(memos))

    told = [(x.candidates, x.batch_id, x.marks) for x in lines]

    assert told == [alone(memo) for memo in memos]
