"""`make portal-report`: each goal of the pages, measured in a real browser.

Every test here is one line of the report. Those that hold whatever the machine does are held by
tests of their own as well, which `make test` runs.
"""

import gzip
import json
import re
import shutil
import statistics
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Error, Page

from consent.vocabulary import ProposalState
from release.vocabulary import Ground
from tests import staffroom, survivors
from tests.architecture.source import BASE
from tests.factories import consent as said
from tests.factories import release as answered
from tests.functional.conftest import Ours, Visit, axe
from tests.functional.test_desk_look import give
from tests.functional.test_portal_journeys import (
    BUTTONS,
    SPACED,
    TOO_SMALL,
    card,
    every_page,
    sign_in,
)
from tests.functional.test_portal_journeys import elsewhere as elsewhere  # a fixture
from tests.integration.test_portal_pages import TELLING, pages, text_of
from tests.survivors import World, asked_back
from tests.unit.test_case_data_standard import ease_es, grade_en

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.goals,
    pytest.mark.timeout(900),
]

LOOK = BASE / "portal" / "static" / "look"
WAYS = [("en", ""), ("es", ""), ("en", "rtl")]
SLOW = {"latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000, "offline": False}
# Chromium tells the largest paint to whoever watched from the beginning.
WATCH = """
window.paints = [];
new PerformanceObserver(list => list.getEntries().forEach(e => window.paints.push(e.startTime)))
  .observe({type: 'largest-contentful-paint', buffered: true});
"""
SIDEWAYS = "document.documentElement.scrollWidth > innerWidth"
WIDE = """
[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth)
  .map(e => e.tagName + '.' + e.className).slice(0, 3)
"""
HIDDEN = """
() => new Promise(done => {
  const form = document.querySelector('form.leave');
  form.addEventListener('submit', event => event.preventDefault());
  const began = performance.now();
  document.querySelector('button.leave').click();
  (function look() {
    if (getComputedStyle(document.documentElement).visibility === 'hidden')
      done(performance.now() - began);
    else requestAnimationFrame(look);
  })();
})
"""


@pytest.fixture(autouse=True)
def _clean_slate() -> None:
    cache.clear()


@pytest.fixture
def world() -> World:
    """Somebody of whom every page has something to show."""
    world = survivors.build()
    asked_back(world, world.stopped, "acknowledged", "reported")
    asked_back(world, world.expired)
    release = survivors.sent(world, world.on)
    answered.sending(download=answered.download(release=release, at=timezone.now()))
    survivors.kept_back(world, world.paused, Ground.PAUSED)
    survivors.asked(world, world.on)
    said.legal_hold(subject=world.subject, ends=timezone.now() + timedelta(days=40))
    return world


def walked(
    visit: Visit, world: World, look: Callable[[Page], Any], width: int, way: tuple[str, str]
) -> dict[str, Any]:
    """What `look` finds wrong, by page."""
    language, direction = way
    page = visit(width=width, language=language, guarded=False)
    found = {}
    for name in every_page(page, world):
        if direction:
            page.evaluate("document.documentElement.dir = 'rtl'")
        if wrong := look(page):
            found[f"{name} {language}{direction} {width}"] = wrong
    return found


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("way", WAYS, ids=["en", "es", "rtl"])
def test_axe(visit: Visit, world: World, ours: Ours, way: tuple[str, str], width: int) -> None:
    found = walked(visit, world, axe, width, way)
    ours(f"axe, {way[0]} {way[1]} {width} px", "0 faults on every page", len(found), not found)


@pytest.mark.parametrize("language", ["en", "es"])
def test_html(world: World, ours: Ours, tmp_path: Path, language: str) -> None:
    """By html-validate, where somebody has put it there: `npm install -g html-validate`."""
    program = shutil.which("html-validate")
    goal = "0 errors"
    if program is None:
        ours(f"valid HTML, {language}", goal, "html-validate is not installed", None)
        return
    for name, page in pages(world, language).items():
        (tmp_path / f"{name}.html").write_text(page, encoding="utf-8")
    rules = {"extends": ["html-validate:standard"], "rules": {"no-trailing-whitespace": "off"}}
    (tmp_path / ".htmlvalidate.json").write_text(json.dumps({"root": True, **rules}))
    run = [program, "--formatter", "json", str(tmp_path)]
    said = subprocess.run(run, capture_output=True, check=False, cwd=tmp_path, text=True)
    faults = [
        f"{Path(each['filePath']).name}: {message['ruleId']}"
        for each in json.loads(said.stdout)  # whatever went wrong there writes no list
        for message in each["messages"]
    ]
    ours(f"valid HTML, {language}", goal, ", ".join(sorted(set(faults))) or 0, not faults)


@pytest.mark.parametrize("kind", ["320 px, spaced text", "200 % text", "forced colours"])
def test_reflow(visit: Visit, world: World, ours: Ours, kind: str) -> None:
    def sideways(page: Page) -> object:
        if kind == "forced colours":
            page.emulate_media(forced_colors="active")
        elif kind == "200 % text":
            page.add_style_tag(content="html { font-size: 200% !important }")
        else:
            page.add_style_tag(content=SPACED)
        return page.evaluate(WIDE) if page.evaluate(SIDEWAYS) else None

    found = walked(visit, world, sideways, 320, WAYS[1])
    ours(f"reflow, {kind}", "nothing sideways", found or "nothing", not found)


def test_targets(visit: Visit, world: World, ours: Ours) -> None:
    def small(page: Page) -> object:
        low = [height for height in page.evaluate(BUTTONS) if height < 44]
        return page.evaluate(TOO_SMALL) or low

    found = walked(visit, world, small, 320, WAYS[0])
    ours("targets", "buttons 44 px, all 24 px", sorted(found) or "all", not found)


def test_keyboard(visit: Visit, world: World, ours: Ours) -> None:
    page = visit(javascript=False)
    sign_in(page, world)
    page.goto("/")
    seen: list[str] = []
    while "Stop sharing" not in seen and len(seen) < 60:
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.innerText.trim()"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/stop/")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('main button')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/done/")
    place = seen.index("Leave this page") + 1
    ours("keyboard", "Tab and Enter only, Leave is the 2nd stop", f"Leave is {place}", place == 2)


def test_stop(visit: Visit, world: World, ours: Ours) -> None:
    page = visit(javascript=False)
    sign_in(page, world)
    card(page, world.on).get_by_role("link", name="Stop sharing").click()
    page.get_by_role("button", name="Stop sharing").click()
    world.on.refresh_from_db()
    ours("stop sharing", "2 actions at most", 2, world.on.ending == "withdrawn")


def test_no(visit: Visit, world: World, ours: Ours) -> None:
    asked = survivors.asked_to_share(world)
    page = visit(javascript=False)
    sign_in(page, world)
    page.goto(reverse("portal:asked", args=[asked.ref]))
    boxes = [each.bounding_box() for each in page.locator(".pair .button").all()]
    sizes = {(round(box["width"]), round(box["height"])) for box in boxes if box}
    page.get_by_role("link", name="Say no").click()
    page.locator("main form button").click()
    asked.refresh_from_db()
    said = asked.state == ProposalState.REFUSED
    found = f"said: {said}, sizes: {len(sizes)}"
    ours("say no", "1 action and 1 to confirm, as large as yes", found, said and len(sizes) == 1)


@pytest.mark.parametrize("language", ["en", "es"])
def test_weight(world: World, ours: Ours, language: str) -> None:
    styles = sum(len(gzip.compress((LOOK / f"{n}.css").read_bytes())) for n in ("tokens", "base"))
    weights = {n: len(gzip.compress(p.encode())) for n, p in pages(world, language).items()}
    name, most = max(weights.items(), key=lambda pair: pair[1])
    found = f"{(most + styles) / 1024:.1f} KB ({name})"
    ours(f"weight of a page, {language}", "14 KB compressed", found, most + styles <= 14 * 1024)


def test_staff_weight(visit: Visit, ours: Ours, live_server: Any) -> None:
    """The first load of the heaviest page, as the browser counts its bytes."""
    room = staffroom.build()
    page = visit(width=1280)
    give(page, staffroom.enter(Client(), room.requester), live_server)
    found = {}
    for name in ("home", "requests", "releases", "datasets", "recalls"):
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        sizes: list[float] = []
        session.on(
            "Network.loadingFinished", lambda told, s=sizes: s.append(told["encodedDataLength"])
        )
        page.goto(reverse(f"desk:{name}"), wait_until="networkidle")
        found[name] = sum(sizes)
        session.detach()
    name, most = max(found.items(), key=lambda pair: pair[1])
    ours("weight of a staff page", "60 KB", f"{most / 1024:.1f} KB ({name})", most <= 60 * 1024)


def slow(page: Page) -> Any:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.send("Network.emulateNetworkConditions", SLOW)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    return session


def painted(page: Page, address: str) -> float:
    """Seconds until the largest paint, median of five."""
    page.add_init_script(WATCH)
    taken = []
    for _ in range(5):
        page.goto(address)
        page.wait_for_timeout(500)
        taken.append(page.evaluate("Math.max(...window.paints)") / 1000)
    found: float = statistics.median(taken)
    return found


def test_largest_paint(visit: Visit, world: World, ours: Ours) -> None:
    page = visit(guarded=False)
    sign_in(page, world)
    slow(page)
    found = painted(page, "/")
    ours("largest paint, slow 3G", "1.5 s", f"{found:.2f} s", found <= 1.5)


def test_largest_paint_for_staff(visit: Visit, ours: Ours, live_server: Any) -> None:
    room = staffroom.build()
    page = visit(guarded=False, width=1280)
    give(page, staffroom.enter(Client(), room.requester), live_server)
    slow(page)
    found = painted(page, reverse("desk:home"))
    ours("largest paint for staff, slow 3G", "2.5 s", f"{found:.2f} s", found <= 2.5)


def test_hidden(visit: Visit, world: World, ours: Ours) -> None:
    page = visit()
    sign_in(page, world)
    taken = []
    for _ in range(5):
        page.goto("/")
        taken.append(page.evaluate(HIDDEN))
    found = statistics.median(taken)
    ours("hidden after Leave", "100 ms", f"{found:.0f} ms", found <= 100)


@pytest.mark.parametrize("javascript", [True, False], ids=["with", "without"])
def test_elsewhere(
    visit: Visit, world: World, ours: Ours, elsewhere: str, settings: Any, javascript: bool
) -> None:
    """From the press to the other page's address, median of five; then Back, three times."""
    settings.LEAVE_URL = elsewhere
    policy = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    settings.CONTENT_SECURITY_POLICY = {
        "DIRECTIVES": {**policy, "form-action": ["'self'", elsewhere.rstrip("/")]}
    }
    taken, told = [], set()
    for _ in range(5):
        page = visit(javascript=javascript)
        sign_in(page, world)
        slow(page)
        began = timezone.now()
        page.locator("button.leave").click(no_wait_after=True)
        page.wait_for_url(elsewhere, wait_until="commit")
        taken.append((timezone.now() - began).total_seconds())
        for _ in range(3):
            with suppress(Error):  # a page out of the back-forward cache commits nothing
                page.go_back(wait_until="commit", timeout=3_000)
            page.wait_for_timeout(1500)
            told |= set(TELLING.findall(page.title()))
    found = statistics.median(taken)
    kind = "with JavaScript" if javascript else "without"
    ours(f"elsewhere after Leave, {kind}", "2 s on slow 3G", f"{found:.2f} s", found <= 2)
    ours(f"Back ×3 after Leave, {kind}", "0 telling words", sorted(told) or 0, not told)


SENTENCE = re.compile(r"[^.!?]+[.!?]")


@pytest.mark.parametrize("language", ["en", "es"])
def test_reading(world: World, ours: Ours, language: str) -> None:
    """Of each page's sentences: what stands between tags and ends as a sentence."""
    grades, longest = {}, ("", 0)
    for name, page in pages(world, language).items():
        main = page.partition("<main")[2].partition("</main>")[0]
        blocks = re.findall(r"<(?:p|li|dd)\b[^>]*>(.*?)</(?:p|li|dd)>", main, flags=re.S)
        texts = [text_of("<body>" + block).strip(" >") for block in blocks]
        sentences = [s.strip() for text in texts for s in SENTENCE.findall(text)]
        words = " ".join(s for s in sentences if len(s.split()) >= 4)
        if len(words.split()) >= 12:
            grades[name] = grade_en(words) if language == "en" else ease_es(words)
        for each in sentences:
            longest = max(longest, (each, len(each.split())), key=lambda pair: pair[1])
    if language == "en":
        name, worst = max(grades.items(), key=lambda pair: pair[1])
        ours("reading grade, en", "6.0 at most", f"{worst:.1f} ({name})", worst <= 6.0)
    else:
        name, worst = min(grades.items(), key=lambda pair: pair[1])
        ours("reading ease, es", "70 at least", f"{worst:.0f} ({name})", worst >= 70)
    found = f"{longest[1]} ({longest[0][:40]}…)"
    ours(f"longest sentence, {language}", "20 words", found, longest[1] <= 20)


def test_traces(visit: Visit, world: World, ours: Ours) -> None:
    def telling(page: Page) -> object:
        place = re.sub(r"^\w+://[^/]+", "", page.url)
        return TELLING.findall(page.title()) + TELLING.findall(place)

    found = walked(visit, world, telling, 320, WAYS[0])
    ours("titles and addresses", "0 telling words", sorted(found) or 0, not found)


def test_hosts(visit: Visit, world: World, ours: Ours, live_server: Any) -> None:
    page = visit()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    for _ in every_page(page, world):
        pass
    outside = {url for url in asked if not url.startswith(live_server.url)}
    ours("outside hosts", "0", len(outside), not outside)
