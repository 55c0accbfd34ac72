"""Whatever the description allows, and what it does not: no server error, no surprise, no row."""

import gc
import os

import pytest

from release.models import Download
from tests.integration.asked import Door, ask_everything, door
from tests.lengths import LONG

# 22 operations x 8 roles x right and wrong input: about 300 cases here, more than 10,000 where
# tests are long and by `make faults`.
EXAMPLES = int(os.environ.get("API_EXAMPLES", "40" if LONG else "1"))
LEAST = {"requester 200", "requester 201", "requester 202", "requester 206", "steward 202",
         "application 200", "application 201", "application 202", "application 206",
         "auditor 200", "auditor 404", "one-scope 202", "one-scope 403", "another's 404",
         "revoked 401", "nobody 401"}  # fmt: skip
CASES = 10_000


@pytest.fixture(scope="module")
def transactional_db(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), door() as found:
        yield found


# The tool writes a large form of its own to a file that it leaves for the collector to close.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.timeout(300 if EXAMPLES < 10 else 14_400)  # the long form shares its machine
def test_everything_that_can_be_asked_is_answered_as_described(transactional_db):
    found: Door = transactional_db
    try:
        ask_everything(found, examples=EXAMPLES)
    finally:
        gc.collect()
        print(found.cases, dict(found.told))  # noqa: T201 - for whoever runs the long form
    assert found.cases >= 160 * EXAMPLES
    assert {role.split()[0] for role in found.told} == {role.split()[0] for role in found.roles}
    assert Download.objects.exists()  # something was handed over, so something could have leaked
    if EXAMPLES >= 10:
        assert set(found.told) >= LEAST
    if LONG:
        assert found.cases >= CASES
