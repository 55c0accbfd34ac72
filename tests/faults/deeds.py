"""The hands of a fault run: does one deed for each line of its input and says whether it was done.

Started as `python -m tests.faults.deeds begin PEOPLE ROWS` (makes the tables and a small world) or
`… again` (uses the world that is there), with the environment of an installation of the tests' own.
"""

import json
import os
import pickle
import sys
from collections import Counter
from datetime import UTC
from io import StringIO
from pathlib import Path

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - Django is set up first
from django.core.management.base import CommandError  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402
from pyrage import x25519  # noqa: E402

from audit.models import Entry  # noqa: E402
from audit.vocabulary import EntryType, Via  # noqa: E402
from consent.models import ConsentEvent  # noqa: E402
from consent.vocabulary import Happening  # noqa: E402
from governance.actions import memberships, people, tokens  # noqa: E402
from governance.queries import clock  # noqa: E402
from governance.vocabulary import Role, UserKind  # noqa: E402
from release.actions import keeping  # noqa: E402
from release.models import Download, Release, ReleasePart  # noqa: E402
from release.queries import readiness  # noqa: E402
from release.queries.readiness import WORKER  # noqa: E402
from release.storage import store  # noqa: E402
from release.vocabulary import ReleaseState  # noqa: E402
from tests import worlds  # noqa: E402

ANSWERS = [EntryType.DATASET_RELEASED, EntryType.DATASET_REFUSED]
KEPT = Path(os.environ["TESTS_FOLDER"]) / "world.pickle"


def begin(count: int, each: int) -> worlds.World:
    """Tables, and a small world whose dataset has `each` rows for each client, in a few parts."""
    call_command("migrate", verbosity=0)
    world = worlds.small_world(count, each=each, part_rows=max(1, count * each // 2))
    KEPT.write_bytes(pickle.dumps(vars(world) | {"identity": str(world.identity)}))
    return world


def again() -> worlds.World:
    """The world that another process began."""
    found = pickle.loads(KEPT.read_bytes())  # noqa: S301 - written by ourselves a minute ago
    world = object.__new__(worlds.World)
    vars(world).update(found, identity=x25519.Identity.from_str(found["identity"]))
    return world


# --- deeds ----------------------------------------------------------------------------------------


def token(world: worlds.World) -> dict[str, str]:
    """A machine of Delta's, and its secret."""
    own = {"by": world.recipient_admin, "at": timezone.now(), "via": Via.COMMAND}
    user = people.create_user(username="delta-engine-9", kind=UserKind.MACHINE, **own)
    memberships.grant(user=user, organisation=world.recipient, role=Role.REQUESTER, **own)
    _, secret = tokens.issue(user=user, organisation=world.recipient, label="nightly", **own)
    return {"secret": secret}


def request(world: worlds.World) -> str:
    return world.home.request.ref


def ask(world: worlds.World, many: str = "1") -> list[str]:
    """Ask so many times; the references of what now waits."""
    return [world.ask().ref for _ in range(int(many))]


def no(world: worlds.World, number: str) -> str:
    """She stops; the reference of the consent that has ended."""
    return world.no(number).ref


def yes(world: worlds.World, number: str) -> str:
    return world.yes(number).ref


def run(world: worlds.World, ref: str) -> str:
    """Prepare it here, as a worker would."""
    return world.run(Release.objects.get(ref=ref), worker="hands").state


def fetch(world: worlds.World, ref: str) -> list[str]:
    """Whose rows are in the package."""
    return sorted(world.received(Release.objects.get(ref=ref)))


def waiting(world: worlds.World) -> int:
    """How many have no answer."""
    return Release.objects.filter(state=ReleaseState.WAITING).count()


def downloads(world: worlds.World, ref: str) -> int:
    """How many hand-overs of it are kept, each with its entry."""
    return Download.objects.filter(release__ref=ref, entry__isnull=False).count()


def asked(world: worlds.World) -> int:
    """How many there are, answered or not."""
    return Release.objects.count()


def now(world: worlds.World) -> str:
    return clock.now().isoformat()


def beat(world: worlds.World) -> str:
    """When a worker last did what the beat asked for."""
    last = readiness.last_beat(WORKER)
    return last.at.astimezone(UTC).isoformat() if last else ""


def unnumbered(world: worlds.World) -> int:
    return Entry.objects.filter(seq__isnull=True).count()


def check(world: worlds.World, asked: str, stopped: str) -> list[str]:
    """What is wrong: with what was acknowledged, and with whatever else is there."""
    return [*_lost(json.loads(asked), json.loads(stopped)), *_half_done(), *_log()]


def _lost(asked: list[str], stopped: list[str]) -> list[str]:
    wrong = []
    entries = Counter(
        Entry.objects.filter(type__in=[EntryType.RELEASE_ASKED, *ANSWERS]).values_list(
            "resource", "type"
        )
    )
    for ref in set(asked) | set(Release.objects.values_list("ref", flat=True)):
        found = Release.objects.filter(ref=ref).first()
        if found is None:
            wrong.append(f"{ref} was acknowledged and is lost")
        elif found.state == ReleaseState.WAITING:
            wrong.append(f"{ref} still waits")
        if entries[ref, EntryType.RELEASE_ASKED] != 1:
            wrong.append(f"{ref} was asked for {entries[ref, EntryType.RELEASE_ASKED]} times")
        if sum(entries[ref, each] for each in ANSWERS) != 1:
            wrong.append(f"{ref} was answered {sum(entries[ref, each] for each in ANSWERS)} times")
    ended = Counter(
        ConsentEvent.objects.filter(happening=Happening.WITHDRAWN).values_list(
            "consent__ref", flat=True
        )
    )
    wrong += [f"{ref}: its end is lost" for ref in stopped if not ended[ref]]
    return wrong + [f"{ref} ended {times} times" for ref, times in ended.items() if times > 1]


def _half_done() -> list[str]:
    keeping.sweep()
    wrong = []
    for answered in Release.objects.exclude(state=ReleaseState.WAITING):
        if answered.entry_id is None:
            wrong.append(f"{answered.ref} has an answer and no entry")
    if Download.objects.filter(entry__isnull=True).exists():
        wrong.append("a download without an entry")
    kept = ReleasePart.objects.filter(release__wiped_at__isnull=True)
    names = set(kept.values_list("name", flat=True))
    lying = set(store().names("packages"))
    if names != lying:
        wrong.append(f"{len(names - lying)} parts are missing, {len(lying - names)} are too many")
    return wrong


def _log() -> list[str]:
    out = StringIO()
    try:
        call_command("verify_log", stdout=out, stderr=out)
    except CommandError as error:
        return [str(error)]
    return []


DEEDS = {
    deed.__name__: deed
    for deed in (
        token,
        request,
        ask,
        no,
        yes,
        run,
        fetch,
        waiting,
        asked,
        downloads,
        now,
        beat,
        unnumbered,
        check,
    )
}


def main(how: str, *given: str) -> None:
    worlds.timezone = clock  # these hands tell the time by the database
    world = begin(*map(int, given)) if how == "begin" else again()
    for line in sys.stdin:
        name, *words = json.loads(line)
        try:
            answer = [True, DEEDS[name](world, *words)]
        except Exception as error:  # noqa: BLE001 - the run is told whatever it was
            answer = [False, f"{type(error).__name__}: {error}"]
            connection.close()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
