"""How the desk looks: no accessibility fault, nothing sideways, both languages, two widths."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.conf import settings as deployment
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from consent.actions import deaths, holds, shredding
from consent.vocabulary import HoldGround, Speaker
from governance.actions import agreements, reviews
from governance.models import User
from governance.vocabulary import Vote
from release.rules.bits import chunks_of
from tests import speaking, staffroom
from tests.factories import release as answered
from tests.functional.conftest import Visit, axe, picture, pressed
from tests.lengths import LONG
from tests.staffroom import PASSWORD, Staffroom, hand

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

ASKED = [(320, "es"), (1280, "en")]  # axe's rules hang on a width or a language, not on the pair
SIZES = [(width, language) for width in (320, 1280) for language in ("en", "es")] if LONG else ASKED


@pytest.fixture(autouse=True)
def _clean_slate(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


def signed_in(page: Page, user: User, live_server: Any) -> None:
    """Give the browser a session that has come in through the staff door."""
    client = staffroom.enter(Client(), user)
    give(page, client, live_server)


def give(page: Page, client: Client, live_server: Any) -> None:
    name = deployment.SESSION_COOKIE_NAME
    page.context.add_cookies(
        [{"name": name, "value": client.cookies[name].value, "url": live_server.url}]
    )


def looked_at(page: Page, path: str, name: str, width: int, language: str) -> list[str]:
    """What is wrong with one page."""
    if path:
        page.goto(path)
    asked = (width, language) in ASKED
    faults = [f"{name}: {fault}" for fault in (axe(page) if asked else ())]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        faults.append(f"{name}: wider than the window")
    if page.evaluate("document.querySelector('main').clientWidth < Math.min(innerWidth, 500) * .8"):
        faults.append(f"{name}: the words are squeezed into a narrow column")
    if page.evaluate("document.documentElement.lang") != language:
        faults.append(f"{name}: wrong language")
    picture(page, f"desk-{name}-{width}-{language}")
    return faults


def world() -> tuple[Staffroom, dict[str, str]]:
    """A room with something on each page, and where each page is."""
    room = staffroom.build()
    parties = (room.holder, room.recipient, room.dataset, room.purpose, room.categories)
    open_draft = staffroom.signed(*parties, [room.holder_admin])
    suspended = staffroom.signed(*parties, [room.holder_admin, room.recipient_admin])
    agreements.suspend(agreement=suspended, **hand(room.holder_admin))
    decided = staffroom.approved(room)
    voting = staffroom.submitted(room)
    version = answered.dataset_version(
        dataset=room.dataset, rows=20_000, people=5_000, loaded_at=timezone.now()
    )
    now = timezone.now()
    given = {
        "request": decided,
        "version": version,
        "asked_at": now - timedelta(hours=1),
        "answered_at": now,
        "good_until": now + timedelta(days=2),
        "rows": 11_900,
        "rows_withheld": 8_100,
        "people": 3_000,
        "grounds": {"no_consent": 1_433, "paused": 61, "withdrawn": 7},
    }
    ready = answered.prepared(**given)
    void = answered.prepared(**given, voided_at=now, void_ground="person_said_no")
    waiting = answered.release(request=decided, asked_at=now)
    draft = staffroom.drafted(room)
    for number in ("A-17", "A-18"):
        staffroom.enrolled(room, number)
    place = {"holder": room.holder}
    asked = shredding.ask(
        number="A-17", why="She asked for it, twice.", **place, **hand(room.advocate)
    )
    other = shredding.ask(number="A-18", why="Ten years.", **place, **hand(room.holder_admin))
    shredding.agree(shredding=other, number="A-18", **hand(room.advocate))
    hold = holds.place(
        number="A-18",
        ground=HoldGround.PROCEEDINGS,
        document="0" * 64,
        ends=now + timedelta(days=40),
        **place,
        **hand(room.holder_admin),
    )
    about = {"number": "A-18", **place, **hand(room.advocate)}
    guardian = speaking.speaker(kind=Speaker.GUARDIAN, **about)
    speaking.dispute(**about)
    speaking.minor(**{**about, "number": "A-17"}, alone=True)
    death = deaths.report(**about)
    back = answered.recall(release=ready, people=2, opened_at=now, due_at=now + timedelta(days=30))
    slots = np.array(
        [staffroom.person(room, number).slot for number in ("A-17", "A-18")], dtype=np.int32
    )
    for block, bits in chunks_of(slots):
        answered.recalled(recall=back, block=block, bits=bits)
    part = answered.recall(
        release=ready, columns=["visits"], opened_at=now - timedelta(days=40), due_at=now
    )
    answered.recall_step(recall=part, by=room.requester)
    form = f"/desk/requests/new/{room.agreement.ref}/{room.dataset.ref}/"
    return room, {
        "draft": f"/desk/requests/{draft.ref}/",
        "voting": f"/desk/requests/{voting.ref}/",
        "decided": f"/desk/requests/{decided.ref}/",
        "form": f"{form}?from={draft.ref}",
        "to-sign": f"/desk/agreements/{open_draft.ref}/",
        "suspended": f"/desk/agreements/{suspended.ref}/",
        "ready": f"/desk/releases/{ready.ref}/",
        "void": f"/desk/releases/{void.ref}/",
        "waiting": f"/desk/releases/{waiting.ref}/",
        "recall": f"/desk/recalls/{back.ref}/",
        "recall-overdue": f"/desk/recalls/{part.ref}/",
        "key": f"/desk/keys/{room.recipient.ref}/",
        "speaking-yes": f"/desk/speaking/{guardian.ref}/yes/",
        "death-agree": f"/desk/speaking/{death.ref}/agree/",
        "wipe-agree": f"/desk/wiping/{asked.ref}/agree/",
        "hold-lift": f"/desk/wiping/holds/{hold.ref}/lift/",
    }


@pytest.mark.parametrize(("width", "language"), SIZES)
def test_the_way_in(
    visit: Visit, live_server: Any, settings: Any, width: int, language: str
) -> None:
    settings.OIDC_NAME, settings.OIDC_URL = "County sign-in", "https://login.example.org"
    room = staffroom.build()
    page = visit(width=width, language=language, guarded=False)
    faults = looked_at(page, "/desk/sign-in/", "sign-in", width, language)
    page.locator("input[name=login]").fill("nobody")
    page.locator("input[name=password]").fill("nothing at all")
    pressed(page, "main button.button:not(.quiet)")
    faults += looked_at(page, "", "sign-in-wrong", width, language)
    fresh = Client()
    fresh.post("/desk/sign-in/", {"login": room.requester.username, "password": PASSWORD})
    give(page, fresh, live_server)
    faults += looked_at(page, "/desk/device/", "device", width, language)
    known = Client()
    staffroom.secret_of(room.steward)
    known.post("/desk/sign-in/", {"login": room.steward.username, "password": PASSWORD})
    give(page, known, live_server)
    faults += looked_at(page, "/desk/code/", "code", width, language)
    signed_in(page, room.requester, live_server)
    faults += looked_at(page, "/desk/places/", "places-provider", width, language)
    faults += looked_at(page, "/desk/provider/link/", "provider", width, language)
    assert faults == []


@pytest.mark.parametrize(("width", "language"), SIZES)
def test_each_page(visit: Visit, live_server: Any, width: int, language: str) -> None:
    room, places = world()
    tour = {
        room.requester: {
            "home-requester": "/desk/",
            "requests-requester": "/desk/requests/",
            "choose": "/desk/requests/new/",
            "form": places["form"],
            "draft": places["draft"],
            "decided-requester": places["decided"],
            "releases": "/desk/releases/",
            "release-ready": places["ready"],
            "release-void": places["void"],
            "release-waiting": places["waiting"],
            "recalls": "/desk/recalls/",
            "recall": places["recall"],
            "recall-overdue": places["recall-overdue"],
            "datasets": "/desk/datasets/",
            "nowhere": "/desk/requests/req-2222222222222/",
        },
        room.members[0]: {
            "home-board": "/desk/",
            "requests-board": "/desk/requests/",
            "recall-board": places["recall"],
            "voting": places["voting"],
            "decided-board": places["decided"],
        },
        room.recipient_admin: {
            "home-admin": "/desk/",
            "agreements": "/desk/agreements/",
            "agreement-to-sign": places["to-sign"],
            "keys": "/desk/keys/",
            "key": places["key"],
        },
        room.holder_admin: {
            "agreement-suspended": places["suspended"],
            "texts": "/desk/texts/",
            "text-write": "/desk/texts/write/",
            "wiping": "/desk/wiping/",
            "wipe-agree": places["wipe-agree"],
            "hold-place": "/desk/wiping/holds/place/",
            "hold-lift": places["hold-lift"],
        },
        room.advocate: {
            "home-advocate": "/desk/",
            "stop": "/desk/stops/",
            "stop-done": "/desk/stops/done/",
            "speaking": "/desk/speaking/",
            "speaking-note": "/desk/speaking/note/",
            "speaking-record": "/desk/speaking/somebody/",
            "speaking-yes": places["speaking-yes"],
            "death-agree": places["death-agree"],
            "wipe-ask": "/desk/wiping/ask/",
            "recovery-codes": "/desk/recovery-codes/",
            "replace-device": "/desk/device/new/",
        },
    }
    faults = []
    for user, pages in tour.items():
        page = visit(width=width, language=language, guarded=False)
        signed_in(page, user, live_server)
        for name, path in pages.items():
            faults += looked_at(page, path, name, width, language)
    page = visit(width=width, language=language, guarded=False)
    signed_in(page, room.requester, live_server)
    page.goto(places["form"].partition("?")[0])
    pressed(page, "main form button.button")
    faults += looked_at(page, "", "form-wrong", width, language)
    assert faults == []


def test_the_content_policy_is_never_broken(visit: Visit, live_server: Any) -> None:
    room, places = world()
    page = visit(width=1280)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    fresh = Client()
    fresh.post("/desk/sign-in/", {"login": room.steward.username, "password": PASSWORD})
    give(page, fresh, live_server)
    page.goto("/desk/device/")
    signed_in(page, room.requester, live_server)
    for path in ("/desk/", "/desk/requests/", *places.values()):
        page.goto(path)
    assert [text for text in told if "Content Security Policy" in text] == []


def test_a_reader_who_stepped_back_sees_so(visit: Visit, live_server: Any) -> None:
    room = staffroom.build()
    asked = staffroom.submitted(room)
    reviews.recuse(request=asked, seat=room.seats[0], **hand(room.members[0]))
    reviews.vote(
        request=asked, seat=room.seats[1], vote=Vote.MORE, reason="Why?", **hand(room.members[1])
    )
    page = visit(width=320, guarded=False)
    signed_in(page, room.members[0], live_server)
    assert looked_at(page, f"/desk/requests/{asked.ref}/", "recused", 320, "en") == []
    assert "You have stepped back" in page.locator("main").inner_text()
