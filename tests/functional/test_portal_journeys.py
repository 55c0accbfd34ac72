"""The survivors' door in a real browser: stop, leave, look, without JavaScript and with it."""

import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Error, Page, expect
from playwright.sync_api import TimeoutError as NothingLoaded

from consent.models import Consent
from release.vocabulary import Ground
from tests import survivors
from tests.factories import consent as said
from tests.factories import release as answered
from tests.functional.conftest import Visit, axe, picture, pressed
from tests.survivors import WORDS, World, asked_back

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

TELLING = re.compile(r"shar|place|history|until|stop|names|clinic|legal|housing", re.IGNORECASE)


@pytest.fixture
def world() -> World:
    cache.clear()
    return survivors.build()


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """A neutral page on another site, as Leave leads to one; it must not learn where she was."""
    told: list[str] = []

    class Weather(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/":
                told.extend(self.headers.get_all("Referer") or [])
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Weather</title><p>Cloudy, 9 degrees.")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Weather)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()
    assert told == []


def sign_in(page: Page, world: World) -> None:
    page.goto(reverse("portal:sign_in"))
    page.fill("input[name=name]", world.her.username)
    page.fill("input[name=passphrase]", WORDS)
    page.locator("main form button").click()
    page.wait_for_url("**/")


def words_again(page: Page) -> None:
    """Where a page asks for her words once more, she types them."""
    if page.locator("input[name=passphrase]").count():
        page.fill("input[name=passphrase]", WORDS)
        pressed(page, "main form button.button")


def card(page: Page, consent: Consent) -> Any:
    return page.locator(f"section[aria-labelledby={consent.ref}]")


def test_stopping_takes_two_presses_without_javascript(visit: Visit, world: World) -> None:
    page = visit(javascript=False)
    sign_in(page, world)
    card(page, world.on).get_by_role("link", name="Stop sharing").click()
    page.get_by_role("button", name="Stop sharing").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Stopped")
    world.on.refresh_from_db()
    assert world.on.ending == "withdrawn"
    page.go_back()
    page.go_back()
    page.reload()
    assert card(page, world.on).get_by_text("Stopped").is_visible()


def test_pausing_and_starting_again_take_two_presses_each(visit: Visit, world: World) -> None:
    page = visit(javascript=False)
    sign_in(page, world)
    card(page, world.on).get_by_role("link", name="Pause").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Paused")
    page.goto("/")
    card(page, world.paused).get_by_role("link", name="Start again").click()
    page.get_by_role("button", name="Start again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sharing")
    for consent in (world.on, world.paused):
        consent.refresh_from_db()
    assert world.on.paused_at is not None
    assert world.paused.paused_at is None


def test_stopping_needs_only_tab_and_enter(visit: Visit, world: World) -> None:
    page = visit(width=1280)
    sign_in(page, world)
    page.goto("/")
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.innerText.trim()"))
        if seen[-1] == "Stop sharing":
            break
    assert seen[:2] == ["Skip to the page", "Leave this page"]
    page.keyboard.press("Enter")
    page.wait_for_url("**/stop/")
    page.get_by_role("button", name="Stop sharing").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/done/")
    assert Consent.objects.filter(subject=world.subject, ending="withdrawn").count() == 2


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize("last", ["home", "details", "stop", "history", "names", "settings"])
def test_after_leaving_back_shows_nothing(
    last: str, javascript: bool, visit: Visit, world: World, elsewhere: str, settings: Any
) -> None:
    settings.LEAVE_URL = elsewhere
    policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    settings.CONTENT_SECURITY_POLICY = {
        "DIRECTIVES": {**policy, "form-action": ["'self'", elsewhere.rstrip("/")]}
    }
    page = visit(javascript=javascript)
    page.goto(reverse("portal:start"))
    sign_in(page, world)
    page.goto(reverse("portal:details", args=[world.on.ref]))
    if last in {"details", "stop"}:
        page.goto(reverse(f"portal:{last}", args=[world.on.ref]))
    else:
        page.goto(reverse(f"portal:{last}"))
        if last in {"history", "settings"}:
            words_again(page)
    page.locator("button.leave").click()
    page.wait_for_url(elsewhere)
    assert page.title() == "Weather"
    assert page.context.cookies() == []
    for _ in range(3):
        with suppress(NothingLoaded):  # a page out of the back-forward cache fires no load event
            page.go_back(wait_until="domcontentloaded", timeout=3_000)
        page.wait_for_timeout(300)
        words = page.locator("main").inner_text() if page.locator("main").count() else ""
        assert "Sign in" in words or "Before you start" in words or page.url == "about:blank"
        if "Before you start" not in words:  # the start page itself says what can be stopped
            assert not TELLING.search(words)
        assert not TELLING.search(page.title())


def test_the_page_is_covered_before_the_next_one_comes(visit: Visit, world: World) -> None:
    page = visit()
    sign_in(page, world)
    page.evaluate(
        "document.querySelector('form.leave').addEventListener('submit', e => e.preventDefault())"
    )
    page.locator("button.leave").click()
    assert page.evaluate("getComputedStyle(document.documentElement).visibility") == "hidden"
    assert page.title().strip("\u200b") == ""


def test_a_way_out_that_the_policy_does_not_name_is_blocked_by_the_browser(
    visit: Visit, world: World, elsewhere: str, settings: Any
) -> None:
    """Why the way out stands in the policy: without it she would stay on a hidden page."""
    settings.LEAVE_URL = elsewhere
    page = visit()
    sign_in(page, world)
    page.locator("button.leave").click()
    page.wait_for_timeout(1_500)
    assert page.url != elsewhere


SECOND = ("seconds", "second_app", "second_passkey")


def every_page(page: Page, world: World) -> Iterator[str]:
    """Walk through every page of the door; what is shown bears the name that is yielded."""
    page.goto(reverse("portal:start"))
    yield "start"
    for name in ("begin", "lost", "shut"):
        page.goto(reverse(f"portal:{name}"))
        yield name
    page.goto(reverse("portal:sign_in"))
    yield "sign-in"
    page.fill("input[name=name]", world.her.username)
    page.fill("input[name=passphrase]", "not the words")
    page.locator("main form button").click()
    yield "sign-in-wrong"
    sign_in(page, world)
    yield "home"
    page.goto(reverse("portal:settings"))
    yield "again"
    words_again(page)
    for name in ("words", "speak", "places", "paper_anew", "close", *SECOND):
        page.goto(reverse(f"portal:{name}"))
        yield name
    page.goto(reverse("portal:paper_anew"))
    pressed(page, "main form button.button")
    yield "paper"
    for name in ("record", "helpers", "history", "settings", "names", "copy", "own_key"):
        page.goto(reverse(f"portal:{name}"))
        yield name
    for name, consent in (
        ("details", world.on),
        ("stop", world.on),
        ("pause", world.on),
        ("resume", world.paused),
        ("done", world.stopped),
        ("done", world.paused),
        ("done", world.on),
        ("details", world.stopped),
        ("slip", world.on),
        ("slip", world.stopped),
        ("slip_copy", world.on),
    ):
        page.goto(reverse(f"portal:{name}", args=[consent.ref]))
        which = next(key for key, value in world.hers.items() if value == consent)
        yield f"{name}-{which}"
    page.goto(reverse("portal:history") + "?list=questions")
    yield "questions"
    page.goto(reverse("portal:change", args=[world.on.ref]))
    yield "change"
    page.goto(reverse("portal:never"))
    page.locator("form", has=page.locator("select[name=kind]")).first.locator(
        "select"
    ).select_option("police")
    page.locator("form", has=page.locator("select[name=kind]")).first.locator("button").click()
    yield "never"
    survivors.contested(world)
    page.goto(reverse("portal:mend"))
    yield "mend"
    survivors.questioned(world)
    page.goto(reverse("portal:ask"))
    yield "ask"
    page.goto(reverse("portal:hide", args=[world.on.ref]))
    yield "hide"
    yield from hidden_and_joined(page)
    page.goto(reverse("portal:history") + "?list=around")
    yield "around"
    asked, police = survivors.asked_to_share(world), survivors.asked_to_share(world, "prosecutor")
    page.goto("/")
    yield "home-asked"
    for name, ask in (("asked_first", police), ("asked", asked), ("asked_no", asked)):
        page.goto(reverse(f"portal:{name}", args=[ask.ref]))
        yield name.replace("_", "-")
    page.goto(reverse("portal:names"))
    page.fill("input[name=passphrase]", WORDS)
    page.locator("main form button").first.click()
    page.wait_for_url("**/")
    yield "home-named"
    page.goto(reverse("portal:asked", args=[police.ref]))
    yield "asked-named"
    page.locator("main input[value=yes]").first.check()
    page.locator("main form.card button").first.click()
    page.wait_for_url("**/check/")
    yield "asked-check"
    page.locator("main input[name=read]").check()
    page.locator("main input[name=lawyer]").check()
    page.fill("main input[name=signature]", world.her.username)
    page.locator("main form.card button").first.click()
    page.wait_for_url("**/done/")
    yield "asked-waits"
    for name in ("asked_now", "asked_back"):
        page.goto(reverse(f"portal:{name}", args=[police.ref]))
        yield name.replace("_", "-")
    page.goto(reverse("portal:history"))
    for each in page.locator("summary").all():
        each.click()
    yield "history-named"
    page.goto("/nowhere/")
    yield "nothing-here"


def hidden_and_joined(page: Page) -> Iterator[str]:
    """From the page that asks whether to hide a place."""
    page.locator("main form button.button").first.click()
    for name in ("hidden", "join"):
        page.goto(reverse(f"portal:{name}"))
        yield name
    page.goto(reverse("portal:hidden"))
    page.locator("main form button").first.click()  # shown again: the pages that follow name it


TOO_SMALL = """
() => [...document.querySelectorAll('a, button, input, select')]
  .filter(e => e.type !== 'hidden' && !e.classList.contains('skip'))
  .filter(e => !(e.tagName === 'A' && ['P', 'LI', 'DD'].includes(e.parentElement.tagName)
                 && getComputedStyle(e).display === 'inline'))
  .map(e => [e.innerText || e.name, e.getBoundingClientRect()])
  .filter(([_, box]) => Math.min(box.width, box.height) < 24)
  .map(([words, box]) => `${words}: ${box.width} x ${box.height}`)
"""
BUTTONS = "[...document.querySelectorAll('.button')].map(e => e.getBoundingClientRect().height)"
# At letters of everyday size no word on a button is broken in two.
BROKEN = """
() => [...document.querySelectorAll('.button')].filter(e => {
  const room = e.getBoundingClientRect().width
  e.style.cssText = 'overflow-wrap: normal; inline-size: min-content; justify-self: start'
  const longest = e.getBoundingClientRect().width
  e.style.cssText = ''
  return longest > room + 1
}).map(e => e.innerText)
"""
ASKED = {(320, "es"), (1280, "en")}  # axe's rules hang on a width or a language, not on the pair
SPACED = """
* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
p { margin-bottom: 2em !important; }
"""


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("width", [320, 1280])
def test_every_page_can_be_read_and_used_by_everybody(
    width: int, language: str, visit: Visit, world: World
) -> None:
    asked_back(world, world.stopped, "acknowledged", "reported")
    asked_back(world, world.expired)
    release = survivors.sent(world, world.on)
    answered.sending(download=answered.download(release=release, at=timezone.now()))
    survivors.sent(world, world.stopped)
    survivors.kept_back(world, world.paused, Ground.PAUSED)
    survivors.asked(world, world.on)
    survivors.asked(world, world.paused, Ground.PAUSED)
    said.agreed_shredding(subject=world.subject, agreed_at=timezone.now())
    said.legal_hold(subject=world.subject, ends=timezone.now() + timedelta(days=40))
    page = visit(width=width, language=language, guarded=False)
    faults: dict[str, Any] = {}
    for name in every_page(page, world):
        picture(page, f"portal-{name}-{width}-{language}")
        if (width, language) in ASKED and (found := axe(page)):
            faults[f"{name} axe"] = found
        if found := page.evaluate(TOO_SMALL):
            faults[f"{name} too small"] = found
        if [height for height in page.evaluate(BUTTONS) if height < 44]:
            faults[f"{name} buttons"] = page.evaluate(BUTTONS)
        if found := page.evaluate(BROKEN):
            faults[f"{name} breaks a word"] = found
        page.add_style_tag(content=SPACED)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults[f"{name} scrolls sideways"] = page.evaluate(
                "document.documentElement.scrollWidth"
            )
    assert faults == {}


def test_the_check_by_axe_bites(visit: Visit, world: World) -> None:
    page = visit(guarded=False)
    page.goto(reverse("portal:sign_in"))
    page.evaluate("document.querySelector('label').remove()")
    page.evaluate("document.documentElement.removeAttribute('lang')")
    assert {rule for rule, _ in axe(page)} >= {"label", "html-has-lang"}


def test_a_page_turned_right_to_left_still_fits(visit: Visit, world: World) -> None:
    page = visit(guarded=False)
    sign_in(page, world)
    page.evaluate("document.documentElement.dir = 'rtl'")
    picture(page, "portal-home-320-rtl")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = page.locator("button.leave").bounding_box()
    assert box is not None
    assert box["x"] < 100  # the way out has changed sides


def test_no_script_or_style_is_refused_by_our_own_policy(visit: Visit, world: World) -> None:
    page = visit()
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    for _ in every_page(page, world):
        pass
    assert [words for words in said if "404" not in words] == []


def test_a_foreign_script_would_be_refused(visit: Visit, world: World) -> None:
    page = visit()
    page.goto(reverse("portal:start"))
    with pytest.raises(Error):
        page.add_script_tag(content="document.title = 'changed'")
    assert "changed" not in page.title()
