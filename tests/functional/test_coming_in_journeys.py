"""Coming in with a sheet of paper in a real browser: without JavaScript, by keyboard, at 320 px."""

from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import Page, expect

from consent.actions import enrolment
from consent.models import Subject
from consent.vocabulary import CodeKind
from governance.models import User
from tests import staffroom
from tests.coming import NUMBER, give
from tests.functional.conftest import Visit, axe, picture, pressed
from tests.staffroom import Staffroom, hand

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def room() -> Staffroom:
    cache.clear()
    found = staffroom.build()
    staffroom.enrolled(found, NUMBER)
    return found


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize(("width", "language"), [(320, "es"), (1280, "en")])
def test_from_the_sheet_to_the_first_page(
    width: int, language: str, visit: Visit, room: Staffroom
) -> None:
    _made, code = give(room)
    page = visit(width=width, language=language, guarded=False)
    faults: dict[str, Any] = {}

    def look(name: str) -> None:
        picture(page, f"coming-{name}-{width}-{language}")
        if found := axe(page):
            faults[name] = found
        assert fits(page), name

    page.goto(reverse("portal:begin"))
    look("code")
    page.fill("input[name=code]", "22222-22222")
    pressed(page, "main form button")
    look("code-wrong")
    page.fill("input[name=code]", code.upper())
    pressed(page, "main form button")
    look("name")
    pressed(page, "button[name=others]")
    page.locator("input[name=name]").nth(1).check()
    name = page.locator("input[name=name]").nth(1).input_value()
    pressed(page, "main form button.button >> nth=0")
    look("words")
    page.fill("input[name=typed]", "not these")
    pressed(page, "main form button.button >> nth=0")
    look("words-wrong")
    page.fill("input[name=typed]", " ".join(page.locator(".words li").all_inner_texts()))
    pressed(page, "main form button.button >> nth=0")
    look("paper")
    pressed(page, "main form button")
    assert page.url.endswith("/")
    assert Subject.objects.get().account == User.objects.get(username=name)
    assert faults == {}


def test_coming_in_needs_neither_javascript_nor_a_mouse(visit: Visit, room: Staffroom) -> None:
    _made, code = give(room)
    page = visit(javascript=False)
    page.goto(reverse("portal:begin"))
    page.locator("input[name=code]").focus()
    page.keyboard.type(code)
    entered(page, "begin/name/")
    page.locator("input[name=name]").first.focus()
    page.keyboard.press("Space")
    entered(page, "begin/words/")
    words = " ".join(page.locator(".words li").all_inner_texts())
    page.locator("input[name=typed]").focus()
    page.keyboard.type(words)
    entered(page, "paper/")
    page.get_by_role("button", name="I have them").focus()
    entered(page, "/")
    expect(page.get_by_role("heading", level=1)).to_have_text("What you share")
    page.go_back()
    page.reload()
    assert code not in page.content()
    assert "begin" not in page.url


def entered(page: Page, there: str) -> None:
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.wait_for_url(f"**/{there.lstrip('/')}")


def test_she_stops_a_code_she_did_not_ask_for_in_one_press(visit: Visit, room: Staffroom) -> None:
    her = enrolment.redeem(
        code=give(room)[1],
        username="meadow-kettle-41",
        password="a kettle sings before the rain",
        **{key: value for key, value in hand(room.advocate).items() if key != "by"},
    )
    made, _code = give(room, CodeKind.RETURN)
    page = visit(javascript=False)
    page.goto(reverse("portal:sign_in"))
    page.fill("input[name=name]", her.username)
    page.fill("input[name=passphrase]", "a kettle sings before the rain")
    pressed(page, "main form button")
    picture(page, "coming-notice-320-en")
    assert fits(page)
    page.get_by_role("button", name="Stop this code").click()
    expect(page.get_by_text("Did you ask for a new code?")).to_have_count(0)
    made.refresh_from_db()
    assert made.cancelled_at is not None


@pytest.mark.parametrize("width", [320, 1280])
def test_the_desk_gives_a_sheet_in_two_presses_and_it_prints_neutrally(
    width: int, visit: Visit, room: Staffroom
) -> None:
    page = visit(width=width, guarded=False)
    secret = staffroom.secret_of(room.advocate)
    page.goto("/desk/sign-in/")
    page.fill("input[name=login]", room.advocate.username)
    page.fill("input[name=password]", staffroom.PASSWORD)
    pressed(page, "main form button")
    page.fill("input[name=code]", staffroom.code(secret))
    pressed(page, "main form button >> nth=0")
    give(room)
    page.goto(reverse("desk:codes"))
    picture(page, f"desk-codes-{width}-en")
    assert axe(page) == []
    assert fits(page)
    page.fill("input[name=number]", NUMBER)
    page.locator("input[name=talked]").check()
    page.fill("input[name=password]", staffroom.PASSWORD)
    page.fill("input[name=code]", staffroom.proof(room.advocate)["code"])
    pressed(page, "main form button >> nth=0")
    assert page.locator(".sheet svg.qr").count() == 1
    picture(page, f"desk-sheet-{width}-en")
    assert axe(page) == []
    assert fits(page)
    page.emulate_media(media="print")
    picture(page, f"desk-sheet-print-{width}-en")
    assert not page.locator("nav").first.is_visible()
    assert not page.get_by_text("The code is shown now").is_visible()
    page.emulate_media(media="screen")
    for name in ("shutting", "places"):
        page.goto(reverse(f"desk:{name}"))
        picture(page, f"desk-{name}-{width}-en")
        assert axe(page) == [], name
        assert fits(page), name


OWN = "a kettle sings before the rain"


def come_in(page: Page, name: str, words: str) -> None:
    page.goto(reverse("portal:sign_in"))
    page.fill("input[name=name]", name)
    page.fill("input[name=passphrase]", words)
    pressed(page, "main form button")


def test_settings_by_keyboard_without_javascript(visit: Visit, room: Staffroom) -> None:
    her = enrolment.redeem(
        code=give(room)[1],
        username="meadow-kettle-41",
        password=OWN,
        **{key: value for key, value in hand(room.advocate).items() if key != "by"},
    )
    page, other = visit(javascript=False), visit(javascript=False)
    for each in (page, other):
        come_in(each, her.username, OWN)
    page.get_by_role("link", name="Settings").focus()
    entered(page, "settings/")
    page.locator("input[name=passphrase]").focus()
    page.keyboard.type(OWN)
    entered(page, "settings/")
    assert page.get_by_text("You are signed in on 2 devices.").is_visible()
    page.get_by_role("link", name="New words").focus()
    entered(page, "settings/words/")
    words = " ".join(page.locator(".words li").all_inner_texts())
    page.locator("input[name=typed]").focus()
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your words are new")
    other.reload()
    assert other.url.endswith(reverse("portal:start"))
    page.get_by_role("link", name="Make a new paper").focus()
    entered(page, "settings/paper/")
    page.get_by_role("button", name="Make new codes").focus()
    entered(page, "paper/")
    *back_in, shut = page.locator(".codes code").all_inner_texts()
    other.goto(reverse("portal:lost"))
    other.fill("input[name=name]", her.username)
    other.locator("input[name=code]").focus()
    other.keyboard.type(back_in[0])
    entered(other, "lost/words/")
    other.get_by_text("I want my own words").click()
    other.fill("input[name=password]", OWN + " again")
    other.locator("input[name=again]").focus()
    other.keyboard.type(OWN + " again")
    entered(other, "/")
    other.goto(reverse("portal:close"))
    assert other.get_by_text("What you share goes on until its last day.").is_visible()
    page.goto(reverse("portal:shut"))
    page.locator("input[name=code]").focus()
    page.keyboard.type(shut)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your page is shut")
    other.reload()
    assert other.url.endswith(reverse("portal:sign_in"))
