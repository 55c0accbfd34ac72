"""What people hand in as XLSX: each file with what becomes of it. Nothing is half-loaded."""

import csv
import io
import zipfile
from datetime import date, datetime
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]  # it ships no types

from common.errors import BadInput
from release import storage
from release.actions.loading.limits import Limits
from release.models import DatasetVersion
from tests.integration import loading_world
from tests.integration.loading_world import HEADER, MAPPING, World, rows, stored
from tests.integration.spreadsheets import (
    COLUMNS,
    GOOD,
    KIND,
    MAIN,
    OFFICE,
    PACKAGE,
    book,
    inline,
    row,
    sheet,
    texts,
    with_cell,
)
from tests.integration.test_ingest_bad_input import (
    CANARY,
    Kept,
    Refused,
    Reported,
    nothing_loaded,
)

pytestmark = pytest.mark.django_db
SMALL = Limits(record_bytes=2_000_000, expansion_from=100_000, shared_bytes=4_000_000)
XLSX = 'format = "xlsx"\n'
HEAD = texts(1, COLUMNS)
ONE = texts(2, list(GOOD.values()))
TWO = HEAD + ONE + texts(3, ["N-2", "2024-03-01", "v", "b", "y", "2", "2.5", "2020-02-01", "no"])
MOST = 9_223_372_036_854_775_807


@pytest.fixture
def world(tmp_path, settings):
    settings.SAYSO_DATA = tmp_path / "data"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    given = tmp_path / "given"
    given.mkdir()
    return loading_world.build(given)


def cell(column: str, written: str, **given: Any) -> bytes:
    return book(sheet(with_cell(column, written)), **given)


def number(value: object, style: int = 0) -> str:
    return f's="{style}"><v>{value}</v>'


def shared(*words: str) -> str:
    return "".join(f"<si><t>{word}</t></si>" for word in words)


def patched(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new)


def sealed_zip() -> bytes:
    """The bit that says "by password" set on every part, in both lists."""
    data = bytearray(book(sheet(TWO)))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            data[place + at] |= 1
            place = data.find(mark, place + 1)
    return bytes(data)


def bomb_that_lies() -> bytes:
    """A zip bomb whose list of parts says that all of them are packed into a gigabyte."""
    data = bytearray(book(sheet(TWO + "<row>" + " " * 40_000_000 + "</row>")))
    place = data.find(b"PK\x01\x02")
    while place >= 0:
        data[place + 20 : place + 24] = (1 << 30).to_bytes(4, "little")
        place = data.find(b"PK\x01\x02", place + 1)
    return bytes(data)


def twice_the_same_part() -> bytes:
    out = io.BytesIO(book(sheet(TWO)))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(out, "a") as packed:
        packed.writestr("xl/worksheets/sheet1.xml", sheet(HEAD + texts(2, [CANARY])))
    return out.getvalue()


def many_parts() -> bytes:
    out = io.BytesIO(book(sheet(TWO)))
    with zipfile.ZipFile(out, "a") as packed:
        for at in range(20_000):
            packed.writestr(f"{at:0250}", b"")
    return out.getvalue()


def other_zip(**parts: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, text in parts.items():
            packed.writestr(name, text)
    return out.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
DOCTYPE = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
BROKEN = Refused("xlsx_broken", "damaged")

CASES: dict[str, tuple[bytes, Refused | Reported | Kept]] = {
    # --- cells
    "plain text": (cell("words", inline("ñandú 🐦")), Kept("words", "ñandú 🐦")),
    "text with spaces around it": (cell("words", inline(" x ")), Kept("words", " x ")),
    "a shared text": (cell("words", 't="s"><v>1</v>', shared=shared("q", "ñ")), Kept("words", "ñ")),
    "a shared text in several runs, with a reading": (
        cell(
            "words",
            't="s"><v>0</v>',
            shared="<si><r><rPr><b/></rPr><t>ab</t></r><r><t>c</t></r><rPh><t>zz</t></rPh></si>",
        ),
        Kept("words", "abc"),
    ),
    "a shared text of one megabyte": (
        cell("words", 't="s"><v>0</v>', shared=shared("x" * 1_000_000), packing=zipfile.ZIP_STORED),
        Reported(3, "words", "too long"),
    ),
    "a text of one megabyte": (
        cell("words", inline("x" * 1_000_000), packing=zipfile.ZIP_STORED),
        Reported(3, "words", "too long"),
    ),
    "more shared texts than memory allows": (
        cell(
            "words", inline("w"), shared="".join(shared(f"{at}{'x' * 900}") for at in range(5000))
        ),
        Refused("too_large", "different texts"),
    ),
    "a shared text that is not there": (
        cell("words", 't="s"><v>7</v>', shared=shared("q")),
        BROKEN,
    ),
    "a shared text before the first": (
        cell("words", 't="s"><v>-1</v>', shared=shared("q")),
        BROKEN,
    ),
    "an escaped line end": (cell("words", inline("a_x000D_b")), Kept("words", "a\rb")),
    "an escaped escape": (cell("words", inline("a_x005F_x000D_b")), Kept("words", "a_x000D_b")),
    "an escaped NUL": (cell("words", inline("a_x0000_b")), Reported(3, "words", "a NUL character")),
    "an escaped half of a sign": (
        cell("words", inline("a_xD83D_b")),
        Reported(3, "words", "bytes that are not text in the stated encoding"),
    ),
    "an escaped half of a sign in the client number": (
        cell("client", inline("N_xDC00_")),
        Reported(3, "client", "bytes that are not text in the stated encoding"),
    ),
    "a number as a number": (cell("count", number(42)), Kept("count", 42)),
    "a number kept as text": (cell("count", inline("42")), Kept("count", 42)),
    "a number where text was promised": (cell("words", number(42)), Kept("words", "42")),
    "a text that begins with a nought": (cell("words", inline("0042")), Kept("words", "0042")),
    "a whole number written as 3.0": (cell("count", number("3.0")), Kept("count", 3)),
    "a whole number written as 3E2": (cell("count", number("3E2")), Kept("count", 300)),
    "a number that is not whole": (
        cell("count", number(2.5)),
        Reported(3, "count", "not a whole number"),
    ),
    "a tenth with the tail that computers give it": (
        cell("size", number("0.10000000000000001")),
        Kept("size", 0.1),
    ),
    "a whole number of sixteen digits": (
        cell("count", number(1234567890123456)),
        Reported(3, "count", "more digits than a spreadsheet keeps", "as text"),
    ),
    "a client number of sixteen digits": (
        cell("client", number("1.2345678901234501E+16")),
        Reported(3, "client", "more digits than a spreadsheet keeps"),
    ),
    "2^63 - 1 as text": (cell("count", inline(str(MOST))), Kept("count", MOST)),
    "a very large decimal": (cell("size", number("1E+300")), Kept("size", 1e300)),
    "a decimal beyond all": (
        cell("size", number("1E+400")),
        Reported(3, "size", "too large to keep"),
    ),
    "a number that is none": (cell("size", number("nan")), BROKEN),
    "a number with an underscore": (cell("size", number("1_0")), BROKEN),
    "money": (cell("size", number("12.5", 3)), Kept("size", 12.5)),
    "yes as a truth": (cell("open", 't="b"><v>1</v>'), Kept("open", True)),
    "no as a truth": (cell("open", 't="b"><v>0</v>'), Kept("open", False)),
    "a truth that is none": (cell("open", 't="b"><v>2</v>'), BROKEN),
    "a truth in text": (cell("words", 't="b"><v>1</v>'), Kept("words", "true")),
    "a kind of cell that nobody knows": (cell("words", 't="q"><v>1</v>'), BROKEN),
    "an error in place of a value": (
        cell("words", 't="e"><v>#N/A</v>'),
        Reported(3, "words", "an error in place of a value", "correct the formula"),
    ),
    "a formula with its result": (
        cell("count", "><f>1+1</f><v>2</v>"),
        Kept("count", 2),
    ),
    "a formula whose result is text": (
        cell("words", 't="str"><f>A1</f><v>so</v>'),
        Kept("words", "so"),
    ),
    "a formula whose result is an empty text": (
        cell("words", 't="str"><f>A1</f><v></v>'),
        Kept("words", None),
    ),
    "a formula without a result": (
        cell("count", "><f>SUM(A1)</f>"),
        Reported(3, "count", "a formula without its result", "save it there"),
    ),
    "a formula with an empty result": (
        cell("count", "><f>SUM(A1)</f><v></v>"),
        Reported(3, "count", "a formula without its result"),
    ),
    "a formula whose result the writer made up": (
        cell("count", "><f>1+1</f><v>0</v>", after='<calcPr fullCalcOnLoad="1"/>'),
        Reported(3, "count", "a formula without its result"),
    ),
    "a formula that is an error": (
        cell("count", 't="e"><f>1/0</f><v>#DIV/0!</v>'),
        Reported(3, "count", "an error in place of a value"),
    ),
    "text that looks like a formula": (cell("words", inline("=1+1")), Kept("words", "=1+1")),
    "an unknown code": (
        cell("kind", inline(CANARY)),
        Reported(3, "kind", "not on the list", "a, b"),
    ),
    "no client number": (cell("client", inline("  ")), Reported(3, "client", "no client number")),
    "a client number as a number": (cell("client", number("1001.0")), Kept("words", "w")),
    # --- days
    "a day": (cell("since", number(45351, 1)), Kept("since", date(2024, 2, 29))),
    "a day in a format of one's own": (
        cell("since", number(45351, 2)),
        Kept("since", date(2024, 2, 29)),
    ),
    "a day of the 1904 system": (
        cell("since", number(43889, 1), settings='<workbookPr date1904="1"/>'),
        Kept("since", date(2024, 2, 29)),
    ),
    "the first day": (cell("since", number(1, 1)), Kept("since", date(1900, 1, 1))),
    "28 February 1900": (cell("since", number(59, 1)), Kept("since", date(1900, 2, 28))),
    "29 February 1900, which never was": (
        cell("since", number(60, 1)),
        Reported(3, "since", "not a day", "no such day"),
    ),
    "1 March 1900": (cell("since", number(61, 1)), Kept("since", date(1900, 3, 1))),
    "the day nought": (cell("since", number(0, 1)), Reported(3, "since", "not a day")),
    "the day nought of the 1904 system": (
        cell("since", number(0, 1), settings='<workbookPr date1904="true"/>'),
        Kept("since", date(1904, 1, 1)),
    ),
    "a day before all days": (cell("since", number(-1, 1)), Reported(3, "since", "not a day")),
    "the last day": (cell("since", number(2958465, 1)), Kept("since", date(9999, 12, 31))),
    "a day after the last": (cell("since", number(2958466, 1)), Reported(3, "since", "not a day")),
    "a moment where a day was promised": (
        cell("since", number(45351.5, 1)),
        Reported(3, "since", "not a day"),
    ),
    "a moment in text": (cell("words", number(45351.5, 1)), Kept("words", "2024-02-29 12:00:00")),
    "an hour in text": (cell("words", number(0.75, 5)), Kept("words", "18:00:00")),
    "a length of time stays a number": (cell("size", number(1.25, 4)), Kept("size", 1.25)),
    "a number where a day was promised": (
        cell("since", number(45351)),
        Reported(3, "since", "not a day", "YYYY-MM-DD"),
    ),
    "a day as ISO text": (cell("since", inline("2024-02-29")), Kept("since", date(2024, 2, 29))),
    "a day as the file's own day": (
        cell("since", 't="d"><v>2024-02-29T00:00:00Z</v>'),
        Kept("since", date(2024, 2, 29)),
    ),
    "a moment as the file's own day": (
        cell("since", 't="d"><v>2024-02-29T08:00:00</v>'),
        Reported(3, "since", "not a day"),
    ),
    "a day as other text": (cell("since", inline("29/02/2024")), Reported(3, "since", "not a day")),
    "a day in a money format": (cell("since", number(45351, 3)), Reported(3, "since", "not a day")),
    # --- rows and columns
    "rows without numbers": (
        book(
            sheet(
                "".join(
                    f"<row>{cells}</row>"
                    for cells in (
                        "".join(f"<c {inline(word)}</c>" for word in words)
                        for words in (COLUMNS, GOOD.values(), {**GOOD, "words": "ñ"}.values())
                    )
                )
            )
        ),
        Kept("words", "ñ"),
    ),
    "tags with a prefix": (
        book(
            f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData>'
            + with_cell("words", inline("ñ"))
            .replace("</", "</x:")
            .replace("<r", "<x:r")
            .replace("<c", "<x:c")
            .replace("<i", "<x:i")
            .replace("<t", "<x:t")
            + "</x:sheetData></x:worksheet>"
        ),
        Kept("words", "ñ"),
    ),
    "the strict spelling": (
        book(
            sheet(
                with_cell("words", inline("ñ")),
                space="http://purl.oclc.org/ooxml/spreadsheetml/main",
            )
        ),
        Kept("words", "ñ"),
    ),
    "UTF-16 inside": (
        book(
            (
                '<?xml version="1.0" encoding="UTF-16"?>' + sheet(with_cell("words", inline("ñ")))
            ).encode("utf-16")
        ),
        Kept("words", "ñ"),
    ),
    "nothing packed": (
        book(sheet(with_cell("words", inline("ñ"))), packing=zipfile.ZIP_STORED),
        Kept("words", "ñ"),
    ),
    "empty rows between and after": (
        book(
            sheet(
                HEAD
                + texts(2, list(GOOD.values()))
                + "".join(f'<row r="{at}"><c r="A{at}" s="1"/></row>' for at in range(3, 900))
                + texts(900, list({**GOOD, "words": "ñ"}.values()))
                + '<row r="901"/>'
            )
        ),
        Kept("words", "ñ"),
    ),
    "a cell under no name": (
        book(sheet(HEAD + ONE + texts(3, [*GOOD.values(), CANARY]))),
        Reported(3, "", "a cell under no column name", "header row"),
    ),
    "a column without a name and without cells": (
        book(
            sheet(
                row(1, {at + (at > 3): inline(name) for at, name in enumerate(COLUMNS)})
                + "".join(
                    row(
                        line, {at + (at > 3): inline(word) for at, word in enumerate(GOOD.values())}
                    )
                    for line in (2, 3)
                )
            )
        ),
        Kept("words", "w"),
    ),
    "an unknown column": (
        book(sheet(texts(1, [*COLUMNS, CANARY]) + ONE)),
        Refused("columns", "column 10 of the file"),
    ),
    "a missing column": (
        book(sheet(texts(1, COLUMNS[:-1]) + ONE)),
        Refused("columns", "no column 'open'"),
    ),
    "the same name twice": (
        book(sheet(texts(1, [*COLUMNS, "day"]) + ONE)),
        Refused("columns", "the column 'day' 2 times"),
    ),
    "a merged name": (
        book(
            sheet(
                row(1, {at + (at > 3): inline(name) for at, name in enumerate(COLUMNS)}) + ONE,
                after='<mergeCells><mergeCell ref="D1:E1"/></mergeCells>',
            )
        ),
        Refused("columns", "the column 'kind' 2 times"),
    ),
    "merged cells among the rows": (
        book(sheet(TWO, after='<mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells>')),
        Refused("merged", "row 2"),
    ),
    "merged cells beside the rows": (
        book(
            sheet(
                with_cell("words", inline("ñ")),
                after='<mergeCells><mergeCell ref="X2:Z3"/></mergeCells>',
            )
        ),
        Kept("words", "ñ"),
    ),
    "merges beyond all sheets": (
        book(sheet(TWO, after='<mergeCells><mergeCell ref="AAAA1:AAAB2"/></mergeCells>')),
        BROKEN,
    ),
    "a merge that is none": (
        book(sheet(TWO, after='<mergeCells><mergeCell ref="x"/></mergeCells>')),
        BROKEN,
    ),
    "a hidden row": (
        book(sheet(HEAD + ONE + texts(3, list(GOOD.values()), 'hidden="1"'))),
        Refused("hidden", "Row 3"),
    ),
    "a hidden header": (
        book(sheet(texts(1, COLUMNS, 'hidden="true"') + ONE)),
        Refused("hidden", "header row"),
    ),
    "rows hidden all at once": (
        book(sheet(TWO, before='<sheetFormatPr zeroHeight="1"/>')),
        Refused("hidden", "header row"),
    ),
    "an empty hidden row": (
        book(sheet(with_cell("words", inline("ñ")) + '<row r="4" hidden="1"/>')),
        Kept("words", "ñ"),
    ),
    "a hidden column": (
        book(sheet(TWO, before='<cols><col min="2" max="3" hidden="1"/></cols>')),
        Refused("hidden", "Column 2"),
    ),
    "a hidden column that holds nothing": (
        book(
            sheet(
                with_cell("words", inline("ñ")),
                before='<cols><col min="20" max="16384" hidden="1"/></cols>',
            )
        ),
        Kept("words", "ñ"),
    ),
    "a hidden column without its numbers": (
        book(sheet(TWO, before='<cols><col hidden="1"/></cols>')),
        BROKEN,
    ),
    "a hidden sheet": (
        book(sheet(TWO), states=["hidden"]),
        Refused("hidden", "sheet is hidden"),
    ),
    "a very hidden sheet": (
        book(sheet(TWO), states=["veryHidden"]),
        Refused("hidden", "sheet is hidden"),
    ),
    "two sheets": (
        book(sheet(TWO), sheet(TWO), names=["Cases", CANARY]),
        Refused("sheet", "2 sheets"),
    ),
    "a hidden second sheet": (
        book(sheet(TWO), sheet(TWO), states=["visible", "hidden"]),
        Refused("sheet", "2 sheets"),
    ),
    "a chart and no sheet": (
        book(
            sheet(TWO),
            parts={
                "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/chartsheet" Target="worksheets/sheet1.xml"/></Relationships>'
            },
        ),
        Refused("sheet", "chart"),
    ),
    "a sheet outside the file": (
        book(
            sheet(TWO),
            parts={
                "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/worksheet" TargetMode="External" Target="https://example.org/x"/></Relationships>'
            },
        ),
        Refused("sheet", "no rows"),
    ),
    "links to other files": (
        book(
            sheet(with_cell("words", inline("ñ"))),
            parts={
                "xl/externalLinks/externalLink1.xml": "<broken",
                "xl/worksheets/_rels/sheet1.xml.rels": "<broken",
            },
        ),
        Kept("words", "ñ"),
    ),
    "a sheet and no rows": (book(sheet(HEAD)), Refused("no_rows", "no rows")),
    "an empty sheet": (book(sheet("")), Refused("empty_file", "header row")),
    "rows in the wrong order": (book(sheet(HEAD + texts(3, list(GOOD.values())) + ONE)), BROKEN),
    "the same row twice": (book(sheet(HEAD + ONE + ONE)), BROKEN),
    "a row in a row": (book(sheet(HEAD + f'<row r="2">{ONE}</row>')), BROKEN),
    "a cell in a cell": (
        book(
            sheet(HEAD + f'<row r="2"><c r="A2" {inline("x")}<c r="B2" {inline("y")}</c></c></row>')
        ),
        BROKEN,
    ),
    "a cell outside a row": (book(sheet(HEAD + f'<c r="A2" {inline("x")}</c>')), BROKEN),
    "cells in the wrong order": (
        book(
            sheet(HEAD + f'<row r="2"><c r="B2" {inline("x")}</c><c r="A2" {inline("y")}</c></row>')
        ),
        BROKEN,
    ),
    "a cell beyond all columns": (
        book(sheet(HEAD + f'<row r="2"><c r="ZZZZ2" {inline("x")}</c></row>')),
        BROKEN,
    ),
    "a cell without letters": (
        book(sheet(HEAD + f'<row r="2"><c r="22" {inline("x")}</c></row>')),
        BROKEN,
    ),
    "a row beyond the last": (
        book(sheet(HEAD + texts(1_048_577, list(GOOD.values())))),
        Refused("too_large", "1048576"),
    ),
    "too many columns": (
        book(sheet(texts(1, [*COLUMNS, *(f"x{at}" for at in range(2000))]) + ONE)),
        Refused("too_many_columns", "2000"),
    ),
    "a row of two megabytes and more": (
        book(sheet(HEAD + texts(2, ["x" * 60_000] * 40)), packing=zipfile.ZIP_STORED),
        Refused("record_too_long", "Row 2"),
    ),
    # --- the file as a whole
    "a CSV file": (f"{HEADER}\n".encode(), Refused("xlsx_broken", "not an XLSX file")),
    "a Parquet file": (b"PAR1" + b"\0" * 100, Refused("xlsx_broken", "not an XLSX file")),
    "an old Excel file": (OLE + b"\0" * 4000, Refused("xls_old", ".xls")),
    "a file under a password": (
        OLE + b"\0" * 1_048_560 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 50,
        Refused("xlsx_password", "password"),
    ),
    "a zip under a password": (sealed_zip(), Refused("xlsx_password", "password")),
    "a file with macros": (
        book(sheet(TWO), kind="application/vnd.ms-excel.sheet.macroEnabled.main+xml"),
        Refused("xlsx_macros", ".xlsm"),
    ),
    "macros under another name": (
        book(sheet(TWO), parts={"xl/vbaProject.bin": b"\0"}),
        Refused("xlsx_macros", ".xlsm"),
    ),
    "a template": (
        book(sheet(TWO), kind=KIND + "template.main+xml"),
        Refused("xlsx_other", "template"),
    ),
    "a binary workbook": (
        book(sheet(TWO), kind="application/vnd.ms-excel.sheet.binary.macroEnabled.main"),
        Refused("xlsx_macros", ".xlsx"),
    ),
    "OpenDocument": (
        other_zip(mimetype="application/vnd.oasis.opendocument.spreadsheet"),
        Refused("xlsx_other", "OpenDocument"),
    ),
    "another zip": (other_zip(**{"cases.csv": f"{HEADER}\n"}), BROKEN),
    "a zip without parts": (other_zip(), Refused("xlsx_broken", "not an XLSX file")),
    "a truncated file": (book(sheet(TWO))[:-30], BROKEN),
    "half a file": (book(sheet(TWO * 1))[:900], BROKEN),
    "a damaged part": (
        patched(book(sheet(TWO), packing=zipfile.ZIP_STORED), b"2024-02-29", b"2024-02-28"),
        BROKEN,
    ),
    "a part that is missing": (
        book(
            sheet(TWO),
            parts={
                "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="../../etc/passwd"/></Relationships>'
            },
        ),
        BROKEN,
    ),
    "the same part twice": (twice_the_same_part(), BROKEN),
    "very many parts": (many_parts(), BROKEN),
    "a part that is no XML": (book("\xff\xfe<"), BROKEN),
    "XML that is cut short": (book(sheet(TWO)[:-30]), BROKEN),
    "a laugh a billion times": (
        book(DOCTYPE + sheet(with_cell("words", 't="str"><v>&c;</v>'))),
        Refused("xlsx_declares", "entities"),
    ),
    "an entity from another file": (
        book(
            '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
            + sheet(with_cell("words", 't="str"><v>&a;</v>'))
        ),
        Refused("xlsx_declares", "entities"),
    ),
    "declarations in the workbook": (
        book(sheet(TWO), parts={"xl/styles.xml": DOCTYPE + "<x/>"}),
        Refused("xlsx_declares", "entities"),
    ),
    "a zip bomb": (
        book(sheet(TWO + "<row>" + " " * 40_000_000 + "</row>")),
        Refused("zip_bomb", "far more"),
    ),
    "a zip bomb that lies about its size": (bomb_that_lies(), BROKEN),
    "a bomb of shared texts": (
        book(sheet(TWO), shared=shared("x" * 40_000_000)),
        Refused("zip_bomb", "far more"),
    ),
    "a bomb of formats": (
        book(
            sheet(TWO),
            styles="<styleSheet>" + "<a/>" * 600_000 + "</styleSheet>",
            packing=zipfile.ZIP_STORED,
        ),
        BROKEN,
    ),
    "tags without end": (
        book(sheet(TWO).replace("<sheetData>", "<a>" * 100 + "<sheetData>")),
        BROKEN,
    ),
    "a tag of two megabytes": (
        book(
            sheet(TWO).replace(
                "<sheetData>", f'<sheetData x="{"".join(str(at) for at in range(400_000))}">'
            )
        ),
        BROKEN,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_spreadsheet_is_read_refused_or_reported_and_never_half_loaded(world: World, case):
    data, outcome = CASES[case]
    text = XLSX + MAPPING.replace("{share}", "0.5")
    match outcome:
        case Refused(code, says):
            with pytest.raises(BadInput) as refused:
                world.load(data, mapping=text, limits=SMALL)
            assert (refused.value.code, says in refused.value.message) == (code, True)
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
            assert value in [found[column] for found in rows(loading.version)]
            assert (loading.version.rows, loading.version.rejected) == (2, 0)


def mapping(sheet_section: str = "", **replaced: str) -> str:
    text = f"{XLSX}{MAPPING.replace('{share}', '0')}\n[sheet]\n{sheet_section}"
    for old, new in replaced.items():
        text = text.replace(f'date = "{old}"', new).replace(f'name = "{old}"', new)
    return text


def test_hidden_things_are_read_where_the_mapping_says_so(world: World):
    data = book(
        sheet(
            texts(1, COLUMNS, 'hidden="1"') + texts(2, list(GOOD.values()), 'hidden="1"'),
            before='<cols><col min="2" max="3" hidden="1"/></cols>',
        ),
        states=["hidden"],
    )
    assert world.load(data, mapping=mapping("hidden = true")).version.rows == 1


def test_a_hidden_column_may_be_ignored_by_name(world: World):
    data = book(
        sheet(
            texts(1, [*COLUMNS, "notes"]) + texts(2, [*GOOD.values(), CANARY]),
            before='<cols><col min="10" max="10" hidden="1"/></cols>',
        )
    )
    text = mapping() + '[ignore]\ncolumns = ["notes"]'
    assert world.load(data, mapping=text).version.rows == 1


def test_the_mapping_says_which_sheet(world: World):
    data = book(sheet(HEAD), sheet(TWO), names=["Notes", "Cases & more"])
    assert world.load(data, mapping=mapping('name = "Cases & more"')).version.rows == 2
    with pytest.raises(BadInput, match="no sheet 'Case'"):
        world.load(data, mapping=mapping('name = "Case"'))


def test_the_mapping_says_where_the_names_and_the_rows_begin(world: World):
    """A title, a row of groups, a row of names (the first merged over both), a row of units."""
    names = ["", *COLUMNS[1:]]
    data = book(
        sheet(
            texts(1, ["A title over all"])
            + texts(2, ["client", "Record", "", "Details"])
            + texts(3, names)
            + texts(4, ["", "days", "units"])
            + texts(5, list(GOOD.values())),
            after='<mergeCells><mergeCell ref="A1:I1"/><mergeCell ref="A2:A3"/>'
            '<mergeCell ref="B2:C2"/><mergeCell ref="D2:I2"/></mergeCells>',
        )
    )
    version = world.load(data, mapping=mapping("header_row = 3\nfirst_row = 5")).version
    assert [found["words"] for found in rows(version)] == ["w"]


def test_days_as_text_are_read_in_the_form_the_mapping_states(world: World):
    data = book(
        sheet(
            HEAD
            + texts(2, list({**GOOD, "since": "3/4/2024", "day": "01.02.2024"}.values()))
            + row(
                3,
                {at: inline(word) for at, word in enumerate(GOOD.values())}
                | {7: number(45351, 1), 1: number(45352, 1)},
            )
        )
    )
    text = mapping(
        since='name = "since"\ndate_format = "dd/mm/yyyy"',
        day='date = "day"\ndate_format = "dd.mm.yyyy"',
    )
    found = rows(world.load(data, mapping=text).version)
    assert sorted((each["_recorded"], each["since"]) for each in found) == [
        (date(2024, 2, 1), date(2024, 4, 3)),
        (date(2024, 3, 1), date(2024, 2, 29)),
    ]


def test_the_same_spreadsheet_twice_changes_nothing(world: World):
    data = book(sheet(TWO))
    first = world.load(data, mapping=mapping())
    before = stored()
    again = world.load(data, mapping=mapping())
    assert (again.new, again.version) == (False, first.version)
    assert stored() == before
    assert DatasetVersion.objects.count() == 1


def test_a_csv_mapping_names_the_spreadsheet_it_was_given(world: World):
    with pytest.raises(BadInput, match='write format = "xlsx"'):
        world.load(book(sheet(TWO)))


def test_what_a_common_library_writes_is_read_cell_by_cell(world: World):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as made:
        page = made.add_worksheet("Cases")
        day = made.add_format({"num_format": "d mmm yyyy"})
        page.write_row(0, 0, COLUMNS)
        for line in range(1, 401):
            page.write_string(line, 0, f"N-{line % 40}")
            page.write_datetime(line, 1, datetime(2024, 1, 1 + line % 28), day)  # noqa: DTZ001 - a cell has no zone
            page.write_rich_string(line, 2, "ñ", day, f"andú {line}")
            page.write_string(line, 3, "ab"[line % 2])
            page.write_string(line, 4, "x;z")
            page.write_number(line, 5, line * 1000)
            page.write_number(line, 6, line / 8)
            page.write_datetime(line, 7, datetime(1980, 2, 29), day)  # noqa: DTZ001 - a cell has no zone
            page.write_boolean(line, 8, line % 3 == 0)
    small = Limits(batch_rows=70, staging_bytes=4000, bucket_bytes=4000, buckets=3)
    found = rows(world.load(out.getvalue(), mapping=mapping(), limits=small).version)
    assert len(found) == 400
    for each in found:
        line = int(each["words"].removeprefix("ñandú "))
        assert each["_recorded"] == date(2024, 1, 1 + line % 28)
        assert (each["kind"], each["many"]) == ("ab"[line % 2], "x;z")
        assert (each["count"], each["size"]) == (line * 1000, line / 8)
        assert (each["since"], each["open"]) == (date(1980, 2, 29), line % 3 == 0)


def test_a_row_number_counts_refused_rows_and_not_empty_ones(world: World):
    text = mapping().replace('columns = ["client"]', "row_number = true")
    text = text.replace("reject_share = 0", "reject_share = 0.5")
    text += '[ignore]\ncolumns = ["client"]'
    bad = {at: inline(word) for at, word in enumerate(GOOD.values())} | {5: 't="e"><v>#REF!</v>'}
    whole = book(sheet(HEAD + ONE + row(3, bad) + texts(7, list(GOOD.values()))))
    first = world.load(whole, mapping=text).version
    slots = {found["_slot"] for found in rows(first)}
    again = book(sheet(HEAD + ONE + row(5, bad) + texts(6, list(GOOD.values()))))
    second = world.load(again, mapping=text).version
    assert (first.rows, first.rejected, first.people) == (2, 1, 2)
    assert {found["_slot"] for found in rows(second)} == slots
