"""Her list to take home: what is in it, that it can be checked without us, and who gets it."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit import queries as log
from audit.actions import feed, sequence
from common.keyring import KeyRing
from consent.actions import subjects
from consent.models import Subject
from governance.actions import people
from governance.models import User
from governance.vocabulary import UserKind
from release.models import ReleasePart
from release.queries import proofs
from release.vocabulary import DownloadPart
from tests import checking, watchers
from tests.append_only import unguarded
from tests.gate import drained, part_of
from tests.survivors import WORDS, said_again
from tests.worlds import World, hand, lasting_world

pytestmark = pytest.mark.database
MODEL = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """c-1 lived through everything; c-2 is beside her in it; c-5 is in another part of the package."""
    with django_db_blocker.unblock(), lasting_world(6, each=1, part_rows=3) as found:
        release = found.prepare()
        drained(found.hand_over(release))
        own = part_of(found, release, "c-1").number
        for number in (1, 2):
            drained(found.hand_over(release, DownloadPart.PART, number=number))
        assert own in (1, 2)
        found.inquire("c-1")
        found.pause("c-1")
        found.inquire("c-1")
        found.prepare()
        found.resume("c-1")
        found.lift(found.object("c-1", recipient=found.recipient))
        while sequence():
            pass
        yield found


@pytest.fixture(autouse=True)
def fresh() -> None:
    cache.clear()


@pytest.mark.django_db
def test_a_database_is_there():
    """Also lets the test runner make its database: see `lasting_world`."""


def account(world: World, number: str) -> User:
    subject = world.subject(number)
    if subject.account is not None:
        return subject.account
    made = people.create_user(
        username=f"maple-{number}", kind=UserKind.SURVIVOR, **hand(world.home.warden)
    )
    made.set_password(WORDS)
    made.save()
    subjects.give_account(subject=subject, account=made, **hand(world.home.advocate))
    return made


def signed_in(world: World, number: str) -> Client:
    client = Client()
    client.force_login(account(world, number), backend=MODEL)
    return said_again(client)


def saved(client: Client, name: str = "copy", **given: str) -> Any:
    return client.post(reverse(f"portal:{name}"), {"passphrase": WORDS, **given})


def inside(answer: Any) -> dict[str, str]:
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as folder:
        assert folder.testzip() is None
        return {name: folder.read(name).decode() for name in folder.namelist()}


@pytest.fixture
def checked(tmp_path: Path) -> Any:
    """The script as somebody runs it on what she saved: its code, and what it says."""

    def checked(text: str, key: str = "", policy: str = "") -> tuple[int, str]:
        return checking.script_says(tmp_path, text, key=key, policy=policy)

    return checked


# --- what is in it --------------------------------------------------------------------------------


def test_her_list_is_proven_to_whoever_has_the_log_s_key_alone(world, checked):
    files = inside(saved(signed_in(world, "c-1")))
    assert [name for name in files if not name.startswith("slips/")] == [
        *("list.txt", "list.json", "proofs.txt", "check.py")
    ]
    # Who helps her was put in as a row, without its entry.
    told = json.loads(files["list.json"])["events"]
    events = [each for each in told if each["what"] != "around"]
    assert [each["what"] for each in events] == [
        *("said", "said", "said", "said", "kept_back", "asked", "said", "asked"),
        *("picked_up", "picked_up", "ready", "said"),
    ]
    assert all(each["entry"] is not None for each in events)
    code, says = checked(files["proofs.txt"])
    assert code == 0, says
    assert "12 of 12 events are in the log" in says
    assert checking.tagged(says) == 9  # not the pick-ups, nor what was kept back
    assert "columns region" in says or "region," in says


def test_with_her_own_key_each_tag_is_shown_to_be_hers_and_with_another_s_none(world, checked):
    proofs_ = inside(saved(signed_in(world, "c-1")))["proofs.txt"]
    key = saved(signed_in(world, "c-1"), "own_key", sure="on").content.decode()
    code, says = checked(proofs_, key)
    assert (code, says.count("it is yours")) == (0, 9)
    other = saved(signed_in(world, "c-2"), "own_key", sure="on").content.decode()
    assert checked(proofs_, other)[0] == 1


def test_the_list_is_told_in_words_and_for_programs(world):
    files = inside(saved(signed_in(world, "c-1")))
    words = files["list.txt"]
    for told in (
        "Made ready for Delta.",
        "Picked up by Delta.",
        "Kept back from Delta.",
        "It was paused.",
        "Someone asked if it may go to Delta. The answer was yes.",
        "Someone asked if it may go to Delta. The answer was no.",
        "You said yes: Delta.",
        "You took your no back: Delta.",
        "About me (",
    ):
        assert told in words
    assert "opened" not in words
    ready = next(e for e in json.loads(files["list.json"])["events"] if e["what"] == "ready")
    assert (ready["recipient"], ready["held_by"]) == ("Delta", "River")
    assert ready["request"] == world.home.request.ref
    assert ready["yes"] == world.consent("c-1").ref
    assert {name for names in ready["fields"].values() for name in names} >= {"region"}


def test_nothing_of_anybody_else_is_in_it(world):
    mine = inside(saved(signed_in(world, "c-1")))
    beside = inside(saved(signed_in(world, "c-2")))
    whole = "".join(mine.values())
    other = world.subject("c-2")
    assert world.consent("c-2").ref not in whole
    (key,) = proofs._opened(account(world, "c-2"))
    assert str(other.slot) not in mine["proofs.txt"].split()
    tags = {line for line in beside["proofs.txt"].splitlines() if line.startswith("tag ")}
    assert len(tags) == 3
    assert not tags & set(mine["proofs.txt"].splitlines())
    assert key.hex() not in whole


# --- at once, and as long as keys stand -----------------------------------------------------------


def test_what_was_committed_is_in_her_list_at_once(world):
    client = signed_in(world, "c-3")
    before = client.get(reverse("portal:history")).content.decode()
    release = world.prepare()
    after = client.get(reverse("portal:history")).content.decode()
    assert after.count("Ready for") == before.count("Ready for") + 1
    drained(world.hand_over(release))
    assert client.get(reverse("portal:history")).content.decode().count("Ready for") == (
        before.count("Ready for")
    )


def test_a_package_of_before_parts_kept_their_roots_is_proven_from_the_keys(world, checked):
    before = proven(world, checked)
    with unguarded():
        assert ReleasePart.objects.update(root=None)
        assert proven(world, checked) == before


def test_where_another_s_key_is_gone_the_others_of_her_part_lose_only_their_way(world, checked):
    """In another part it harms nothing: each part keeps its root."""
    release = part_of_release(world)
    numbers = ["c-2", "c-3", "c-4", "c-5", "c-6"]
    hers = part_of(world, release, "c-1").number
    beside = [each for each in numbers if part_of(world, release, each).number == hers]
    apart = [each for each in numbers if part_of(world, release, each).number != hers]
    for number, lost in ((apart[0], False), (beside[0], True)):
        before = proven(world, checked)
        with unguarded():
            _, wrapped = proofs.keys.new_keys(world.home.organisation.ref, 1)
            Subject.objects.filter(pk=world.subject(number).pk).update(wrapped_key=wrapped[0])
            assert (proven(world, checked) < before) is lost


def proven(world: World, checked: Any) -> int:
    code, says = checked("".join(proofs.text(proofs.copy(account(world, "c-1")))))
    assert code == 0, says
    return checking.tagged(says)


def part_of_release(world: World) -> Any:
    return ReleasePart.objects.order_by("pk").first().release


def test_while_the_holder_s_key_is_away_there_is_no_half_file(world, monkeypatch):
    client = signed_in(world, "c-4")
    monkeypatch.setattr(proofs.keys, "ring", lambda: KeyRing(Path("/nonexistent/keys")))
    answer = saved(client)
    assert (answer.status_code, answer.streaming) == (503, False)


def test_the_head_is_the_one_that_witnesses_signed(world, checked, settings, tmp_path):
    with watchers.witness(tmp_path, 1, log.log_verifier()) as url:
        settings.WITNESSES = watchers.policy({1: url})
        feed(at=timezone.now())
        text = "".join(proofs.text(proofs.copy(account(world, "c-1"))))
    assert "witness.example/w1 " in text
    witness = settings.WITNESSES.witnesses.values()
    policy = "".join(f"witness w{n} {w.cosigner.render()}\n" for n, w in enumerate(witness))
    code, says = checked(text, policy=f"{policy}quorum w0\n")
    assert (code, "That is enough." in says) == (0, True)


# --- who gets it ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["copy", "own_key"])
def test_a_file_is_given_only_after_her_secret_words(name, world):
    client = signed_in(world, "c-1")
    assert client.get(reverse(f"portal:{name}")).status_code == 200
    for _ in range(5):
        answer = saved(client, name, passphrase="not her words", sure="on")
        assert answer.status_code == 200
        assert "Content-Disposition" not in answer
        assert b"These are not your secret words." in answer.content
    answer = saved(client, name, sure="on")
    assert answer.status_code == 429
    assert "Content-Disposition" not in answer


def test_the_key_is_given_only_to_who_ticks_that_she_wants_it(world):
    client = signed_in(world, "c-1")
    answer = saved(client, "own_key")
    assert b"Tick the box if you want the key." in answer.content
    assert b"sayso-keys" not in answer.content
    answer = saved(client, "own_key", sure="on")
    assert answer.content.startswith(b"sayso-keys@v1\n")


def test_the_file_names_are_neutral_and_nothing_is_kept(world):
    client = signed_in(world, "c-1")
    for answer, name in (
        (saved(client), f"notes-{timezone.now():%Y-%m-%d}.zip"),
        (saved(client, "own_key", sure="on"), f"notes-key-{timezone.now():%Y-%m-%d}.txt"),
    ):
        assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
        assert answer["Cache-Control"] == "no-store"


def test_many_copies_in_a_row_have_to_wait(world):
    client = signed_in(world, "c-6")
    for _ in range(10):
        inside(saved(client))
    answer = saved(client)
    assert answer.status_code == 429
    assert b"You saved it many times just now." in answer.content


def test_who_is_nobody_s_client_saves_an_empty_list(world, checked):
    made = people.create_user(
        username="quiet-fern-8", kind=UserKind.SURVIVOR, **hand(world.home.warden)
    )
    text = "".join(proofs.text(proofs.copy(made)))
    assert "0 of 0 events" in checked(text)[1]
