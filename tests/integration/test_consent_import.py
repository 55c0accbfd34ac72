"""Yeses signed on paper: what is recorded, as one deed, and what one deed leaves behind."""

import csv
import io
from base64 import b64decode

import numpy as np
import pytest

from audit.actions import sequence
from audit.tlog.subjects import Step, climbed, subjects_root
from audit.tlog.tree import leaf_hash
from audit.vocabulary import EntryType
from common.errors import BadInput, NotPermitted
from consent.actions import consents, imports, objections, subjects
from consent.models import Consent, ConsentEvent
from consent.vocabulary import Channel, Ending, Happening, Signer
from governance.models import ScopeMove
from governance.queries.scopes import epochs
from governance.vocabulary import Narrowing
from release.management.demo.papers import COLUMNS, PaperPlan, Sharing, draw_papers
from release.queries import proofs
from tests.factories import consent as said
from tests.factories import governance as made
from tests.integration.consent_world import (
    build,
    days,
    entries_after,
    her_tag,
    last_entry,
    nothing_happens,
    stamp,
)

pytestmark = pytest.mark.django_db


def paper(world, number="A-17", **changes):
    """Her whole yes on paper, signed the day before yesterday; `changes` are cells."""
    today = world.now.date()
    return {
        "client_number": number,
        "recipient": world.recipient.name,
        "purpose": world.purpose.code,
        "categories": "about-me;help-i-got",
        "terms": "sharing/1",
        "language": "en",
        "channel": "paper",
        "signed_on": (today - days(2)).isoformat(),
        "ends_on": (today + days(30)).isoformat(),
        "record_until": "",
        "signature": "binder 4, sheet 11",
        "signer": "self",
        "authority": "",
        "answers": "yyyyyyy",
        "recorded_by": "",
        "starts_on": "",
        **changes,
    }


def lines(papers):
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(papers)
    return out.getvalue().splitlines(keepends=True)


def bring(world, *papers, **given):
    whole = {"holder": world.holder, "lines": lines(papers), **stamp(world.advocate), **given}
    return imports.consents(**whole)


def test_a_paper_comes_into_force_as_it_was_signed():
    world = build()
    today = world.now.date()
    cells = {
        "recipient": world.police.ref,  # by reference as well as by name
        "categories": " help-i-got ; help-i-got",
        "record_until": (today - days(100)).isoformat(),
        "starts_on": (today + days(1)).isoformat(),
        "recorded_by": world.steward.username,
    }
    done = bring(world, paper(world, " A-17 ", **cells))
    assert (done.recorded, done.superseded, done.rejected) == (1, 0, ())
    consent = Consent.objects.get()
    assert (consent.subject, consent.holder) == (world.hers, world.holder)
    assert (consent.recipient, consent.purpose) == (world.police, world.purpose)
    assert [item.version.category for item in consent.category_set.items.all()] == [
        world.categories[1]
    ]
    assert (consent.channel, consent.signer) == (Channel.PAPER, Signer.SELF)
    assert (consent.authority, consent.signature) == ("", "binder 4, sheet 11")
    assert consent.signed_at.isoformat() == f"{today - days(2)}T00:00:00+00:00"
    assert (consent.starts.date(), consent.ends.date()) == (today + days(1), today + days(30))
    assert consent.record_until == today - days(100)
    assert consent.recorded_by == world.steward
    assert consent.events.get().by == world.advocate


def test_what_is_left_empty_has_its_default():
    world = build()
    bring(world, paper(world))
    consent = Consent.objects.get()
    assert consent.starts == consent.signed_at
    assert consent.record_until == consent.signed_at.date()
    assert consent.recorded_by == world.advocate


def test_an_import_is_one_deed_with_one_entry_over_everybodys_tags():
    world = build()
    people = [world.hers, world.other, *(world.enrol(f"A-{n}") for n in range(30, 40))]
    numbers = ["A-17", "A-18", *(f"A-{n}" for n in range(30, 40))]
    last, before = last_entry(), epochs(world.recipient.pk)
    papers = [paper(world, number) for number in numbers]
    papers.append(paper(world, "A-17", recipient=world.police.name))
    done = bring(world, *papers)
    (entry,) = entries_after(last)
    assert (entry.type, entry.resource) == (EntryType.CONSENT_IMPORTED, done.ref)
    assert (entry.actor, entry.subjects_band) == (world.advocate.ref, "11-100")
    tags = [her_tag(person, entry) for person in people]
    assert bytes(entry.subjects_root) == subjects_root(tags)
    assert bytes(entry.subjects_root) != subjects_root(tags[1:])
    assert epochs(world.recipient.pk) == before
    assert not ScopeMove.objects.exists()
    assert done.recorded == 13
    events = ConsentEvent.objects.all()
    assert {(one.happening, one.entry_id) for one in events} == {(Happening.GIVEN, entry.pk)}
    assert {one.consent_id for one in events} == {one.pk for one in Consent.objects.all()}


def test_of_two_papers_of_one_person_the_newer_one_counts_wherever_it_stands():
    world = build()
    today = world.now.date()
    newer = paper(world, categories="about-me", signature="newer")
    older = paper(world, signed_on=(today - days(9)).isoformat(), signature="older")
    again = paper(world, categories="help-i-got", signature="same day, further down")
    done = bring(world, newer, again, older)
    assert (done.recorded, done.superseded) == (3, 2)
    running = Consent.objects.get(ended_at__isnull=True)
    assert running.signature == "same day, further down"
    ended = Consent.objects.filter(ending=Ending.SUPERSEDED)
    assert {one.signature for one in ended} == {"newer", "older"}
    for one in ended:
        assert [event.happening for event in one.events.order_by("pk")] == ["given", "superseded"]


def test_a_paper_that_replaces_a_running_yes_moves_its_recipients_epoch():
    world = build()
    older = world.give(signed_at=world.now - days(9))
    kept = world.give(purpose=world.other_purpose)
    others = world.give(subject=world.other, signed_at=world.now - days(9))
    before, aside = epochs(world.recipient.pk), epochs(world.police.pk)
    last = last_entry()
    done = bring(world, paper(world), paper(world, "A-18", recipient=world.police.name))
    assert (done.recorded, done.superseded) == (2, 1)
    older.refresh_from_db()
    assert older.ending == Ending.SUPERSEDED
    for one in (kept, others):
        one.refresh_from_db()
        assert one.ended_at is None
    after = epochs(world.recipient.pk)
    assert (after.everyone, after.scope) == (before.everyone, before.scope + 1)
    assert epochs(world.police.pk).scope >= aside.scope
    moves = ScopeMove.objects.filter(scope__recipient=world.recipient)
    assert [(one.act, one.slot) for one in moves] == [
        (Narrowing.CONSENT_SUPERSEDED, world.hers.slot)
    ]
    (entry,) = entries_after(last)
    assert older.ended_at == entry.time == moves[0].moved_at
    assert older.events.get(happening=Happening.SUPERSEDED).entry == entry
    assert entry.epoch_everyone == after.everyone


def test_the_same_file_again_leaves_one_yes_in_force():
    world = build()
    for _ in range(3):
        bring(world, paper(world), paper(world, "A-18"))
    assert Consent.objects.count() == 6
    assert Consent.objects.filter(ended_at__isnull=True).count() == 2


def test_row_numbers_mean_something_within_their_dataset_only():
    world = build()
    dataset, other = made.dataset(holder=world.holder), made.dataset(holder=world.holder)
    key = subjects.digest_key(world.holder)
    wanted = {
        place.pk: subjects.client_digest(key, "7", f"row:{place.ref}") for place in (dataset, other)
    }
    slots = subjects.enrol(holder=world.holder, digests=[*wanted.values()], **stamp(world.advocate))
    done = bring(world, paper(world, "7"), scope=f"row:{dataset.ref}")
    assert done.recorded == 1
    assert Consent.objects.get().subject_id == slots[wanted[dataset.pk]]
    with pytest.raises(BadInput):
        bring(world, paper(world, "7"))
    with pytest.raises(BadInput):
        bring(world, paper(world, "A-17"), scope=f"row:{dataset.ref}")


def test_the_whole_papers_of_the_demonstration_are_recorded():
    world = build()
    numbers = [f"N-{number}" for number in range(400)]
    key = subjects.digest_key(world.holder)
    digests = [subjects.client_digest(key, number) for number in numbers]
    subjects.enrol(holder=world.holder, digests=digests, **stamp(world.advocate))
    for code in sorted(
        {"who-i-am", "contact", "where", "where-it-happened", "what-happened", "how-it-happened"}
        | {"papers-and-status", "help-and-support", "case-steps"}
    ):
        made.category_version(category=made.category(code=code))
    for language in ("en", "es"):
        said.terms(code="sharing-yes", language=language, published_at=world.now - days(4000))
    plan = PaperPlan(
        Sharing(world.recipient.name, "study", 90), (Sharing(world.police.name, "housing", 90),)
    )
    papers, states = draw_papers(
        rng=np.random.default_rng(11),
        plan=plan,
        numbers=numbers,
        today=world.now.date(),
        certain=numbers[0],
        never=numbers[1],
    )
    done = bring(world, *papers)
    assert done.rejected == ()
    assert done.recorded == len(papers) == Consent.objects.count()
    replaced = sum(1 for state in states.values() if state == "replaced")
    assert done.superseded == replaced > 5
    assert Consent.objects.filter(ended_at__isnull=True).count() == len(states) == 240
    never = subjects.find(world.holder, [digests[1]])[digests[1]]
    assert not Consent.objects.filter(subject=never).exists()


# --- noes that come first, or in between ----------------------------------------------------------


@pytest.mark.parametrize("lifted", [False, True])
def test_a_paper_older_than_a_no_is_refused_even_where_the_no_was_taken_back(lifted):
    world = build()
    world.withdraw(world.give())
    objection = world.object(recipient=world.police)
    if lifted:
        objections.lift(objection=objection, **stamp(world.her))
    papers = [paper(world), paper(world, recipient=world.police.name)]
    fine = paper(world, "A-18")
    done = bring(world, *papers, fine, most_bad=1.0)
    assert [(bad.line, bad.column, bad.code) for bad in done.rejected] == [
        (2, "signed_on", "older_than_no"),
        (3, "signed_on", "older_than_no"),
    ]
    assert done.recorded == 1


def test_a_paper_younger_than_the_no_is_recorded():
    world = build()
    stopped = world.withdraw(world.give())
    tomorrow = (stopped.ended_at + days(1)).date()
    at = stopped.ended_at + days(2)
    done = bring(world, paper(world, signed_on=tomorrow.isoformat()), at=at)
    assert done.recorded == 1


MEANWHILE = {
    "she stopped": lambda w, running: w.withdraw(running),
    "she paused": lambda w, running: consents.pause(consent=running, **stamp(w.her)),
    "she objected": lambda w, running: w.object(),
    "somebody recorded a yes of hers": lambda w, running: w.give(purpose=w.other_purpose),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", MEANWHILE)
def test_what_she_says_while_her_papers_are_read_is_not_overtaken_by_them(what, monkeypatch):
    world = build()
    running = world.give(signed_at=world.now - days(9))
    papers = [paper(world), paper(world, purpose="housing")]
    judged = imports.judged

    def slowly(*args, **given):
        found = judged(*args, **given)
        MEANWHILE[what](world, running)
        return found

    monkeypatch.setattr(imports, "judged", slowly)
    with pytest.raises(BadInput) as refusal:
        bring(world, *papers)
    assert refusal.value.code == "changed_meanwhile"
    assert not Consent.objects.filter(channel=Channel.PAPER).exists()


@pytest.mark.parametrize("who", ["steward", "lake_advocate", "recipient_staff", "her"])
def test_only_the_holders_advocate_imports(who):
    world = build()
    with nothing_happens(world), pytest.raises(NotPermitted):
        bring(world, paper(world), **stamp(getattr(world, who)))


def test_of_an_import_of_many_each_has_her_own_way_in_its_one_entry():
    world = build()
    before = last_entry()
    bring(world, paper(world), paper(world, number="A-18"))
    (entry,) = entries_after(before)
    while sequence():
        pass
    for subject in (world.hers, world.other):
        copy = proofs.copy(subject.account)
        (event,) = [each for each in copy.shown if each.entry == entry.pk]
        blocks = "".join(proofs.text(copy)).split("\n\n")
        (hers,) = [each for each in blocks if each.startswith(f"index {copy.place(event)}\n")]
        tag, step = (line.split() for line in hers.splitlines()[-2:])
        assert b64decode(tag[1]) == her_tag(subject, entry)
        way = [Step(step[0] == "left", b64decode(step[1]))]
        assert climbed(leaf_hash(b64decode(tag[1])), way) == bytes(entry.subjects_root)
