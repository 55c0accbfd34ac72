"""A stretch of lines cut at once holds what a reading record by record finds there."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import BadInput
from release.actions.loading.delimited import DelimitedSource, Plain
from release.actions.loading.limits import Limits
from release.actions.loading.lines import Lines, is_plain
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
