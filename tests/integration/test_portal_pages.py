"""Every page of the survivors' door in both languages: neutral, light, and wholly in its language."""

import gzip
import html
import re
from pathlib import Path
from typing import Any

import polib
import pytest
from django.conf import settings as configured
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from django.urls import ResolverMatch, reverse
from django.utils import timezone, translation

from audit.vocabulary import Via
from common.errors import BadInput, NotPermitted, NotReady, RuleBroken, SaysoError, Void
from config import errors
from config.pages import page as every_page
from consent.actions import survivors as actions
from governance.models import User
from governance.queries import factors
from portal.urls import urlpatterns
from release.vocabulary import Ground
from tests import staffroom, survivors
from tests.passkeys import Phone
from tests.survivors import WORDS, World

pytestmark = pytest.mark.django_db

# Words that would tell what this is about to whoever sees a title, an address or a history list.
TELLING = re.compile(
    r"traffick|trata|victim|víctima|survivor|sobrevivien|abus|exploit|explota|violen|shelter"
    r"|refugio|consent|consenti|police|policía|sayso",
    re.IGNORECASE,
)
SITE = {"en": "My page", "es": "Mi página"}
MOST = 14 * 1024  # bytes, compressed, HTML and styles together
STATUSES = [400, 403, 404, 405, 409, 410, 503]


@pytest.fixture
def world() -> World:
    cache.clear()
    world = survivors.build()
    survivors.sent(world, world.on)
    survivors.sent(world, world.stopped)
    survivors.kept_back(world, world.paused, Ground.PAUSED)
    survivors.asked(world, world.on)
    survivors.asked(world, world.paused, Ground.PAUSED)
    return world


def quietly_asked(client: Client, world: World) -> dict[str, Any]:
    """What she is asked, does less and never wants, while no names are shown."""
    there: dict[str, Any] = {}
    there["change"] = client.get(reverse("portal:change", args=[world.on.ref]))
    there["change_gone"] = client.post(reverse("portal:change", args=[world.stopped.ref]))
    asked, police = survivors.asked_to_share(world), survivors.asked_to_share(world, "police")
    refused = survivors.asked_to_share(world, "court")
    there["asked_quiet"] = client.get(reverse("portal:asked", args=[asked.ref]))
    there["asked_no"] = client.get(reverse("portal:asked_no", args=[asked.ref]))
    there["asked_first"] = client.get(reverse("portal:asked_first", args=[police.ref]))
    if police.state == "open":
        survivors.waiting(world)
        client.post(reverse("portal:asked_no", args=[refused.ref]))
    there["home_asked"] = client.get("/")
    for name in ("now", "back", "done"):
        there[f"asked_{name}"] = client.get(reverse(f"portal:asked_{name}", args=[police.ref]))
    there["asked_refused"] = client.get(reverse("portal:asked_done", args=[refused.ref]))
    there["asked_open"] = client.get(reverse("portal:asked_done", args=[asked.ref]))
    there["never"] = client.get(reverse("portal:never"))
    if not world.subject.contests.exists():
        survivors.contested(world)
    there["mend"] = client.get(reverse("portal:mend"))
    there["mend_wrong"] = client.post(reverse("portal:mend"), {"kind": "x"})
    if not world.subject.questions.exists():
        survivors.questioned(world)
    there["ask"] = client.get(reverse("portal:ask"), {"about": world.on.ref})
    there["ask_words"] = client.get(reverse("portal:ask_words"))
    there["ask_wrong"] = client.post(reverse("portal:ask"), {"topic": "x", "words": "x" * 300})
    there["never_wrong"] = client.post(reverse("portal:never"), {"kind": "x"})
    return there


def asked_by_name(client: Client, world: World) -> dict[str, Any]:
    """How she says yes: with the name of who asks before her."""
    asked, there = survivors.asked_to_share(world), dict[str, Any]()
    there["asked"] = client.get(reverse("portal:asked", args=[asked.ref]))
    chosen = {f"kind-{each.code}": "yes" for each in world.categories}
    check = reverse("portal:asked_check", args=[asked.ref])
    there["asked_nothing"] = client.post(check, {**dict.fromkeys(chosen, "no"), "length": "90"})
    there["asked_check"] = client.post(check, {**chosen, "length": "90"})
    there["asked_check_wrong"] = client.post(
        reverse("portal:asked_sign", args=[asked.ref]), {**chosen, "length": "90"}
    )
    return there


_seen: dict[str, dict[str, str]] = {}


def pages(world: World, language: str) -> dict[str, str]:
    """Each page a survivor can come to, by a name; names of places are shown on some.

    Asked once for all tests here, which only read them.
    """
    if language not in _seen:
        _seen[language] = _pages(world, language)
    return _seen[language]


def _pages(world: World, language: str) -> dict[str, str]:
    client = Client(headers={"accept-language": language})
    there = {"start": client.get("/start/"), "sign_in": client.get("/sign-in/")}
    there["sign_in_wrong"] = client.post("/sign-in/", {"name": "x", "passphrase": "x"})
    for name in ("begin", "lost", "shut"):
        there[name] = client.get(f"/{name}/")
        there[f"{name}_wrong"] = client.post(f"/{name}/", {"name": "x", "code": "x"})
    client.post("/begin/", {"code": survivors.code(world.holder)})
    there["choose_name"] = client.get(reverse("portal:choose_name"))
    client.post(
        reverse("portal:choose_name"),
        {"name": there["choose_name"].context["form"].fields["name"].choices[0][0]},
    )
    there["first_words"] = client.get(reverse("portal:first_words"))
    there |= second_thing(world, language)
    client.force_login(world.her, backend="django.contrib.auth.backends.ModelBackend")
    there["again"] = client.get(reverse("portal:settings"))
    there["again_wrong"] = client.post(reverse("portal:settings"), {"passphrase": "x"})
    survivors.said_again(client)
    for name in ("words", "speak", "places", "paper_anew", "close", "hidden", "join"):
        there[name] = client.get(reverse(f"portal:{name}"))
    there["words_wrong"] = client.post(
        reverse("portal:words"), {"password": "short", "again": "short"}
    )
    there["paper"] = client.post(reverse("portal:paper_anew"), follow=True)
    for name in ("home", "helpers", "history", "names", "settings", "copy", "own_key"):
        there[name] = client.get(reverse(f"portal:{name}"))
    there["around"] = client.get(reverse("portal:history"), {"list": "around"})
    there["hide"] = client.get(reverse("portal:hide", args=[world.on.ref]))
    there["questions"] = client.get(reverse("portal:history"), {"list": "questions"})
    there["copy_wrong"] = client.post(reverse("portal:copy"), {"passphrase": "x"})
    there["own_key_wrong"] = client.post(reverse("portal:own_key"), {"passphrase": "x"})
    there["names_wrong"] = client.post(reverse("portal:names"), {"passphrase": "x"})
    for which, consent in world.hers.items():
        for name in ("details", "done", "slip"):
            there[f"{name}_{which}"] = client.get(reverse(f"portal:{name}", args=[consent.ref]))
    there["slip_copy"] = client.get(reverse("portal:slip_copy", args=[world.on.ref]))
    there["slip_copy_wrong"] = client.post(
        reverse("portal:slip_copy", args=[world.on.ref]), {"passphrase": "x"}
    )
    for name, consent in (("stop", world.on), ("pause", world.on), ("resume", world.paused)):
        there[name] = client.get(reverse(f"portal:{name}", args=[consent.ref]))
    there |= quietly_asked(client, world)
    there["pause_wrong"] = client.post(reverse("portal:pause", args=[world.on.ref]))
    client.post(reverse("portal:names"), {"passphrase": WORDS})
    there["home_named"] = client.get("/")
    there |= asked_by_name(client, world)
    there["404"] = client.get("/nowhere/")
    strict = Client(enforce_csrf_checks=True, headers={"accept-language": language})
    there["form_too_old"] = strict.post("/sign-in/")
    return {name: answer.content.decode() for name, answer in there.items()}


def second_thing(world: World, language: str) -> dict[str, Any]:
    """What a sign-in asks for where she locked it twice, and how she does."""
    there: dict[str, Any] = {}
    client = Client(headers={"accept-language": language})
    client.force_login(world.her, backend="django.contrib.auth.backends.ModelBackend")
    survivors.said_again(client)
    for name in ("seconds", "second_app", "second_passkey"):
        there[name] = client.get(reverse(f"portal:{name}"))
    there["second_passkey_wrong"] = client.post(reverse("portal:second_passkey"), {"answer": "{}"})
    there["second_app_wrong"] = client.post(reverse("portal:second_app"), {"code": "x"})
    staffroom.secret_of(world.her)
    asked = client.get(reverse("portal:second_passkey")).context["asked"]
    client.post(reverse("portal:second_passkey"), {"answer": Phone().make(asked)})
    there["seconds_both"] = client.get(reverse("portal:seconds"))
    half = Client(headers={"accept-language": language})
    half.post("/sign-in/", {"name": world.her.username, "passphrase": WORDS})
    there["second"] = half.get(reverse("portal:second"))
    there["second_wrong"] = half.post(reverse("portal:second"), {"code": "0"})
    paper = actions.make_paper(by=world.her, at=timezone.now(), via=Via.PORTAL)
    half.post("/lost/", {"name": world.her.username, "code": paper.back_in[0]})
    there["lost_second"] = half.get(reverse("portal:lost_second"))
    factors.of(world.her).delete()
    world.her.refresh_from_db()  # a passkey more signed her out everywhere else
    cache.clear()  # tries are counted, and she makes more of them below
    return there


def text_of(page: str) -> str:
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    bare = re.sub(r'lang="en"[^>]*>[^<]*<', "><", bare.partition("<body")[2])
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", bare)))


@pytest.mark.parametrize("language", ["en", "es"])
def test_titles_and_words_tell_nothing(language: str, world: World) -> None:
    titles = set()
    for name, page in pages(world, language).items():
        (title,) = re.findall(r"<title>(.*?)</title>", page)
        assert title.endswith(f" · {SITE[language]}"), name
        assert not TELLING.search(title), (name, title)
        assert not re.search("traffick|victim|trata de|víctima|survivor|sobrevivien", page), name
        titles.add(title)
    assert len(titles) >= 10  # still, a title says which page it is


def test_addresses_and_file_names_tell_nothing() -> None:
    addresses = [str(pattern.pattern) for pattern in urlpatterns]
    folder = Path(configured.BASE_DIR) / "portal" / "static"
    addresses += [str(path.relative_to(folder)) for path in folder.rglob("*")]
    assert [each for each in addresses if TELLING.search(each)] == []


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_page_and_its_styles_are_light(language: str, world: World) -> None:
    look = Path(configured.BASE_DIR) / "portal" / "static" / "look"
    styles = sum(
        len(gzip.compress((look / name).read_bytes())) for name in ("tokens.css", "base.css")
    )
    for name, page in pages(world, language).items():
        assert len(gzip.compress(page.encode())) + styles <= MOST, name


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_page_loads_nothing_from_elsewhere(language: str, world: World) -> None:
    for name, page in pages(world, language).items():
        loaded = re.findall(r'<(?:link|script|img|form)\b[^>]*?(?:href|src|action)="([^"]*)"', page)
        assert [each for each in loaded if not re.match(r"/[^/]", each)] == [], name
        assert "style=" not in page, name
        assert not re.search(r"\son\w+=", page), name


def test_a_spanish_page_holds_no_english_sentence(world: World) -> None:
    catalogue = polib.pofile(str(Path(configured.BASE_DIR) / "locale/es/LC_MESSAGES/django.po"))
    english = {
        each.msgid
        for each in catalogue
        if len(each.msgid) >= 8 and each.msgid != each.msgstr and "%" not in each.msgid
    }
    assert len(english) > 100
    for name, page in pages(world, "es").items():
        assert '<html lang="es"' in page, name
        words = text_of(page)
        assert [
            each for each in english if re.search(rf"\b{re.escape(each)}(?!\w)", words)
        ] == [], name


def test_the_check_for_english_bites(world: World) -> None:
    assert "Before you start" in text_of(pages(world, "en")["start"])


@pytest.mark.parametrize("language", ["en", "es"])
def test_leaving_is_on_every_page_and_comes_second(language: str, world: World) -> None:
    for name, page in pages(world, language).items():
        stops = re.findall(r"<(?:a|button|input(?! type=\"hidden\"))\b[^>]*>", page)
        assert 'class="skip"' in stops[0], name
        assert 'class="button leave"' in stops[1], name


def refused(error: Exception, place: str, rf: Any, kind: str = "") -> HttpResponse | None:
    request: HttpRequest = rf.post(place)
    request.resolver_match = ResolverMatch(lambda: None, (), {})
    request.user = User(kind=kind) if kind else AnonymousUser()
    request.session = SessionStore()
    handler = errors.PlainErrors(lambda request: HttpResponse())
    return handler.process_exception(request, error)


@pytest.mark.parametrize(
    ("error", "status"),
    [(BadInput, 400), (RuleBroken, 409), (Void, 410), (NotReady, 503)],
)
def test_a_refusal_becomes_the_page_of_its_kind(
    error: type[SaysoError], status: int, rf: Any
) -> None:
    sentence = "Northgate Clinic has no key."
    for place, kind, told in (
        ("/desk/keys/", "staff", True),
        ("/details/con-2/stop/", "survivor", False),
        ("/start/", "", False),
    ):
        answer = refused(error("code", sentence), place, rf, kind)
        assert answer is not None
        assert answer.status_code == status
        assert (sentence in answer.content.decode()) is told  # she reads fixed words only
        assert answer.has_header("Retry-After") is (status == 503)


def test_a_newer_kind_of_refusal_is_answered_as_its_parent(rf: Any) -> None:
    class Narrower(RuleBroken):
        pass

    answer = refused(Narrower("code", "No."), "/", rf, "survivor")
    assert answer is not None
    assert answer.status_code == 409


def test_every_kind_of_refusal_has_its_page() -> None:
    assert set(errors.STATUS) == set(SaysoError.__subclasses__())
    assert set(errors.STATUS.values()) | {403, 404, 405} == set(STATUSES)
    assert set(errors.WORDS) == {*STATUSES, 500, errors.FORM_TOO_OLD}


def test_other_failures_are_not_swallowed(rf: Any) -> None:
    assert refused(ValueError("x"), "/", rf) is None
    assert refused(NotPermitted("code", "No."), "/", rf) is None  # Django answers 403 itself


@pytest.mark.parametrize("frame", ["portal", "desk", "plain"])
def test_error_pages_say_their_words_in_both_languages(frame: str) -> None:
    for words in errors.WORDS.values():
        said = set()
        for language in ("en", "es"):
            with translation.override(language):
                shown = {"words": words, **every_page(None)}
                said.add(render_to_string(f"errors/{frame}.html", shown))
        assert len(said) == 2


def test_the_page_of_a_failure_asks_neither_session_nor_database(
    rf: Any, django_assert_num_queries: Any
) -> None:
    for place in ("/", "/desk/", "/nowhere/", "/api/releases/"):
        request = rf.get(place)
        request.resolver_match = None if place == "/nowhere/" else ResolverMatch(print, (), {})
        with django_assert_num_queries(0), translation.override("en"):
            answer = errors.failed(request)
        assert answer.status_code == 500
        assert b"wrong here" in answer.content or place == "/api/releases/"


@pytest.mark.parametrize("icon", configured.ICONS)
def test_each_deployment_has_a_small_picture_of_its_own(icon: str, settings: Any) -> None:
    settings.ICON = icon
    page = Client().get("/start/").content.decode()
    assert f'<link rel="icon" href="/static/look/icons/{icon}.svg"' in page
    assert (Path(configured.BASE_DIR) / f"portal/static/look/icons/{icon}.svg").is_file()
