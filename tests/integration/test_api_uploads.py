"""Sending a file for a dataset: sealed as it comes, loaded by the clock, refused with a report."""

import gzip
import io
import tracemalloc
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from governance.models import Membership
from governance.vocabulary import Role
from release import tasks
from release.actions import receiving, uploads, versions
from release.actions.loading.arrivals import KEPT, PIECE
from release.models import DatasetVersion, Upload
from release.storage import store
from release.vocabulary import UploadState
from tests.integration import api_world
from tests.integration.api_world import CANARY, FIELD, MAPPING, NARRATIVE, category

HEAD = "client,day,age_band,region,story"


@pytest.fixture(scope="module")
def transactional_db(django_db_setup, django_db_blocker):
    """One world for the whole module, with a machine of the holder's that looks after datasets."""
    with django_db_blocker.unblock(), api_world.committed() as world:
        world.loader = api_world.machine(world.holder, world.warden, "river-engine-9", Role.STEWARD)
        yield world


@pytest.fixture
def world(transactional_db):
    cache.clear()
    return transactional_db


def mapping() -> str:
    return MAPPING + "".join(
        FIELD.format(name=name, category=category().code, narrative=str(told).lower())
        for name, told in NARRATIVE.items()
    )


def lines(*clients: str, day: str = "2025-04-01") -> bytes:
    rows = [f"{client},{day},18-24,north,{CANARY} {client}" for client in clients]
    return "\n".join([HEAD, *rows, ""]).encode()


def send(world, data: bytes, *, client: APIClient | None = None, text: str = "", **headers):
    return (client or world.loader.client()).post(
        f"/api/datasets/{world.dataset.ref}/uploads/",
        {"mapping": io.BytesIO((text or mapping()).encode()), "file": io.BytesIO(data)},
        format="multipart",
        headers=headers,
    )


def loaded(response) -> Upload:
    assert response.status_code == 202, response.json()
    return uploads.run(upload=Upload.objects.get(ref=response.json()["ref"]), at=timezone.now())


def test_a_file_that_was_sent_becomes_the_next_version(world):
    before = DatasetVersion.objects.filter(dataset=world.dataset).count()
    response = send(world, lines("c-21", "c-22"))
    told = response.json()
    assert response["Location"] == f"/api/uploads/{told['ref']}/"
    assert (told["state"], told["version"]) == ("waiting", None)
    client = world.loader.client()
    polled = client.get(response["Location"])
    assert (polled.status_code, polled["Retry-After"]) == (202, "2")

    assert tasks.load_uploads(timezone.now()) == 1

    told = client.get(response["Location"]).json()
    version = DatasetVersion.objects.get(ref=told["version"])
    assert (told["state"], told["rows"], told["rejected"]) == ("loaded", 2, 0)
    assert version.number == before + 1
    assert version.loaded_by == world.loader.machine
    entry = Entry.objects.get(type=EntryType.DATASET_INGESTED, resource__endswith=version.ref)
    assert (entry.via, entry.actor) == (Via.API, world.loader.machine.ref)
    assert not list(store().names(Upload.objects.get(ref=told["ref"]).folder))
    assert told["ref"] in {row["ref"] for row in client.get("/api/uploads/").json()["results"]}


def test_packed_and_columnar_files_are_loaded_alike(world):
    packed = loaded(send(world, gzip.compress(lines("c-23"))))
    assert packed.state == UploadState.LOADED
    table = pa.table(
        {name: [f"{name}-{n}" if name != "day" else "2025-04-02" for n in range(40_000)]
         for name in HEAD.split(",")}
    )  # fmt: skip
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="none", use_dictionary=False)
    assert sink.tell() > 2 * PIECE
    columnar = loaded(send(world, sink.getvalue(), text='format = "parquet"\n' + mapping()))
    assert (columnar.state, columnar.told) == (UploadState.LOADED, "")
    assert columnar.version.rows == 40_000


def test_the_same_file_sent_again_is_the_same_version(world):
    first, second = loaded(send(world, lines("c-24"))), loaded(send(world, lines("c-24")))
    assert first.pk != second.pk
    assert first.version == second.version


def test_nothing_of_a_waiting_file_lies_in_clear_anywhere(world, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    response = send(world, lines("c-25", "c-26"))
    folder = Upload.objects.get(ref=response.json()["ref"]).folder
    pieces = list(store().names(folder))
    assert len(pieces) == 1
    everything = [path for path in settings.SAYSO_DATA.rglob("*") if path.is_file()]
    for path in everything + [path for path in tmp_path.rglob("*") if path.is_file()]:
        assert CANARY.encode() not in path.read_bytes(), path
    assert loaded(response).state == UploadState.LOADED


def test_memory_does_not_grow_with_the_file(world):
    arrival = receiving.begin(
        dataset=world.dataset, by=world.steward, at=timezone.now(), via=Via.API
    )
    tracemalloc.start()
    try:
        for _ in range(400):
            arrival.write(b"x" * 65_536)
        arrival.finish()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        arrival.forget()
    assert arrival.size == 400 * 65_536
    assert peak < (KEPT + 2) * PIECE


REFUSED = {
    "half of the rows are bad": (
        "too_many_bad_rows",
        lambda: lines("c-27") + b"c-28,31/02,x,y,z\n",
    ),
    "no rows": ("no_rows", lambda: lines()),
    "other columns": ("columns", lambda: b"a,b\n1,2\n"),
    "no text": ("encoding", lambda: b"\xff\xfe\x00\x01\n"),
    "a broken gzip": ("gzip_truncated", lambda: gzip.compress(lines("c-29"))[:-9]),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_that_is_refused_says_why_and_leaves_an_entry(world, what):
    code, data = REFUSED[what]
    before = Entry.objects.filter(type=EntryType.DATASET_REJECTED, reason=code).count()
    upload = loaded(send(world, data()))
    told = world.loader.client().get(f"/api/uploads/{upload.ref}/").json()
    assert (told["state"], told["code"], told["version"]) == ("refused", code, None)
    assert told["told"]
    assert CANARY not in str(told)
    assert Entry.objects.filter(type=EntryType.DATASET_REJECTED, reason=code).count() == before + 1
    report = world.loader.client().get(f"/api/uploads/{upload.ref}/report/")
    if code == "too_many_bad_rows":
        assert told["report"] == f"/api/uploads/{upload.ref}/report/"
        assert report["Content-Type"] == "text/csv; charset=utf-8"
        assert report.content.decode().splitlines()[0] == "line,column,problem,hint"
        assert len(report.content.splitlines()) == 2
        assert b"31/02" not in report.content
    else:
        assert (told["report"], report.status_code) == (None, 404)


def test_a_mapping_that_cannot_be_read_is_refused_when_it_is_loaded(world):
    upload = loaded(send(world, lines("c-30"), text="[["))
    assert (upload.state, upload.code) == (UploadState.REFUSED, "mapping")


BAD_FORMS = {
    "no file": {"mapping": b"x"},
    "an empty file": {"mapping": b"x", "file": b""},
    "no mapping": {"file": b"a,b\n"},
    "another part": {"mapping": b"x", "file": b"y", "more": b"z"},
    "a very long mapping": {"mapping": b"x" * 300_000, "file": b"y"},
}


@pytest.mark.parametrize("what", BAD_FORMS)
def test_a_form_that_is_not_whole_is_refused_and_leaves_an_entry_and_no_piece(world, what):
    before = Upload.objects.count(), set(store().names("arrivals"))
    entries = Entry.objects.filter(type=EntryType.DATASET_REJECTED).count()
    parts = {name: io.BytesIO(data) for name, data in BAD_FORMS[what].items()}
    response = world.loader.client().post(
        f"/api/datasets/{world.dataset.ref}/uploads/", parts, format="multipart"
    )
    assert response.status_code == 400, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert (Upload.objects.count(), set(store().names("arrivals"))) == before
    assert Entry.objects.filter(type=EntryType.DATASET_REJECTED).count() == entries + 1


@pytest.mark.parametrize("kind", ["application/json", "text/csv", "multipart/form-data", ""])
def test_another_kind_of_body_is_refused(world, kind):
    response = world.loader.client().generic(
        "POST", f"/api/datasets/{world.dataset.ref}/uploads/", "{}", content_type=kind
    )
    assert response.status_code in {400, 415}


def test_a_file_that_is_too_large_is_refused_while_it_comes(world, settings):
    settings.UPLOAD_MB = 1
    response = send(world, b"x" * (2 * PIECE))
    assert (response.status_code, response.json()["code"]) == (400, "too_large")


def test_only_the_holders_stewards_send_and_see_uploads(world):
    upload = loaded(send(world, lines("c-31")))
    for client in (world.delta.client(), world.brook.client()):
        assert send(world, lines("c-32"), client=client).status_code == 404
        for path in (f"/api/uploads/{upload.ref}/", f"/api/uploads/{upload.ref}/report/"):
            assert client.get(path).status_code == 404
        assert client.get("/api/uploads/").json()["results"] == []


def test_a_machine_of_the_holder_that_only_asks_is_refused_and_logged(world):
    asker = api_world.machine(world.holder, world.warden, "river-engine-10")
    response = send(world, lines("c-33"), client=asker.client())
    assert (response.status_code, response.json()["code"]) == (403, "may_not_steward")
    entry = Entry.objects.filter(type=EntryType.DATASET_REJECTED).latest("pk")
    assert (entry.reason, entry.actor) == ("may_not_steward", asker.machine.ref)


def test_a_role_that_ends_while_the_file_waits_stops_it(world):
    machine = api_world.machine(world.holder, world.warden, "river-engine-11", Role.STEWARD)
    response = send(world, lines("c-34"), client=machine.client())
    api_world.memberships.end(
        membership=Membership.objects.get(user=machine.machine),
        by=world.warden,
        at=timezone.now(),
        via=Via.COMMAND,
    )
    upload = loaded(response)
    assert (upload.state, upload.code) == (UploadState.REFUSED, "may_not_steward")


def test_a_load_that_broke_off_is_taken_up_again_and_done_once(world, monkeypatch):
    response = send(world, lines("c-35"))
    real = versions.ingest_sent

    def broken(**given):
        real(**given)
        raise MemoryError

    monkeypatch.setattr(versions, "ingest_sent", broken)
    with pytest.raises(MemoryError):
        loaded(response)
    monkeypatch.setattr(versions, "ingest_sent", real)
    before = DatasetVersion.objects.count()
    assert loaded(response).state == UploadState.LOADED
    assert DatasetVersion.objects.count() == before


def test_two_clocks_do_not_load_one_file_at_once(world):
    response = send(world, lines("c-36"))
    upload = Upload.objects.get(ref=response.json()["ref"])
    Upload.objects.filter(pk=upload.pk).update(taken_until=timezone.now() + timedelta(minutes=5))
    assert uploads.run(upload=upload, at=timezone.now()).state == UploadState.WAITING
    Upload.objects.filter(pk=upload.pk).update(taken_until=timezone.now())
    assert uploads.run(upload=upload, at=timezone.now()).state == UploadState.LOADED


def test_pieces_that_belong_to_nothing_go_after_a_day(world):
    uploads.sweep(at=timezone.now() + timedelta(days=2))  # what tests before this one left
    waiting = Upload.objects.get(ref=send(world, lines("c-37")).json()["ref"])
    arrival = receiving.begin(
        dataset=world.dataset, by=world.steward, at=timezone.now(), via=Via.API
    )
    arrival.write(b"x")
    arrival.finish()
    assert uploads.sweep(at=timezone.now()) == 0
    later = timezone.now() + timedelta(days=2)
    assert uploads.sweep(at=later) == 1
    assert not list(store().names(arrival.folder))
    assert list(store().names(waiting.folder))
    assert uploads.run(upload=waiting, at=timezone.now()).state == UploadState.LOADED


def test_the_same_key_and_file_are_one_upload_and_another_file_is_refused(world):
    key = {"Idempotency-Key": "upload-1"}
    first, again = send(world, lines("c-38"), **key), send(world, lines("c-38"), **key)
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    other = send(world, lines("c-39"), **key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    folders = {Upload.objects.get(ref=first.json()["ref"]).folder}
    waiting = Upload.objects.filter(state=UploadState.WAITING).values_list("folder", flat=True)
    assert {"/".join(name.split("/")[:2]) for name in store().names("arrivals")} <= {*waiting}
    assert folders <= {*waiting}
    assert loaded(first).state == UploadState.LOADED
