"""A holder asks about one of its clients: what it is told, and what the log says of it."""

from collections.abc import Iterator
from hashlib import sha256

import pytest
from django.db import DatabaseError
from django.utils import timezone

from audit import queries as log
from audit.actions import entries, sequence
from audit.models import Entry
from audit.rules import tag
from audit.tlog.canonical import canonical_bytes, parse_canonical
from audit.tlog.subjects import subjects_root
from audit.vocabulary import Decision, EntryType, Via
from common.errors import BadInput, NotPermitted, NotReady
from consent.queries import keys
from governance.actions import agreements, memberships, people, purposes
from governance.models import Membership, User
from governance.queries import scopes
from governance.vocabulary import Role, UserKind
from release.actions import gate
from release.models import Inquiry, Release
from release.queries import person
from release.rules.decide import Refusal
from release.rules.inquiries import commitment, told_to_holder
from release.rules.person import Opening
from release.vocabulary import Ground
from tests.worlds import World, hand, lasting_world

SAID_YES = ["c-1", "c-4", "c-5", "c-6", "c-7", "c-8"]
COLUMNS = ["age_band", "region", "visits"]


@pytest.fixture(scope="module")
def transactional_db(django_db_setup, django_db_blocker) -> Iterator[World]:
    """One world for the whole module; each test has clients of its own."""
    with django_db_blocker.unblock(), lasting_world(12, each=1, yes=SAID_YES) as found:
        yield found


@pytest.fixture
def world(transactional_db):
    return transactional_db


def ask(world: World, number: str = "c-1", by: User | None = None) -> Inquiry:
    return world.inquire(number, by)


def said(inquiry: Inquiry) -> dict[str, str | int | None]:
    """What its entry commits to."""
    return commitment(
        ref=inquiry.ref,
        request=inquiry.request.ref,
        columns=inquiry.columns,
        record_until=inquiry.record_until,
        grounds=told_to_holder(inquiry.grounds),
    )


def entries_of(inquiry: Inquiry) -> list[Entry]:
    return list(Entry.objects.filter(type=EntryType.INQUIRY_ANSWERED, resource=inquiry.ref))


def test_a_yes_is_told_with_its_columns_and_written_down(world):
    world.yes("c-2", categories=world.categories[:1])
    before = timezone.now()
    whole, part = ask(world), ask(world, "c-2")
    assert (whole.permitted, part.permitted) == (True, True)
    assert [name for names in whole.columns.values() for name in names] == COLUMNS
    assert part.columns == {world.categories[0].code: ["age_band"]}
    assert whole.record_until == world.consent("c-1").record_until
    assert before <= whole.at <= timezone.now()
    assert (whole.grounds, told_to_holder(whole.grounds)) == ("", ())
    assert not Release.objects.exists()


HERS = {
    "c-4": (lambda world: world.no("c-4"), Ground.WITHDRAWN),
    "c-5": (lambda world: world.pause("c-5"), Ground.PAUSED),
    "c-6": (lambda world: world.object("c-6"), Ground.OBJECTED),
    "c-7": (
        lambda world: [world.object("c-7", category=each) for each in world.categories],
        Ground.OTHER_CATEGORIES,
    ),
}


@pytest.mark.parametrize("number", HERS)
def test_every_no_of_hers_is_in_the_very_next_answer_and_is_not_told_from_another(world, number):
    assert ask(world, number).permitted
    no, ground = HERS[number]
    no(world)
    refused = ask(world, number)
    assert (refused.permitted, refused.columns, refused.record_until) == (False, {}, None)
    assert refused.grounds == ground
    assert told_to_holder(refused.grounds) == ("no_yes",)
    assert refused.entry.reason == "no_yes"


def test_the_holder_is_told_the_same_of_whoever_is_unknown_and_of_whoever_said_no(world):
    world.no("c-8")
    answers = [ask(world, number) for number in ("c-8", "c-3", "never heard of")]
    told = [{**said(each), "ref": "", "reason": each.entry.reason} for each in answers]
    assert told[0] == told[1] == told[2]
    assert [each.grounds for each in answers] == ["withdrawn", "no_consent", "nobody"]
    assert [each.subject_id is None for each in answers] == [False, False, True]


def test_every_ground_of_the_whole_is_told(world):
    agreements.suspend(agreement=world.home.agreement, **hand(world.home.warden))
    purposes.pause_purpose(purpose=world.purpose, **hand(world.member))
    refused = ask(world)
    agreements.resume(agreement=world.home.agreement, **hand(world.home.warden))
    purposes.resume_purpose(purpose=world.purpose, **hand(world.chair))
    assert told_to_holder(refused.grounds) == (
        "purpose_not_active",
        "agreement_suspended",
    )
    assert refused.entry.reason == "purpose_not_active"
    assert ask(world).permitted


def test_it_is_enough_that_somebody_of_the_recipient_may_ask(world):
    at = {"at": timezone.now(), "by": world.recipient_admin, "via": Via.DESK}
    memberships.grant(
        user=world.recipient_admin, organisation=world.recipient, role=Role.REQUESTER, **at
    )
    memberships.end(membership=Membership.objects.get(user=world.requester), **at)
    assert ask(world).permitted
    memberships.end(
        membership=Membership.objects.get(user=world.recipient_admin, role=Role.REQUESTER), **at
    )
    assert ask(world).grounds == Ground.NO_MEMBER
    memberships.grant(user=world.requester, organisation=world.recipient, role=Role.REQUESTER, **at)
    assert ask(world).permitted


@pytest.mark.parametrize("number", ["c-1", "c-3"])
def test_each_answer_has_one_entry_that_says_it_and_names_nobody(world, number):
    epochs = scopes.epochs(world.recipient.pk)
    inquiry = ask(world, number)
    (entry,) = entries_of(inquiry)
    leaf = parse_canonical(bytes(entry.leaf))
    permitted = number == "c-1"
    assert leaf == leaf | {
        "type": "inquiry:answered",
        "actor": world.home.steward.ref,
        "via": "api",
        "purpose": world.purpose.code,
        "resource": inquiry.ref,
        "decision": str(Decision.PERMITTED if permitted else Decision.REFUSED),
        "reason": "" if permitted else "no_yes",
        "epoch_everyone": epochs.everyone,
        "epoch_scope": epochs.scope,
        "subjects_band": "1",
    }
    subject = world.subject(number)
    (key,) = keys.unwrap(subject.holder.ref, [bytes(subject.wrapped_key)])
    hers = tag(key, bytes(entry.nonce))
    assert bytes(entry.subjects_root or b"") == subjects_root([hers])
    committed = sha256(canonical_bytes(said(inquiry)))
    assert leaf["detail_commit"] == committed.hexdigest()
    assert number not in bytes(entry.leaf).decode()
    assert not log.covered(entry)  # it does not wait for the checkpoint
    sequence()
    assert log.covered(entry)


def test_an_unknown_number_leaves_an_entry_without_a_tag(world):
    inquiry = ask(world, "c-99")
    (entry,) = entries_of(inquiry)
    assert (entry.subjects_root, entry.subjects_band) == (None, "0")
    assert (entry.decision, entry.reason) == (Decision.REFUSED, "no_yes")


def test_the_epochs_say_which_came_first(world):
    before = ask(world, "c-9").entry
    world.yes("c-9")
    world.no("c-9")
    between = ask(world, "c-9").entry
    world.object("c-9")
    after = ask(world, "c-9").entry
    assert before.epoch_scope < between.epoch_scope == after.epoch_scope
    assert before.epoch_everyone == between.epoch_everyone < after.epoch_everyone


OTHERS = {
    "the requester": lambda world: world.requester,
    "the holder's advocate": lambda world: world.home.advocate,
    "the holder's administrator": lambda world: world.home.warden,
    "a member of the board": lambda world: world.member,
}


@pytest.mark.parametrize("who", OTHERS)
def test_only_the_holders_stewards_are_answered(world, who):
    before = Inquiry.objects.count()
    with pytest.raises(NotPermitted):
        ask(world, by=OTHERS[who](world))
    assert Inquiry.objects.count() == before
    entry = Entry.objects.order_by("pk").last()
    assert entry.type == EntryType.INQUIRY_ANSWERED
    assert (entry.decision, entry.reason) == (Decision.REFUSED, "may_not_steward")
    assert entry.resource == world.home.request.ref


def test_who_was_let_go_since_signing_in_is_not_answered(world):
    own = hand(world.home.warden)
    steward = people.create_user(username="river-elm-8", kind=UserKind.MACHINE, **own)
    memberships.grant(user=steward, organisation=world.home.organisation, role=Role.STEWARD, **own)
    assert ask(world, by=steward).permitted
    User.objects.filter(pk=steward.pk).update(is_active=False)
    assert steward.is_active  # as it was read before
    with pytest.raises(NotPermitted):
        ask(world, by=steward)


def test_nothing_is_answered_while_the_gate_is_shut(world, monkeypatch):
    before = Entry.objects.count()
    shut = NotReady("restored", "shut")
    monkeypatch.setattr(gate.noes, "_against", lambda _found: shut)
    with pytest.raises(NotReady, match="Nothing leaves at present"):
        ask(world)
    assert Entry.objects.count() == before


def test_nothing_is_answered_while_the_log_takes_nothing(world, monkeypatch):
    before = Inquiry.objects.count()

    def broken(*_: object) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(entries.ENTRY, "inserting", broken)
    with pytest.raises(NotReady) as raised:
        ask(world)
    assert raised.value.code == "log_unavailable"
    assert Inquiry.objects.count() == before


@pytest.mark.parametrize("number", ["", "   ", "x" * 201, "a\x00b", 7])
def test_what_is_no_client_number_is_refused_in_words(world, number):
    before = Entry.objects.count()
    with pytest.raises(BadInput):
        ask(world, number)
    assert Entry.objects.count() == before


def test_a_number_is_read_as_it_is_when_a_file_is_loaded(world):
    assert ask(world, "  c-1 ").permitted


def test_an_answer_is_what_the_rule_says_of_her(world):
    world.yes("c-10", categories=world.categories[:1])
    world.yes("c-11")
    world.pause("c-11")
    world.object("c-12")
    for number in ("c-1", "c-10", "c-11", "c-12"):
        inquiry = ask(world, number)
        hers = person.answer(
            request=world.home.request,
            slot=world.subject(number).slot,
            by=world.requester,
            since=inquiry.at,
        )
        match hers:
            case Opening():
                names = tuple(name for names in inquiry.columns.values() for name in names)
                assert (names, inquiry.record_until) == (hers.columns, hers.record_until)
            case Refusal():
                assert inquiry.grounds == ",".join(hers.grounds)


def test_what_the_catalogue_means_is_not_worked_out_again(world, django_assert_max_num_queries):
    ask(world)
    with django_assert_max_num_queries(12):
        ask(world)
