"""Papers that replaced wider yeses replace them again where a database has forgotten them."""

from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from audit.actions import sequence
from audit.models import Entry
from common.errors import NotReady
from consent.actions import consents, imports
from consent.actions.replaying import replay
from consent.models import Consent, Terms
from consent.vocabulary import Ending
from governance.models import CategoryVersion, KeptNo
from oversight.queries import words
from oversight.vocabulary import Finding
from tests.append_only import triggers_lifted, unguarded
from tests.integration.test_restored import back_to_yes
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)
HERS = ("c-1", "c-2")


def lines(world: World) -> list[str]:
    """A paper for each of them, signed today, for less than they said yes to before."""
    today = timezone.localdate()
    cells = {
        "recipient": world.recipient.ref,
        "purpose": world.purpose.code,
        "categories": world.categories[0].code,
        "terms": "sharing/1",
        "language": "en",
        "channel": "paper",
        "signed_on": today.isoformat(),
        "ends_on": (today + timedelta(days=9)).isoformat(),
        "record_until": "",
        "signature": "sheet 1",
        "signer": "self",
        "authority": "",
        "answers": "yyyyyyy",
        "recorded_by": "",
    }
    rows = [["client_number", *cells], *([number, *cells.values()] for number in HERS)]
    return [",".join(row) + "\n" for row in rows]


def otherwise_said() -> list[str]:
    """Where something no longer says what was committed to."""
    told = [each for _, check in words.CHECKS for each in check(lambda count: None)]
    return [each.place for each in told if isinstance(each, Finding)]


@override_settings(COOLING_HOURS=0)  # they were signed long enough ago
def test_papers_that_replace_wider_yeses_are_said_again():
    world = small_world(4, each=1)
    before = timezone.now() - timedelta(days=3)
    with triggers_lifted():  # everything is older than these papers
        Consent.objects.update(signed_at=before)
        Terms.objects.update(published_at=before)
        CategoryVersion.objects.update(published_at=before)
    wide = [Consent.objects.get(subject=world.subject(number)) for number in HERS]
    done = imports.consents(
        holder=world.home.organisation, lines=lines(world), **hand(world.home.advocate)
    )
    assert (done.superseded, done.rejected) == (2, ())
    with triggers_lifted():  # the older copy: these papers never came
        for paper in Consent.objects.filter(signature="sheet 1"):
            paper.events.all().delete()
            paper.delete()
    for number in HERS:
        back_to_yes(number, world)
    assert not KeptNo.objects.exists()
    with pytest.raises(NotReady) as refusal:
        world.run(world.ask())
    assert refusal.value.code == "restored"
    assert replay(**hand(world.chair)).said >= 1
    for each in wide:
        each.refresh_from_db()
        assert each.ending == Ending.SUPERSEDED
    assert Entry.objects.filter(type="consent:superseded", resource="", reason="replayed").exists()
    assert world.received(world.prepare()) == {"c-3", "c-4"}
    sequence()
    again = Entry.objects.get(type="consent:superseded", resource="", reason="replayed")
    assert f"entry {again.seq}" not in otherwise_said()
    with unguarded():
        Consent.objects.filter(pk=wide[0].pk).update(ends=timezone.now() + timedelta(days=999))
        assert f"entry {again.seq}" in otherwise_said()
    # The binder is gone through once more: the wider papers stay replaced, the newer ones come again.
    for number in HERS:
        with pytest.raises(consents.Refused) as older:
            world.yes(number, signed_at=before)
        assert "older_than_no" in {each.code for each in older.value.problems}
    once_more = imports.consents(
        holder=world.home.organisation, lines=lines(world), **hand(world.home.advocate)
    )
    assert (once_more.recorded, once_more.rejected) == (2, ())
    assert (replay(**hand(world.chair)).said, replay(**hand(world.chair)).said) == (0, 0)


def test_a_yes_that_a_narrower_one_replaced_does_not_come_back_wide(world):
    old = world.consent("c-1")
    narrow = world.yes("c-1", categories=world.categories[:1])
    with triggers_lifted():  # the older copy: she never narrowed it
        narrow.events.all().delete()
        Consent.objects.filter(pk=narrow.pk).delete()
    back_to_yes("c-1", world)
    assert replay(**hand(world.chair)).said >= 1
    old.refresh_from_db()
    assert old.ending == Ending.SUPERSEDED
    with pytest.raises(consents.Refused) as older:
        world.yes("c-1", signed_at=old.signed_at)
    assert older.value.code == "older_than_no"
    world.yes("c-1", categories=world.categories[:1], signed_at=narrow.signed_at)
    assert replay(**hand(world.chair)).said == 0


@pytest.fixture
def world() -> World:
    return small_world(2, each=1)
