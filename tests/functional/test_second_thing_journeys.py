"""The second thing in a real browser: an app without JavaScript, a passkey with Chromium's own device."""

from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import Page, expect

from governance.queries import factors
from tests import survivors
from tests.functional.conftest import Visit, axe, picture, pressed
from tests.staffroom import code, secret_of
from tests.survivors import WORDS, World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def world() -> World:
    cache.clear()
    return survivors.build()


def words_typed(page: Page, world: World) -> None:
    page.goto(reverse("portal:sign_in"))
    page.fill("input[name=name]", world.her.username)
    page.fill("input[name=passphrase]", WORDS)
    pressed(page, "main form button")


def phone(page: Page) -> Any:
    """A phone that makes passkeys and unlocks itself."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def test_a_passkey_is_made_and_shown_under_the_strict_policy(visit: Visit, world: World) -> None:
    page = visit()
    faults: list[str] = []
    page.on("console", lambda told: faults.append(told.text) if told.type == "error" else None)
    words_typed(page, world)
    phone(page)
    page.goto(reverse("portal:second_passkey"))
    page.fill("input[name=passphrase]", WORDS)
    pressed(page, "main form button >> nth=0")
    picture(page, "second-passkey-320-en")
    pressed(page, "main form[data-passkey] button")
    assert page.url.endswith(reverse("portal:seconds"))
    assert factors.of(world.her).count() == 1
    pressed(page, "nav form button")  # signed out
    words_typed(page, world)
    assert page.url.endswith(reverse("portal:second"))
    picture(page, "second-asked-320-en")
    pressed(page, "main form[data-passkey] button")
    expect(page.get_by_role("heading", level=1)).to_have_text("What you share")
    assert faults == []


def test_a_phone_that_does_not_answer_is_told_in_place(visit: Visit, world: World) -> None:
    page = visit(guarded=False)
    words_typed(page, world)
    page.goto(reverse("portal:second_passkey"))
    page.fill("input[name=passphrase]", WORDS)
    pressed(page, "main form button >> nth=0")
    page.evaluate("() => { navigator.credentials.create = () => Promise.reject(new Error('no')) }")
    page.locator("main form[data-passkey] button").click()
    expect(page.get_by_role("alert")).to_have_text("The passkey did not answer. Try again.")
    assert axe(page) == []
    assert not factors.of(world.her).exists()


def test_an_app_needs_neither_javascript_nor_a_mouse(visit: Visit, world: World) -> None:
    page = visit(javascript=False)
    words_typed(page, world)
    page.goto(reverse("portal:second_app"))
    page.locator("input[name=passphrase]").focus()
    page.keyboard.type(WORDS)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    picture(page, "second-app-320-en")
    secret = page.locator("code.key").inner_text().replace(" ", "")
    page.locator("input[name=code]").focus()
    page.keyboard.type(code(secret))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    picture(page, "seconds-320-en")
    assert page.get_by_text("An app that shows codes").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_is_asked_without_javascript_says_what_a_passkey_needs(
    language: str, visit: Visit, world: World
) -> None:
    secret = secret_of(world.her)
    page = visit(javascript=False, language=language)
    words_typed(page, world)
    assert page.locator("form[data-passkey]").count() == 0
    page.locator("input[name=code]").focus()
    page.keyboard.type(code(secret))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.rstrip("/").count("/") == 2
