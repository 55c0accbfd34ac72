"""What a person says is wrong, or is not to be shared for now: who may say it, who decides, what is
told of it, what a restore does to it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType
from common.errors import NotPermitted, RuleBroken
from consent.actions import blocks, contests, liftings, objections
from consent.actions.replaying import replay
from consent.models import Contest, Objection
from consent.queries import contests as queries
from consent.queries import objections as noes
from consent.queries.words import contest as words_of
from consent.vocabulary import Contested, Decided
from governance.models import KeptNo, User
from governance.storage import unpacked
from governance.vocabulary import Role
from oversight.queries import contested
from oversight.vocabulary import Finding
from release.queries import accounting
from tests.append_only import triggers_lifted, unguarded
from tests.worlds import World, _worker, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)
HER = "c-1"
WRONG, NOT_NOW = Contested.CORRECTION, Contested.RESTRICTION


@pytest.fixture
def world() -> World:
    cache.clear()
    return small_world(2, each=1)


def said(world: World, kind: Contested = WRONG, **changes: Any) -> Contest:
    given = {"subject": world.subject(HER), "category": world.categories[1], "kind": kind}
    return contests.ask(**{**given, **hand(world.home.advocate), **changes})


def decided(world: World, contest: Contest, decision: Decided, by: User | None = None) -> Contest:
    steward = by or world.home.steward
    return contests.decide(contest=contest, decision=decision, **hand(steward))


def told(world: World) -> list[str]:
    return [each.word for each in accounting.uses_of(world.subject(HER)) if each.word]


def code(deed: Any) -> str:
    with pytest.raises(RuleBroken) as refused:
        deed()
    return refused.value.code


def test_any_advocate_she_does_not_keep_away_may_write_it_down_and_nobody_else(world):
    colleague = _worker("river-heron-5", world.home.organisation, Role.ADVOCATE, world.home.warden)
    away = _worker("river-stone-6", world.home.organisation, Role.ADVOCATE, world.home.warden)
    blocks.block(subject=world.subject(HER), worker=away, **hand(world.home.advocate))
    about = {
        "holder": world.home.organisation,
        "number": HER,
        "category": world.categories[1],
        "kind": WRONG,
    }
    for nobody in (world.home.steward, world.requester, world.home.warden):
        with pytest.raises(NotPermitted):
            contests.ask_by_number(**about, **hand(nobody))
        with pytest.raises(NotPermitted):
            said(world, by=nobody)
    with pytest.raises(NotPermitted):
        said(world, by=away)
    kept_away = code(lambda: contests.ask_by_number(**about, **hand(away)))
    assert kept_away == code(
        lambda: contests.ask_by_number(**{**about, "number": "c-99"}, **hand(colleague))
    )
    contests.ask_by_number(**about, **hand(colleague))
    assert code(lambda: said(world)) == "contested_already"
    assert said(world, kind=NOT_NOW).kind == NOT_NOW


def test_only_a_steward_of_the_holder_decides_once_and_only_what_was_asked(world):
    contest = said(world)
    for nobody in (world.home.advocate, world.requester, world.home.warden):
        with pytest.raises(NotPermitted):
            decided(world, contest, Decided.CORRECTED, by=nobody)
    assert code(lambda: decided(world, contest, Decided.KEPT)) == "decision_other"
    assert Contest.objects.get().decision == ""
    decided(world, contest, Decided.CORRECTED)
    assert code(lambda: decided(world, contest, Decided.UNCHANGED)) == "decided_already"
    assert said(world).ref != contest.ref  # she may say it again


def test_what_holds_it_back_is_no_no_of_hers_to_take_back(world):
    contest = said(world)
    subject = world.subject(HER)
    assert noes.of_subject(subject) == []
    for deed in (liftings.ask, objections.lift):
        with pytest.raises((RuleBroken, NotPermitted)):
            deed(objection=contest.objection, **hand(world.home.advocate))
    assert Objection.objects.filter(lifted_at__isnull=True).count() == 1
    own = world.object(HER, category=world.categories[1])  # her own, in the same words, beside it
    assert [each.objection for each in noes.of_subject(subject)] == [own]
    decided(world, contest, Decided.CORRECTED)
    assert [each.objection for each in noes.of_subject(subject)] == [own]
    assert HER not in world.received(world.prepare())


def test_what_stays_unshared_is_a_no_of_hers_from_then_on(world):
    contest = said(world, kind=NOT_NOW)
    decided(world, contest, Decided.KEPT)
    (no,) = noes.of_subject(world.subject(HER))
    assert no.objection == contest.objection
    assert HER not in world.received(world.prepare())
    world.lift(contest.objection)
    assert HER in world.received(world.prepare())
    assert told(world)[0] == "objection:lifted"


def test_where_her_own_no_stands_already_none_is_left_beside_it(world):
    own = world.object(HER, category=world.categories[1])
    contest = said(world, kind=NOT_NOW)
    decided(world, contest, Decided.KEPT)
    assert [each.objection for each in noes.of_subject(world.subject(HER))] == [own]
    contest.objection.refresh_from_db()
    assert contest.objection.lifted_at is not None


def test_her_list_tells_it_in_its_own_words_and_never_as_a_no_she_took_back(world):
    contest = said(world)
    assert told(world)[0] == "correction:asked"
    assert "objection:made" not in told(world)
    decided(world, contest, Decided.UNCHANGED)
    assert told(world)[:2] == ["correction:decided", "correction:asked"]
    assert "objection:lifted" not in told(world)
    (event,) = [e for e in accounting.uses_of(world.subject(HER)) if e.word == "correction:asked"]
    assert event.categories == (world.categories[1],)


def test_a_steward_sees_which_kind_and_until_when_and_it_goes_once_decided(world):
    contest = said(world)
    holders = [world.home.organisation]
    (found,) = queries.waiting(holders, timezone.now())
    assert (found.contest, found.overdue) == (contest, False)
    assert found.answer_by == contest.asked_at + timedelta(days=30)
    (late,) = queries.waiting(holders, found.answer_by)
    assert late.overdue
    assert queries.waiting([world.recipient], found.answer_by) == []
    decided(world, contest, Decided.CORRECTED)
    assert queries.waiting(holders, found.answer_by) == []


def findings() -> list[Finding]:
    return [
        each
        for check in (contested.contests, contested.entries_of_contests)
        for each in check(lambda _count: None)
    ]


def test_each_step_has_an_entry_that_commits_to_what_was_said_and_to_no_more(world):
    contest = decided(world, said(world), Decided.CORRECTED)
    assert contest.entry.type == EntryType.CORRECTION_ASKED
    assert contest.decided_entry.type == EntryType.CORRECTION_DECIDED
    assert contest.entry.detail_commit
    assert words_of(contest).keys() == {"person", "contested", "category", "asked", "decided"}
    assert findings() == []


def test_whatever_is_made_to_say_something_else_past_the_guards_is_named(world):
    contest = decided(world, said(world), Decided.CORRECTED)
    rows = Contest.objects.filter(pk=contest.pk)
    harms: list[dict[str, Any]] = [
        {"category": world.categories[0]},
        {"subject": world.subject("c-2")},
        {"kind": NOT_NOW, "decision": Decided.ENDED},
        {"decision": Decided.UNCHANGED},
        {"asked_at": contest.asked_at - timedelta(days=1)},
        {"decision": "", "decided_at": None, "decided_by": None, "decided_entry": None},
    ]
    for harm in harms:
        with unguarded():
            rows.update(**harm)
            assert findings(), harm
    with unguarded():
        rows.delete()
        assert len(findings()) == 2
    assert findings() == []


def forgotten(contest: Contest) -> None:
    """As in a copy from before she said it."""
    with triggers_lifted():
        Contest.objects.filter(pk=contest.pk).delete()
        Objection.objects.filter(pk=contest.objection_id).delete()
        KeptNo.objects.all().delete()


def test_after_a_restore_it_is_held_back_again_until_a_steward_decides_once_more(world):
    contest = said(world)
    kept = json.loads(unpacked(bytes(KeptNo.objects.order_by("-pk")[0].facts)))
    assert [each["what"] for each in kept["told"]] == ["contested"]
    forgotten(contest)
    assert replay(**hand(world.chair)).said == 1
    again = Contest.objects.get()
    assert (again.ref, again.kind, again.category) == (contest.ref, WRONG, contest.category)
    assert again.asked_at == contest.asked_at  # the thirty days run from when she said it
    assert noes.of_subject(world.subject(HER)) == []
    assert list(contested.contests(lambda _count: None)) == []
    assert HER not in world.received(world.prepare())
    decided(world, again, Decided.CORRECTED)
    assert HER in world.received(world.prepare())
    assert replay(**hand(world.chair)).said == 0


def test_a_kind_of_information_that_is_not_known_after_a_restore_makes_it_a_no_to_all(world):
    contest = said(world)
    forgotten(contest)
    with triggers_lifted():
        type(contest.category).objects.filter(pk=contest.category.pk).update(code="another")
    replay(**hand(world.chair))
    (no,) = noes.of_subject(world.subject(HER))
    assert no.objection.category is None
    assert not Contest.objects.exists()


def test_the_entries_name_nobody(world):
    contest = said(world)
    for entry in Entry.objects.filter(pk__gte=contest.entry_id - 1):
        assert HER not in str(bytes(entry.leaf) if entry.leaf else "")
        assert contest.category.code not in str(bytes(entry.leaf) if entry.leaf else "")
