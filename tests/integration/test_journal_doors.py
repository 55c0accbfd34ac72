"""Who the change journal says acts, door by door, and what a whole world leaves in it."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone
from pyrage import x25519

from audit.models import Entry, JournalDigest, JournalWaiting, LogEntry
from audit.vocabulary import PERSON, SYSTEM, EntryType
from common.acting import CLOCK, COMMAND
from config import urls
from config.journal import JOURNALED
from governance.actions import memberships, requests, tokens
from governance.models import AccessRequest, ApiToken, Organisation, RecipientKey, User
from governance.rules import fingerprint
from governance.vocabulary import RequestState, Role, UserKind
from release.tasks import tick
from tests import staffroom, worlds
from tests.factories import governance as made
from tests.integration import api_world
from tests.integration.api_world import bearer
from tests.staffroom import Staffroom, hand

pytestmark = pytest.mark.django_db(transaction=True)
GARBAGE = {
    "HTTP_X_FORWARDED_FOR": "<script>, river-maple-41",
    "HTTP_X_FORWARDED_PORT": "river-maple-41",
    "HTTP_X_CORRELATION_ID": "river-maple-41" * 40,
}


def rename(request: HttpRequest, ref: str) -> HttpResponse:
    """No page of the survivors' door changes a journaled row; this one stands for all to come."""
    body = Organisation.objects.get(ref=ref)
    body.name = "Riverside"
    body.save()
    return HttpResponse()


handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
urlpatterns = [path("planted/<str:ref>/", rename, name="planted"), *urls.urlpatterns]


@pytest.fixture(autouse=True)
def _clean() -> None:
    cache.clear()


@pytest.fixture
def room(tmp_path: Any, settings: Any) -> Staffroom:
    settings.SAYSO_DATA = tmp_path / "data"
    return staffroom.build()


def last(thing: Any) -> LogEntry:
    found: LogEntry = LogEntry.objects.get_for_object(thing).order_by("-pk")[0]
    return found


def covered_at_once(thing: Any) -> Entry:
    """The entry over the row's last change, written without anybody coming after the deed."""
    assert not JournalWaiting.objects.exists()
    return JournalDigest.objects.select_related("entry").get(row=last(thing)).entry


@pytest.mark.urls(__name__)
def test_at_the_survivors_door_it_is_a_person_and_never_her_account():
    her, body = made.user(kind=UserKind.SURVIVOR), made.organisation()
    client = Client()
    client.force_login(her, "django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/planted/{body.ref}/", **GARBAGE).status_code == 200
    row = last(body)
    assert row.changes["name"][1] == "Riverside"
    assert row.actor == PERSON
    kept = json.dumps(list(LogEntry.objects.filter(pk=row.pk).values()), default=str)
    assert her.ref not in kept
    assert her.username not in kept


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("stranger", [True, False])
def test_a_stranger_is_nobody_and_what_is_written_into_headers_is_not_kept(stranger):
    body, client, staff = made.organisation(), Client(), made.user()
    if not stranger:
        client.force_login(staff, "django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/planted/{body.ref}/", **GARBAGE).status_code == 200
    row = last(body)
    assert row.actor == (SYSTEM if stranger else staff.ref)
    assert row.cid is None
    assert "river-maple-41" not in json.dumps(list(LogEntry.objects.values()), default=str)


@pytest.mark.urls(__name__)
def test_after_a_request_nobody_acts_any_more():
    body, client = made.organisation(), Client()
    client.force_login(made.user(), "django.contrib.auth.backends.ModelBackend")
    client.get(f"/planted/{body.ref}/")
    assert last(made.organisation()).actor == SYSTEM


def test_at_the_desk_it_is_the_person_at_the_desk(room: Staffroom) -> None:
    client = staffroom.enter(Client(), room.recipient_admin)
    text = str(x25519.Identity.generate().to_public())
    client.post(
        f"/desk/keys/{room.recipient.ref}/",
        {
            "public_key": text,
            "fingerprint": fingerprint(text)[:8],
            **staffroom.proof(room.recipient_admin),
        },
    )
    key = RecipientKey.objects.get(public_key=text)
    before = RecipientKey.objects.exclude(pk=key.pk).get(organisation=room.recipient)
    for each in (key, before):
        assert last(each).actor == room.recipient_admin.ref
        assert covered_at_once(each).actor == room.recipient_admin.ref
    assert last(key).changes["public_key"] == [None, text]
    assert last(before).changes.keys() == {"ended_at"}


def test_who_sets_up_a_second_factor_is_in_the_journal_and_in_the_log(room: Staffroom) -> None:
    client, user = Client(), room.requester
    client.post("/desk/sign-in/", {"login": user.username, "password": staffroom.PASSWORD})
    page = client.get("/desk/device/").content.decode()
    secret = page.split('<code class="key">')[1].split("</code>")[0].replace(" ", "")
    client.post("/desk/device/", {"code": staffroom.code(secret)})
    found = LogEntry.objects.filter(content_type__model="authenticator")
    assert {row.changes["type"][1] for row in found} == {"totp", "recovery_codes"}
    assert {row.actor for row in found} == {user.ref}
    assert not JournalWaiting.objects.exists()
    assert secret not in json.dumps(list(LogEntry.objects.values()), default=str)
    noted = Entry.objects.get(type=EntryType.USER_CHANGED, reason="second_factor")
    assert (noted.actor, noted.resource, noted.via) == (user.ref, user.ref, "desk")


def test_the_clock_is_called_the_clock(room: Staffroom) -> None:
    asked = staffroom.submitted(room)
    tick(timezone.now() + timedelta(days=60))
    asked.refresh_from_db()
    assert asked.state == RequestState.LAPSED
    assert last(asked).actor == CLOCK
    assert last(asked).changes == {"state": ["submitted", "lapsed"]}
    assert covered_at_once(asked).actor == CLOCK


@pytest.fixture
def machines() -> Any:
    with api_world.committed() as world:
        yield world


def test_at_the_machines_door_it_is_the_tokens_machine_also_beside_somebodys_session(machines):
    client = machines.delta.client()
    for _ in range(2):
        response = client.post("/api/requests/", machines.body(), format="json")
        made_now = AccessRequest.objects.get(ref=response.json()["ref"])
        assert last(made_now).actor == machines.delta.machine.ref
        assert covered_at_once(made_now).actor == machines.delta.machine.ref
        assert last(made_now).changes["state"] == ["draft", "submitted"]
        client.force_login(machines.steward, "django.contrib.auth.backends.ModelBackend")
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {machines.delta.secret}", **GARBAGE)


def test_an_operators_command_is_called_a_command(room: Staffroom, tmp_path: Any) -> None:
    """The real process: `manage.py` is the border."""
    memberships.grant(
        user=room.machine,
        organisation=room.recipient,
        role=Role.REQUESTER,
        **hand(room.recipient_admin),
    )
    database = connection.settings_dict
    address = (
        f"sqlite:///{database['NAME']}"
        if connection.vendor == "sqlite"
        else f"postgres://{database['USER'] or 'postgres'}@{database['HOST'] or '127.0.0.1'}"
        f":{database['PORT'] or 5432}/{database['NAME']}"
    )
    connection.close()
    done = subprocess.run(
        [
            sys.executable, "manage.py", "issue_token", room.recipient.ref, room.machine.username,
            "nightly fetch", "--by", room.recipient_admin.username,
        ],
        cwd=settings.BASE_DIR,
        env={
            "PATH": os.environ["PATH"],
            "SAYSO_DEMO": "1",
            "SAYSO_DATA": str(tmp_path / "data"),
            "SAYSO_KEYS": str(tmp_path / "keys"),
            "DATABASE_URL": address,
        },
        capture_output=True,
        check=False,
        timeout=120,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    token = ApiToken.objects.get()
    assert last(token).actor == COMMAND
    assert covered_at_once(token).actor == COMMAND
    kept = json.dumps(list(LogEntry.objects.values()), default=str)
    assert token.digest not in kept
    assert done.stdout.strip() not in kept


def test_a_whole_world_leaves_nothing_of_anybody_in_the_journal(tmp_path, settings):
    """Accounts, rows, yeses, noes, a package, tokens: no name, secret, signature or person."""
    settings.SAYSO_DATA = tmp_path / "data"
    world = worlds.small_world(4)
    survivor = made.user(kind=UserKind.SURVIVOR, username="amber-willow-41")
    machine = made.user(kind=UserKind.MACHINE)
    given = worlds.hand(world.recipient_admin)
    memberships.grant(user=machine, organisation=world.recipient, role=Role.REQUESTER, **given)
    token, secret = tokens.issue(
        user=machine, organisation=world.recipient, label="for quiet-otter-3", **given
    )
    assert bearer(secret).get("/api/datasets/").status_code == 200
    world.fetch(world.prepare())
    world.no("c-1")
    world.object("c-2")
    world.pause("c-3")
    requests.end(request=world.home.request, **worlds.hand(world.requester))
    call_command("verify_log", stdout=StringIO())

    kept = json.dumps(list(LogEntry.objects.values()), default=str)
    told = {
        f"{row.content_type.app_label}.{row.content_type.model}" for row in LogEntry.objects.all()
    }
    assert told <= {label.lower() for label in JOURNALED}
    assert len(told) > 12
    users = User.objects.all()
    hidden = {user.username for user in users} | {user.password for user in users} - {""}
    hidden |= {survivor.ref, token.digest, secret, "quiet-otter-3", "an x on paper", "canary"}
    hidden |= {"To see which help lasts.", "What is learnt goes back"}
    assert [word for word in hidden if word in kept] == []
    assert world.recipient.name in kept
