"""She joins her records at two organisations by a code from each, and parts them: she sees both, every
no of either counts for both, a yes stays where it was given; and nobody else joins anything."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from common.errors import NotPermitted, RuleBroken
from consent.actions import consents, enrolment, links, objections, stops
from consent.actions.replaying import replay
from consent.models import Consent, EnrolmentCode, Objection, Subject, SubjectLink
from consent.queries import enrolment as coming
from consent.queries import sharing
from consent.vocabulary import Channel, CodeKind, Ending, Signer, Standing
from governance import permissions
from governance.models import KeptNo, User
from governance.queries.scopes import epochs
from governance.vocabulary import Role
from tests import survivors
from tests.append_only import triggers_lifted
from tests.factories import governance as made
from tests.survivors import Elsewhere
from tests.worlds import hand

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(hours=25)


@pytest.fixture
def there() -> Elsewhere:
    cache.clear()
    return survivors.elsewhere(survivors.build())


def joined(there: Elsewhere, **changes: Any) -> SubjectLink:
    now = timezone.now()
    first, second = there.codes(now)
    about = {"by": there.world.her, "at": now + DAY, "via": Via.PORTAL}
    return links.join(**{"first": first, "second": second, **about, **changes})


def code(deed: Any) -> str:
    with pytest.raises(RuleBroken) as refused:
        deed()
    return refused.value.code


def sees(account: User) -> set[int]:
    return {each.slot for each in sharing.subjects(account)}


def shared(there: Elsewhere, at: datetime | None = None) -> list[Any]:
    """What either house may share of her, as it stands."""
    people = (there.world.subject, there.subject)
    return [
        [
            *(
                (one.consent.ref, one.standing)
                for one in sharing.of_subject(each, at or timezone.now())
            ),
            Objection.objects.filter(subject=each, lifted_at__isnull=True).count(),
        ]
        for each in people
    ]


def test_a_code_from_each_lets_her_see_both_and_nothing_that_is_shared_changes(there):
    before = shared(there)
    link = joined(there)
    assert sees(there.world.her) == {there.world.subject.slot, there.subject.slot}
    assert shared(there) == before
    assert (link.subject, link.account, link.former) == (there.subject, there.world.her, None)
    assert not EnrolmentCode.objects.filter(
        used_at__isnull=True, cancelled_at__isnull=True
    ).exists()


def sharing_there(there: Elsewhere) -> Consent:
    return Consent.objects.get(subject=there.subject)


@pytest.mark.parametrize("first", ["here", "there"])
def test_a_standing_no_of_either_counts_for_both_once_they_are_joined(there, first):
    told, other = there.world.subject, there.subject
    if first == "there":
        told, other = other, told
    worker = there.here if first == "here" else there.there
    clinic = sharing_there(there).recipient
    objections.make(subject=told, recipient=clinic, **hand(worker))
    objections.make(subject=told, recipient_kind="police", **hand(worker))
    before = epochs_of(there)
    joined(there)
    stands = Objection.objects.filter(subject=other, lifted_at__isnull=True)
    assert {(each.recipient, each.recipient_kind) for each in stands} >= {
        (clinic, ""),
        (None, "police"),
    }
    assert epochs_of(there) > before
    consent = sharing_there(there)
    standing = sharing.of_subject(there.subject, timezone.now())
    assert [each.standing for each in standing if each.consent == consent] == [Standing.OBJECTED]


def epochs_of(there: Elsewhere) -> int:
    """The number that a decision about anybody bears."""
    return epochs(sharing_there(there).recipient_id).everyone


def also_here(there: Elsewhere, signed: datetime) -> Consent:
    """A yes through the first house to the recipient of the yes at the other."""
    elsewhere = sharing_there(there)
    return consents.give(
        subject=there.world.subject,
        recipient=elsewhere.recipient,
        purpose=elsewhere.purpose,
        categories=there.world.categories,
        terms=elsewhere.terms,
        channel=Channel.PAPER,
        signer=Signer.SELF,
        signature="binder 5",
        answers="yyyyyyy",
        signed_at=signed,
        ends=timezone.now() + timedelta(days=60),
        **hand(there.here),
    )


def test_what_she_stopped_at_one_ends_an_older_yes_at_the_other_and_no_younger_one(there):
    consents.withdraw(
        consent=also_here(there, timezone.now() - timedelta(days=4)), **hand(there.here)
    )
    assert sharing_there(there).ended_at is None
    joined(there)
    assert sharing_there(there).ending == Ending.WITHDRAWN


def test_a_yes_that_is_younger_than_the_stop_at_the_other_goes_on(there):
    consents.withdraw(consent=sharing_there(there), **hand(there.there))
    younger = also_here(there, timezone.now())
    joined(there)
    younger.refresh_from_db()
    assert younger.ended_at is None


def test_a_stop_said_aloud_at_one_counts_for_the_other(there):
    stops.record(holder=there.world.holder, number="A-17", **hand(there.here))
    joined(there)
    assert sharing_there(there).ending == Ending.WITHDRAWN


def test_what_a_joining_ended_is_ended_after_a_restore(there):
    consents.withdraw(
        consent=also_here(there, timezone.now() - timedelta(days=4)), **hand(there.here)
    )
    joined(there)
    with triggers_lifted():  # as in a copy from before she joined them
        Consent.objects.filter(subject=there.subject).update(ended_at=None, ending=None)
        KeptNo.objects.order_by("-pk")[0].delete()
    convener = made.membership(
        organisation=made.organisation(kind="community"), role=Role.ADMINISTRATOR
    )
    permissions.grant(convener.user, convener.organisation, Role.ADMINISTRATOR)
    assert replay(**hand(convener.user)).said >= 1
    assert sharing_there(there).ending == Ending.WITHDRAWN


def test_without_two_codes_that_open_and_are_of_two_houses_nothing_is_joined(there):
    now = timezone.now()
    first, second = there.codes(now)
    late = {"by": there.world.her, "at": now + DAY, "via": Via.PORTAL}
    nothing = "22222-22222"
    assert code(lambda: links.join(first=first, second=nothing, **late)) == "code_over"
    assert code(lambda: links.join(first=first, second=first, **late)) == "not_two_places"
    early = {**late, "at": now}  # the code for the page she has waits its day
    assert code(lambda: links.join(first=first, second=second, **early)) == "code_over"
    somebody = User.objects.get(username="quiet-harbour-7")
    theirs = {**late, "by": somebody}
    assert code(lambda: links.join(first=first, second=second, **theirs)) == "not_two_places"
    with pytest.raises(NotPermitted):
        links.join(first=first, second=second, **{**late, "by": there.here})
    assert not SubjectLink.objects.exists()
    assert sees(there.world.her) == {there.world.subject.slot}
    links.join(first=second, second=first, **late)  # in whichever order
    assert code(lambda: links.join(first=first, second=second, **late)) == "code_over"


def test_two_records_of_one_house_are_not_joined(there):
    other = survivors.person(there.world.holder, None, "A-18")
    now = timezone.now()
    first, _second = there.codes(now)
    about = {"holder": there.world.holder, "number": "A-18", "kind": CodeKind.ARRIVAL}
    _made, second = enrolment.issue(**about, talked=True, by=there.here, at=now, via=Via.DESK)
    late = {"by": there.world.her, "at": now + DAY, "via": Via.PORTAL}
    assert code(lambda: links.join(first=first, second=second, **late)) == "not_two_places"
    assert not Subject.objects.filter(pk=other.pk, account__isnull=False).exists()


def test_where_she_had_a_sign_in_there_it_is_told_there_waits_a_day_and_gets_it_back(there):
    before = survivors.account("still-river-9")
    Subject.objects.filter(pk=there.subject.pk).update(account=before)
    there.codes(timezone.now())
    assert coming.coming_back(before, timezone.now())  # she could refuse it there
    link = joined(there)
    assert (sees(before), link.former) == (set(), before)
    links.split(link=link, **hand(there.world.her))
    assert (sees(before), sees(there.world.her)) == (
        {there.subject.slot},
        {there.world.subject.slot},
    )


def test_parting_is_hers_alone_happens_once_and_leaves_each_as_it_was(there):
    link = joined(there)
    for nobody in (there.here, there.there, User.objects.get(username="quiet-harbour-7")):
        with pytest.raises(NotPermitted):
            links.split(link=link, **hand(nobody))
    before = shared(there)
    links.split(link=link, **hand(there.world.her))
    assert code(lambda: links.split(link=link, **hand(there.world.her))) == "apart_already"
    assert shared(there) == before
    assert sees(there.world.her) == {there.world.subject.slot}
    there.subject.refresh_from_db()
    assert there.subject.account is None


def test_each_entry_bears_one_tag_and_nothing_that_leads_from_one_record_to_the_other(there):
    link = joined(there)
    links.split(link=link, **hand(there.world.her))
    types = [EntryType.SUBJECT_LINKED, EntryType.SUBJECT_UNLINKED]
    entries = list(Entry.objects.filter(type__in=types).order_by("pk"))
    assert [each.type for each in entries] == types
    for each in entries:
        assert each.subjects_band == "1"
        assert (each.actor, each.reason, each.purpose) == ("person", "", "")


def test_what_she_parted_is_apart_after_a_restore(there):
    link = joined(there)
    links.split(link=link, **hand(there.world.her))
    with triggers_lifted():  # as in a copy from before she parted it
        SubjectLink.objects.filter(pk=link.pk).update(split_at=None)
        Subject.objects.filter(pk=there.subject.pk).update(account=there.world.her)
        KeptNo.objects.order_by("-pk")[0].delete()
    convener = made.membership(
        organisation=made.organisation(kind="community"), role=Role.ADMINISTRATOR
    )
    permissions.grant(convener.user, convener.organisation, Role.ADMINISTRATOR)
    assert replay(**hand(convener.user)).said == 1
    assert sees(there.world.her) == {there.world.subject.slot}
    assert replay(**hand(convener.user)).said == 0


def test_she_joins_and_parts_on_her_page(there):
    client = Client()
    client.force_login(there.world.her, backend="django.contrib.auth.backends.ModelBackend")
    place = reverse("portal:join")
    assert "secret words" in client.post(place, {"first": "x", "second": "y"}).content.decode()
    survivors.said_again(client)
    wrong = client.post(place, {"first": "22222-22222", "second": "33333-33333"})
    assert wrong.status_code == 409
    link = joined(there)
    page = client.get(place).content.decode()
    assert there.subject.holder.name not in page  # no names until she asks for them
    assert "Take it apart" in page
    stranger = Client()
    somebody = User.objects.get(username="quiet-harbour-7")
    stranger.force_login(somebody, backend="django.contrib.auth.backends.ModelBackend")
    part = reverse("portal:part", args=[link.ref])
    assert survivors.said_again(stranger).post(part).status_code == 404
    assert client.post(part)["Location"] == place
    assert client.post(part).status_code == 404
    assert sees(there.world.her) == {there.world.subject.slot}


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(["join", "part", "no"]), max_size=6))
def test_in_any_order_she_sees_what_she_joined_and_only_her_noes_change_what_is_shared(
    there, steps
):
    her = there.world.her
    for standing in SubjectLink.objects.filter(split_at__isnull=True):
        links.split(link=standing, **hand(her))  # each example begins apart
    link = None
    for step in steps:
        before = shared(there)
        if step == "no":
            objections.make(subject=there.world.subject, recipient=made.organisation(), **hand(her))
            noes = [after[-1] - once[-1] for after, once in zip(shared(there), before, strict=True)]
            assert noes == [1, 1 if link else 0]
            continue
        if step == "join" and link is None:
            link = joined(there)
            before = [before[0], [*before[1][:-1], before[0][-1]]]  # her noes of either are of both
        elif step == "part" and link is not None:
            links.split(link=link, **hand(her))
            link = None
        assert shared(there) == before
        both = {there.world.subject.slot, there.subject.slot}
        assert sees(her) == (both if link else {there.world.subject.slot})
