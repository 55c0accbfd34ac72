"""The log against what is kept: a whole world agrees, and each harm done past the guards is named."""

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
from django.db import connection
from django.db.models import F
from django.test import override_settings
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType
from common.errors import NotPermitted, Void
from consent.models import (
    CategorySet,
    CategorySetItem,
    Consent,
    ConsentEvent,
    LateTag,
    Objection,
    Subject,
    Terms,
)
from governance.actions import agreements, memberships, people
from governance.models import Ballot, Organisation, RequestField, ScopeMove, User
from governance.vocabulary import Role, UserKind
from oversight.actions import reconciling
from oversight.queries.checks import CHECKS
from oversight.vocabulary import Finding, Kind
from release.actions import keeping
from release.models import Download, Inquiry, Release, ReleasePart, Sending, Use, Withheld
from release.rules.bits import block_of, place_of
from release.rules.packed import pack, unpack
from release.storage import store
from release.vocabulary import DownloadPart, ReleaseState, VoidGround
from tests.append_only import unguarded
from tests.factories.consent import terms
from tests.factories.governance import (
    access_request,
    agreement,
    agreement_category,
    agreement_dataset,
    agreement_purpose,
    category,
    category_version,
    charter,
    data_field,
    dataset,
    organisation,
    purpose,
)
from tests.factories.governance import decision as decision_of
from tests.integration.consent_world import build
from tests.integration.test_consent_import import bring, paper
from tests.sheets import numbers
from tests.worlds import World, hand, lasting_world

pytestmark = pytest.mark.database
PEOPLE = 9  # the last one never says yes


def live(world: World) -> None:
    """Everything that one installation sees in a year, in little."""
    about, _helped = world.categories
    first = world.prepare()
    world.fetch(first)
    b"".join(world.hand_over(first, DownloadPart.PART, number=1).chunks)
    world.hand_over(first, DownloadPart.MANIFEST)
    world.pause("c-3", until=timezone.now() + timedelta(days=2))
    world.no("c-2")
    with pytest.raises(Void):
        world.fetch(first)
    world.run(Release.objects.get(replaces=first))
    world.resume("c-3")
    world.lift(world.object("c-4"))
    world.object("c-5", category=about)
    world.yes("c-6", categories=[about])  # supersedes, and is less
    world.yes("c-2")
    world.fetch(world.prepare())
    for number in ("c-1", "c-2", "c-5", "c-6", "nobody"):
        world.inquire(number)
    with pytest.raises(NotPermitted):
        world.inquire("c-1", by=world.requester)
    with pytest.raises(NotPermitted):
        world.hand_over(first, by=world.home.steward)
    agreements.suspend(agreement=world.home.agreement, **hand(world.home.warden))
    assert world.prepare().state == ReleaseState.REFUSED
    agreements.resume(agreement=world.home.agreement, **hand(world.home.warden))
    world.fetch(world.prepare())
    keeping.wipe(at=timezone.now())
    world.pause("c-8", until=timezone.now() + timedelta(days=2))


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with (
        django_db_blocker.unblock(),
        lasting_world(PEOPLE, each=1, yes=numbers(PEOPLE - 1), part_rows=3) as found,
    ):
        keeping.sweep()  # what other tests left in the folder of this process
        live(found)
        yield found


@pytest.mark.django_db
def test_a_database_is_there():
    """Also lets the test runner make its database: see `lasting_world`."""


def findings() -> list[Finding]:
    return [finding for _, check in CHECKS for finding in check(lambda count: None)]


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


def first_release() -> Release:
    found = Release.objects.filter(state="prepared").order_by("pk").first()
    assert found is not None
    return found


def last_release() -> Release:
    """The package that was handed over last and waits, not void, to be fetched again."""
    return Release.objects.filter(state="prepared", voided_at=None).latest("pk")


def void_release() -> Release:
    return Release.objects.filter(voided_at__isnull=False).latest("pk")


def entry_of(release: Release) -> Entry:
    return Entry.objects.get(pk=release.entry_id)


def gone(row: Any) -> None:
    """Deleted past the guards, with nothing that hangs on it."""
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [row.pk])  # noqa: S608 - our own table


def call_sql(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def changed(row: Any, **values: Any) -> None:
    assert type(row)._default_manager.filter(pk=row.pk).update(**values) == 1


def entry(type: str, **values: Any) -> Entry:
    return Entry.objects.create(
        **{
            "version": 1,
            "type": type,
            "time": timezone.now(),
            "actor": "clock",
            "via": "task",
            "decision": "done",
            "subjects_band": "0",
            "nonce": secrets.token_bytes(16),
            "leaf": b"{}",
            "leaf_hash": secrets.token_bytes(32),
            **values,
        }
    )


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


def permitted() -> Inquiry:
    return Inquiry.objects.filter(permitted=True).order_by("pk")[0]


def latest_download() -> Download:
    return Download.objects.latest("pk")


def download_deleted(world: World) -> None:
    Sending.objects.all().delete()
    gone(latest_download())


def event(happening: str) -> ConsentEvent:
    return ConsentEvent.objects.filter(happening=happening).latest("pk")


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


DAY = timedelta(days=1)


def running(world: World) -> Consent:
    """A yes that runs, and that nothing else here is about."""
    return world.consent("c-1")


def longer(world: World, column: str) -> None:
    one = running(world)
    changed(one, **{column: getattr(one, column) + DAY})


def other_recipient() -> Organisation:
    return organisation()


def other_terms() -> Terms:
    return terms(code="other-words")


def one_category_more(world: World) -> None:
    """In the set itself, which the row goes on pointing at."""
    held = CategorySet.objects.get(pk=running(world).category_set_id)
    CategorySetItem.objects.create(set=held, version=category_version())


def another_set(world: World) -> None:
    other = CategorySet.objects.create(digest="0" * 64)
    changed(running(world), category_set=other)


def pause_ends_sooner(world: World) -> None:
    changed(world.consent("c-8"), paused_until=timezone.now() + timedelta(minutes=1))


def pause_without_an_end(world: World) -> None:
    """And so one that nobody can tell from a longer one."""
    changed(world.consent("c-8"), paused_until=None)


def standing_no() -> Objection:
    return Objection.objects.filter(lifted_at__isnull=True).latest("pk")


def no_taken_back() -> Objection:
    return Objection.objects.filter(lifted_at__gt=F("made_at") + DAY / 86_400_000).latest("pk")


def otherwise(what: str) -> str:
    return f"commits to: {what}"


WORDS = Kind.WORDS_AND_ENTRY
# Past the triggers every column of a word is made to say more; each is named.
OF_WORDS: dict[str, tuple[Callable[[World], Any], Kind, str]] = {
    "a yes said to be to another": (
        lambda w: changed(running(w), recipient=other_recipient()),
        WORDS,
        otherwise("who receives"),
    ),
    "a yes said to be of another holder's": (
        lambda w: changed(running(w), holder=other_recipient()),
        WORDS,
        otherwise("who shares"),
    ),
    "a yes said to be for another purpose": (
        lambda w: changed(running(w), purpose=purpose()),
        WORDS,
        otherwise("what for"),
    ),
    "a yes given to somebody else": (
        lambda w: changed(running(w), subject=w.subject("c-9")),
        WORDS,
        otherwise("whose it is"),
    ),
    "a yes with other categories": (another_set, WORDS, otherwise("which information")),
    "a category put into the set of a yes": (
        one_category_more,
        WORDS,
        otherwise("which information"),
    ),
    "a yes said to be to other words": (
        lambda w: changed(running(w), terms=other_terms()),
        WORDS,
        otherwise("the text that was shown"),
    ),
    "the words written anew that she said yes to": (
        lambda w: changed(running(w).terms, text="Quite other ones."),
        WORDS,
        otherwise("the text that was shown"),
    ),
    "a yes that began sooner": (
        lambda w: changed(running(w), starts=running(w).starts - DAY),
        WORDS,
        otherwise("its start"),
    ),
    "a yes made to last longer": (lambda w: longer(w, "ends"), WORDS, otherwise("its end")),
    "a yes said to be about what was recorded later": (
        lambda w: longer(w, "record_until"),
        WORDS,
        otherwise("until when what is recorded may go"),
    ),
    "a yes said to be signed later": (
        lambda w: longer(w, "signed_at"),
        WORDS,
        otherwise("when it was signed"),
    ),
    "a yes said to be her guardian's": (
        lambda w: changed(running(w), signer="guardian", authority="a court"),
        WORDS,
        otherwise("how and by whom it was signed"),
    ),
    "a yes that is over made to have been another": (
        lambda w: changed(event("withdrawn").consent, recipient=other_recipient()),
        WORDS,
        otherwise("who receives"),
    ),
    "a pause made shorter": (pause_ends_sooner, WORDS, otherwise("until when it is paused")),
    "a pause made to last": (pause_without_an_end, WORDS, otherwise("until when it is paused")),
    "a no to everything made one to somebody": (
        lambda w: changed(standing_no(), recipient=other_recipient()),
        WORDS,
        otherwise("who receives"),
    ),
    "a no made one to a kind of recipient": (
        lambda w: changed(standing_no(), recipient_kind="police"),
        WORDS,
        otherwise("which kind of recipient"),
    ),
    "a no made one for a purpose": (
        lambda w: changed(standing_no(), purpose=purpose()),
        WORDS,
        otherwise("what for"),
    ),
    "a no to one category made one to another": (
        lambda w: changed(standing_no(), category=w.categories[1]),
        WORDS,
        otherwise("which information"),
    ),
    "a no said to be somebody else's": (
        lambda w: changed(standing_no(), subject=w.subject("c-9")),
        WORDS,
        "no entry commits to what it says, or it was said by another",
    ),
    "a no said to be of another day": (
        lambda w: changed(standing_no(), made_at=timezone.now() - DAY),
        WORDS,
        "no entry commits to what it says, or it was said by another",
    ),
    "a no that was taken back made to have been another": (
        lambda w: changed(no_taken_back(), purpose=purpose()),
        WORDS,
        otherwise("what for"),
    ),
    "what a yes committed to taken away": (
        lambda w: call_sql("DELETE FROM audit_detail WHERE entry_id = %s", event("given").entry_id),
        WORDS,
        "what it commits to is gone, or is another",
    ),
}


def request_of(world: World, **values: Any) -> None:
    changed(world.home.request, **values)


def one_field_more(world: World) -> None:
    RequestField.objects.create(
        request=world.home.request, field=data_field(dataset=world.home.request.dataset)
    )


def approved_by_nobody(world: World) -> None:
    """A refusal turned into a yes, with all that a table can say of it."""
    request = access_request(state="approved", submitted_at=timezone.now())
    decision_of(request=request, outcome="approved")


def signed_once_more(world: World) -> None:
    signature = world.home.agreement.signatures.latest("pk")
    changed(signature, digest="0" * 64)


REQUESTED, SIGNED = Kind.REQUEST_AND_ENTRIES, Kind.AGREEMENT_AND_ENTRIES
OF_REQUESTS: dict[str, tuple[Callable[[World], Any], Kind, str]] = {
    "a request approved by nobody": (
        approved_by_nobody,
        REQUESTED,
        "it is not in the state that its entries led to",
    ),
    "a board's answer that no board gave": (
        approved_by_nobody,
        REQUESTED,
        "no entry says that a board gave this answer then",
    ),
    "a request that was answered made to wait again": (
        lambda w: request_of(w, state="submitted"),
        REQUESTED,
        "it is not in the state that its entries led to",
    ),
    "a field put into a request": (one_field_more, REQUESTED, otherwise("which fields")),
    **{
        f"a request with {what} changed": (
            lambda w, column=column, value=value: request_of(w, **{column: value(w)}),
            REQUESTED,
            otherwise(what),
        )
        for what, column, value in (
            ("who asks", "requester", lambda w: organisation()),
            ("for which dataset", "dataset", lambda w: dataset(holder=w.home.organisation)),
            ("what for", "purpose", lambda w: purpose()),
            ("under which agreement", "agreement", lambda w: agreement()),
            ("why", "reason", lambda w: "Quite another one."),
            ("what good it does", "benefit", lambda w: "Quite another one."),
            ("in which form", "format", lambda w: "csv"),
            ("its start", "starts", lambda w: w.home.request.starts - DAY),
            ("its end", "ends", lambda w: w.home.request.ends + DAY),
            ("until when it is answered", "answer_by", lambda w: timezone.now() + 400 * DAY),
        )
    },
    "the votes of an answer written anew": (
        lambda w: changed(w.home.request.decision, yes=77),
        REQUESTED,
        otherwise("the votes"),
    ),
    "an answer turned": (
        lambda w: changed(w.home.request.decision, outcome="refused"),
        REQUESTED,
        otherwise("the answer"),
    ),
    "an answer under another charter": (
        lambda w: changed(w.home.request.decision, charter=charter(number=9)),
        REQUESTED,
        otherwise("under which charter"),
    ),
    "an answer deleted": (
        lambda w: gone(w.home.request.decision),
        REQUESTED,
        "the board's answer that entry",
    ),
    "what a request committed to taken away": (
        lambda w: call_sql(
            "DELETE FROM audit_detail WHERE entry_id = %s",
            Entry.objects.filter(type=EntryType.REQUEST_SUBMITTED).latest("pk").pk,
        ),
        REQUESTED,
        "what it commits to is gone, or is another",
    ),
    "a request deleted": (
        lambda w: entry(EntryType.REQUEST_DRAFTED, resource="req-that-is-gone"),
        REQUESTED,
        "request req-that-is-gone is not there",
    ),
    "an agreement deleted": (
        lambda w: entry(EntryType.AGREEMENT_DRAFTED, resource="agr-that-is-gone"),
        SIGNED,
        "agreement agr-that-is-gone is not there",
    ),
    "an agreement put into force by nobody": (
        lambda w: agreement(state="in_force"),
        SIGNED,
        "it is not in the state that its entries led to",
    ),
    "an agreement signed to another text": (
        signed_once_more,
        SIGNED,
        "its signatures are not those that its entries are about",
    ),
    "a signature deleted": (
        lambda w: gone(w.home.agreement.signatures.latest("pk")),
        SIGNED,
        "its signatures are not those that its entries are about",
    ),
    **{
        f"an agreement with another {what}": (
            lambda w, do=do: do(w.home.agreement),
            SIGNED,
            "it does not say what was signed",
        )
        for what, do in (
            ("dataset", lambda one: agreement_dataset(agreement=one, dataset=dataset())),
            ("purpose", lambda one: agreement_purpose(agreement=one, purpose=purpose())),
            ("category", lambda one: agreement_category(agreement=one, category=category())),
            ("end", lambda one: changed(one, ends=one.ends + DAY)),
            ("start", lambda one: changed(one, starts=one.starts - DAY)),
            ("recipient", lambda one: changed(one, recipient=organisation())),
            ("holder", lambda one: changed(one, holder=organisation())),
            ("title", lambda one: changed(one, title="Another")),
            ("duty", lambda one: changed(one, obligations=["Tell nobody."])),
        )
    },
}


def another_agreement(world: World) -> None:
    """The request is said to rest on another; the handing-in and all answers say otherwise."""
    request_of(world, agreement=agreement())


def another_rule_of_the_board(world: World) -> None:
    changed(world.home.request.decision.charter, threshold_percent=51)


OTHER_RULES = "under another agreement, charter or purpose than it now rests on"
OF_POLICIES: dict[str, tuple[Callable[[World], Any], Kind, str]] = {
    "answers said to rest on another agreement": (
        another_agreement,
        Kind.POLICY_AND_ENTRY,
        OTHER_RULES,
    ),
    "an answer about one person said to be to another request": (
        lambda w: changed(permitted(), request=access_request()),
        Kind.POLICY_AND_ENTRY,
        OTHER_RULES,
    ),
    "a package handed over by rules that were never given out": (
        lambda w: changed(Download.objects.latest("pk").entry, policy="ab" * 32),
        Kind.POLICY_AND_ENTRY,
        "by rules that were never given out",
    ),
    "a refused hand-over by rules that were never given out": (
        lambda w: changed(
            Entry.objects.filter(type=EntryType.DOWNLOAD_REFUSED).exclude(policy="").latest("pk"),
            policy="ab" * 32,
        ),
        Kind.POLICY_AND_ENTRY,
        "by rules that were never given out",
    ),
    "the charter of an answer written anew": (
        another_rule_of_the_board,
        Kind.POLICY_AND_ENTRY,
        OTHER_RULES,
    ),
}

RELEASED, REFUSED = EntryType.DATASET_RELEASED, EntryType.DATASET_REFUSED
# What is done, which kind of finding names it, and words of its sentence.
HARMS: dict[str, tuple[Callable[[World], Any], Kind, str]] = {
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
    **OF_WORDS,
    **OF_REQUESTS,
    **OF_POLICIES,
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_harm_is_found_and_named(world, django_db_blocker, harm):
    do, kind, words = HARMS[harm]
    with django_db_blocker.unblock():
        with unguarded():
            put_back = do(world)
            try:
                found = findings()
            finally:
                if callable(put_back):
                    put_back()
        told = [str(one) for one in found if isinstance(one, Finding) and one.kind == kind]
        assert any(words in each for each in told), [str(one) for one in found]
        nobody_is_named(world, " ".join(map(str, found)))


def nobody_is_named(world: World, told: str) -> None:
    for number in range(1, PEOPLE + 1):
        assert str(world.subject(f"c-{number}").slot) not in told.replace("/", " ").split()
    for consent in Consent.objects.all():
        assert consent.ref not in told


def test_every_kind_of_finding_has_its_harm():
    assert {kind for _, kind, _ in HARMS.values()} == set(Kind)


# --- the deed and its command ---------------------------------------------------------------------


@pytest.fixture
def auditor(world, django_db_blocker) -> Iterator[User]:
    with django_db_blocker.unblock():
        name = f"calm-heron-{secrets.randbelow(10**6)}"
        user = people.create_user(username=name, kind=UserKind.STAFF, **hand(world.chair))
        commons = world.chair.memberships.get(role=Role.ADMINISTRATOR).organisation
        memberships.grant(user=user, organisation=commons, role=Role.AUDITOR, **hand(world.chair))
        yield user


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


def reconciled(auditor: User) -> tuple[int, str]:
    """The exit code of the command, and everything that it says."""
    out = StringIO()
    try:
        call_command("reconcile", "--by", auditor.username, stdout=out)
    except CommandError as ended:
        return ended.returncode, f"{out.getvalue()}{ended}"
    return 0, out.getvalue()


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


def test_what_was_written_before_is_said_and_is_no_difference(world, auditor):
    with unguarded():
        Entry.objects.filter(type__startswith="consent:").update(detail_commit="")
        Entry.objects.update(policy="")
        code, says = reconciled(auditor)
    assert code == 0
    assert "things were written before entries committed to what rows say" in says
    nobody_is_named(world, says)


def test_one_person_s_key_that_does_not_open_hides_nobody_else_s_harm(world, auditor):
    with unguarded():
        changed(world.subject("c-9"), wrapped_key=secrets.token_bytes(60))
        changed(world.subject("c-7"), wrapped_key=secrets.token_bytes(60))
        code, says = reconciled(auditor)
        assert code == 3
        assert "consents and their events: 1" in says
        exchange_entries(world)
        assert reconciled(auditor)[0] == 1
