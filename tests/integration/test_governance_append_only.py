"""What stays stays, whoever asks: the database refuses on both vendors."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from governance.actions import agreements, reviews
from governance.models import (
    AccessRequest,
    Agreement,
    AgreementCategory,
    AgreementDataset,
    AgreementPurpose,
    AgreementSignature,
    Ballot,
    CategoryField,
    CategoryVersion,
    Charter,
    Decision,
    FieldClassification,
    KeptNo,
    Membership,
    Recusal,
    RequestField,
    Scope,
    ScopeMove,
    User,
)
from governance.vocabulary import Role, SeatKind, UserKind
from tests import kept
from tests.append_only import triggers_lifted
from tests.integration.governance_world import LATER, build, stamp

pytestmark = pytest.mark.django_db

FIXED = {
    AgreementSignature: {"digest": "0" * 64},
    Ballot: {"vote": "no"},
    CategoryField: {"name": "other"},
    CategoryVersion: {"number": 9},
    Charter: {"quorum": 1},
    Decision: {"outcome": "refused"},
    FieldClassification: {"narrative": True},
    KeptNo: {"facts": b"other"},
    Recusal: {"recused_at": LATER},
    ScopeMove: {"slot": 5},
}
PARTS = {
    AgreementCategory: "agreement",
    AgreementDataset: "agreement",
    AgreementPurpose: "agreement",
    RequestField: "request",
}


def full_world():
    return kept.once("every table of what was decided", _full_world)


def _full_world():
    world = build()
    asked = world.submitted()
    last = world.seats[2]
    reviews.recuse(request=asked, seat=last, **stamp(last.user))
    for seat in world.seats[:2]:
        world.vote(asked, seat)
    reviews.decide(request=asked, **stamp(world.seats[0].user))
    agreements.suspend(agreement=world.agreement, **stamp(world.holder_admin))
    return world


def refused(deed, word="append_only"):
    with pytest.raises(IntegrityError, match=word), transaction.atomic():
        deed()


@pytest.mark.parametrize("model", FIXED, ids=lambda model: model.__name__)
def test_a_row_of_the_record_neither_changes_nor_goes(model):
    full_world()
    rows = model.objects.filter(pk=model.objects.first().pk)
    refused(lambda: rows.update(**FIXED[model]))
    refused(lambda: rows._raw_delete(rows.db))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            refused(lambda: cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE"))
    with triggers_lifted():
        assert rows.update(**FIXED[model]) == 1


@pytest.mark.sqlite_only
@pytest.mark.parametrize("model", [*FIXED, *PARTS, User, Agreement], ids=lambda m: m.__name__)
def test_a_row_of_the_record_is_not_replaced(model):
    full_world()
    table = model._meta.db_table
    with connection.cursor() as cursor:
        again = f"REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"  # noqa: S608 - our own name
        refused(lambda: cursor.execute(again))


@pytest.mark.parametrize("model", PARTS, ids=lambda model: model.__name__)
def test_what_was_signed_or_handed_in_gains_and_loses_nothing(model):
    full_world()
    row = model.objects.first()
    rows = model.objects.filter(pk=row.pk)
    row.pk = None
    refused(row.save)
    refused(lambda: rows.update(**{PARTS[model]: getattr(row, PARTS[model])}))
    refused(lambda: rows._raw_delete(rows.db))


def test_an_agreement_changes_before_it_is_signed_and_only_its_state_afterwards():
    world = build(signed=False)
    rows = Agreement.objects.filter(pk=world.agreement.pk)
    rows.update(title="Still a draft")
    AgreementPurpose.objects.all().delete()
    AgreementPurpose.objects.create(agreement=world.agreement, purpose=world.purpose)
    agreements.sign(
        agreement=world.agreement, organisation=world.holder, **stamp(world.holder_admin)
    )
    for change in (
        {"title": "Other"},
        {"obligations": []},
        {"starts": LATER},
        {"ends": LATER},
        {"holder": world.community},
        {"recipient": world.community},
        {"ref": "agr-2222222222222"},
    ):
        refused(lambda change=change: rows.update(**change))
    assert rows.update(state="ended") == 1


def test_a_request_changes_before_it_is_handed_in_and_only_its_state_afterwards():
    world = build()
    request = world.draft()
    rows = AccessRequest.objects.filter(pk=request.pk)
    rows.update(reason="Better said.")
    RequestField.objects.filter(request=request).delete()
    RequestField.objects.create(request=request, field=world.fields[0])
    rows.update(state="submitted", submitted_at=LATER, answer_by=LATER)
    for change in (
        {"reason": "Other"},
        {"requester": world.community},
        {"format": "parquet"},
        {"starts": LATER},
        {"answer_by": timezone.now()},
        {"submitted_at": None},
        {"state": "draft"},
    ):
        refused(lambda change=change: rows.update(**change))
    assert rows.update(state="ended") == 1
    refused(lambda: rows.update(state="draft"))


def test_an_epoch_never_goes_back():
    world = full_world()
    rows = Scope.objects.filter(recipient=world.recipient)
    before = rows.get().epoch
    refused(lambda: rows.update(epoch=before - 1))
    assert rows.update(epoch=before + 1) == 1


@pytest.mark.parametrize("kind", UserKind)
def test_the_kind_of_a_user_is_fixed_for_ever(kind):
    world = build()
    user = User.objects.create(username="still-pond-02", kind=kind)
    for other in set(UserKind) - {kind}:
        refused(lambda other=other: User.objects.filter(pk=user.pk).update(kind=other))
    assert User.objects.filter(pk=user.pk).update(kind=kind, language="es") == 1
    assert world.seats[0].kind == SeatKind.SURVIVOR


def test_a_survivor_has_no_membership_whoever_writes_it():
    world = build()
    survivor = User.objects.create(username="still-pond-02", kind=UserKind.SURVIVOR)
    row = {"organisation": world.holder, "role": Role.STEWARD, "started_at": LATER}
    refused(lambda: Membership.objects.create(user=survivor, **row), "no membership")
    rows = Membership.objects.filter(user=world.steward)
    refused(lambda: rows.update(user=survivor), "no membership")
