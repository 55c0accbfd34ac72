"""Every deed that narrows moves an epoch in its own transaction; no deed that widens does."""

import pytest
from django.db import connection
from pyrage import x25519

from audit.models import Entry
from audit.vocabulary import EntryType
from common.errors import NotPermitted, RuleBroken
from governance.actions import agreements, catalogue, keys, memberships, requests
from governance.models import Membership, Scope, ScopeMove
from governance.queries import people
from governance.queries.scopes import epochs
from governance.vocabulary import Care, FieldSensitivity, Narrowing
from tests.integration.governance_world import build, staff, stamp

pytestmark = pytest.mark.django_db
KEY = str(x25519.Identity.generate().to_public())
OTHER_KEY = str(x25519.Identity.generate().to_public())


def with_key(world):
    return keys.register(
        organisation=world.recipient, public_key=KEY, **stamp(world.recipient_admin)
    )


def end_membership(world, _):
    asking = Membership.objects.get(user=world.requester)
    memberships.end(membership=asking, **stamp(world.recipient_admin))


NOES = {
    Narrowing.AGREEMENT_SUSPENDED: (
        None,
        lambda w, _: agreements.suspend(agreement=w.agreement, **stamp(w.holder_admin)),
        "recipient",
    ),
    Narrowing.AGREEMENT_ENDED: (
        None,
        lambda w, _: agreements.end(agreement=w.agreement, **stamp(w.recipient_admin)),
        "recipient",
    ),
    Narrowing.REQUEST_ENDED: (
        lambda w: w.approved(),
        lambda w, request: requests.end(request=request, **stamp(w.steward)),
        "recipient",
    ),
    Narrowing.DATASET_PAUSED: (
        None,
        lambda w, _: catalogue.pause_dataset(dataset=w.dataset, **stamp(w.seats[0].user)),
        "everyone",
    ),
    Narrowing.DATASET_RETIRED: (
        None,
        lambda w, _: catalogue.retire_dataset(dataset=w.dataset, **stamp(w.holder_admin)),
        "everyone",
    ),
    Narrowing.PURPOSE_PAUSED: (
        None,
        lambda w, _: catalogue.pause_purpose(purpose=w.purpose, **stamp(w.seats[0].user)),
        "everyone",
    ),
    Narrowing.PURPOSE_RETIRED: (
        None,
        lambda w, _: catalogue.retire_purpose(purpose=w.purpose, **stamp(w.convener)),
        "everyone",
    ),
    Narrowing.FIELD_RECLASSIFIED: (
        None,
        lambda w, _: catalogue.reclassify(
            field=w.fields[0],
            category=w.fields[0].category,
            field_sensitivity=FieldSensitivity.DIRECT,
            narrative=False,
            **stamp(w.steward),
        ),
        "everyone",
    ),
    Narrowing.CATEGORY_RESTRICTED: (
        None,
        lambda w, _: catalogue.restrict(
            category=w.fields[0].category, care=Care.IMMIGRATION, **stamp(w.convener)
        ),
        "everyone",
    ),
    Narrowing.MEMBERSHIP_ENDED: (None, end_membership, "recipient"),
    Narrowing.KEY_ENDED: (
        with_key,
        lambda w, key: keys.end(key=key, **stamp(w.recipient_admin)),
        "recipient",
    ),
}


# Said by deeds about one person, and tried where those are.
OF_A_PERSON = (
    *("consent_", "objection_", "subject_"),
    *("speaker_", "minority_", "dispute_", "death_"),
)


def test_every_no_that_governance_says_stands_in_the_table():
    said_elsewhere = {act for act in Narrowing if act.startswith(OF_A_PERSON)}
    assert set(NOES) == set(Narrowing) - said_elsewhere


@pytest.mark.parametrize("act", NOES)
def test_a_no_moves_the_epoch_and_is_written_down_with_it(act):
    first, deed, whom = NOES[act]
    world = build()
    thing = first(world) if first else None
    before, other = epochs(world.recipient.pk), epochs(world.holder.pk)
    last = Entry.objects.order_by("-pk").first().pk
    deed(world, thing)
    after = epochs(world.recipient.pk)
    to_all = int(whom == "everyone")
    assert after.everyone == before.everyone + to_all
    assert after.scope == before.scope + (1 - to_all)
    assert epochs(world.holder.pk).scope == other.scope
    move = ScopeMove.objects.order_by("-pk").first()
    assert (move.act, move.slot) == (act, None)
    deeds = Entry.objects.exclude(type=EntryType.JOURNAL_CHANGED)
    entry = deeds.filter(pk__gt=last).order_by("pk").first()
    assert entry.epoch_everyone == after.everyone
    assert entry.epoch_scope == (None if to_all else after.scope)
    assert entry.time == move.moved_at


@pytest.mark.parametrize("act", NOES)
def test_a_no_by_somebody_who_may_not_changes_nothing(act):
    first, deed, _ = NOES[act]
    world = build()
    thing = first(world) if first else None
    outsider = staff(world.convener, "grey-otter-77")
    for name in ("holder_admin", "recipient_admin", "steward", "requester", "convener"):
        setattr(world, name, outsider)
    world.seats[0].user = outsider
    before = epochs(world.recipient.pk)
    if act == Narrowing.MEMBERSHIP_ENDED:
        role = Membership.objects.filter(organisation=world.recipient).first()
        with pytest.raises(NotPermitted):
            memberships.end(membership=role, **stamp(outsider))
    else:
        with pytest.raises(NotPermitted):
            deed(world, thing)
    assert epochs(world.recipient.pk) == before


def test_what_widens_moves_no_epoch():
    world = build()
    agreements.suspend(agreement=world.agreement, **stamp(world.holder_admin))
    catalogue.pause_dataset(dataset=world.dataset, **stamp(world.steward))
    catalogue.pause_purpose(purpose=world.purpose, **stamp(world.convener))
    moves = ScopeMove.objects.count()
    agreements.resume(agreement=world.agreement, **stamp(world.holder_admin))
    catalogue.resume_dataset(dataset=world.dataset, **stamp(world.seats[0].user))
    catalogue.resume_purpose(purpose=world.purpose, **stamp(world.convener))
    world.approved()
    assert ScopeMove.objects.count() == moves


def test_a_new_key_ends_the_one_before_it_and_is_a_no_to_what_was_sealed_to_it():
    world = build()
    first = with_key(world)
    assert people.current_key(world.recipient) == first
    before = epochs(world.recipient.pk)
    second = keys.register(
        organisation=world.recipient, public_key=OTHER_KEY, **stamp(world.recipient_admin)
    )
    first.refresh_from_db()
    assert first.ended_at is not None
    assert people.current_key(world.recipient) == second
    assert epochs(world.recipient.pk).scope == before.scope + 1
    assert Entry.objects.filter(type=EntryType.KEY_ROTATED).count() == 1
    keys.end(key=second, **stamp(world.recipient_admin))
    assert people.current_key(world.recipient) is None


def test_the_same_no_is_not_said_twice():
    world = build()
    key = with_key(world)
    keys.end(key=key, **stamp(world.recipient_admin))
    moves = ScopeMove.objects.count()
    with pytest.raises(RuleBroken):
        keys.end(key=key, **stamp(world.recipient_admin))
    assert ScopeMove.objects.count() == moves


@pytest.mark.postgresql_only
def test_a_scope_notes_the_transaction_that_moved_it():
    world = build()
    agreements.suspend(agreement=world.agreement, **stamp(world.holder_admin))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        (this,) = cursor.fetchone()
    assert Scope.objects.get(recipient=world.recipient).moved_in == this
