"""A small world for the survivors' door: one person, four sharings, and somebody else.

What the person says is said through the real deeds; only organisations, catalogue and releases are
plain rows.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.test import Client
from django.utils import timezone

from audit.vocabulary import Via
from consent.actions import consents, contests, enrolment, proposals, questions, subjects
from consent.models import Consent, Contest, Proposal, Question, Subject, Terms
from consent.vocabulary import Channel, CodeKind, Contested, Decided, Reply, Signer, Topic
from governance import permissions
from governance.models import DataCategory, Organisation, Purpose, User
from governance.vocabulary import Role
from portal import again
from release.models import Inquiry, Recall, Release, Use, Withheld
from tests import kept
from tests.factories import consent as said
from tests.factories import governance as made
from tests.factories import release as answered

WORDS = "copper lantern meadow thirty swans"
BLOCK = 8192


@dataclass
class World:
    """`on`, `paused`, `stopped` and `expired` are hers; `other` is somebody else's."""

    her: User
    subject: Subject
    holder: Organisation
    purpose: Purpose
    categories: list[DataCategory]
    terms: Terms
    staff: User
    machine: User
    on: Consent
    paused: Consent
    stopped: Consent
    expired: Consent
    other: Consent
    releases: dict[str, Release] = field(default_factory=dict)
    asks: dict[str, Proposal] = field(default_factory=dict)

    @property
    def hers(self) -> dict[str, Consent]:
        return {
            "on": self.on,
            "paused": self.paused,
            "stopped": self.stopped,
            "expired": self.expired,
        }


def account(name: str, kind: str = "survivor") -> User:
    return User.objects.create_user(name, WORDS, kind=kind)


def person(holder: Organisation, who: User | None, number: str) -> Subject:
    digest = subjects.client_digest(subjects.digest_key(holder), number)
    slots = subjects.enrol(
        holder=holder, digests=[digest], by=made.user(), at=timezone.now(), via=Via.COMMAND
    )
    Subject.objects.filter(pk=slots[digest]).update(account=who)
    return Subject.objects.get(pk=slots[digest])


def build() -> World:
    return kept.once("survivors", _build)


def _build() -> World:
    now = timezone.now()
    her = account("amber-willow-41")
    holder = made.organisation(name="Harbour Light House")
    mine = person(holder, her, "A-17")
    purpose = made.purpose(
        label_en="Helpers work as a team",
        label_es="Que me ayuden en equipo",
        description_en="The people who help you share notes.",
        description_es="Quienes le ayudan comparten sus notas.",
        longest_days=90,
    )
    categories = [
        made.category(label_en="Age and language", label_es="Edad e idioma"),
        made.category(label_en="What help I got", label_es="Qué ayuda recibí"),
    ]
    for category in categories:
        made.category_version(category=category, published_at=now - timedelta(days=400))
    text = said.terms(published_at=now - timedelta(days=400))

    def yes(who: Subject, name: str, signed: datetime, *, days: int = 80) -> Consent:
        return consents.give(
            subject=who,
            recipient=made.organisation(name=name, kind="health"),
            purpose=purpose,
            categories=categories,
            terms=text,
            channel=Channel.PORTAL,
            signer=Signer.SELF,
            signature=who.account.username if who.account else "",
            answers="yyyyyyy",
            signed_at=signed,
            ends=signed + timedelta(days=days),
            by=who.account or her,
            at=now,
            via=Via.PORTAL,
        )

    recent = now - timedelta(days=5)
    on = yes(mine, "Northgate Clinic", recent)
    paused = yes(mine, "Elm Street Legal Aid", recent)
    stopped = yes(mine, "Westfield Housing", recent)
    expired = yes(mine, "Quarry Road School", now - timedelta(days=40), days=30)
    paused = consents.pause(consent=paused, by=her, at=now, via=Via.PORTAL)
    stopped = consents.withdraw(consent=stopped, by=her, at=now, via=Via.PORTAL)
    somebody = account("quiet-harbour-7")
    other = yes(person(holder, somebody, "B-2"), "Southbank Clinic", recent)
    return World(
        her=her,
        subject=mine,
        holder=holder,
        purpose=purpose,
        categories=categories,
        terms=text,
        staff=account("grey-pebble-3", "staff"),
        machine=account("tin-kettle-9", "machine"),
        on=on,
        paused=paused,
        stopped=stopped,
        expired=expired,
        other=other,
    )


def asked_to_share(world: World, kind: str = "health") -> Proposal:
    """Her holder's advocate asks her, once, for a yes to somebody of this kind; it is open."""
    if kind not in world.asks:
        by = made.user()
        made.membership(user=by, organisation=world.holder, role="advocate")
        permissions.grant(by, world.holder, Role.ADVOCATE)
        said.helped_by(by, world.subject)
        world.asks[kind] = proposals.ask(
            subject=world.subject,
            recipient=made.organisation(name=f"Maple {kind}", kind=kind),
            purpose=world.purpose,
            categories=world.categories,
            terms=world.terms,
            by=by,
            at=timezone.now(),
            via=Via.DESK,
        )
    return world.asks[kind]


def waiting(world: World) -> Proposal:
    """A first yes to the police that she has signed; it waits."""
    return proposals.answer(
        proposal=asked_to_share(world, "police"),
        categories=world.categories[:1],
        signature=world.her.username,
        answers="yyyyyyy",
        channel=Channel.PORTAL,
        lawyer_offered=True,
        by=world.her,
        at=timezone.now(),
        via=Via.PORTAL,
    )


def bits(subject: Subject) -> bytes:
    """One person's bit in her block's chunk."""
    at = subject.slot % BLOCK
    chunk = bytearray(1024)
    chunk[at // 8] |= 1 << (at % 8)
    return bytes(chunk)


def sent(world: World, consent: Consent, **given: object) -> Release:
    """A prepared release to this consent's recipient in which she is, with all her categories."""
    release = _prepared(world, consent, **given)
    for category in world.categories:
        Use.objects.create(
            release=release,
            category=category,
            columns=["age_band", "language"],
            block=world.subject.slot // BLOCK,
            bits=bits(world.subject),
        )
    return release


def asked_back(world: World, consent: Consent, *steps: str) -> Recall:
    """What went to this consent's recipient was picked up, and is asked back."""
    release = sent(world, consent)
    at = consent.recorded_at + timedelta(days=1)
    answered.sending(download=answered.download(release=release, at=at), at=at)
    recall = answered.recall(release=release, opened_at=at, due_at=at + timedelta(days=30))
    answered.recalled(recall=recall, block=world.subject.slot // BLOCK, bits=bits(world.subject))
    for step in steps:
        reported = "deleted" if step == "reported" else ""
        answered.recall_step(recall=recall, step=step, reported=reported, at=at)
    return recall


def kept_back(world: World, consent: Consent, ground: str) -> Release:
    """A prepared release from which her record was withheld."""
    release = _prepared(world, consent)
    Withheld.objects.create(
        release=release,
        ground=ground,
        block=world.subject.slot // BLOCK,
        bits=bits(world.subject),
    )
    return release


def asked(world: World, consent: Consent, ground: str = "") -> Inquiry:
    """Her holder's system asked about her: yes, or no for this ground."""
    request = made.access_request(
        dataset=made.dataset(holder=world.holder),
        requester=consent.recipient,
        purpose=world.purpose,
    )
    answer: dict[str, object] = {"permitted": False, "grounds": ground}
    if not ground:
        code = consent.category_set.items.first().version.category.code
        answer = {"permitted": True, "grounds": "", "columns": {code: ["visits"]}}
        answer["record_until"] = consent.record_until
    return answered.inquiry(
        request=request, subject=world.subject, at=consent.recorded_at, **answer
    )


def _prepared(world: World, consent: Consent, **given: object) -> Release:
    at = consent.recorded_at
    asking = made.access_request(
        dataset=made.dataset(holder=world.holder),
        requester=consent.recipient,
        purpose=world.purpose,
    )
    made.decision(request=asking, decided_at=at - timedelta(days=9))
    times = {"asked_at": at, "answered_at": at, "good_until": at + timedelta(days=3)}
    return answered.prepared(**{"request": asking, **times, **given})


def said_again(client: Client) -> Client:
    """Her words were typed once more a moment ago."""
    session = client.session
    session[again.KEY] = int(time.time()) + again.FOR
    session.save()
    return client


def code(holder: Organisation) -> str:
    """A code of ten signs for somebody of this holder's who has no sign-in yet."""
    advocate = made.membership(organisation=holder, role=Role.ADVOCATE).user
    permissions.grant(advocate, holder, Role.ADVOCATE)
    person(holder, None, "D-4")
    _made, told = enrolment.issue(
        holder=holder,
        number="D-4",
        kind=CodeKind.ARRIVAL,
        talked=True,
        by=advocate,
        at=timezone.now(),
        via=Via.DESK,
    )
    return told


@dataclass
class Elsewhere:
    """She is known at another house too, with no sign-in there; an advocate of each gives her codes."""

    world: World
    subject: Subject
    here: User
    there: User

    def codes(self, at: datetime) -> tuple[str, str]:
        """One from each house; both open a day later."""
        has = Subject.objects.filter(pk=self.subject.pk, account__isnull=False).exists()
        kind = CodeKind.RETURN if has else CodeKind.ARRIVAL
        first = self._code(self.world.holder, "A-17", CodeKind.RETURN, self.here, at)
        return first, self._code(self.subject.holder, "E-5", kind, self.there, at)

    def _code(
        self, holder: Organisation, number: str, kind: CodeKind, by: User, at: datetime
    ) -> str:
        about = {"holder": holder, "number": number, "kind": kind, "talked": True}
        return enrolment.issue(**about, by=by, at=at, via=Via.DESK)[1]


def elsewhere(world: World) -> Elsewhere:
    """Another house with a record of hers, and a yes of hers there on paper."""
    house = made.organisation(name="Lantern Street House")
    hers = person(house, None, "E-5")
    workers = []
    for holder, subject in ((world.holder, world.subject), (house, hers)):
        advocate = made.membership(organisation=holder, role=Role.ADVOCATE).user
        permissions.grant(advocate, holder, Role.ADVOCATE)
        said.helped_by(advocate, subject)
        workers.append(advocate)
    consents.give(
        subject=hers,
        recipient=made.organisation(name="Ridge Clinic", kind="health"),
        purpose=world.purpose,
        categories=world.categories,
        terms=world.terms,
        channel=Channel.PAPER,
        signer=Signer.SELF,
        signature="binder 4",
        answers="yyyyyyy",
        signed_at=timezone.now() - timedelta(days=5),
        ends=timezone.now() + timedelta(days=60),
        by=workers[1],
        at=timezone.now(),
        via=Via.DESK,
    )
    return Elsewhere(world, hers, *workers)


def contested(world: World) -> list[Contest]:
    """She says both of one kind of information; the second is decided."""
    now = timezone.now()
    found = [
        contests.ask(
            subject=world.subject,
            category=world.categories[0],
            kind=kind,
            by=world.her,
            at=now,
            via=Via.PORTAL,
        )
        for kind in Contested
    ]
    about = {"by": steward(world), "at": now, "via": Via.DESK}
    contests.decide(contest=found[1], decision=Decided.KEPT, **about)
    return found


def questioned(world: World) -> list[Question]:
    """She asks about one sharing and about all of it, each with words; the second is answered."""
    now = timezone.now()
    found = [
        questions.ask(
            subject=world.subject,
            consent=about,
            topic=topic,
            words="Is it my age only?",
            by=world.her,
            at=now,
            via=Via.PORTAL,
        )
        for about, topic in ((world.on, Topic.GONE), (None, Topic.KEPT))
    ]
    about_it = {"by": steward(world), "at": now, "via": Via.DESK}
    questions.answer(question=found[1], reply=Reply.WRITTEN, words="Yes. Only that.", **about_it)
    return found


def steward(world: World) -> User:
    """Who looks after what her holder keeps."""
    found = made.user()
    made.membership(user=found, organisation=world.holder, role=Role.STEWARD)
    permissions.grant(found, world.holder, Role.STEWARD)
    return found
