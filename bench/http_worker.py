"""The processes of bench/http.py: one makes the world and the machines' tokens, one counts."""

import csv
import json
import os
import sys
from datetime import timedelta
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db.models import Count  # noqa: E402 - Django must be set up first
from django.utils import timezone  # noqa: E402
from oauth2_provider.models import AccessToken  # noqa: E402

from audit.models import Entry  # noqa: E402
from audit.vocabulary import Decision, EntryType, Via  # noqa: E402
from bench.withdrawal_worker import world as demonstration  # noqa: E402
from governance.actions import filing, machines, memberships, people  # noqa: E402
from governance.models import AccessRequest, Membership, Organisation, User  # noqa: E402
from governance.vocabulary import MachineScope, RequestState, Role, UserKind  # noqa: E402
from release.actions import asking, releases  # noqa: E402
from release.management.demo.world import HARBOR  # noqa: E402
from release.models import Download, Inquiry  # noqa: E402
from release.queries import person  # noqa: E402
from release.rules.person import Opening  # noqa: E402

TOKEN, STEWARDS = "bench-token-bench-token-bench-token", "bench-steward-bench-steward-bench"
HOURS = timedelta(hours=1)


def world(folder: str) -> dict[str, object]:
    """The demonstration's world, one package in it, two machines with tokens, client numbers."""
    Path(folder).mkdir(exist_ok=True)
    demonstration(folder)
    request = AccessRequest.objects.get(state=RequestState.APPROVED, dataset__holder__name=HARBOR)
    machine = User.objects.get(username="university-machine")
    _token(machine, request.requester, [MachineScope.READ, MachineScope.FETCH], TOKEN)
    holder = request.dataset.holder
    _token(stewards_machine(holder), holder, [MachineScope.DECIDE], STEWARDS)
    asked = asking.ask(request=request, by=machine, at=timezone.now(), via=Via.API)
    done = releases.run(release=asked, at=timezone.now())
    filing.file_waiting()  # as the clock does all the time: no server has all of its noes unnoted
    with (Path(folder) / "input" / "cases.csv").open(encoding="utf-8") as file:
        numbers = sorted({row["client_number"] for row in csv.DictReader(file)})
    return {
        "release": done.ref,
        "request": request.ref,
        "token": TOKEN,
        "stewards": STEWARDS,
        "numbers": [*numbers, "nobody's number"],
    }


def stewards_machine(holder: Organisation) -> User:
    """The case-management system of the holder."""
    admin = User.objects.get(username="harbor-admin")
    own = {"by": admin, "at": timezone.now(), "via": Via.COMMAND}
    machine = people.create_user(username="harbor-machine", kind=UserKind.MACHINE, **own)
    memberships.grant(user=machine, organisation=holder, role=Role.STEWARD, **own)
    return machine


def _token(
    machine: User, organisation: Organisation, scopes: list[MachineScope], secret: str
) -> None:
    """A token as the door gives them."""
    admin = Membership.objects.get(
        organisation=organisation, role=Role.ADMINISTRATOR, ended_at__isnull=True
    ).user
    client, _ = machines.register(
        user=machine,
        organisation=organisation,
        label="bench",
        scopes=scopes,
        by=admin,
        at=timezone.now(),
        via=Via.COMMAND,
    )
    token = AccessToken(
        application=client.application,
        scope=" ".join(scope.value for scope in scopes),
        expires=timezone.now() + HOURS,
    )
    token.token, token._raw_token = "", secret
    token.save()


def counts() -> dict[str, int]:
    """What the decisions left behind."""
    entries = dict(Entry.objects.values_list("type").annotate(count=Count("pk")))
    permitted = Entry.objects.filter(
        type=EntryType.INQUIRY_ANSWERED, decision=Decision.PERMITTED
    ).count()
    return {
        "downloads": Download.objects.count(),
        "given": entries.get(EntryType.DOWNLOAD_GIVEN, 0),
        "inquiries": Inquiry.objects.count(),
        "answered": entries.get(EntryType.INQUIRY_ANSWERED, 0),
        "permitted": permitted,
    }


def rule() -> dict[str, int]:
    """Nobody's word has changed since: every kept answer is what the rule says of her."""
    at, checked = timezone.now(), 0
    member = User.objects.get(username="university-machine")
    for inquiry in Inquiry.objects.select_related("request").distinct("subject", "permitted"):
        slot = person.NOBODYS if inquiry.subject_id is None else inquiry.subject_id
        said = person.answer(request=inquiry.request, slot=slot, by=member, since=at)
        columns = sorted(name for names in inquiry.columns.values() for name in names)
        open_now = sorted(said.columns) if isinstance(said, Opening) else []
        if columns != open_now or inquiry.permitted != bool(open_now):
            raise AssertionError("an answer is another than the rule's")
        checked += 1
    return {"checked": checked}


if __name__ == "__main__":
    print(json.dumps({"world": world, "counts": counts, "rule": rule}[sys.argv[1]](*sys.argv[2:])))
