"""Shredding: two agree, a delay passes, nothing leads to the person, and everything still verifies."""

from datetime import timedelta
from hashlib import sha256

import pytest
from django.conf import settings
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType
from common.errors import NotPermitted, RuleBroken, Void
from consent.actions import consents, holds, imports, shredding, subjects
from consent.actions.subjects import client_digest, digest_key
from consent.models import Consent, ConsentEvent, LegalHold, Objection, Shredding, SubjectKey
from consent.queries import latest, sharing
from consent.queries import shredding as queries
from governance.models import KeptNo
from governance.vocabulary import UserKind
from release.actions.shredding import carry_out_due
from release.management.demo.papers import COLUMNS
from release.tasks import tick
from tests.factories.governance import user
from tests.integration.test_consent_import import lines
from tests.shredding import (
    HER,
    LATER,
    PAPER,
    WHY,
    account,
    agree,
    ask,
    code,
    due,
    hold,
    looked,
    shred,
    verify,
)
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return small_world(4, each=1)


# --- the two, and the delay -----------------------------------------------------------------------


def test_nothing_happens_before_a_second_person_agrees_and_the_delay_has_passed(world):
    now = timezone.now()
    asked = ask(world)
    assert queries.due(asked) is None
    assert carry_out_due(at=now + timedelta(days=99)) == 0
    agreed = agree(world, asked, at=now)
    assert queries.due(agreed) == now + timedelta(days=settings.SHRED_DAYS)
    assert carry_out_due(at=now) == 0
    # A door's or worker's clock that runs ahead shreds nobody: the database's own decides.
    assert carry_out_due(at=now + timedelta(days=99)) == 0
    assert "c-1" in world.received(world.prepare())


def test_one_person_is_not_two_and_the_second_must_know_the_number(world):
    asked = ask(world)
    assert code(lambda: agree(world, asked, by=world.home.advocate)) == "second_person"
    assert code(lambda: agree(world, asked, number="c-2")) == "number_other"
    assert code(lambda: agree(world, asked, number="c-99")) == "number_unknown"
    assert code(lambda: ask(world)) == "already_asked"
    agree(world, asked)
    assert code(lambda: agree(world, asked)) == "already_agreed"


@pytest.mark.parametrize("who", ["steward", "requester", "recipient_admin", "chair"])
def test_only_the_holders_advocates_and_administrators_have_a_hand(world, who):
    by = getattr(world, who, None) or getattr(world.home, who)
    asked = ask(world)
    assert code(lambda: ask(world, "c-2", by=by)) == "may_not_shred"
    assert code(lambda: agree(world, asked, by=by)) == "may_not_shred"
    deed = lambda: shredding.call_off(shredding=asked, **hand(by))  # noqa: E731
    assert code(deed) == "may_not_shred"
    assert code(lambda: hold(world, by=by)) == "may_not_administer"


@pytest.mark.parametrize("who", ["first", "second", "herself"])
def test_it_is_called_off_by_either_hand_or_by_herself(world, who):
    her = account(world)
    waits = due(world)
    by = {"first": world.home.advocate, "second": world.home.warden, "herself": her}[who]
    shredding.call_off(shredding=waits, **hand(by))
    tick(timezone.now())
    assert SubjectKey.objects.filter(subject=waits.subject).exists()
    assert "c-1" in world.received(world.prepare())
    waits.refresh_from_db()
    assert (waits.called_off_by is None) == (who == "herself")  # her sign-in stands nowhere
    entry = Entry.objects.get(type=EntryType.SHREDDING_CALLED_OFF)
    assert (entry.actor == "person") == (who == "herself")
    assert code(lambda: shredding.call_off(shredding=waits, **hand(by))) == "not_open"
    ask(world)  # and may be asked for again


def test_a_stranger_calls_nothing_off(world):
    waits = due(world)
    stranger = user(username="quiet-harbour-7", kind=UserKind.SURVIVOR)
    assert code(lambda: shredding.call_off(shredding=waits, **hand(stranger))) == "may_not_shred"


def test_why_is_read_with_her_key_and_never_in_the_log(world):
    asked = ask(world)
    assert queries.why(queries.open_ones().get()) == WHY
    assert WHY.encode() not in bytes(asked.entry.leaf)
    assert asked.entry.detail_commit == sha256(bytes(asked.entry.detail.sealed)).hexdigest()
    shred_it = agree(world, asked, at=timezone.now() - LATER)
    assert carry_out_due(at=timezone.now()) == 1
    with pytest.raises(Exception, match="destroyed"):
        queries.why(Shredding.objects.select_related("subject__holder").get(pk=shred_it.pk))


# --- afterwards -----------------------------------------------------------------------------------


def test_afterwards_nothing_leads_to_her_and_everything_verifies(world):
    her = account(world)
    release = world.prepare()
    world.object(HER, recipient=world.recipient)
    world.yes("c-2")
    packed_before = {bytes(each.facts) for each in KeptNo.objects.all()}
    subject = shred(world)
    assert subject.account is None
    assert bytes(subject.wrapped_key) == b""
    assert not SubjectKey.objects.filter(subject=subject).exists()
    assert list(sharing.subjects(her)) == []
    assert not Consent.objects.filter(subject=subject, ended_at__isnull=True).exists()
    rows = Consent.objects.filter(subject=subject)
    assert set(rows.values_list("signature", "authority", "recorded_by")) == {
        ("wiped", "wiped", None)
    }
    assert not ConsentEvent.objects.filter(consent__in=rows, by__isnull=False).exists()
    assert not Objection.objects.filter(subject=subject, made_by__isnull=False).exists()
    assert {bytes(each.facts) for each in KeptNo.objects.all()} != packed_before
    with pytest.raises(Void):
        world.fetch(release)
    assert "c-1" not in world.received(world.prepare())
    verify()
    findings, in_part = looked()
    assert findings == []
    assert in_part > 0
    assert Entry.objects.filter(type=EntryType.KEY_SHREDDED).count() == 1


def test_the_same_number_gets_another_slot_and_says_what_it_says_anew(world, monkeypatch):
    subject = shred(world)
    again = subjects.enrol(
        holder=world.home.organisation,
        digests=[client_digest(digest_key(world.home.organisation), HER)],
        **hand(world.home.steward),
    )
    (slot,) = again.values()
    assert slot != subject.slot
    assert not Consent.objects.filter(subject=slot).exists()
    # A paper of before is nobody's any more: her no to everyone came after it.
    with pytest.raises(RuleBroken) as refusal:
        world.yes(HER, signed_at=subject.shredded_at - timedelta(microseconds=1))
    assert refusal.value.code == "older_than_wiping"
    assert "older_than_wiping" in paper_codes(world, HER)
    # Who was known before is not touched, but for the minute by which two clocks may differ.
    assert "older_than_wiping" in paper_codes(world, "c-2")
    monkeypatch.setattr(latest, "SKEW", timedelta())
    assert "older_than_wiping" not in paper_codes(world, "c-2")
    world.yes(HER)


def paper_codes(world: World, number: str) -> list[str]:
    """Why an old paper of this client is not taken in."""
    today = timezone.now().date()
    cells = {
        **dict.fromkeys(COLUMNS, ""),
        "recipient": world.recipient.name,
        "purpose": world.purpose.code,
        "categories": ";".join(each.code for each in world.categories),
        "terms": f"{world.text.code}/{world.text.version}",
        "language": world.text.language,
        "signed_on": (today - timedelta(days=1)).isoformat(),
        "ends_on": (today + timedelta(days=9)).isoformat(),
        "signature": "binder 4",
        "answers": "yyyyyyy",
        "channel": "paper",
        "signer": "self",
        "client_number": number,
    }
    done = imports.consents(
        holder=world.home.organisation,
        lines=lines([cells]),
        most_bad=1.0,
        **hand(world.home.advocate),
    )
    return [each.code for each in done.rejected]


def test_whoever_holds_an_older_page_says_nothing_by_a_shredded_slot(world):
    before, consent = world.subject(HER), world.consent(HER)
    shred(world)
    with pytest.raises(NotPermitted):  # nobody helps whoever that slot was
        world.yes("c-2", subject=before)
    for deed in (
        lambda: consents.withdraw(consent=consent, **hand(world.home.advocate)),
        lambda: subjects.give_account(
            subject=before,
            account=user(username="amber-willow-41", kind=UserKind.SURVIVOR),
            **hand(world.home.advocate),
        ),
    ):
        assert code(deed) == "shredded"


# --- the law keeps it -----------------------------------------------------------------------------


def test_a_hold_keeps_it_from_being_asked_agreed_and_carried_out(world):
    asked = ask(world)
    placed = hold(world)
    assert code(lambda: agree(world, asked)) == "held"
    assert code(lambda: ask(world)) == "held"
    holds.lift(hold=placed, **hand(world.home.warden))
    agree(world, asked)


def test_a_hold_that_comes_later_stops_it_and_the_delay_begins_anew_when_it_goes(world):
    due(world)
    placed = hold(world)
    tick(timezone.now())
    assert not Shredding.objects.get().shredded_at
    holds.lift(hold=placed, **hand(world.home.warden))
    assert carry_out_due(at=timezone.now()) == 0  # the whole delay once more
    (waits,) = queries.of_holders([world.home.organisation], timezone.now())
    assert waits.on is not None
    assert waits.on > timezone.now() + timedelta(days=settings.SHRED_DAYS - 1)
    assert code(lambda: holds.lift(hold=placed, **hand(world.home.warden))) == "hold_over"


def test_a_hold_is_of_whoever_administers_names_a_paper_and_ends(world):
    assert code(lambda: hold(world, by=world.home.advocate)) == "may_not_administer"
    assert code(lambda: hold(world, document="z" * 64)) == "document"
    assert code(lambda: hold(world, ends=timezone.now() - LATER)) == "hold_in_past"
    placed = hold(world)
    assert (
        queries.document(LegalHold.objects.select_related("entry", "subject__holder").get())
        == PAPER
    )
    assert placed.entry.type == EntryType.HOLD_PLACED
    assert placed.entry.reason == "court_order"
    her = account(world)
    waiting, kept = queries.of_account(her, timezone.now())
    assert (waiting, [each.hold.pk for each in kept]) == ([], [placed.pk])
