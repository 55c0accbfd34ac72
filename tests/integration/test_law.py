"""Rules of law that are about what a person is told and whose yes counts, each by its number in
docs/law.md."""

import io
import json
import zipfile
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType
from common.days import begins
from common.errors import RuleBroken, Void
from consent.actions import consents, contests, representatives, subjects
from consent.models import Contest
from consent.queries.sets import open_sets
from consent.rules import Ask
from consent.vocabulary import Assent, Contested, Decided, Speaker
from governance.actions import catalogue, people
from governance.models import Organisation, User
from governance.rules import FieldSpec
from governance.vocabulary import Care, FieldSensitivity, FieldType, OrganisationKind, UserKind
from release.actions import preparing
from release.models import Download
from release.storage import store
from release.tasks import tick
from release.vocabulary import Ground, ReleaseState
from tests import speaking
from tests.factories import governance as made
from tests.gate import Later, before
from tests.survivors import WORDS
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)
SIX_YEARS = 6 * 366  # days


@pytest.fixture
def world() -> World:
    cache.clear()
    return small_world(2, each=1)


def survivor(world: World) -> User:
    """c-1's own sign-in."""
    account = people.create_user(
        username="maple-lane-1", kind=UserKind.SURVIVOR, **hand(world.home.warden)
    )
    account.set_password(WORDS)
    account.save()
    subject = world.subject("c-1")
    subjects.give_account(subject=subject, account=account, **hand(world.home.advocate))
    return account


def ask_of(world: World) -> Ask:
    return Ask(world.recipient.pk, world.recipient.kind, world.purpose.pk)


def her_files(world: World) -> dict[str, str]:
    """What c-1 takes home, as she asks for it today."""
    client = Client()
    client.force_login(survivor(world), backend="django.contrib.auth.backends.ModelBackend")
    saved: Any = client.post(reverse("portal:copy"), {"passphrase": WORDS})
    with zipfile.ZipFile(io.BytesIO(b"".join(saved.streaming_content))) as folder:
        return {name: folder.read(name).decode() for name in folder.namelist()}


def test_R18_R19_six_years_later_she_is_told_who_received_what_when_and_why_and_what_was_refused(
    world, monkeypatch
):
    world.pause("c-1")
    world.prepare()
    world.resume("c-1")
    sent = world.prepare()
    world.fetch(sent)
    later = Later(monkeypatch)
    later.pass_(days=SIX_YEARS)
    tick(later.now())  # what lies longer than it may is deleted
    assert not list(store().names(f"packages/{sent.ref}"))
    events = json.loads(her_files(world)["list.json"])["events"]
    ready, picked_up, refused = (
        next(each for each in events if each["what"] == what)
        for what in ("ready", "picked_up", "kept_back")
    )
    assert ready["recipient"] == picked_up["recipient"] == "Delta"
    assert ready["request"] == world.home.request.ref
    assert ready["purpose"]
    assert "region" in {name for names in ready["fields"].values() for name in names}
    assert picked_up["at"][:10] == Download.objects.get().at.date().isoformat()
    assert (refused["recipient"], refused["why_not"]) == ("Delta", "paused")


def test_R23_her_list_and_every_yes_go_home_with_her_in_words_and_for_programs(world):
    world.fetch(world.prepare())
    files = her_files(world)
    assert "You said yes: Delta." in files["list.txt"]
    assert "Picked up by Delta." in files["list.txt"]
    told = json.loads(files["list.json"])
    assert world.consent("c-1").ref in {each.get("yes") for each in told["events"]}
    slip = json.loads(files[f"slips/{world.consent('c-1').ref}-1.json"])
    assert slip["dpv:hasRecordOfActivity"]["dct:identifier"] == world.consent("c-1").ref


# --- whose yes


@pytest.fixture
def hers(world: World) -> dict[str, Any]:
    """Whom and by whom: the first client of the world."""
    return {"holder": world.home.organisation, "number": "c-1", **hand(world.home.advocate)}


def test_R7_a_minors_record_goes_with_her_yes_and_a_parents_until_the_very_second_she_is_of_age(
    world, hers, monkeypatch
):
    minority = speaking.minor(**hers, days=5)
    assert world.received(world.prepare()) == {"c-2"}  # her own yes alone is not enough
    parent = speaking.speaker(**hers)
    world.yes("c-1", ends=None, **speaking.by(parent))
    release = world.prepare()
    assert world.received(release) == {"c-1", "c-2"}
    of_age = begins(minority.majority)
    facts_then = {"holder": world.home.organisation.pk, "ask": ask_of(world)}
    second = timedelta(seconds=1)
    before, after = (
        open_sets(**facts_then, since=at, until=at) for at in (of_age - second, of_age)
    )
    slot = world.subject("c-1").slot
    assert any(slot in each.slots for each in before.yeses)
    assert not any(slot in each.slots for each in after.yeses)
    later = Later(monkeypatch)
    later.by = of_age - timezone.now()
    assert world.received(world.prepare()) == {"c-2"}


def test_R7_she_stops_what_a_parent_gave_and_one_no_is_enough(world, hers):
    speaking.minor(**hers)
    world.yes("c-1", **speaking.by(speaking.speaker(**hers)))
    release = world.prepare()
    consents.withdraw(consent=world.consent("c-1"), **hand(survivor(world)))
    with pytest.raises(Void):
        world.fetch(release)
    assert world.received(world.prepare()) == {"c-2"}


def test_R8_a_guardians_yes_opens_by_the_order_until_it_ends(world, hers):
    guardian = speaking.speaker(**hers, kind=Speaker.GUARDIAN)
    world.yes("c-1", **speaking.by(guardian, Assent.UNABLE))
    release = world.prepare()
    assert world.received(release) == {"c-1", "c-2"}
    representatives.end(representative=guardian, **hand(world.home.advocate))
    with pytest.raises(Void):
        world.fetch(release)
    assert world.received(world.prepare()) == {"c-2"}


def test_R9_whoever_is_flagged_is_refused_and_written_down_and_what_went_by_it_goes_no_more(
    world, hers
):
    guardian = speaking.speaker(**hers, kind=Speaker.GUARDIAN)
    world.yes("c-1", **speaking.by(guardian))
    release = world.prepare()
    speaking.flag(**hers)
    with pytest.raises(Void):
        world.fetch(release)
    with pytest.raises(RuleBroken) as refused:
        world.yes("c-1", **speaking.by(guardian))
    assert str(refused.value) == "This person cannot say yes here."  # and no word why
    assert Entry.objects.filter(type=EntryType.SPEAKER_REFUSED).count() == 1
    assert world.received(world.prepare()) == {"c-2"}


def test_R31_after_her_death_nothing_goes_without_a_yes_that_was_given_after_it(world, hers):
    release = world.prepare()
    speaking.died(**hers)
    with pytest.raises(Void):
        world.fetch(release)
    assert world.received(world.prepare()) == {"c-2"}
    with pytest.raises(RuleBroken):
        world.yes("c-1")
    estate = speaking.speaker(**hers, kind=Speaker.ESTATE)
    world.yes("c-1", **speaking.by(estate, Assent.DIED))
    assert world.received(world.prepare()) == {"c-1", "c-2"}


WITHOUT_HERS = {"c-2", "None"}  # her row is there by her other kinds, and says nothing of this one


def _held_back(world: World, kind: Contested) -> Contest:
    """c-1 says it of one kind of information that River keeps."""
    about = {"subject": world.subject("c-1"), "category": world.categories[1], "kind": kind}
    return contests.ask(**about, **hand(world.home.advocate))


@pytest.mark.parametrize(
    ("kind", "decision"),
    [(Contested.CORRECTION, Decided.CORRECTED), (Contested.RESTRICTION, Decided.ENDED)],
)
def test_R22_what_she_says_is_wrong_goes_nowhere_until_a_steward_has_decided(
    world, monkeypatch, kind, decision
):
    ready = world.prepare()
    contest = _held_back(world, kind)
    with pytest.raises(Void):  # at hand-over
        world.fetch(ready)
    assert world.received(world.prepare()) == WITHOUT_HERS
    contests.decide(contest=contest, decision=decision, **hand(world.home.steward))
    assert world.received(world.prepare()) == {"c-1", "c-2"}  # at once: she had said yes to it
    before(monkeypatch, preparing, "_commit", lambda: _held_back(world, kind))  # at commit
    assert world.received(world.prepare()) == WITHOUT_HERS


def test_R22_other_kinds_and_other_holders_go_on(world):
    other = world.another("Lake", ["c-1"], each=1)
    world.yes("c-1", at=other)
    contest = _held_back(world, Contested.RESTRICTION)
    assert world.received(world.prepare(other)) == {"c-1"}
    contests.decide(contest=contest, decision=Decided.KEPT, **hand(world.home.steward))
    assert (
        world.received(world.prepare()) == WITHOUT_HERS
    )  # kept unshared: a no of hers from now on


def test_R13_what_law_enforcement_made_never_stands_among_a_service_providers_records(world):
    police = made.category(care=Care.LAW_ENFORCEMENT)
    charge = FieldSpec("charge", FieldType.TEXT, police.code, FieldSensitivity.SENSITIVE)
    with pytest.raises(RuleBroken) as refused:
        catalogue.define_fields(
            dataset=world.home.dataset, fields=[charge], **hand(world.home.steward)
        )
    assert refused.value.code == "origins_mixed"


def test_R14_a_place_leaves_only_by_a_category_for_places_that_the_agreement_names(world):
    where = made.category(care=Care.LOCATION)
    town = {
        "field": world.home.dataset.fields.get(name="region"),
        "field_sensitivity": FieldSensitivity.LOCATION,
        "narrative": False,
        **hand(world.home.steward),
    }
    with pytest.raises(RuleBroken) as refused:
        catalogue.reclassify(category=world.categories[1], **town)
    assert refused.value.code == "field_misplaced"
    catalogue.reclassify(category=where, **town)
    assert set(world.prepare().grounds) == {Ground.AGREEMENT_CATEGORY}


def test_R16_what_is_about_papers_never_goes_to_immigration_whatever_she_said(world):
    """Her yes, the board's and the agreement all stand; to any other kind of recipient it goes."""
    papers = {"category": world.categories[1], "care": Care.IMMIGRATION, **hand(world.chair)}
    catalogue.restrict(**papers)
    assert world.received(world.prepare()) == {"c-1", "c-2"}
    waits = world.prepare()
    Organisation.objects.filter(pk=world.recipient.pk).update(kind=OrganisationKind.IMMIGRATION)
    with pytest.raises(Void):
        world.fetch(waits)
    refused = world.prepare()
    assert (refused.state, set(refused.grounds)) == (
        ReleaseState.REFUSED,
        {Ground.IMMIGRATION_FACTS},
    )
    assert world.inquire("c-1").grounds == Ground.IMMIGRATION_FACTS


def test_R17_records_of_treatment_carry_the_notice_and_on_which_yes_they_rest(world):
    plain = world.prepare()
    beside = {"manifest.json", "proof.tlog-proof"}
    assert beside == {name for name, _ in papers_of(world.fetch(plain))}
    catalogue.restrict(category=world.categories[1], care=Care.SUBSTANCE_USE, **hand(world.chair))
    with pytest.raises(Void):  # what was made ready without the notice does not go out
        world.fetch(plain)
    release = world.prepare()
    papers = dict(papers_of(world.fetch(release)))
    assert papers.keys() == {*beside, "NOTICE.txt"}
    told = json.loads(papers["manifest.json"])["manifest"]["redisclosure"]
    assert told["columns"] == ["region", "visits"]
    for said in ("42 CFR part 2", "may not pass them on", "criminal charge"):
        assert said in told["notice"]
    for said in ("in writing", "this recipient", "an end"):
        assert said in told["rests_on"]
    beside_it = papers["NOTICE.txt"].decode()
    assert all(text in beside_it for text in (told["notice"], told["rests_on"], "region, visits"))
    # The log's entry commits to the manifest, and so to the notice.
    assert release.entry.detail_commit == sha256(bytes(release.manifest)).hexdigest()
    assert told == json.loads(bytes(release.manifest))["redisclosure"]


def papers_of(zipped: bytes) -> list[tuple[str, bytes]]:
    """What lies in a package beside its sealed parts."""
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        return [
            (name, archive.read(name))
            for name in archive.namelist()
            if not name.startswith("parts/")
        ]
