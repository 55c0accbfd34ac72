"""What a request must keep to, who can have which role, which columns contradict others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from governance.rules import (
    AGGREGATES_ONLY,
    AgreementFact,
    AskedField,
    FieldSpec,
    RequestFact,
    clashes,
    closing,
    request_faults,
    role_fault,
)
from governance.vocabulary import (
    AgreementState,
    DatasetState,
    FieldSensitivity,
    FieldType,
    PurposeKind,
    Role,
    UserKind,
)

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOLDER, REQUESTER, OTHER = 1, 2, 3

AGREEMENT = AgreementFact(
    holder=HOLDER,
    recipient=REQUESTER,
    state=AgreementState.IN_FORCE,
    starts=NOW - DAY,
    ends=NOW + 90 * DAY,
    datasets=frozenset({10}),
    purposes=frozenset({20}),
    categories=frozenset({30, 31}),
)
GOOD = RequestFact(
    requester=REQUESTER,
    holder=HOLDER,
    dataset=10,
    dataset_state=DatasetState.ACTIVE,
    purpose=20,
    purpose_kind=PurposeKind.RESEARCH,
    purpose_open=True,
    starts=NOW,
    ends=NOW + 30 * DAY,
    reason="To plan beds.",
    benefit="Fewer people outside.",
    agreement=AGREEMENT,
    fields=(AskedField("age_band", 10, 30, False), AskedField("language", 10, 31, False)),
)


def under(**changes):
    return replace(GOOD, agreement=replace(AGREEMENT, **changes))


FAULTY = [
    ("own_data", replace(GOOD, requester=HOLDER, agreement=replace(AGREEMENT, recipient=HOLDER))),
    ("dataset_not_active", replace(GOOD, dataset_state=DatasetState.PAUSED)),
    ("dataset_not_active", replace(GOOD, dataset_state=DatasetState.RETIRED)),
    ("purpose_not_open", replace(GOOD, purpose_open=False)),
    ("aggregates_only", replace(GOOD, purpose_kind=PurposeKind.REPORTING)),
    ("aggregates_only", replace(GOOD, purpose_kind=PurposeKind.STATISTICS)),
    ("reason_missing", replace(GOOD, reason="  ")),
    ("benefit_missing", replace(GOOD, benefit="")),
    ("period_over", replace(GOOD, starts=NOW - DAY / 2, ends=NOW)),
    ("no_fields", replace(GOOD, fields=())),
    ("field_elsewhere", replace(GOOD, fields=(AskedField("age_band", 11, 30, False),))),
    ("narrative_field", replace(GOOD, fields=(AskedField("story", 10, 30, True),))),
    ("agreement_of_others", under(recipient=OTHER)),
    ("agreement_of_others", under(holder=OTHER)),
    ("agreement_of_others", under(holder=REQUESTER, recipient=HOLDER)),
    ("agreement_not_in_force", under(state=AgreementState.DRAFT)),
    ("agreement_not_in_force", under(state=AgreementState.SUSPENDED)),
    ("agreement_not_in_force", under(state=AgreementState.ENDED)),
    ("agreement_dataset", under(datasets=frozenset({11}))),
    ("agreement_purpose", under(purposes=frozenset({21}))),
    ("agreement_category", under(categories=frozenset({30}))),
    ("outside_agreement", under(starts=NOW + timedelta(seconds=1))),
    ("outside_agreement", under(ends=NOW + 30 * DAY - timedelta(seconds=1))),
]


def test_a_request_that_keeps_to_everything_has_no_fault():
    assert request_faults(GOOD, NOW) == []


@pytest.mark.parametrize(("code", "fact"), FAULTY)
def test_each_fault_is_found_alone_and_named(code, fact):
    found = request_faults(fact, NOW)
    assert [fault.code for fault in found] == [code]
    assert found[0].message.endswith(".")


def test_an_agreement_is_over_at_its_end_and_not_a_second_before():
    ends = AGREEMENT.ends
    fact = replace(GOOD, starts=ends - DAY, ends=ends)
    assert request_faults(fact, ends - timedelta(seconds=1)) == []
    assert "agreement_not_in_force" in [fault.code for fault in request_faults(fact, ends)]


def test_all_faults_are_told_at_once():
    fact = replace(GOOD, fields=(), reason="", purpose_kind=PurposeKind.REPORTING)
    assert {fault.code for fault in request_faults(fact, NOW)} == {
        "aggregates_only",
        "reason_missing",
        "no_fields",
    }


def test_rows_are_asked_for_only_for_service_research_and_justice():
    assert set(PurposeKind) - AGGREGATES_ONLY == {
        PurposeKind.SERVICE,
        PurposeKind.RESEARCH,
        PurposeKind.JUSTICE,
    }


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", UserKind)
def test_a_survivor_has_no_role_and_a_machine_only_asks_loads_or_follows_the_log(kind, role):
    machines = {Role.REQUESTER, Role.STEWARD, Role.AUDITOR}
    possible = kind == UserKind.STAFF or (kind == UserKind.MACHINE and role in machines)
    assert (role_fault(kind, role) == "") is possible


AGE = FieldSpec("age_band", FieldType.CODE, "about-me", FieldSensitivity.QUASI)


@pytest.mark.parametrize(
    ("specs", "wrong"),
    [
        ([], 0),
        ([AGE], 0),
        ([replace(AGE, name="gender")], 0),
        ([AGE, AGE], 1),
        ([replace(AGE, type=FieldType.TEXT)], 1),
        ([replace(AGE, category="where")], 1),
        ([replace(AGE, field_sensitivity=FieldSensitivity.DIRECT)], 1),
        ([replace(AGE, narrative=True)], 1),
        ([replace(AGE, name="Age_Band")], 1),
        ([replace(AGE, name="1st")], 1),
        ([replace(AGE, name="a b")], 1),
        ([replace(AGE, name="x\n")], 1),
        ([replace(AGE, name="x" * 81)], 1),
        ([replace(AGE, name="x" * 80)], 0),
    ],
)
def test_a_second_description_agrees_with_the_first_or_is_a_clash(specs, wrong):
    assert len(clashes(specs, {"age_band": AGE})) == wrong


def test_what_stops_never_ends_before_it_began():
    assert closing(NOW, NOW + DAY) == NOW + DAY
    assert closing(NOW, NOW) > NOW
    assert closing(NOW, NOW - DAY) > NOW
