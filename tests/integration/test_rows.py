"""Rows written many at once are the rows that models would have written."""

import pytest
from django.db import transaction

from common.rows import Columns, reserved
from consent.models import Objection
from governance.models import Membership, Organisation
from governance.vocabulary import OrganisationKind, Role
from tests.factories import consent as said
from tests.factories import governance as made

pytestmark = pytest.mark.django_db
NAMES = ("ref", "name", "kind", "created_at", "verified_at")


def test_a_row_is_what_a_model_would_have_written():
    columns = Columns(Organisation, *NAMES)
    values = ("org-2222222222222", 'Río "ñ"\t\\N', OrganisationKind.HEALTH, made.START, None)
    columns.insert([columns.adapted(*values)])
    found = Organisation.objects.get(ref="org-2222222222222")
    assert tuple(getattr(found, name) for name in NAMES) == values
    assert Organisation.objects.filter(kind="health", created_at=made.START).exists()


def test_a_foreign_key_is_named_as_the_model_names_it():
    user, body = made.user(), made.organisation()
    columns = Columns(Membership, "user", "organisation", "role", "started_at")
    columns.insert([columns.adapted(user.pk, body.pk, Role.STEWARD, made.START)])
    assert Membership.objects.get(user=user).organisation == body


def test_no_rows_are_no_fault():
    Columns(Organisation, *NAMES).insert([])
    assert not Organisation.objects.exists()


def test_a_reserved_number_is_nobody_elses():
    said.objection()
    with transaction.atomic():
        numbers = reserved(Objection, 3)
        assert len(set(numbers)) == 3
        first = said.objection(pk=numbers[0])
        third = said.objection(pk=numbers[2])
    others = [said.objection().pk for _ in range(3)]
    assert not {first.pk, third.pk} & set(others)
    assert len(set(others)) == 3


def test_numbers_are_reserved_in_a_table_that_never_held_a_row():
    with transaction.atomic():
        assert len(set(reserved(Objection, 2))) == 2
