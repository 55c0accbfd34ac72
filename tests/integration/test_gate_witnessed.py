"""Where a quorum of witnesses is demanded, nothing is handed over before they have signed it."""

from functools import partial

import pytest
from django.utils import timezone

from audit import queries as log
from audit.actions import await_quorum, feed, feeding
from audit.models import WitnessState
from release.actions import handing
from release.models import Download
from tests import watchers
from tests.integration import api_world


@pytest.fixture(scope="module")
def transactional_db(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), api_world.committed() as world:
        yield world


def test_a_package_waits_for_the_witnesses_and_then_goes_out_with_their_word(
    transactional_db, settings, monkeypatch, tmp_path
):
    world = transactional_db
    release = world.prepared(world.approved())
    client, path = world.delta.client(), f"/api/releases/{release.ref}/manifest/"
    monkeypatch.setattr(feeding, "PATIENCE", 0.5)
    monkeypatch.setattr(handing, "await_quorum", partial(await_quorum, seconds=0.1))
    settings.WITNESSES_GATE = True
    settings.WITNESSES = watchers.policy({1: "http://127.0.0.1:9"})
    answer = client.get(path)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["code"] == "not_witnessed"
    assert Download.objects.filter(release=release).count() == 1  # decided, written, not sent
    with watchers.witness(tmp_path, 1, log.log_verifier()) as url:
        settings.WITNESSES = watchers.policy({1: url})
        WitnessState.objects.update(next_at=timezone.now())
        monkeypatch.setattr(handing, "await_quorum", await_quorum)
        sent = client.get(path)
        assert sent.status_code == 200
        assert b"manifest_sha256" in b"".join(sent)
        feed(at=timezone.now())
    shown = client.get(f"/api/releases/{release.ref}/proof/").content.decode()
    assert "witness.example/w1 " in shown
