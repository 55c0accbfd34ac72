"""What was loaded, answered and handed over stays: the database refuses on both vendors."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from release.models import (
    DatasetVersion,
    Download,
    Inquiry,
    Presence,
    Recall,
    Recalled,
    RecallStep,
    Release,
    ReleasePart,
    Resealing,
    Sending,
    StoredPart,
    Use,
    VersionColumn,
    Withheld,
)
from tests.append_only import triggers_lifted
from tests.factories import audit as log
from tests.factories import governance as made
from tests.factories import release as kept

pytestmark = pytest.mark.django_db

FIXED = {
    DatasetVersion: kept.dataset_version,
    VersionColumn: kept.version_column,
    StoredPart: kept.stored_part,
    Presence: kept.presence,
    Resealing: kept.resealing,
    ReleasePart: kept.release_part,
    Use: kept.use,
    Withheld: kept.withheld,
    Download: kept.download,
    Inquiry: kept.inquiry,
    Recall: kept.recall,
    Recalled: kept.recalled,
    RecallStep: kept.recall_step,
    Sending: kept.sending,
}
FREE = {"voided_at", "void_ground", "wiped_at"}  # what may be filled in later, once
ASKED = {
    "id", "ref", "release_class", "request", "holder", "recipient", "purpose", "asked_by",
    "asked_at", "replaces", "format",
}  # fmt: skip
# Foreign keys and checks that also refuse must not be what the tests below see.
OTHER = {
    "state": "refused",
    "format": "csv",
    "release_class": "direct",
    "grounds": {"nobody": 1},
    "manifest": b"other",
    "columns": {"help": ["visits"]},
    "record_until": date(2025, 1, 1),
    "step": "reported",
    "reported": "deleted",
}


def refused(deed):
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
        deed()


def other_value(row: models.Model, field: models.Field):
    """A value of the column's type that differs from what the row has."""
    value = getattr(row, field.attname)
    if field.name in OTHER:
        return OTHER[field.name]
    if isinstance(field, models.DateTimeField):
        return (value or timezone.now()) + timedelta(seconds=1)
    if isinstance(field, models.BinaryField):
        return b"other"
    if isinstance(field, models.CharField):
        return "x" if value != "x" else "y"
    return (value or 0) + 1


@pytest.mark.parametrize("model", FIXED, ids=lambda model: model.__name__)
def test_no_column_of_a_kept_row_changes(model):
    row = FIXED[model]()
    rows = model.objects.filter(pk=row.pk)
    for field in model._meta.concrete_fields:
        other = {field.attname: other_value(row, field)}
        refused(lambda other=other: rows.update(**other))


@pytest.mark.parametrize("model", [*FIXED, Release], ids=lambda model: model.__name__)
def test_no_kept_row_goes(model):
    row = (FIXED.get(model) or kept.prepared)()
    rows = model.objects.filter(pk=row.pk)
    refused(lambda: rows._raw_delete(rows.db))
    if connection.vendor == "postgresql":  # no trigger is lifted while constraints wait
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with triggers_lifted():
        assert rows._raw_delete(rows.db) == 1


@pytest.mark.postgresql_only
@pytest.mark.parametrize("model", [*FIXED, Release], ids=lambda model: model.__name__)
def test_no_table_of_kept_rows_is_emptied(model):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        refused(lambda: cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE"))


@pytest.mark.sqlite_only
@pytest.mark.parametrize("model", [*FIXED, Release], ids=lambda model: model.__name__)
def test_no_kept_row_is_replaced(model):
    """Neither by its number nor by anything else that makes it unique."""
    row = (FIXED.get(model) or kept.prepared)()
    table = model._meta.db_table
    rest = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields[1:])
    for number in ("id", str(row.pk + 1_000)):
        again = (
            f"REPLACE INTO {table} (id, {rest}) "  # noqa: S608 - our own names
            f"SELECT {number}, {rest} FROM {table} WHERE id = {row.pk}"
        )
        with connection.cursor() as cursor:
            refused(lambda cursor=cursor, again=again: cursor.execute(again))


def test_a_waiting_release_is_answered():
    row = kept.release()
    rows = Release.objects.filter(pk=row.pk)
    answer = {"state": "refused", "answered_at": timezone.now(), "entry": log.entry()}
    assert rows.update(**answer) == 1


@pytest.mark.parametrize(
    "name",
    sorted({field.name for field in Release._meta.concrete_fields} - FREE),
)
def test_a_release_is_answered_once(name):
    row = kept.prepared()
    field = Release._meta.get_field(name)
    rows = Release.objects.filter(pk=row.pk)
    refused(lambda: rows.update(**{field.attname: other_value(row, field)}))


@pytest.mark.parametrize("name", sorted(ASKED))
def test_what_was_asked_stays_as_it_was_asked_even_while_it_waits(name):
    row = kept.release()
    field = Release._meta.get_field(name)
    rows = Release.objects.filter(pk=row.pk)
    refused(lambda: rows.update(**{field.attname: other_value(row, field)}))


@pytest.mark.parametrize("name", ["version", "key", "epoch_everyone", "good_until", "entry"])
def test_what_an_answer_stands_on_is_not_taken_away(name):
    rows = Release.objects.filter(pk=kept.prepared().pk)
    refused(lambda: rows.update(**{name: None}))


def test_a_release_is_declared_void_once():
    rows = Release.objects.filter(pk=kept.prepared().pk)
    now = timezone.now()
    assert rows.update(voided_at=now, void_ground="key") == 1
    refused(lambda: rows.update(void_ground="unfetched"))
    refused(lambda: rows.update(voided_at=now + timedelta(seconds=1)))
    refused(lambda: rows.update(voided_at=None, void_ground=None))
    assert rows.values_list("voided_at", "void_ground").get() == (now, "key")


def test_a_package_is_wiped_once():
    rows = Release.objects.filter(pk=kept.prepared().pk)
    assert rows.update(wiped_at=timezone.now()) == 1
    refused(lambda: rows.update(wiped_at=timezone.now() + timedelta(seconds=1)))
    refused(lambda: rows.update(wiped_at=None))


def test_a_lease_comes_and_goes():
    lease = kept.lease()
    lease.attempts += 1
    lease.save()
    assert lease.delete()[0] == 1


def test_what_refers_to_a_kept_row_holds_it_too():
    version = kept.prepared().version
    with pytest.raises(models.ProtectedError):
        version.delete()
    with pytest.raises(models.ProtectedError):
        made.access_request(dataset=version.dataset).dataset.delete()
