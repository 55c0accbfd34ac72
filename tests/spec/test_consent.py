"""R5 and the standing of a consent; R3, R4, R6 and what a yes needs."""

from datetime import date, timedelta

import pytest

from consent.rules import (
    Ask,
    ConsentFact,
    Draft,
    ObjectionFact,
    default_end,
    matches,
    missing,
    problems,
    standing,
    word,
)
from consent.vocabulary import Element, Signer, Standing
from tests.spec.consent import TABLE, fact
from tests.spec.decision import LATER, LONG_AGO, NOW, UNTIL

ASK = Ask(recipient=5, recipient_kind="research", purpose=9)
WHOLE = Draft(
    person=True,
    holder=True,
    recipient=True,
    purpose=True,
    categories=("help",),
    terms=True,
    terms_published_at=LONG_AGO - timedelta(days=1),
    language="en",
    terms_language="en",
    answers="yyyyyyy",
    signature="binder 1, sheet 2",
    signed_at=LONG_AGO,
    starts=None,
    ends=LATER,
    record_until=None,
    signer=Signer.SELF,
    authority="",
)
LACKING = {
    Element.PERSON: {"person": False},
    Element.HOLDER: {"holder": False},
    Element.RECIPIENT: {"recipient": False},
    Element.PURPOSE: {"purpose": False},
    Element.CATEGORIES: {"categories": ()},
    Element.TERMS: {"terms": False},
    Element.LANGUAGE: {"language": ""},
    Element.ANSWERS: {"answers": "yyynyyy"},
    Element.SIGNATURE: {"signature": "  "},
    Element.SIGNED_AT: {"signed_at": None},
    Element.ENDS: {"ends": None},
    Element.AUTHORITY: {"signer": Signer.GUARDIAN},
}
OTHERWISE = {
    "all_information": {"categories": ("All information",)},
    "signed_in_future": {"signed_at": NOW + timedelta(hours=1)},
    "starts_before_signature": {"starts": LONG_AGO - timedelta(days=1)},
    "ends_before_start": {"starts": LATER, "ends": LATER},
    "too_long": {"ends": LONG_AGO + timedelta(days=91)},
    "terms_later": {"terms_published_at": NOW},
    "terms_language": {"terms_language": "es"},
    "record_after_end": {"record_until": date(2029, 1, 1)},
}


def draft(**change):
    return Draft(**{**WHOLE.__dict__, **change})


def codes(wanted, **given):
    facts = {
        "at": NOW,
        "longest_days": 90,
        "latest_no": None,
        "latest_yes": None,
        "from_recipient": False,
        **given,
    }
    return [problem.code for problem in problems(wanted, **facts)]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.says)
def test_R5_a_consent_stands_as_the_table_says(row):
    assert standing(fact(row), NOW, NOW) == row.at
    assert standing(fact(row), NOW, UNTIL) == row.through


def test_a_whole_yes_has_no_problem():
    assert codes(draft()) == []


def test_every_element_is_in_the_table_of_what_can_be_missing():
    assert set(LACKING) == set(Element)


@pytest.mark.parametrize("element", LACKING)
def test_R3_R6_a_missing_element_is_named(element):
    lacking = draft(**LACKING[element])
    assert missing(lacking) == (element,)
    assert f"missing_{element.value}" in codes(lacking)


@pytest.mark.parametrize("code", OTHERWISE)
def test_a_yes_that_cannot_be_is_refused_with_its_own_reason(code):
    assert codes(draft(**OTHERWISE[code])) == [code]


def test_R4_the_longest_period_itself_is_allowed():
    assert codes(draft(ends=LONG_AGO + timedelta(days=90))) == []


def test_R4_without_a_date_a_yes_ends_after_90_days_or_the_purposes_longest():
    assert default_end(NOW, 730) == NOW + timedelta(days=90)
    assert default_end(NOW, 30) == NOW + timedelta(days=30)


def test_nobody_of_the_recipient_records_a_yes_to_it():
    assert codes(draft(), from_recipient=True) == ["recorded_by_recipient"]


@pytest.mark.parametrize(
    ("later", "expected"), [(-1, []), (0, ["older_than_no"]), (1, ["older_than_no"])]
)
def test_a_yes_signed_before_or_with_her_latest_no_is_refused(later, expected):
    assert codes(draft(), latest_no=LONG_AGO + timedelta(seconds=later)) == expected


@pytest.mark.parametrize(
    ("later", "expected"), [(-1, []), (0, ["older_than_wiping"]), (1, ["older_than_wiping"])]
)
def test_a_yes_signed_before_a_wiping_by_somebody_taken_up_after_it_is_refused(later, expected):
    assert codes(draft(), wiped_before=LONG_AGO + timedelta(seconds=later)) == expected


@pytest.mark.parametrize(("later", "expected"), [(-1, []), (0, []), (1, ["older_than_yes"])])
def test_a_yes_signed_before_the_one_on_record_is_refused(later, expected):
    assert codes(draft(), latest_yes=LONG_AGO + timedelta(seconds=later)) == expected


@pytest.mark.parametrize(
    ("objection", "expected"),
    [
        (ObjectionFact(), True),
        (ObjectionFact(recipient=5), True),
        (ObjectionFact(recipient=6), False),
        (ObjectionFact(recipient_kind="research"), True),
        (ObjectionFact(recipient_kind="police"), False),
        (ObjectionFact(purpose=9), True),
        (ObjectionFact(purpose=8), False),
        (ObjectionFact(recipient=5, purpose=9), True),
        (ObjectionFact(recipient=5, purpose=8), False),
        (ObjectionFact(recipient=5, recipient_kind="police"), False),
    ],
)
def test_an_objection_matches_only_what_it_names(objection, expected):
    assert matches(objection, ASK) is expected


def said(consents, objections=()):
    return word(
        consents=consents,
        objections=objections,
        ask=ASK,
        categories={11: 1, 21: 2},
        since=NOW,
        until=NOW,
    )


YES = ConsentFact(LONG_AGO, LATER, NOW.date(), frozenset({11, 21}))


def test_silence_is_no():
    assert said([]).standing is Standing.NO_CONSENT


def test_a_yes_opens_its_own_versions():
    assert said([YES]).versions == {11, 21}


def test_an_objection_to_one_category_closes_that_one():
    assert said([YES], [ObjectionFact(category=2)]).versions == {11}


def test_an_objection_to_everything_closes_everything():
    assert said([YES], [ObjectionFact()]).standing is Standing.OBJECTED


def test_objections_to_each_category_close_everything():
    found = said([YES], [ObjectionFact(category=1), ObjectionFact(category=2)])
    assert found.standing is Standing.OBJECTED


def test_an_ended_yes_does_not_hide_a_newer_one():
    old = ConsentFact(LONG_AGO, NOW, NOW.date(), frozenset({11}))
    assert said([old, YES]).standing is Standing.IN_FORCE
