"""kill −9 of the sequencer at each step of a batch: what was begun has not happened, what was committed
stands, and the next one goes on from there. No number is left out, given twice, or given to nothing."""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command

from audit.actions import sequence
from audit.models import Checkpoint, Entry, Node
from tests.faults.test_kill import killed
from tests.integration.audit_log import happened
from tests.worlds import lasting_world

pytestmark = pytest.mark.database
BATCH = 20  # of tests/faults/child.py, which sets Django up by itself and so is not imported here
MANY = 50
# Each step, and how many entries a whole batch has numbered by then.
STEPS = {
    "before a number is written": 0,
    "between numbers and nodes": 0,
    "between nodes and head": 0,
    "between head and commit": 0,
    "after a batch": BATCH,
    "in the middle of the second batch": BATCH,
    "at the end of the second batch": BATCH,
}


@pytest.fixture(scope="module", autouse=True)
def world(django_db_setup, django_db_blocker) -> Iterator[None]:
    with django_db_blocker.unblock(), lasting_world(1, each=1):
        yield


def numbered() -> int:
    return Entry.objects.filter(seq__isnull=False).count()


@pytest.mark.parametrize("step", STEPS)
def test_a_sequencer_that_is_killed_has_numbered_whole_batches_and_nothing_else(step):
    while sequence():
        pass
    before, nodes, heads = numbered(), Node.objects.count(), Checkpoint.objects.count()
    first = Entry.objects.count()
    for number in range(MANY):
        happened(number)
    assert b"The sequencer runs." in killed(step)
    # Here it fell: so many entries have their numbers, and the head is over these.
    assert numbered() == before + STEPS[step]
    assert Checkpoint.objects.count() == heads + bool(STEPS[step])
    assert (Node.objects.count() > nodes) == bool(STEPS[step])
    head = Checkpoint.objects.order_by("-size").first()
    assert head is None or head.size == numbered()
    while sequence():
        pass
    assert Entry.objects.count() == first + MANY
    assert sorted(Entry.objects.values_list("seq", flat=True)) == list(range(first + MANY))
    out = StringIO()
    call_command("verify_log", stdout=out, stderr=out)  # every leaf, node and head anew


@pytest.mark.django_db
def test_the_steps_are_those_of_the_child(settings):
    child = (settings.BASE_DIR / "tests" / "faults" / "child.py").read_text(encoding="utf-8")
    assert all(f'"{step}": lambda' in child for step in STEPS)
    assert f"BATCH = {BATCH} " in child
