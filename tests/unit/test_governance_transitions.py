"""Every state with every verb: the tables say where it leads, and everything else is refused."""

from collections.abc import Callable, Mapping
from enum import Enum
from itertools import product

import pytest
from django.conf import settings

from common.errors import RuleBroken
from governance.rules import (
    AGREEMENT_STEPS,
    DATASET_STEPS,
    REQUEST_STEPS,
    AgreementVerb,
    DatasetVerb,
    RequestVerb,
    agreement_after,
    dataset_after,
    request_after,
    transitions_page,
)
from governance.vocabulary import AgreementState, DatasetState, RequestState

# Retyped on purpose: a table that checks itself checks nothing.
AGREEMENT = """
draft sign draft
draft countersign in_force
draft end ended
in_force suspend suspended
in_force end ended
suspended resume in_force
suspended end ended
"""
REQUEST = """
draft submit submitted
draft end ended
submitted approve approved
submitted refuse refused
submitted lapse lapsed
submitted end ended
approved end ended
"""
DATASET = """
active pause paused
active retire retired
paused resume active
paused retire retired
"""


def expected(table: str) -> dict[tuple[str, str], str]:
    return {(a, b): c for a, b, c in (line.split() for line in table.strip().splitlines())}


MACHINES: list[tuple[str, type[Enum], type[Enum], Callable, Mapping, str]] = [
    ("agreement", AgreementState, AgreementVerb, agreement_after, AGREEMENT_STEPS, AGREEMENT),
    ("request", RequestState, RequestVerb, request_after, REQUEST_STEPS, REQUEST),
    ("dataset", DatasetState, DatasetVerb, dataset_after, DATASET_STEPS, DATASET),
]
CASES = [
    pytest.param(noun, after, table, state, verb, id=f"{noun}-{state.value}-{verb.value}")
    for noun, states, verbs, after, _, table in MACHINES
    for state, verb in product(states, verbs)
]


@pytest.mark.parametrize(("noun", "after", "table", "state", "verb"), CASES)
def test_a_step_leads_where_the_table_says_or_is_refused(noun, after, table, state, verb):
    wanted = expected(table).get((state.value, verb.value))
    if wanted is None:
        with pytest.raises(RuleBroken) as refused:
            after(state.value, verb)
        assert refused.value.code == f"{noun}_state"
        assert str(state.label) in refused.value.message
    else:
        assert after(state.value, verb).value == wanted


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine[0])
def test_every_state_is_reached_and_every_verb_is_used(machine):
    _, states, verbs, _, steps, _ = machine
    assert set(steps.values()) | {next(iter(states))} == set(states)
    assert {verb for _, verb in steps} == set(verbs)


def test_nothing_leads_out_of_a_no():
    for state in (RequestState.REFUSED, RequestState.LAPSED, RequestState.ENDED):
        assert not any(start == state for start, _ in REQUEST_STEPS)
    assert not any(start == AgreementState.ENDED for start, _ in AGREEMENT_STEPS)
    assert not any(start == DatasetState.RETIRED for start, _ in DATASET_STEPS)


def test_the_page_of_steps_is_current():
    page = settings.BASE_DIR / "docs" / "reference" / "transitions.md"
    assert page.read_text(encoding="utf-8") == transitions_page(), (
        "Run manage.py drawtransitions and look at what changed."
    )


def test_the_page_shows_every_step():
    page = transitions_page()
    for _, _, _, _, steps, _ in MACHINES:
        for (state, verb), after in steps.items():
            assert f"    {state.value} --> {after.value}: {verb}\n" in page
