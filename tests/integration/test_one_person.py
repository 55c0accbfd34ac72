"""One person's answer through the real deeds: every no is in the very next one."""

from collections.abc import Callable
from copy import copy

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from common.planned import BIGINT, Planned
from consent.models import Objection
from governance.actions import agreements, catalogue, keys, memberships, purposes, requests
from governance.models import AccessRequest, Field, FieldClassification, Membership, RecipientKey
from release.queries import person
from release.rules.decide import Refusal
from release.rules.person import Opening
from release.vocabulary import Ground
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)
WORDS: dict[str, dict[str, str]] = {"postgresql": {}, "sqlite": {}}


def answer(world: World, number: str = "c-1") -> Opening | Refusal:
    return person.answer(
        request=world.home.request,
        slot=world.subject(number).slot,
        by=world.requester,
        since=timezone.now(),
    )


def test_what_is_answered_is_what_a_release_then_sends():
    world = small_world(3, yes=["c-1"])
    world.yes("c-2", categories=world.categories[:1])
    both, first, none = (answer(world, number) for number in ("c-1", "c-2", "c-3"))
    assert (both.columns, first.columns) == (("age_band", "region", "visits"), ("age_band",))
    assert both.categories == {each.pk for each in world.categories}
    assert none == Refusal((Ground.NO_CONSENT,))
    package = world.open_package(world.fetch(world.prepare()))
    assert package.columns == ("person", *both.columns)
    filled = [[cell is not None for cell in row[1:]] for row in package.rows]
    assert sorted(filled) == [[True, False, False]] * 2 + [[True, True, True]] * 2


NOES: dict[str, tuple[Callable[[World], object], Ground]] = {
    "she stops": (lambda world: world.no("c-1"), Ground.WITHDRAWN),
    "she pauses": (lambda world: world.pause("c-1"), Ground.PAUSED),
    "she objects to all": (lambda world: world.object("c-1"), Ground.OBJECTED),
    "she objects to both categories": (
        lambda world: [world.object("c-1", category=each) for each in world.categories],
        Ground.OTHER_CATEGORIES,
    ),
    "the agreement is suspended": (
        lambda world: agreements.suspend(agreement=world.home.agreement, **hand(world.home.warden)),
        Ground.AGREEMENT_SUSPENDED,
    ),
    "the request is ended": (
        lambda world: requests.end(request=world.home.request, **hand(world.requester)),
        Ground.NO_REQUEST,
    ),
    "the dataset is paused": (
        lambda world: catalogue.pause_dataset(
            dataset=world.home.dataset, **hand(world.home.steward)
        ),
        Ground.DATASET_NOT_ACTIVE,
    ),
    "the purpose is paused": (
        lambda world: purposes.pause_purpose(purpose=world.purpose, **hand(world.member)),
        Ground.PURPOSE_NOT_ACTIVE,
    ),
    "who asks is no longer a member": (
        lambda world: memberships.end(
            membership=Membership.objects.get(user=world.requester), **hand(world.recipient_admin)
        ),
        Ground.NO_MEMBER,
    ),
    "the recipient's key is ended": (
        lambda world: keys.end(
            key=RecipientKey.objects.get(organisation=world.recipient),
            **hand(world.recipient_admin),
        ),
        Ground.NO_KEY,
    ),
}


@pytest.mark.parametrize("no", NOES)
def test_a_no_of_any_kind_is_in_the_very_next_answer(no):
    world = small_world(1)
    assert isinstance(answer(world), Opening)
    deed, ground = NOES[no]
    deed(world)
    assert answer(world) == Refusal((ground,))


def test_what_is_allowed_again_is_in_the_very_next_answer_too():
    world = small_world(1)
    open_before = answer(world)
    world.pause("c-1")
    world.object("c-1")
    assert answer(world) == Refusal((Ground.PAUSED,))
    world.resume("c-1")
    assert answer(world) == Refusal((Ground.OBJECTED,))
    world.lift(Objection.objects.get(lifted_at__isnull=True))
    assert answer(world) == open_before


def test_a_request_that_is_not_what_it_was_read_as_is_not_answered():
    world = small_world(1)
    for field in ("id", "dataset_id", "requester_id", "purpose_id", "agreement_id"):
        other = copy(world.home.request)
        setattr(other, field, 0)
        with pytest.raises(AccessRequest.DoesNotExist):
            person.answer(request=other, slot=1, by=world.requester, since=timezone.now())


def test_a_new_connection_plans_the_statement_anew():
    world = small_world(1)
    before = answer(world)
    connection.close()
    assert answer(world) == before


@pytest.mark.postgresql_only
def test_the_server_keeps_one_plan_for_each_connection_and_none_where_it_may_not():
    world = small_world(1)
    before = [answer(world) for _ in range(3)][-1]
    assert plans() == 1
    connection.close()
    connection.ensure_connection()
    connection.connection.prepare_threshold = None
    assert answer(world) == before
    assert plans() == 0


def plans() -> int:
    with connection.cursor() as cursor:
        name = person.THE_STATEMENT.name.decode()
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name = %s", [name])
        return int(cursor.fetchone()[0])


@pytest.mark.sqlite_only
def test_an_answer_is_one_statement():
    world = small_world(1)
    slot, said = world.subject("c-1").slot, []
    asked = {"request": world.home.request, "slot": slot, "by": world.requester}
    person._whole.cache_clear()
    for statements in (4, 1):  # what the catalogue's history means is worked out once
        connection.connection.set_trace_callback(said.append)
        person.answer(**asked, since=timezone.now())
        connection.connection.set_trace_callback(None)
        assert len(said) == statements
        said.clear()


def there_and_back(world: World, name: str) -> None:
    """A field leaves its category and comes back: no yes of before covers it any more."""
    field = Field.objects.get(dataset=world.home.dataset, name=name)
    for category in (
        *(each for each in world.categories if each != field.category),
        field.category,
    ):
        FieldClassification.objects.create(
            field=field,
            category=category,
            field_sensitivity=field.field_sensitivity,
            classified_at=timezone.now(),
            classified_by=world.home.steward,
        )


def test_what_is_answered_in_a_transaction_that_is_taken_back_is_not_remembered():
    world = small_world(1, yes=["c-1"])
    with transaction.atomic():
        there_and_back(world, "age_band")
        assert "age_band" not in answer(world).columns
        transaction.set_rollback(True)
    there_and_back(world, "region")  # SQLite gives the same numbers to other rows
    assert answer(world).columns == ("age_band", "visits")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM not_a_table WHERE id = %(one)s",  # refused when it is planned
        "SELECT abs(-9223372036854775807 - %(one)s)",  # refused when it is run
    ],
)
def test_what_the_database_refuses_is_an_error_and_no_answer(sql):
    with pytest.raises(DatabaseError):
        Planned(sql, WORDS, {"one": BIGINT}).rows([1])


def test_nothing_is_answered_in_a_transaction_that_has_failed():
    world = small_world(1)
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(DatabaseError):
            answer(world)
