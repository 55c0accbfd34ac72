"""Handing over through the machines' door: every access asks again, and what leaves is right."""

import io
import json
import tempfile
import zipfile
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pyrage
import pytest
from django.core.cache import cache
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.test import APIRequestFactory

from api import packages
from audit.actions import entries
from audit.models import Entry
from audit.queries import checkpoint_over, log_verifier
from audit.tlog.proofs import check_proof
from audit.vocabulary import EntryType, Via
from common.errors import NotReady, Void
from governance.actions import tokens
from release.models import Download, Release
from release.storage import store
from tests.integration import api_world
from tests.integration.api_world import CANARY, CLIENTS, World


@pytest.fixture(scope="module")
def transactional_db(django_db_setup, django_db_blocker):
    """One world for the whole module: a test that says no for somebody says yes again."""
    with django_db_blocker.unblock(), api_world.committed() as world:
        yield world


@pytest.fixture
def world(transactional_db):
    cache.clear()
    return transactional_db


@pytest.fixture
def release(world):
    return world.prepared(world.approved())


def path(release: Release, what: str = "parts/1") -> str:
    return f"/api/releases/{release.ref}/{what}/"


def body(response) -> bytes:
    return b"".join(response) if response.streaming else response.content


def given(release: Release) -> int:
    """How many hand-overs were committed, each with an entry that stands in the signed log."""
    downloads = list(Download.objects.filter(release=release).select_related("entry"))
    for download in downloads:
        assert download.entry.type == EntryType.DOWNLOAD_GIVEN
        assert download.entry.via == Via.API
        assert checkpoint_over(download.entry) is not None
    return len(downloads)


def rows(world: World, sealed: bytes) -> list[dict[str, object]]:
    opened = pyrage.decrypt(sealed, [world.identity])
    found: list[dict[str, object]] = pq.read_table(io.BytesIO(opened)).to_pylist()
    return found


def test_a_part_opens_with_the_recipients_key_and_holds_only_who_said_yes(world, release):
    response = world.delta.client().get(path(release))

    sealed = body(response)
    part = release.parts.get()
    assert response.status_code == 200
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Length"] == str(len(sealed)) == str(part.size)
    assert response["ETag"] == f'"{sha256(sealed).hexdigest()}"' == f'"{part.sha256}"'
    assert response["Accept-Ranges"] == "bytes"
    assert response["Cache-Control"] == "no-store"
    assert CANARY.encode() not in sealed
    opened = rows(world, sealed)
    assert len(opened) == 6
    assert {(row["age_band"], row["region"]) for row in opened} == {("18-24", "north")}
    assert set(opened[0]) == {"person", "age_band", "region"}
    assert given(release) == 1


def test_the_manifest_and_the_zip_say_the_same_as_the_parts(world, release):
    client = world.delta.client()
    manifest = client.get(path(release, "manifest"))
    package = client.get(path(release, "package"))
    told, zipped = body(manifest), body(package)

    assert manifest["Content-Type"] == "application/json"
    assert manifest["Accept-Ranges"] == package["Accept-Ranges"] == "none"
    assert manifest["Content-Length"] == str(len(told))
    assert package["Content-Length"] == str(len(zipped))
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        assert archive.testzip() is None
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        names = archive.namelist()
        parts = [archive.read(name) for name in names if name.startswith("parts/")]
        assert json.loads(archive.read("manifest.json")) == json.loads(told)
        proof = archive.read("proof.tlog-proof").decode()
    listed = json.loads(told)["manifest"]["parts"]
    assert [part["sha256"] for part in listed] == [sha256(part).hexdigest() for part in parts]
    assert proof == body(client.get(path(release, "proof"))).decode()
    assert given(release) == 2


def test_a_prepared_answer_speaks_in_bands_and_names_no_ground(world, release):
    told = world.delta.client().get(f"/api/releases/{release.ref}/").json()
    assert release.rows_withheld == 4
    assert release.grounds
    assert told["rows"] == told["rows_withheld"] == "fewer than 11"
    assert told["grounds"] == []
    assert told["parts"] == 1
    assert {"people", "people_withheld", "good_until", "void_ground"}.isdisjoint(told)


def test_the_proof_shows_the_answer_in_the_log_that_the_checkpoint_signs(world, release):
    client = world.delta.client()
    body(client.get(path(release, "manifest")))
    proof = client.get(path(release, "proof"))
    head = client.get("/api/log/checkpoint")

    release.entry.refresh_from_db()
    verifier = log_verifier()
    shown = check_proof(
        proof.content.decode(),
        leaf=bytes(release.entry.leaf_hash),
        origin=verifier.name,
        verifiers=[verifier],
    )
    assert proof["Content-Type"] == head["Content-Type"] == "text/plain; charset=utf-8"
    assert shown.size > release.entry.seq
    assert int(head.content.decode().splitlines()[1]) >= shown.size


def test_an_answer_that_is_not_there_yet_has_no_proof(world):
    waiting = world.ask(world.approved())
    response = world.delta.client().get(path(waiting, "proof"))
    assert response.status_code == 409
    assert response.json()["code"] == "not_answered"


@pytest.mark.parametrize("what", ["manifest", "parts/1", "package"])
def test_what_is_still_being_prepared_is_not_handed_over(world, what):
    waiting = world.ask(world.approved())
    response = world.delta.client().get(path(waiting, what))
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert given(waiting) == 0


@pytest.mark.parametrize("what", ["manifest", "parts/1", "package"])
def test_head_gives_no_byte_and_is_a_hand_over_of_its_own(world, release, what):
    client = world.delta.client()

    head = client.head(path(release, what))

    assert head.status_code == 200
    assert body(head) == b""
    assert given(release) == 1
    whole = client.get(path(release, what))
    assert head["Content-Length"] == whole["Content-Length"] == str(len(body(whole)))
    assert head.get("ETag") == whole.get("ETag")
    assert given(release) == 2


def test_head_is_empty_before_any_server_could_cut_it(world, release):
    asked = APIRequestFactory().head("/", HTTP_AUTHORIZATION=f"Bearer {world.delta.secret}")
    response = packages.Part.as_view()(asked, ref=release.ref, number=1)
    assert not response.streaming
    assert response.content == b""


def test_ranges_put_together_are_the_part_and_each_is_a_hand_over(world, release):
    client, size = world.delta.client(), release.parts.get().size
    borders = [0, 1, 100, size - 1, size]
    pieces = []
    for first, after in pairwise(borders):
        response = client.get(path(release), headers={"range": f"bytes={first}-{after - 1}"})
        pieces.append(body(response))
        assert response.status_code == 206
        assert response["Content-Range"] == f"bytes {first}-{after - 1}/{size}"
        assert response["Content-Length"] == str(after - first) == str(len(pieces[-1]))
    assert given(release) == len(pieces)
    assert b"".join(pieces) == body(client.get(path(release)))


def test_the_last_bytes_can_be_asked_for_by_their_number(world, release):
    client, size = world.delta.client(), release.parts.get().size
    response = client.get(path(release), headers={"range": "bytes=-10"})
    assert response["Content-Range"] == f"bytes {size - 10}-{size - 1}/{size}"
    assert len(body(response)) == 10


def test_head_of_a_range_tells_of_it_and_gives_nothing(world, release):
    response = world.delta.client().head(path(release), headers={"range": "bytes=0-9"})
    assert response.status_code == 206
    assert response["Content-Length"] == "10"
    assert body(response) == b""
    assert given(release) == 1


def test_a_range_beyond_the_part_is_416_and_still_a_hand_over(world, release):
    size = release.parts.get().size
    response = world.delta.client().get(path(release), headers={"range": f"bytes={size}-"})
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{size}"
    assert response.json()["code"] == "range"
    assert given(release) == 1


@pytest.mark.parametrize("header", ["bytes=0-1,4-5", "rows=0-1", "bytes=9-1", "junk", "\xff"])
def test_a_range_that_cannot_be_read_gets_the_whole_part(world, release, header):
    response = world.delta.client().get(path(release), headers={"range": header})
    assert response.status_code == 200
    assert len(body(response)) == release.parts.get().size


def test_a_range_goes_on_only_with_the_part_it_began_with(world, release):
    client, etag = world.delta.client(), f'"{release.parts.get().sha256}"'
    same = client.get(path(release), headers={"range": "bytes=0-9", "if-range": etag})
    other = client.get(path(release), headers={"range": "bytes=0-9", "if-range": '"other"'})
    assert (same.status_code, len(body(same))) == (206, 10)
    assert (other.status_code, len(body(other))) == (200, release.parts.get().size)


@pytest.mark.parametrize("header", [None, "bytes=0-9", "bytes=10-", "bytes=999999999-"])
@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("what", ["manifest", "parts/1", "package"])
def test_after_a_no_nothing_of_the_package_is_handed_over(world, what, method, header):
    release = world.prepared(world.approved())
    client = world.delta.client()
    assert client.get(path(release)).status_code == 200
    said = world.yes(CLIENTS[0])  # the yes before it is replaced, which is a no to it
    world.no(said)
    try:
        response = getattr(client, method)(
            path(release, what), headers={"range": header} if header else {}
        )
        told = body(response)
        assert response.status_code == 410
        if method == "get":
            assert json.loads(told)["code"] == "changed"
        assert given(release) == 1
        polled = client.get(f"/api/releases/{release.ref}/").json()
        assert polled["state"] == "void"
        assert polled["rows"] is polled["parts"] is None
        newer = Release.objects.get(replaces=release)
        assert polled["replaced_by"] == newer.ref
    finally:
        world.yes(CLIENTS[0])


def test_a_no_between_two_ranges_stops_the_second(world, release):
    client = world.delta.client()
    first = client.get(path(release), headers={"range": "bytes=0-99"})
    assert first.status_code == 206
    assert len(body(first)) == 100
    world.no(world.yes(CLIENTS[1]))
    try:
        second = client.get(path(release), headers={"range": "bytes=100-"})
        assert second.status_code == 410
        assert given(release) == 1
    finally:
        world.yes(CLIENTS[1])


def test_a_no_after_the_first_byte_of_a_zip_keeps_the_part_back(world, release):
    response = world.delta.client().get(path(release, "package"))
    chunks, sent = iter(response), []
    sent.append(next(chunks))
    world.no(world.yes(CLIENTS[2]))
    sealed = store().open(release.parts.get().name)
    try:
        with pytest.raises(Void):
            sent.extend(chunks)
        assert sealed[:64] not in b"".join(sent)
    finally:
        world.yes(CLIENTS[2])
    stopped = Entry.objects.get(type=EntryType.DOWNLOAD_STOPPED, resource=release.ref)
    assert stopped.policy == release.entry.policy != ""  # by the rules by which it was prepared


def test_a_token_revoked_between_two_accesses_opens_nothing(world, release):
    machine = api_world.machine(
        world.delta.organisation, world.delta.administrator, "delta-engine-10"
    )
    assert machine.client().get(path(release)).status_code == 200
    _revoke(machine)
    assert machine.client().get(path(release)).status_code == 401
    assert given(release) == 1


def test_a_token_revoked_while_a_package_is_sent_stops_it(world, release, monkeypatch):
    monkeypatch.setattr(packages, "LOOK_AGAIN_SECONDS", 0.0)
    machine = api_world.machine(
        world.delta.organisation, world.delta.administrator, "delta-engine-11"
    )
    response = machine.client().get(path(release, "package"))
    chunks, sent = iter(response), []
    sent.append(next(chunks))
    _revoke(machine)
    with pytest.raises(AuthenticationFailed):
        sent.extend(chunks)
    assert len(b"".join(sent)) < int(response["Content-Length"])
    stopped = Entry.objects.get(type=EntryType.DOWNLOAD_STOPPED, actor=machine.machine.ref)
    assert (stopped.resource, stopped.reason) == (release.ref, "token-ended")
    assert (stopped.via, stopped.decision, stopped.policy) == ("api", "refused", "")
    assert machine.secret not in bytes(stopped.leaf).decode()


def test_a_stream_that_ends_by_itself_or_that_nobody_listens_to_leaves_no_stop(
    world, release, monkeypatch
):
    monkeypatch.setattr(packages, "LOOK_AGAIN_SECONDS", 0.0)
    body(world.delta.client().get(path(release, "package")))
    response = world.delta.client().get(path(release, "package"))
    next(iter(response))
    response.close()
    assert not Entry.objects.filter(type=EntryType.DOWNLOAD_STOPPED, resource=release.ref).exists()


def test_where_the_log_takes_no_entry_the_stream_of_a_revoked_token_still_stops(
    world, release, monkeypatch
):
    monkeypatch.setattr(packages, "LOOK_AGAIN_SECONDS", 0.0)
    machine = api_world.machine(
        world.delta.organisation, world.delta.administrator, "delta-engine-12"
    )
    response = machine.client().get(path(release, "package"))
    chunks, sent = iter(response), []
    sent.append(next(chunks))
    _revoke(machine)

    def broken(leaf):
        raise NotReady("log_unavailable", "The log cannot take this entry at present.")

    monkeypatch.setattr(entries, "_entry", broken)
    with pytest.raises(NotReady):
        sent.extend(chunks)
    assert len(b"".join(sent)) < int(response["Content-Length"])


def _revoke(machine: api_world.Asker) -> None:
    tokens.revoke(token=machine.token, by=machine.administrator, at=timezone.now(), via=Via.COMMAND)


@pytest.mark.parametrize("what", ["manifest", "parts/1", "package"])
def test_without_the_logs_key_nothing_leaves(world, release, settings, what):
    with tempfile.TemporaryDirectory() as empty:
        settings.SAYSO_KEYS = Path(empty)
        settings.DEMO = False
        response = world.delta.client().get(path(release, what))
        told = body(response)
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert json.loads(told)["code"] == "key_missing"


def test_no_error_on_the_way_to_a_part_holds_a_value_of_a_row(world, release):
    client = world.delta.client()
    for what in ["parts/0", "parts/2", "parts/" + "9" * 40, "parts/1/../2", "package/x", "rows"]:
        response = client.get(path(release, what))
        assert response.status_code == 404
        assert CANARY.encode() not in body(response)
    assert given(release) == 0
