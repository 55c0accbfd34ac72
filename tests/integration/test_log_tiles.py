"""The log as anyone may read it, and its entries, which are for auditors and leave an entry."""

import subprocess
import sys
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.utils import timezone

from api.throttling import LogThrottle
from audit import queries as log
from audit.actions import sequence
from audit.models import Checkpoint, Entry, Node
from audit.tlog.checkpoints import open_checkpoint
from audit.tlog.tiles import parse_bundle, parse_hashes, tiles_of
from audit.tlog.tree import leaf_hash, root_of
from audit.vocabulary import Decision, EntryType, Via
from common.errors import NotReady
from governance.actions import machines, people
from governance.models import Membership, Organisation, OrganisationUserPermission
from governance.vocabulary import MachineScope, OrganisationKind, Role
from oversight.actions import logs
from tests.append_only import triggers_lifted
from tests.architecture.source import BASE
from tests.integration import api_world
from tests.integration.audit_log import happened, log_keys, log_of  # noqa: F401
from tests.nasty import FORM

pytestmark = pytest.mark.django_db(transaction=True)
FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture(autouse=True)
def _clean_slate(log_keys):  # noqa: F811
    cache.clear()


def get(path, **headers):
    return Client().get(f"/api/log/{path}", headers=headers)


def grown(size):
    """A signed log of this size, written in one go."""
    with transaction.atomic():
        for number in range(size):
            happened(number)
    while sequence():
        pass
    assert log.log_size() == size


def test_anyone_may_read_the_signed_head_and_no_cache_keeps_it():
    assert get("checkpoint").status_code == 503
    grown(3)
    answer = get("checkpoint")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Cache-Control"] == "no-store"
    head = open_checkpoint(
        answer.content.decode(), origin="log.example/test", verifiers=[log.log_verifier()]
    )
    assert head.size == 3


def test_who_follows_the_tiles_alone_comes_to_the_signed_root():
    grown(259)
    leaves = []
    for tile in tiles_of(259):
        answer = get(f"tile/{tile.path()}")
        assert answer.status_code == 200, tile
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Cache-Control"] == FOR_EVER
        assert not answer.cookies
        hashes = parse_hashes(answer.content)
        assert len(hashes) == tile.width
        if tile.level == 0:
            leaves += hashes
        else:
            assert hashes == [root_of(leaves[:256])]
    assert root_of(leaves) == bytes(log.latest_checkpoint().root)
    assert get("tile/0/000.p/255").content == b"".join(leaves[:255])  # as it was when smaller


NO_TILES = [
    "tile/0/001", "tile/0/000", "tile/0/000.p/6", "tile/1/000.p/1", "tile/7/000.p/1",
    "tile/63/000.p/1", "tile/64/000.p/1", "tile/99/000.p/1", "tile/0/x001/000.p/1",
    "tile/0/x009/x223/x372/x036/x854/x775/807.p/1", "tile/0/x999/x999/x999/x999/x999/x999/999",
    "tile/0/x000/000.p/1", "tile/00/000.p/1", "tile/0/000.p/0", "tile/0/000.p/256",
    "tile/0/0.p/1", "tile/0/000.p/1/", "tile/0/000.p/1%0A", "tile/x/000", "checkpoint%0A",
    "tile/0/%D9%A0%D9%A0%D9%A0.p/1", "tile/0/000.p/1;a", "tile/-1/000.p/1", "tile/0/../000.p/1",
]  # fmt: skip


def test_what_is_no_tile_of_this_log_is_not_there():
    grown(5)
    assert get("tile/0/000.p/5").status_code == 200
    for path in NO_TILES:
        assert get(path).status_code in (401, 404), path  # 401: no address of the log at all
    assert Entry.objects.filter(type=EntryType.LOG_READ).count() == 0


def test_a_tile_is_served_from_under_a_signed_head_only():
    grown(2)
    happened("waiting")
    assert get("tile/0/000.p/3").status_code == 404
    sequence()
    assert get("tile/0/000.p/3").status_code == 200


def test_a_log_that_lost_a_hash_serves_no_tile_that_is_short_of_one():
    grown(257)
    with triggers_lifted():
        Node.objects.filter(level=8).delete()
        Entry.objects.filter(seq=7).delete()
    assert get("tile/1/000.p/1").status_code == 404
    assert get("tile/0/000").status_code == 404
    assert get("tile/0/001.p/1").status_code == 200


def test_who_has_a_tile_already_is_not_sent_it_again():
    grown(2)
    first = get("tile/0/000.p/2")
    again = get("tile/0/000.p/2", **{"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_tile_that_goes_out_with_a_cookie_is_kept_nowhere(client):
    grown(2)
    session = client.session
    session["a"] = 1
    session.save()
    client.cookies["sessionid"] = session.session_key
    answer = client.get("/api/log/tile/0/000.p/2")
    assert answer.cookies
    assert answer["Cache-Control"] == "no-store"


def test_one_address_reads_only_so_much_a_minute(monkeypatch):
    grown(1)
    monkeypatch.setattr(LogThrottle, "THROTTLE_RATES", {"log": "2/min"})
    assert [get("checkpoint").status_code for _ in range(3)] == [200, 200, 429]


def test_the_log_takes_nothing():
    grown(1)
    for method in ("post", "put", "delete", "patch"):
        for path in ("checkpoint", "tile/0/000.p/1"):
            assert getattr(Client(), method)(f"/api/log/{path}").status_code == 405


# --- entries --------------------------------------------------------------------------------------


@pytest.fixture
def who(log_keys):  # noqa: F811
    """Whoever convenes, with the organisation of hers, and how she does things."""
    chair = people.create_first_administrator(
        username="north-hazel-7",
        password=api_world.PASSWORD,
        organisation_name="Commons",
        at=timezone.now(),
        via=Via.COMMAND,
    )
    return {"by": chair, "at": timezone.now(), "via": Via.COMMAND}


def a_machine(who, kind, role):
    if kind == OrganisationKind.COMMUNITY:
        organisation, administrator = Organisation.objects.get(), who["by"]
    else:
        organisation, administrator = api_world._organisation("River", kind, who)
    return api_world.machine(organisation, administrator, "river-engine-9", role)


def readings():
    found = Entry.objects.filter(type=EntryType.LOG_READ).order_by("pk")
    return list(found.values_list("decision", "resource", "actor", "seq"))


@pytest.mark.parametrize("kind", [OrganisationKind.COMMUNITY, OrganisationKind.FUNDER])
def test_an_auditor_s_machine_reads_the_entries_and_each_reading_is_an_entry(who, kind):
    auditor = a_machine(who, kind, Role.AUDITOR)
    sequence()
    answer = auditor.client().get("/api/log/tile/entries/000.p/5")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Cache-Control"] == "no-store"
    assert "ETag" not in answer
    first = Entry.objects.filter(seq__lt=5).order_by("seq")
    entries = parse_bundle(answer.content)
    assert entries == [bytes(entry.leaf) for entry in first]
    hashes = parse_hashes(get("tile/0/000.p/5").content)
    assert [leaf_hash(entry) for entry in entries] == hashes
    ((decision, resource, actor, seq),) = readings()
    assert (decision, resource) == (Decision.PERMITTED, "tile/entries/000.p/5")
    assert actor == auditor.machine.ref
    assert Checkpoint.objects.filter(size__gt=seq).exists()  # signed before a byte of it left


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        (OrganisationKind.COMMUNITY, Role.REQUESTER),
        (OrganisationKind.FUNDER, Role.STEWARD),
        (OrganisationKind.POLICE, Role.AUDITOR),
        (OrganisationKind.SERVICE_PROVIDER, Role.AUDITOR),
    ],
)
def test_nobody_else_reads_an_entry_and_the_try_is_one(who, kind, role):
    other = a_machine(who, kind, role)
    sequence()
    answer = other.client().get("/api/log/tile/entries/000.p/5")
    assert (answer.status_code, answer.json()["code"]) == (403, "may_not_read_log")
    assert [row[:2] for row in readings()] == [(Decision.REFUSED, "tile/entries/000.p/5")]


def test_a_machine_whose_role_ended_reads_nothing_more(who):
    auditor = a_machine(who, OrganisationKind.FUNDER, Role.AUDITOR)
    sequence()
    Membership.objects.filter(user=auditor.machine).update(ended_at=timezone.now())
    OrganisationUserPermission.objects.filter(user=auditor.machine).delete()
    assert auditor.client().get("/api/log/tile/entries/000.p/5").status_code == 403


def test_a_token_that_was_not_made_for_it_opens_no_entry(who):
    auditor = a_machine(who, OrganisationKind.FUNDER, Role.AUDITOR)
    sequence()
    application, secret = machines.register(
        user=auditor.machine,
        organisation=auditor.organisation,
        label="nightly",
        scopes=[MachineScope.READ, MachineScope.AUDIT],
        by=auditor.administrator,
        at=timezone.now(),
        via=Via.COMMAND,
    )
    body = {
        "grant_type": "client_credentials",
        "client_id": application.application.client_id,
        "client_secret": secret,
    }
    told = Client().post("/api/oauth/token/", urlencode(body), content_type=FORM).json()
    assert told["scope"] == "audit"  # its role opens nothing else
    client = api_world.bearer(told["access_token"])
    assert client.get("/api/log/tile/entries/000.p/5").status_code == 200
    assert client.get("/api/releases/").status_code == 403


def test_nobody_reads_an_entry_without_a_token(who):
    sequence()
    assert get("tile/entries/000.p/1").status_code == 401
    assert readings() == []


def test_an_entry_tile_that_is_not_there_is_not_read(who):
    auditor = a_machine(who, OrganisationKind.FUNDER, Role.AUDITOR)
    sequence()
    for path in ("001", "000", "000.p/200", "0", "000.p/0", "000.p/256"):
        assert auditor.client().get(f"/api/log/tile/entries/{path}").status_code == 404
    assert readings() == []


def test_a_head_request_is_a_reading_as_well(who):
    auditor = a_machine(who, OrganisationKind.FUNDER, Role.AUDITOR)
    sequence()
    answer = auditor.client().head("/api/log/tile/entries/000.p/5")
    assert (answer.status_code, answer.content) == (200, b"")
    assert len(readings()) == 1


def test_no_entry_leaves_while_its_reading_cannot_be_signed(who, monkeypatch):
    auditor = a_machine(who, OrganisationKind.FUNDER, Role.AUDITOR)
    sequence()
    monkeypatch.setattr(logs, "settle", never)
    answer = auditor.client().get("/api/log/tile/entries/000.p/5")
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"


def never(*, entry):
    raise NotReady("log_not_ready", "Not signed.")


def test_a_deed_of_reading_looks_at_the_tile_only(who):
    auditor = a_machine(who, OrganisationKind.FUNDER, Role.AUDITOR)
    reading = {"organisation": auditor.organisation, "by": auditor.machine, "via": Via.API}
    assert (
        logs.read_entries(tile="x999/x999/x999/x999/x999/999", at=timezone.now(), **reading) is None
    )


def test_the_script_that_checks_proofs_is_fetched_by_anybody_and_is_the_one_that_is_tested():
    answer = get("verify_sayso.py")
    assert answer.status_code == 200
    assert answer.content == (BASE / "client" / "verify_sayso.py").read_bytes()
    assert answer["Content-Disposition"] == 'attachment; filename="verify_sayso.py"'
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_proof_of_this_log_holds_for_the_script_alone(tmp_path, settings):
    grown(5)
    script = tmp_path / "verify_sayso.py"
    script.write_bytes(get("verify_sayso.py").content)
    file = tmp_path / "a.tlog-proof"
    file.write_text(log.proof(Entry.objects.get(seq=3)), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-I", "-S", script, file, "--log-key", log.log_verifier().render()],
        cwd=tmp_path,
        env={"PATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "resource rel-3" in ended.stdout
