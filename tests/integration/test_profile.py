"""A drafted mapping loads its file, says what it is unsure of, and shows nobody's values."""

import csv
import gzip
import io
import random
import re
import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter  # type: ignore[import-untyped]  # it ships no types
from django.conf import settings
from django.core.management import CommandError, call_command

from common.errors import BadInput
from governance.actions.standard import SHIPPED
from release.actions import profiles
from release.management.demo.rows import write_cases, write_health
from release.rules.profiles import FEWEST_ROWS
from tests.integration import loading_world
from tests.integration.loading_world import World, rows
from tests.integration.spreadsheets import book, sheet, texts

pytestmark = pytest.mark.django_db
BASE_DIR = Path(settings.BASE_DIR)
CTDC = [
    BASE_DIR / "shared" / "data" / "ctdc" / "north_america.csv",
    BASE_DIR.parent / "shared" / "data" / "ctdc" / "north_america.csv",
    BASE_DIR.parents[1] / "shared" / "data" / "ctdc" / "north_america.csv",
]
NUMBERS = [f"C-{number:05d}" for number in range(300)]


@pytest.fixture
def world(tmp_path, settings):
    settings.SAYSO_DATA = tmp_path / "data"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    given = tmp_path / "given"
    given.mkdir()
    return loading_world.build(given, standard=SHIPPED)


def drafted(world: World, data: bytes) -> str:
    path = world.folder / "given.dat"
    path.write_bytes(data)
    return profiles.draft(file=path)


def cases(world: World, write=write_cases) -> bytes:
    path = world.folder / "demo.csv"
    write(
        rng=np.random.default_rng(5), path=path, numbers=NUMBERS, rows=4000, today=date(2025, 6, 1)
    )
    return path.read_bytes()


@pytest.mark.parametrize("write", [write_cases, write_health])
def test_the_draft_for_the_demonstrations_files_loads_them_as_it_stands(world: World, write):
    data = cases(world, write)
    text = drafted(world, data)
    version = world.load(data, mapping=text).version
    assert (version.rows, version.rejected) == (4000, 0)
    table = tomllib.loads(text)
    own = "mapping-cases.toml" if write is write_cases else "mapping-health.toml"
    ours = tomllib.loads((BASE_DIR / "release/management/demo" / own).read_text())
    assert table["person"] == ours["person"]
    assert table["record"] == ours["record"]
    named = {each["column"]: each["name"] for each in table["field"]}
    wanted = {each["column"]: each["name"] for each in ours["field"] if "catalogue" in each}
    found = {column for column, name in wanted.items() if named[column] == name}
    # Towns, offices, aims and a few days have names that no list can tell.
    assert len(found) >= 0.6 * len(wanted)
    assert {"gender", "language", "children", "control", "support"} <= found


def test_the_draft_is_the_same_for_every_kind_of_file(world: World):
    data = cases(world)
    records = list(csv.reader(io.StringIO(data.decode())))
    plain = tomllib.loads(drafted(world, data))
    parquet, excel = io.BytesIO(), io.BytesIO()
    pq.write_table(
        pa.table(dict(zip(records[0], map(list, zip(*records[1:], strict=True)), strict=True))),
        parquet,
    )
    texts_only = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(excel, texts_only) as made:
        page = made.add_worksheet("Cases")
        for line, record in enumerate(records):
            page.write_row(line, 0, record)
    for given in (gzip.compress(data), parquet.getvalue(), excel.getvalue()):
        text = drafted(world, given)
        table = tomllib.loads(text)
        assert {**plain, "format": ""} == {
            "encoding": "utf-8",
            "delimiter": ",",
            **table,
            "format": "",
        }
        assert world.load(given, mapping=text).version.rows == 4000


def test_the_draft_for_the_ctdc_file_loads_it(world: World):
    path = next((path for path in CTDC if path.is_file()), None)
    if path is None:
        pytest.skip("the CTDC North America file is not on this machine")
    text = profiles.draft(file=path)
    assert "No column looks like client numbers" in text.replace("\n#   ", "")
    version = world.load_file(path, mapping=text).version
    assert (version.rows, version.rejected) == (91_043, 0)


def nasty() -> bytes:
    """Strange names; names, numbers and stories of people; rare words; days that fit two readings."""
    rng = random.Random(3)  # noqa: S311 - made-up rows
    out = io.StringIO()
    write = csv.writer(out, delimiter=";")
    write.writerow(
        [
            "Client ID",
            "Date of\nbirth",
            "Full Name",
            'Säx "x"',
            "E-mail",
            "q4",
            "intake date",
            "status\tnow",
            "Notes",
            "Worker",
            "1st",
            "zip",
            "湖",
            "place of work",
            "person",
        ]
    )
    for row in range(600):
        day = f"{rng.randrange(1, 13):02d}/{rng.randrange(1, 13):02d}/2024"
        status = "RARE" if row < FEWEST_ROWS - 1 else "OK"
        write.writerow(
            [
                1000 + row % 150,
                f"17/{rng.randrange(1, 13)}/19{rng.randrange(50, 99)}",
                f"Songbird{row % 20} Quill",
                rng.choice("FMX"),
                f"songbird{row}@example.org",
                f"(555) 010-{row:04d}",
                day,
                status,
                "songbird said; many\nthings",
                rng.choice(["Songbird", "Songbird B"]),
                row % 3,
                f"0{4000 + row}",
                7654321,
                rng.choice(["Songbird Inn", "Songbird Farm"]),
                rng.choice("ab"),
            ]
        )
    return out.getvalue().encode()


def test_nobodys_values_are_in_the_draft(world: World):
    text = drafted(world, nasty())
    assert "songbird" not in text.lower()
    assert "RARE" not in text
    assert '"OK"' in text
    assert "7654321" not in text
    assert not re.search(r"19[0-9]{2}|0?4[0-9]{3}|010-", text)
    table = tomllib.loads(text)
    ignored = {"Date of\nbirth", "Full Name", "E-mail", "q4", "Worker"}
    assert set(table["ignore"]["columns"]) == ignored
    assert table["person"] == {"columns": ["Client ID"]}


def test_a_draft_with_an_open_question_about_days_loads_once_it_is_answered(world: World):
    data = nasty()
    text = drafted(world, data)
    assert 'date_format = "dd/mm/yyyy or mm/dd/yyyy"' in text
    with pytest.raises(BadInput, match="date_format is one of"):
        world.load(data, mapping=text)
    answered = text.replace("dd/mm/yyyy or mm/dd/yyyy", "mm/dd/yyyy")
    answered = answered.replace('codes = ["OK"]', 'codes = ["OK", "RARE"]')
    version = world.load(data, mapping=answered).version
    assert (version.rows, version.rejected) == (600, 0)
    assert {each["sax_x"] for each in rows(version)} == {"F", "M", "X"}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"a,b\n", "no rows"),
        (b"a,,b\n1,2,3\n", "no name, by their places: 2"),
        (b"a,b,a\n1,2,3\n", "share their name with another one, by their places: 1, 3"),
        (b"songbird,x\nfinch,y\nfinch,x\n", "looks like a row"),
        (b"songbird,1,2\nfinch,2,3\n", "looks like a row"),
        (b"a,b\n1,2\n\x1f\x8b", "columns"),
        (gzip.compress(b"a,b\n1,2\n" * 900, mtime=0)[:-20], "ends too early|damaged"),
        (b"PAR1" + b"\0" * 90, "Parquet file is damaged"),
        (b"PK\x03\x04" + b"\0" * 90, "XLSX file is damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 900, "old Excel"),
        (book(sheet(""), states=["hidden"]), "not hidden"),
        (book(sheet("")), "header row"),
    ],
)
def test_a_file_that_cannot_be_loaded_gets_a_sentence_instead(world: World, data, says):
    if says == "columns":
        assert "rows cannot be read" in drafted(world, data)
        return
    with pytest.raises(BadInput) as refused:
        drafted(world, data)
    assert re.search(says, refused.value.message)
    assert "songbird" not in refused.value.message


def test_other_encodings_and_delimiters_are_found(world: World):
    text = "client;día;wort\n" + "N-1;2024-02-29;ñandú, que\n" * 30
    for encoding in ("windows-1252", "utf-16", "utf-8"):
        table = tomllib.loads(drafted(world, text.encode(encoding)))
        assert (table["encoding"], table["delimiter"]) == (encoding, ";")
    assert "not UTF-8" in drafted(world, text.encode("windows-1252"))
    one = drafted(world, b"client\n" + b"N-1\nN-2\n" * 20)
    assert "Only one column was found" in one


def test_a_title_above_the_names_and_other_sheets_are_said(world: World):
    data = book(
        sheet(
            texts(1, ["Export of the house"])
            + texts(3, ["client", "day", "sex"])
            + "".join(texts(4 + at, [f"N-{at}", "2024-02-29", "FM"[at % 2]]) for at in range(40))
        ),
        sheet(texts(1, ["x"])),
    )
    text = drafted(world, data)
    table = tomllib.loads(text)
    assert table["sheet"] == {"header_row": 3, "name": "Cases"}
    assert "2 sheets" in text
    assert "Row 3 of the sheet" in text
    assert world.load(data, mapping=text).version.rows == 40


def test_hidden_rows_are_said_and_nothing_hidden_is_loaded_unasked(world: World):
    head = texts(1, ["client", "day", "sex"])
    body = "".join(texts(2 + at, [f"N-{at}", "2024-02-29", "FM"[at % 2]]) for at in range(40))
    data = book(sheet(head + body + texts(50, ["N-50", "2024-02-29", "F"], 'hidden="1"')))
    text = drafted(world, data)
    assert "hidden rows or columns" in text
    with pytest.raises(BadInput, match="Row 50"):
        world.load(data, mapping=text)


def test_the_command_writes_the_draft_and_never_over_a_file(world: World, tmp_path, capsys):
    path, out = tmp_path / "cases.csv", tmp_path / "draft.toml"
    path.write_bytes(cases(world))
    call_command("profile", str(path))
    assert "Drafted by manage.py profile" in capsys.readouterr().out
    call_command("profile", str(path), out=out)
    assert "UNSURE" in capsys.readouterr().out
    tomllib.loads(out.read_text())
    with pytest.raises(CommandError, match="a file already"):
        call_command("profile", str(path), out=out)
    with pytest.raises(CommandError, match="no file at this path"):
        call_command("profile", str(tmp_path / "nothing"))
