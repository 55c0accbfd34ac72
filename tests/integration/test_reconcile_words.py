"""What was said, asked and agreed, against the log: in a world that lived, whatever is made to say more
or less past the guards is named."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType
from consent.models import (
    CategorySet,
    CategorySetItem,
    Consent,
    Objection,
    Terms,
)
from governance.models import Organisation, RequestField, User
from oversight.vocabulary import Kind
from release.models import Download
from tests.append_only import unguarded
from tests.factories.consent import terms
from tests.factories.governance import (
    access_request,
    agreement,
    agreement_category,
    agreement_dataset,
    agreement_purpose,
    category,
    category_version,
    charter,
    data_field,
    dataset,
    organisation,
    purpose,
)
from tests.factories.governance import decision as decision_of
from tests.integration.lived_world import (
    Harm,
    auditor_of,
    call_sql,
    changed,
    entry,
    event,
    found_and_named,
    gone,
    lived,
    nobody_is_named,
    permitted,
    reconciled,
)
from tests.lengths import thirds
from tests.worlds import World

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock(), lived() as found:
        yield found


@pytest.fixture
def auditor(world: World, django_db_blocker: Any) -> Iterator[User]:
    with django_db_blocker.unblock():
        yield auditor_of(world)


@pytest.mark.django_db
def test_a_database_is_there():
    """Also lets the test runner make its database: see `lasting_world`."""


DAY = timedelta(days=1)


def running(world: World) -> Consent:
    """A yes that runs, and that nothing else here is about."""
    return world.consent("c-1")


def longer(world: World, column: str) -> None:
    one = running(world)
    changed(one, **{column: getattr(one, column) + DAY})


def other_recipient() -> Organisation:
    return organisation()


def other_terms() -> Terms:
    return terms(code="other-words")


def one_category_more(world: World) -> None:
    """In the set itself, which the row goes on pointing at."""
    held = CategorySet.objects.get(pk=running(world).category_set_id)
    CategorySetItem.objects.create(set=held, version=category_version())


def another_set(world: World) -> None:
    other = CategorySet.objects.create(digest="0" * 64)
    changed(running(world), category_set=other)


def pause_ends_sooner(world: World) -> None:
    changed(world.consent("c-8"), paused_until=timezone.now() + timedelta(minutes=1))


def pause_without_an_end(world: World) -> None:
    """And so one that nobody can tell from a longer one."""
    changed(world.consent("c-8"), paused_until=None)


def standing_no() -> Objection:
    return Objection.objects.filter(lifted_at__isnull=True).latest("pk")


def no_taken_back() -> Objection:
    return Objection.objects.filter(lifted_at__gt=F("made_at") + DAY / 86_400_000).latest("pk")


def otherwise(what: str) -> str:
    return f"commits to: {what}"


WORDS = Kind.WORDS_AND_ENTRY
# Past the triggers every column of a word is made to say more; each is named.
OF_WORDS: dict[str, Harm] = {
    "a yes said to be to another": (
        lambda w: changed(running(w), recipient=other_recipient()),
        WORDS,
        otherwise("who receives"),
    ),
    "a yes said to be of another holder's": (
        lambda w: changed(running(w), holder=other_recipient()),
        WORDS,
        otherwise("who shares"),
    ),
    "a yes said to be for another purpose": (
        lambda w: changed(running(w), purpose=purpose()),
        WORDS,
        otherwise("what for"),
    ),
    "a yes given to somebody else": (
        lambda w: changed(running(w), subject=w.subject("c-9")),
        WORDS,
        otherwise("whose it is"),
    ),
    "a yes with other categories": (another_set, WORDS, otherwise("which information")),
    "a category put into the set of a yes": (
        one_category_more,
        WORDS,
        otherwise("which information"),
    ),
    "a yes said to be to other words": (
        lambda w: changed(running(w), terms=other_terms()),
        WORDS,
        otherwise("the text that was shown"),
    ),
    "the words written anew that she said yes to": (
        lambda w: changed(running(w).terms, text="Quite other ones."),
        WORDS,
        otherwise("the text that was shown"),
    ),
    "a yes that began sooner": (
        lambda w: changed(running(w), starts=running(w).starts - DAY),
        WORDS,
        otherwise("its start"),
    ),
    "a yes made to last longer": (lambda w: longer(w, "ends"), WORDS, otherwise("its end")),
    "a yes said to be about what was recorded later": (
        lambda w: longer(w, "record_until"),
        WORDS,
        otherwise("until when what is recorded may go"),
    ),
    "a yes said to be signed later": (
        lambda w: longer(w, "signed_at"),
        WORDS,
        otherwise("when it was signed"),
    ),
    "a yes said to be her guardian's": (
        lambda w: changed(running(w), signer="guardian", authority="a court"),
        WORDS,
        otherwise("how and by whom it was signed"),
    ),
    "a yes that is over made to have been another": (
        lambda w: changed(event("withdrawn").consent, recipient=other_recipient()),
        WORDS,
        otherwise("who receives"),
    ),
    "a pause made shorter": (pause_ends_sooner, WORDS, otherwise("until when it is paused")),
    "a pause made to last": (pause_without_an_end, WORDS, otherwise("until when it is paused")),
    "a no to everything made one to somebody": (
        lambda w: changed(standing_no(), recipient=other_recipient()),
        WORDS,
        otherwise("who receives"),
    ),
    "a no made one to a kind of recipient": (
        lambda w: changed(standing_no(), recipient_kind="police"),
        WORDS,
        otherwise("which kind of recipient"),
    ),
    "a no made one for a purpose": (
        lambda w: changed(standing_no(), purpose=purpose()),
        WORDS,
        otherwise("what for"),
    ),
    "a no to one category made one to another": (
        lambda w: changed(standing_no(), category=w.categories[1]),
        WORDS,
        otherwise("which information"),
    ),
    "a no said to be somebody else's": (
        lambda w: changed(standing_no(), subject=w.subject("c-9")),
        WORDS,
        "no entry commits to what it says, or it was said by another",
    ),
    "a no said to be of another day": (
        lambda w: changed(standing_no(), made_at=timezone.now() - DAY),
        WORDS,
        "no entry commits to what it says, or it was said by another",
    ),
    "a no that was taken back made to have been another": (
        lambda w: changed(no_taken_back(), purpose=purpose()),
        WORDS,
        otherwise("what for"),
    ),
    "what a yes committed to taken away": (
        lambda w: call_sql("DELETE FROM audit_detail WHERE entry_id = %s", event("given").entry_id),
        WORDS,
        "what it commits to is gone, or is another",
    ),
}


def request_of(world: World, **values: Any) -> None:
    changed(world.home.request, **values)


def one_field_more(world: World) -> None:
    RequestField.objects.create(
        request=world.home.request, field=data_field(dataset=world.home.request.dataset)
    )


def approved_by_nobody(world: World) -> None:
    """A refusal turned into a yes, with all that a table can say of it."""
    request = access_request(state="approved", submitted_at=timezone.now())
    decision_of(request=request, outcome="approved")


def signed_once_more(world: World) -> None:
    signature = world.home.agreement.signatures.latest("pk")
    changed(signature, digest="0" * 64)


REQUESTED, SIGNED = Kind.REQUEST_AND_ENTRIES, Kind.AGREEMENT_AND_ENTRIES
OF_REQUESTS: dict[str, Harm] = {
    "a request approved by nobody": (
        approved_by_nobody,
        REQUESTED,
        "it is not in the state that its entries led to",
    ),
    "a board's answer that no board gave": (
        approved_by_nobody,
        REQUESTED,
        "no entry says that a board gave this answer then",
    ),
    "a request that was answered made to wait again": (
        lambda w: request_of(w, state="submitted"),
        REQUESTED,
        "it is not in the state that its entries led to",
    ),
    "a field put into a request": (one_field_more, REQUESTED, otherwise("which fields")),
    **{
        f"a request with {what} changed": (
            lambda w, column=column, value=value: request_of(w, **{column: value(w)}),
            REQUESTED,
            otherwise(what),
        )
        for what, column, value in (
            ("who asks", "requester", lambda w: organisation()),
            ("for which dataset", "dataset", lambda w: dataset(holder=w.home.organisation)),
            ("what for", "purpose", lambda w: purpose()),
            ("under which agreement", "agreement", lambda w: agreement()),
            ("why", "reason", lambda w: "Quite another one."),
            ("what good it does", "benefit", lambda w: "Quite another one."),
            ("in which form", "format", lambda w: "csv"),
            ("its start", "starts", lambda w: w.home.request.starts - DAY),
            ("its end", "ends", lambda w: w.home.request.ends + DAY),
            ("until when it is answered", "answer_by", lambda w: timezone.now() + 400 * DAY),
        )
    },
    "the votes of an answer written anew": (
        lambda w: changed(w.home.request.decision, yes=77),
        REQUESTED,
        otherwise("the votes"),
    ),
    "an answer turned": (
        lambda w: changed(w.home.request.decision, outcome="refused"),
        REQUESTED,
        otherwise("the answer"),
    ),
    "an answer under another charter": (
        lambda w: changed(w.home.request.decision, charter=charter(number=9)),
        REQUESTED,
        otherwise("under which charter"),
    ),
    "an answer deleted": (
        lambda w: gone(w.home.request.decision),
        REQUESTED,
        "the board's answer that entry",
    ),
    "what a request committed to taken away": (
        lambda w: call_sql(
            "DELETE FROM audit_detail WHERE entry_id = %s",
            Entry.objects.filter(type=EntryType.REQUEST_SUBMITTED).latest("pk").pk,
        ),
        REQUESTED,
        "what it commits to is gone, or is another",
    ),
    "a request deleted": (
        lambda w: entry(EntryType.REQUEST_DRAFTED, resource="req-that-is-gone"),
        REQUESTED,
        "request req-that-is-gone is not there",
    ),
    "an agreement deleted": (
        lambda w: entry(EntryType.AGREEMENT_DRAFTED, resource="agr-that-is-gone"),
        SIGNED,
        "agreement agr-that-is-gone is not there",
    ),
    "an agreement put into force by nobody": (
        lambda w: agreement(state="in_force"),
        SIGNED,
        "it is not in the state that its entries led to",
    ),
    "an agreement signed to another text": (
        signed_once_more,
        SIGNED,
        "its signatures are not those that its entries are about",
    ),
    "a signature deleted": (
        lambda w: gone(w.home.agreement.signatures.latest("pk")),
        SIGNED,
        "its signatures are not those that its entries are about",
    ),
    **{
        f"an agreement with another {what}": (
            lambda w, do=do: do(w.home.agreement),
            SIGNED,
            "it does not say what was signed",
        )
        for what, do in (
            ("dataset", lambda one: agreement_dataset(agreement=one, dataset=dataset())),
            ("purpose", lambda one: agreement_purpose(agreement=one, purpose=purpose())),
            ("category", lambda one: agreement_category(agreement=one, category=category())),
            ("end", lambda one: changed(one, ends=one.ends + DAY)),
            ("start", lambda one: changed(one, starts=one.starts - DAY)),
            ("recipient", lambda one: changed(one, recipient=organisation())),
            ("holder", lambda one: changed(one, holder=organisation())),
            ("title", lambda one: changed(one, title="Another")),
            ("duty", lambda one: changed(one, obligations=["Tell nobody."])),
        )
    },
}


def another_agreement(world: World) -> None:
    """The request is said to rest on another; the handing-in and all answers say otherwise."""
    request_of(world, agreement=agreement())


def another_rule_of_the_board(world: World) -> None:
    changed(world.home.request.decision.charter, threshold_percent=51)


OTHER_RULES = "under another agreement, charter or purpose than it now rests on"
OF_POLICIES: dict[str, Harm] = {
    "answers said to rest on another agreement": (
        another_agreement,
        Kind.POLICY_AND_ENTRY,
        OTHER_RULES,
    ),
    "an answer about one person said to be to another request": (
        lambda w: changed(permitted(), request=access_request()),
        Kind.POLICY_AND_ENTRY,
        OTHER_RULES,
    ),
    "a package handed over by rules that were never given out": (
        lambda w: changed(Download.objects.latest("pk").entry, policy="ab" * 32),
        Kind.POLICY_AND_ENTRY,
        "by rules that were never given out",
    ),
    "a refused hand-over by rules that were never given out": (
        lambda w: changed(
            Entry.objects.filter(type=EntryType.DOWNLOAD_REFUSED).exclude(policy="").latest("pk"),
            policy="ab" * 32,
        ),
        Kind.POLICY_AND_ENTRY,
        "by rules that were never given out",
    ),
    "the charter of an answer written anew": (
        another_rule_of_the_board,
        Kind.POLICY_AND_ENTRY,
        OTHER_RULES,
    ),
}

HARMS = {**OF_WORDS, **OF_REQUESTS, **OF_POLICIES}


@pytest.mark.parametrize("harm", thirds(HARMS))
def test_what_is_made_to_say_something_else_is_found_and_named(world, django_db_blocker, harm):
    with django_db_blocker.unblock():
        found_and_named(world, HARMS[harm])


def test_what_was_written_before_is_said_and_is_no_difference(world, auditor):
    with unguarded():
        Entry.objects.filter(type__startswith="consent:").update(detail_commit="")
        Entry.objects.update(policy="")
        code, says = reconciled(auditor)
    assert code == 0
    assert "things were written before entries committed to what rows say" in says
    nobody_is_named(world, says)
