"""Staff journeys in a real browser, with JavaScript off: as many actions as promised, no more."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Page, expect

from consent.models import Consent
from consent.vocabulary import Ending
from governance.actions import reviews
from governance.models import AccessRequest, Agreement, User
from governance.vocabulary import AgreementState, RequestState, Vote
from tests import staffroom
from tests.factories import consent as said
from tests.functional.conftest import Visit
from tests.staffroom import PASSWORD, Staffroom, code, hand

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture(autouse=True)
def _clean_slate(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


@pytest.fixture
def room(transactional_db: None) -> Staffroom:
    return staffroom.build()


class Counting:
    """Counts what a person does on the page: each press and each choice is one action."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.actions = 0

    def press(self, name: str, kind: Any = "button") -> None:
        self.page.get_by_role(kind, name=name, exact=True).click()
        self.actions += 1

    def choose(self, name: str) -> None:
        self.page.get_by_label(name, exact=True).check()
        self.actions += 1


def sign_in(page: Page, user: User) -> None:
    page.goto("/desk/")
    page.get_by_label("Name").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


def enter(page: Page, user: User) -> None:
    secret = staffroom.secret_of(user)
    sign_in(page, user)
    page.get_by_label("Code").fill(code(secret))
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Overview"


def test_first_sign_in_then_a_request_from_the_first_page_to_the_board(
    room: Staffroom, visit: Visit
) -> None:
    page = visit(javascript=False)
    sign_in(page, room.requester)
    assert page.url.endswith("/desk/device/")
    page.goto("/desk/requests/")
    assert page.url.endswith("/desk/device/"), "nothing else opens before the device is set up"
    secret = page.locator("code.key").inner_text().replace(" ", "")
    page.get_by_label("Code that the app shows").fill(code(secret))
    page.get_by_role("button", name="Go on").click()
    assert page.locator(".codes li").count() == 10
    page.get_by_role("link", name="I have written them down").click()
    page.get_by_role("link", name="Write a request").click()
    page.get_by_role("link", name="Housing cases").click()
    page.get_by_label("Research: housing after services").check()
    page.get_by_label("age_band").check()
    page.get_by_label("housing_type").check()
    page.get_by_label("Why these fields, and why no less").fill("To learn which housing lasts.")
    page.get_by_label("What good it does").fill("Money goes to housing that lasts.")
    page.get_by_label("CSV").check()
    page.get_by_label("From", exact=True).fill(timezone.now().date().isoformat())
    last = timezone.now().date() + timedelta(days=30)
    page.get_by_label("Until the end of").fill(last.isoformat())
    page.get_by_role("button", name="Check your answers").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Check your answers"
    page.get_by_role("button", name="Hand it in to the board").click()
    assert "with the board" in page.locator(".note").inner_text()
    assert AccessRequest.objects.get().state == RequestState.SUBMITTED


def test_a_vote_takes_three_actions_from_the_queue(room: Staffroom, visit: Visit) -> None:
    asked = staffroom.submitted(room)
    page = visit(javascript=False)
    enter(page, room.members[0])
    page.get_by_role("link", name="Read and vote").click()
    counting = Counting(page)
    page.get_by_role("link", name=asked.ref).first.click()
    counting.actions += 1
    counting.choose("yes")
    page.get_by_label("Your reason").fill("It asks for little.")
    counting.press("Cast my vote")
    assert asked.ballots.get().vote == Vote.YES
    assert counting.actions <= 3


def test_the_board_establishes_its_answer(room: Staffroom, visit: Visit) -> None:
    asked = staffroom.submitted(room)
    for seat, user in zip(room.seats, room.members, strict=True):
        reviews.vote(request=asked, seat=seat, vote=Vote.NO, reason="Too much.", **hand(user))
    page = visit(javascript=False)
    enter(page, room.members[2])
    page.goto(f"/desk/requests/{asked.ref}/")
    page.get_by_role("button", name="Establish the answer").click()
    asked.refresh_from_db()
    assert asked.state == RequestState.REFUSED
    assert "0 yes, 3 no" in page.locator("main").inner_text()


def test_a_stop_said_aloud_takes_three_actions(room: Staffroom, visit: Visit) -> None:
    text = said.terms(published_at=timezone.now() - timedelta(days=400))
    staffroom.yes(room, staffroom.enrolled(room, "A-17"), text)
    page = visit(javascript=False)
    enter(page, room.advocate)
    counting = Counting(page)
    page.get_by_role("main").get_by_role("link", name="Record a stop").click()
    counting.actions += 1
    page.get_by_label("Client number").fill("A-17")
    counting.press("Stop sharing now")
    assert page.get_by_role("heading", level=1).inner_text() == "Stop recorded"
    assert counting.actions <= 3
    assert Consent.objects.get().ending == Ending.WITHDRAWN


def test_an_agreement_is_signed_and_suspended(room: Staffroom, visit: Visit) -> None:
    parties = (room.holder, room.recipient, room.dataset, room.purpose, room.categories)
    draft = staffroom.signed(*parties, [room.holder_admin])
    page = visit(javascript=False)
    enter(page, room.recipient_admin)
    page.get_by_role("link", name="Read and sign").click()
    page.get_by_role("row", name="waits for you").get_by_role("link").click()
    page.get_by_role("button", name="Sign for State university").click()
    assert Agreement.objects.get(pk=draft.pk).state == AgreementState.IN_FORCE
    page.get_by_role("button", name="Suspend").click()
    assert Agreement.objects.get(pk=draft.pk).state == AgreementState.SUSPENDED


def test_the_keyboard_reaches_everything_and_the_page_comes_first(
    room: Staffroom, visit: Visit
) -> None:
    page = visit(javascript=True)
    enter(page, room.requester)
    page.goto("/desk/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
