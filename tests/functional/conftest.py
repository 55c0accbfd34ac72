"""A real browser for the functional tests: Debian's own Chromium, and axe out of its package.

Nothing is downloaded. Chromium runs with its back-forward cache on, as on people's phones.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, sync_playwright

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # sync Playwright keeps an event loop

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = {320: 640, 1280: 800}

Visit = Callable[..., Page]
Ours = Callable[[str, str, object, bool | None], None]


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium,
            args=FLAGS,
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser, live_server: Any) -> Iterator[Visit]:
    """Open a window of its own: `visit(javascript=False, width=1280, language="es")`.

    `guarded=False` lets a test put axe into a page in spite of the content security policy.
    """
    windows = []

    def open_window(
        *, javascript: bool = True, width: int = 320, language: str = "en", guarded: bool = True
    ) -> Page:
        window = browser.new_context(
            base_url=live_server.url,
            java_script_enabled=javascript,
            viewport={"width": width, "height": WIDTHS.get(width, 800)},
            locale=language,
            bypass_csp=not guarded,
        )
        window.set_default_timeout(15_000)
        windows.append(window)
        return window.new_page()

    yield open_window
    for window in windows:
        window.close()


def axe(page: Page) -> list[tuple[str, Any]]:
    """What axe finds wrong with this page: rule and places. Needs `guarded=False`."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags},"
        " resultTypes: ['violations']})",
        RULES,
    )
    return [
        (each["id"], [node["target"] for node in each["nodes"]]) for each in found["violations"]
    ]


def pressed(page: Page, button: str) -> None:
    """Press a button that leads to another page, and be there."""
    with page.expect_navigation():
        page.locator(button).click()


def picture(page: Page, name: str) -> None:
    """Keep what the page looks like, for a person to look at (never committed)."""
    folder = Path(settings.BASE_DIR) / "test-artefacts"
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)


@pytest.fixture
def ours() -> Iterator[Ours]:
    """Write one line of the report: `met` is None where it could not be measured here."""
    told: list[bool | None] = []

    def tell(name: str, goal: str, found: object, met: bool | None) -> None:
        verdict = {True: "met", False: "missed", None: "not measured"}[met]
        row = {"name": name, "goal": goal, "ours": str(found), "verdict": verdict}
        if "PORTAL_REPORT" in os.environ:
            with Path(os.environ["PORTAL_REPORT"]).open("a", encoding="utf-8") as report:
                report.write(json.dumps(row) + "\n")
        told.append(met)

    yield tell
    assert told, "nothing was measured"
    assert False not in told
