"""The operator's door to paper consents: `import_consents`."""

import io

import pytest
from django.core.management import CommandError, call_command

from tests.factories import governance as made
from tests.integration.consent_world import build, nothing_happens
from tests.integration.test_consent_import import lines, paper

pytestmark = pytest.mark.django_db
CANARY = "violet-canary-88"


def command(world, path, *more, holder="River House", by="river-linden-5"):
    out = io.StringIO()
    call_command(
        "import_consents", str(path), "--holder", holder, "--by", by, *more, stdout=out, stderr=out
    )
    return out.getvalue()


@pytest.fixture
def file(tmp_path):
    def written(world, *papers, encoding="utf-8"):
        path = tmp_path / "papers.csv"
        path.write_bytes("".join(lines(papers)).encode(encoding))
        return path

    return written


def spoilt(world):
    papers = [paper(world, f"A-{number}") for number in (17, 18, 50, 51, 52)]
    for number in (50, 51, 52):
        world.enrol(f"A-{number}")
    papers[2] |= {"signature": "", "recorded_by": CANARY}
    return papers


HEADER = "line,column,code,hint"


def test_the_command_tells_what_was_recorded_and_lists_the_bad_lines(file, tmp_path):
    world = build()
    path = file(world, *spoilt(world))
    told = command(world, path)
    assert "4 yeses recorded (imp-" in told
    assert "1 lines not recorded" in told
    assert [line.split(",")[:3] for line in told.splitlines()[1:]] == [
        HEADER.split(",")[:3],
        ["4", "recorded_by", "unknown_user"],
        ["4", "signature", "missing_signature"],
    ]
    report = tmp_path / "bad.csv"
    again = command(world, path, "--report", str(report))
    assert again.count("\n") == 1
    rows = report.read_text(encoding="utf-8").splitlines()
    assert (rows[0], len(rows)) == (HEADER, 3)
    for words in (told, again, report.read_text(encoding="utf-8")):
        assert CANARY not in words
        assert "A-50" not in words


def test_the_command_reads_what_a_spreadsheet_saves(file):
    world = build()
    quoted = file(world, paper(world), encoding="utf-8-sig")
    text = quoted.read_bytes().replace(b"client_number", b'"client_number"', 1)
    quoted.write_bytes(text)
    assert "1 yeses recorded" in command(world, quoted)


def test_the_command_reads_row_numbers_of_a_dataset(file):
    world = build()
    dataset = made.dataset(holder=world.holder, name="rows")
    path = file(world, paper(world))
    for name in ("rows", dataset.ref):
        with nothing_happens(world), pytest.raises(CommandError, match="column client_number"):
            command(world, path, "--rows-of", name)
    with pytest.raises(CommandError, match="no dataset"):
        command(world, path, "--rows-of", "nothing")


REFUSED = {
    "a folder": (lambda p: p.parent, {}, "not a file"),
    "nothing": (lambda p: p.parent / "none.csv", {}, "not a file"),
    "another holder": (lambda p: p, {"holder": "Nowhere"}, "no organisation"),
    "another user": (lambda p: p, {"by": "nobody"}, "no user"),
    "the steward": (lambda p: p, {"by": "river-maple-41"}, "may not"),
    "another holder's advocate": (lambda p: p, {"by": "lake-linden-6"}, "may not"),
    "herself": (lambda p: p, {"by": "amber-willow-41"}, "may not"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_command_says_in_a_sentence_why_it_does_nothing(what, file):
    world = build()
    where, given, word = REFUSED[what]
    path = file(world, paper(world))
    with nothing_happens(world), pytest.raises(CommandError, match=word):
        command(world, where(path), **given)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-32"])
def test_another_encoding_is_refused_without_a_word_of_the_file(encoding, file):
    world = build()
    path = file(world, paper(world, signature=f"sábana {CANARY}"), encoding=encoding)
    with nothing_happens(world), pytest.raises(CommandError) as refusal:
        command(world, path)
    assert CANARY not in str(refusal.value)
    assert "UTF-8" in str(refusal.value)


def test_a_report_that_has_no_place_stops_the_import_before_it_begins(file, tmp_path):
    world = build()
    path = file(world, *spoilt(world))
    for place in (tmp_path, tmp_path / "none" / "bad.csv"):
        with nothing_happens(world), pytest.raises(CommandError, match="cannot lie there"):
            command(world, path, "--report", str(place))
