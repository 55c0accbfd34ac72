"""What is sent twice is done once; what is known already is not sent again."""

import threading
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.utils import timezone

from audit.vocabulary import Via
from governance.actions import repeats
from governance.actions.repeats import Answer, Reused
from governance.models import AccessRequest, KeptAnswer
from release.models import Download, Release
from tests.integration import api_world


@pytest.fixture(scope="module")
def transactional_db(django_db_setup, django_db_blocker):
    """One world for the whole module."""
    with django_db_blocker.unblock(), api_world.committed() as world:
        yield world


@pytest.fixture
def world(transactional_db):
    cache.clear()
    return transactional_db


def ask(world, key="k-1", client=None, **changes):
    return (client or world.delta.client()).post(
        "/api/requests/", world.body(**changes), format="json", headers={"Idempotency-Key": key}
    )


def test_the_same_key_and_body_are_one_request_and_one_answer(world):
    first = ask(world, "same-1")
    count = AccessRequest.objects.count()
    again = ask(world, "same-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Location"] == first["Location"]
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert AccessRequest.objects.count() == count


def test_the_same_key_and_another_body_are_refused(world):
    ask(world, "other-1")
    count = AccessRequest.objects.count()
    other = ask(world, "other-1", reason="Something else.")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert other["Content-Type"] == "application/problem+json"
    approved = world.approved()
    elsewhere = world.delta.client().post(
        f"/api/requests/{approved.ref}/releases/", headers={"Idempotency-Key": "other-1"}
    )
    assert elsewhere.status_code == 422
    assert AccessRequest.objects.count() == count + 1


def test_asking_for_rows_twice_with_one_key_is_one_release(world):
    path = f"/api/requests/{world.approved().ref}/releases/"
    key = {"Idempotency-Key": "rows-1"}
    first = world.delta.client().post(path, headers=key)
    again = world.delta.client().post(path, headers=key)
    assert (
        (again.status_code, again.json())
        == (first.status_code, first.json())
        == (202, first.json())
    )
    assert again["Retry-After"] == "2"
    assert Release.objects.filter(request__ref=path.split("/")[3]).count() == 1


def test_a_key_belongs_to_one_machine(world):
    second = api_world.machine(
        world.delta.organisation, world.delta.administrator, "delta-engine-12"
    )
    mine, theirs = ask(world, "own-1"), ask(world, "own-1", client=second.client())
    assert mine.json()["ref"] != theirs.json()["ref"]


def test_a_refusal_is_not_kept_and_is_decided_again(world):
    refused = ask(world, "again-1", ends="2035-01-01T00:00:00Z")
    assert refused.status_code == 409
    assert ask(world, "again-1").status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "\xff"])
def test_a_key_that_is_no_key_is_refused(world, key):
    before = AccessRequest.objects.count()
    response = ask(world, key)
    assert (response.status_code, response.json()["code"]) == (400, "idempotency_key")
    assert AccessRequest.objects.count() == before


def test_after_a_day_a_key_may_be_used_anew_and_the_clock_forgets_it(world):
    first = ask(world, "day-1")
    KeptAnswer.objects.filter(key="day-1").update(kept_at=timezone.now() - timedelta(hours=25))
    assert ask(world, "day-1").json()["ref"] != first.json()["ref"]
    kept = KeptAnswer.objects.count()
    assert repeats.forget(at=timezone.now()) == 0
    assert repeats.forget(at=timezone.now() + timedelta(hours=25)) == kept


def test_two_at_once_with_one_key_are_one_request_and_both_get_its_answer(world):
    ready, told = threading.Barrier(4), []

    def send():
        try:
            ready.wait()
            told.append(ask(world, "race-1").json())
        finally:
            connection.close()

    before = AccessRequest.objects.count()
    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 4
    assert {each.get("ref") for each in told} == {told[0]["ref"]}
    assert AccessRequest.objects.count() == before + 1


@pytest.mark.parametrize("committed", [True, False])
def test_a_connection_lost_while_committing_is_safe_to_try_again(world, monkeypatch, committed):
    """Whether or not the COMMIT was done, the same sent again ends as one request."""
    real, cut = connection._commit, []

    def lost():
        if not cut:
            cut.append(True)
            if committed:
                real()
            else:
                connection._rollback()
            raise OperationalError("connection lost")
        real()

    before, key = AccessRequest.objects.count(), f"cut-{committed}"
    client = world.delta.client()
    monkeypatch.setattr(connection, "_commit", lost)
    first = ask(world, key, client=client)
    assert (first.status_code, first.json()["code"]) == (503, "database_unavailable")
    assert int(first["Retry-After"]) > 0
    again = ask(world, key, client=client)
    assert again.status_code == 201
    assert (again.get("Idempotency-Replayed") == "true") is committed
    assert AccessRequest.objects.count() == before + 1


def test_a_deed_that_fails_leaves_no_key(world):
    given = {
        "key": "fail-1",
        "fingerprint": "0" * 64,
        "organisation": world.delta.organisation,
        "by": world.delta.machine,
        "at": timezone.now(),
        "via": Via.API,
    }

    def fail():
        raise MemoryError

    with pytest.raises(MemoryError):
        repeats.once(deed=fail, **given)
    assert not KeptAnswer.objects.filter(key="fail-1").exists()
    assert repeats.once(deed=lambda: Answer(201, {"a": 1}), **given) == (
        Answer(201, {"a": 1}),
        False,
    )
    assert repeats.once(deed=fail, **given) == (Answer(201, {"a": 1}), True)
    with pytest.raises(Reused):
        repeats.once(deed=fail, **{**given, "fingerprint": "1" * 64})


READINGS = ["datasets/", "requests/", "releases/", "uploads/", "requests/{request}/",
            "releases/{release}/", "releases/{release}/proof/", "log/checkpoint"]  # fmt: skip


@pytest.fixture(scope="module")
def places(transactional_db):
    request = transactional_db.approved()
    release = transactional_db.prepared(request)
    transactional_db.delta.client().get(f"/api/releases/{release.ref}/manifest/")
    return {"request": request.ref, "release": release.ref}


@pytest.mark.parametrize("reading", READINGS)
def test_who_has_the_bytes_already_is_not_sent_them_again(world, places, reading):
    client, path = world.delta.client(), "/api/" + reading.format(**places)
    first = client.get(path)
    assert first.status_code == 200
    for tag in (first["ETag"], f'"other", W/{first["ETag"]}', "*"):
        again = client.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    other = client.get(path, headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)
    assert client.head(path, headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_what_changed_has_another_etag(world):
    client, release = world.delta.client(), world.ask(world.approved())
    waiting = client.get(f"/api/releases/{release.ref}/")
    assert (waiting.status_code, waiting.get("ETag")) == (202, None)
    listed = client.get("/api/releases/")["ETag"]
    world.ask(world.approved())
    assert client.get("/api/releases/", headers={"If-None-Match": listed}).status_code == 200


@pytest.mark.parametrize("piece", ["manifest", "parts/1", "package"])
def test_a_hand_over_is_a_decision_each_time_whatever_the_caller_has(world, places, piece):
    client, path = world.delta.client(), f"/api/releases/{places['release']}/{piece}/"
    tag = client.get(path).get("ETag", "*")
    before = Download.objects.count()
    again = client.get(path, headers={"If-None-Match": tag})
    assert again.status_code == 200
    assert Download.objects.count() == before + 1


def test_a_refusal_is_not_answered_by_304(world):
    refused = world.delta.client().get("/api/nowhere/", headers={"If-None-Match": "*"})
    assert refused.status_code == 404
