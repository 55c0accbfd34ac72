"""New heads go to the witnesses outside, and what they answer is taken, kept, or held against them."""

import time
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone

from audit import queries as log
from audit.actions import feed, feeding, sequence
from audit.models import Cosignature, Entry, WitnessFault, WitnessState
from audit.tlog.asking import parse_request
from audit.tlog.checkpoints import open_checkpoint
from audit.tlog.cosignatures import CosigningKey
from audit.tlog.notes import parse_note
from audit.tlog.policy import Policy
from audit.tlog.proofs import check_proof
from audit.vocabulary import WitnessTrouble
from release.management.doctor import witnesses as doctor
from tests import watchers
from tests.integration.audit_log import AT, happened, log_keys, log_of  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("log_keys")]
ORIGIN = "log.example/test"


@pytest.fixture
def outside(tmp_path):
    """A true witness that watches this log."""
    with watchers.witness(tmp_path, 1, log.log_verifier()) as url:
        yield url


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch):
    monkeypatch.setattr(feeding, "PATIENCE", 0.5)


def watched_by(settings, *urls, least=1):
    settings.WITNESSES = watchers.policy(dict(enumerate(urls, start=1)), least)


def now():
    return timezone.now()


def later():
    """When everybody who failed may be asked again."""
    return timezone.now() + timedelta(hours=1)


def state(number=1):
    return WitnessState.objects.get(name=watchers.vkey(number).rsplit("+", 1)[0])


# --- a witness that does its work -----------------------------------------------------------------


def test_a_new_head_is_cosigned_and_the_head_and_the_proofs_show_it(settings, outside):
    watched_by(settings, outside)
    log_of(3)
    assert feed(at=now()) == 1
    cosigner = watchers.key_of(1).cosigner
    note = Client().get("/api/log/checkpoint").content.decode()
    assert open_checkpoint(note, origin=ORIGIN, verifiers=[cosigner]).size == 3
    entry = Entry.objects.get(seq=1)
    shown = check_proof(
        log.proof(entry), leaf=bytes(entry.leaf_hash), origin=ORIGIN, verifiers=[cosigner]
    )
    assert shown.size == 3
    assert feed(at=now()) == 0  # nothing is new
    log_of(9)
    assert feed(at=now()) == 1
    assert (state().size, Cosignature.objects.count()) == (9, 2)
    call_command("verify_log", stdout=StringIO())


def test_without_a_witness_or_an_entry_nobody_is_asked(settings, outside):
    log_of(2)
    assert feed(at=now()) == 0
    settings.WITNESSES = Policy()
    assert feed(at=now()) == 0
    assert log.proof(Entry.objects.get(seq=0))
    assert log.standings() == []


def test_a_log_that_has_signed_nothing_asks_nobody(settings, outside):
    watched_by(settings, outside)
    assert feed(at=now()) == 0


def test_a_witness_that_has_seen_more_than_we_know_is_asked_from_there(settings, outside):
    watched_by(settings, outside)
    log_of(3)
    feed(at=now())
    WitnessState.objects.all().delete()  # as after a restore of our own database
    log_of(9)
    assert feed(at=now()) == 1
    assert (state().size, state().trouble) == (9, WitnessTrouble.WELL)
    assert not WitnessFault.objects.exists()


def test_a_proof_stands_under_the_first_head_that_enough_witnesses_signed(settings, outside):
    watched_by(settings, outside)
    log_of(2, 4, 6)
    entry = Entry.objects.get(seq=0)
    assert parse_size(log.proof(entry)) == 2  # nobody has signed anything yet
    feed(at=now())
    assert parse_size(log.proof(entry)) == 6
    log_of(8)
    feed(at=now())
    assert parse_size(log.proof(entry)) == 6  # from now on always this one
    assert log.witnessed_head().size == 8
    log_of(10)
    assert log.witnessed_head().size == 8
    assert log.latest_checkpoint().size == 10


def parse_size(proof):
    return int(proof.split("\n\n")[1].split("\n")[1])


def test_the_log_may_sign_with_two_keys_and_witnesses_take_it(settings, outside):
    settings.LOG_MLDSA = True
    watched_by(settings, outside)
    log_of(3)
    assert feed(at=now()) == 1
    note = log.note_with(log.latest_checkpoint())
    assert len(parse_note(note).signatures) == 3
    second = log.log_second(now()).cosigner
    for key in (log.log_verifier(), second, watchers.key_of(1).cosigner):
        assert open_checkpoint(note, origin=ORIGIN, verifiers=[key]).size == 3
    out = StringIO()
    call_command("log_key", stdout=out)
    assert out.getvalue().splitlines() == [log.log_verifier().render(), second.render()]
    call_command("verify_log", stdout=StringIO())


def test_one_process_asks_at_a_time(settings, outside):
    watched_by(settings, outside)
    log_of(3)
    (witness,) = settings.WITNESSES.witnesses.values()
    head = log.latest_checkpoint()
    assert feeding._claim(witness, head, now())
    assert not feeding._claim(witness, head, now())
    assert feeding._claim(witness, head, later())


def test_no_witness_is_asked_within_a_transaction(settings, outside):
    watched_by(settings, outside)
    with transaction.atomic(), pytest.raises(RuntimeError, match="outside of any transaction"):
        feed(at=now())


def test_the_clock_feeds_them(settings, outside):
    watched_by(settings, outside)
    log_of(3)
    call_command("work", "--once", stdout=StringIO())
    assert state().size >= 3


# --- a witness that is slow, wrong or malicious ---------------------------------------------------


def cosigned_by(number, text):
    note = CosigningKey(f"witness.example/w{number}", bytes([number + 1]) * 32, 1).sign(
        parse_note(text + "\n\u2014 a AAAAAAAA\n")
    )
    return note.signatures[1].line().encode()


def another_text():
    return f"{ORIGIN}\n9\n{'A' * 43}=\n"


OTHER = cosigned_by(1, another_text())
ANSWERS = {
    "a false signature": ((200, "", OTHER), WitnessTrouble.FALSE),
    "another's signature": ((200, "", cosigned_by(2, another_text())), WitnessTrouble.FALSE),
    "no line": ((200, "", b""), WitnessTrouble.MALFORMED),
    "half a line": ((200, "", OTHER[:-1]), WitnessTrouble.MALFORMED),
    "a page": ((200, "text/html", b"<html>\n"), WitnessTrouble.MALFORMED),
    "no text": ((200, "", b"\xff\n"), WitnessTrouble.MALFORMED),
    "ten thousand lines": ((200, "", OTHER * 10_000), WitnessTrouble.MALFORMED),
    "a body without end": ((200, "", b"x" * 10_000_000), WitnessTrouble.MALFORMED),
    "a size of another kind": ((409, "text/plain", b"0\n"), WitnessTrouble.MALFORMED),
    "a size without an end": ((409, "text/x.tlog.size", b"0"), WitnessTrouble.MALFORMED),
    "a size with a zero": ((409, "text/x.tlog.size", b"01\n"), WitnessTrouble.MALFORMED),
    "a size below nothing": ((409, "text/x.tlog.size", b"-1\n"), WitnessTrouble.MALFORMED),
    "the size we asked from": ((409, "text/x.tlog.size", b"0\n"), WitnessTrouble.MALFORMED),
    "a larger size": ((409, "text/x.tlog.size", b"99\n"), WitnessTrouble.HOLDS_MORE),
    "one size after another": ((409, "text/x.tlog.size", b"1\n"), WitnessTrouble.MALFORMED),
    "a broken proof": ((422, "", b""), WitnessTrouble.DOES_NOT_GO_ON),
    "an unknown log": ((404, "", b""), WitnessTrouble.UNKNOWN_LOG),
    "an unknown key": ((403, "", b""), WitnessTrouble.UNTRUSTED_KEY),
    "a bad request": ((400, "", b""), WitnessTrouble.MALFORMED),
    "somewhere else": (
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
        WitnessTrouble.MALFORMED,
    ),
    "no time": ((503, "", b""), WitnessTrouble.BUSY),
    "too much asked": ((429, "", b""), WitnessTrouble.BUSY),
    "no HTTP": (b"220 mail\r\n", WitnessTrouble.UNREACHABLE),
    "nothing": (b"", WitnessTrouble.UNREACHABLE),
    "a body cut off": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n\xe2\x80\x94 w",
        WitnessTrouble.UNREACHABLE,
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_wrong_answer_is_told_apart_and_what_cannot_be_true_is_kept(settings, name):
    answer, trouble = ANSWERS[name]
    log_of(3)
    with watchers.saying(answer) as (url, asked):
        watched_by(settings, url)
        assert feed(at=now()) == 0
        assert feed(at=now()) == 0  # it is left alone for a while
    assert len(asked) == (2 if name == "one size after another" else 1)
    assert (state().trouble, state().failures) == (trouble, 1)
    assert state().next_at > now()
    assert not Cosignature.objects.exists()
    kept = list(WitnessFault.objects.values_list("kind", "size"))
    assert kept == ([(trouble, 3)] if trouble in feeding.FACTS else [])
    (told,) = [found for found in doctor.findings() if found.check == "witness"]
    assert told.says.startswith("witness.example/w1+")


def test_the_same_wrong_answer_again_is_one_fact_and_the_pause_grows(settings):
    log_of(3)
    with watchers.saying((200, "", OTHER)) as (url, _):
        watched_by(settings, url)
        pauses = []
        for _number in range(3):
            feed(at=later())
            pauses.append(round((state().next_at - now()).total_seconds()))
    assert pauses == [1, 2, 4]
    assert WitnessFault.objects.count() == 1
    assert feeding._pause(50) == feeding.LONGEST_PAUSE


@pytest.mark.parametrize("drip", [b"", b"H", b"HTTP/1.1 200 OK\r\nA: b\r\n"])
def test_one_that_is_slow_or_drips_holds_nobody_else_up(settings, outside, drip, monkeypatch):
    monkeypatch.setattr(feeding, "PATIENCE", 0.3)
    log_of(3)
    with watchers.silent(drip) as slow:
        watched_by(settings, outside, slow)
        began = time.monotonic()
        assert feed(at=now()) == 1
        assert time.monotonic() - began < 3
    assert state(1).size == 3
    assert state(2).trouble == WitnessTrouble.UNREACHABLE
    assert sequence() == 0  # and the log goes on whatever they do
    happened("next")
    assert sequence() == 1


def test_one_that_lies_does_not_spoil_another(settings, outside):
    log_of(3)
    with watchers.saying((200, "", OTHER)) as (liar, _):
        watched_by(settings, outside, liar)
        assert feed(at=now()) == 1
    assert [row.name for row in Cosignature.objects.all()] == ["witness.example/w1"]


def test_one_that_comes_back_is_asked_from_where_it_was(settings, outside):
    watched_by(settings, "http://127.0.0.1:9")
    log_of(3)
    assert feed(at=now()) == 0
    assert state().trouble == WitnessTrouble.UNREACHABLE
    watched_by(settings, outside)
    log_of(5)
    assert feed(at=later()) == 1
    assert (state().size, state().failures) == (5, 0)


def test_what_is_sent_is_the_specification_s_own_request(settings):
    log_of(3)
    with watchers.saying((503, "", b"")) as (url, asked):
        watched_by(settings, url)
        feed(at=now())
        WitnessState.objects.update(size=2)
        feed(at=later())
    first, second = (parse_request(each) for each in asked)
    assert (first.old, first.path) == (0, ())
    assert (second.old, list(second.path)) == (2, log.consistency(2, 3))
    assert first.note == log.latest_checkpoint().note
