"""The second thing at a survivor's sign-in: never needed, and where she has it, two of three open."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from audit.models import Entry, LogEntry
from audit.vocabulary import Burst, EntryType, Via
from consent.actions import shutting, survivors
from desk import second_factor
from governance.models import PaperCode
from portal import attempts, second
from tests import staffroom
from tests.coming import NUMBER, OWN, arrived, paper_of, place, proved, sign_in
from tests.passkeys import Phone
from tests.second import inside, show, with_app, with_passkey
from tests.staffroom import Staffroom, code, hand

pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Staffroom:
    cache.clear()
    found = staffroom.build()
    staffroom.enrolled(found, NUMBER)
    return found


# --- setting up -----------------------------------------------------------------------------------


def test_nothing_is_asked_of_who_set_nothing_up(room: Staffroom) -> None:
    _client, her = arrived(room)
    client = sign_in(her)
    assert inside(client)
    assert client.get(place("second"))["Location"] == place("sign_in")


def test_it_is_set_up_behind_her_words_and_signs_other_devices_out(room: Staffroom) -> None:
    client, her = arrived(room)
    other = sign_in(her)
    for name in ("seconds", "second_app", "second_passkey"):
        assert "Your words once more" in client.get(place(name)).content.decode()
    with_app(client)
    assert inside(client)
    assert not inside(other)
    shown = client.get(place("seconds")).content.decode()
    assert "An app that shows codes" in shown
    assert "Add an app" not in shown
    assert client.get(place("second_app"))["Location"] == place("seconds")


def test_a_wrong_first_code_sets_up_nothing_and_two_sendings_one(room: Staffroom) -> None:
    client, her = arrived(room)
    proved(client)
    secret = client.get(place("second_app")).context["form"].secret
    wrong = client.post(place("second_app"), {"code": "12"})
    assert "This code is not right" in wrong.content.decode()
    assert wrong.context["form"].secret == secret, "the square stays the same"
    assert not second.kinds(her).any
    right = code(secret)
    request = client.get(place("second_app")).wsgi_request
    assert second.keep_app(request, her, secret, right) is not None
    assert second.keep_app(request, her, secret, right) is None
    assert Authenticator.objects.filter(user=her).count() == 1


def test_its_secret_is_nowhere_in_clear_and_its_row_leaves_no_journal(room: Staffroom) -> None:
    client, her = arrived(room)
    proved(client)
    secret = client.get(place("second_app")).context["form"].secret
    assert secret not in "".join(str(row.get_decoded()) for row in Session.objects.all())
    with_app(client)
    with_passkey(client)
    kept = Authenticator.objects.get(user=her, type="totp")
    assert kept.data["secret"].startswith("v1:")
    client.post(place("second_off", str(kept.pk)))
    rows = LogEntry.objects.filter(content_type__model="authenticator")
    assert list(rows.values_list("object_pk", flat=True)) == []
    said = Entry.objects.filter(type=EntryType.USER_CHANGED, reason="second_factor")
    assert [(each.actor, each.resource) for each in said] == [("person", "")] * 3


def test_her_second_factor_hangs_on_the_secret_of_the_service_like_those_of_staff(
    room: Staffroom, settings: Any
) -> None:
    client, her = arrived(room)
    secret = with_app(client)
    with_passkey(client)
    former, settings.SECRET_KEY = settings.SECRET_KEY, "x" * 60
    settings.SECRET_KEY_FALLBACKS = [former]
    second_factor.seal_all_anew(**hand(room.convener))
    settings.SECRET_KEY_FALLBACKS = []
    client = sign_in(her)
    show(client, code(secret))
    assert inside(client)


def test_a_passkey_is_taken_only_where_it_answers_this_page(room: Staffroom) -> None:
    client, her = arrived(room)
    proved(client)
    asked = client.get(place("second_passkey")).context["asked"]
    phone = Phone()
    for answer in (
        phone.make(asked, origin="https://elsewhere.example"),
        phone.make(asked),  # the question was answered already, wrongly
        phone.show({"publicKey": {**asked["publicKey"], "rpId": "testserver"}}),
        json.dumps({"rawId": "x"}),
        "[]",
        "[" * 8000,
        '{"response": 5, "rawId": null}',
        "no JSON",
    ):
        page = client.post(place("second_passkey"), {"answer": answer})
        assert "This did not fit" in page.content.decode(), answer[:80]
    assert not second.kinds(her).any


def test_no_more_passkeys_than_a_person_has_devices(room: Staffroom) -> None:
    client, her = arrived(room)
    proved(client)
    stale = client.get(place("second_passkey")).context["asked"]
    for _each in range(second.MOST_PASSKEYS):
        with_passkey(client)
    assert client.get(place("second_passkey"))["Location"] == place("seconds")
    assert client.post(place("second_passkey"), {"answer": Phone().make(stale)}).status_code == 302
    assert second.kinds(her).passkeys == second.MOST_PASSKEYS


def test_nobody_takes_away_what_is_hers(room: Staffroom) -> None:
    client, her = arrived(room)
    with_app(client)
    number = str(second.of(her).get().pk)
    other = Client()
    other.force_login(room.survivor, backend="django.contrib.auth.backends.ModelBackend")
    room.survivor.set_password(OWN)
    room.survivor.save()
    other.force_login(room.survivor, backend="django.contrib.auth.backends.ModelBackend")
    proved(other)
    assert other.post(place("second_off", number)).status_code == 404
    assert client.post(place("second_off", "999999999")).status_code == 404
    assert second.kinds(her).app
    assert client.post(place("second_off", number))["Location"] == place("seconds")
    assert not second.kinds(her).any
    assert inside(sign_in(her))


# --- signing in -----------------------------------------------------------------------------------


def test_her_words_alone_open_nothing_any_more(room: Staffroom) -> None:
    client, her = arrived(room)
    secret = with_app(client)
    client = Client()
    answer = client.post(place("sign_in"), {"name": her.username, "passphrase": OWN})
    assert answer["Location"] == place("second")
    assert SESSION_KEY not in client.session
    assert not inside(client)
    wrong = show(client, "000000")
    assert "This did not fit" in wrong.content.decode()
    before = client.session.session_key
    assert show(client, code(secret))["Location"] == "/"
    assert inside(client)
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()
    again = sign_in(her)
    show(again, code(secret))
    assert not inside(again), "a code works once"


def test_a_passkey_opens_and_its_answer_works_once(room: Staffroom) -> None:
    client, her = arrived(room)
    phone = with_passkey(client)
    client = sign_in(her)
    page = client.get(place("second"))
    assert "Code from your app" not in page.content.decode()
    answer = phone.show(page.context["asked"])
    stranger = Phone()
    stranger.number = phone.number
    assert not _shown(client, stranger.show(page.context["asked"]))
    assert not _shown(client, answer), "after a wrong answer it is asked anew"
    assert _shown(client, phone.show(client.get(place("second")).context["asked"]))
    assert inside(client)
    other = sign_in(her)
    other.get(place("second"))
    assert not _shown(other, answer)


def _shown(client: Client, answer: str) -> bool:
    return client.post(place("second"), {"answer": answer}).status_code == 302


def test_a_code_of_her_paper_stands_in_once(room: Staffroom) -> None:
    client, her = arrived(room)
    *back_in, shut = paper_of(client)
    with_app(client)
    for typed, opens in ((shut, False), (back_in[0].lower(), True), (back_in[0], False)):
        cache.clear()
        client = sign_in(her)
        show(client, typed)
        assert inside(client) == opens, typed
    assert PaperCode.objects.filter(used_at__isnull=False).count() == 1
    assert Entry.objects.filter(type=EntryType.USER_CHANGED, reason="paper").count() == 1
    assert second.kinds(her).app


def test_somebody_elses_paper_opens_nothing(room: Staffroom) -> None:
    client, her = arrived(room)
    with_app(client)
    theirs = survivors.make_paper(by=room.survivor, at=timezone.now(), via=Via.PORTAL)
    client = sign_in(her)
    show(client, theirs.back_in[0])
    assert not inside(client)
    assert not PaperCode.objects.filter(used_at__isnull=False).exists()


def test_her_words_right_do_not_make_guessing_free(room: Staffroom) -> None:
    client, her = arrived(room)
    secret = with_app(client)
    guesser, statuses = Client(), []
    for _each in range(3):
        guesser = sign_in(her)
        statuses.append(show(guesser, "000000").status_code)
    assert statuses == [200, 200, 429]
    assert show(guesser, code(secret)).status_code == 429
    assert not inside(guesser)
    there = {"REMOTE_ADDR": "192.0.2.7"}  # never by name alone: elsewhere she comes in
    client = sign_in(her, **there)
    show(client, code(secret))
    assert inside(client)


def test_codes_of_an_app_are_counted_over_all_addresses_and_her_paper_still_opens(
    room: Staffroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, her = arrived(room)
    *back_in, _shut = paper_of(client)
    secret = with_app(client)
    monkeypatch.setattr(attempts, "MOST_APP_CODES", 3)
    for number in range(3):
        show(sign_in(her, REMOTE_ADDR=f"192.0.2.{number}"), "000000")
    client = sign_in(her)
    page = show(client, code(secret))
    assert page.status_code == 429
    assert "Too many codes were tried today" in page.content.decode()
    show(client, back_in[0])
    assert inside(client)


def test_wrong_codes_are_part_of_a_burst(room: Staffroom) -> None:
    client, her = arrived(room)
    with_app(client)
    for number in range(12):
        show(sign_in(her, REMOTE_ADDR=f"192.0.2.{number}"), "000000")
    said = Entry.objects.filter(type=EntryType.SIGNIN_FAILED)
    assert [each.reason for each in said] == [Burst.ONE_ACCOUNT]


@pytest.mark.parametrize("what", ["late", "words", "signed out", "shut", "closed"])
def test_half_a_sign_in_ends_with_everything_else_of_hers(
    what: str, room: Staffroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, her = arrived(room)
    secret = with_app(client)
    half = sign_in(her)
    given = {"by": her, "at": timezone.now(), "via": Via.PORTAL}
    if what == "late":
        session = half.session
        session[second.SINCE] -= second.FOR + 1
        session.save()
    elif what == "words":
        survivors.change_words(password=OWN + "s", **given)
    elif what == "signed out":
        survivors.end_all(**given)
    elif what == "shut":
        shutting.shut(holder=room.holder, number=NUMBER, **hand(room.advocate))
    else:
        survivors.close(**given)
    assert show(half, code(secret))["Location"] == place("sign_in")
    assert not inside(half)


def test_who_took_it_away_elsewhere_is_not_asked_any_more(room: Staffroom) -> None:
    client, her = arrived(room)
    with_app(client)
    half = sign_in(her)
    client.post(place("second_off", str(second.of(her).get().pk)))
    assert half.get(place("second"))["Location"] == "/"
    assert inside(half)


@pytest.mark.parametrize("sent", [{}, {"code": ""}, {"code": "\0"}, {"answer": "{}"}, {"x": "y"}])
def test_whatever_is_sent_there_is_told_and_opens_nothing(
    sent: dict[str, str], room: Staffroom
) -> None:
    client, her = arrived(room)
    with_app(client)
    with_passkey(client)
    half = sign_in(her)
    answer = half.post(place("second"), sent)
    assert answer.status_code == 200
    assert "This did not fit" in answer.content.decode()
    assert not inside(half)
