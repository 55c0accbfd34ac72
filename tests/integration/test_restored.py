"""A database that has forgotten noes lets nothing leave until each has been said again."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from audit import queries as log
from audit.actions import sequence
from audit.models import Entry
from common.errors import BadInput, NotPermitted, NotReady, RuleBroken, Void
from consent.actions import found_again, replaying, stops
from consent.actions.replaying import replay
from consent.actions.subjects import client_digest, digest_key
from consent.models import Consent, Objection, Subject, SubjectKey
from consent.queries import facts, latest
from governance.actions import filing, scopes
from governance.models import KeptNo, ScopeMove
from governance.queries import noes
from governance.storage import noes_file, unpacked
from governance.vocabulary import Narrowing
from release.queries import readiness
from release.tasks import tick
from release.vocabulary import ReleaseState
from tests.append_only import triggers_lifted
from tests.integration.test_gate_noes import HER, NOES
from tests.lengths import thirds
from tests.sheets import numbers
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return small_world(4, each=1)


def code(deed: Callable[[], object]) -> str:
    with pytest.raises(NotReady) as refusal:
        deed()
    return refusal.value.code


def forget(*marks: bytes) -> None:
    """The database forgets that these noes were said; what they did is undone by the caller."""
    with triggers_lifted():
        found = KeptNo.objects.filter(mark__in=marks) if marks else KeptNo.objects.all()
        found.delete()


def back_to_yes(number: str, world: World) -> None:
    """The database as an older copy has it: her yes runs, her no was never said."""
    subject = world.subject(number)
    with triggers_lifted():
        newest = Consent.objects.filter(subject=subject).order_by("-pk").first()
        Consent.objects.filter(pk=newest.pk).update(
            ended_at=None, ending=None, paused_at=None, paused_until=None
        )
        newest.events.exclude(happening="given").delete()
        Objection.objects.filter(subject=subject).delete()
    forget()


def test_every_no_stands_in_the_file_before_it_is_acknowledged(world):
    began = len(noes.view().marks)
    world.no("c-1")
    assert len(noes.view().marks) == began + 1
    kept = KeptNo.objects.order_by("-pk")[0]
    assert bytes(kept.mark) in noes.view().marks
    assert b"ended" in unpacked(bytes(kept.facts))
    assert filing.file_waiting() == began + 1
    assert not KeptNo.objects.filter(filed_in="").exists()
    assert filing.file_waiting() == 0


@pytest.mark.parametrize("act", thirds(NOES), ids=str)
def test_every_kind_of_no_tells_what_it_is_about(act):
    world = small_world(2, each=1)
    NOES[act].first(world)
    NOES[act].say(world)
    kept = KeptNo.objects.order_by("-pk")[0]
    assert kept.act == act
    assert replaying._repeatable(json.loads(unpacked(bytes(kept.facts))))


def test_a_database_that_forgot_a_no_prepares_nothing_and_hands_over_nothing(world):
    release, waiting = world.prepare(), world.ask()
    world.no(HER)
    back_to_yes(HER, world)
    assert code(lambda: world.hand_over(release)) == "restored"
    assert code(lambda: world.run(waiting)) == "restored"
    assert readiness.shut().code == "restored"
    tick(timezone.now())
    waiting.refresh_from_db()
    assert waiting.state == ReleaseState.WAITING
    said = replay(**hand(world.chair))
    assert said.said >= 1
    assert not said.by_hand
    assert readiness.shut() is None
    assert readiness.without_keys() == []
    with pytest.raises(Void):
        world.fetch(release)
    assert HER not in world.received(world.run(waiting))
    again = replay(**hand(world.chair))
    assert (again.said, again.nothing) == (0, 0)


def test_a_no_said_between_the_restore_and_the_replay_hides_nothing(world):
    release = world.prepare()
    world.no("c-1")
    back_to_yes("c-1", world)
    for number in ("c-2", "c-3"):  # epochs climb past those of the forgotten no
        world.no(number)
        world.yes(number)
        assert code(lambda: world.hand_over(release)) == "restored"
    world.no("c-2")
    replay(**hand(world.chair))
    assert world.received(world.prepare()) == {"c-3", "c-4"}


def test_a_yes_signed_after_a_no_stands_though_the_no_is_said_again_later(world):
    world.no("c-1")
    back_to_yes("c-1", world)
    world.no("c-1")  # she comes again after the restore and decides anew
    world.yes("c-1")
    replay(**hand(world.chair))
    assert "c-1" in world.received(world.prepare())


def test_a_paper_signed_before_a_forgotten_no_stays_refused(world):
    subject = world.subject(HER)
    before = timezone.now()
    world.no(HER)
    back_to_yes(HER, world)
    after = timezone.now()
    replay(**hand(world.chair))
    (said,) = latest.noes(
        slots=[subject.slot], recipient=world.recipient, purpose=world.purpose
    ).values()
    assert before <= said <= after


def test_whoever_was_enrolled_after_the_copy_is_known_again_with_her_no(world):
    world.no(HER)
    subject = world.subject(HER)
    number = client_digest(digest_key(world.home.organisation), HER)
    with triggers_lifted(), connection.cursor() as cursor:
        for table, column in (
            ("consent_consentevent", None),
            ("consent_objection", "subject_id"),
            ("consent_assignment", "subject_id"),
            ("consent_consent", "subject_id"),
            ("consent_subjectkey", "subject_id"),
            ("consent_subject", "slot"),
        ):
            where = f"{column} = {subject.slot}" if column else "1 = 1"
            cursor.execute(f"DELETE FROM {table} WHERE {where}")  # noqa: S608 - our own tables
    forget()
    replay(**hand(world.chair))
    known = SubjectKey.objects.get(digest=number).subject
    assert Subject.objects.filter(pk=known.pk).exists()
    assert known.pk in latest.noes(
        slots=[known.pk], recipient=world.recipient, purpose=world.purpose
    )


def test_a_slot_that_is_somebody_elses_now_is_not_taken_for_hers(world):
    world.no(HER)
    told = {"holder": world.home.organisation.ref, "slot": world.subject("c-2").slot}
    person = {**told, "enrolled": 5, "digests": []}
    given = hand(world.chair)
    assert found_again.subject({"person": person}, (), **given) is None


def test_an_objection_to_an_organisation_that_is_not_known_here_grows(world):
    subject = world.subject(HER)
    with scopes.narrowing(act=Narrowing.OBJECTION_MADE, everyone=True, slots=[subject.slot]) as no:
        no.tell(
            what="objection",
            once=False,
            ref="obj-2222222222222",
            person=facts.person(subject),
            recipient="org-unknown",
            recipient_kind="research",
            kind="",
            purpose="unknown",
            category="unknown",
        )
    forget()
    replay(**hand(world.chair))
    made = Objection.objects.get(ref="obj-2222222222222")
    assert (made.recipient, made.recipient_kind) == (None, "research")
    assert (made.purpose, made.category) == (None, None)
    assert HER not in world.received(world.prepare())


def test_a_no_that_tells_nothing_is_for_somebody_to_see_to(world):
    release = world.prepare()
    with scopes.narrowing(act=Narrowing.DATASET_PAUSED, everyone=True):
        pass
    mark = bytes(KeptNo.objects.order_by("-pk")[0].mark)
    forget(mark)
    found = replay(**hand(world.chair))
    assert [each.mark for each in found.by_hand] == [mark.hex()]
    assert code(lambda: world.hand_over(release)) == "restored"
    out = StringIO()
    call_command("replay_noes", "--by", "north-hazel-7", stdout=out)
    assert f"--settled {mark.hex()}" in out.getvalue()
    assert "The gate is shut" in out.getvalue()
    call_command("replay_noes", "--by", "north-hazel-7", "--settled", mark.hex(), stdout=out)
    assert out.getvalue().rstrip().endswith("The gate is open.")
    assert Entry.objects.filter(resource=f"no/{mark.hex()}", reason="settled").exists()


def test_only_who_convenes_says_noes_again(world):
    for nobody in (world.requester, world.home.warden):
        with pytest.raises(NotPermitted):
            replay(**hand(nobody))


@pytest.fixture
def unwritable(settings, tmp_path) -> Iterator[Path]:
    """The folder of the file cannot be written; given back as it was at the end."""
    kept, blocked = settings.SAYSO_NOES, tmp_path / "a file"
    blocked.write_text("where the folder should be")
    settings.SAYSO_NOES = blocked
    noes._views.clear()
    yield kept
    settings.SAYSO_NOES = kept


def test_where_the_file_cannot_be_written_a_no_counts_and_nothing_leaves(
    world, unwritable, settings, caplog
):
    consent = world.no(HER)
    assert consent.ended_at is not None
    assert not KeptNo.objects.order_by("-pk")[0].filed_in
    assert code(lambda: world.run(world.ask())) in {"noes_unwritable", "noes_unreadable"}
    assert "a no waits for its file" in caplog.text
    settings.SAYSO_NOES = unwritable
    noes._views.clear()
    assert world.received(world.prepare()) == set(numbers(4)) - {HER}  # the gate filed it itself
    assert bytes(KeptNo.objects.order_by("-pk")[0].mark) in noes.view().marks


def test_whatever_goes_wrong_with_the_file_a_no_that_was_said_is_answered(world, monkeypatch):
    def broken(*_: object) -> str:
        raise RuntimeError("of no kind that was thought of")

    with monkeypatch.context() as patch:
        patch.setattr(type(noes_file()), "append", broken)
        assert world.no(HER).ended_at is not None
    assert world.received(world.prepare()) == set(numbers(4)) - {HER}


def test_a_lost_file_keeps_the_gate_shut_until_the_log_reaches_what_was_kept_outside(world):
    release = world.prepare()
    world.no(HER)
    filing.file_waiting()
    sequence()
    outside = log.latest_checkpoint().note
    count = KeptNo.objects.count()
    noes_file().path.unlink()
    assert code(lambda: world.hand_over(release)) == "noes_missing"
    world.no("c-2")  # counts, and does not open the gate by beginning a file
    assert code(lambda: world.hand_over(release)) == "noes_missing"
    given = hand(world.chair)
    with pytest.raises(BadInput):
        filing.begin_anew(checkpoint="no checkpoint\n", **given)
    with pytest.raises(NotPermitted):
        filing.begin_anew(checkpoint=outside, **hand(world.requester))
    assert filing.begin_anew(checkpoint=outside, **given) == count + 1
    assert world.received(world.prepare()) == {"c-3", "c-4"}


def test_a_log_that_does_not_reach_the_outside_checkpoint_begins_no_new_file(
    world, monkeypatch, tmp_path
):
    sequence()
    note = tmp_path / "checkpoint"
    note.write_text(log.latest_checkpoint().note)
    size = log.log_size()
    monkeypatch.setattr(log, "log_size", lambda: size - 1)  # as after a restore
    with pytest.raises(RuleBroken) as refusal:
        filing.begin_anew(checkpoint=note.read_text(), **hand(world.chair))
    assert refusal.value.code == "checkpoint_ahead"
    monkeypatch.undo()
    monkeypatch.setattr(log, "root_at", lambda _: b"x" * 32)
    with pytest.raises(RuleBroken) as refusal:
        filing.begin_anew(checkpoint=note.read_text(), **hand(world.chair))
    assert refusal.value.code == "checkpoint_other"
    monkeypatch.undo()
    out = StringIO()
    command = ["replay_noes", "--by", "north-hazel-7"]
    call_command(*command, "--anew", "--checkpoint", str(note), stdout=out)
    assert "The gate is open" in out.getvalue()
    for wrong in (["--anew"], ["--checkpoint", str(note)], ["--anew", "--checkpoint", "/nowhere"]):
        with pytest.raises(CommandError):
            call_command(*command, *wrong, stdout=out)


def test_a_file_that_is_none_any_more_is_put_aside_for_a_new_one(world):
    release = world.prepare()
    sequence()
    path = noes_file().path
    path.write_bytes(b"something else entirely, as long as a first line is\n")
    assert code(lambda: world.hand_over(release)) == "noes_unreadable"
    assert world.no(HER).ended_at is not None  # counts, though it cannot be filed
    sequence()
    before = {*path.parent.glob("*.aside")}
    filing.begin_anew(checkpoint=log.latest_checkpoint().note, **hand(world.chair))
    (aside,) = {*path.parent.glob("*.aside")} - before
    assert aside.read_bytes().startswith(b"something else")
    with pytest.raises(Void):
        world.fetch(release)


def test_a_damaged_line_and_a_cut_off_file_keep_the_gate_shut(world):
    release = world.prepare()
    world.no("c-1")
    world.no("c-2")
    filing.file_waiting()
    path = noes_file().path
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:-2], b"no damaged\n", lines[-1]]))
    noes._views.clear()
    assert code(lambda: world.hand_over(release)) == "noes_damaged"
    path.write_bytes(b"".join(lines[:-1]))
    assert code(lambda: world.hand_over(release)) == "noes_missing"
    path.write_bytes(whole)
    with pytest.raises(Void):
        world.fetch(release)


def test_a_holder_without_its_key_waits_and_says_why_and_others_go_on(world, settings):
    clinic = world.another("Clinic", numbers(2), each=1)
    for number in numbers(2):
        world.yes(number, at=clinic)
    settings.DEMO = False
    path = settings.SAYSO_KEYS / f"{world.home.organisation.ref}.kek"
    away = path.rename(path.with_suffix(".away"))
    assert [(each.code, each.holder) for each in readiness.without_keys()] == [
        ("key_missing", world.home.organisation.ref)
    ]
    assert readiness.shut() is None
    assert code(lambda: world.run(world.ask())) == "key_missing"
    assert world.received(world.prepare(clinic)) == set(numbers(2))
    away.rename(path)
    assert readiness.shut() is None
    assert readiness.without_keys() == []


def test_the_stages_of_a_no_that_is_paused_superseded_or_said_aloud_are_said_again(world):
    world.pause("c-1", until=timezone.now() + timedelta(days=3))
    world.yes("c-2", categories=world.categories[:1])
    stops.record(holder=world.home.organisation, number="c-3", **hand(world.home.advocate))
    world.object("c-4", category=world.categories[1])
    for number in ("c-1", "c-2", "c-3", "c-4"):
        subject = world.subject(number)
        with triggers_lifted():
            first = Consent.objects.filter(subject=subject).order_by("pk")[0]
            first.events.exclude(happening="given").delete()
            for later in Consent.objects.filter(subject=subject).exclude(pk=first.pk):
                later.events.all().delete()
                later.delete()
            Consent.objects.filter(pk=first.pk).update(
                ended_at=None, ending=None, paused_at=None, paused_until=None
            )
            Objection.objects.filter(subject=subject).delete()
    forget()
    done = replay(**hand(world.chair))
    assert done.said >= 4
    package = world.open_package(world.fetch(world.prepare()))
    assert len(package.rows) == 1  # c-4, with what she did not object to
    assert not ScopeMove.objects.filter(slot__isnull=True, act=Narrowing.CONSENT_WITHDRAWN).exists()
