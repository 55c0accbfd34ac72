"""What people do at the desk's pages for coming in, beginning anew and leaving."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pyrage import x25519

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from governance import permissions
from governance.actions import invitations, memberships, resets
from governance.models import AccountReset, Invitation, Membership, RecipientKey, User
from governance.rules import fingerprint
from governance.vocabulary import ResetKind, Role
from tests import staffroom
from tests.staffroom import PASSWORD, Staffroom, code, hand, proof

pytestmark = pytest.mark.django_db
NEW = "forty-two-green-umbrellas"
CODE = re.compile(r'<code class="key">([2-9a-z]{4}(?:-[2-9a-z]{4}){3})</code>')
DEVICE = re.compile(r'<code class="key">([A-Z2-7 ]{20,})</code>')


@pytest.fixture(autouse=True)
def _clean_slate() -> None:
    cache.clear()  # tries are counted there


@pytest.fixture
def room() -> Staffroom:
    room = staffroom.build()
    # Everybody here has been here for a while: only then two hands count.
    Membership.objects.update(started_at=timezone.now() - timedelta(days=30))
    return room


def shown(answer: Any, pattern: re.Pattern[str] = CODE) -> str:
    assert answer.status_code == 200
    found = pattern.search(answer.content.decode())
    assert found, answer.content.decode()
    return found[1].replace(" ", "")


def newcomer(secret: str, **changes: str) -> dict[str, str]:
    given = {"name": "quiet-otter-3", "password": NEW, "again": NEW}
    return {**given, "device": code(secret), **changes}


def invited(room: Staffroom, *roles: Role) -> str:
    given = {"organisation": room.holder, "roles": roles or [Role.STEWARD]}
    return invitations.invite(**given, **hand(room.holder_admin))[1]


def test_an_administrator_invites_and_the_newcomer_is_in_with_a_device(room: Staffroom) -> None:
    admin = staffroom.enter(Client(), room.holder_admin)
    place = f"/desk/people/invite/{room.holder.ref}/"
    roles = {"roles": ["steward", "advocate"]}
    answer = admin.post(place, {**roles, **proof(room.holder_admin)})
    secret = shown(answer)
    assert "no-store" in answer["Cache-Control"]
    assert secret not in admin.get("/desk/people/").content.decode()
    client = Client()
    assert client.post("/desk/invited/", {"code": secret})["Location"] == "/desk/invited/account/"
    page = client.get("/desk/invited/account/")
    assert "Harbour Light House" in page.content.decode()
    cache.clear()
    answer = client.post("/desk/invited/account/", newcomer(shown(page, DEVICE)), follow=True)
    codes = re.findall(r"<code>(\d{8})</code>", answer.content.decode())
    assert len(codes) == 10
    assert client.get("/desk/").status_code == 200
    user = User.objects.get(username="quiet-otter-3")
    assert permissions.can_steward(user, room.holder)
    assert user.check_password(NEW)
    assert Authenticator.objects.filter(user=user).count() == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"device": "000000"}, "This code is not right"),
        ({"again": "another"}, "differ"),
        ({"password": "short", "again": "short"}, "too short"),
        ({"name": "HARBOUR-ADMIN"}, "taken"),
        ({"name": "a b"}, "sign-in name has"),
    ],
)
def test_without_a_name_a_password_and_a_device_there_is_no_account(
    room: Staffroom, changes: dict[str, str], told: str
) -> None:
    secret = invited(room)
    client = Client()
    client.post("/desk/invited/", {"code": secret})
    device = shown(client.get("/desk/invited/account/"), DEVICE)
    count = User.objects.count()
    answer = client.post("/desk/invited/account/", newcomer(device, **changes))
    assert told in answer.content.decode()
    assert User.objects.count() == count
    assert Invitation.objects.get().accepted_at is None
    for _ in range(3):  # a code of the last second of its thirty comes too late
        client.post("/desk/invited/account/", newcomer(device))
    assert User.objects.count() == count + 1


def test_a_wrong_code_shows_nothing_and_many_are_slowed_down(room: Staffroom) -> None:
    client = Client()
    assert client.get("/desk/invited/account/")["Location"] == "/desk/invited/"
    cache.clear()
    answer = client.post("/desk/invited/", {"code": "2222-2222-2222-2222"})
    assert "does not open anything" in answer.content.decode()
    assert "Harbour" not in answer.content.decode()
    for _ in range(20):
        client.post("/desk/invited/", {"code": "2222-2222-2222-2222"})
    answer = client.post("/desk/invited/", {"code": invited(room)})
    assert "Too many tries" in answer.content.decode()
    assert client.get("/desk/invited/account/")["Location"] == "/desk/invited/"


def test_a_code_waits_sealed_in_the_session(room: Staffroom) -> None:
    secret = invited(room)
    client = Client()
    client.post("/desk/invited/", {"code": secret})
    waiting = "".join(str(row.get_decoded()) for row in Session.objects.all())
    assert "desk.invited" in waiting
    assert secret not in waiting


def test_who_is_signed_in_joins_with_the_code(room: Staffroom) -> None:
    client = staffroom.enter(Client(), room.steward)
    assert client.get("/desk/invited/")["Location"] == "/desk/people/join/"
    wrong = client.post("/desk/people/join/", {"code": "2222-2222-2222-2222"})
    assert "does not open anything" in wrong.content.decode()
    answer = client.post("/desk/people/join/", {"code": invited(room, Role.ADVOCATE).upper()})
    assert "You have joined Harbour Light House" in answer.content.decode()
    assert permissions.can_advise(room.steward, room.holder)


def deeds(room: Staffroom) -> dict[str, dict[str, Any]]:
    """Each deed's page of the recipient's administrator, and what is typed there, proof apart."""
    key = str(x25519.Identity.generate().to_public())
    about, where = room.requester.ref, room.recipient.ref
    waiting = resets.ask(user=room.requester, kind=ResetKind.BOTH, **hand(room.convener))[0]
    return {
        f"/desk/people/invite/{where}/": {"roles": ["steward"]},
        f"/desk/people/anew/{about}/": {"kind": "both"},
        f"/desk/people/anew/{waiting.ref}/agree/": {},
        f"/desk/people/leave/{about}/": {},
        f"/desk/people/leave/{about}/{where}/": {},
        f"/desk/keys/{where}/": {"public_key": key, "fingerprint": fingerprint(key)[:8]},
        f"/desk/keys/{where}/end/": {},
    }


@pytest.mark.parametrize("given", [{}, {"password": PASSWORD}, {"code": "right"}, "wrong"])
def test_a_stolen_session_does_none_of_the_deeds_that_could_let_somebody_in(
    room: Staffroom, given: Any
) -> None:
    """Without the password and a code from the device, whatever else is right."""
    client = staffroom.enter(Client(), room.recipient_admin)
    before = Entry.objects.count()
    for page, words in deeds(room).items():
        before = Entry.objects.count()
        shows = dict(proof(room.recipient_admin))
        if given == "wrong":
            shows = {**shows, "password": "not the right words"}
        else:
            shows = {name: shows[name] for name in given}
        answer = client.post(page, {**words, **shows})
        assert answer.status_code == 200, page
        assert Entry.objects.count() == before, page
    assert AccountReset.objects.get().agreed_at is None
    assert not Invitation.objects.exists()


def test_with_password_and_code_each_of_the_deeds_is_done(room: Staffroom) -> None:
    every = deeds(room)
    done = [page for page in every if f"{room.requester.ref}/" not in page]
    assert len(done) == 4  # the others are about one person, who is waited for already
    for page in done:
        words = every[page]
        client = staffroom.enter(Client(), room.recipient_admin)
        before = Entry.objects.count()
        client.post(page, {**words, **proof(room.recipient_admin)})
        assert Entry.objects.count() > before, page


def both_halves(room: Staffroom, kind: ResetKind) -> tuple[str, str]:
    """Asked by the requester's own administrator, agreed by the community's, at the desk."""
    own = staffroom.enter(Client(), room.recipient_admin)
    place = f"/desk/people/anew/{room.requester.ref}/"
    first = shown(own.post(place, {"kind": kind.value, **proof(room.recipient_admin)}))
    reset = AccountReset.objects.get(used_at__isnull=True)
    agree = f"{place.replace(room.requester.ref, reset.ref)}agree/"
    answer = own.post(agree, proof(room.recipient_admin))
    assert answer.status_code == 409, "whoever asked does not agree"
    other = staffroom.enter(Client(), room.convener)
    second = shown(other.post(agree, proof(room.convener)))
    return first, second


def test_who_lost_everything_begins_anew_and_is_told(room: Staffroom) -> None:
    stolen = staffroom.enter(Client(), room.requester)
    first, second = both_halves(room, ResetKind.BOTH)
    assert stolen.get("/desk/")["Location"] == "/desk/sign-in/"
    client = Client()
    assert client.get("/desk/anew/set/")["Location"] == "/desk/anew/"
    answer = client.post("/desk/anew/", {"first": first, "second": first})
    assert "do not open anything" in answer.content.decode()
    client.post("/desk/anew/", {"first": second, "second": first})
    device = shown(client.get("/desk/anew/set/"), DEVICE)
    cache.clear()
    given = {"password": NEW, "again": NEW, "device": code(device)}
    answer = client.post("/desk/anew/set/", given)
    assert answer["Location"] == "/desk/recovery-codes/"
    home = client.get("/desk/").content.decode()
    assert "Your sign-in was set anew" in home
    assert room.recipient_admin.username in home
    assert room.convener.username in home
    reset = AccountReset.objects.get()
    client.post(f"/desk/people/anew/{reset.ref}/read/")
    assert "Your sign-in was set anew" not in client.get("/desk/").content.decode()
    again = Client()
    again.post("/desk/anew/", {"first": first, "second": second})
    assert again.get("/desk/anew/set/")["Location"] == "/desk/anew/"
    assert User.objects.get(pk=room.requester.pk).check_password(NEW)


def test_who_lost_the_device_shows_the_password_and_the_old_device_is_dead(room: Staffroom) -> None:
    old = staffroom.secret_of(room.requester)
    first, second = both_halves(room, ResetKind.DEVICE)
    client = Client()
    client.post("/desk/anew/", {"first": first, "second": second})
    device = shown(client.get("/desk/anew/set/"), DEVICE)
    cache.clear()
    wrong = client.post("/desk/anew/set/", {"former": "not this", "device": code(device)})
    assert "This password is not right" in wrong.content.decode()
    assert AccountReset.objects.get().used_at is None
    client.post("/desk/anew/set/", {"former": PASSWORD, "device": code(device)})
    assert client.get("/desk/").status_code == 200
    thief = Client()
    thief.post("/desk/sign-in/", {"login": room.requester.username, "password": PASSWORD})
    thief.post("/desk/code/", {"code": code(old)})
    assert thief.get("/desk/")["Location"] == "/desk/sign-in/"


def test_who_lost_the_password_shows_the_device(room: Staffroom) -> None:
    secret = staffroom.secret_of(room.requester)
    first, second = both_halves(room, ResetKind.PASSWORD)
    client = Client()
    client.post("/desk/anew/", {"first": first, "second": second})
    cache.clear()
    given = {"password": NEW, "again": NEW}
    wrong = client.post("/desk/anew/set/", {**given, "code": "000000"})
    assert "This code is not right" in wrong.content.decode()
    weak = {"password": "password1234", "again": "password1234", "code": code(secret)}
    assert "too common" in client.post("/desk/anew/set/", weak).content.decode()
    cache.clear()
    answer = client.post("/desk/anew/set/", {**given, "code": code(secret)})
    assert answer["Location"] == "/desk/sign-in/"
    assert User.objects.get(pk=room.requester.pk).check_password(NEW)
    assert client.get("/desk/")["Location"] == "/desk/sign-in/"


def test_what_is_asked_is_seen_and_taken_back_by_whoever_has_a_hand_in_it(room: Staffroom) -> None:
    waiting = resets.ask(user=room.requester, kind=ResetKind.BOTH, **hand(room.convener))[0]
    admin = staffroom.enter(Client(), room.recipient_admin)
    assert "Waiting for a second yes" in admin.get("/desk/people/").content.decode()
    other = staffroom.enter(Client(), room.holder_admin)
    assert "Waiting for a second yes" not in other.get("/desk/people/").content.decode()
    take_back = f"/desk/people/anew/{waiting.ref}/withdraw/"
    assert other.post(take_back).status_code == 404
    assert other.get(take_back.replace("withdraw", "agree")).status_code == 404
    admin.post(take_back)
    waiting.refresh_from_db()
    assert waiting.closed_at is not None
    assert admin.get(take_back.replace("withdraw", "agree")).status_code == 404


def test_who_lost_nothing_sees_that_it_was_asked_and_stops_it(room: Staffroom) -> None:
    waiting = resets.ask(user=room.requester, kind=ResetKind.BOTH, **hand(room.convener))[0]
    client = staffroom.enter(Client(), room.requester)
    assert room.convener.username in client.get("/desk/").content.decode()
    take_back = f"/desk/people/anew/{waiting.ref}/withdraw/"
    assert client.post(take_back)["Location"] == "/desk/"
    waiting.refresh_from_db()
    assert waiting.closed_at is not None
    assert "lost something" not in client.get("/desk/").content.decode()


def test_an_open_invitation_is_listed_and_taken_back(room: Staffroom) -> None:
    secret = invited(room)
    invitation = Invitation.objects.get()
    take_back = f"/desk/people/invitations/{invitation.ref}/withdraw/"
    admin = staffroom.enter(Client(), room.holder_admin)
    assert take_back in admin.get("/desk/people/").content.decode()
    stranger = staffroom.enter(Client(), room.recipient_admin)
    assert take_back not in stranger.get("/desk/people/").content.decode()
    assert stranger.post(take_back).status_code == 404
    admin.post(take_back)
    answer = Client().post("/desk/invited/", {"code": secret})
    assert "does not open anything" in answer.content.decode()


def test_the_community_sees_whom_it_stands_in_for_and_nobody_else_does(room: Staffroom) -> None:
    convener = staffroom.enter(Client(), room.convener)
    page = convener.get("/desk/people/").content.decode()
    for person in (room.requester, room.members[0]):
        assert f"/desk/people/anew/{person.ref}/" in page
        assert f"/desk/people/leave/{person.ref}/" in page
    for name in ("state-second", "state-third"):
        user = User.objects.create_user(name, PASSWORD)
        given = {"user": user, "organisation": room.recipient, "role": Role.ADMINISTRATOR}
        memberships.grant(**given, **hand(room.recipient_admin))
    Membership.objects.update(started_at=timezone.now() - timedelta(days=30))
    page = convener.get("/desk/people/").content.decode()
    assert room.requester.ref not in page, "now there are enough of their own"
    assert room.members[0].ref in page
    admin = staffroom.enter(Client(), room.holder_admin)
    assert room.members[0].ref not in admin.get("/desk/people/").content.decode()


def test_the_communitys_last_administrator_is_seen_by_those_of_verified_organisations(
    room: Staffroom,
) -> None:
    admin = staffroom.enter(Client(), room.holder_admin)
    assert f"/desk/people/anew/{room.convener.ref}/" in admin.get("/desk/people/").content.decode()


def test_roles_that_do_not_go_together_are_refused_where_they_are_chosen(room: Staffroom) -> None:
    admin = staffroom.enter(Client(), room.holder_admin)
    place = f"/desk/people/invite/{room.holder.ref}/"
    answer = admin.post(place, {"roles": ["auditor", "steward"], **proof(room.holder_admin)})
    assert answer.status_code == 409
    assert "do not go together" in answer.content.decode()
    assert not Invitation.objects.exists()


def test_somebody_leaves_here_or_everywhere(room: Staffroom) -> None:
    admin = staffroom.enter(Client(), room.recipient_admin)
    page = admin.get("/desk/people/").content.decode()
    assert f"/desk/people/leave/{room.requester.ref}/" in page
    answer = admin.post(
        f"/desk/people/leave/{room.requester.ref}/", proof(room.recipient_admin), follow=True
    )
    assert "The account has ended" in answer.content.decode()
    room.requester.refresh_from_db()
    assert room.requester.ended_at is not None
    assert admin.get(f"/desk/people/leave/{room.requester.ref}/").status_code == 404
    convener = staffroom.enter(Client(), room.convener)
    answer = convener.post(
        f"/desk/people/leave/{room.steward.ref}/{room.holder.ref}/", proof(room.convener)
    )
    room.steward.refresh_from_db()
    assert room.steward.ended_at is not None


def test_a_key_is_replaced_only_with_its_own_fingerprint(room: Staffroom) -> None:
    admin = staffroom.enter(Client(), room.recipient_admin)
    place = f"/desk/keys/{room.recipient.ref}/"
    key = str(x25519.Identity.generate().to_public())
    page = admin.get(place).content.decode()
    assert "Packages that wait are void" in page
    wrong = {"public_key": key, "fingerprint": "0" * 8, **proof(room.recipient_admin)}
    answer = admin.post(place, wrong)
    assert answer.status_code == 400
    assert fingerprint(key)[:8] not in answer.content.decode()
    right = {**wrong, "fingerprint": fingerprint(key)[:12].upper(), **proof(room.recipient_admin)}
    assert admin.post(place, right)["Location"] == "/desk/keys/"
    entry = Entry.objects.filter(type=EntryType.KEY_ROTATED).get()
    assert entry.reason == f"fingerprint-{fingerprint(key)[:16]}"
    admin.post(f"{place}end/", proof(room.recipient_admin))
    assert not RecipientKey.objects.filter(
        organisation=room.recipient, ended_at__isnull=True
    ).exists()
    assert admin.get(f"{place}end/").status_code == 404
    assert Entry.objects.get(type=EntryType.KEY_ENDED).via == Via.DESK
