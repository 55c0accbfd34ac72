"""Every form with everything nobody should write into it: never a 500, nothing written, and a
sentence beside the field. A form that has no case here fails the test.
"""

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus

import pytest
from django import forms
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from common import codes
from consent.actions import shredding
from consent.actions.terms import LONGEST_PART
from consent.models import Assignment, Representative, Shredding, Terms
from consent.rules.texts import LANGUAGES
from consent.vocabulary import (
    LONGEST_NUMBER,
    LONGEST_SIGNATURE,
    LONGEST_WHO,
    LONGEST_WHY,
    LONGEST_WORDS,
    Part,
    Speaker,
)
from desk.forms.people import NewDevice, NewPassword
from desk.forms.wiping import _AboutClient
from governance.actions import invitations, resets
from governance.models import AccessRequest, Ballot, Membership, RecipientKey, User
from governance.vocabulary import LONGEST_PASSWORD, ResetKind, Role
from oversight.models import AuditCase, Finding, FindingStep, Job, MembershipReview, SavedSearch
from portal.second_forms import LONGEST_ANSWER
from release.models import Recall
from release.vocabulary import Reported
from tests import auditing, nasty, speaking, staffroom, survivors, texts
from tests.architecture.source import BASE, python_files
from tests.factories import consent as said
from tests.factories import contests as contested
from tests.factories import questions
from tests.factories import release as answered
from tests.lengths import share
from tests.staffroom import PASSWORD, Staffroom, hand
from tests.survivors import WORDS

pytestmark = pytest.mark.database
BACKEND = "django.contrib.auth.backends.ModelBackend"
Sent = dict[str, Any]


@pytest.fixture(autouse=True)
def _clean_slate() -> None:
    cache.clear()


@dataclass(frozen=True)
class Case:
    """Where one form is sent to, by whom, and what would be good in it.

    `limits`: how long its texts may be. `one_answer`: it never says which field was wrong, on
    purpose. `device`: the field into which a code goes that is good at that second.
    """

    client: Callable[[Any], Client]
    place: Callable[[Any], str]
    good: Callable[[Any], Sent]
    limits: dict[str, int]
    one_answer: bool = False
    device: str = ""
    asks: bool = False  # it is a question, which stands in the address


def column(model: Any, name: str) -> int:
    length: int = model._meta.get_field(name).max_length
    return length


def at_desk(who: Callable[[Staffroom], Any]) -> Callable[[Staffroom], Client]:
    return lambda room: staffroom.enter(Client(raise_request_exception=False), who(room))


def with_password_only(who: Callable[[Staffroom], Any], device: bool) -> Any:
    def come(room: Staffroom) -> Client:
        client = Client(raise_request_exception=False)
        if device:
            staffroom.secret_of(who(room))
        client.post("/desk/sign-in/", {"login": who(room).username, "password": PASSWORD})
        return client

    return come


def signed_in(world: survivors.World) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(world.her, BACKEND)
    return client


def proved(world: survivors.World) -> Client:
    """Signed in, and her words typed once more."""
    client = signed_in(world)
    client.post("/settings/", {"passphrase": WORDS})
    return client


def half_in(world: survivors.World) -> Client:
    """Her words were right, and her sign-in asks for one more thing."""
    client = Client(raise_request_exception=False)
    staffroom.secret_of(world.her)
    client.post("/sign-in/", {"name": world.her.username, "passphrase": WORDS})
    return client


def on_her_way(world: survivors.World) -> Client:
    """Somebody whose code has opened."""
    client = Client(raise_request_exception=False)
    client.post("/begin/", {"code": survivors.code(world.holder)})
    return client


def draft(room: Staffroom) -> Sent:
    today = timezone.now().date()
    return {
        "purpose": room.purpose.code,
        "fields_asked": ["age_band"],
        "reason": "To learn.",
        "benefit": "It helps.",
        "format": "csv",
        "starts": today.isoformat(),
        "ends": (today + timedelta(days=30)).isoformat(),
    }


def invited(room: Staffroom) -> Client:
    """Somebody new, whose code of an invitation has opened."""
    client = Client(raise_request_exception=False)
    given = {"organisation": room.holder, "roles": [Role.STEWARD], **hand(room.holder_admin)}
    client.post("/desk/invited/", {"code": invitations.invite(**given)[1]})
    return client


def begins_anew(kind: ResetKind) -> Callable[[Staffroom], Client]:
    """Somebody whose two halves have opened."""

    def come(room: Staffroom) -> Client:
        settled()
        staffroom.secret_of(room.requester)
        asked, first = resets.ask(user=room.requester, kind=kind, **hand(room.recipient_admin))
        second = resets.agree(reset=asked, **hand(room.convener))[1]
        client = Client(raise_request_exception=False)
        client.post("/desk/anew/", {"first": first, "second": second})
        return client

    return come


def settled() -> None:
    """Everybody here has been here for a while: only then two hands count."""
    Membership.objects.update(started_at=timezone.now() - timedelta(days=30))


def anew(room: Staffroom) -> str:
    settled()
    return f"/desk/people/anew/{room.requester.ref}/"


def guardian(room: Staffroom) -> Representative:
    known = Representative.objects.first()
    staffroom.enrolled(room, "A-17")
    return known or speaking.speaker(room.holder, "A-17", Speaker.GUARDIAN, **hand(room.advocate))


def held_back(room: Staffroom) -> str:
    subject = staffroom.enrolled(room, "A-17")
    known = subject.contests.filter(decided_at__isnull=True).first()
    return (known or contested.contest(subject=subject, category=room.categories[0])).ref


def questioned(room: Staffroom) -> str:
    subject = staffroom.enrolled(room, "A-17")
    known = subject.questions.filter(answered_at__isnull=True).first()
    return (known or questions.question(subject=subject, words=b"")).ref


def asked_to_wipe(room: Staffroom) -> Shredding:
    staffroom.enrolled(room, "A-17")
    given = {"holder": room.holder, "number": "A-17", "why": "Why.", **hand(room.holder_admin)}
    return shredding.ask(**given)


def asked_back(room: Staffroom) -> Recall:
    release = answered.prepared(request=staffroom.approved(room))
    return answered.recall(release=release)


def helped(room: Staffroom) -> str:
    """How the desk calls somebody whom the advocate helps."""
    found = Assignment.objects.first() or staffroom.enrolled(room, "A-17").assignments.get()
    return found.ref


def spoken(room: Staffroom) -> str:
    assignment = Assignment.objects.get(ref=helped(room))
    return said.spoken_stop(subject=assignment.subject).ref


def yes_together(room: Staffroom) -> Sent:
    return {
        "recipient": room.recipient.ref,
        "purpose": room.purpose.code,
        "kinds": [room.categories[0].code],
        "terms": str(published_text(room)),
        "days": "30",
    }


def whole_text(room: Staffroom) -> Sent:
    found = {"organisation": room.holder.ref, "code": "harbour", "widens": "yes", "step": "check"}
    for text in texts.both():
        found[f"{text.language}_title"] = text.title
        found |= {f"{text.language}_{part}": words for part, words in text.parts.items()}
    return found


def published_text(room: Staffroom) -> Terms:
    return Terms.objects.first() or said.terms()


def with_names(world: survivors.World) -> Client:
    client = signed_in(world)
    client.post("/names/", {"passphrase": WORDS})
    return client


def chosen(world: survivors.World) -> Sent:
    return {**{f"kind-{each.code}": "yes" for each in world.categories}, "length": "30"}


PROOF = {"password": "not this one", "code": "000000"}
PROVED = {"password": LONGEST_PASSWORD, "code": 32}
CODE = "2222-2222-2222-2222"
NEW = {"password": "forty-two-green-umbrellas", "again": "forty-two-green-umbrellas"}
NEWS = {"password": LONGEST_PASSWORD, "again": LONGEST_PASSWORD, "device": 32}
QUESTION = {"handle": 200, "actor": 200, "reason": 200}


def auditing_at(address: str) -> Callable[[Staffroom], str]:
    return lambda room: f"/desk/audit/{auditing.case_in(room).ref}/{address}"


auditor = at_desk(lambda room: auditing.case_in(room).opened_by)
FORMS: dict[str, Case] = {
    "desk.forms.audit.CaseForm": Case(
        auditor,
        lambda room: "/desk/audit/",
        lambda room: {
            "organisation": auditing.case_in(room).organisation.ref,
            "title": "A complaint",
            "reason": "Somebody complained.",
        },
        {"title": column(AuditCase, "title"), "reason": column(AuditCase, "reason")},
    ),
    "desk.forms.audit.SearchForm": Case(
        auditor, auditing_at(""), lambda room: {"type": "log:read"}, QUESTION, asks=True
    ),
    "desk.forms.audit.SaveForm": Case(
        auditor,
        auditing_at("save/"),
        lambda room: {"type": "log:read", "name": "Mine"},
        {**QUESTION, "name": column(SavedSearch, "name")},
    ),
    "desk.forms.audit.VerifyForm": Case(
        auditor,
        auditing_at("verify/"),
        lambda room: {"which": "some", "first": "0", "last": "1"},
        {"first": 40, "last": 40},
    ),
    "desk.forms.audit.ExportForm": Case(
        auditor,
        auditing_at("export/"),
        lambda room: {"first": "0", "last": "1", "format": "csv", "reason": "A review."},
        {"first": 40, "last": 40, "reason": column(Job, "reason")},
    ),
    "desk.forms.audit.FindingForm": Case(
        auditor,
        auditing_at("findings/new/"),
        lambda room: {"organisation": room.holder.ref, "title": "Idle", "text": "Why?"},
        {"title": column(Finding, "title"), "text": column(FindingStep, "text"), "number": 40},
    ),
    "desk.forms.audit.ReviewForm": Case(
        auditor,
        lambda room: auditing_at(f"roles/{room.steward.memberships.get().pk}/")(room),
        lambda room: {"verdict": "keep", "reason": "It is needed."},
        {"reason": column(MembershipReview, "reason")},
    ),
    "desk.forms.audit.WorksheetForm": Case(
        auditor,
        auditing_at("samples/"),
        lambda room: {"holder": room.holder.ref, "size": "5"},
        {"size": 40},
    ),
    "desk.forms.audit.HandleForm": Case(
        at_desk(lambda room: room.steward),
        lambda room: f"/desk/auditors/{auditing.case_in(room).ref}/",
        lambda room: {"holder": room.holder.ref, "number": "A-17"},
        {"number": LONGEST_NUMBER},
    ),
    "desk.forms.audit.SayForm": Case(
        at_desk(lambda room: room.steward),
        lambda room: f"/desk/findings/{auditing.finding_in(room).ref}/answer/",
        lambda room: {"text": "She was away."},
        {"text": column(FindingStep, "text")},
    ),
    "desk.forms.people.InviteForm": Case(
        at_desk(lambda room: room.holder_admin),
        lambda room: f"/desk/people/invite/{room.holder.ref}/",
        lambda room: {"roles": ["steward"], **PROOF},
        PROVED,
    ),
    "desk.forms.people.AskResetForm": Case(
        at_desk(lambda room: room.recipient_admin),
        anew,
        lambda room: {"kind": "both", **PROOF},
        PROVED,
    ),
    "desk.forms.people.InvitedForm": Case(
        lambda room: Client(raise_request_exception=False),
        lambda room: "/desk/invited/",
        lambda room: {"code": CODE},
        {"code": codes.LONGEST},
    ),
    "desk.forms.people.AnewForm": Case(
        lambda room: Client(raise_request_exception=False),
        lambda room: "/desk/anew/",
        lambda room: {"first": CODE, "second": CODE},
        {"first": codes.LONGEST, "second": codes.LONGEST},
    ),
    "desk.forms.people.AccountForm": Case(
        invited,
        lambda room: "/desk/invited/account/",
        lambda room: {"name": "quiet-otter-3", **NEW},
        {"name": column(User, "username"), **NEWS},
        device="device",
    ),
    "desk.forms.people.BothAnewForm": Case(
        begins_anew(ResetKind.BOTH),
        lambda room: "/desk/anew/set/",
        lambda room: NEW,
        NEWS,
        device="device",
    ),
    "desk.forms.people.DeviceAnewForm": Case(
        begins_anew(ResetKind.DEVICE),
        lambda room: "/desk/anew/set/",
        lambda room: {"former": PASSWORD},
        {"former": LONGEST_PASSWORD, "device": 32},
        device="device",
    ),
    "desk.forms.people.PasswordAnewForm": Case(
        begins_anew(ResetKind.PASSWORD),
        lambda room: "/desk/anew/set/",
        lambda room: NEW,
        {**NEWS, "code": 32},
        device="code",
    ),
    "desk.forms.deeds.DraftForm": Case(
        at_desk(lambda room: room.requester),
        lambda room: f"/desk/requests/new/{room.agreement.ref}/{room.dataset.ref}/",
        draft,
        {"reason": column(AccessRequest, "reason"), "benefit": column(AccessRequest, "benefit")},
    ),
    "desk.forms.deeds.VoteForm": Case(
        at_desk(lambda room: room.members[0]),
        lambda room: f"/desk/requests/{staffroom.submitted(room).ref}/vote/",
        lambda room: {"vote": "yes", "reason": "It is little."},
        {"reason": column(Ballot, "reason")},
    ),
    "desk.forms.deeds.KeyForm": Case(
        at_desk(lambda room: room.recipient_admin),
        lambda room: f"/desk/keys/{room.recipient.ref}/",
        lambda room: {"public_key": "age1" + "q" * 58, "fingerprint": "0" * 8, **PROOF},
        {"public_key": column(RecipientKey, "public_key"), "fingerprint": 80, **PROVED},
    ),
    "desk.forms.texts.TextForm": Case(
        at_desk(lambda room: room.holder_admin),
        lambda room: "/desk/texts/write/",
        whole_text,
        {
            "code": column(Terms, "code"),
            **{f"{language}_title": column(Terms, "title") for language in LANGUAGES},
            **{f"{language}_{part}": LONGEST_PART for language in LANGUAGES for part in Part},
        },
    ),
    "desk.forms.deeds.StopForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: "/desk/stops/",
        lambda room: {"holder": room.holder.ref, "number": "A-17", "recipient": ""},
        {"number": LONGEST_NUMBER},
    ),
    "desk.forms.deeds.ReportForm": Case(
        at_desk(lambda room: room.requester),
        lambda room: f"/desk/recalls/{asked_back(room).ref}/report/",
        lambda room: {"reported": Reported.DELETED},
        {},
    ),
    "desk.forms.clients.FindForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: "/desk/clients/",
        lambda room: {"holder": room.holder.ref, "number": "A-17"},
        {"number": LONGEST_NUMBER},
    ),
    "desk.forms.clients.BlockForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: "/desk/blocks/",
        lambda room: {"holder": room.holder.ref, "number": "A-17", "worker": room.steward.ref},
        {"number": LONGEST_NUMBER},
    ),
    "desk.forms.clients.HandOnForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: f"/desk/clients/{helped(room)}/hand-on/",
        lambda room: {"worker": staffroom.another_advocate(room).ref, "how": "instead"},
        {},
    ),
    "desk.forms.clients.CheckedForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: f"/desk/clients/{helped(room)}/stops/{spoken(room)}/",
        lambda room: {"checked": "hers"},
        {},
    ),
    "desk.forms.clients.YesForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: f"/desk/clients/{helped(room)}/yes/check/",
        yes_together,
        {"days": 10},
    ),
    "desk.forms.clients.SignedForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: f"/desk/clients/{helped(room)}/yes/sign/",
        lambda room: {
            **yes_together(room),
            "read": "on",
            "channel": "in_person",
            "signature": "binder 1",
        },
        {"signature": 200},
    ),
    "desk.forms.coming.CodeForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: "/desk/codes/",
        lambda room: {
            "holder": room.holder.ref,
            "number": "A-17",
            "kind": "arrival",
            "language": "en",
            "talked": "on",
            **PROOF,
        },
        {"number": LONGEST_NUMBER, **PROVED},
    ),
    "desk.forms.coming.ShuttingForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: "/desk/shutting/",
        lambda room: {"holder": room.holder.ref, "number": "A-17", "wanted": "shut"},
        {"number": LONGEST_NUMBER},
    ),
    "desk.forms.contests.ContestForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: "/desk/wrong/",
        lambda room: {
            "holder": room.holder.ref,
            "number": "A-17",
            "category": room.categories[0].code,
            "kind": "correction",
        },
        {"number": LONGEST_NUMBER},
    ),
    "desk.forms.contests.DecideForm": Case(
        at_desk(lambda room: room.steward),
        lambda room: f"/desk/work/{held_back(room)}/",
        lambda room: {"decision": "corrected"},
        {},
    ),
    "desk.forms.questions.ReplyForm": Case(
        at_desk(lambda room: room.steward),
        lambda room: f"/desk/questions/{questioned(room)}/",
        lambda room: {"reply": "written", "words": "Yes.\nIt is."},
        {"words": LONGEST_WORDS},
    ),
    "desk.forms.speaking.NoteForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: "/desk/speaking/note/",
        lambda room: {
            "holder": room.holder.ref,
            "number": "A-17",
            "noted": "flag",
            "majority": (timezone.now() + timedelta(days=70)).date().isoformat(),
            "who": "Heron 7",
            "threat": "abuser",
            "document": "0" * 64,
        },
        {"number": LONGEST_NUMBER, "who": LONGEST_WHO, "document": 64},
    ),
    "desk.forms.speaking.RepresentativeForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: "/desk/speaking/somebody/",
        lambda room: {
            "holder": room.holder.ref,
            "number": "A-17",
            "kind": "guardian",
            "who": "Heron 7",
            "works_for": "",
            "paper": "order",
            "document": "0" * 64,
            "starts": timezone.now().date().isoformat(),
            "ends": (timezone.now() + timedelta(days=7)).date().isoformat(),
            **PROOF,
        },
        {"number": LONGEST_NUMBER, "who": LONGEST_WHO, "document": 64, **PROVED},
    ),
    "desk.forms.speaking.SpokenYesForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: f"/desk/speaking/{guardian(room).ref}/yes/",
        lambda room: {
            "recipient": room.recipient.ref,
            "purpose": room.purpose.code,
            "kinds": [room.categories[0].code],
            "terms": str(published_text(room)),
            "channel": "paper",
            "signature": "binder 7",
            "assent": "signed",
            "told": "yes",
            "ends": (timezone.now() + timedelta(days=7)).date().isoformat(),
            **PROOF,
        },
        {"signature": LONGEST_SIGNATURE, **PROVED},
    ),
    "desk.forms.wiping.AskWipeForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: "/desk/wiping/ask/",
        lambda room: {"holder": room.holder.ref, "number": "A-17", "why": "Why.", **PROOF},
        {"number": LONGEST_NUMBER, "why": LONGEST_WHY, **PROVED},
    ),
    "desk.forms.wiping.AgreeWipeForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: f"/desk/wiping/{asked_to_wipe(room).ref}/agree/",
        lambda room: {"number": "A-17", **PROOF},
        {"number": LONGEST_NUMBER, **PROVED},
    ),
    "desk.forms.wiping.HoldForm": Case(
        at_desk(lambda room: room.holder_admin),
        lambda room: "/desk/wiping/holds/place/",
        lambda room: {
            "holder": room.holder.ref,
            "number": "A-17",
            "ground": "statute",
            "document": "0" * 64,
            "ends": (timezone.now() + timedelta(days=7)).date().isoformat(),
            **PROOF,
        },
        {"number": LONGEST_NUMBER, "document": 64, **PROVED},
    ),
    "desk.forms.signin.SignInForm": Case(
        lambda room: Client(raise_request_exception=False),
        lambda room: "/desk/sign-in/",
        lambda room: {"login": "nobody", "password": PASSWORD},
        {"login": 5000, "password": 5000},
        one_answer=True,
    ),
    "desk.forms.signin.CodeForm": Case(
        with_password_only(lambda room: room.steward, device=True),
        lambda room: "/desk/code/",
        lambda room: {"code": "000000"},
        {"code": 32},
    ),
    "desk.forms.signin.DeviceForm": Case(
        with_password_only(lambda room: room.steward, device=False),
        lambda room: "/desk/device/",
        lambda room: {"code": "000000"},
        {"code": 32},
    ),
    "desk.forms.signin.ProveAgainForm": Case(
        at_desk(lambda room: room.steward),
        lambda room: "/desk/device/new/",
        lambda room: PROOF,
        PROVED,
    ),
    "desk.forms.deeds.AskForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: "/desk/asks/",
        lambda room: {
            "holder": room.holder.ref,
            "number": "A-17",
            "recipient": room.recipient.ref,
            "purpose": room.purpose.code,
            "kinds": [room.categories[0].code],
            "terms": str(published_text(room)),
            "days": "30",
        },
        {"number": 200, "days": 10},
    ),
    "portal.forms.SignIn": Case(
        lambda world: Client(raise_request_exception=False),
        lambda world: "/sign-in/",
        lambda world: {"name": "nobody", "passphrase": WORDS},
        {"name": 80, "passphrase": LONGEST_PASSWORD},
        one_answer=True,
    ),
    "portal.second_forms.SecondCode": Case(
        half_in,
        lambda world: "/sign-in/second/",
        lambda world: {"code": "000000"},
        {"code": codes.LONGEST},
        one_answer=True,
    ),
    "portal.second_forms.NewApp": Case(
        proved, lambda world: "/settings/second/app/", lambda world: {"code": "0"}, {"code": 32}
    ),
    "portal.second_forms.Passkey": Case(
        proved,
        lambda world: "/settings/second/passkey/",
        lambda world: {"answer": "{}"},
        {"answer": LONGEST_ANSWER},
        one_answer=True,
    ),
    "portal.forms.Names": Case(
        signed_in,
        lambda world: "/names/",
        lambda world: {"passphrase": "not these"},
        {"passphrase": LONGEST_PASSWORD},
        one_answer=True,
    ),
    "portal.forms.Code": Case(
        lambda world: Client(raise_request_exception=False),
        lambda world: "/begin/",
        lambda world: {"code": "22222-22222"},
        {"code": codes.LONGEST},
        one_answer=True,
    ),
    "portal.forms.ShutCode": Case(
        lambda world: Client(raise_request_exception=False),
        lambda world: "/shut/",
        lambda world: {"code": CODE},
        {"code": codes.LONGEST},
        one_answer=True,
    ),
    "portal.forms.BackIn": Case(
        lambda world: Client(raise_request_exception=False),
        lambda world: "/lost/",
        lambda world: {"name": "nobody", "code": CODE},
        {"name": 80, "code": codes.LONGEST},
        one_answer=True,
    ),
    "portal.forms.MadeUpName": Case(
        on_her_way, lambda world: "/begin/name/", lambda world: {"name": "nobody"}, {}
    ),
    "portal.forms.Words": Case(
        proved,
        lambda world: "/settings/words/",
        lambda world: {"password": "short", "again": "short"},
        {"typed": LONGEST_PASSWORD, "password": LONGEST_PASSWORD, "again": LONGEST_PASSWORD},
    ),
    "portal.forms.Speak": Case(
        proved, lambda world: "/settings/language/", lambda world: {"language": "es"}, {}
    ),
    "portal.forms.Close": Case(
        signed_in,
        lambda world: "/settings/close/",
        lambda world: {"passphrase": "not these", "sure": "on"},
        {"passphrase": LONGEST_PASSWORD},
        one_answer=True,
    ),
    "portal.forms.OwnKey": Case(
        signed_in,
        lambda world: "/copy/key/",
        lambda world: {"passphrase": "not these", "sure": "on"},
        {"passphrase": LONGEST_PASSWORD},
        one_answer=True,
    ),
    "portal.forms.Pause": Case(
        signed_in, lambda world: f"/details/{world.on.ref}/pause/", lambda world: {"until": "7"}, {}
    ),
    "portal.forms.Change": Case(
        signed_in,
        lambda world: f"/details/{world.on.ref}/change/",
        lambda world: {"kinds": [world.categories[0].code], "until": "7"},
        {},
    ),
    "portal.forms.Choice": Case(
        with_names,
        lambda world: f"/asked/{survivors.asked_to_share(world).ref}/check/",
        lambda world: chosen(world),
        {},
    ),
    "portal.forms.Signing": Case(
        with_names,
        lambda world: f"/asked/{survivors.asked_to_share(world, 'police').ref}/sign/",
        lambda world: {
            **chosen(world),
            "read": "on",
            "lawyer": "on",
            "signature": world.her.username,
        },
        {"signature": 150},
    ),
    "portal.forms.Never": Case(
        signed_in, lambda world: "/never/", lambda world: {"kind": "unheard"}, {}
    ),
    "portal.own_forms.Join": Case(
        proved,
        lambda world: "/settings/join/",
        lambda world: {"first": CODE, "second": CODE},
        {"first": codes.LONGEST, "second": codes.LONGEST},
    ),
    "portal.own_forms.Whole": Case(
        signed_in,
        lambda world: "/copy/",
        lambda world: {"passphrase": "not these", "hidden": "on"},
        {"passphrase": LONGEST_PASSWORD},
        one_answer=True,
    ),
    "portal.own_forms.Ask": Case(
        signed_in,
        lambda world: "/ask/",
        lambda world: {"about": world.on.ref, "topic": "other", "words": "Yes.\nIs it?"},
        {"words": LONGEST_WORDS},
    ),
    "portal.forms.Mend": Case(
        signed_in,
        lambda world: "/record/mend/",
        lambda world: {
            "where": world.holder.ref,
            "what": world.categories[0].code,
            "kind": "correction",
        },
        {},
    ),
}
# What several forms have in common; no page shows one of them by itself.
PARTS = {NewPassword, NewDevice, _AboutClient}
NOT_REQUIRED = {
    ("desk.forms.deeds.StopForm", "recipient"),
    ("desk.forms.deeds.AskForm", "days"),
    ("desk.forms.questions.ReplyForm", "words"),
    ("portal.own_forms.Ask", "words"),
    ("portal.own_forms.Whole", "hidden"),
    ("desk.forms.texts.TextForm", "keep_until"),
    *(("desk.forms.speaking.NoteForm", field) for field in ("majority", "document")),
    ("desk.forms.speaking.RepresentativeForm", "works_for"),
    ("desk.forms.speaking.SpokenYesForm", "ends"),
    *(("portal.forms.Never", field) for field in ("place", "kind", "reason", "what", "everything")),
    *(("portal.forms.Words", field) for field in ("typed", "password", "again")),
    ("desk.forms.audit.CaseForm", "holder"),
    *(
        (f"desk.forms.audit.{form}", field)
        for form in ("SearchForm", "SaveForm")
        for field in (
            "organisation",
            "dataset",
            "purpose",
            "type",
            "decision",
            "since",
            "until",
            *QUESTION,
        )
    ),
    ("desk.forms.audit.ExportForm", "first"),
    ("desk.forms.audit.ExportForm", "last"),
    ("desk.forms.audit.FindingForm", "number"),
}


def forms_of_ours() -> dict[str, type[forms.Form]]:
    """Every form of the two doors that people use."""
    found = {}
    for path in python_files("desk", "portal"):
        name = ".".join(path.relative_to(BASE).with_suffix("").parts).removesuffix(".__init__")
        module = importlib.import_module(name)
        for form in vars(module).values():
            is_form = isinstance(form, type) and issubclass(form, forms.BaseForm)
            if is_form and form.__module__ == name and form not in PARTS:
                found[f"{name}.{form.__name__}"] = form
    return found


def test_every_form_has_a_case_here():
    """Also: no case is stale."""
    assert set(forms_of_ours()) == set(FORMS)


def world_of(name: str) -> Any:
    return survivors.build() if name.startswith("portal.") else staffroom.build()


def spoilt(name: str, case: Case, form: forms.BaseForm) -> Iterator[tuple[str, str]]:
    """Each field with each nasty value, as it stands in the body of what is sent."""
    for field, kind in form.fields.items():
        optional = (name, field) in NOT_REQUIRED
        if isinstance(kind, forms.DateField):
            values = [day for day in nasty.DAYS if day or not optional]
        elif isinstance(kind, forms.ChoiceField):
            values = nasty.CHOICES if optional else [*nasty.CHOICES, ""]
        elif isinstance(kind, forms.BooleanField):
            values = ["False", "0"]  # any other text is a tick
        else:
            values = [*nasty.SENT.values(), "x" * (case.limits[field] + 1)]
            values = [value for value in values if not optional or value.strip("+%20")]
        yield from ((field, value) for value in values)


def device(case: Case, form: forms.BaseForm, world: Any) -> Sent:
    """A code of this second, from the new device the page drew or from the one there is."""
    if not case.device:
        return {}
    secret = getattr(form, "secret", "")
    found = staffroom.code(secret) if secret else staffroom.proof(world.requester)["code"]
    return {case.device: found}


def body(good: Sent, field: str, value: str) -> str:
    """`value` as it stands in the body; a password that is typed twice is typed so twice."""
    pairs = [f"{field}={value}"]
    if field == "password" and "again" in good:
        good = {name: given for name, given in good.items() if name != "again"}
        pairs.append(f"again={value}")
    for name, given in good.items():
        if name != field:
            pairs += [
                f"{name}={quote_plus(each)}"
                for each in (given if isinstance(given, list) else [given])
            ]
    return "&".join(pairs)


@pytest.mark.django_db
@pytest.mark.parametrize("name", FORMS)
def test_whatever_nobody_should_write_into_a_form_is_refused_beside_its_field(name):
    case, world = FORMS[name], world_of(name)
    client, place, good = case.client(world), case.place(world), case.good(world)
    shown = place.removesuffix("vote/").removesuffix("answer/")
    shown = client.get(shown.removesuffix("report/").removesuffix("check/"))
    if place.endswith("/sign/"):  # it stands on the page that the choice leads to
        shown = client.post(place.replace("/sign/", "/check/"), good)
    form = shown.context["form"]
    assert type(form) is forms_of_ours()[name]
    before = nasty.everything()
    for field, value in share([*spoilt(name, case, form)], sorted(FORMS).index(name)):
        cache.clear()
        sent = body({**good, **device(case, form, world)}, field, value)
        answer = (
            client.get(f"{place}?{sent}")
            if case.asks
            else client.post(place, sent, content_type=nasty.FORM)
        )
        assert answer.status_code in {200, 400, 429}, (field, value, answer.status_code)
        if case.asks and "form" not in (answer.context or {}):
            assert answer.status_code == 400, "no address at all"
            continue
        wrong = answer.context["form"]
        if not case.one_answer:
            assert field in wrong.errors, (field, value, wrong.errors)
            for told in wrong.errors[field]:
                assert str(told) in html_of(answer), (field, value)
    assert nasty.everything() == before


def html_of(answer: Any) -> str:
    text: str = answer.content.decode()
    return text.replace("&#x27;", "'").replace("&quot;", '"').replace("&gt;", ">")


@pytest.mark.django_db
@pytest.mark.parametrize("name", FORMS)
def test_whatever_is_no_form_at_all_is_refused(name):
    case, world = FORMS[name], world_of(name)
    client, place = case.client(world), case.place(world)
    before = nasty.everything()
    for kind, sent in share(BODIES, sorted(FORMS).index(name)):
        cache.clear()
        answer = client.generic("POST", place, sent, content_type=kind)
        assert answer.status_code < 500, (kind, sent[:40])
    assert nasty.everything() == before


BODIES: list[tuple[str, str | bytes]] = [
    (nasty.FORM, "a=1&" * 2000),
    (nasty.FORM, "x" * 300_000),
    (nasty.FORM, b"\xff\xfe\x00="),
    (nasty.FORM, "%00=%00&%FF=%FF&=&&&=="),
    (f"{nasty.FORM}; charset=utf-16", "a=1"),
    (f"{nasty.FORM}; charset=rot13", "a=1"),
    ("multipart/form-data", "x"),
    ("multipart/form-data; boundary=", "x"),
    ("multipart/form-data; boundary=\x00", "x"),
    ("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\0\r\n\r\n"),
    ("multipart/form-data; boundary=b", '--b\r\nContent-Disposition: form-data; name="reason"'),
    ("application/json", '{"a": ' * 50_000),
    ("x" * 5000, "a=1"),
    ("", "a=1"),
]
