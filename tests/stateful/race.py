"""Readers against noes: threads that fetch packages while people and organisations keep saying no.

What is measured is never more than what happened. A release counts as BAD where its COMMIT was sent
after a no inside it had been acknowledged, and returned before anything took that no back. Bytes
count as BAD where the first of a part were asked for after such an acknowledgement; a part that was
on its way already is not counted.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread, local
from typing import Any

import numpy as np
import pytest
from django.db import connections, transaction

from common.errors import NotReady, Void
from governance.actions import agreements, scopes
from release.actions import answers, handing, preparing
from release.models import Release
from release.queries import standing
from release.rules.packed import unpack
from release.vocabulary import ReleaseState
from tests.gate import part_streams
from tests.sheets import numbers
from tests.worlds import World, hand

EVERYBODY = -1
MOST_SECONDS = float(os.environ.get("RACE_SECONDS", "800"))


@dataclass(frozen=True)
class No:
    """Somebody's no: of which kind, since when acknowledged, from when on perhaps taken back."""

    kind: str
    slot: int
    acknowledged: float
    taken_back: float


@dataclass(frozen=True)
class Letting:
    """People let out together: between which two instants it happened, and who they are."""

    begun: float
    done: float
    slots: frozenset[int]


@dataclass
class Outcome:
    """Everything one race did."""

    noes: list[No] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    commits: list[Letting] = field(default_factory=list)
    parts: list[Letting] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    broken: list[BaseException] = field(default_factory=list)
    took: float = 0.0

    def bad_commits(self) -> int:
        return self._bad(self.commits)

    def bad_parts(self) -> int:
        return self._bad(self.parts)

    def _bad(self, lettings: Sequence[Letting]) -> int:
        begun = np.array([each.begun for each in lettings])
        done = np.array([each.done for each in lettings])
        found: set[int] = set()
        for no in self.noes:  # hundreds, where lettings are a hundred thousand
            during = np.flatnonzero((no.acknowledged < begun) & (done < no.taken_back))
            found |= {at for at in during.tolist() if no.slot in {EVERYBODY, *lettings[at].slots}}
        return len(found)

    def milliseconds(self, kind: str, share: float) -> float:
        return float(np.percentile(self.seconds[kind], share)) * 1000

    def line(self) -> str:
        kinds = Counter(no.kind for no in self.noes)
        waits = "; ".join(
            f"{kind} p50 {self.milliseconds(kind, 50):.0f} p99 {self.milliseconds(kind, 99):.0f} ms"
            for kind in sorted(self.seconds)
        )
        return (
            f"{len(self.noes)} noes {dict(sorted(kinds.items()))} in {self.took:.0f} s, "
            f"{len(self.commits)} packages, {len(self.parts)} parts sent, "
            f"{dict(sorted(self.counts.items()))}; BAD at commit {self.bad_commits()}, "
            f"at hand-over {self.bad_parts()}; {waits}"
        )


class Race:
    """One world, `readers` threads that fetch, and threads that say no until `most` noes are said."""

    def __init__(self, world: World, *, people: int, readers: int = 8, sayers: int = 4) -> None:
        self.world = world
        self.outcome = Outcome()
        self._readers = readers
        shares = np.array_split(np.array(numbers(people)), sayers)
        self._shares = [share.tolist() for share in shares]
        self._slots = {number: world.subject(number).slot for number in numbers(people)}
        self._over = Event()
        self._committing = local()

    def run(self, most: int) -> Outcome:
        """Let everybody go; gives what happened once `most` noes were said."""
        sayers = [self._thread(self._say, share, most) for share in self._shares]
        sayers.append(self._thread(self._suspend, most))
        readers = [self._thread(self._read, f"reader-{n}") for n in range(self._readers)]
        began = time.monotonic()
        with pytest.MonkeyPatch.context() as patch:
            self._watch_commits(patch)
            for thread in [*readers, *sayers]:
                thread.start()
            for thread in sayers:
                thread.join(timeout=MOST_SECONDS)
            self._over.set()
            for thread in readers:
                thread.join(timeout=MOST_SECONDS)
        assert not any(thread.is_alive() for thread in [*readers, *sayers])
        self.outcome.took = time.monotonic() - began
        return self.outcome

    def _thread(self, work: Callable[..., None], *given: object) -> Thread:
        def guarded() -> None:
            try:
                work(*given)
            except BaseException as error:  # noqa: BLE001 - shown by the test, never swallowed
                self.outcome.broken.append(error)
                self._over.set()
            finally:
                connections.close_all()

        return Thread(target=guarded, daemon=True)

    # --- saying no ---

    def _enough(self, most: int) -> bool:
        return self._over.is_set() or len(self.outcome.noes) >= most

    def _say(self, share: list[str], most: int) -> None:
        kinds = [self._withdraw, self._pause, self._object]
        at = 0
        while not self._enough(most):
            kinds[at % len(kinds)](share[at % len(share)])
            at += 1
            time.sleep(0.02)

    def _withdraw(self, number: str) -> None:
        self._said("withdraw", number, self.world.no, lambda _: self.world.yes(number))

    def _pause(self, number: str) -> None:
        self._said("pause", number, self.world.pause, lambda _: self.world.resume(number))

    def _object(self, number: str) -> None:
        self._said("object", number, self.world.object, self.world.lift)

    def _said(
        self, kind: str, number: str, no: Callable[[str], Any], back: Callable[[Any], object]
    ) -> None:
        began = time.monotonic()
        said = no(number)
        acknowledged = time.monotonic()
        time.sleep(0.1)
        taken_back = time.monotonic()
        self._keep(kind, began, No(kind, self._slots[number], acknowledged, taken_back))
        back(said)

    def _suspend(self, most: int) -> None:
        home = self.world.home
        while not self._enough(most):
            began = time.monotonic()
            agreements.suspend(agreement=home.agreement, **hand(home.warden))
            acknowledged = time.monotonic()
            time.sleep(0.05)
            taken_back = time.monotonic()
            self._keep("suspend", began, No("suspend", EVERYBODY, acknowledged, taken_back))
            agreements.resume(agreement=home.agreement, **hand(home.warden))
            self._over.wait(0.5)

    def _keep(self, kind: str, began: float, no: No) -> None:
        self.outcome.seconds.setdefault(kind, []).append(no.acknowledged - began)
        self.outcome.noes.append(no)

    # --- fetching ---

    def _read(self, name: str) -> None:
        while not self._over.is_set():
            try:
                release = self.world.run(self.world.ask(), worker=name)
                self.outcome.counts[str(release.state)] += 1
                if release.state == ReleaseState.PREPARED:
                    self._stream(release)
            except Void as reason:
                self.outcome.counts[f"void {reason.code}"] += 1
            except NotReady as reason:
                self.outcome.counts[f"not ready {reason.code}"] += 1

    def _stream(self, release: Release) -> None:
        slots = {
            f"part-{part.number:05d}": frozenset(unpack(part.slots).tolist())
            for part in release.parts.all()
        }
        handed = self.world.hand_over(release)
        self.outcome.counts["handed over"] += 1
        seen: set[str] = set()
        asked = time.monotonic()
        for name, _ in part_streams(handed):
            got = time.monotonic()
            piece = next((key for key in slots if key in name), "")
            if piece and piece not in seen:
                seen.add(piece)
                self.outcome.parts.append(Letting(asked, got, slots[piece]))
            time.sleep(0.005)  # a recipient is no faster than its line
            asked = time.monotonic()

    def _watch_commits(self, patch: pytest.MonkeyPatch) -> None:
        record, commit = answers.record, preparing._commit

        def recorded(found: answers.Prepared) -> Release:
            release = record(found)
            self._committing.begun = time.monotonic()
            return release

        def committed(*given: object) -> Release:
            release: Release = commit(*given)
            done = time.monotonic()
            if release.state == ReleaseState.PREPARED:
                inside = frozenset(standing.used(release).tolist())
                self.outcome.commits.append(Letting(self._committing.begun, done, inside))
            return release

        patch.setattr(answers, "record", recorded)
        patch.setattr(preparing, "_commit", committed)


@contextmanager
def without_locks() -> Iterator[None]:
    """The mutant: no lock, no look at what changed, neither at the commit nor at a hand-over."""

    @contextmanager
    def unsteady(*, recipient: int, seconds: float = 2.0) -> Iterator[scopes.Moment]:
        with transaction.atomic(durable=True):
            yield scopes._moment(scopes.clock.now(), [recipient])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scopes, "steady", unsteady)
        patch.setattr(preparing, "_apply_moves", lambda _: [])
        patch.setattr(standing, "void_ground", lambda *_: None)
        patch.setattr(handing, "_look_again", lambda *_, **__: None)
        yield
