"""Everything that the OpenAPI description allows, and what it does not, asked by every role.

What is looked for in each answer: a server error, a status or body that the description does not
know, and a cell of a row (a canary stands in every free text and in every row nobody said yes to).
"""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import schemathesis
from django.core.cache import cache
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
from governance.actions import tokens
from governance.queries.requests import asked_of as about
from governance.vocabulary import Role
from release.actions import inquiries
from tests.integration import api_world
from tests.integration.api_world import CANARY, World

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@dataclass
class Door:
    """The door with everybody who may come to it, and real references to ask about."""

    world: World
    roles: dict[str, dict[str, str]]
    known: dict[str, str]
    told: Counter[str] = field(default_factory=Counter)
    questions: int = 0

    @property
    def cases(self) -> int:
        return sum(self.told.values())


@contextmanager
def door() -> Iterator[Door]:
    """One committed world, with a package, an upload's dataset and five ways to come."""
    with api_world.committed() as world:
        request = world.approved()
        release = world.prepared(request)
        sequence()
        steward = api_world.machine(world.holder, world.warden, "river-engine-9", Role.STEWARD)
        gone = api_world.machine(
            world.delta.organisation, world.delta.administrator, "delta-engine-13"
        )
        tokens.revoke(token=gone.token, by=gone.administrator, at=timezone.now(), via=Via.COMMAND)
        secrets = {
            "requester": world.delta.secret,
            "steward": steward.secret,
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
        }
        roles = {name: {"Authorization": f"Bearer {secret}"} for name, secret in secrets.items()}
        yield Door(world, {**roles, "nobody": {}}, known)


def ask_everything(door: Door, *, examples: int, number: int = 7) -> None:
    """About `examples` cases for each operation, each role and each of right and wrong input."""
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
    role = st.sampled_from(sorted(door.roles))

    @seed(number)
    @settings(
        max_examples=examples * len(door.roles),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy, who=role, real=st.booleans(), sent=st.booleans())
    def one(case: Any, who: str, real: bool, sent: bool) -> None:
        _aim(door, case, real=real, sent=sent and mode is GenerationMode.POSITIVE)
        cache.clear()
        response = case.call(headers=door.roles[who])
        text = response.content.decode("latin-1") + str(response.headers)
        assert CANARY not in text, f"{operation.label} as {who}"
        case.validate_response(response, checks=CHECKS)
        door.told[f"{who} {response.status_code}"] += 1

    one()


def _aim(door: Door, case: Any, *, real: bool, sent: bool) -> None:
    """Half of the cases ask about what is there; half of the right bodies can be done."""
    kinds = {"requests": "req", "releases": "rel", "datasets": "dst", "decisions": "inq"}
    kind = kinds.get(case.path.split("/")[2])
    if real and kind and "ref" in (case.path_parameters or {}):
        case.path_parameters = {**case.path_parameters, "ref": door.known[kind]}
        if "number" in case.path_parameters:
            case.path_parameters = {**case.path_parameters, "number": 1}
    if sent and case.method == "POST" and case.path == "/api/requests/":
        case.body = door.world.body()
    if sent and case.path == "/api/decisions/":
        door.questions += 1
        clients = api_world.CLIENTS
        client = clients[door.questions % len(clients)]
        case.body = {"request": door.known["req"], "client": client}
