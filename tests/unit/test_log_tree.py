"""The tree and its proofs, against vectors of others and against the RFC's own recursion."""

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receipts.log.tree import (
    EMPTY_ROOT,
    Growth,
    Place,
    consistency,
    hash_of,
    inclusion,
    is_consistent,
    is_included,
    keeper,
    kept_hash,
    root_of,
    subtrees,
)

# The entries and roots that Certificate Transparency's implementations share as test data.
ENTRIES = [bytes.fromhex(x) for x in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
# Of the same data: the leaf, the size, and the path from the leaf up.
PATHS = (
    (0, 1, ()),
    (0, 8, (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    )),
    (5, 8, (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    )),
    (2, 3, ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",)),
)  # fmt: skip
LINKS = (
    (1, 1, ()),
    (1, 8, (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    )),
    (6, 8, (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    )),
)  # fmt: skip


# RFC 6962, 2.1: straight from its recursion, with nothing of ours in it.
def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def mth(d: list[bytes]) -> bytes:
    if not d:
        return sha(b"")
    if len(d) == 1:
        return sha(b"\0" + d[0])
    k = largest_power_below(len(d))
    return sha(b"\1" + mth(d[:k]) + mth(d[k:]))


def path_of(m: int, d: list[bytes]) -> list[bytes]:
    if len(d) == 1:
        return []
    k = largest_power_below(len(d))
    return [*path_of(m, d[:k]), mth(d[k:])] if m < k else [*path_of(m - k, d[k:]), mth(d[:k])]


def subproof(m: int, d: list[bytes], *, is_whole: bool) -> list[bytes]:
    if m == len(d):
        return [] if is_whole else [mth(d)]
    k = largest_power_below(len(d))
    if m <= k:
        return [*subproof(m, d[:k], is_whole=is_whole), mth(d[k:])]
    return [*subproof(m - k, d[k:], is_whole=False), mth(d[:k])]


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def grown(entries: list[bytes]) -> tuple[Growth, dict[Place, bytes]]:
    """Grow a tree leaf by leaf; give every hash that a leaf keeps, by its place."""
    tree, kept = Growth(), {}
    rows = [tree.add(entry) for entry in entries]
    for index, row in enumerate(rows):
        for level in range(len(row) // 32):
            place = (level, index >> level)
            assert keeper(place) == index
            kept[place] = kept_hash(place, row)
    return tree, kept


def entries(n: int) -> list[bytes]:
    return [n.to_bytes(32, "big") for n in range(n)]


def test_the_roots_are_those_of_everybody_else() -> None:
    assert root_of([]) == EMPTY_ROOT == Growth().root == sha(b"")
    for size, root in enumerate(ROOTS, 1):
        assert root_of(ENTRIES[:size]).hex() == root
        assert grown(ENTRIES[:size])[0].root.hex() == root


@pytest.mark.parametrize(("index", "size", "path"), PATHS, ids=str)
def test_the_inclusion_proofs_are_those_of_everybody_else(
    index: int, size: int, path: tuple[str, ...]
) -> None:
    _, kept = grown(ENTRIES[:size])
    made = [hash_of(r, kept) for r in inclusion(index, size)]

    assert [step.hex() for step in made] == list(path)
    assert is_included(ENTRIES[index], index, size, made, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "size", "path"), LINKS, ids=str)
def test_the_consistency_proofs_are_those_of_everybody_else(
    old: int, size: int, path: tuple[str, ...]
) -> None:
    _, kept = grown(ENTRIES[:size])
    made = [hash_of(r, kept) for r in consistency(old, size)]

    assert [step.hex() for step in made] == list(path)
    old_root, root = (bytes.fromhex(ROOTS[n - 1]) for n in (old, size))
    assert is_consistent(old, old_root, size, root, made)


@given(size=st.integers(1, 300), data=st.data())
@settings(max_examples=120, deadline=None)
def test_proofs_of_any_size_are_those_of_the_rfcs_recursion(size: int, data: st.DataObject) -> None:
    """And what one bit of them says otherwise is not believed."""
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    d = entries(size)
    tree, kept = grown(d)

    assert tree.root == root_of(d) == mth(d)
    path = [hash_of(r, kept) for r in inclusion(index, size)]
    assert path == path_of(index, d)
    assert is_included(d[index], index, size, path, tree.root)
    link = [hash_of(r, kept) for r in consistency(old, size)]
    assert link == subproof(old, d, is_whole=True)
    assert is_consistent(old, mth(d[:old]), size, tree.root, link)
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        assert not is_included(d[index], other, size, path, tree.root)
        assert not is_included(d[other], index, size, path, tree.root)
    bit = data.draw(st.integers(0, 255))
    for steps, believed in (
        (path, lambda p: is_included(d[index], index, size, p, tree.root)),
        (link, lambda p: is_consistent(old, mth(d[:old]), size, tree.root, p)),
    ):
        assert not believed([*steps, mth(d)])
        if steps:
            assert not believed(steps[:-1])
            at = data.draw(st.integers(0, len(steps) - 1))
            bad = bytearray(steps[at])
            bad[bit // 8] ^= 1 << bit % 8
            assert not believed([*steps[:at], bytes(bad), *steps[at + 1 :]])


@given(old=st.integers(1, 200), more=st.integers(0, 200), at=st.integers(0, 199))
@settings(max_examples=100, deadline=None)
def test_a_tree_whose_past_was_changed_is_not_consistent(old: int, more: int, at: int) -> None:
    """Whoever rewrites a leaf and everything above it has no proof to show."""
    d = entries(old + more)
    at %= old
    forged = [*d[:at], sha(d[at]), *d[at + 1 :]]
    tree, kept = grown(forged)

    link = [hash_of(r, kept) for r in consistency(old, old + more)]

    assert not is_consistent(old, mth(d[:old]), old + more, tree.root, link)


def test_what_asks_for_no_tree_is_refused() -> None:
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="no such leaf"):
            inclusion(index, size)
        assert not is_included(b"", index, size, [], EMPTY_ROOT)
    for old, size in ((0, 3), (4, 3)):
        with pytest.raises(ValueError, match="older tree"):
            consistency(old, size)
        assert not is_consistent(old, EMPTY_ROOT, size, EMPTY_ROOT, [EMPTY_ROOT])
    assert is_consistent(2, b"a", 2, b"a", [])
    assert not is_consistent(2, b"a", 2, b"b", [])


def test_the_subtrees_of_a_range_are_few_and_side_by_side() -> None:
    for size in range(1, 200):
        for first, end in [(0, size), *inclusion(size // 2, size), *consistency(1, size)]:
            spans = [(n << level, (n + 1) << level) for level, n in subtrees((first, end))]
            assert (spans[0][0], spans[-1][1]) == (first, end)
            assert all(a[1] == b[0] for a, b in pairwise(spans))
            assert len(spans) <= size.bit_length()
