"""Everything that the OpenAPI description allows, and what it does not, asked by every role.

What is looked for in each answer: a server error, a status or body that the description does not
know, and a cell of a row (a canary stands in every free text and in every row nobody said yes to).
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from unittest import mock

import schemathesis
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.schema import document
from api.throttling import DoorThrottle, MachineThrottle
from audit.actions import sequence
from audit.vocabulary import Via
from config.wsgi import application
from governance.actions import machines, tokens
from governance.models import Organisation
from governance.queries.requests import asked_of as about
from governance.vocabulary import MachineScope, Role
from release.actions import handing, inquiries, recalls
from release.models import Recall, Release
from release.vocabulary import DownloadPart
from tests.integration import api_world
from tests.integration.api_world import CANARY, Asker, World

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
RENEWED = 600  # seconds: an access token opens for 900, and the long form takes longer than that


@dataclass
class Application:
    """A machine that comes by OAuth client credentials and renews its token as clients do."""

    client_id: str
    secret: str
    token: str = ""
    got: float = 0.0

    def headers(self) -> dict[str, str]:
        if not self.token or time.monotonic() - self.got > RENEWED:
            cache.clear()
            answer = Client().post(
                "/api/oauth/token/",
                f"grant_type=client_credentials&client_id={self.client_id}"
                f"&client_secret={self.secret}",
                "application/x-www-form-urlencoded",
            )
            assert answer.status_code == 200, answer.content
            self.token, self.got = answer.json()["access_token"], time.monotonic()
        return bearer(self.token)


@dataclass
class Door:
    """The door with everybody who may come to it, and real references to ask about."""

    world: World
    roles: dict[str, Callable[[], dict[str, str]]]
    known: dict[str, str]
    told: Counter[str] = field(default_factory=Counter)
    questions: int = 0

    @property
    def cases(self) -> int:
        return sum(self.told.values())


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def application_of(asker: Asker, label: str, *scopes: MachineScope) -> Application:
    """One more way in for this machine, for these scopes."""
    client, secret = machines.register(
        user=asker.machine,
        organisation=asker.organisation,
        label=label,
        scopes=scopes,
        by=asker.administrator,
        at=timezone.now(),
        via=Via.COMMAND,
    )
    return Application(client.application.client_id, secret)


@contextmanager
def door() -> Iterator[Door]:
    """One committed world, with a package, an upload's dataset and eight ways to come."""
    with api_world.committed() as world:
        request = world.approved()
        recall = asked_back(world, world.prepared(request))
        release = world.prepared(request)
        sequence()
        steward = api_world.machine(world.holder, world.warden, "river-engine-9", Role.STEWARD)
        auditor = api_world.machine(commons(world), world.chair, "north-engine-5", Role.AUDITOR)
        gone = api_world.machine(
            world.delta.organisation, world.delta.administrator, "delta-engine-13"
        )
        tokens.revoke(token=gone.token, by=gone.administrator, at=timezone.now(), via=Via.COMMAND)
        secrets = {
            "requester": world.delta.secret,
            "steward": steward.secret,
            "auditor": auditor.secret,
            "another's": world.brook.secret,
            "revoked": gone.secret,
        }
        asked = about(world.holder, request.ref)
        assert asked is not None
        inquiry = inquiries.answer(
            request=asked, number="c-1", by=steward.machine, at=timezone.now(), via=Via.API
        )
        sequence()
        known = {
            "req": request.ref,
            "rel": release.ref,
            "dst": world.dataset.ref,
            "inq": inquiry.ref,
            "rcl": recall.ref,
        }
        roles: dict[str, Callable[[], dict[str, str]]] = {
            **{name: partial(bearer, secret) for name, secret in secrets.items()},
            # The requester and the steward once more, by an access token instead of a kept one.
            "application": application_of(world.delta, "all it may", *MachineScope).headers,
            "one-scope": application_of(steward, "loads only", MachineScope.LOAD).headers,
        }
        yield Door(world, {**roles, "nobody": dict}, known)


def asked_back(world: World, release: Release) -> Recall:
    """What Delta is asked to delete of a package it has picked up: somebody in it stopped."""
    sequence()
    own = {"by": world.delta.machine, "at": timezone.now(), "via": Via.API}
    for _ in handing.hand_over(release=release, part=DownloadPart.PACKAGE, **own).chunks:
        pass
    world.no(world.consent_of(api_world.CLIENTS[2]))
    recalls.open_due(at=timezone.now())
    return Recall.objects.get(release=release)


def commons(world: World) -> Organisation:
    """The body that convenes: its auditors may read every entry of the log."""
    return Organisation.objects.get(name="Commons")


def ask_everything(door: Door, *, examples: int, number: int = 7) -> None:
    """`examples` cases for each operation, each role and each of right and wrong input."""
    schema = schemathesis.openapi.from_dict(dict(document()))
    schema.app = application
    logging.disable(logging.WARNING)  # thousands of refusals, each on a line of its own
    with (
        mock.patch.object(MachineThrottle, "rate", "9999999/min", create=True),
        mock.patch.object(DoorThrottle, "rate", "9999999/min", create=True),
    ):
        for found in schema.get_all_operations():
            operation = found.ok()
            for mode in MODES:
                if mode is GenerationMode.NEGATIVE and not _takes_something(operation):
                    continue
                strategy = operation.as_strategy(generation_mode=mode)
                _ask(door, operation, strategy, mode, examples, number)
    logging.disable(logging.NOTSET)


def _takes_something(operation: Any) -> bool:
    """Whether anything but headers, which may hold any text, can be wrong about it."""
    places = (operation.path_parameters, operation.query, operation.body)
    return any(list(place) for place in places)


def _ask(
    door: Door, operation: Any, strategy: Any, mode: GenerationMode, examples: int, number: int
) -> None:
    for place, who in enumerate(sorted(door.roles)):
        _ask_as(door, who, operation, strategy, mode, examples, number + place)


def _ask_as(
    door: Door,
    who: str,
    operation: Any,
    strategy: Any,
    mode: GenerationMode,
    examples: int,
    number: int,
) -> None:
    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy, real=st.booleans(), sent=st.booleans())
    def one(case: Any, real: bool, sent: bool) -> None:
        _aim(door, case, real=real, sent=sent and mode is GenerationMode.POSITIVE)
        cache.clear()
        response = case.call(headers=door.roles[who]())
        text = response.content.decode("latin-1") + str(response.headers)
        assert CANARY not in text, f"{operation.label} as {who}"
        case.validate_response(response, checks=CHECKS)
        door.told[f"{who} {response.status_code}"] += 1

    one()


def _aim(door: Door, case: Any, *, real: bool, sent: bool) -> None:
    """Half of the cases ask about what is there; half of the right bodies can be done."""
    kinds = {
        "requests": "req",
        "releases": "rel",
        "datasets": "dst",
        "decisions": "inq",
        "recalls": "rcl",
    }
    kind = kinds.get(case.path.split("/")[2])
    if real and kind and "ref" in (case.path_parameters or {}):
        case.path_parameters = {**case.path_parameters, "ref": door.known[kind]}
        if "number" in case.path_parameters:
            case.path_parameters = {**case.path_parameters, "number": 1}
            case.headers = {**(case.headers or {}), **({"Range": "bytes=0-9"} if sent else {})}
    if real and "tile" in (case.path_parameters or {}):  # the log has one entry at least
        level = {"level": "0"} if "level" in case.path_parameters else {}
        case.path_parameters = {**case.path_parameters, **level, "tile": "000.p/1"}
    if sent and case.method == "POST" and case.path == "/api/requests/":
        case.body = door.world.body()
    if sent and case.path == "/api/decisions/":
        door.questions += 1
        clients = api_world.CLIENTS
        client = clients[door.questions % len(clients)]
        case.body = {"request": door.known["req"], "client": client}
