"""How the helpers' pages look, at the desk and on her own; and her list on paper."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.actions import contests, looks, questions, stops
from consent.models import Consent
from consent.vocabulary import Contested, Topic
from tests import helping
from tests.factories import consent as said
from tests.functional.conftest import Visit, picture, pressed
from tests.functional.test_desk_look import SIZES, _clean_slate, give, looked_at, signed_in
from tests.helping import NUMBER, Scene, place
from tests.staffroom import hand
from tests.survivors import said_again

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
_clean_slate = _clean_slate  # a fixture


@pytest.fixture
def scene() -> Scene:
    """Something on each page."""
    found = helping.build()
    found.give(found.helper)
    stops.record(holder=found.room.holder, number=NUMBER, **hand(found.second))
    found.give(found.helper)
    looks.look(subject=found.person, **hand(found.helper))
    found.block(found.room.steward)
    said.terms(published_at=timezone.now() - timedelta(days=1))
    return found


@pytest.mark.parametrize(("width", "language"), SIZES)
def test_each_page_of_helping(
    visit: Visit, live_server: Any, scene: Scene, width: int, language: str
) -> None:
    ref = scene.assignment.ref
    spoken = scene.person.spoken_stops.get().ref
    contest = contests.ask(
        subject=scene.person,
        category=scene.room.categories[0],
        kind=Contested.CORRECTION,
        **hand(scene.helper),
    )
    question = questions.ask(
        subject=scene.person,
        consent=None,
        topic=Topic.LOOKED,
        words="What for?",
        **hand(scene.her),
    )
    faults: list[str] = []
    tour = {
        scene.helper: {
            "clients": place("clients"),
            "client": place("client", ref),
            "hand-on": place("client-hand-on", ref),
            "stop-check": place("stop-checked", ref, spoken),
            "block": place("block"),
            "contest": place("contest"),
            "question": place("question", question.ref),  # she keeps the steward away
            "yes": place("yes", ref),
        },
        scene.room.steward: {
            "work": place("work"),
            "contest-decide": place("contest-decide", contest.ref),
        },
        scene.room.requester: {"fetching": place("fetching")},
    }
    for user, pages in tour.items():
        page = visit(width=width, language=language, guarded=False)
        signed_in(page, user, live_server)
        for name, path in pages.items():
            faults += looked_at(page, path, f"helping-{name}", width, language)
        if user == scene.helper:
            page.locator("input[name=kinds]").first.check()
            pressed(page, "main form button.button")
            faults += looked_at(page, "", "helping-yes-check", width, language)
    page = visit(width=width, language=language, guarded=False)
    her = Client()
    her.force_login(scene.her, "django.contrib.auth.backends.ModelBackend")
    give(page, said_again(her), live_server)
    faults += looked_at(page, reverse("portal:helpers"), "helping-hers", width, language)
    scene.block(scene.helper)
    page = visit(width=width, language=language, guarded=False)
    signed_in(page, scene.room.holder_admin, live_server)
    faults += looked_at(page, place("clients-waiting"), "helping-waiting", width, language)
    assert ref in page.locator("main").inner_text()
    assert faults == []


def test_her_list_is_printed_without_what_is_only_for_the_screen(
    visit: Visit, live_server: Any, scene: Scene
) -> None:
    page = visit(width=1280)
    signed_in(page, scene.helper, live_server)
    page.goto(place("client", scene.assignment.ref))
    page.emulate_media(media="print")
    assert page.title().startswith("List")
    for hidden in (".screen", "nav", "header .who"):
        for each in page.locator(hidden).all():
            assert not each.is_visible(), hidden
    assert page.locator("table").first.is_visible()
    picture(page, "desk-helping-client-print")


def test_without_javascript_a_yes_is_recorded_together_and_a_stop_in_two_presses(
    visit: Visit, live_server: Any, scene: Scene
) -> None:
    page = visit(width=320, javascript=False)
    signed_in(page, scene.second, live_server)
    page.goto(place("home"))
    pressed(page, f"main a[href='{place('stop')}']")  # one
    page.fill("input[name=number]", NUMBER)
    pressed(page, "main form button.button")  # two
    assert "Stop recorded" in page.locator("h1").inner_text()
    assert not Consent.objects.filter(subject=scene.person, ended_at__isnull=True).exists()
    page = visit(width=320, javascript=False)
    signed_in(page, scene.helper, live_server)
    page.goto(place("yes", scene.assignment.ref))
    page.locator("input[name=kinds]").first.check()
    pressed(page, "main form button.button")
    page.locator("input[name=read]").check()
    page.locator("input[name=channel]").first.check()
    page.fill("input[name=signature]", "binder 3, sheet 41")
    pressed(page, "main form button.button")
    assert Consent.objects.filter(subject=scene.person, ended_at__isnull=True).count() == 1
