"""An import and what people say meanwhile, forced into every order, on both databases.

Whoever said no before the papers are written is never passed over by them; whoever says no after
that ends what they brought.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, connections

from common.errors import BadInput
from consent.actions import imports, objections, standing, stops
from consent.models import Consent, Objection
from consent.queries import keys, sharing
from consent.vocabulary import Channel, Ending, Standing
from tests.gate import before
from tests.integration.consent_world import World, build, days, stamp
from tests.integration.test_consent_import import bring, paper

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 20.0
SHORT = 0.6


class Other:
    """A deed in a thread, and so on a connection, of its own."""

    def __init__(self, deed: Callable[[], object]) -> None:
        self.outcome: list[object] = []
        self._deed = deed
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.outcome.append(self._deed())
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.outcome.append(error)
        finally:
            connections.close_all()

    def done(self, seconds: float = LONG) -> bool:
        self._thread.join(timeout=seconds)
        return not self._thread.is_alive()


def recorded() -> list[Consent]:
    return list(Consent.objects.filter(channel=Channel.PAPER).order_by("pk"))


def nothing_of_hers_runs(world: World) -> bool:
    now = [one.standing for one in sharing.of(world.her, world.now + days(0.1))]
    return Standing.IN_FORCE not in now


NOES: dict[str, Callable[[World], object]] = {
    "an objection to the recipient": lambda w: w.object(recipient=w.recipient),
    "an objection to everything": lambda w: w.object(),
    "a stop said aloud": lambda w: stops.record(
        holder=w.holder, number="A-17", **stamp(w.advocate)
    ),
}
# Steps of an import from the reading of epochs to the first lock.
STEPS = {
    "before the epochs are read": (imports, "epochs"),
    "before judging": (imports, "judged"),
    "after judging": (imports, "made_ready"),
    "before the locks": (imports, "_opened"),
    "before her words are held": (imports, "hold"),
}


@pytest.mark.parametrize("no", NOES)
@pytest.mark.parametrize("step", STEPS)
def test_a_no_said_before_her_words_are_held_is_not_passed_over(step, no, monkeypatch):
    if step == "before her words are held" and connection.vendor == "sqlite":
        pytest.skip("on SQLite the import is alone from its beginning on")
    world = build()

    def said() -> None:
        other = Other(lambda: NOES[no](world))
        assert other.done()
        assert not isinstance(other.outcome[0], Exception)

    taken = before(monkeypatch, *STEPS[step], said)
    if step in {"before the epochs are read", "before judging"}:
        # What is judged has the no in it already: her line is refused, the other's is recorded.
        done = bring(world, paper(world), paper(world, "A-18"), most_bad=1.0)
        assert [bad.code for bad in done.rejected] == ["older_than_no"]
        assert [one.subject_id for one in recorded()] == [world.other.slot]
    else:
        with pytest.raises(BadInput) as refusal:
            bring(world, paper(world), paper(world, "A-18"))
        assert refusal.value.code == "changed_meanwhile"
        assert recorded() == []
    assert taken
    assert nothing_of_hers_runs(world)


@pytest.mark.parametrize("step", ["after judging", "before the locks"])
def test_a_stop_of_what_a_paper_would_replace_is_not_passed_over(step, monkeypatch):
    world = build()
    running = world.give(signed_at=world.now - days(9))
    before(monkeypatch, *STEPS[step], lambda: Other(lambda: world.withdraw(running)).done())
    with pytest.raises(BadInput) as refusal:
        bring(world, paper(world), paper(world, "A-18"))
    assert refusal.value.code == "changed_meanwhile"
    assert recorded() == []
    assert nothing_of_hers_runs(world)


@contextmanager
def standing_still(patch: pytest.MonkeyPatch, place: Any, step: str) -> Iterator[Event]:
    """Whoever takes this step waits before it until the block ends; the event says one is there."""
    here, go = Event(), Event()
    real = getattr(place, step)

    def stepped(*args: Any, **named: Any) -> Any:
        here.set()
        assert go.wait(timeout=LONG)
        return real(*args, **named)

    patch.setattr(place, step, stepped)
    try:
        yield here
    finally:
        patch.setattr(place, step, real)
        go.set()


def test_a_no_that_is_being_said_is_waited_for(monkeypatch):
    """She has begun: her words are held, her objection is not committed yet."""
    world = build()
    with standing_still(monkeypatch, standing, "_written") as begun:
        hers = Other(lambda: world.object(recipient=world.recipient))
        assert begun.wait(timeout=LONG)
        papers = Other(lambda: bring(world, paper(world), paper(world, "A-18")))
        assert not papers.done(SHORT), "the import waits for her"
    assert hers.done()
    assert papers.done()
    assert isinstance(hers.outcome[0], Objection)
    assert isinstance(papers.outcome[0], BadInput)
    assert papers.outcome[0].code == "changed_meanwhile"
    assert recorded() == []


@pytest.mark.parametrize("replaces", [False, True])
@pytest.mark.parametrize("no", NOES)
def test_a_no_said_while_the_papers_are_written_waits_and_then_ends_them(no, replaces, monkeypatch):
    world = build()
    if replaces:
        world.give(signed_at=world.now - days(9))
    with standing_still(monkeypatch, imports, "write") as writing:
        papers = Other(lambda: bring(world, paper(world), paper(world, "A-18")))
        assert writing.wait(timeout=LONG)
        hers = Other(lambda: NOES[no](world))
        assert not hers.done(SHORT), "she waits for what is written about her"
    assert papers.done()
    assert hers.done()
    assert not isinstance(papers.outcome[0], Exception)
    assert not isinstance(hers.outcome[0], Exception)
    hers_now, others = recorded()
    assert others.ended_at is None
    assert (hers_now.ending == Ending.WITHDRAWN) == (no == "a stop said aloud")
    assert nothing_of_hers_runs(world)


QUIET: dict[str, Callable[[World], object]] = {
    "she said no to somebody else": lambda w: w.object(recipient=w.police),
    "she said no for another purpose": lambda w: w.object(purpose=w.other_purpose),
    "somebody else said no": lambda w: objections.make(
        subject=w.other, recipient=w.recipient, **stamp(w.stranger)
    ),
    "somebody of another holder's said no to everything": lambda w: objections.make(
        subject=w.enrol("L-9", w.lake), **stamp(w.lake_advocate)
    ),
}


@pytest.mark.parametrize("what", QUIET)
def test_a_no_that_is_not_about_these_papers_leaves_the_import_alone(what, monkeypatch):
    world = build()
    before(monkeypatch, imports, "_opened", lambda: Other(lambda: QUIET[what](world)).done())
    assert bring(world, paper(world)).recorded == 1


def test_an_import_that_replaces_is_not_disturbed_by_its_own_move(monkeypatch):
    """Its own move names its own people; they are not looked at as if they had said no."""
    world = build()
    world.give(signed_at=world.now - days(9))
    looked: list[object] = []
    real = imports.latest.noes

    def noes(**given: Any) -> Any:
        looked.append(given)
        return real(**given)

    before(
        monkeypatch, imports, "_opened", lambda: monkeypatch.setattr(imports.latest, "noes", noes)
    )
    assert bring(world, paper(world)).superseded == 1
    assert looked == []


def test_two_imports_of_the_same_papers_at_once_leave_one_yes_each(monkeypatch):
    world = build()
    with standing_still(monkeypatch, imports, "_opened") as ready:
        first = Other(lambda: bring(world, paper(world), paper(world, "A-18")))
        assert ready.wait(timeout=LONG)
        second = Other(lambda: bring(world, paper(world), paper(world, "A-18")))
        assert not second.done(SHORT)
    assert first.done()
    assert second.done()
    codes = [getattr(one.outcome[0], "code", "done") for one in (first, second)]
    assert sorted(codes) == ["changed_meanwhile", "done"]
    assert Consent.objects.filter(ended_at__isnull=True).count() == 2


def test_the_long_work_is_done_before_the_first_lock(monkeypatch):
    """Under the locks nothing is read from the file, no key is opened and no tag is made."""
    world = build()
    locked: list[str] = []
    for place, step in [
        (imports, "read"),
        (imports, "judged"),
        (imports, "made_ready"),
        (keys, "tags_of"),
        (keys, "unwrap"),
    ]:
        monkeypatch.setattr(place, step, watched(getattr(place, step), locked))
    assert bring(world, paper(world)).recorded == 1
    assert locked == []


def watched(real: Callable[..., Any], locked: list[str]) -> Callable[..., Any]:
    """The same, noting where it is called within a transaction."""

    def called(*args: Any, **named: Any) -> Any:
        if connection.in_atomic_block:
            locked.append(real.__name__)
        return real(*args, **named)

    return called
