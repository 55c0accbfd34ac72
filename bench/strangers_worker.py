"""The timed half of bench/strangers.py: a process of its own, on an empty database."""

import json
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.cache import cache  # noqa: E402 - Django must be set up first
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.consents import fill, filling  # noqa: E402
from consent.models import Consent, Subject  # noqa: E402
from governance.actions import sittings  # noqa: E402
from governance.models import User  # noqa: E402
from governance.vocabulary import Device, UserKind  # noqa: E402

BACKEND = "django.contrib.auth.backends.ModelBackend"
WORDS = "copper lantern meadow thirty swans"
NOWHERE = "2222222222222"
Ask = Callable[[], int]


def person(name: str, kind: str = UserKind.SURVIVOR) -> User:
    return User.objects.create_user(name, WORDS, kind=kind)


def entered(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user, BACKEND)
    client.get("/")
    return client


def pages() -> Iterator[tuple[str, Ask, Ask]]:
    """Each page with what is there and is not theirs, and with what is not there."""
    her, other = person("amber-willow-41"), person("quiet-harbour-7")
    person("grey-pebble-3", UserKind.STAFF)
    Subject.objects.filter(slot=0).update(account=her)
    Subject.objects.filter(slot=1).update(account=other)
    client, nobody = entered(her), Client(headers={"host": "localhost"})
    own = Consent.objects.filter(subject_id=1).earliest("pk").ref
    place = sittings.begin(user=other, device=Device.PHONE, at=timezone.now()).ref

    def get(name: str, ref: str) -> Ask:
        return lambda: client.get(reverse(f"portal:{name}", args=[ref])).status_code

    for name in ("details", "stop", "slip"):
        yield name, get(name, own), get(name, f"con-{NOWHERE}")

    def end(ref: str) -> Ask:
        session = client.session
        session["again_until"] = int(time.time()) + 3600
        session.save()
        return lambda: client.post(reverse("portal:end_place", args=[ref])).status_code

    yield "signing a device out", end(place), end(f"sit-{NOWHERE}")

    def send(address: str, **words: str) -> Ask:
        return lambda: nobody.post(address, words).status_code

    wrong = {"passphrase": "not her words at all"}
    door = reverse("portal:sign_in")
    yield "sign-in", send(door, name=her.username, **wrong), send(door, name="nobody-1", **wrong)
    lost, code = reverse("portal:lost"), "2222-2222-2222-2222"
    yield "lost", send(lost, name=her.username, code=code), send(lost, name="nobody-1", code=code)
    desk = reverse("account_login")
    known, unknown = ({"login": name, "password": "x"} for name in ("grey-pebble-3", "nobody-1"))
    yield "sign-in at the desk", send(desk, **known), send(desk, **unknown)


def timed(there: Ask, nowhere: Ask, turns: int) -> dict[str, float]:
    """In turn, who goes first turning too; the first tenth warms up."""
    taken: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(turns + turns // 10):
        for first in (turn % 2 == 0, turn % 2 == 1):
            cache.clear()  # tries are counted, and a page too many would be another page
            ask = there if first else nowhere
            began = time.perf_counter()
            status = ask()
            seconds = time.perf_counter() - began
            if status not in {200, 404}:
                raise AssertionError(f"a page answered {status}")
            if turn >= turns // 10:
                taken[first].append(seconds)
    if there() != nowhere():
        raise AssertionError("the two answers differ")
    medians = [statistics.median(taken[which]) * 1000 for which in (True, False)]
    ratio = max(medians) / min(medians)
    return {"there_ms": round(medians[0], 3), "not_ms": round(medians[1], 3), "ratio": ratio}


def main() -> None:
    people, turns = int(sys.argv[1]), int(sys.argv[2])
    logging.disable(logging.WARNING)  # each page that is nowhere would leave a line
    call_command("migrate", verbosity=0, interactive=False)
    with filling():
        fill(people)
    found = {name: timed(there, nowhere, turns) for name, there, nowhere in pages()}
    told = {"pages": found, "turns": turns, "database": connection.vendor}
    print(json.dumps({**told, "load": round(os.getloadavg()[0], 2)}), flush=True)


if __name__ == "__main__":
    main()
