"""The timed half of bench/looking.py: a process of its own, on one database."""

import json
import os
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connection  # noqa: E402 - Django must be set up first
from django.utils import timezone  # noqa: E402

from audit.models import Entry  # noqa: E402
from audit.rules import Leaf  # noqa: E402
from audit.vocabulary import Via  # noqa: E402
from bench import proofs_worker  # noqa: E402
from bench.proofs_worker import timed  # noqa: E402
from governance.actions import memberships, people  # noqa: E402
from governance.models import Organisation, User  # noqa: E402
from governance.vocabulary import OrganisationKind, Role, UserKind  # noqa: E402
from oversight.actions import cases, looking, reviews  # noqa: E402
from oversight.models import AuditCase  # noqa: E402
from oversight.rules.anomalies import CLOSES, OPENS  # noqa: E402
from oversight.vocabulary import Hint, Wanted  # noqa: E402

DAYS = 91  # so that all of it lies in what a page of days shows
ACTORS = 997
STAFF = 300  # of them are people with a role
KINDS = (
    *["download:given"] * 4, *["inquiry:answered"] * 6, *["release:asked"] * 2,
    *["consent:given"] * 3, *["consent:withdrawn"] * 2, *["journal:changed"] * 3,
)  # fmt: skip
LATE = "late of the day"


def began() -> datetime:
    """Midnight of the first day, the same in every process of one run."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=DAYS - 1)


def leaf_of(size: int) -> Any:
    start, step = began(), (DAYS - 1) * 86_400 / size

    def leaf(number: int, nonce: bytes) -> Leaf:
        kind = "release:compelled" if number % 50_021 == 0 else KINDS[number % len(KINDS)]
        return Leaf(
            type=kind,
            time=start + timedelta(seconds=number * step),
            actor=f"usr-{number % ACTORS:013d}",
            via="api",
            purpose="research",
            resource=f"rel-{number % 99_991:013d}",
            decision="refused" if number % 11 == 0 else "permitted",
            reason="",
            policy="",
            epoch_everyone=None,
            epoch_scope=None,
            subjects_root=None,
            subjects_band="0",
            detail_commit="",
            nonce=nonce,
        )

    return leaf


def build(size: int) -> None:
    """The log, and who looks at it; its own entries come after the others."""
    proofs_worker.leaf_of = leaf_of(size)
    proofs_worker.build(size)
    at = timezone.now()
    given: dict[str, Any] = {"at": at, "via": Via.COMMAND}
    chair = people.create_first_administrator(
        username="birch-lake", password="x" * 20, organisation_name="Commons", **given
    )
    commons = Organisation.objects.get()
    auditor = people.create_user(username="calm-heron", kind=UserKind.STAFF, by=chair, **given)
    memberships.grant(user=auditor, organisation=commons, role=Role.AUDITOR, by=chair, **given)
    cases.open_case(organisation=commons, holder=None, title="A", reason="B", by=auditor, **given)
    place = Organisation.objects.create(name="Place", kind=OrganisationKind.RESEARCH, created_at=at)
    staff = User.objects.bulk_create(
        User(username=f"staff-{number}", ref=f"usr-{number:013d}", kind="staff")
        for number in range(STAFF)
    )
    type(auditor.memberships.get()).objects.bulk_create(
        auditor.memberships.model(
            user=each, organisation=place, role=Role.REQUESTER, started_at=at - timedelta(days=400)
        )
        for each in staff
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def counted(size: int) -> tuple[dict[object, Counter[str]], int]:
    """What the log was made of, day by day; and how many looks the hints of compulsion need."""
    days: dict[object, Counter[str]] = {}
    zone, leaf, forced = timezone.get_default_timezone(), leaf_of(size), set()
    since = timezone.now() - looking.LOOKED_BACK
    for number in range(size):
        one = leaf(number, bytes(16))
        local = one.time.astimezone(zone)
        late = local.isoweekday() > 5 or not OPENS <= local.hour < CLOSES
        day = days.setdefault(local.date(), Counter())
        day["entries"] += 1
        day["refused"] += one.decision == "refused"
        day["compelled"] += one.type == "release:compelled"
        day[LATE] += late
        if one.type == "release:compelled" and one.time >= since:
            forced.add(local.date())
    return days, len(forced)


def check(size: int, who: dict[str, Any], case: AuditCase) -> None:
    """What the pages say is what the log was made of; the looks themselves are of today."""
    made, forced = counted(size)
    today = timezone.localtime(timezone.now()).date()
    told = looking.timeline(case=case, wanted=Wanted(), **who)
    for day in told:
        if day.day < today and day.day in made:
            own = made[day.day]
            said = (day.entries, day.refused, day.compelled, day.off_hours)
            if said != (own["entries"], own["refused"], own["compelled"], own[LATE]):
                raise AssertionError(f"{day} is not what the log was made of: {own}")
    if len([day for day in told if day.day in made]) < DAYS - 2:
        raise AssertionError("days are missing")
    hints = looking.hints(case=case, **who)
    if sum(each.hint == Hint.COMPELLED for each in hints) != forced:
        raise AssertionError("other disclosures under compulsion are told than there were")


def ask(size: int, turns: int) -> dict[str, object]:
    auditor, case = User.objects.get(username="calm-heron"), AuditCase.objects.get()

    def who() -> dict[str, Any]:
        return {"by": auditor, "at": timezone.now(), "via": Via.DESK}

    check(size, who(), case)
    some = Wanted(actor="usr-0000000000007", decision="refused")
    turns = max(3, turns)
    return {
        "floor": timed(
            [lambda: Entry.objects.filter(time__gte=began()).count() for _ in range(turns)]
        ),
        "days": timed(
            [lambda: looking.timeline(case=case, wanted=Wanted(), **who()) for _ in range(turns)]
        ),
        "hints": timed([lambda: looking.hints(case=case, **who()) for _ in range(turns)]),
        "roles": timed([lambda: reviews.look(case=case, **who()) for _ in range(turns)]),
        "search": timed(
            [
                lambda: looking.find(case=case, wanted=some, before=None, **who())
                for _ in range(turns)
            ]
        ),
    }


def main() -> None:
    what, size, turns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    found: dict[str, object] = {}
    if what == "build":
        build(size)
    else:
        found = ask(size, turns)
    told = {"what": what, "entries": size, "database": connection.vendor, **found}
    print(json.dumps({**told, "load": round(os.getloadavg()[0], 2)}), flush=True)


if __name__ == "__main__":
    main()
