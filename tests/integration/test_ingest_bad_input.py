"""What people really hand in: each bad file with what becomes of it. Nothing is half-loaded."""

import csv
import gzip
import io
import os
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from common.errors import BadInput
from consent.models import Subject
from governance.models import Field
from release import storage
from release.actions.loading.limits import Limits
from release.models import DatasetVersion, StoredPart
from tests.integration import loading_world
from tests.integration.loading_world import HEADER, MAPPING, World, rows, stored

pytestmark = pytest.mark.django_db
CANARY = "songbird"
GOOD = "N-1,2024-02-29,w,a,x,1,1.5,2020-01-31,yes"
SMALL = Limits(record_bytes=2_000_000, expansion_from=100_000)


@pytest.fixture
def world(tmp_path, settings):
    settings.SAYSO_DATA = tmp_path / "data"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    given = tmp_path / "given"
    given.mkdir()
    return loading_world.build(given)


def lines(*given: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *given, ""]).encode("utf-8", "surrogatepass")


def cell(column: str, text: str) -> bytes:
    """A good row and one whose cell in this column says `text` instead."""
    row = dict(zip(HEADER.split(","), GOOD.split(","), strict=True)) | {column: text}
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(row.values())
    return lines(GOOD, out.getvalue().rstrip("\n"))


def parquet(**changed: pa.Array) -> bytes:
    table = {
        "client": pa.array(["N-1", "N-2"]),
        "day": pa.array(["2024-02-29", "2024-03-01"]),
        **{name: pa.nulls(2, pa.string()) for name in HEADER.split(",")[2:]},
        **changed,
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(table), buffer)
    return buffer.getvalue()


@dataclass(frozen=True)
class Refused:
    """The whole file is refused with this code, and the message says this."""

    code: str
    says: str


@dataclass(frozen=True)
class Reported:
    """The second row is refused with this line of the report (line, column, problem)."""

    line: int
    column: str
    problem: str
    hint: str = ""


@dataclass(frozen=True)
class Kept:
    """The second row is loaded, and holds this."""

    column: str
    value: object


MOST = 9_223_372_036_854_775_807
CASES: dict[str, tuple[bytes, Refused | Reported | Kept]] = {
    "an empty file": (b"", Refused("empty_file", "empty")),
    "a header and no rows": (lines(), Refused("no_rows", "no rows")),
    "only empty lines": (b"\n\n\n", Refused("columns", "no column 'client'")),
    "a missing column": (
        lines("1,2024-02-29", header="client,day"),
        Refused("columns", "no column 'words'"),
    ),
    "an unknown column": (
        lines(f"{GOOD},1", header=f"{HEADER},{CANARY}"),
        Refused("columns", "column 10 of the file"),
    ),
    "duplicate headers": (
        lines(f"{GOOD},1", header=f"{HEADER},day"),
        Refused("columns", "the column 'day' 2 times"),
    ),
    "no header line at all": (lines(GOOD, header=GOOD), Refused("columns", "no column 'client'")),
    "another delimiter": (
        lines(GOOD.replace(",", ";"), header=HEADER.replace(",", ";")),
        Refused("columns", "no column 'client'"),
    ),
    "too many columns": (
        lines(GOOD, header=HEADER + ",x" * 2000),
        Refused("too_many_columns", "2000"),
    ),
    "UTF-16": (lines(GOOD).decode().encode("utf-16"), Refused("encoding", "stated encoding")),
    "a header in another encoding": (
        HEADER.replace("day", "día").encode("latin-1"),
        Refused("encoding", "stated encoding"),
    ),
    "a cell in another encoding": (
        cell("words", "ñandú").decode().encode("latin-1"),
        Reported(3, "words", "bytes that are not text in the stated encoding"),
    ),
    "a lone surrogate": (
        cell("words", "x\ud83dx"),
        Reported(3, "words", "bytes that are not text in the stated encoding"),
    ),
    "a lone surrogate in the client number": (
        cell("client", "N\udc00"),
        Reported(3, "client", "bytes that are not text in the stated encoding"),
    ),
    "a byte order mark": (b"\xef\xbb\xbf" + cell("words", "ñ"), Kept("words", "ñ")),
    "line ends of Windows": (cell("words", "ñ").replace(b"\n", b"\r\n"), Kept("words", "ñ")),
    "a row with too few cells": (lines(GOOD, "N-2,x"), Reported(3, "", "wrong number of cells")),
    "a row with too many cells": (
        lines(GOOD, f"{GOOD},{CANARY}"),
        Reported(3, "", "wrong number of cells"),
    ),
    "a NUL in text": (cell("words", "a\0b"), Reported(3, "words", "a NUL character")),
    "a NUL in a number": (cell("count", "1\0"), Reported(3, "count", "a NUL character")),
    "a NUL in the client number": (cell("client", "N\0"), Reported(3, "client", "a NUL character")),
    "a cell of one megabyte": (cell("words", "x" * 1_000_000), Reported(3, "words", "too long")),
    "the longest cell there may be": (
        cell("words", "x" * 65_536),
        Kept("words", "x" * 65_536),
    ),
    "one byte more than that": (cell("words", "x" * 65_537), Reported(3, "words", "too long")),
    "a quote that is never closed": (
        lines(GOOD, f'N-2,2024-02-29,"{CANARY}') + b"N-3,\n" * 500_000,
        Refused("record_too_long", "never ends"),
    ),
    "a quote that is not closed at the end": (
        lines(GOOD, f'N-2,2024-02-29,"{CANARY}'),
        Refused("quotes", "starts at line 3"),
    ),
    "a quote in the middle of a quoted cell": (
        lines(GOOD, f'N-2,2024-02-29,"{CANARY} "so" they say",a,x,1,1,,'),
        Refused("quotes", "starts at line 3"),
    ),
    "no client number": (cell("client", "  "), Reported(3, "client", "no client number")),
    "a very long client number": (cell("client", "9" * 201), Reported(3, "client", "too long")),
    "no day of the record": (cell("day", ""), Reported(3, "day", "no day of the record")),
    "31/02": (cell("since", "31/02/2024"), Reported(3, "since", "not a day", "YYYY-MM-DD")),
    "2024-02-31": (cell("since", "2024-02-31"), Reported(3, "since", "not a day", "no such day")),
    "2023-02-29": (cell("day", "2023-02-29"), Reported(3, "day", "not a day", "no such day")),
    "a formula in text": (cell("words", "=HYPERLINK(1)"), Kept("words", "=HYPERLINK(1)")),
    "a plus in text": (cell("words", "+1"), Kept("words", "+1")),
    "a minus in text": (cell("words", "-1"), Kept("words", "-1")),
    "an at sign in text": (cell("words", "@x"), Kept("words", "@x")),
    "a formula in a number": (cell("count", "=1+1"), Reported(3, "count", "not a whole number")),
    "a plus before a number": (cell("count", "+1"), Reported(3, "count", "not a whole number")),
    "a number from a machine": (cell("count", "0x1F"), Reported(3, "count", "not a whole number")),
    "Arabic digits": (cell("count", "٣"), Reported(3, "count", "not a whole number")),
    "2^63": (cell("count", str(MOST + 1)), Reported(3, "count", "too large to keep")),
    "2^63 - 1": (cell("count", str(MOST)), Kept("count", MOST)),
    "-2^63": (cell("count", str(-MOST - 1)), Kept("count", -MOST - 1)),
    "a comma as the point": (cell("size", "1,5"), Reported(3, "size", "not a number", "point")),
    "infinity": (cell("size", "inf"), Reported(3, "size", "not a number")),
    "1e400": (cell("size", "1e400"), Reported(3, "size", "too large to keep")),
    "a word for yes or no": (cell("open", "perhaps"), Reported(3, "open", "neither yes nor no")),
    "an unknown code": (cell("kind", CANARY), Reported(3, "kind", "not on the list", "a, b")),
    "one unknown code of several": (
        cell("many", f"x;{CANARY}"),
        Reported(3, "many", "not on the list"),
    ),
    "the same code twice": (cell("many", "x;x"), Reported(3, "many", "the same code twice")),
    "a trailing separator": (cell("many", "x;"), Reported(3, "many", "not on the list")),
    "spaces around a code": (cell("kind", " b "), Kept("kind", "b")),
    "a truncated gzip": (
        gzip.compress(lines(*[GOOD] * 2000))[:-9],
        Refused("gzip_truncated", "ends too early"),
    ),
    "a damaged gzip": (
        bytes([*(packed := bytearray(gzip.compress(lines(GOOD))))[:-8], *[0] * 8]),
        Refused("gzip_broken", "damaged"),
    ),
    "a gzip bomb": (
        gzip.compress(lines(GOOD) + b"N-1,2024-02-29,,,,,,,\n" * 400_000),
        Refused("gzip_bomb", "far more"),
    ),
    "a gzip within a gzip": (
        gzip.compress(gzip.compress(lines(GOOD))),
        Refused("encoding", "stated encoding"),
    ),
    "a Parquet file where CSV was promised": (parquet(), Refused("format", "a Parquet file")),
}

PARQUET_CASES: dict[str, tuple[bytes, Refused | Reported | Kept]] = {
    "a CSV file where Parquet was promised": (lines(GOOD), Refused("parquet_broken", "damaged")),
    "a truncated Parquet": (parquet()[:-20], Refused("parquet_broken", "damaged")),
    "a damaged Parquet": (
        parquet()[:4] + b"\xff" * 60 + parquet()[64:],
        Refused("parquet_broken", "damaged"),
    ),
    "bytes where text was promised": (
        parquet(words=pa.array([b"a", b"b"])),
        Refused("parquet_type", "'words' holds values of the Parquet type binary"),
    ),
    "a list where one word was promised": (
        parquet(kind=pa.array([["a"], ["b"]])),
        Refused("parquet_type", "'kind'"),
    ),
    "a struct": (
        parquet(kind=pa.array([{"a": 1}, {"a": 2}])),
        Refused("parquet_type", "'kind'"),
    ),
    "a list with an empty place": (
        parquet(many=pa.array([["x"], ["y", None]])),
        Refused("parquet_list", "empty place"),
    ),
    "whole numbers as floats": (parquet(count=pa.array([1.0, 2.0])), Kept("count", 2)),
    "floats that are not whole": (
        parquet(count=pa.array([1.0, 2.5])),
        Reported(2, "count", "not a whole number"),
    ),
    "2^63 without a sign": (
        parquet(count=pa.array([1, MOST + 1], pa.uint64())),
        Reported(2, "count", "too large to keep"),
    ),
    "not a number": (
        parquet(size=pa.array([1.0, float("nan")])),
        Reported(2, "size", "not a number"),
    ),
    "an exact decimal": (
        parquet(size=pa.array(["1.5", "2.25"]).cast(pa.decimal128(5, 2))),
        Kept("size", 2.25),
    ),
    "a moment where a day was promised": (
        parquet(since=pa.array([0, 86_400_000_001], pa.timestamp("us"))),
        Reported(2, "since", "not a day"),
    ),
    "numbers as client numbers": (parquet(client=pa.array([1, 2])), Kept("words", None)),
    "a client number that is null": (
        parquet(client=pa.array(["N-1", None])),
        Reported(2, "client", "no client number"),
    ),
    "a cell of one megabyte": (
        parquet(words=pa.array(["w", "x" * 1_000_000])),
        Reported(2, "words", "too long"),
    ),
    "a NUL": (parquet(words=pa.array(["w", "a\0"])), Reported(2, "words", "a NUL character")),
    "text that is not UTF-8": (
        parquet(words=pa.array([b"w", b"\xed\xa0\x80"]).cast(pa.string(), safe=False)),
        Refused("parquet_broken", "not UTF-8"),
    ),
    "a column too many": (
        parquet(**{CANARY: pa.array([1, 2])}),
        Refused("columns", "column 10 of the file"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bad_csv_file_is_refused_or_reported_and_never_half_loaded(world: World, case):
    data, outcome = CASES[case]
    _check(world, data, outcome, MAPPING)


@pytest.mark.parametrize("case", PARQUET_CASES)
def test_a_bad_parquet_file_is_refused_or_reported_and_never_half_loaded(world: World, case):
    data, outcome = PARQUET_CASES[case]
    _check(world, data, outcome, 'format = "parquet"\n' + MAPPING)


def _check(world: World, data: bytes, outcome: Refused | Reported | Kept, mapping: str) -> None:
    text = mapping.replace("{share}", "0.5")
    match outcome:
        case Refused(code, says):
            with pytest.raises(BadInput) as refused:
                world.load(data, mapping=text, limits=SMALL)
            assert refused.value.code == code
            assert says in refused.value.message
            assert CANARY not in refused.value.message
            assert nothing_loaded()
            assert stored() == []
        case Reported(line, column, problem, hint):
            loading = world.load(data, mapping=text, limits=SMALL)
            report = storage.store().open(loading.report).decode()
            _, found = csv.reader(io.StringIO(report))
            assert found[:3] == [str(line), column, problem]
            assert hint in found[3]
            assert CANARY not in report
            assert (loading.version.rows, loading.version.rejected) == (1, 1)
        case Kept(column, value):
            loading = world.load(data, mapping=text, limits=SMALL)
            assert value in [row[column] for row in rows(loading.version)]
            assert (loading.version.rows, loading.version.rejected) == (2, 0)


def nothing_loaded() -> bool:
    models = (DatasetVersion, StoredPart, Subject, Field)
    return not any(model.objects.exists() for model in models)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "no file at this path"),
        (Path.mkdir, "folder or a device"),
        (os.mkfifo, "folder or a device"),
        (lambda path: path.symlink_to("/dev/zero"), "folder or a device"),
    ],
    ids=["nothing", "a folder", "a pipe", "an endless device"],
)
def test_what_is_not_a_file_is_refused(world: World, make, says):
    path = world.folder / "there"
    make(path)
    with pytest.raises(BadInput, match=says):
        world.load_file(path)
    assert nothing_loaded()


def test_a_file_larger_than_one_load_may_be_is_refused(world: World):
    with pytest.raises(BadInput) as refused:
        world.load(lines(*[GOOD] * 500), limits=Limits(file_bytes=10_000, batch_rows=50))
    assert refused.value.code == "too_large"
    with pytest.raises(BadInput) as refused:
        world.load(lines(*[GOOD] * 500), limits=Limits(rows=400, batch_rows=50))
    assert refused.value.code == "too_large"
    assert nothing_loaded()
    assert stored() == []


def test_a_column_that_names_one_person_in_every_row_is_refused_before_memory_ends(world: World):
    with pytest.raises(BadInput, match="same few people"):
        world.load(
            lines(*[GOOD] * 5000),
            limits=Limits(batch_rows=500, staging_bytes=20_000, bucket_most_bytes=100_000),
        )
    assert nothing_loaded()
    assert stored() == []


def test_a_stated_encoding_is_read(world: World):
    text = 'encoding = "windows-1252"\n' + MAPPING.replace("{share}", "0")
    loading = world.load(cell("words", "ñandú €").decode().encode("cp1252"), mapping=text)
    assert "ñandú €" in [row["words"] for row in rows(loading.version)]


def test_several_faults_of_one_row_count_as_one_row(world: World):
    loading = world.load(lines(GOOD, "N-2,x,w,q,q,q,q,q,q"), share=0.5)
    report = storage.store().open(loading.report).decode()
    assert len(list(csv.reader(io.StringIO(report)))) == 1 + 7
    assert loading.version.rejected == 1
