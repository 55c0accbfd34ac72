"""Which of our states is which of the W3C Data Privacy Vocabulary's, and which of them permit."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from consent.vocabulary import (
    HAPPENING_DPV,
    PROPOSAL_DPV,
    STANDING_DPV,
    Happening,
    ProposalState,
    Standing,
)

SHARED = Path(settings.BASE_DIR).parent / "shared" / "data" / "dpv" / "consent_status.csv"
TABLES: list[tuple[Mapping[Any, str], Any]] = [
    (STANDING_DPV, Standing),
    (HAPPENING_DPV, Happening),
    (PROPOSAL_DPV, ProposalState),
]
VALID = "https://w3id.org/dpv#ConsentStatusValidForProcessing"


@pytest.fixture(scope="module")
def states() -> dict[str, bool]:
    """Each state of the vocabulary, and whether it is valid for processing."""
    if not SHARED.exists():
        pytest.skip("the vocabulary's file is not here: ../shared/data/dpv/consent_status.csv")
    with SHARED.open(encoding="utf-8", newline="") as lines:
        return {row["term"]: row["hasbroader"] == VALID for row in csv.DictReader(lines)}


def test_every_state_of_ours_has_one_of_the_vocabularys() -> None:
    for table, kind in TABLES:
        assert set(table) == set(kind)


def test_each_is_a_state_that_the_vocabulary_knows(states: dict[str, bool]) -> None:
    for table, _ in TABLES:
        assert set(table.values()) <= set(states)


@pytest.mark.parametrize("standing", Standing)
def test_the_gate_permits_exactly_where_the_vocabulary_does(
    standing: Standing, states: dict[str, bool]
) -> None:
    assert states[STANDING_DPV[standing]] == (standing is Standing.IN_FORCE)


def test_what_waits_and_what_was_not_answered_permits_nothing(states: dict[str, bool]) -> None:
    permitting = {state for state in ProposalState if states[PROPOSAL_DPV[state]]}
    assert permitting == {ProposalState.GIVEN}
    permitting_events = {each for each in Happening if states[HAPPENING_DPV[each]]}
    assert permitting_events == {
        *(Happening.GIVEN, Happening.RENEWED, Happening.NARROWED, Happening.RESUMED)
    }
