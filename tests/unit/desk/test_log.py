"""The log's tree, held to a plain recursive one as RFC 6962 writes it down."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egide.bank import Home
from egide.desk.log import Log
from egide.desk.log_tree import EMPTY_ROOT, Frontier, extends, included, leaf_hash
from egide.errors import AlreadyThere, StorageError, UsageError

RFC_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
RFC_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""The roots of the first 0, 1, … leaves: test vectors of Certificate Transparency."""


def mth(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def commitments(count: int) -> list[bytes]:
    return [hashlib.sha256(b"%d" % number).digest() for number in range(count)]


def fill(home: Home, leaves: Sequence[bytes]) -> Log:
    log = Log()
    with home.database.write() as connection:
        for number, leaf in enumerate(leaves):
            assert log.append(connection, leaf, "EG-2222-2222", number) == number
    return log


def test_roots_are_those_of_certificate_transparency() -> None:
    frontier = Frontier()
    roots = [frontier.root().hex()]
    for leaf in RFC_LEAVES:
        frontier.add(leaf_hash(leaf))
        roots.append(frontier.root().hex())
    assert roots == RFC_ROOTS
    assert RFC_ROOTS[0] == EMPTY_ROOT.hex()


@pytest.mark.both_databases
def test_every_proof_of_every_size_holds_and_no_other(home: Home) -> None:
    leaves = commitments(21)
    log = fill(home, leaves)
    with home.database.read() as connection:
        roots = [log.root(connection, size) for size in range(len(leaves) + 1)]
        assert roots == [mth(leaves[:size]) for size in range(len(leaves) + 1)]
        for size in range(1, len(leaves) + 1):
            for index in range(size):
                path = log.inclusion(connection, index, size)
                assert len(path) <= (size - 1).bit_length()
                hashed = leaf_hash(leaves[index])
                assert included(hashed, index, size, path) == roots[size]
                assert included(leaf_hash(b"other"), index, size, path) != roots[size]
                assert included(hashed, index, size, [*path, bytes(32)]) is None
                if path:
                    assert included(hashed, index, size, path[:-1]) is None
        for first in range(len(leaves) + 1):
            for second in range(first, len(leaves) + 1):
                path = log.consistency(connection, first, second)
                assert extends(first, roots[first], second, roots[second], path)
                assert not extends(first, roots[first], second, bytes(32), path) or first == 0
                if first:
                    assert not extends(first, bytes(32), second, roots[second], path)
                assert not extends(first, roots[first], second, roots[second], [*path, bytes(32)])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 70), st.integers(0, 70), st.lists(st.binary(min_size=32, max_size=32)), st.data()
)
def test_a_made_up_consistency_proof_never_holds(
    first: int, second: int, path: list[bytes], data: st.DataObject
) -> None:
    leaves = commitments(70)
    wrong = data.draw(st.binary(min_size=32, max_size=32))
    if 0 < first != second:
        assert not extends(first, wrong, second, mth(leaves[:second]), path)
    assert included(wrong, first, second, path) != mth(leaves[:second])


def test_a_log_that_is_kept_has_the_nodes_of_one_that_streams(home: Home) -> None:
    leaves = commitments(37)
    fill(home, leaves)
    frontier, made = Frontier(), {}
    for number, leaf in enumerate(leaves):
        for level, node in enumerate(frontier.add(leaf_hash(leaf)), 1):
            made[level, number >> level] = node
    rows = home.database.fetch("SELECT level, position, hash FROM log_node")
    assert {(row[0], row[1]): bytes(row[2]) for row in rows} == made
    assert frontier.root() == mth(leaves)


def test_an_event_is_logged_once_and_found(home: Home) -> None:
    log = fill(home, commitments(3))
    with pytest.raises(AlreadyThere), home.database.write() as connection:
        log.append(connection, bytes(32), "EG-2222-2222", 1)
    with home.database.read() as connection:
        assert log.size(connection) == 3
        assert log.leaf(connection, "EG-2222-2222", 1) == (1, 0)
        assert log.leaf(connection, "EG-2222-2222", 3) is None


def test_what_the_log_has_not_is_refused(home: Home) -> None:
    log = fill(home, commitments(3))
    with home.database.read() as connection:
        for wrong in (
            lambda: log.root(connection, 4),
            lambda: log.inclusion(connection, 2, 2),
            lambda: log.inclusion(connection, -1, 2),
            lambda: log.consistency(connection, 3, 2),
            lambda: log.consistency(connection, 0, 4),
        ):
            with pytest.raises(UsageError):
                wrong()


def test_a_hash_that_is_missing_is_told(home: Home) -> None:
    log = fill(home, commitments(4))
    with home.database.write() as connection:
        connection.execute("DELETE FROM log_node WHERE level = 1 AND position = 1")
    with (
        pytest.raises(StorageError, match="egide desk log verify"),
        home.database.read() as connection,
    ):
        log.inclusion(connection, 0, 4)


def test_adding_and_proving_take_few_statements(home: Home) -> None:
    log = Log()
    with home.database.write() as connection:
        for number, leaf in enumerate(commitments(1000)):
            log.append(connection, leaf, "EG-2222-2222", number)
    said: list[str] = []
    home.database.connection.set_trace_callback(said.append)  # type: ignore[attr-defined]
    with home.database.read() as connection:
        root = log.root(connection, 1000)
        path = log.inclusion(connection, 517, 1000)
    assert included(leaf_hash(commitments(1000)[517]), 517, 1000, path) == root
    assert len(said) < 60
    assert all(one != other for one, other in pairwise(path))
