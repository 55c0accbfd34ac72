"""What witnesses find out about the log, and the quorum of them that stands before a hand-over."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from audit import queries as log
from audit.actions import await_quorum, feed, feeding, sequence
from audit.models import Checkpoint, Cosignature, Entry, Node, WitnessFault, WitnessState
from audit.vocabulary import WitnessTrouble
from common.errors import NotReady
from release.management.doctor import witnesses as doctor
from release.queries import readiness
from tests import watchers
from tests.append_only import triggers_lifted
from tests.integration.audit_log import AT, happened, log_keys, log_of  # noqa: F401
from tests.integration.test_feeding import later, now, state, watched_by

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("log_keys")]


@pytest.fixture
def outside(tmp_path):
    """A true witness that watches this log."""
    with watchers.witness(tmp_path, 1, log.log_verifier()) as url:
        yield url


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch):
    monkeypatch.setattr(feeding, "PATIENCE", 0.5)


# --- what a witness finds out about us ------------------------------------------------------------


def cut_back_to(size):
    with triggers_lifted():
        Checkpoint.objects.filter(size__gt=size).delete()
        Cosignature.objects.filter(size__gt=size).delete()
        Entry.objects.filter(seq__gte=size).delete()
        for node in Node.objects.all():
            if (node.index + 1) << node.level > size:
                node.delete()
        WitnessState.objects.update(size=min(size, state().size))


REWRITINGS = {
    "yesterday's backup restored": (5, (6,), WitnessTrouble.HOLDS_MORE),
    "the last entries cut": (7, (8,), WitnessTrouble.HOLDS_MORE),
    "rewritten and signed with the true key": (5, (13,), WitnessTrouble.DOES_NOT_GO_ON),
    "another log under the same key": (0, (13,), WitnessTrouble.DOES_NOT_GO_ON),
}


@pytest.mark.parametrize("name", REWRITINGS)
def test_a_witness_names_what_the_log_alone_cannot_show(settings, outside, name):
    back, again, trouble = REWRITINGS[name]
    watched_by(settings, outside)
    log_of(5, 7, 13)
    assert feed(at=now()) == 1
    cut_back_to(back)
    log_of(*again)
    call_command("verify_log", stdout=StringIO())  # the log itself holds
    assert feed(at=later()) == 0
    assert state().trouble == trouble
    (fact,) = WitnessFault.objects.all()
    assert fact.kind == trouble
    told = [found for found in doctor.findings() if found.level == "bad"]
    assert len(told) == 1
    assert "Hand nothing over" in told[0].do
    before = happened("more")
    sequence()
    settings.WITNESSES_GATE = True
    with pytest.raises(NotReady, match="witnesses"):
        await_quorum(entry=before, seconds=0)


# --- the quorum ------------------------------------------------------------------------------------


def test_where_it_is_not_demanded_nothing_waits(settings):
    watched_by(settings, "http://127.0.0.1:9")
    log_of(1)
    await_quorum(entry=Entry.objects.get(), seconds=0)


def test_what_waits_feeds_the_witnesses_itself_and_goes_on_when_enough_have_signed(
    settings, tmp_path
):
    settings.WITNESSES_GATE = True
    key = log.log_verifier()
    with (
        watchers.witness(tmp_path, 1, key) as one,
        watchers.witness(tmp_path, 2, key) as two,
    ):
        watched_by(settings, one, "http://127.0.0.1:9", "http://127.0.0.1:9", least=2)
        log_of(3)
        entry = Entry.objects.get(seq=2)
        with pytest.raises(NotReady) as refusal:
            await_quorum(entry=entry, seconds=0.2)
        assert refusal.value.code == "not_witnessed"
        watched_by(settings, one, two, "http://127.0.0.1:9", least=2)
        WitnessState.objects.update(next_at=now())
        await_quorum(entry=entry, seconds=20)
        assert log.witnessed_head().size == 3


def test_a_cosignature_that_somebody_wrote_into_the_table_counts_for_nothing(settings, outside):
    settings.WITNESSES_GATE = True
    watched_by(settings, outside)
    log_of(3)
    entry = Entry.objects.get(seq=0)
    cosigner = watchers.key_of(1).cosigner
    Cosignature.objects.create(
        size=3, name=cosigner.name, key_id=cosigner.key_id, signature=b"x" * 72, received_at=AT
    )
    WitnessState.objects.create(name=f"{cosigner.name}+{cosigner.key_id.hex()}", next_at=later())
    with pytest.raises(NotReady):
        await_quorum(entry=entry, seconds=0)
    with pytest.raises(Exception, match=r"cosignature of witness.example/w1 at size 3"):
        call_command("verify_log", stdout=StringIO())


def test_an_entry_that_has_no_number_is_under_nothing(settings, outside):
    settings.WITNESSES_GATE = True
    watched_by(settings, outside)
    log_of(1)
    with pytest.raises(NotReady):
        await_quorum(entry=happened("waiting"), seconds=0)


def test_readiness_says_when_hand_overs_wait_too_long(settings, outside):
    def check():
        return {one.check: one.code for one in readiness.readings()}["witnesses"]

    watched_by(settings, outside)
    log_of(2)
    assert check() == "ok"  # nothing waits for them
    settings.WITNESSES_GATE = True
    assert check() == "ok"  # not for long
    with triggers_lifted():
        Checkpoint.objects.update(signed_at=now() - timedelta(minutes=5))
    assert check() == "witnesses_late"
    feed(at=now())
    assert check() == "ok"
    log_of(4)
    assert check() == "ok"
