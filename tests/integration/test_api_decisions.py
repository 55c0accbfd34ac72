"""A holder's system asks through the machines' door about one client."""

import json
from hashlib import sha256
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from api.throttling import DecisionThrottle
from audit.actions import entries, sequence
from audit.models import Entry
from audit.tlog.canonical import canonical_bytes, parse_canonical
from audit.tlog.proofs import parse_proof
from audit.tlog.tree import leaf_hash
from audit.vocabulary import EntryType, Via
from common.errors import NotReady
from governance.actions import machines
from governance.vocabulary import MachineScope, Role
from release.actions import gate
from release.models import Inquiry
from tests.integration import api_world
from tests.integration.api_world import CANARY, bearer

PATH, FORM = "/api/decisions/", "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def transactional_db(django_db_setup, django_db_blocker):
    """One world for the whole module, with the holder's case-management system in it."""
    with django_db_blocker.unblock(), api_world.committed() as world:
        world.request = world.approved()
        world.system = api_world.machine(world.holder, world.warden, "river-engine-9", Role.STEWARD)
        yield world


@pytest.fixture
def world(transactional_db):
    cache.clear()
    return transactional_db


def ask(world, client="c-1", request="", by=None, **head):
    body = {"request": request or world.request.ref, "client": client}
    asker = world.system.client() if by is None else by
    return asker.post(PATH, body, format="json", **head)


def test_a_permit_says_which_columns_may_go_and_where_its_proof_is(world):
    answer = ask(world)
    told = answer.json()
    assert (answer.status_code, told["decision"], told["grounds"]) == (200, "permitted", [])
    assert told["columns"] == {api_world.category().code: ["age_band", "region"]}
    assert told["record_until"] == timezone.now().date().isoformat()
    assert answer["Cache-Control"] == "no-store"
    assert CANARY not in answer.content.decode()

    early = world.system.client().get(told["proof"])
    assert (early.status_code, early.json()["code"]) == (503, "log_not_ready")
    sequence()
    text = world.system.client().get(told["proof"]).content.decode()
    leaf = parse_proof(text).extra
    assert leaf_hash(leaf).hex() == told["leaf_hash"]
    said = {
        "columns": "age_band,region",
        "decision": "permitted",
        "grounds": "",
        "record_until": told["record_until"],
        "ref": told["ref"],
        "request": world.request.ref,
    }
    committed = sha256(canonical_bytes(said)).hexdigest()
    found = parse_canonical(leaf)
    assert (found["detail_commit"], found["resource"]) == (committed, told["ref"])


@pytest.mark.parametrize("client", ["c-4", "c-5", "nobody here"])
def test_a_refusal_is_an_answer_and_tells_nobody_from_another(world, client):
    told = ask(world, client).json()
    assert {name: told[name] for name in ("decision", "columns", "record_until", "grounds")} == {
        "decision": "refused",
        "columns": {},
        "record_until": None,
        "grounds": ["no_yes"],
    }


def test_a_no_is_in_the_next_answer_and_an_idempotency_key_does_not_keep_the_last(world):
    head = {"HTTP_IDEMPOTENCY_KEY": "the-same-key"}
    before = ask(world, "c-3", **head)
    world.no(world.consent_of("c-3"))
    after = ask(world, "c-3", **head)
    assert [each.json()["decision"] for each in (before, after)] == ["permitted", "refused"]
    assert "Idempotency-Replayed" not in after


def test_another_organisations_machine_finds_nothing_there(world):
    brook = api_world.machine(
        world.brook.organisation, world.brook.administrator, "brook-engine-19", Role.STEWARD
    )
    before = Inquiry.objects.count()
    other = ask(world, by=brook.client())
    none = ask(world, request="req-2222222222222")
    assert (other.status_code, none.status_code) == (404, 404)
    assert other.json() == none.json()
    assert Inquiry.objects.count() == before
    proof = ask(world).json()["proof"]
    sequence()
    assert brook.client().get(proof).status_code == 404


def test_a_request_that_was_not_handed_in_is_not_there(world):
    draft = world.drafted()
    assert ask(world, request=draft.ref).status_code == 404


def test_the_recipient_is_never_answered(world):
    assert ask(world, by=world.delta.client()).status_code == 404


def test_a_requesters_machine_of_the_holder_is_refused_and_written_down(world):
    asker = api_world.machine(world.holder, world.warden, "river-engine-13")
    answer = ask(world, by=asker.client())
    assert (answer.status_code, answer.json()["code"]) == (403, "may_not_steward")
    entry = Entry.objects.filter(actor=asker.machine.ref, type=EntryType.INQUIRY_ANSWERED).get()
    assert (entry.decision, entry.reason) == ("refused", "may_not_steward")


@pytest.mark.parametrize("scope", [MachineScope.READ, MachineScope.LOAD])
def test_another_scope_is_not_enough(world, scope):
    secret = token(world, scope)
    answer = ask(world, by=bearer(secret))
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


def test_its_own_scope_is_enough(world):
    secret = token(world, MachineScope.DECIDE)
    assert ask(world, by=bearer(secret)).status_code == 200
    assert bearer(secret).get("/api/requests/").status_code == 403


def token(world, scope) -> str:
    """A token for this scope alone, as the door gives them."""
    client, secret = machines.register(
        user=world.system.machine,
        organisation=world.holder,
        label=f"only {scope}",
        scopes=[scope],
        by=world.warden,
        at=timezone.now(),
        via=Via.COMMAND,
    )
    form = {
        "grant_type": "client_credentials",
        "client_id": client.application.client_id,
        "client_secret": secret,
    }
    given = Client().post("/api/oauth/token/", urlencode(form), content_type=FORM)
    return str(given.json()["access_token"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"request": "req-2222222222222"},
        {"client": "c-1"},
        {"request": "", "client": "c-1"},
        {"request": "req-2222222222222", "client": ""},
        {"request": "req-2222222222222", "client": 7},
        {"request": "req-2222222222222", "client": ["c-1"]},
        {"request": "req-2222222222222", "client": "x" * 201},
        {"request": "req-2222222222222", "client": "c-1", "at": "2026-01-01T00:00:00Z"},
        ["c-1"],
        "c-1",
    ],
    ids=str,
)
def test_what_has_the_wrong_shape_is_refused_and_not_repeated(world, body):
    before = Entry.objects.count()
    answer = world.system.client().post(PATH, body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_shape")
    assert "xxx" not in answer.content.decode()
    assert Entry.objects.count() == before


def test_a_number_in_the_address_is_not_looked_at(world):
    before = Entry.objects.count()
    client = world.system.client()
    assert client.post(f"{PATH}?client=c-1", {}, format="json").status_code == 400
    assert client.get(f"{PATH}?client=c-1").status_code == 405
    assert client.get(f"{PATH}c-1/").status_code == 404
    assert Entry.objects.count() == before


def test_nothing_is_answered_while_the_gate_is_shut_or_the_log_takes_nothing(world, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(gate.noes, "_against", lambda _: NotReady("restored", "shut"))
        shut = ask(world)
    with monkeypatch.context() as patch:

        def broken(_: object) -> None:
            raise NotReady("log_unavailable", "The log cannot take this entry at present.")

        patch.setattr(entries.ENTRY, "inserting", broken)
        down = ask(world)
    assert [each.status_code for each in (shut, down)] == [503, 503]
    assert [each.json()["code"] for each in (shut, down)] == ["restored", "log_unavailable"]
    assert shut["Retry-After"] == down["Retry-After"] == "5"


def test_who_asks_too_often_is_told_when_to_come_again_and_other_addresses_go_on(
    world, monkeypatch
):
    assert DecisionThrottle().num_requests >= 150 * 60
    monkeypatch.setattr(DecisionThrottle, "rate", "2/min", raising=False)
    monkeypatch.setattr(DecisionThrottle, "timer", staticmethod(lambda: 1_000_020.5))
    statuses = [ask(world).status_code for _ in range(3)]
    refused = ask(world)
    assert (statuses, refused.status_code) == ([200, 200, 429], 429)
    assert refused["Retry-After"] == "61"
    assert world.system.client().get("/api/datasets/").status_code == 200


def test_the_number_stands_neither_in_the_log_nor_in_the_lines_of_the_process(world, caplog):
    caplog.set_level("DEBUG")
    ask(world, "c-2")
    assert "c-2" not in caplog.text
    entry = Entry.objects.order_by("pk").last()
    assert b"c-2" not in bytes(entry.leaf)
    assert json.loads(entry.leaf)["actor"] == world.system.machine.ref
