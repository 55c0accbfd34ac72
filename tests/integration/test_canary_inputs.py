"""A name written into every text that anybody may send stands nowhere in what the log gives away: not
in a leaf, a tile or an export, not in what lies in Redis for caches and tasks, not in a line of a log."""

import io
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.cache import cache, caches
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from audit.actions import sequence
from audit.models import Entry
from audit.queries import log_size
from audit.vocabulary import EntryType
from consent.actions import consents, objections, stops
from consent.models import Consent, Terms
from governance.actions import organisations
from governance.models import User
from governance.queries.requests import asked_of
from governance.vocabulary import OrganisationKind, Role
from oversight.vocabulary import Format
from release import broker
from release.actions import inquiries, releases
from tests import auditing, staffroom
from tests.append_only import triggers_lifted
from tests.factories.consent import terms
from tests.integration import api_world
from tests.integration.test_consent_import import lines as lines_of
from tests.integration.test_logs import CANARY, lines  # noqa: F401 - every logger's lines
from tests.integration.test_nasty_forms import FORMS, PROOF, Case, device, world_of
from tests.staffroom import Staffroom, hand

pytestmark = pytest.mark.database
# What is held against something that is kept, or is a number or a code: no name is taken there.
OF_A_KIND = {"password", "again", "code", "device", "passphrase", "document", "public_key"}
OF_A_KIND |= {"fingerprint", "first", "last", "size", "former", "second", "login"}
# Forms with a text of one's own that are taken as they are, with the name in it.
TAKEN = {
    *(f"desk.forms.audit.{form}Form" for form in ("Case", "Save", "Finding", "Review", "Search")),
    *(f"desk.forms.audit.{form}Form" for form in ("Say", "Handle", "Export")),
    *(f"desk.forms.deeds.{form}Form" for form in ("Draft", "Vote", "Stop")),
    *(
        f"desk.forms.clients.{form}Form"
        for form in ("Find", "Block", "Signed", "HandOn", "Checked")
    ),
    *("desk.forms.wiping.AskWipeForm", "desk.forms.people.AccountForm"),
    "desk.forms.contests.ContestForm",
    *("desk.forms.questions.ReplyForm", "portal.own_forms.Ask"),
    *(f"desk.forms.speaking.{form}Form" for form in ("Note", "Representative", "SpokenYes")),
}
BUNDLE = 256


@pytest.fixture
def server(redis_address: str) -> Iterator[Any]:
    """Redis behind the cache and the workers' queues; what this test puts in is taken out again."""
    kept = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": redis_address,
        "KEY_FUNCTION": "config.keys.blinded",
    }
    found = redis.Redis.from_url(redis_address)
    before = set(found.keys())
    with override_settings(CACHES={"default": kept}, REDIS_URL=redis_address):
        yield found
        caches["default"].close()
    made = set(found.keys()) - before
    if made:
        found.delete(*made)


def lying(server: Any) -> str:
    """All that lies in Redis."""
    return "".join(key.decode() + repr(server.dump(key)) for key in server.scan_iter())


def in_the_log() -> str:
    """All that the log's tables hold; what the journal keeps of rows stands beside it."""
    said = [str(value) for row in Entry.objects.values_list() for value in row]
    leaves = [bytes(leaf).decode() for leaf in Entry.objects.values_list("leaf", flat=True)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed FROM audit_detail")
        sealed = [bytes(row[0]).decode("latin-1") for row in cursor.fetchall()]
    return "\n".join([*said, *leaves, *sealed])


# --- forms ----------------------------------------------------------------------------------------


def filled(case: Case, client: Client, world: Any, name: str) -> dict[str, Any]:
    """What is sent: the name in every text that takes one, and proofs that are good ones."""
    good = case.good(world)
    given = {**good, **dict.fromkeys(set(case.limits) - OF_A_KIND, CANARY)}
    if name.endswith("FindingForm"):
        given["number"] = ""
    if PROOF.items() <= good.items():
        user = User.objects.get(pk=client.session["_auth_user_id"])
        given |= staffroom.proof(user)
    return given


def send(name: str, world: Any) -> bool:
    """Whether the form was taken with the name in it."""
    case = FORMS[name]
    client, place = case.client(world), case.place(world)
    given = filled(case, client, world, name)
    if case.device:
        given |= device(case, client.get(place).context["form"], world)
    cache.clear()
    if ".audit." in name:
        sequence()  # there is something to look at
    answer = client.get(place, given) if case.asks else client.post(place, given)
    assert answer.status_code < 500, name
    form = (answer.context or {}).get("form") if answer.status_code == 200 else None
    return answer.status_code == 302 or (form is not None and not form.errors)


@pytest.mark.django_db(transaction=True)  # an auditor's look waits for its entry to be signed
@pytest.mark.parametrize("name", FORMS)
def test_a_name_in_a_form_comes_out_in_no_leaf_no_redis_and_no_line(name, lines, server):  # noqa: F811
    world = world_of(name)
    if isinstance(world, Staffroom):
        staffroom.enrolled(world, CANARY)
    assert send(name, world) or name not in TAKEN, "or nothing is shown by this"
    assert Entry.objects.exists()
    assert CANARY not in in_the_log()
    assert CANARY not in lines.getvalue()
    assert CANARY not in lying(server)


@pytest.mark.django_db
def test_a_name_in_the_log_or_in_redis_would_be_seen(server, lines):  # noqa: F811
    room = staffroom.build()
    cache.set("x", CANARY)
    logging.getLogger("release.tasks").warning("somebody is called %s", CANARY)
    organisations.create(name="x", kind=OrganisationKind.FUNDER, **hand(room.convener))
    with triggers_lifted({"audit_entry"}):
        Entry.objects.filter(pk=Entry.objects.latest("pk").pk).update(reason=CANARY)
    assert CANARY in lying(server)
    assert CANARY in lines.getvalue()
    assert CANARY in in_the_log()


# --- deeds, machines and what is taken out --------------------------------------------------------


def paper(room: Staffroom, text: Terms) -> dict[str, str]:
    today = timezone.now().date()
    return {
        "client_number": CANARY,
        "recipient": room.recipient.ref,
        "purpose": room.purpose.code,
        "categories": ";".join(category.code for category in room.categories),
        "terms": f"{text.code}/{text.version}",
        "language": text.language,
        "channel": "paper",
        "signed_on": today.isoformat(),
        "ends_on": (today + timedelta(days=30)).isoformat(),
        "record_until": "",
        "signature": CANARY,
        "signer": "self",
        "authority": CANARY,
        "answers": "yyyyyyy",
        "recorded_by": "",
        "starts_on": "",
    }


def speaks(room: Staffroom, folder: Path) -> None:
    """A person whose number is the name says yes on paper, pauses, objects and stops; a holder asks
    about her; a release is asked for."""
    text = terms(code="sharing")
    file = folder / "papers.csv"
    file.write_text("".join(lines_of([paper(room, text)])))
    staffroom.enrolled(room, CANARY)
    given = {"holder": room.holder.name, "by": room.advocate.username}
    said = io.StringIO()
    call_command("import_consents", str(file), **given, stdout=said)
    assert CANARY not in said.getvalue()
    consent = Consent.objects.get(signature=CANARY)
    by = hand(room.advocate)
    consents.pause(consent=consent, **by)
    objections.make(subject=consent.subject, **by)
    request = staffroom.approved(room)
    asked = asked_of(room.holder, request.ref)
    inquiries.answer(request=asked, number=CANARY, **hand(room.steward))
    release = releases.ask(request=request, **hand(room.requester))
    assert broker.wake(release.pk)
    stops.record(holder=room.holder, number=CANARY, **by)


def taken_out(room: Staffroom, folder: Path) -> bytes:
    """Every entry as an auditor's machine reads the tiles, and as an auditor exports them."""
    commons = room.convener.memberships.get().organisation
    machine = api_world.machine(commons, room.convener, "calm-engine-3", Role.AUDITOR)
    by = auditing.in_staffroom(room)
    while sequence():
        pass
    client, found = machine.client(), b""
    for first in range(0, size := log_size(), BUNDLE):
        width = min(BUNDLE, size - first)
        part = "" if width == BUNDLE else f".p/{width}"
        answer = client.get(f"/api/log/tile/entries/{first // BUNDLE:03}{part}")
        assert answer.status_code == 200
        found += answer.content
    for kind in Format.values:
        words = ["--by", by.username, "--reason", CANARY, "--format", kind]
        call_command("export_log", str(folder / kind), *words, stdout=io.StringIO())
        files = [each for each in (folder / kind).iterdir() if each.name != "manifest.json"]
        assert files
        found += b"".join(each.read_bytes() for each in files)
    return found


@pytest.mark.django_db(transaction=True)
def test_a_name_that_machines_and_papers_bring_is_in_no_tile_and_no_export(
    server,
    lines,  # noqa: F811
    tmp_path,
):
    room = staffroom.build()
    speaks(room, tmp_path)
    before = set(Entry.objects.values_list("type", flat=True))
    assert {"consent:imported", "inquiry:answered", "release:asked"} <= before
    found = taken_out(room, tmp_path)
    assert EntryType.LOG_EXPORTED.value.encode() in found
    assert CANARY.encode() not in found
    assert CANARY not in in_the_log()
    words = lying(server)
    assert broker.ANSWER in words, "the word to the workers is looked at too"
    assert CANARY not in words
    assert CANARY not in lines.getvalue()
