"""A stretch of lines cut at once holds what a reading record by record finds there."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import BadInput
from release.actions.loading.checking import Checker
from release.actions.loading.delimited import DelimitedSource, Plain
from release.actions.loading.limits import LIMITS, Limits
from release.actions.loading.lines import Lines, Stretch, is_plain
from release.actions.loading.sources import opened
from release.rules.mapping import parse

FIELD = """[[field]]
column = "{name}"
name = "f{name}"
type = "{kind}"
codes = ["a"]
category = "about-me"
sensitivity = "quasi"
"""
MAPPING = parse(
    (
        "[person]\nrow_number = true\n[record]\nfixed = 2025-01-01\n"
        + FIELD.format(name="x", kind="text").replace('codes = ["a"]\n', "")
        + FIELD.format(name="y", kind="code")
        + '[ignore]\ncolumns = ["z"]'
    ).encode(),
    standard={},
)
SIGNS = st.lists(
    st.sampled_from([b"a", b"b", b",", b",", b'"', b'""', b"\n", b"\r\n", b"\r", b" ", b"\0"])
    | st.sampled_from(["é".encode(), b"\xff", b"a,b,c\n", b'"a","",c\n', b'a,"b,""c""",d\r\n']),
    max_size=24,
)


def read(path: Path, limits: Limits) -> object:
    """Every cell with its row and line, every fault; or how the file was refused."""
    rows: list[Any] = []
    faults: list[Any] = []
    try:
        with opened(path) as given_file:
            for batch in DelimitedSource(given_file, MAPPING, limits).batches():
                cells = {name: array.to_pylist() for name, array in batch.cells.items()}
                numbers = zip(batch.lines.tolist(), batch.rows.tolist(), strict=True)
                rows += zip(numbers, cells["x"], cells["y"], strict=True)
                faults += batch.broken
    except BadInput as refusal:
        return refusal.code, refusal.message
    return rows, faults


@settings(deadline=None, max_examples=500)
@given(signs=SIGNS, rows=st.integers(1, 3))
def test_a_stretch_holds_what_a_reading_record_by_record_finds(tmp_path_factory, signs, rows):
    path = tmp_path_factory.mktemp("lines") / "given.csv"
    path.write_bytes(b"x,y,z\n" + b"".join(signs))
    at_once = read(path, Limits(batch_rows=rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lines, "stretch", lambda *_given: b"")
        assert read(path, Limits(batch_rows=rows)) == at_once


@settings(max_examples=500)
@given(signs=SIGNS)
def test_a_plain_stretch_is_as_many_records_as_lines(signs):
    data = b"".join(signs)
    if is_plain(data, b","):
        text = data.decode("utf-8", "replace")
        records = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert len(records) == len(data.splitlines())
        assert [] not in records


@given(
    pieces=st.lists(st.sampled_from([b"ab", b"\n", b"\r\n", b"\r", "é".encode()]), max_size=30),
    most=st.integers(64, 80),
)
def test_lines_together_are_the_file(pieces, most):
    data = b"".join(pieces)
    lines = Lines(Plain(io.BytesIO(data)), "utf-8", most)
    found = list(iter(lines.next, ""))
    assert "".join(found).encode() == data
    assert [line.encode() for line in found] == data.splitlines(keepends=True)
    assert (lines.line, lines.size) == (len(found), len(data))


def test_a_line_without_end_comes_in_pieces():
    lines = Lines(Plain(io.BytesIO(b"x" * 3_000_000)), "utf-8", 1000)
    assert len(lines.next()) < 1_000_000


TYPED = parse(
    (
        '[person]\ncolumns = ["who"]\n[record]\ndate = "day"\n'
        + FIELD.format(name="whole", kind="integer").replace('codes = ["a"]\n', "minimum = -5\n")
        + FIELD.format(name="part", kind="decimal").replace('codes = ["a"]\n', "")
        + FIELD.format(name="date", kind="date").replace('codes = ["a"]\n', "required = true\n")
        + FIELD.format(name="word", kind="codes")
    ).encode(),
    standard={},
)
DAYS = ["2024-02-29", "2023-02-29", "0000-01-01", "2024-2-3", " 2024-01-01", "20240101"]
NUMBERS = ["1", " 1 ", "+1", "-1", "-9", "0x1F", "-0", "0" * 30 + "1", "9" * 18, "9" * 19]
NUMBERS += [
    "1e5",
    "1e400",
    "1e-400",
    "inf",
    "nan",
    ".5",
    "5.",
    "1.0",
    "9" * 60,
    "1e00005",
    "-",
    "1_0",
]
ODD = st.sampled_from(["", " ", '""', '"1"', '"2024-01-01"', "x", "٢", "\xa05", "é", "a", "a;a"])
USUAL = st.tuples(*(st.sampled_from(each) for each in (["7"], ["1.5"], ["2024-01-01"], ["a"])))
ANY = st.tuples(*[st.sampled_from(NUMBERS) | st.sampled_from(DAYS) | ODD] * 4)


def checked(path: Path) -> object:
    """Every value and every fault, as the checker says it of this reading."""
    rows: list[Any] = []
    faults: list[Any] = []
    checker = Checker(TYPED)
    with opened(path) as given_file:
        for batch in DelimitedSource(given_file, TYPED, LIMITS).batches():
            table, wrong = checker.check(batch)
            rows += [repr(row) for row in table.to_pylist()]
            faults += wrong
    return rows, sorted(faults, key=repr)


@settings(deadline=None, max_examples=400)
@given(
    lines=st.lists(USUAL | ANY, min_size=1, max_size=4), day=st.sampled_from(["2024-01-01", *DAYS])
)
def test_numbers_and_days_read_at_once_are_what_their_cells_say(tmp_path_factory, lines, day):
    path = tmp_path_factory.mktemp("lines") / "given.csv"
    text = "".join(f"n,{day},{','.join(cells)}\n" for cells in lines)
    path.write_text(f"who,day,whole,part,date,word\n{text}", encoding="utf-8")
    at_once = checked(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lines, "stretch", lambda *_given: b"")
        assert checked(path) == at_once


def test_a_column_with_a_cell_of_another_kind_is_text_from_then_on_and_others_are_not():
    stretch = Stretch(
        6,
        {name: at for at, name in enumerate(["who", "day", "whole", "part", "date", "word"])},
        TYPED,
    )
    good, bad = b"n,2024-01-01,1,2,2024-01-01,a\n", b"n,2024-01-01,x,2,2024-01-01,a\n"
    kinds = []
    for data in (good, bad, good):
        cells = stretch.columns(data)
        assert cells is not None
        kinds.append([str(cells[name].type) for name in ("whole", "part", "day")])
    assert kinds == [["int64", "double", "date32[day]"]] + [["string", "double", "date32[day]"]] * 2
