"""What a deed may be given: every kind of argument, and what is said of one that is not good."""

from argparse import ArgumentTypeError
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from common.arguments import new_path
from common.errors import BadInput
from common.inputs import EARLIEST, LATEST, Number, Text, fits, of, taking
from consent.models import Terms
from governance.models import AccessRequest, Agreement, Charter, Dataset
from governance.vocabulary import Vote
from tests import nasty

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Thing:
    name: str
    size: int


@taking(title=Text(most=5, least=1), count=Number(1, 9))
def deed(
    *,
    title: str = "good",
    count: int = 1,
    note: str | None = None,
    lines: Sequence[str] = ("good",),
    things: Sequence[Thing] = (Thing("good", 1),),
    vote: Vote = Vote.YES,
    share: float = 0.5,
    at: datetime = NOW,
    day: date | None = None,
    sure: bool = True,
    place: Path = Path("good"),
    text: bytes = b"good",
    anything: object = None,
) -> str:
    return "done"


GOOD: dict[str, list[object]] = {
    "title": ["good", "ñ ¿", " g "],
    "count": [1, 9],
    "note": [None, "good"],
    "lines": [[], ["good"], ("good", "too")],
    "things": [[], [Thing("x", 5)]],
    "vote": [Vote.NO, "more"],
    "share": [0, 1, 0.25],
    "at": [EARLIEST, NOW],
    "day": [None, date(1990, 2, 28)],
    "sure": [False],
    "place": [Path("/a/b.csv")],
    "text": [b"", b"\0"],
    "anything": ["a\0b", object()],
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_good_is_let_through(name):
    for value in GOOD[name]:
        assert deed(**{name: value}) == "done"


KINDS = {
    "title": (str, "good", Text(most=5, least=1)),
    "count": (int, 1, Number(1, 9)),
    "note": (str | None, "good", None),
    "lines": (Sequence[str], ["good"], None),
    "things": (Sequence[Thing], [Thing("good", 1)], None),
    "vote": (Vote, "yes", None),
    "share": (float, 0.5, None),
    "at": (datetime, NOW, None),
    "day": (date | None, NOW.date(), None),
    "sure": (bool, True, None),
    "place": (Path, Path("good"), None),
    "text": (bytes, b"good", None),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_is_nasty_is_refused_by_name(name):
    kind, good, limit = KINDS[name]
    values = list(nasty.of_kind(kind, good, limit))
    assert len(values) >= 3
    for value in values:
        with pytest.raises(BadInput) as refusal:
            deed(**{name: value})
        assert refusal.value.code == f"bad_{name}"
        assert refusal.value.where.split(".")[0] == name
        assert refusal.value.message.startswith(name.capitalize())


def test_nothing_is_no_good_where_it_is_not_foreseen():
    for name in set(KINDS) - {"note", "day"}:
        with pytest.raises(BadInput):
            deed(**{name: None})


def test_a_refusal_says_where_in_a_list_and_repeats_nothing_that_was_sent():
    with pytest.raises(BadInput) as refusal:
        deed(things=[Thing("good", 1), Thing("secret\0", 1)])
    assert refusal.value.where == "things.2.name"
    assert "secret" not in refusal.value.message


def test_a_refusal_is_told_in_the_readers_language_and_stays_english_beside_it():
    with translation.override("es"), pytest.raises(BadInput) as refusal:
        deed(title="x" * 6)
    assert refusal.value.message == "Title: Write 5 signs at most."
    with translation.override("es"):
        assert refusal.value.told == "Title: Escriba 5 signos como máximo."


def test_a_limit_for_an_argument_that_is_not_there_is_noticed_at_once():
    def painted(*, size: int) -> None: ...

    with pytest.raises(TypeError, match="takes no colour"):
        taking(colour=Text())(painted)


def test_the_limit_of_a_column_is_what_its_model_says():
    assert of(Agreement, "title") == Text(most=200, least=1)
    assert of(AccessRequest, "reason", least=0, lines=True) == Text(most=2000, lines=True)
    assert of(Dataset, "name") == Text(most=80, least=1, slug=True)
    assert of(Charter, "quorum", least=1) == Number(1, 2**31 - 1)
    assert of(Terms, "text").lines
    with pytest.raises(TypeError):
        of(Agreement, "starts")


def test_values_for_a_model_are_looked_at_by_its_columns():
    fits(Agreement, title="good", starts=NOW, obligations=["a\0b"])  # texts and numbers only
    for values in ({"title": "x" * 201}, {"title": ""}, {"title": "a\0"}, {"title": 5}):
        with pytest.raises(BadInput) as refusal:
            fits(Agreement, **values)
        assert refusal.value.where == "title"


lines = st.text(alphabet=st.characters(codec=None), max_size=30)


@given(lines)
def test_what_a_line_may_hold_is_printable_and_never_half_a_character(value):
    if Text().fault(value) is None:
        assert value.isprintable()
        value.encode()


@given(lines)
def test_what_several_lines_may_hold_can_always_be_written_down(value):
    if Text(lines=True).fault(value) is None:
        value.encode()
        assert "\0" not in value
        assert "\u202e" not in value


@given(st.integers())
def test_a_number_that_is_let_through_fits_into_every_database(value):
    fault = Number().fault(value)
    assert (fault is None) == (-(2**63) <= value < 2**63)


@given(st.datetimes(timezones=st.timezones()))
def test_an_instant_that_is_let_through_can_be_told_in_every_time_zone(value):
    try:
        deed(at=value)
    except BadInput:
        assert not EARLIEST <= value < LATEST
    else:
        for hours in (-14, 14):
            value.astimezone(nasty.timezone(nasty.timedelta(hours=hours)))


def test_what_is_to_be_made_has_a_name_that_a_terminal_can_show(tmp_path):
    assert new_path(str(tmp_path / "one")) == tmp_path / "one"
    with pytest.raises(ArgumentTypeError):
        new_path(str(tmp_path / "\x1b[2J"))
