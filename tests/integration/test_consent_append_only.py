"""What a person said stays as it was said, whoever asks: the database refuses on both vendors."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from consent.actions import consents, objections
from consent.models import (
    Assignment,
    Block,
    CategorySet,
    CategorySetItem,
    Consent,
    ConsentEvent,
    Contest,
    Death,
    Dispute,
    EnrolmentCode,
    Flag,
    Invalidation,
    LateTag,
    LeftTag,
    LegalHold,
    Lifting,
    Look,
    Minority,
    Objection,
    Proposal,
    ProposalItem,
    ProposalStep,
    Question,
    Representative,
    Shredding,
    Spoken,
    SpokenStop,
    Subject,
    SubjectKey,
    SubjectLink,
    Terms,
    TermsPart,
)
from consent.vocabulary import Ending
from governance.actions import scopes
from governance.queries.scopes import epochs
from governance.vocabulary import Narrowing
from tests import kept
from tests.append_only import triggers_lifted
from tests.factories import consent as said
from tests.factories import contests, questions, speaking
from tests.factories import governance as made
from tests.integration.consent_world import build, days, stamp

pytestmark = pytest.mark.django_db

# Every table of the rung whose rows stay, with every column that no update may touch.
KEPT = {
    CategorySet: ["id", "digest"],
    CategorySetItem: ["id", "set", "version"],
    ConsentEvent: ["id", "consent", "happening", "at", "by", "entry"],
    SubjectKey: ["id", "holder", "digest", "subject"],
    Consent: [
        *("id", "ref", "subject", "holder", "recipient", "purpose", "category_set"),
        *("terms", "channel", "signer", "authority", "signature", "answers", "signed_at"),
        *("recorded_at", "recorded_by", "starts", "ends", "record_until"),
    ],
    Objection: [
        *("id", "ref", "subject", "recipient", "recipient_kind", "purpose", "category"),
        *("made_at", "made_by"),
    ],
    Terms: [
        *("id", "code", "version", "language", "title", "text", "digest", "published_at"),
        *("publisher", "widens", "keep_until"),
    ],
    TermsPart: ["id", "terms", "part", "text", "measure"],
    Subject: ["slot", "holder", "enrolled_at"],
    Shredding: ["id", "ref", "subject", "asked_by", "asked_at", "entry"],
    LegalHold: ["id", "ref", "subject", "ground", "entry", "placed_by", "placed_at", "ends"],
    EnrolmentCode: [
        *("id", "ref", "subject", "kind", "digest", "issued_by", "issued_at", "talked_at"),
        *("opens_at", "expires_at"),
    ],
    Assignment: ["id", "ref", "subject", "membership", "begun_by", "started_at"],
    Look: ["id", "subject", "worker", "hour"],
    Block: ["id", "ref", "subject", "worker", "blocked_by", "blocked_at"],
    SpokenStop: ["id", "ref", "subject", "recipient", "recorded_by", "said_at"],
    Representative: [
        *("id", "ref", "subject", "kind", "who", "paper", "entry", "works_for", "starts", "ends"),
        *("recorded_by", "recorded_at"),
    ],
    Spoken: ["id", "consent", "representative", "assent"],
    Minority: [
        *("id", "ref", "subject", "majority", "alone", "entry", "recorded_by", "recorded_at"),
    ],
    Flag: ["id", "ref", "subject", "who", "threat", "entry", "made_by", "made_at"],
    Dispute: ["id", "ref", "subject", "entry", "reported_by", "reported_at"],
    Death: ["id", "ref", "subject", "reported_by", "reported_at", "documented", "entry"],
    Contest: ["id", "ref", "subject", "category", "kind", "objection", "entry", "asked_at"],
    # One that is answered: the words and the answer go only when it says that it is erased.
    Question: [
        *("id", "ref", "subject", "consent", "topic", "words", "entry", "asked_at", "reply"),
        *("reply_words", "answered_by", "answered_at", "answered_entry"),
    ],
    SubjectLink: ["id", "ref", "subject", "account", "former", "linked_at"],
    LateTag: ["id", "entry", "subject"],
    LeftTag: ["id", "entry", "subject", "tag"],
    Invalidation: ["id", "consent", "reason"],
    Lifting: [
        *("id", "ref", "objection", "recipient", "recipient_kind", "purpose", "category"),
        *("asked_at", "asked_by", "due_at"),
    ],
    # One that is signed: what she signed stays, whatever becomes of it.
    Proposal: [
        *("id", "ref", "subject", "recipient", "purpose", "terms", "days", "renews", "asked_by"),
        *("asked_at", "answer_by", "channel", "chosen", "signature", "answers", "lawyer_offered"),
        *("signed_at", "signed_by", "ends", "record_until", "takes_effect_at"),
    ],
    ProposalItem: ["id", "proposal", "category"],
    ProposalStep: ["id", "proposal", "turn", "at", "entry"],
}
# The columns that may change, each with its reason; everything else stands above.
OPEN = {
    Consent: {"paused_at", "paused_until", "expired_at", "ended_at", "ending"},
    Objection: {"lifted_at"},
    Terms: {"retired_at"},
    # A sign-in is given later; a holder's key can be changed; a person's can be destroyed.
    Subject: {"account", "wrapped_key", "shredded_at"},
    # Filled once: each step of a shredding, and the end of a hold.
    Shredding: {
        *("agreed_by", "agreed_at", "called_off_by", "called_off_at"),
        *("shredded_at", "cleaned_at"),
    },
    LegalHold: {"lifted_by", "lifted_at"},
    Representative: {"ended_by", "ended_at"},
    Minority: {"ended_by", "ended_at"},
    Dispute: {"resolved_by", "resolved_at"},
    Death: {
        *("agreed_by", "agreed_at", "counts_at", "taken_back_by", "taken_back_at"),
    },
    Contest: {"decision", "decided_at", "decided_by", "decided_entry"},
    Question: {"erased_at", "erased_entry"},
    SubjectLink: {"split_at"},
    Lifting: {"cancelled_at", "done_at"},
    Proposal: {"state", "closed_at", "consent"},
    EnrolmentCode: {"used_at", "cancelled_at"},  # once, one of them
    Assignment: {"ended_at"},
    Block: {"lifted_at"},
    SpokenStop: {"checked", "checked_at", "checked_by"},
    LateTag: {"tagged"},  # once, when the key is back
}


def spoken():
    """A world with a row in every table."""
    return kept.once("every table of what was said", _spoken)


def _spoken():
    world = build()
    world.give()
    world.object(recipient=world.police)
    said.shredding(subject=world.hers)
    said.legal_hold(subject=world.hers)
    said.enrolment_code(subject=world.hers)
    said.look(subject=world.hers, worker=world.advocate)
    said.block(subject=world.hers, worker=world.steward)
    said.spoken_stop(subject=world.hers, recipient=world.recipient)
    speaking.spoken()
    speaking.minority(subject=world.hers)
    speaking.flag(subject=world.hers)
    speaking.dispute(subject=world.hers)
    speaking.death(subject=world.hers)
    contests.contest(subject=world.hers)
    questions.link(subject=world.hers, former=world.her)
    questions.answered(subject=world.hers, consent=said.consent())
    said.late_tag(subject=world.hers)
    said.left_tag(subject=world.hers)
    said.invalidation()
    said.lifting()
    said.signed_proposal(renews=said.consent())
    said.proposal_item()
    said.proposal_step()
    said.terms_part()
    return world


def refused(deed, word="append_only"):
    with pytest.raises(IntegrityError, match=word), transaction.atomic():
        deed()


def other_value(field):
    """SQL for some other value of the column."""
    kind = field.get_internal_type()
    if kind == "BinaryField":
        return "'\\x00'" if connection.vendor == "postgresql" else "x'00'"
    if kind in {"DateTimeField", "DateField"}:
        return "'2020-02-02 00:00:00'"
    if kind in {"CharField", "SlugField", "TextField"}:
        return "'other'"
    if kind == "BooleanField":
        return f"NOT COALESCE({field.column}, FALSE)"
    return f"COALESCE({field.column}, 0) + 1"


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def one_row(model):
    row = model.objects.order_by("pk").first()
    return f"{model._meta.pk.column} = {row.pk}"


def test_every_column_of_every_kept_table_is_named_here():
    for model, names in KEPT.items():
        columns = {field.name for field in model._meta.concrete_fields}
        assert columns == set(names) | OPEN.get(model, set()), model.__name__


@pytest.mark.parametrize("model", KEPT, ids=lambda model: model.__name__)
def test_what_was_said_is_not_changed(model):
    spoken()
    table, where = model._meta.db_table, one_row(model)
    for name in KEPT[model]:
        field = model._meta.get_field(name)
        sql = f"UPDATE {table} SET {field.column} = {other_value(field)} WHERE {where}"  # noqa: S608
        refused(lambda sql=sql: execute(sql))


@pytest.mark.parametrize("model", KEPT, ids=lambda model: model.__name__)
def test_what_was_said_does_not_go_away(model):
    spoken()
    rows = model.objects.filter(pk=model.objects.first().pk)
    refused(lambda: rows._raw_delete(rows.db))
    assert rows.exists()


@pytest.mark.postgresql_only
@pytest.mark.parametrize("model", KEPT, ids=lambda model: model.__name__)
def test_no_table_of_words_is_emptied(model):
    spoken()
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    refused(lambda: execute(f"TRUNCATE {model._meta.db_table} CASCADE"))
    assert model.objects.exists()


@pytest.mark.sqlite_only
@pytest.mark.parametrize("model", KEPT, ids=lambda model: model.__name__)
def test_no_word_is_replaced(model):
    spoken()
    table = model._meta.db_table
    refused(lambda: execute(f"REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"))  # noqa: S608


# What makes a row the same as another, its key apart: REPLACE would take the older one away.
ALIKE = {
    CategorySet: [["digest"]],
    CategorySetItem: [["set", "version"]],
    SubjectKey: [["holder", "digest"]],
    Consent: [["ref"], ["subject", "holder", "recipient", "purpose"]],
    Objection: [["ref"]],
    Terms: [["code", "version", "language"]],
    TermsPart: [["terms", "part"]],
    Shredding: [["ref"]],
    LegalHold: [["ref"]],
    Representative: [["ref"], ["subject", "who"]],
    Spoken: [["consent"]],
    Minority: [["ref"], ["subject"]],
    Flag: [["ref"], ["subject", "who"]],
    Dispute: [["ref"], ["subject"]],
    Death: [["ref"], ["subject"]],
    Contest: [["ref"], ["objection"], ["subject", "category", "kind"]],
    Question: [["ref"]],
    SubjectLink: [["ref"], ["subject"]],
    EnrolmentCode: [["ref"], ["digest"]],
    Assignment: [["ref"], ["subject", "membership"]],
    Look: [["subject", "worker", "hour"]],
    Block: [["ref"], ["subject", "worker"]],
    SpokenStop: [["ref"]],
    LateTag: [["entry", "subject"]],
    LeftTag: [["entry", "subject", "tag"]],
    Invalidation: [["consent"]],
    Lifting: [["ref"], ["objection"]],
    Proposal: [["ref"], ["subject", "recipient", "purpose"]],
    ProposalItem: [["proposal", "category"]],
}


@pytest.mark.sqlite_only
@pytest.mark.parametrize("model", ALIKE, ids=lambda model: model.__name__)
def test_no_word_is_replaced_by_one_that_is_alike(model):
    spoken()
    table, row = model._meta.db_table, model.objects.order_by("pk").first()
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    for same in ALIKE[model]:
        unique = [f.column for f in fields if f.unique and f.name not in same]
        columns = ", ".join(field.column for field in fields)
        values = ", ".join(
            f"{field.column} || 'x'" if field.column in unique else field.column for field in fields
        )
        sql = (
            f"REPLACE INTO {table} ({columns}) SELECT {values} FROM {table}"  # noqa: S608
            f" WHERE id = {row.pk}"
        )
        refused(lambda sql=sql: execute(sql))
    assert model.objects.filter(pk=row.pk).exists()


def test_the_open_columns_are_open():
    world = spoken()
    now = timezone.now()
    assert Terms.objects.filter(pk=world.terms.pk).update(retired_at=now) == 1
    rows = Subject.objects.filter(pk=world.other.pk)
    assert rows.update(account=None, wrapped_key=bytes(60)) == 1
    consents.pause(consent=world.give(), **stamp(world.her))
    assert Consent.objects.filter(paused_at__isnull=False).count() == 1


def test_an_ended_yes_is_frozen():
    world = build()
    ended = world.withdraw(world.give())
    rows = Consent.objects.filter(pk=ended.pk)
    for change in (
        {"ended_at": None, "ending": None},
        {"ended_at": ended.ended_at + days(1)},
        {"ending": Ending.SUPERSEDED},
        {"paused_at": timezone.now()},
        {"ended_at": ended.ended_at},  # not even to what it is
    ):
        refused(lambda change=change: rows.update(**change))


def test_a_no_that_was_taken_back_is_frozen():
    world = build()
    lifted = objections.lift(objection=world.object(), **stamp(world.her))
    rows = Objection.objects.filter(pk=lifted.pk)
    for at in (None, lifted.lifted_at, lifted.lifted_at + days(1)):
        refused(lambda at=at: rows.update(lifted_at=at))


def test_a_retired_text_is_frozen():
    world = build()
    rows = Terms.objects.filter(pk=world.terms.pk)
    rows.update(retired_at=timezone.now())
    for at in (None, timezone.now()):
        refused(lambda at=at: rows.update(retired_at=at))


def test_without_its_trigger_each_refusal_here_would_be_a_change():
    world = spoken()
    hers = Consent.objects.filter(subject=world.hers)
    if connection.vendor == "postgresql":
        execute("SET CONSTRAINTS ALL IMMEDIATE")  # else its triggers cannot be lifted
    with triggers_lifted():
        assert hers.update(signature="other") == 1
        assert ConsentEvent.objects.update(happening="renewed") == 1
    refused(lambda: hers.update(signature="another"))


# --- a no without its epoch (PostgreSQL) ----------------------------------------------------------

LESS = {
    "ended": {"ended_at": "now", "ending": Ending.WITHDRAWN},
    "paused": {"paused_at": "now"},
    "paused for a time": {"paused_at": "now", "paused_until": "later"},
}


def change(name):
    now = timezone.now()
    words = {"now": now, "later": now + days(3)}
    return {column: words.get(word, word) for column, word in LESS[name].items()}


@pytest.mark.postgresql_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("less", LESS)
def test_a_yes_cannot_come_to_say_less_without_an_epoch_of_its_recipient_or_of_everyone(less):
    world = build()
    rows = Consent.objects.filter(pk=world.give().pk)
    refused(lambda: rows.update(**change(less)), "no epoch moved")
    with scopes.narrowing(act=Narrowing.CONSENT_WITHDRAWN, recipients=[world.recipient.pk]):
        pass
    refused(lambda: rows.update(**change(less)), "no epoch moved")  # that was another transaction
    with (
        pytest.raises(IntegrityError, match="no epoch moved"),
        scopes.narrowing(act=Narrowing.CONSENT_WITHDRAWN, recipients=[world.police.pk]),
    ):
        rows.update(**change(less))
    assert rows.filter(ended_at__isnull=True, paused_at__isnull=True).exists()
    for whom in ({"everyone": True}, {"recipients": [world.recipient.pk]}):
        fresh = rows if whom.get("everyone") else again(world)
        with scopes.narrowing(act=Narrowing.CONSENT_WITHDRAWN, **whom):
            assert fresh.update(**change(less)) == 1


def again(world):
    return Consent.objects.filter(pk=world.give(purpose=world.other_purpose).pk)


@pytest.mark.postgresql_only
@pytest.mark.django_db(transaction=True)
def test_a_pause_is_not_made_longer_without_an_epoch_and_is_ended_without_one():
    world = build()
    consent = consents.pause(consent=world.give(), until=world.now + days(3), **stamp(world.her))
    rows = Consent.objects.filter(pk=consent.pk)
    refused(lambda: rows.update(paused_until=world.now + days(4)), "no epoch moved")
    refused(lambda: rows.update(paused_until=None), "no epoch moved")
    before = epochs(world.recipient.pk)
    assert rows.update(paused_at=None, paused_until=None) == 1
    assert epochs(world.recipient.pk) == before


@pytest.mark.parametrize("step", ["agreed", "called_off"])
def test_a_step_of_a_shredding_is_taken_once(step):
    row = said.shredding()
    rows = Shredding.objects.filter(pk=row.pk)
    at = {
        f"{step}_at": timezone.now(),
        f"{step}_by": row.asked_by if step != "agreed" else made.user(),
    }
    assert rows.update(**at) == 1
    refused(lambda: rows.update(**{f"{step}_at": timezone.now()}))
    refused(lambda: rows.update(**{f"{step}_at": None, f"{step}_by": None}))


@pytest.mark.parametrize(
    ("make", "last"),
    [
        (lambda: said.proposal(state="refused", closed_at=timezone.now()), "state"),
        (lambda: said.lifting(cancelled_at=timezone.now()), "done_at"),
    ],
)
def test_what_is_settled_is_frozen(make, last):
    row = make()
    now = {"state": "open", "done_at": timezone.now()}[last]
    refused(lambda: type(row).objects.filter(pk=row.pk).update(**{last: now}))
