"""A small world of the consent rung: two holders, two recipients, two clients, and who may speak.

Organisations, catalogue and sign-ins are plain rows; people are enrolled and what they say is said
through the real deeds. Moments hang on today, since a no is stamped by the database's own clock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from audit.models import Entry
from audit.rules import tag
from audit.vocabulary import EntryType, Via
from consent.actions import consents, objections, subjects
from consent.models import Consent, ConsentEvent, Objection, Subject, Terms
from consent.queries import keys
from consent.vocabulary import Channel, Signer
from governance import permissions
from governance.models import DataCategory, Organisation, Purpose, ScopeMove, User
from governance.queries.scopes import epochs
from governance.vocabulary import Role
from tests.factories import consent as said
from tests.factories import governance as made

DAYS = 90


def days(count: float) -> timedelta:
    return timedelta(days=count)


def stamp(by: User) -> dict[str, Any]:
    return {"by": by, "at": timezone.now(), "via": Via.DESK}


@dataclass
class World:
    """`hers` is a client of `holder` with a sign-in; `elsewhere` is the same person at `lake`."""

    now: datetime
    holder: Organisation
    lake: Organisation
    recipient: Organisation
    police: Organisation
    purpose: Purpose
    other_purpose: Purpose
    categories: list[DataCategory]
    terms: Terms
    advocate: User
    lake_advocate: User
    recipient_staff: User
    steward: User
    her: User
    stranger: User
    hers: Subject
    elsewhere: Subject
    other: Subject

    def enrol(self, number: str, holder: Organisation | None = None) -> Subject:
        place = holder or self.holder
        digest = subjects.client_digest(subjects.digest_key(place), number)
        found = subjects.enrol(holder=place, digests=[digest], **stamp(self.advocate))
        person = Subject.objects.select_related("holder").get(slot=found[digest])
        said.helped_by(self.lake_advocate if place == self.lake else self.advocate, person)
        return person

    def give(self, **changes: Any) -> Consent:
        """Her whole yes, signed yesterday and recorded by the advocate; `changes` spoil it."""
        given = {
            "subject": self.hers,
            "recipient": self.recipient,
            "purpose": self.purpose,
            "categories": self.categories,
            "terms": self.terms,
            "channel": Channel.IN_PERSON,
            "signer": Signer.SELF,
            "signature": "binder 1, sheet 2",
            "answers": "yyyyyyy",
            "signed_at": self.now - days(1),
            "ends": self.now + days(30),
            **stamp(self.advocate),
        }
        return consents.give(**{**given, **changes})

    def withdraw(self, consent: Consent, by: User | None = None) -> Consent:
        return consents.withdraw(consent=consent, **stamp(by or self.her))

    def object(self, **against: Any) -> Objection:
        return objections.make(subject=self.hers, **against, **stamp(self.her))


def build() -> World:
    now = timezone.now()
    holder = made.organisation(name="River House")
    lake = made.organisation(name="Lake House")
    recipient = made.organisation(name="Delta Study", kind="research")
    categories = [made.category(code="about-me"), made.category(code="help-i-got")]
    for category in categories:
        made.category_version(category=category, published_at=now - days(400))
    her = made.user(username="amber-willow-41", kind="survivor")
    world = World(
        now=now,
        holder=holder,
        lake=lake,
        recipient=recipient,
        police=made.organisation(name="North Precinct", kind="police"),
        purpose=made.purpose(code="study", longest_days=DAYS),
        other_purpose=made.purpose(code="housing", longest_days=DAYS),
        categories=categories,
        terms=said.terms(code="sharing", published_at=now - days(400)),
        advocate=worker("river-linden-5", holder, Role.ADVOCATE),
        lake_advocate=worker("lake-linden-6", lake, Role.ADVOCATE),
        recipient_staff=worker("delta-fern-2", recipient, Role.ADVOCATE),
        steward=worker("river-maple-41", holder, Role.STEWARD),
        her=her,
        stranger=made.user(username="quiet-harbour-7", kind="survivor"),
        hers=Subject(),
        elsewhere=Subject(),
        other=Subject(),
    )
    world.hers = known_as(her, world.enrol("A-17"))
    world.elsewhere = known_as(her, world.enrol("L-3", lake))
    world.other = known_as(world.stranger, world.enrol("A-18"))
    return world


def worker(name: str, organisation: Organisation, role: Role) -> User:
    user = made.user(username=name)
    made.membership(user=user, organisation=organisation, role=role)
    permissions.grant(user, organisation, role)
    return user


def known_as(account: User, subject: Subject) -> Subject:
    subject.account = account
    subject.save(update_fields=["account"])
    return subject


def entries_after(last: int) -> list[Entry]:
    """The deeds' own entries; those over change-journal rows stand beside them."""
    deeds = Entry.objects.exclude(type=EntryType.JOURNAL_CHANGED)
    return list(deeds.filter(pk__gt=last).order_by("pk"))


def last_entry() -> int:
    return Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def her_tag(subject: Subject, entry: Entry) -> bytes:
    """Her tag in an entry, made again from her own key."""
    (key,) = keys.unwrap(subject.holder.ref, [bytes(subject.wrapped_key)])
    return tag(key, bytes(entry.nonce))


@contextmanager
def nothing_happens(world: World) -> Iterator[None]:
    """Inside: no word is written, no epoch moves, the log says nothing."""

    def state() -> list[object]:
        return [
            list(Consent.objects.order_by("pk").values()),
            list(Objection.objects.order_by("pk").values()),
            ConsentEvent.objects.count(),
            ScopeMove.objects.count(),
            epochs(world.recipient.pk),
            last_entry(),
        ]

    before = state()
    yield
    assert state() == before
