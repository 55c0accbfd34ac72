"""Papers that cannot be recorded: each reason by line and column, and never a word of the cell."""

import csv
import io
import logging

import pytest

from common.errors import BadInput
from consent.models import Consent
from consent.vocabulary import Ending
from governance.models import Membership
from tests.factories import governance as made
from tests.integration.consent_world import build, days, entries_after, last_entry, nothing_happens
from tests.integration.test_consent_import import bring, lines, paper

pytestmark = pytest.mark.django_db
CANARY = "violet-canary-88"


def day(world, count):
    return (world.now.date() + days(count)).isoformat()


# What a cell is changed to, and where and as what the line is then rejected.
BAD = {
    "nobody": ({"client_number": ""}, "client_number", "missing_person"),
    "somebody not known": ({"client_number": CANARY}, "client_number", "missing_person"),
    "a number of another holder": ({"client_number": "L-3"}, "client_number", "missing_person"),
    "no recipient": ({"recipient": ""}, "recipient", "missing_recipient"),
    "an unknown recipient": ({"recipient": CANARY}, "recipient", "missing_recipient"),
    "two recipients": (
        {"recipient": "Delta Study;North Precinct"},
        "recipient",
        "missing_recipient",
    ),
    "the holder itself": ({"recipient": "River House"}, "recipient", "holder_is_recipient"),
    "no purpose": ({"purpose": ""}, "purpose", "missing_purpose"),
    "an unknown purpose": ({"purpose": CANARY}, "purpose", "missing_purpose"),
    "no categories": ({"categories": " ; "}, "categories", "missing_categories"),
    "an unknown category": ({"categories": CANARY}, "categories", "unknown_category"),
    "one unknown category": (
        {"categories": f"about-me;{CANARY}"},
        "categories",
        "unknown_category",
    ),
    "a category with all in it": (
        {"categories": "about-me;hallway"},
        "categories",
        "unknown_category",
    ),
    "all about me": ({"categories": "all about me"}, "categories", "unknown_category"),
    "all information": ({"categories": "All information"}, "categories", "all_information"),
    "everything and more": ({"categories": "about-me;*"}, "categories", "all_information"),
    "no terms": ({"terms": ""}, "terms", "missing_terms"),
    "an unknown version": ({"terms": "sharing/9"}, "terms", "missing_terms"),
    "another language": ({"language": "es"}, "terms", "missing_terms"),
    "no language": ({"language": ""}, "language", "missing_language"),
    "no answers": ({"answers": ""}, "answers", "missing_answers"),
    "one answer is no": ({"answers": "yyynyyy"}, "answers", "missing_answers"),
    "eight answers": ({"answers": "y" * 8}, "answers", "missing_answers"),
    "no signature": ({"signature": "  "}, "signature", "missing_signature"),
    "a long signature": ({"signature": CANARY * 13}, "signature", "signature_too_long"),
    "a long authority": ({"authority": CANARY * 8}, "authority", "authority_too_long"),
    "no day of signing": ({"signed_on": ""}, "signed_on", "missing_signed_at"),
    "no such day": ({"signed_on": "2026-02-31"}, "signed_on", "not_a_date"),
    "no day at all": ({"signed_on": CANARY}, "signed_on", "not_a_date"),
    "a day with a time": ({"signed_on": "2026-02-01T09:00"}, "signed_on", "not_a_date"),
    "a day as others write it": ({"signed_on": "01/02/2026"}, "signed_on", "not_a_date"),
    "a day without dashes": ({"signed_on": "20260201"}, "signed_on", "not_a_date"),
    "a day in other digits": (
        {"signed_on": "\u0662\u0660\u0662\u0666-\u0660\u0662-\u0660\u0661"},
        "signed_on",
        "not_a_date",
    ),
    "signed tomorrow": ({"signed_on": "+1"}, "signed_on", "signed_in_future"),
    "signed at the end of time": (
        {"signed_on": "9999-12-31", "ends_on": "9999-12-31"},
        "signed_on",
        "signed_in_future",
    ),
    "signed at the start of time": (
        {"signed_on": "0001-01-01", "ends_on": "0001-02-01"},
        "terms",
        "terms_later",
    ),
    "an end that never comes": ({"ends_on": "never"}, "ends_on", "not_a_date"),
    "too long": ({"ends_on": "+89"}, "ends_on", "too_long"),
    "an end before the start": (
        {"starts_on": "+5", "ends_on": "+5"},
        "ends_on",
        "ends_before_start",
    ),
    "a start before the signing": ({"starts_on": "-3"}, "starts_on", "starts_before_signature"),
    "a record after the end": ({"record_until": "+31"}, "record_until", "record_after_end"),
    "a record until what": ({"record_until": CANARY}, "record_until", "not_a_date"),
    "a guardian without a document": ({"signer": "guardian"}, "authority", "missing_authority"),
    "another signer": ({"signer": CANARY}, "signer", "unknown_signer"),
    "another channel": ({"channel": CANARY}, "channel", "unknown_channel"),
    "recorded by nobody known": ({"recorded_by": CANARY}, "recorded_by", "unknown_user"),
    "recorded by a survivor": ({"recorded_by": "amber-willow-41"}, "recorded_by", "unknown_user"),
    "recorded by the recipient": (
        {"recorded_by": "delta-fern-2"},
        "recorded_by",
        "recorded_by_recipient",
    ),
    "a NUL": ({"signature": f"{CANARY}\x00"}, "signature", "unreadable"),
    "half a sign": ({"client_number": f"A\udc80{CANARY}"}, "client_number", "unreadable"),
    "a cell of 2,001 signs": ({"signature": "x" * 2001}, "signature", "unreadable"),
}


def changed(world, cells):
    return {
        name: day(world, int(cell)) if cell[:1] in "+-" and cell[1:].isdigit() else cell
        for name, cell in cells.items()
    }


@pytest.mark.parametrize("what", BAD)
def test_a_bad_paper_is_rejected_by_line_and_column_and_its_cell_is_told_nowhere(what, caplog):
    caplog.set_level(logging.DEBUG)
    world = build()
    cells, column, code = BAD[what]
    cells = changed(world, cells)
    last = last_entry()
    done = bring(world, paper(world, "A-18"), paper(world) | cells, most_bad=1.0)
    assert done.recorded == 1
    assert Consent.objects.get().subject == world.other
    assert {bad.line for bad in done.rejected} == {3}
    assert (column, code) in [(bad.column, bad.code) for bad in done.rejected]
    told = repr(done) + caplog.text + "".join(repr(vars(one)) for one in entries_after(last))
    for cell in cells.values():
        # A day or a name of the catalogue is no secret; what may be a person's own words is.
        if len(cell) > 4 and cell not in {"guardian", "about-me;*"}:
            assert cell not in told
    assert CANARY not in told
    with nothing_happens(world), pytest.raises(BadInput) as refusal:
        bring(world, paper(world) | cells)
    assert refusal.value.code == "too_many_bad_lines"
    assert CANARY not in refusal.value.message
    assert f"line 2, column {done.rejected[0].column}" in refusal.value.message


def test_every_reason_of_a_line_is_told():
    world = build()
    done = bring(world, paper(world, "A-99", answers="", signature=""), most_bad=1.0)
    assert [(bad.column, bad.code) for bad in done.rejected] == [
        ("client_number", "missing_person"),
        ("answers", "missing_answers"),
        ("signature", "missing_signature"),
    ]


def test_somebody_of_the_recipient_cannot_import_in_a_colleagues_name():
    world = build()
    made.membership(user=world.advocate, organisation=world.recipient, role="requester")
    for name in ("", world.steward.username):
        done = bring(world, paper(world, recorded_by=name), most_bad=1.0)
        assert [bad.code for bad in done.rejected] == ["recorded_by_recipient"]
    Membership.objects.filter(user=world.advocate, organisation=world.recipient).update(
        ended_at=world.now
    )
    assert bring(world, paper(world)).recorded == 1


def test_a_paper_older_than_the_yes_on_record_is_rejected():
    world = build()
    running = world.give()
    done = bring(world, paper(world), most_bad=1.0)
    assert [(bad.column, bad.code) for bad in done.rejected] == [("signed_on", "older_than_yes")]
    running.refresh_from_db()
    assert running.ended_at is None


def test_the_older_of_two_papers_is_rejected_once_the_newer_one_is_on_record():
    world = build()
    older, newer = paper(world, signed_on=day(world, -9)), paper(world)
    bring(world, older, newer)
    done = bring(world, older, newer, most_bad=0.5)
    assert [(bad.line, bad.code) for bad in done.rejected] == [(2, "older_than_yes")]
    assert Consent.objects.filter(ending=Ending.SUPERSEDED).count() == 2


# --- how much may be bad --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("good", "bad", "share", "taken"),
    [
        (4, 1, 0.2, True),
        (3, 1, 0.2, False),
        (8, 2, 0.2, True),
        (7, 2, 0.2, False),
        (5, 1, 0.0, False),
        (5, 0, 0.0, True),
        (0, 3, 1.0, True),
    ],
)
@pytest.mark.parametrize("kind", ["judged", "unread"])
def test_above_a_share_of_bad_lines_nothing_is_recorded(good, bad, share, taken, kind):
    world = build()
    for number in range(good):
        world.enrol(f"A-{number + 50}")
    papers = [paper(world, f"A-{number + 50}") for number in range(good)]
    wrong = {"signature": ""} if kind == "judged" else {"signature": "\x00"}
    papers += [paper(world, **wrong)] * bad
    if taken:
        done = bring(world, *papers, most_bad=share)
        assert (done.recorded, len(done.rejected)) == (good, bad)
        return
    with nothing_happens(world), pytest.raises(BadInput) as refusal:
        bring(world, *papers, most_bad=share)
    assert refusal.value.code == "too_many_bad_lines"
    assert refusal.value.message.startswith(f"{bad} lines")


def test_a_file_without_a_line_records_nothing_and_writes_nothing():
    world = build()
    with nothing_happens(world):
        done = bring(world)
    assert (done.recorded, done.superseded, done.rejected) == (0, 0, ())


# --- the shape of a file --------------------------------------------------------------------------


def shape(world, change):
    table = list(csv.reader(lines([paper(world, "A-18"), paper(world)])))
    change(table)
    out = io.StringIO(newline="")
    csv.writer(out).writerows(table)
    return out.getvalue().splitlines(keepends=True)


HEADERS = {
    "empty": ("empty", list.clear),
    "duplicate_column": ("duplicate_column", lambda t: t[0].__setitem__(0, "recipient")),
    "missing_column": ("missing_column", lambda t: [row.pop(3) for row in t]),
    "unknown_column": (
        "unknown_column",
        lambda t: [row.append(CANARY) for row in t],
    ),
}


@pytest.mark.parametrize("code", HEADERS)
def test_a_file_of_another_shape_is_refused_whole(code):
    world = build()
    expected, change = HEADERS[code]
    with nothing_happens(world), pytest.raises(BadInput) as refusal:
        bring(world, lines=shape(world, change))
    assert refusal.value.code == expected
    assert CANARY not in refusal.value.message
    if code == "missing_column":
        assert "categories" in refusal.value.message
    if code == "unknown_column":
        assert "17" in refusal.value.message


def test_columns_in_another_order_with_spaces_and_a_mark_before_them_are_read():
    world = build()

    def turned(table):
        for row in table:
            row.reverse()
        table[0] = [f" {name} " for name in table[0]]
        table[0][0] = f"\ufeff{table[0][0]}"

    assert bring(world, lines=shape(world, turned)).recorded == 2


def test_the_column_of_the_start_may_be_left_out():
    world = build()
    assert bring(world, lines=shape(world, lambda t: [row.pop() for row in t])).recorded == 2


@pytest.mark.parametrize("cells", [15, 17])
def test_a_ragged_line_is_told_by_its_number(cells):
    world = build()
    wide = shape(world, lambda t: t.__setitem__(2, (t[2] + [CANARY])[:cells]))
    done = bring(world, lines=wide, most_bad=0.5)
    assert [(bad.line, bad.column, bad.code) for bad in done.rejected] == [(3, "", "ragged")]
    assert CANARY not in repr(done)
    assert done.recorded == 1


@pytest.mark.parametrize("spoiled", ['"open\n', f'"{CANARY}"tail\n', f"{'x' * 140_000}\n"])
def test_what_is_not_csv_is_refused_by_its_line_and_without_its_words(spoiled):
    world = build()
    with nothing_happens(world), pytest.raises(BadInput) as refusal:
        bring(world, lines=[*lines([paper(world)]), spoiled])
    assert refusal.value.code == "not_csv"
    assert "Line 3" in refusal.value.message
    assert CANARY not in refusal.value.message
