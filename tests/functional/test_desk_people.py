"""People come in, begin anew and leave, in a real browser with JavaScript off."""

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Page
from pyrage import x25519

from governance import permissions
from governance.actions import invitations, resets
from governance.models import AccountReset, Membership, Organisation, RecipientKey, User
from governance.rules import fingerprint
from governance.vocabulary import ResetKind, Role
from tests import staffroom
from tests.functional.conftest import Visit, pressed
from tests.functional.test_desk_journeys import enter
from tests.functional.test_desk_look import SIZES, looked_at, signed_in
from tests.staffroom import PASSWORD, Staffroom, code, hand, proof

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
NEW = "forty-two-green-umbrellas"


@pytest.fixture(autouse=True)
def _clean_slate(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


@pytest.fixture
def room(transactional_db: None) -> Staffroom:
    room = staffroom.build()
    Membership.objects.update(started_at=timezone.now() - timedelta(days=30))
    return room


def press(page: Page, name: str, kind: Any = "button") -> None:
    page.get_by_role(kind, name=name, exact=True).click()


def show_again(page: Page, user: User, password: str = PASSWORD) -> None:
    given = proof(user)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Code", exact=True).fill(given["code"])


def read_code(page: Page) -> str:
    return page.locator("main code.key").inner_text()


def make_account(page: Page, secret: str, name: str) -> None:
    page.goto("/desk/sign-in/")
    press(page, "I have the code of an invitation", "link")
    page.get_by_label("Code of the invitation").fill(secret)
    press(page, "Go on")
    device = page.locator("code.key").inner_text().replace(" ", "")
    page.get_by_label("Name to sign in with").fill(name)
    page.get_by_label("New password").fill(NEW)
    page.get_by_label("The same password again").fill(NEW)
    page.get_by_label("Code that the app shows").fill(code(device))
    press(page, "Make my account")
    assert len(page.locator("ul.codes li").all()) == 10
    press(page, "I have written them down", "link")
    assert page.get_by_role("heading", level=1).inner_text() == "Overview"


def test_the_first_administrator_comes_in_and_invites_a_colleague(
    transactional_db: None, visit: Visit
) -> None:
    out = StringIO()
    call_command("createfirstadmin", "--organisation", "North", stdout=out, stderr=StringIO())
    page = visit(javascript=False)
    make_account(page, out.getvalue().strip(), "north-hazel-7")
    first = User.objects.get()
    press(page, "People", "link")
    press(page, "Invite somebody", "link")
    page.get_by_label("administrator").check()
    show_again(page, first, NEW)
    press(page, "Make the code")
    secret = read_code(page)
    other = visit(javascript=False)
    cache.clear()
    make_account(other, secret, "north-fern-8")
    second = User.objects.get(username="north-fern-8")
    assert permissions.can_administer(second, Organisation.objects.get())


def test_who_lost_the_device_comes_back_through_two_colleagues(
    room: Staffroom, visit: Visit
) -> None:
    own = visit(javascript=False)
    enter(own, room.recipient_admin)
    press(own, "People", "link")
    press(own, "state-requester lost the password or device", "link")
    own.get_by_label("the sign-in device", exact=True).check()
    show_again(own, room.recipient_admin)
    press(own, "Ask for a second yes")
    first = read_code(own)
    other = visit(javascript=False)
    cache.clear()
    enter(other, room.convener)
    press(other, "People", "link")
    press(other, "Read and agree", "link")
    assert "state-admin" in other.locator("main").inner_text()
    show_again(other, room.convener)
    press(other, "Agree")
    second = read_code(other)
    page = visit(javascript=False)
    page.goto("/desk/sign-in/")
    press(page, "I lost something and got two codes", "link")
    page.get_by_label("Code from the first person").fill(first.upper())
    page.get_by_label("Code from the second person").fill(second.replace("-", " "))
    press(page, "Go on")
    device = page.locator("code.key").inner_text().replace(" ", "")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Code that the app shows").fill(code(device))
    press(page, "Go on")
    press(page, "I have written them down", "link")
    assert "Your sign-in was set anew" in page.locator("main").inner_text()
    press(page, "That was me")
    assert "Your sign-in was set anew" not in page.locator("main").inner_text()


def test_somebody_leaves_and_is_out_at_the_next_click(room: Staffroom, visit: Visit) -> None:
    leaver = visit(javascript=False)
    enter(leaver, room.requester)
    page = visit(javascript=False)
    cache.clear()
    enter(page, room.recipient_admin)
    press(page, "People", "link")
    press(page, "state-requester leaves", "link")
    show_again(page, room.recipient_admin)
    press(page, "End it now")
    assert "The account has ended" in page.locator(".note").inner_text()
    press(leaver, "Requests", "link")
    assert re.search("/desk/sign-in/", leaver.url)


def test_a_lost_key_is_replaced(room: Staffroom, visit: Visit) -> None:
    page = visit(javascript=False)
    enter(page, room.recipient_admin)
    press(page, "Recipient key", "link")
    press(page, "Replace the key", "link")
    key = str(x25519.Identity.generate().to_public())
    page.get_by_label("Public key").fill(key)
    page.get_by_label("First 8 signs of its fingerprint").fill(fingerprint(key)[:8])
    show_again(page, room.recipient_admin)
    press(page, "Replace the key")
    assert RecipientKey.objects.get(ended_at__isnull=True).public_key == key


@pytest.mark.parametrize(("width", "language"), SIZES)
def test_each_page_about_people(
    room: Staffroom, visit: Visit, live_server: Any, width: int, language: str
) -> None:
    given = {"organisation": room.recipient, "roles": [Role.AUDITOR]}
    invitations.invite(**given, **hand(room.recipient_admin))
    invitation = {"organisation": room.holder, "roles": [Role.STEWARD, Role.ADVOCATE]}
    _, secret = invitations.invite(**invitation, **hand(room.holder_admin))
    waiting, first = resets.ask(
        user=room.requester, kind=ResetKind.BOTH, **hand(room.recipient_admin)
    )
    page = visit(width=width, language=language, guarded=False)
    signed_in(page, room.convener, live_server)
    faults: list[str] = []

    def look(path: str, name: str) -> None:
        faults.extend(looked_at(page, path, name, width, language))

    look("/desk/people/", "people-convener")
    look(f"/desk/people/anew/{waiting.ref}/agree/", "reset-agree")
    _, second = resets.agree(reset=waiting, **hand(room.convener))
    signed_in(page, room.recipient_admin, live_server)
    person, where = room.requester.ref, room.recipient.ref
    look("/desk/people/", "people")
    look(f"/desk/people/invite/{where}/", "invite")
    pressed(page, "main form button.button")
    look("", "invite-wrong")
    page.goto(f"/desk/people/invite/{where}/")
    page.locator("input[value=steward]").check()
    shows = proof(room.recipient_admin)
    page.locator("input[name=password]").fill(shows["password"])
    page.locator("input[name=code]").fill(shows["code"])
    pressed(page, "main form button.button")
    look("", "invited-code")
    look(f"/desk/people/anew/{person}/", "reset-ask")
    look(f"/desk/people/leave/{person}/", "off-board")
    look(f"/desk/people/leave/{person}/{where}/", "off-board-here")
    look(f"/desk/keys/{where}/", "key-replace")
    look(f"/desk/keys/{where}/end/", "key-end")
    look("/desk/people/join/", "join")
    fresh = visit(width=width, language=language, guarded=False)
    page = fresh
    look("/desk/invited/", "invited")
    page.locator("input[name=code]").fill(secret)
    pressed(page, "main button.button")
    look("", "invited-account")
    look("/desk/anew/", "anew")
    page.locator("input[name=first]").fill(first)
    page.locator("input[name=second]").fill(second)
    pressed(page, "main button.button")
    look("", "anew-set")
    reset = AccountReset.objects.get()
    resets.use(
        first=first,
        second=second,
        password=PASSWORD,
        by=room.requester,
        at=timezone.now(),
        via=hand(room.convener)["via"],
    )
    assert reset.pk
    signed_in(page, User.objects.get(pk=room.requester.pk), live_server)
    look("/desk/", "home-told")
    assert faults == []
