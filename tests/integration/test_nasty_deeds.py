"""Every deed, with everything nobody should give it: refused in a sentence, and nothing is written.

Not every caller is a form. A deed that is told texts, numbers, days or words and has no case here
fails the test.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.vocabulary import Via
from common.errors import BadInput
from common.inputs import Text
from consent.actions import objections, proposals
from consent.models import Subject, Terms
from consent.vocabulary import (
    Assent,
    Channel,
    Checked,
    CodeKind,
    Contested,
    Decided,
    HoldGround,
    Invalidity,
    Reply,
    Signer,
    Speaker,
    Threat,
    Topic,
)
from consent.vocabulary import Paper as Authority
from governance.models import Agreement, Field
from governance.queries.requests import Asked
from governance.rules import FieldSpec
from governance.rules.policies import Basis
from governance.vocabulary import (
    Care,
    Device,
    FieldSensitivity,
    FieldType,
    MachineScope,
    OrganisationKind,
    PackageFormat,
    ResetKind,
    Role,
    SeatKind,
    UserKind,
    Vote,
)
from oversight.vocabulary import Format, Paper, Verdict, Wanted
from release.vocabulary import DownloadPart, Reported
from tests import auditing, nasty, staffroom, texts
from tests.architecture.test_sentences import guarded, told_things
from tests.factories import consent as said
from tests.factories import contests as contested
from tests.factories import governance as made
from tests.factories import machines as applied
from tests.factories import oversight as checked
from tests.factories import questions, speaking
from tests.factories import release as answered
from tests.staffroom import PASSWORD, Staffroom, hand

pytestmark = pytest.mark.django_db
Given = dict[str, Any]
CODE = "2222-2222-2222-2222"


def text(room: Staffroom) -> Given:
    return {
        "code": "sharing",
        "texts": texts.both(),
        "widens": True,
        "keep_until": None,
        "organisation": room.holder,
        **hand(room.holder_admin),
    }


def hers(room: Staffroom) -> Subject:
    """Somebody's own record, with a sign-in."""
    subject = staffroom.enrolled(room, "A-17")
    Subject.objects.filter(pk=subject.pk).update(account=room.survivor)
    return subject


def published_before(room: Staffroom) -> Terms:
    return texts.publish(**{**text(room), "at": timezone.now() - timedelta(days=1)})


def ask(room: Staffroom) -> Given:
    return {
        "subject": staffroom.enrolled(room, "A-17"),
        "recipient": room.recipient,
        "purpose": room.purpose,
        "categories": room.categories,
        "terms": texts.publish(**text(room)),
        "days": 3,
        **hand(room.advocate),
    }


def yes(room: Staffroom) -> Given:
    now = timezone.now()
    return {
        "subject": staffroom.enrolled(room, "A-17"),
        "recipient": room.recipient,
        "purpose": room.purpose,
        "categories": room.categories,
        "terms": texts.publish(**text(room)),
        "channel": Channel.IN_PERSON,
        "signer": Signer.GUARDIAN,
        "signature": "binder 1",
        "answers": "yyyyyyy",
        "signed_at": now,
        "starts": now,
        "ends": now + timedelta(days=20),
        "record_until": now.date(),
        "authority": "order in folder 7",
        "assent": Assent.SIGNED,
        **hand(room.advocate),
    }


def against(room: Staffroom) -> Given:
    return {"recipient_kind": OrganisationKind.POLICE, **hand(room.advocate)}


def draft(room: Staffroom) -> Given:
    now = timezone.now()
    return {
        "requester": room.recipient,
        "dataset": room.dataset,
        "purpose": room.purpose,
        "agreement": room.agreement,
        "fields": room.fields[:1],
        "reason": "To learn.\nNo less would do.",
        "benefit": "Housing that lasts.",
        "format": PackageFormat.CSV,
        "starts": now,
        "ends": now + timedelta(days=60),
        **hand(room.requester),
    }


def agreement(room: Staffroom) -> Given:
    now = timezone.now()
    return {
        "holder": room.holder,
        "recipient": room.recipient,
        "title": "Housing study",
        "datasets": [room.dataset],
        "purposes": [room.purpose],
        "categories": room.categories,
        "obligations": ["Keep it safe.\nDelete it."],
        "starts": now,
        "ends": now + timedelta(days=60),
        **hand(room.holder_admin),
    }


def spec(room: Staffroom) -> FieldSpec:
    category = room.categories[0].code
    return FieldSpec("region", FieldType.TEXT, category, FieldSensitivity.QUASI)


def for_case(room: Staffroom) -> Given:
    case = auditing.case_in(room)
    return {"case": case, **hand(case.opened_by)}


CASES: dict[str, Callable[[Staffroom], Given]] = {
    "oversight.actions.cases.open_case": lambda room: {
        "organisation": auditing.case_in(room).organisation,
        "holder": None,
        "title": "A complaint",
        "reason": "Somebody complained.",
        **hand(auditing.case_in(room).opened_by),
    },
    "oversight.actions.cases.issue_handle": lambda room: {
        "case": auditing.case_in(room),
        "holder": room.holder,
        "number": "A-17",
        **hand(room.steward),
    },
    "oversight.actions.cases.save_search": lambda room: {
        "name": "Mine",
        "wanted": Wanted(type="log:read"),
        **for_case(room),
    },
    "oversight.actions.looking.find": lambda room: {
        "wanted": Wanted(type="log:read"),
        "before": 3,
        **for_case(room),
    },
    "oversight.actions.looking.event": lambda room: {"number": 1, **for_case(room)},
    "oversight.actions.looking.timeline": lambda room: {
        "wanted": Wanted(type="log:read"),
        **for_case(room),
    },
    "oversight.actions.jobs.ask_verification": lambda room: {
        "first": 0,
        "last": 1,
        **for_case(room),
    },
    "oversight.actions.jobs.ask_export": lambda room: {
        "format": Format.CSV,
        "reason": "A review.",
        "first": 0,
        "last": 1,
        **for_case(room),
    },
    "oversight.actions.jobs.take": lambda room: {
        "job": checked.ended_job(case=auditing.case_in(room)),
        "name": "manifest.json",
        **hand(auditing.case_in(room).opened_by),
    },
    "oversight.actions.findings.open_finding": lambda room: {
        "organisation": room.holder,
        "title": "A role is idle",
        "text": "Why?",
        "number": 1,
        **for_case(room),
    },
    "oversight.actions.findings.answer_finding": lambda room: {
        "finding": auditing.finding_in(room),
        "text": "She was away.",
        **hand(room.steward),
    },
    "oversight.actions.findings.close_finding": lambda room: {
        "finding": auditing.finding_in(room),
        "text": "It is settled.",
        **hand(auditing.case_in(room).opened_by),
    },
    "oversight.actions.reviews.review": lambda room: {
        "membership": room.steward.memberships.get(),
        "verdict": Verdict.KEEP,
        "reason": "It is needed.",
        **for_case(room),
    },
    "oversight.actions.worksheets.draw": lambda room: {
        "holder": room.holder,
        "size": 5,
        **for_case(room),
    },
    "oversight.actions.worksheets.check": lambda room: {
        "line": checked.worksheet_line(worksheet=checked.worksheet(holder=room.holder)),
        "found": Paper.AGREES,
        **hand(room.steward),
    },
    "consent.actions.consents.give": yes,
    "consent.actions.consents.narrow": lambda room: {
        "consent": staffroom.yes(room, staffroom.enrolled(room, "A-17"), published_before(room)),
        "categories": room.categories[:1],
        "ends": timezone.now() + timedelta(days=2),
        "record_until": timezone.now().date() - timedelta(days=1),
        **hand(room.advocate),
    },
    "consent.actions.consents.invalidate": lambda room: {
        "consent": staffroom.yes(room, staffroom.enrolled(room, "A-17"), published_before(room)),
        "reason": Invalidity.NOT_FREE,
        **hand(room.advocate),
    },
    "consent.actions.liftings.ask": lambda room: {
        "objection": objections.make(
            subject=staffroom.enrolled(room, "A-17"), **hand(room.advocate)
        ),
        "recipient_kind": OrganisationKind.POLICE,
        **hand(room.advocate),
    },
    "consent.actions.proposals.ask": ask,
    "consent.actions.proposals.ask_by_number": lambda room: {
        **{name: given for name, given in ask(room).items() if name != "subject"},
        "holder": room.holder,
        "number": "A-17",
    },
    "consent.actions.proposals.answer": lambda room: {
        "proposal": proposals.ask(**ask(room)),
        "categories": room.categories[:1],
        "signature": "binder 1",
        "answers": "yyyyyyy",
        "channel": Channel.IN_PERSON,
        "ends": timezone.now() + timedelta(days=2),
        "record_until": timezone.now().date(),
        "lawyer_offered": True,
        **hand(room.advocate),
    },
    "consent.actions.consents.pause": lambda room: {
        "consent": staffroom.yes(room, staffroom.enrolled(room, "A-17"), published_before(room)),
        "until": timezone.now() + timedelta(days=7),
        **hand(room.advocate),
    },
    "consent.actions.stops.record": lambda room: {
        "holder": room.holder,
        "number": "A-17",
        **hand(room.advocate),
    },
    "consent.actions.stops.check": lambda room: {
        "stop": said.spoken_stop(subject=staffroom.enrolled(room, "A-17")),
        "checked": Checked.HERS,
        **hand(room.advocate),
    },
    "consent.actions.assignments.begin": lambda room: {
        "holder": room.holder,
        "number": "A-17",
        **hand(room.advocate),
    },
    "consent.actions.assignments.hand_on": lambda room: {
        "assignment": staffroom.enrolled(room, "A-17").assignments.get(),
        "worker": staffroom.another_advocate(room),
        "stays": True,
        **hand(room.advocate),
    },
    "consent.actions.blocks.block_by_number": lambda room: {
        "holder": room.holder,
        "number": "A-17",
        "worker": room.steward,
        **hand(room.advocate),
    },
    "consent.actions.shredding.ask": lambda room: {
        "holder": room.holder,
        "number": "A-17",
        "why": "She asked us to.",
        **hand(room.advocate),
    },
    "consent.actions.shredding.agree": lambda room: {
        "shredding": said.shredding(subject=staffroom.enrolled(room, "A-17")),
        "number": "A-17",
        **hand(room.advocate),
    },
    "consent.actions.enrolment.issue": lambda room: {
        "holder": room.holder,
        "number": "A-17",
        "kind": CodeKind.ARRIVAL,
        "talked": True,
        **hand(room.advocate),
    },
    "consent.actions.enrolment.redeem": lambda room: {
        "code": CODE,
        "username": "quiet-elm-5",
        "password": PASSWORD,
        "language": "es",
        "at": timezone.now(),
        "via": Via.PORTAL,
    },
    "consent.actions.enrolment.recover": lambda room: {
        "code": CODE,
        "password": PASSWORD,
        "at": timezone.now(),
        "via": Via.PORTAL,
    },
    **dict.fromkeys(
        [f"consent.actions.shutting.{deed}" for deed in ("shut", "close", "freeze")],
        lambda room: {"holder": room.holder, "number": "A-17", **hand(room.advocate)},
    ),
    "consent.actions.survivors.change_words": lambda room: {
        "password": PASSWORD,
        **hand(room.survivor),
    },
    "consent.actions.survivors.come_back": lambda room: {
        "username": "quiet-elm-5",
        "code": CODE,
        "password": PASSWORD,
        "shown": 5,
        "at": timezone.now(),
        "via": Via.PORTAL,
    },
    "governance.actions.people.note_provider": lambda room: {
        "user": room.steward,
        "linked": True,
        **hand(room.steward),
    },
    "consent.actions.survivors.note_second": lambda room: {"added": True, **hand(room.survivor)},
    "consent.actions.survivors.show_paper": lambda room: {"code": CODE, **hand(room.survivor)},
    "consent.actions.survivors.shut_by_paper": lambda room: {
        "code": CODE,
        "at": timezone.now(),
        "via": Via.PORTAL,
    },
    "consent.actions.survivors.speak": lambda room: {"language": "es", **hand(room.survivor)},
    "consent.actions.survivors.end_others": lambda room: {
        "keep": "sit-2222222222222",
        **hand(room.survivor),
    },
    "governance.actions.sittings.begin": lambda room: {
        "user": room.survivor,
        "device": Device.PHONE,
        "at": timezone.now(),
    },
    "governance.actions.sittings.leave": lambda room: {
        "ref": "sit-2222222222222",
        "at": timezone.now(),
    },
    "governance.actions.sittings.end_others": lambda room: {
        "keep": "sit-2222222222222",
        **hand(room.steward),
    },
    "consent.actions.holds.place": lambda room: {
        "holder": room.holder,
        "number": "A-17",
        "ground": HoldGround.STATUTE,
        "document": "0" * 64,
        "ends": timezone.now() + timedelta(days=7),
        **hand(room.holder_admin),
    },
    "consent.actions.representatives.record": lambda room: {
        "holder": room.holder,
        "number": "A-17",
        "kind": Speaker.GUARDIAN,
        "who": "Heron 7",
        "paper": Authority.ORDER,
        "document": "0" * 64,
        "starts": timezone.now(),
        "ends": timezone.now() + timedelta(days=7),
        **hand(room.advocate),
    },
    "consent.actions.minorities.record": lambda room: {
        "holder": room.holder,
        "number": "A-17",
        "majority": (timezone.now() + timedelta(days=7)).date(),
        "alone": False,
        **hand(room.advocate),
    },
    "consent.actions.flags.put": lambda room: {
        "representative": speaking.representative(),
        "threat": Threat.ABUSER,
        **hand(room.advocate),
    },
    "consent.actions.flags.name": lambda room: {
        "holder": room.holder,
        "number": "A-17",
        "who": "Heron 7",
        "threat": Threat.ABUSER,
        **hand(room.advocate),
    },
    "consent.actions.disputes.report": lambda room: {
        "holder": room.holder,
        "number": "A-17",
        **hand(room.advocate),
    },
    "consent.actions.deaths.report": lambda room: {
        "holder": room.holder,
        "number": "A-17",
        "document": "0" * 64,
        **hand(room.advocate),
    },
    "consent.actions.deaths.agree": lambda room: {
        "death": speaking.death(),
        "number": "A-17",
        **hand(room.advocate),
    },
    "consent.actions.contests.ask": lambda room: {
        "subject": staffroom.enrolled(room, "A-17"),
        "category": room.categories[0],
        "kind": Contested.CORRECTION,
        **hand(room.advocate),
    },
    "consent.actions.contests.ask_by_number": lambda room: {
        "holder": room.holder,
        "number": "A-17",
        "category": room.categories[0],
        "kind": Contested.RESTRICTION,
        **hand(room.advocate),
    },
    "consent.actions.contests.decide": lambda room: {
        "contest": contested.contest(subject=staffroom.enrolled(room, "A-17")),
        "decision": Decided.CORRECTED,
        **hand(room.steward),
    },
    "consent.actions.links.join": lambda room: {
        "first": CODE,
        "second": CODE,
        **hand(room.survivor),
    },
    "consent.actions.questions.ask": lambda room: {
        "subject": hers(room),
        "consent": None,
        "topic": Topic.OTHER,
        "words": "Is it still there?",
        **hand(room.survivor),
    },
    "consent.actions.questions.answer": lambda room: {
        "question": questions.question(subject=staffroom.enrolled(room, "A-17"), words=b""),
        "reply": Reply.WRITTEN,
        "words": "Yes.",
        **hand(room.steward),
    },
    "consent.actions.imports.consents": lambda room: {
        "holder": room.holder,
        "lines": ["client_number\n"],
        "most_bad": 0.2,
        "scope": "",
        **hand(room.advocate),
    },
    "consent.actions.objections.make": lambda room: {
        "subject": staffroom.enrolled(room, "A-17"),
        **against(room),
    },
    "consent.actions.objections.narrow": lambda room: {
        "objection": objections.make(
            subject=staffroom.enrolled(room, "A-17"), **hand(room.advocate)
        ),
        **against(room),
    },
    "consent.actions.terms.publish": text,
    "governance.actions.agreements.draft": agreement,
    "governance.actions.boards.adopt_charter": lambda room: {
        "board": room.board,
        "quorum": 2,
        "survivor_minimum": 1,
        "threshold_percent": 60,
        "answer_days": 14,
        **hand(room.convener),
    },
    "governance.actions.boards.create": lambda room: {"name": "Elm", **hand(room.convener)},
    "governance.actions.boards.fill_seat": lambda room: {
        "board": room.board,
        "user": room.outsider,
        "kind": SeatKind.LEGAL,
        **hand(room.convener),
    },
    "governance.actions.cares.restrict": lambda room: {
        "category": room.categories[1],
        "care": Care.IMMIGRATION,
        **hand(room.convener),
    },
    "governance.actions.catalogue.create_dataset": lambda room: {
        "name": "elm-cases",
        "title": "Elm cases",
        "holder": room.holder,
        "board": room.board,
        **hand(room.steward),
    },
    "governance.actions.catalogue.define_fields": lambda room: {
        "dataset": room.dataset,
        "fields": [spec(room)],
        **hand(room.steward),
    },
    "governance.actions.catalogue.reclassify": lambda room: {
        "field": Field.objects.filter(dataset=room.dataset).first(),
        "category": room.categories[1],
        "field_sensitivity": FieldSensitivity.SENSITIVE,
        "narrative": False,
        **hand(room.steward),
    },
    "governance.actions.invitations.accept": lambda room: {
        "code": CODE,
        "username": "quiet-elm-5",
        "password": PASSWORD,
        "language": "es",
        "at": timezone.now(),
        "via": Via.DESK,
    },
    "governance.actions.invitations.begin": lambda room: {
        "organisation_name": "Elm",
        "at": timezone.now(),
        "via": Via.COMMAND,
    },
    "governance.actions.invitations.invite": lambda room: {
        "organisation": room.holder,
        "roles": [Role.STEWARD],
        **hand(room.holder_admin),
    },
    "governance.actions.invitations.join": lambda room: {"code": CODE, **hand(room.outsider)},
    "governance.actions.keyrings.drop_backup_recipient": lambda room: {
        "public": "age1" + "q" * 58,
        **hand(room.convener),
    },
    "governance.actions.keys.register": lambda room: {
        "organisation": room.recipient,
        "public_key": "age1" + "q" * 58,
        "confirmed": "0" * 8,
        **hand(room.recipient_admin),
    },
    "oversight.actions.logs.read_entries": lambda room: {
        "tile": "000.p/1",
        "organisation": room.holder,
        **hand(room.convener),
    },
    "governance.actions.machines.register": lambda room: {
        "user": room.machine,
        "organisation": room.stranger,
        "label": "nightly",
        "scopes": [MachineScope.READ],
        "days": 5,
        **hand(room.convener),
    },
    "governance.actions.machines.rotate": lambda room: {
        "client": applied.machine_client(),
        "days": 5,
        **hand(room.convener),
    },
    "governance.actions.memberships.grant": lambda room: {
        "user": room.outsider,
        "organisation": room.holder,
        "role": Role.STEWARD,
        **hand(room.holder_admin),
    },
    "governance.actions.organisations.create": lambda room: {
        "name": "Elm",
        "kind": OrganisationKind.HEALTH,
        **hand(room.convener),
    },
    "governance.actions.people.create_user": lambda room: {
        "username": "quiet-elm-5",
        "kind": UserKind.STAFF,
        "password": PASSWORD,
        "language": "es",
        **hand(room.convener),
    },
    "governance.actions.people.create_first_administrator": lambda room: {
        "username": "quiet-elm-5",
        "password": PASSWORD,
        "organisation_name": "Elm",
        "kind": OrganisationKind.COMMUNITY,
        "at": timezone.now(),
        "via": Via.COMMAND,
    },
    "governance.actions.requests.draft": draft,
    "governance.actions.resets.ask": lambda room: {
        "user": room.steward,
        "kind": ResetKind.DEVICE,
        **hand(room.holder_admin),
    },
    "governance.actions.resets.use": lambda room: {
        "first": CODE,
        "second": CODE,
        "password": PASSWORD,
        "former": PASSWORD,
        **hand(room.steward),
    },
    "governance.actions.reviews.vote": lambda room: {
        "request": staffroom.submitted(room),
        "seat": room.seats[0],
        "vote": Vote.YES,
        "reason": "It is little.\nIt helps.",
        **hand(room.members[0]),
    },
    "governance.actions.standard.load_standard": lambda room: {
        "folder": Path("elm"),
        **hand(room.convener),
    },
    "governance.actions.tokens.issue": lambda room: {
        "user": room.machine,
        "organisation": room.stranger,
        "label": "nightly",
        "days": 5,
        **hand(room.convener),
    },
    "oversight.actions.exports.export": lambda room: {
        "folder": Path("elm"),
        "format": Format.JSONL,
        "reason": "To look.",
        "first": 0,
        "last": 0,
        **hand(room.convener),
    },
    "release.actions.handing.hand_over": lambda room: {
        "release": answered.prepared(),
        "part": DownloadPart.PART,
        "number": 1,
        "first": 0,
        "last": 9,
        **hand(room.requester),
    },
    "release.actions.inquiries.answer": lambda room: {
        "request": Asked(
            *("req-2222222222222", room.holder, 1, 1, 1, 1, 1, "research"),
            Basis("research", "agr-2222222222222", "", ""),
        ),
        "number": "A-17",
        **hand(room.steward),
    },
    "release.actions.recalls.report": lambda room: {
        "recall": answered.recall(),
        "reported": Reported.DELETED,
        **hand(room.requester),
    },
    "release.actions.releases.run": lambda room: {
        "release": answered.release(),
        "at": timezone.now(),
        "worker": "worker-1",
    },
    "release.actions.versions.ingest": lambda room: {
        "dataset": room.dataset,
        "file": Path("elm.csv"),
        "mapping": b"",
        **hand(room.steward),
    },
}


def test_every_deed_that_is_told_things_has_a_case_here():
    """Also: no case is stale, and none leaves an argument of its deed out."""
    assert set(CASES) == set(guarded())


HOUSE = {"limits"}  # numbers of the house's own, which no door gives


@pytest.mark.parametrize("name", sorted(CASES))
def test_whatever_nobody_should_give_a_deed_is_refused_and_changes_nothing(name):
    deed = guarded()[name]
    good = CASES[name](staffroom.build())
    before = nasty.everything()
    for argument, kind in told_things(deed).items():
        if argument in HOUSE:
            continue
        values = list(nasty.of_kind(kind, good[argument], deed.limits.get(argument)))
        assert len(values) >= 3, argument
        for value in values:
            with pytest.raises(BadInput) as refusal:
                deed(**{**good, argument: value})
            assert refusal.value.where.split(".")[0] == argument, (argument, value)
            assert refusal.value.message
            assert "secret" not in refusal.value.message
    for at in nasty.instants():
        with pytest.raises(BadInput) as refusal:
            deed(**{**good, "at": at})
        assert refusal.value.where == "at"
    assert nasty.everything() == before


def test_the_digest_of_everything_sees_one_changed_row():
    """Otherwise the test above could not fail."""
    row = made.agreement()
    before = nasty.everything()
    Agreement.objects.filter(pk=row.pk).update(title="Another")
    changed = nasty.everything()
    assert changed != before
    made.organisation()
    assert nasty.everything() != changed


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(value=st.text(alphabet=st.characters(codec=None), max_size=40))
def test_a_text_that_is_let_through_comes_back_from_the_database_as_it_went_in(value, db):
    limit = Text(most=40, lines=True)
    if limit.fault(value) is None:
        row = made.agreement(title=value, obligations=[value])
        found = Agreement.objects.get(pk=row.pk, title=value)
        assert (found.title, found.obligations) == (value, [value])
