"""Everybody at every address with the references of everybody else: what is not theirs answers as what
is nowhere does.

The addresses come from the URL conf, their references from the world of the canaries, in which there is
one thing of each kind: a new address is in the table by itself, and fails here until it is right.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from consent.actions import subjects
from governance.actions import people
from governance.vocabulary import OrganisationKind, Role, UserKind
from tests import survivors, worlds
from tests.integration.test_canary import CASES, Stage, _entered, staged
from tests.integration.test_portal_pages import TELLING
from tests.worlds import hand, lasting_world

pytestmark = pytest.mark.database
NOWHERE = "2" * 13
# References of things, at the doors of people; a language is nobody's.
PLACES = {
    name: wanted
    for name, wanted in CASES.items()
    if wanted and not name.startswith("api:") and set(wanted) != {"code"}
}
# Where the answer to a thing that is there differs from that to one that is not: who is concerned.
HERS = {
    "portal:asked",
    "portal:asked_back",
    "portal:asked_check",
    "portal:asked_done",
    "portal:asked_first",
    "portal:asked_no",
    "portal:asked_now",
    "portal:asked_sign",
    "portal:change",
    "portal:details",
    "portal:done",
    "portal:hide",
    "portal:pause",
    "portal:resume",
    "portal:slip",
    "portal:slip_copy",
    "portal:stop",
}
THEIRS: dict[str, set[str]] = {
    "nobody": set(),
    "her": HERS,
    # She is of the same holder, and keeps its workers away from herself.
    "another survivor": {"portal:keep_away", "portal:let_back"},
    "another's advocate": set(),
    # Who decides sees what was asked and what came of the answer; what is others' to do is refused.
    "board member": {
        "desk:decide",
        "desk:finding",
        "desk:recall",
        "desk:recuse",
        "desk:release",
        "desk:release-ask",
        "desk:release-package",
        "desk:release-proof",
        "desk:request",
        "desk:request-end",
        "desk:request-submit",
        "desk:vote",
    },
}


@dataclass
class Matrix:
    """The world, and how each of these people comes to a door."""

    stage: Stage
    clients: dict[str, Client]

    def path(self, name: str, *, there: bool) -> str:
        values = self.stage.values if there else {}
        kinds = PLACES[name].items()
        return reverse(name, kwargs={key: values.get(of) or self.unknown(of) for key, of in kinds})

    def unknown(self, of: str) -> str:
        """A reference of the same kind to something that is not."""
        known = self.stage.values[of]
        return "999999" if known.isdecimal() else f"{known.partition('-')[0]}-{NOWHERE}"


@pytest.fixture(scope="module")
def matrix(django_db_setup: Any, django_db_blocker: Any) -> Iterator[Matrix]:
    with django_db_blocker.unblock(), lasting_world(4, yes=["c-1", "c-2"]) as world:
        stage = staged(world)
        chair = hand(world.chair)
        other = people.create_user(username="quiet-otter-7", kind=UserKind.SURVIVOR, **chair)
        advocate = hand(world.home.advocate)
        subjects.give_account(subject=world.subject("c-2"), account=other, **advocate)
        fern, warden = worlds._organisation("Fern", OrganisationKind.HEALTH, world.chair)
        helper = worlds._worker("fern-linden-2", fern, Role.ADVOCATE, warden)
        hers = Client(raise_request_exception=False)
        hers.force_login(other, "django.contrib.auth.backends.ModelBackend")
        survivors.said_again(hers)
        yield Matrix(
            stage,
            {
                "nobody": stage.clients["nobody"],
                "her": stage.clients["survivor"],
                "another survivor": hers,
                "another's advocate": _entered(helper),
                "board member": stage.clients["board member"],
            },
        )


def told(answer: Any, path: str) -> str:
    """All of an answer but what differs at every one: tokens, its number, and the address asked."""
    head = {name: value for name, value in answer.items() if name not in DIFFERS}
    body = answer.content.decode()
    body = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", body)
    for word in (path, quote(path, safe=""), *filter(REFERENCE.fullmatch, path.split("/"))):
        body = body.replace(word, "")
    return f"{answer.status_code} {head} {body}"


REFERENCE = re.compile(r"[a-z]{3}-[a-z0-9]+")
DIFFERS = {"X-Request-ID", "Content-Length", "Set-Cookie"}


def asked(client: Client, method: str, path: str) -> Any:
    cache.clear()
    return getattr(client, method)(path)


def seen(matrix: Matrix, who: str, methods: tuple[str, ...]) -> set[str]:
    """The addresses at which this person's answers tell what is there from what is not."""
    found = set()
    for name in PLACES:
        for method in methods:
            answers = []
            for there in (True, False):
                path = matrix.path(name, there=there)
                answer = asked(matrix.clients[who], method, path)
                answers.append(told(answer, path))
                refused_quietly(answer, who, name)
            if answers[0] != answers[1]:
                found.add(name)
    return found


def refused_quietly(answer: Any, who: str, name: str) -> None:
    """Nothing is kept, nothing tells in a title, and nobody else's door is told whence."""
    assert answer.status_code < 500, (who, name)
    assert answer["Cache-Control"] == "no-store", (who, name)
    assert answer["Referrer-Policy"] == "same-origin", (who, name)
    for title in re.findall(r"<title>(.*?)</title>", answer.content.decode()):
        assert not TELLING.search(title.removesuffix(" · Sayso")), (who, name, title)
    if answer.status_code == 302:
        assert not TELLING.search(answer["Location"]), (who, name)


@pytest.mark.django_db
def test_the_table_is_about_everybody_and_every_address_that_names_a_thing(matrix: Matrix) -> None:
    assert set(THEIRS) == set(matrix.clients)
    assert {name for theirs in THEIRS.values() for name in theirs} <= set(PLACES)
    assert len(PLACES) > 70


@pytest.mark.parametrize("who", THEIRS)
def test_what_is_not_theirs_answers_as_what_is_nowhere(matrix: Matrix, who: str) -> None:
    """A form is sent too, empty, by everybody but her: what is hers would change by it."""
    methods = ("get",) if who == "her" else ("get", "post")
    assert seen(matrix, who, methods) == THEIRS[who]


@pytest.mark.parametrize("who", THEIRS)
def test_who_may_not_come_is_sent_to_a_sign_in_or_finds_nothing(matrix: Matrix, who: str) -> None:
    """At the addresses that name nothing too: another door's pages are nowhere."""
    for name, wanted in CASES.items():
        if name.startswith("api:") or name in FOR_ANYONE or name in THEIRS[who]:
            continue
        path = matrix.path(name, there=True) if name in PLACES else reverse(name)
        answer = asked(matrix.clients[who], "get", path)
        refused_quietly(answer, who, name)
        if who == "nobody":
            away = answer.status_code == 302 and answer["Location"] in SIGN_INS
            assert away or answer.status_code in {404, 405} or not wanted, name
        elif path.startswith("/desk/") == (who in {"her", "another survivor"}):
            assert answer.status_code == 404, name
        elif wanted:  # a deed of stewards alone is refused before anything is looked for
            assert answer.status_code in {403, 404, 405}, name


SIGN_INS = {"/sign-in/", "/start/", "/desk/sign-in/"}
FOR_ANYONE = {"healthz", "readyz", "metrics", "portal:leave", "portal:language", "desk-language"}
