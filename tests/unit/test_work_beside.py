"""What a load does beside the rest: in order, one step away, and nothing is lost of what went wrong."""

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import BadInput, NotReady
from consent.vocabulary import LONGEST_NUMBER
from release.actions.loading.ahead import Behind, ahead, frugal
from release.actions.loading.limits import Limits
from release.actions.loading.staging import PERSON, WEIGHTS, Staging, spread
from release.rules.columns import read_numbers
from release.rules.values import Problem, read_number
from release.storage import LocalStore

NUMBERS = st.text(min_size=1, max_size=LONGEST_NUMBER).filter(
    lambda text: isinstance(read_number(text), str)
)
WEIGHED = np.random.default_rng(7).integers(1, 2**63, WEIGHTS).astype(np.uint64)
# Made here, because the first array of a process takes a second.
MANY = pa.chunked_array([[f"N-{number:07d}" for number in range(20_000)]])


def counted(made: list[int], most: int = 5) -> Iterator[int]:
    for number in range(1, most + 1):
        made.append(number)
        yield number


def test_what_is_made_ahead_comes_in_its_order():
    with ahead(counted([])) as items:
        assert list(items) == [1, 2, 3, 4, 5]


def test_no_more_than_one_is_made_ahead_and_none_after_the_end():
    made: list[int] = []
    with ahead(counted(made)) as items:
        assert next(items) == 1
    assert made in ([1], [1, 2])  # the second one may not have been begun


def test_what_making_one_raises_comes_where_it_is_asked_for():
    def broken() -> Iterator[int]:
        yield 1
        raise BadInput("quotes", "Nothing after it can be trusted.")

    with ahead(broken()) as items:
        assert next(items) == 1
        with pytest.raises(BadInput, match="trusted"):
            next(items)


def test_what_goes_wrong_behind_is_told_at_the_next_deed_or_at_the_end():
    def full() -> None:
        raise OSError("full")

    for then in (lambda behind: behind.do(full), lambda behind: behind.settle()):
        behind = Behind("test")
        behind.do(full)
        with pytest.raises(OSError, match="full"):
            then(behind)
        behind.settle()  # it is told once
        behind.end()


def test_deeds_behind_are_done_one_after_another():
    begun, go, done = threading.Event(), threading.Event(), []

    def first() -> None:
        begun.set()
        go.wait(10)
        done.append(1)

    behind = Behind("test")
    behind.do(first)
    assert begun.wait(10)
    assert done == []  # the caller went on
    go.set()
    behind.do(done.append, 2)
    behind.end()
    assert done == [1, 2]


def test_the_frugal_memory_is_given_back():
    usual = pa.default_memory_pool().backend_name
    with pytest.raises(BadInput), frugal():
        raise BadInput("quotes", "Broken.")
    assert pa.default_memory_pool().backend_name == usual


@given(st.lists(NUMBERS, min_size=1, max_size=20), st.data())
def test_a_number_falls_into_the_same_bucket_whatever_stands_beside_it(numbers, data):
    alone = [int(spread(pa.chunked_array([[each]], pa.string()), WEIGHED)[0]) for each in numbers]
    start = data.draw(st.integers(0, len(numbers) - 1))
    some = pa.chunked_array([pa.array(numbers, pa.string()).slice(start)])
    assert spread(some, WEIGHED).tolist() == alone[start:]


def test_numbers_are_spread_evenly():
    counts = np.bincount((spread(MANY, WEIGHED) % np.uint64(16)).astype(int), minlength=16)
    assert counts.min() > 1000
    assert counts.max() < 1500


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.text(max_size=4),
            st.sampled_from([" A-1", "A-1", "", " ", "x" * LONGEST_NUMBER, "é", "\t7", "a\0"]),
            st.just("x" * (LONGEST_NUMBER + 1)),
        ),
        max_size=8,
    )
)
def test_a_column_of_numbers_is_read_as_its_cells_are(cells):
    column = read_numbers(pa.array(cells, pa.string()), read_number)
    expected = [read_number(cell) for cell in cells]
    wrong = [(at, each) for at, each in enumerate(expected) if isinstance(each, Problem)]
    assert column.problems == wrong
    assert column.values.to_pylist() == [
        None if isinstance(each, Problem) else each for each in expected
    ]


def test_staged_rows_come_back_bucket_by_bucket_and_nothing_lies_there_in_clear(tmp_path):
    staging, store = staged(tmp_path)
    names = list(store.names("staging"))
    assert len(names) > 4
    assert not any(b"N-00" in store.open(name) for name in names)
    found = [bucket.column(PERSON).to_pylist() for bucket in staging.buckets()]
    assert sorted(itertools.chain(*found)) == sorted(MANY.slice(0, 2000).to_pylist())
    assert all(not set(one) & set(other) for one, other in itertools.combinations(found, 2))
    assert list(store.names("staging")) == []


def test_a_staged_piece_that_was_changed_or_put_elsewhere_does_not_open(tmp_path):
    for harm in (
        lambda store, names: store.put(names[1], store.open(names[0])),
        lambda store, names: store.put(names[0], store.open(names[0])[:-1]),
    ):
        staging, store = staged(tmp_path)
        harm(store, list(store.names("staging")))
        with pytest.raises(NotReady, match="does not open"):
            list(staging.buckets())


def staged(folder: Path) -> tuple[Staging, LocalStore]:
    store = LocalStore(folder)
    limits = Limits(staging_bytes=8000, bucket_bytes=8000, buckets=4)
    staging = Staging(store=store, folder="staging/1", limits=limits, expected_bytes=40_000)
    for start in range(0, 2000, 250):
        staging.add(pa.table({PERSON: MANY.slice(start, 250)}))
    staging._writing.settle()
    return staging, store
