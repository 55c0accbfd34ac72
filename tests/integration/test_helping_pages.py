"""The helpers' pages: her list read or printed, a yes read back first, and what waits for whom."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType
from consent.actions import assignments, blocks, stops
from consent.actions.replaying import replay
from consent.models import Assignment, Block, Consent, Terms
from consent.permissions import is_blocked
from consent.queries import helping
from governance.models import Organisation
from governance.queries import noes
from governance.vocabulary import OrganisationKind, Role
from release.actions import backups, recalls
from release.models import Recall
from release.queries import recalls as asked_back
from release.queries import releases
from tests import staffroom, worlds
from tests.backups import backups_can_be_made, restored  # noqa: F401 - a fixture
from tests.factories import consent as said
from tests.factories import contests as contested
from tests.factories import questions
from tests.helping import NUMBER, Scene, build, place
from tests.integration.test_recalls_doors import at_desk
from tests.staffroom import Staffroom, hand
from tests.worlds import World, small_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return build()


# --- her list -------------------------------------------------------------------------------------


def test_R28_her_whole_list_is_there_to_print_within_three_actions(scene: Scene) -> None:
    consent = scene.give(scene.helper)
    client = staffroom.enter(Client(), scene.helper)
    home = client.get(place("home")).content.decode()
    assert place("clients") in home  # one
    sent = {"holder": scene.room.holder.ref, "number": NUMBER}
    answer = client.post(place("clients"), sent, follow=True)  # two; the third is to print
    page = answer.content.decode()
    assert answer.redirect_chain == [(place("client", scene.assignment.ref), 302)]
    assert "<title>List" in page
    for words in (consent.recipient.name, "Sharing: given", "Age and language"):
        assert words in page
    assert NUMBER not in page
    assert scene.her.username not in page


@pytest.mark.parametrize("number", ["Z-99", "A-30", NUMBER])
def test_a_number_that_is_not_with_somebody_leads_nowhere_whosever_it_is(
    scene: Scene,
    number: str,
) -> None:
    staffroom.known(scene.room, "A-30")
    client = staffroom.enter(Client(), scene.second)
    sent = {"holder": scene.room.holder.ref, "number": number}
    answer = client.post(place("clients"), sent)
    assert answer.status_code == 409
    assert "Nobody with this number is with you" in answer.content.decode()


def test_whoever_begins_with_somebody_new_is_on_her_list_at_once(scene: Scene) -> None:
    staffroom.known(scene.room, "A-30")
    client = staffroom.enter(Client(), scene.second)
    sent = {"holder": scene.room.holder.ref, "number": "A-30"}
    answer = client.post(place("client-begin"), sent, follow=True)
    made = Assignment.objects.latest("pk")
    assert answer.redirect_chain == [(place("client", made.ref), 302)]
    assert made.ref in client.get(place("clients")).content.decode()
    assert client.post(place("client-begin"), sent).status_code == 409


def test_an_administrator_hands_on_whom_a_leaver_left_and_sees_nothing_of_her(
    scene: Scene,
) -> None:
    old = scene.assignment
    client = staffroom.enter(Client(), scene.room.holder_admin)
    assert client.get(place("client-hand-on", old.ref)).status_code == 404
    scene.block(scene.helper)
    assert old.ref in client.get(place("clients-waiting")).content.decode()
    assert client.get(place("client", old.ref)).status_code == 404
    sent = {"worker": scene.helper.ref, "how": "instead"}
    assert client.post(place("client-hand-on", old.ref), sent).status_code == 409
    sent["worker"] = scene.second.ref
    done = client.post(place("client-hand-on", old.ref), sent)
    assert done["Location"] == place("clients-waiting")
    assert scene.assignment.membership.user == scene.second
    stranger = staffroom.enter(Client(), scene.room.recipient_admin)
    assert stranger.get(place("client-hand-on", scene.assignment.ref)).status_code == 404


# Who sees which page: everybody else is told 403 or 404, and never what is on it.
MAY = {
    "clients": {"helper", "colleague"},
    "client": {"helper"},
    "client-hand-on": {"helper"},
    "stop-checked": {"helper"},
    "yes": {"helper"},
    "clients-waiting": {"admin", "recipient's admin", "convener"},  # each their own
    "block": {"helper", "colleague"},
    "contest": {"helper", "colleague"},
    "contest-decide": {"steward"},
    "question": {"helper", "steward"},
    "fetching": {"requester", "outsider"},  # each their own
    "work": {"steward"},
}


def test_each_page_is_seen_by_those_in_the_table_and_by_nobody_else(scene: Scene) -> None:
    room, ref = scene.room, scene.assignment.ref
    stops.record(holder=room.holder, number=NUMBER, **hand(scene.second))
    spoken = scene.person.spoken_stops.get().ref
    arguments = {"stop-checked": [ref, spoken]}
    arguments |= {name: [ref] for name in ("client", "client-hand-on", "yes")}
    arguments["contest-decide"] = [contested.contest(subject=scene.person).ref]
    arguments["question"] = [questions.question(subject=scene.person, words=b"").ref]
    people = {
        "helper": scene.helper,
        "colleague": scene.second,
        "steward": room.steward,
        "admin": room.holder_admin,
        "recipient's admin": room.recipient_admin,
        "requester": room.requester,
        "outsider": room.outsider,
        "convener": room.convener,
        "board": room.members[0],
    }
    seen: dict[str, set[str]] = {name: set() for name in MAY}
    for who, user in people.items():
        client = staffroom.enter(Client(), user)
        for name in MAY:
            answer = client.get(place(name, *arguments.get(name, [])))
            assert answer.status_code in {200, 403, 404}, (name, who)
            if answer.status_code == 200:
                seen[name].add(who)
    assert seen == MAY
    for nobody in (scene.her, room.machine):
        client = Client()
        client.force_login(nobody, "django.contrib.auth.backends.ModelBackend")
        for name in MAY:
            assert client.get(place(name, *arguments.get(name, []))).status_code == 404, name


# --- a yes recorded together ----------------------------------------------------------------------


def chosen(room: Staffroom, text: Terms, **changes: Any) -> dict[str, Any]:
    return {
        "recipient": room.recipient.ref,
        "purpose": room.purpose.code,
        "kinds": [room.categories[0].code],
        "terms": str(text),
        "days": "20",
        **changes,
    }


def test_a_yes_is_read_back_whole_and_in_her_language_before_anything_is_kept(
    scene: Scene,
) -> None:
    room, ref = scene.room, scene.assignment.ref
    text = said.terms(
        language="es", title="Compartir", published_at=timezone.now() - timedelta(days=1)
    )
    client = staffroom.enter(Client(), scene.helper)
    read = client.post(place("yes-check", ref), chosen(room, text)).content.decode()
    whole = read[read.index('<section class="card" lang="es"') :]
    whole = whole[: whole.index("</section>")]
    ends = timezone.localdate() + timedelta(days=20)
    for words in (
        *(room.recipient.name, room.holder.name, room.purpose.label_es),
        *(room.categories[0].label_es, "Compartir", text.text),
        *("Revise sus respuestas", str(ends.year), str((ends + timedelta(days=30)).year)),
        *("Qué puede pasar", "Otras maneras"),
    ):
        assert words in whole, words
    assert room.categories[1].label_es not in whole
    assert not Consent.objects.exists()
    assert 'lang="en"' in read, "the desk's own language stays"


def test_it_is_kept_only_when_it_was_read_and_her_signature_lies_somewhere(
    scene: Scene,
) -> None:
    room, ref = scene.room, scene.assignment.ref
    text = said.terms(published_at=timezone.now() - timedelta(days=1))
    client = staffroom.enter(Client(), scene.helper)
    signed = {"read": "on", "channel": "in_person", "signature": "binder 3, sheet 41"}
    for missing in signed:
        sent = {**chosen(room, text), **{k: v for k, v in signed.items() if k != missing}}
        assert client.post(place("yes-sign", ref), sent).status_code == 200
        assert not Consent.objects.exists(), missing
    done = client.post(place("yes-sign", ref), {**chosen(room, text), **signed})
    assert done["Location"] == place("client", ref)
    consent = Consent.objects.get()
    assert (consent.recipient, consent.signature) == (room.recipient, "binder 3, sheet 41")
    assert (consent.recorded_by, consent.answers) == (scene.helper, "y" * 7)
    assert consent.ends - consent.signed_at == timedelta(days=20)
    again = client.post(
        place("yes-sign", ref),
        {**chosen(room, text, kinds=[each.code for each in room.categories]), **signed},
    )
    assert again.status_code == 409, "more than before waits, and is asked for"


def test_police_are_not_on_the_form_and_nobody_elses_client_is_reached(
    scene: Scene,
) -> None:
    room, ref = scene.room, scene.assignment.ref
    text = said.terms(published_at=timezone.now() - timedelta(days=1))
    Organisation.objects.filter(pk=room.stranger.pk).update(kind=OrganisationKind.POLICE)
    client = staffroom.enter(Client(), scene.helper)
    sent = chosen(room, text, recipient=room.stranger.ref)
    answer = client.post(place("yes-check", ref), sent)
    assert "recipient" in answer.context["form"].errors
    other = staffroom.enter(Client(), scene.second)
    for name in ("yes", "yes-check"):
        assert other.get(place(name, ref)).status_code == 404
    assert other.post(place("yes-sign", ref), chosen(room, text)).status_code == 404


# --- for a recipient, and for a steward -----------------------------------------------------------


@pytest.fixture
def world(settings: Any) -> World:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    return small_world(3)


@pytest.mark.django_db(transaction=True)
def test_a_recipient_sees_on_one_page_what_to_fetch_and_what_is_asked_back(world: World) -> None:
    release = world.prepare()
    world.fetch(release)
    client = at_desk(world.requester)
    page = client.get(place("fetching")).content.decode()
    assert release.ref in page
    assert "Nothing that you have not answered." in page
    world.no("c-1")
    recalls.open_due(at=timezone.now())
    page = client.get(place("fetching")).content.decode()
    assert Recall.objects.get().ref in page
    assert client.get(place("work")).status_code == 403
    assert at_desk(world.home.steward).get(place("fetching")).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_a_package_that_is_over_is_not_offered(world: World) -> None:
    release = world.prepare()
    now = timezone.now()
    assert releases.fetchable(world.requester, now) == [release]
    assert releases.fetch_until(release) <= now + timedelta(hours=72)
    assert releases.fetchable(world.requester, now + timedelta(hours=73)) == []
    assert releases.fetchable(world.home.steward, now) == []


@pytest.mark.django_db(transaction=True)
def test_a_steward_sees_bands_and_what_is_overdue_and_nobody(world: World) -> None:
    world.fetch(world.prepare())
    world.no("c-1")
    stops.record(holder=world.home.organisation, number="c-2", **hand(world.home.advocate))
    recalls.open_due(at=timezone.now())
    client = at_desk(world.home.steward)
    page = client.get(place("work")).content.decode()
    assert "fewer than 11" in page  # one yes that ends within 30 days
    assert "Not asked about yet: fewer than 11" in page
    recall = Recall.objects.first()
    assert recall is not None
    assert recall.ref not in page
    assert recall in asked_back.past(world.home.steward, recall.due_at)
    assert asked_back.past(world.requester, recall.due_at) == []
    assert at_desk(world.home.advocate).get(place("work")).status_code == 403


# --- after a restore ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("backups_can_be_made")
def test_whom_she_kept_away_and_who_was_handed_on_stay_so_after_a_restore(
    world: World, tmp_path: Path
) -> None:
    home, person = world.home, world.subject("c-1")
    old = person.assignments.get()
    backups.make(folder=tmp_path / "copy", **hand(world.chair))
    blocks.block_by_number(
        holder=home.organisation, number="c-2", worker=home.steward, **hand(home.advocate)
    )
    second = worlds._worker("river-elm-8", home.organisation, Role.ADVOCATE, home.warden)
    assignments.hand_on(assignment=old, worker=second, stays=False, **hand(home.advocate))
    restored(tmp_path / "copy")
    assert not Block.objects.exists()
    assert helping.one(home.advocate, old.ref) is not None
    said_again = replay(**hand(world.chair))
    assert (said_again.said, said_again.by_hand) == (2, ())
    assert is_blocked(home.steward, world.subject("c-2"))
    assert helping.one(home.advocate, old.ref) is None
    replayed = Entry.objects.filter(reason="replayed").values_list("type", flat=True)
    assert {EntryType.WORKER_BLOCKED, EntryType.SUBJECT_TRANSFERRED} <= set(replayed)
    assert replay(**hand(world.chair)).said == 0
    assert noes.against() is None
