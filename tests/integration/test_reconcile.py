"""The log against what is kept: a whole world agrees, and each harm done past the guards to what left,
to files, downloads, epochs and tags is named. What was said and agreed: test_reconcile_words.py."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType
from common.errors import NotPermitted
from consent.models import (
    ConsentEvent,
    LateTag,
    Objection,
    Subject,
)
from governance.models import Ballot, ScopeMove, User
from oversight.actions import reconciling
from oversight.vocabulary import Kind
from release.actions import keeping
from release.models import Download, Release, ReleasePart, Sending, Use, Withheld
from release.rules.bits import block_of, place_of
from release.rules.packed import pack, unpack
from release.storage import store
from release.vocabulary import VoidGround
from tests.append_only import unguarded
from tests.factories.governance import (
    purpose,
)
from tests.integration import test_reconcile_words as of_words
from tests.integration.consent_world import build
from tests.integration.lived_world import (
    Harm,
    auditor_of,
    changed,
    entry,
    entry_of,
    event,
    findings,
    first_release,
    found_and_named,
    gone,
    last_release,
    lived,
    nobody_is_named,
    permitted,
    reconciled,
    void_release,
)
from tests.integration.test_consent_import import bring, paper
from tests.lengths import thirds
from tests.worlds import World, hand

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock(), lived() as found:
        yield found


@pytest.fixture
def auditor(world: World, django_db_blocker: Any) -> Iterator[User]:
    with django_db_blocker.unblock():
        yield auditor_of(world)


@pytest.mark.django_db
def test_a_database_is_there():
    """Also lets the test runner make its database: see `lasting_world`."""


def test_a_world_that_lived_agrees_with_its_log(world):
    assert findings() == []  # not even something that its entry does not commit to
    assert {row.state for row in Release.objects.all()} == {"prepared", "refused"}
    assert Download.objects.count() > 3


def test_each_hand_over_names_the_rules_that_permitted_or_refused_it(world):
    """But not where a missing role turned somebody away: no rule of the gate answered then."""
    given = Entry.objects.filter(type=EntryType.DOWNLOAD_GIVEN)
    refused = Entry.objects.filter(type=EntryType.DOWNLOAD_REFUSED)
    by_the_gate = refused.filter(reason__in=VoidGround.values)
    assert {bool(entry.policy) for entry in [*given, *by_the_gate]} == {True}
    assert {entry.policy for entry in refused.exclude(reason__in=VoidGround.values)} == {""}
    assert given.exists()
    assert by_the_gate.exists()
    assert refused.exclude(reason__in=VoidGround.values).exists()


@pytest.mark.django_db
def test_papers_that_were_imported_agree_with_their_entry():
    world = build()
    bring(world, paper(world))
    bring(world, paper(world, ends_on=(world.now.date() + timedelta(days=9)).isoformat()))
    keeping.sweep()
    assert findings() == []
    event = ConsentEvent.objects.order_by("pk").first()
    with unguarded():
        event.delete()
        assert Kind.ENTRY_WITHOUT_EVENT in {one.kind for one in findings()}


# --- harms ----------------------------------------------------------------------------------------


def without_somebody(world: World) -> None:
    """One bit less in one chunk of who was sent."""
    chunk = Use.objects.filter(release=first_release()).first()
    assert chunk is not None
    bits = np.frombuffer(bytes(chunk.bits), np.uint8).copy()
    at = int(np.flatnonzero(bits)[0])
    bits[at] = 0
    Use.objects.filter(release=chunk.release_id, block=chunk.block).update(bits=bits.tobytes())


def with_somebody(world: World) -> None:
    """Somebody who never said yes is put into a package, its uses and counts, but not into the log."""
    release, slot = last_release(), world.subject("c-9").slot
    part = release.parts.order_by("number").first()
    assert part is not None
    slots = np.union1d(unpack(part.slots), np.array([slot], np.int32)).astype(np.int32)
    people = np.unique(np.concatenate([unpack(one.slots) for one in release.parts.all()]))
    changed(part, slots=pack(slots))
    changed(release, people=len(np.union1d(people, [slot])))
    byte, mask = place_of(slot)
    for chunk in Use.objects.filter(release=release, block=block_of(slot)):
        bits = bytearray(bytes(chunk.bits))
        bits[byte] |= mask
        changed(chunk, bits=bytes(bits))


def kept_back_as_well(world: World) -> None:
    use = Use.objects.filter(release=first_release()).first()
    assert use is not None
    Withheld.objects.filter(release=use.release_id).delete()
    Withheld.objects.create(
        release_id=use.release_id, ground="no_consent", block=use.block, bits=bytes(use.bits)
    )


def no_moved_before(world: World) -> None:
    """Her no made an epoch before the release; the row of her consent says it ended later."""
    release = last_release()
    consent = world.consent("c-7")
    at = (release.answered_at or timezone.now()) - timedelta(microseconds=1)
    move = ScopeMove.objects.filter(scope__recipient=release.recipient_id).latest("epoch")
    changed(consent, ended_at=at, ending="withdrawn")
    ScopeMove.objects.create(
        scope=move.scope,
        epoch=release.epoch_scope,
        act="consent_withdrawn",
        slot=consent.subject_id,
        moved_at=at,
    )


def no_between_release_and_download(world: World) -> None:
    """The hand-over stands at an epoch that her no made, and holds her."""
    release = last_release()
    download = Download.objects.filter(release=release, part="package").latest("pk")
    consent = world.consent("c-7")
    move = ScopeMove.objects.filter(scope__recipient=release.recipient_id).latest("epoch")
    at = download.at - timedelta(microseconds=1)
    changed(consent, ended_at=at, ending="withdrawn")
    epoch = (release.epoch_scope or 0) + 1
    changed(download, epoch_scope=epoch)
    changed(Entry.objects.get(pk=download.entry_id), epoch_scope=epoch)
    ScopeMove.objects.create(
        scope=move.scope,
        epoch=epoch,
        act="consent_withdrawn",
        slot=consent.subject_id,
        moved_at=at,
    )


def never_said_yes(world: World) -> None:
    consent = world.consent("c-8")
    ConsentEvent.objects.filter(consent=consent).delete()
    gone(consent)


def objected_before(world: World) -> None:
    changed(Objection.objects.filter(lifted_at__isnull=False).latest("pk"), lifted_at=None)


def file_gone(world: World) -> Callable[[], object]:
    name = last_release().parts.order_by("number").values_list("name", flat=True)[0]
    data = store().open(name)
    store().delete(name)
    return lambda: store().put(name, data)


def file_not_wiped(world: World) -> Callable[[], object]:
    part = ReleasePart.objects.filter(release=void_release()).first()
    assert part is not None
    store().put(part.name, b"sealed")
    return lambda: store().delete(part.name)


def file_of_nobody(world: World) -> Callable[[], object]:
    name = f"packages/{last_release().ref}/ffffffffffffffff-9.age"
    store().put(name, b"sealed")
    return lambda: store().delete(name)


def latest_download() -> Download:
    return Download.objects.latest("pk")


def download_deleted(world: World) -> None:
    Sending.objects.all().delete()
    gone(latest_download())


def exchange_entries(world: World) -> None:
    """Two yeses stand under each other's entries."""
    one, other = ConsentEvent.objects.filter(happening="given").order_by("pk")[:2]
    changed(one, entry=other.entry_id)
    changed(other, entry=one.entry_id)
    changed(other, at=one.at)
    changed(one, at=other.at)


def late_tag(world: World, tagged: Entry | None) -> LateTag:
    word = ConsentEvent.objects.order_by("pk").first()
    assert word is not None
    return LateTag.objects.create(entry=word.entry, subject=world.subject("c-8"), tagged=tagged)


RELEASED, REFUSED = EntryType.DATASET_RELEASED, EntryType.DATASET_REFUSED
HARMS: dict[str, Harm] = {
    "an answer's entry deleted": (
        lambda w: gone(entry_of(last_release())),
        Kind.ANSWER_WITHOUT_ENTRY,
        "the entry of its answer is not there",
    ),
    "an answer under another's entry": (
        lambda w: changed(last_release(), entry=entry_of(first_release())),
        Kind.ANSWER_WITHOUT_ENTRY,
        "is not about its answer",
    ),
    "a release moved to a later epoch": (
        lambda w: changed(last_release(), epoch_scope=999),
        Kind.ANSWER_WITHOUT_ENTRY,
        "its epochs, purpose or time are not those of entry",
    ),
    "a manifest exchanged": (
        lambda w: changed(last_release(), manifest=b"{}"),
        Kind.ANSWER_WITHOUT_ENTRY,
        "its manifest is not the one that entry",
    ),
    "a release deleted": (
        lambda w: gone(last_release()),
        Kind.ENTRY_WITHOUT_ANSWER,
        "is not there with this answer",
    ),
    "a second answer to one asking": (
        lambda w: entry(REFUSED, resource=last_release().ref),
        Kind.ENTRY_WITHOUT_ANSWER,
        "an entry that waits for its number: release",
    ),
    "the entry of an asking deleted": (
        lambda w: gone(
            Entry.objects.get(type=EntryType.RELEASE_ASKED, resource=last_release().ref)
        ),
        Kind.ASKED_WITHOUT_ENTRY,
        "no entry says that it was asked for",
    ),
    "an asking deleted": (
        lambda w: gone(last_release()),
        Kind.ENTRY_WITHOUT_ASKED,
        "which was asked for, is not there",
    ),
    "the entry of a voiding deleted": (
        lambda w: gone(
            Entry.objects.get(type=EntryType.RELEASE_VOIDED, resource=void_release().ref)
        ),
        Kind.VOID_WITHOUT_ENTRY,
        "it is void, and no entry says so",
    ),
    "a void package made good again": (
        lambda w: changed(void_release(), voided_at=None, void_ground=None, wiped_at=None),
        Kind.ENTRY_WITHOUT_VOID,
        "was declared void and is not",
    ),
    "a part deleted": (
        lambda w: gone(last_release().parts.first()),
        Kind.PARTS_AND_RELEASE,
        "other counts of rows or people",
    ),
    "the root of a part changed": (
        lambda w: changed(last_release().parts.first(), root=secrets.token_bytes(32)),
        Kind.PEOPLE_AND_ENTRY,
        "the roots of its parts are not what",
    ),
    "somebody taken out of the uses": (
        without_somebody,
        Kind.USES_AND_PARTS,
        "its parts hold other people than its uses name",
    ),
    "somebody put in everywhere but in the log": (
        with_somebody,
        Kind.PEOPLE_AND_ENTRY,
        "the people in it are not those that entry",
    ),
    "somebody sent and kept back": (
        kept_back_as_well,
        Kind.USES_AND_WITHHELD,
        "among those sent and among those kept back",
    ),
    "a sealed file taken away": (
        file_gone,
        Kind.FILE_MISSING,
        "is not there, and nobody declared it void",
    ),
    "a wiped file come back": (file_not_wiped, Kind.FILE_NOT_WIPED, "is still there"),
    "a file that is no part": (file_of_nobody, Kind.FILE_OF_NOBODY, "that no part names"),
    "a download's entry deleted": (
        lambda w: gone(Entry.objects.get(pk=latest_download().entry_id)),
        Kind.DOWNLOAD_WITHOUT_ENTRY,
        "its entry is not there",
    ),
    "a download made an earlier one": (
        lambda w: changed(latest_download(), at=timezone.now() - timedelta(days=3)),
        Kind.DOWNLOAD_WITHOUT_ENTRY,
        "says other epochs, another piece or time",
    ),
    "a download deleted": (
        download_deleted,
        Kind.ENTRY_WITHOUT_DOWNLOAD,
        "no download of release",
    ),
    "a download of a void package": (
        lambda w: changed(
            void_release(),
            voided_at=Download.objects.filter(release=void_release()).latest("pk").at
            - timedelta(seconds=1),
        ),
        Kind.DOWNLOAD_OF_NOTHING,
        "after it was declared void",
    ),
    "a download of a part that is not": (
        lambda w: changed(Download.objects.filter(part="part").latest("pk"), number=77),
        Kind.DOWNLOAD_OF_NOTHING,
        "the package has no such part",
    ),
    "a download after its time": (
        lambda w: changed(latest_download(), at=timezone.now() + timedelta(days=9)),
        Kind.DOWNLOAD_OF_NOTHING,
        "after its time",
    ),
    "a download at an older epoch": (
        lambda w: changed(latest_download(), epoch_everyone=-1),
        Kind.DOWNLOAD_OF_NOTHING,
        "at an older epoch than it was prepared at",
    ),
    "bytes sent before they were permitted": (
        lambda w: changed(Sending.objects.latest("pk"), at=timezone.now() - timedelta(days=3)),
        Kind.DOWNLOAD_OF_NOTHING,
        "bytes were sent before it was permitted",
    ),
    "an inquiry's entry deleted": (
        lambda w: gone(permitted().entry),
        Kind.INQUIRY_WITHOUT_ENTRY,
        "its entry is not there",
    ),
    "an answer about one person made larger": (
        lambda w: changed(permitted(), record_until=timezone.now().date() + timedelta(days=9)),
        Kind.INQUIRY_WITHOUT_ENTRY,
        "or says another answer",
    ),
    "an answer about one person said of another": (
        lambda w: changed(permitted(), subject=w.subject("c-8")),
        Kind.INQUIRY_WITHOUT_ENTRY,
        "is about another person",
    ),
    "an inquiry deleted": (
        lambda w: gone(permitted()),
        Kind.ENTRY_WITHOUT_INQUIRY,
        "is not there with this answer",
    ),
    "a permit after a no": (
        lambda w: changed(permitted(), at=timezone.now() + timedelta(days=400)),
        Kind.NO_YES,
        "inquiry inq-",
    ),
    "a release after a no": (
        no_moved_before,
        Kind.NO_BEFORE,
        "whose no came before it, and no later yes stands between",
    ),
    "a download after a no": (
        no_between_release_and_download,
        Kind.NO_BEFORE,
        "it holds somebody whose no came before it",
    ),
    "a release against a standing no": (
        objected_before,
        Kind.NO_BEFORE,
        "it holds somebody whose no came before it",
    ),
    "a release without a yes": (never_said_yes, Kind.NO_YES, "of whom no yes to it stood then"),
    "a stopped consent made to run again": (
        lambda w: changed(
            event("withdrawn").consent, ended_at=None, ending=None, purpose=purpose()
        ),
        Kind.STATE_AND_EVENTS,
        "its end or its pause is another",
    ),
    "the event of a stop deleted": (
        lambda w: gone(event("withdrawn")),
        Kind.STATE_AND_EVENTS,
        "its end or its pause is another",
    ),
    "a pause that nobody said": (
        lambda w: changed(w.consent("c-8"), paused_at=timezone.now()),
        Kind.STATE_AND_EVENTS,
        "its end or its pause is another",
    ),
    "the event of a yes deleted": (
        lambda w: gone(event("given")),
        Kind.STATE_AND_EVENTS,
        "its first event is no yes",
    ),
    "a person taken away": (
        lambda w: Subject.objects.filter(pk=w.subject("c-8").pk)._raw_delete(using="default"),
        Kind.STATE_AND_EVENTS,
        "whose it is is not there",
    ),
    "somebody taken away who objected": (
        lambda w: Subject.objects.filter(pk=w.subject("c-5").pk)._raw_delete(using="default"),
        Kind.OBJECTION_WITHOUT_ENTRY,
        "whose it is is not there",
    ),
    "a release deleted under its download": (
        lambda w: gone(last_release()),
        Kind.DOWNLOAD_OF_NOTHING,
        "its release is not there",
    ),
    "something after the end": (
        lambda w: ConsentEvent.objects.create(
            consent=event("withdrawn").consent,
            happening="resumed",
            at=timezone.now(),
            entry=event("withdrawn").entry,
        ),
        Kind.STATE_AND_EVENTS,
        "something happened to it after its end",
    ),
    "the entry of a stop deleted": (
        lambda w: gone(event("withdrawn").entry),
        Kind.EVENT_WITHOUT_ENTRY,
        "the entry of what happened to it (withdrawn) is gone",
    ),
    "a stop told as a pause": (
        lambda w: changed(event("withdrawn"), happening="superseded"),
        Kind.EVENT_WITHOUT_ENTRY,
        "is not about what happened to it (superseded)",
    ),
    "a stop at another time": (
        lambda w: changed(event("withdrawn"), at=timezone.now()),
        Kind.EVENT_WITHOUT_ENTRY,
        "is about happened at another time",
    ),
    "two people's yeses exchanged": (
        exchange_entries,
        Kind.EVENT_WITHOUT_ENTRY,
        "is about another person",
    ),
    "the event of a pause deleted": (
        lambda w: gone(event("paused")),
        Kind.ENTRY_WITHOUT_EVENT,
        "nothing that happened to a consent stands under it",
    ),
    "the entry of a standing no deleted": (
        lambda w: gone(Entry.objects.filter(type=EntryType.OBJECTION_MADE).latest("pk")),
        Kind.OBJECTION_WITHOUT_ENTRY,
        "no entry says that it was said",
    ),
    "a standing no taken back behind its person": (
        lambda w: changed(
            Objection.objects.filter(lifted_at__isnull=True).latest("pk"), lifted_at=timezone.now()
        ),
        Kind.OBJECTION_WITHOUT_ENTRY,
        "it was taken back, and no entry says so",
    ),
    "a standing no deleted": (
        lambda w: gone(Objection.objects.filter(lifted_at__isnull=True).latest("pk")),
        Kind.ENTRY_WITHOUT_OBJECTION,
        "that was said or taken back then is there",
    ),
    "the reason of a vote written anew": (
        lambda w: changed(Ballot.objects.latest("pk"), reason="Quite another one."),
        Kind.TEXT_AND_ENTRY,
        "it says something else than what was sealed beside entry",
    ),
    "a vote turned": (
        lambda w: changed(Ballot.objects.latest("pk"), vote="no"),
        Kind.TEXT_AND_ENTRY,
        "it says something else than what was sealed beside entry",
    ),
    "the entry of a vote deleted": (
        lambda w: gone(Entry.objects.filter(type=EntryType.BALLOT_CAST).latest("pk")),
        Kind.TEXT_AND_ENTRY,
        "its entry is not there",
    ),
    "a late tag said to be in an entry of another kind": (
        lambda w: late_tag(w, entry(EntryType.LOG_VERIFIED)),
        Kind.TAGS_AND_ENTRY,
        "no entry that bears tags bears this one",
    ),
    "somebody's tag put under an entry that does not bear it": (
        lambda w: late_tag(
            w, entry(EntryType.SUBJECT_TAGGED, subjects_root=secrets.token_bytes(32))
        ),
        Kind.TAGS_AND_ENTRY,
        "it covers other tags than those that stand under it",
    ),
    "the entry of a late tag deleted": (
        lambda w: gone(late_tag(w, None).entry),
        Kind.TAGS_AND_ENTRY,
        "the entry that it is about is not there",
    ),
    "an entry that bears nobody's tag": (
        lambda w: entry(EntryType.SUBJECT_TAGGED),
        Kind.ENTRY_WITHOUT_TAGS,
        "no late tag stands under it",
    ),
    "a word without a key that waits for no tag": (
        lambda w: entry(EntryType.OBJECTION_MADE, reason="key-absent"),
        Kind.ENTRY_WITHOUT_TAGS,
        "nobody's tag waits for it",
    ),
    "a key destroyed behind two people's backs": (
        lambda w: changed(w.subject("c-9"), shredded_at=timezone.now(), wrapped_key=b""),
        Kind.SHREDDED_WITHOUT_ENTRY,
        "no entry says so",
    ),
    "a number that leads to a shredded record": (
        lambda w: changed(w.subject("c-9"), shredded_at=timezone.now(), wrapped_key=b""),
        Kind.SHREDDED_AND_LED_TO,
        "a client number leads to it",
    ),
    "an entry about a key that was not destroyed": (
        lambda w: entry(EntryType.KEY_SHREDDED),
        Kind.ENTRY_WITHOUT_SHREDDED,
        "no record was shredded then",
    ),
}


@pytest.mark.parametrize("harm", thirds(HARMS))
def test_a_harm_is_found_and_named(world, django_db_blocker, harm):
    with django_db_blocker.unblock():
        found_and_named(world, HARMS[harm])


def test_every_kind_of_finding_has_its_harm():
    assert {kind for _, kind, _ in [*HARMS.values(), *of_words.HARMS.values()]} == set(Kind)


# --- the deed and its command ---------------------------------------------------------------------


def test_the_command_tells_that_all_agrees_and_leaves_its_entry(world, auditor):
    out = StringIO()
    call_command("reconcile", "--by", auditor.username, stdout=out)
    assert "The log and what is kept agree" in out.getvalue()
    left = Entry.objects.filter(type=EntryType.LOG_VERIFIED, resource="reconcile").latest("pk")
    assert (left.actor, left.reason, left.via) == (auditor.ref, "agrees", "command")


def test_the_command_names_what_differs_and_ends_with_an_error(world, auditor):
    out, put_back = StringIO(), file_gone(world)
    try:
        with pytest.raises(CommandError, match="do not agree: 1 findings"):
            call_command("reconcile", "--by", auditor.username, stdout=out)
    finally:
        put_back()
    assert f"release {last_release().ref}: the file of part 1 is not there" in out.getvalue()
    left = Entry.objects.filter(type=EntryType.LOG_VERIFIED, resource="reconcile").latest("pk")
    assert left.reason == "differs"


def test_whoever_is_no_auditor_may_not(world, django_db_blocker):
    with django_db_blocker.unblock(), pytest.raises(NotPermitted):
        reconciling.reconcile(tell=print, **hand(world.requester))
    with django_db_blocker.unblock(), pytest.raises(CommandError, match="not compared to its end"):
        call_command("reconcile", "--by", world.requester.username)


@contextmanager
def keys_away(folder: Path) -> Iterator[None]:
    """The key of no holder is here."""
    with override_settings(SAYSO_KEYS=folder / "none", DEMO=False):
        yield


def test_without_a_holders_key_the_rest_is_compared_and_what_was_not_is_said(
    world, auditor, tmp_path
):
    with keys_away(tmp_path):
        code, says = reconciled(auditor)
    assert code == 3
    assert f"The key of {world.home.organisation.ref} is not here" in says
    for what in (
        *("people of releases: ", "inquiries and their entries: "),
        *("consents and their events: ", "standing noes and their entries: "),
    ):
        assert what in says
    assert "What could be compared agrees. It is not all" in says
    nobody_is_named(world, says)
    left = Entry.objects.filter(type=EntryType.LOG_VERIFIED, resource="reconcile").latest("pk")
    assert left.reason == "agrees-in-part"


@pytest.mark.parametrize(
    "harm",
    [
        *("a manifest exchanged", "somebody taken out of the uses", "a release after a no"),
        *("an answer about one person made larger", "a stopped consent made to run again"),
        *("the entry of a stop deleted", "the root of a part changed"),
    ],
)
def test_without_a_holders_key_what_needs_none_is_still_found(world, auditor, tmp_path, harm):
    do, _kind, words = HARMS[harm]
    with unguarded():
        do(world)
        with keys_away(tmp_path):
            code, says = reconciled(auditor)
    assert code == 1
    assert words in says
    assert "is not here, or does not open somebody's key" in says


def test_one_person_s_key_that_does_not_open_hides_nobody_else_s_harm(world, auditor):
    with unguarded():
        changed(world.subject("c-9"), wrapped_key=secrets.token_bytes(60))
        changed(world.subject("c-7"), wrapped_key=secrets.token_bytes(60))
        code, says = reconciled(auditor)
        assert code == 3
        assert "consents and their events: 1" in says
        exchange_entries(world)
        assert reconciled(auditor)[0] == 1
