"""What is committed to when a person speaks: nothing that anybody reads, and nothing that anybody may
change afterwards unseen: papers by the hundred, words without a key, people who were shredded."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from audit.models import Detail, Entry
from audit.queries.details import check_details
from audit.queries.tampered import Tampered
from audit.vocabulary import EntryType
from consent.actions import consents, objections
from consent.models import Consent, Objection
from consent.vocabulary import WIPED
from governance.models import Organisation
from oversight.queries import words
from oversight.vocabulary import Finding, Told, Uncommitted
from tests.append_only import unguarded
from tests.factories import governance as made
from tests.integration.consent_world import World, build, stamp
from tests.integration.test_consent_import import bring, paper
from tests.integration.test_late_tags import key_away
from tests.shredding import shred
from tests.worlds import small_world

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


def told() -> list[Told]:
    return [each for _, check in words.CHECKS for each in check(lambda count: None)]


def findings() -> list[str]:
    return [str(each) for each in told() if isinstance(each, Finding)]


def changed(row: Any, **values: Any) -> None:
    assert type(row)._default_manager.filter(pk=row.pk).update(**values) == 1


def latest(type_: EntryType) -> Entry:
    return Entry.objects.filter(type=type_).latest("pk")


# --- papers ---------------------------------------------------------------------------------------


@pytest.fixture
def imported() -> World:
    """Two papers in one file, and one that replaced one of them."""
    world = build()
    bring(world, paper(world), paper(world, "A-18", recipient="North Precinct"))
    bring(world, paper(world, ends_on=(world.now.date() + timedelta(days=9)).isoformat()))
    return world


def test_papers_say_what_their_entry_commits_to(imported):
    assert told() == []
    assert Consent.objects.count() == 3


@pytest.mark.parametrize(
    ("column", "to"),
    [
        ("ends", lambda row: row.ends + DAY),
        ("starts", lambda row: row.starts - DAY),
        ("record_until", lambda row: row.record_until + DAY),
        ("signed_at", lambda row: row.signed_at + DAY),
        ("recipient", lambda _row: made.organisation()),
        ("holder", lambda _row: Organisation.objects.get(name="Lake House")),
        ("purpose", lambda _row: made.purpose()),
        ("signer", lambda _row: "guardian"),
    ],
)
def test_a_paper_made_to_say_more_is_named_by_its_entry(imported, column, to):
    row = Consent.objects.get(recipient__name="North Precinct")
    with unguarded():
        values = {column: to(row)} | ({"authority": "a court"} if column == "signer" else {})
        changed(row, **values)
        (only,) = findings()
        assert "says something else than it commits to" in only


def test_a_paper_taken_out_of_its_file_is_named(imported):
    row = Consent.objects.get(recipient__name="North Precinct")
    with unguarded(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM consent_consentevent WHERE consent_id = %s", [row.pk])
        cursor.execute("DELETE FROM consent_consent WHERE id = %s", [row.pk])
        assert len(findings()) == 1


def test_a_file_is_compared_whole_also_when_somebody_in_it_was_shredded(imported):
    hers, other = imported.hers, Consent.objects.get(recipient__name="North Precinct")
    with unguarded():
        changed(hers, wrapped_key=b"", account=None, shredded_at=timezone.now())
        Consent.objects.filter(subject=hers).update(
            signature=WIPED, authority=WIPED, recorded_by=None
        )
        assert told() == []
        changed(other, ends=other.ends + DAY)
        assert len(findings()) == 1


# --- deeds ----------------------------------------------------------------------------------------


def test_nothing_that_is_kept_beside_a_word_says_what_it_was():
    world = build()
    consent = world.give()
    kept = json.loads(bytes(Detail.objects.get(entry=latest(EntryType.CONSENT_GIVEN)).sealed))
    values = json.dumps(list(kept.values()))
    for said in (
        world.recipient.ref,
        world.purpose.code,
        consent.ends.date().isoformat(),
        "about-me",
    ):
        assert said not in values
    other = world.give(subject=world.other)
    again = json.loads(bytes(Detail.objects.get(entry=latest(EntryType.CONSENT_GIVEN)).sealed))
    assert other.ends == consent.ends
    assert not set(kept.values()) & set(again.values())  # the same said twice looks like another


def test_a_no_made_smaller_says_what_was_committed_to_and_keeps_its_day():
    world = build()
    no = world.object()
    less = objections.narrow(objection=no, recipient=world.police, **stamp(world.her))
    least = objections.narrow(objection=less, purpose=world.purpose, **stamp(world.her))
    assert told() == []
    with unguarded():
        changed(least, purpose=world.other_purpose)
        assert "what for" in findings()[0]
    with unguarded():
        changed(less, recipient=world.recipient)
        assert "who receives" in findings()[0]


def test_a_second_pause_is_held_against_what_it_said_and_not_the_first():
    world = build()
    consent = world.give()
    now = timezone.now()
    consents.pause(consent=consent, until=now + DAY, **stamp(world.her))
    consents.pause(consent=consent, until=now + 2 * DAY, **stamp(world.her))
    assert told() == []
    with unguarded():
        changed(consent, paused_until=now + DAY)
        assert "until when it is paused" in findings()[0]


def test_what_is_said_while_the_key_is_away_is_committed_to_as_well(tmp_path: Path):
    world = build()
    consent = world.give()
    with key_away(tmp_path):
        consents.pause(consent=consent, until=timezone.now() + DAY, **stamp(world.advocate))
        no = objections.make(subject=world.hers, **stamp(world.advocate))
        assert told() == []
    with unguarded():
        changed(consent, paused_until=timezone.now())
        changed(no, recipient=world.police)
        with key_away(tmp_path):
            assert len(findings()) == 2


def test_a_stop_said_for_all_says_what_was_committed_to():
    world = build()
    world.give()
    consents.stop_by_number(holder=world.holder, number="A-17", **stamp(world.advocate))
    assert told() == []
    with unguarded():
        changed(Objection.objects.get(subject=world.hers), recipient=world.police)
        assert findings()


def test_whoever_was_shredded_still_said_what_she_said():
    world = small_world(3, each=1)
    world.object("c-1")
    subject = shred(world, "c-1")
    assert told() == []
    with unguarded():
        changed(Consent.objects.get(subject=subject), ends=timezone.now() + 99 * DAY)
        changed(Objection.objects.get(subject=subject), recipient=made.organisation())
        assert len({each.split(":")[0] for each in findings()}) == 2


# --- what was before ------------------------------------------------------------------------------


def test_what_was_written_before_is_counted_and_no_finding():
    world = build()
    world.give()
    world.object()
    with unguarded():
        Detail.objects.all()._raw_delete(using="default")
        Entry.objects.update(detail_commit="")
        # Her no is kept at her other holder too.
        assert [type(each) for each in told()] == [Uncommitted] * 3


def test_what_was_committed_to_and_is_gone_is_named_by_whoever_verifies_the_log():
    world = build()
    world.give()
    check_details()
    with unguarded():
        Detail.objects.all()._raw_delete(using="default")
        with pytest.raises(Tampered, match="it is gone"):
            check_details()
