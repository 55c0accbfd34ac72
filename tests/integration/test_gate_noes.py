"""Every act that narrows voids the package that waits, and one that is being prepared is without it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.utils import timezone
from pyrage import x25519

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from common.errors import NotPermitted, Void
from consent.actions import representatives
from consent.models import Representative
from consent.vocabulary import Speaker
from governance import models as g
from governance.actions import agreements, catalogue, keys, memberships, people, requests
from governance.vocabulary import (
    Care,
    FieldSensitivity,
    Narrowing,
    OrganisationKind,
    Role,
    UserKind,
)
from release.actions import preparing
from release.models import Release
from release.queries.standing import used
from release.rules import timing
from release.vocabulary import ReleaseState
from tests import speaking
from tests.gate import Later, before
from tests.lengths import thirds
from tests.sheets import numbers
from tests.shredding import shred
from tests.worlds import World, hand, lasting_world, small_world

pytestmark = pytest.mark.database
HER = "c-1"


@dataclass(frozen=True)
class No:
    """One kind of no: how it is said, whether it is about one person or about everybody, and what
    she had said before where it speaks about that."""

    say: Callable[[World], object]
    whole: bool
    first: Callable[[World], object] = lambda _world: None


def _field_moves(world: World) -> object:
    return catalogue.reclassify(
        field=world.home.dataset.fields.get(name="region"),
        category=world.categories[0],
        field_sensitivity=FieldSensitivity.SENSITIVE,
        narrative=False,
        **hand(world.home.steward),
    )


def _to_immigration(world: World) -> object:
    """The recipient is of that kind, and what is asked for is not about papers yet."""
    kind = OrganisationKind.IMMIGRATION
    return g.Organisation.objects.filter(pk=world.recipient.pk).update(kind=kind)


def _role_ends(world: World) -> object:
    held = world.requester.memberships.get(role=Role.REQUESTER, ended_at__isnull=True)
    return memberships.end(membership=held, **hand(world.recipient_admin))


def _spoken_for(world: World) -> object:
    """Her yes is one that a guardian gave."""
    authority = speaking.speaker(
        world.home.organisation, HER, Speaker.GUARDIAN, **hand(world.home.advocate)
    )
    return world.yes(HER, **speaking.by(authority))


def _speaker(world: World) -> Representative:
    return Representative.objects.select_related("subject__holder").get()


LESS = (Narrowing.CONSENT_SUPERSEDED, Narrowing.CONSENT_NARROWED)  # some of hers still goes
NOES: dict[Narrowing, No] = {
    Narrowing.CONSENT_WITHDRAWN: No(lambda w: w.no(HER), False),
    Narrowing.CONSENT_PAUSED: No(lambda w: w.pause(HER), False),
    Narrowing.CONSENT_NARROWED: No(lambda w: w.less(HER), False),
    Narrowing.CONSENT_INVALIDATED: No(lambda w: w.invalid(HER), False),
    Narrowing.CONSENT_SUPERSEDED: No(lambda w: w.yes(HER, categories=w.categories[:1]), False),
    Narrowing.OBJECTION_MADE: No(lambda w: w.object(HER), False),
    Narrowing.AGREEMENT_SUSPENDED: No(
        lambda w: agreements.suspend(agreement=w.home.agreement, **hand(w.home.warden)), True
    ),
    Narrowing.AGREEMENT_ENDED: No(
        lambda w: agreements.end(agreement=w.home.agreement, **hand(w.home.warden)), True
    ),
    Narrowing.REQUEST_ENDED: No(
        lambda w: requests.end(request=w.home.request, **hand(w.home.steward)), True
    ),
    Narrowing.DATASET_PAUSED: No(
        lambda w: catalogue.pause_dataset(dataset=w.home.dataset, **hand(w.home.steward)), True
    ),
    Narrowing.DATASET_RETIRED: No(
        lambda w: catalogue.retire_dataset(dataset=w.home.dataset, **hand(w.home.warden)), True
    ),
    Narrowing.PURPOSE_PAUSED: No(
        lambda w: catalogue.pause_purpose(purpose=w.purpose, **hand(w.chair)), True
    ),
    Narrowing.PURPOSE_RETIRED: No(
        lambda w: catalogue.retire_purpose(purpose=w.purpose, **hand(w.chair)), True
    ),
    Narrowing.FIELD_RECLASSIFIED: No(_field_moves, True),
    Narrowing.CATEGORY_RESTRICTED: No(
        lambda w: catalogue.restrict(
            category=w.categories[1], care=Care.IMMIGRATION, **hand(w.chair)
        ),
        True,
        _to_immigration,
    ),
    Narrowing.MEMBERSHIP_ENDED: No(_role_ends, True),
    Narrowing.KEY_ENDED: No(
        lambda w: keys.end(
            key=g.RecipientKey.objects.get(organisation=w.recipient, ended_at__isnull=True),
            **hand(w.recipient_admin),
        ),
        True,
    ),
    Narrowing.SUBJECT_SHREDDED: No(lambda w: shred(w, HER), False),
    Narrowing.SPEAKER_ENDED: No(
        lambda w: representatives.end(representative=_speaker(w), **hand(w.home.advocate)),
        False,
        _spoken_for,
    ),
    Narrowing.SPEAKER_STOPPED: No(
        lambda w: representatives.stop(representative=_speaker(w), **hand(w.home.advocate)),
        False,
        _spoken_for,
    ),
    Narrowing.SPEAKER_FLAGGED: No(
        lambda w: speaking.flag(w.home.organisation, HER, **hand(w.home.advocate)),
        False,
        _spoken_for,
    ),
    Narrowing.MINORITY_RECORDED: No(
        lambda w: speaking.minor(w.home.organisation, HER, **hand(w.home.advocate)), False
    ),
    Narrowing.DISPUTE_REPORTED: No(
        lambda w: speaking.dispute(w.home.organisation, HER, **hand(w.home.advocate)),
        False,
        _spoken_for,
    ),
    Narrowing.DEATH_RECORDED: No(
        lambda w: speaking.died(w.home.organisation, HER, **hand(w.home.advocate)), False
    ),
}


# Acts that no deed performs yet, each with its reason.
def test_every_act_that_narrows_is_tried_here():
    assert set(NOES) == set(Narrowing)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", thirds(NOES), ids=str)
def test_after_a_no_of_any_kind_a_package_that_waited_gives_no_byte(act):
    world = small_world(2, each=1)
    NOES[act].first(world)
    release = world.prepare()
    NOES[act].say(world)
    with pytest.raises((Void, NotPermitted)):
        world.fetch(release)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", NOES, ids=str)
def test_a_no_of_any_kind_while_a_package_is_prepared_counts_for_it(act, monkeypatch):
    monkeypatch.setattr(timing, "LOCKED_MOST", 60.0)  # a slow machine would leave her part out
    world = small_world(2, each=1)
    NOES[act].first(world)
    slot = world.subject(HER).slot
    waiting = world.ask()
    before(monkeypatch, preparing, "_commit", lambda: NOES[act].say(world))
    release = world.run(waiting)
    if act in (*LESS, Narrowing.FIELD_RECLASSIFIED):
        # Less of her leaves, not nothing: what stands in the categories that are still open.
        package = world.open_package(world.fetch(release))
        mine = [row for row in package.rows if row[package.columns.index("region")] is None]
        assert len(mine) == (1 if act in LESS else 2)
    elif NOES[act].whole:
        assert release.state == ReleaseState.REFUSED
        assert not release.parts.exists()
    else:
        assert release.state == ReleaseState.PREPARED
        assert slot not in used(release).tolist()


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), lasting_world(12, each=1) as found:
        found.fresh = iter(numbers(12))
        yield found


AGAINST: dict[str, Callable[[World], dict[str, object]]] = {
    "everything": lambda _: {},
    "recipient": lambda w: {"recipient": w.recipient},
    "kind of recipient": lambda _: {"recipient_kind": OrganisationKind.RESEARCH},
    "purpose": lambda w: {"purpose": w.purpose},
    "one category": lambda w: {"category": w.categories[1]},
}


@pytest.mark.parametrize("against", AGAINST.values(), ids=AGAINST)
def test_an_objection_to_any_of_it_voids_what_waits_and_stays_until_it_is_lifted(world, against):
    her = next(world.fresh)
    release = world.prepare()
    assert her in world.received(release)
    objection = world.object(her, **against(world))
    with pytest.raises(Void):
        world.fetch(release)
    assert her not in world.received(world.run(Release.objects.get(replaces=release)))
    world.lift(objection)
    assert her in world.received(world.prepare())


def test_the_log_says_who_came_for_the_void_package_not_who_once_asked_for_it(world):
    release = world.prepare()
    colleague = people.create_user(
        username="delta-rowan-4", kind=UserKind.STAFF, **hand(world.recipient_admin)
    )
    memberships.grant(
        user=colleague,
        organisation=world.recipient,
        role=Role.REQUESTER,
        **hand(world.recipient_admin),
    )
    world.object(next(world.fresh))
    with pytest.raises(Void):
        world.hand_over(release, by=colleague, via=Via.API)
    newer = Release.objects.get(replaces=release)
    assert newer.asked_by == world.requester
    assert asked_in_log(newer) == (colleague.ref, Via.API, "replaces")
    assert asked_in_log(release) == (world.requester.ref, Via.COMMAND, "")


def asked_in_log(release: Release) -> tuple[str, str, str]:
    entry = Entry.objects.get(type=EntryType.RELEASE_ASKED, resource=release.ref)
    return entry.actor, entry.via, entry.reason


def test_an_objection_to_something_else_voids_nothing(world):
    release = world.prepare()
    world.object(next(world.fresh), recipient_kind=OrganisationKind.POLICE)
    world.object(next(world.fresh), recipient=world.home.organisation)
    assert world.fetch(release)


def test_a_pause_of_the_agreement_that_is_over_leaves_nothing_behind(world):
    release = world.prepare()
    agreements.suspend(agreement=world.home.agreement, **hand(world.home.warden))
    with pytest.raises(Void):
        world.fetch(release)
    world.home.agreement.refresh_from_db()
    agreements.resume(agreement=world.home.agreement, **hand(world.home.warden))
    with pytest.raises(Void):  # a void package stays void; a new one is asked for
        world.fetch(release)
    assert world.fetch(world.prepare())


def test_a_new_key_of_the_recipient_voids_what_was_sealed_to_the_old_one(world):
    release = world.prepare()
    world.identity = x25519.Identity.generate()
    keys.register(
        organisation=world.recipient,
        public_key=str(world.identity.to_public()),
        **hand(world.recipient_admin),
    )
    with pytest.raises(Void):
        world.fetch(release)
    assert world.received(world.run(Release.objects.get(replaces=release)))


def test_a_pause_ends_by_itself_on_its_day(world, monkeypatch):
    her = next(world.fresh)
    world.pause(her, until=timezone.now() + timedelta(minutes=5))
    assert her not in world.received(world.prepare())
    Later(monkeypatch).pass_(minutes=6)
    assert her in world.received(world.prepare())
