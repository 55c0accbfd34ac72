"""What staff do at the desk: ask, decide, agree, register a key, record a stop."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pyrage import x25519

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from consent.models import Consent
from consent.vocabulary import Ending
from governance.actions import reviews
from governance.models import AccessRequest, Agreement, Ballot, RecipientKey, Recusal
from governance.rules import fingerprint
from governance.vocabulary import AgreementState, RequestState, Vote
from release.vocabulary import VoidGround
from tests import staffroom
from tests.factories import consent as said
from tests.factories import release as answered
from tests.staffroom import Staffroom, hand

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def room() -> Staffroom:
    return staffroom.build()


def place(name: str, *words: str) -> str:
    return reverse(f"desk:{name}", args=words)


def page(client: Client, name: str, *words: str) -> str:
    answer = client.get(place(name, *words))
    assert answer.status_code == 200, (name, answer.status_code)
    return answer.content.decode()


def answers(room: Staffroom, **changes: Any) -> dict[str, Any]:
    today = timezone.now().date()
    return {
        "purpose": room.purpose.code,
        "fields_asked": ["age_band", "housing_type"],
        "reason": "To learn which housing lasts.",
        "benefit": "Money goes to housing that lasts.",
        "format": "csv",
        "starts": today.isoformat(),
        "ends": (today + timedelta(days=30)).isoformat(),
        **changes,
    }


# asking ---------------------------------------------------------------------------------------


def test_a_request_is_written_checked_and_handed_in(room: Staffroom, client: Client) -> None:
    staffroom.enter(client, room.requester)
    assert room.dataset.title in page(client, "request-choose")
    form = place("request-draft", room.agreement.ref, room.dataset.ref)
    kept = client.post(form, answers(room))
    draft = AccessRequest.objects.get()
    assert kept["Location"] == place("request", draft.ref)
    assert (draft.state, draft.requester, draft.created_by) == (
        RequestState.DRAFT,
        room.recipient,
        room.requester,
    )
    assert set(draft.fields.values_list("field__name", flat=True)) == {"age_band", "housing_type"}
    checked = page(client, "request", draft.ref)
    assert "Check your answers" in checked
    assert "To learn which housing lasts." in checked
    client.post(place("request-submit", draft.ref))
    draft.refresh_from_db()
    assert draft.state == RequestState.SUBMITTED
    entry = Entry.objects.get(type=EntryType.REQUEST_SUBMITTED)
    assert (entry.actor, entry.via, entry.resource) == (room.requester.ref, Via.DESK, draft.ref)


def test_free_text_and_uncovered_fields_are_not_even_offered(
    room: Staffroom, client: Client
) -> None:
    staffroom.enter(client, room.requester)
    whole = client.get(place("request-draft", room.agreement.ref, room.dataset.ref))
    assert "housing_type" in whole.content.decode()
    assert "case_notes" not in whole.content.decode()
    narrow = staffroom.signed(
        room.holder,
        room.recipient,
        room.dataset,
        room.purpose,
        room.categories[:1],
        [room.holder_admin, room.recipient_admin],
    )
    form = place("request-draft", narrow.ref, room.dataset.ref)
    shown = client.get(form).content.decode()
    assert 'value="age_band"' in shown
    assert "case_notes" not in shown
    assert "housing_type" not in shown
    refused = client.post(form, answers(room, fields_asked=["age_band", "case_notes"]))
    assert refused.status_code == 200
    assert not AccessRequest.objects.exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"fields_asked": []}, "Choose at least one field."),
        ({"reason": "  "}, "This field is required."),
        ({"purpose": "another"}, "Select a valid choice"),
        ({"ends": "2020-01-01"}, "The end lies before the start."),
        ({"starts": "31/02/2026"}, "Enter a valid date."),
    ],
)
def test_what_is_missing_is_said_at_its_place_and_the_rest_is_kept(
    room: Staffroom, client: Client, changes: dict[str, Any], told: str
) -> None:
    staffroom.enter(client, room.requester)
    form = place("request-draft", room.agreement.ref, room.dataset.ref)
    shown = client.post(form, answers(room, **changes)).content.decode()
    assert shown.count(told) == 2, "in the summary and at the field"
    assert "Money goes to housing that lasts." in shown
    assert not AccessRequest.objects.exists()


def test_an_earlier_draft_can_be_written_anew(room: Staffroom, client: Client) -> None:
    draft = staffroom.drafted(room)
    staffroom.enter(client, room.requester)
    form = place("request-draft", room.agreement.ref, room.dataset.ref)
    shown = client.get(form, {"from": draft.ref}).content.decode()
    assert draft.reason in shown
    assert shown.count(" checked") >= 5  # three fields, purpose, format
    assert draft.reason not in client.get(form, {"from": "req-2222222222222"}).content.decode()


def test_a_request_can_be_ended_by_its_own_side(room: Staffroom, client: Client) -> None:
    asked = staffroom.submitted(room)
    staffroom.enter(client, room.requester)
    assert "End this request" in page(client, "request", asked.ref)
    client.post(place("request-end", asked.ref))
    asked.refresh_from_db()
    assert asked.state == RequestState.ENDED
    assert client.post(place("request-end", asked.ref)).status_code == 409


# deciding -------------------------------------------------------------------------------------


def test_a_board_member_reads_and_votes_once(room: Staffroom, client: Client) -> None:
    asked = staffroom.submitted(room)
    staffroom.enter(client, room.members[0])
    assert asked.ref in page(client, "requests")
    shown = page(client, "request", asked.ref)
    assert "Cast my vote" in shown
    assert "Step back" in shown
    words = {"vote": "yes", "reason": "It asks for little."}
    client.post(place("vote", asked.ref), words)
    ballot = Ballot.objects.get()
    assert (ballot.seat, ballot.vote, ballot.reason) == (room.seats[0], Vote.YES, words["reason"])
    after = page(client, "request", asked.ref)
    assert "You have voted: yes" in after
    assert "Cast my vote" not in after
    assert client.post(place("vote", asked.ref), words).status_code == 409


def test_a_vote_without_a_reason_comes_back_with_what_is_missing(
    room: Staffroom, client: Client
) -> None:
    asked = staffroom.submitted(room)
    staffroom.enter(client, room.members[0])
    answer = client.post(place("vote", asked.ref), {"vote": "yes", "reason": ""})
    assert answer.status_code == 400
    assert "This field is required." in answer.content.decode()
    assert not Ballot.objects.exists()


def test_how_others_vote_is_not_shown_before_the_answer(room: Staffroom, client: Client) -> None:
    asked = staffroom.submitted(room)
    for n in (1, 2):
        reviews.vote(
            request=asked,
            seat=room.seats[n],
            vote=Vote.YES,
            reason="A reason of a colleague.",
            **hand(room.members[n]),
        )
    staffroom.enter(client, room.members[0])
    assert "A reason of a colleague." not in page(client, "request", asked.ref)
    client.post(place("vote", asked.ref), {"vote": "yes", "reason": "Mine."})
    client.post(place("decide", asked.ref))
    asked.refresh_from_db()
    assert asked.state == RequestState.APPROVED
    decided = page(client, "request", asked.ref)
    assert "A reason of a colleague." in decided
    assert "3 yes, 0 no" in decided
    staffroom.enter(client := Client(), room.requester)
    theirs = page(client, "request", asked.ref)
    assert "approved" in theirs
    assert "A reason of a colleague." not in theirs
    assert "3 yes" not in theirs


def test_who_steps_back_loses_the_vote_and_the_sight_of_votes(
    room: Staffroom, client: Client
) -> None:
    asked = staffroom.submitted(room)
    staffroom.enter(client, room.members[0])
    client.post(place("recuse", asked.ref))
    assert Recusal.objects.get().seat == room.seats[0]
    assert "Cast my vote" not in page(client, "request", asked.ref)
    assert client.post(place("vote", asked.ref), {"vote": "yes", "reason": "x"}).status_code == 409
    for n in (1, 2):
        reviews.vote(
            request=asked,
            seat=room.seats[n],
            vote=Vote.YES,
            reason="A reason of a colleague.",
            **hand(room.members[n]),
        )
    reviews.decide(request=asked, **hand(room.members[1]))
    assert "A reason of a colleague." not in page(client, "request", asked.ref)


def test_the_answer_is_established_only_when_the_charter_is_met(
    room: Staffroom, client: Client
) -> None:
    asked = staffroom.submitted(room)
    staffroom.enter(client, room.members[0])
    refused = client.post(place("decide", asked.ref))
    assert refused.status_code == 409
    assert "has not answered yet" in refused.content.decode()
    asked.refresh_from_db()
    assert asked.state == RequestState.SUBMITTED


def test_the_requesters_own_people_never_decide(room: Staffroom, client: Client) -> None:
    asked = staffroom.submitted(room)
    staffroom.enter(client, room.requester)
    assert "Establish the answer" not in page(client, "request", asked.ref)
    assert client.post(place("decide", asked.ref)).status_code == 403
    assert client.post(place("vote", asked.ref), {"vote": "yes", "reason": "x"}).status_code == 404


# agreeing -------------------------------------------------------------------------------------


def test_an_agreement_is_signed_by_its_administrators_only(room: Staffroom, client: Client) -> None:
    draft = staffroom.signed(
        room.holder,
        room.recipient,
        room.dataset,
        room.purpose,
        room.categories,
        [room.holder_admin],
    )
    assert draft.state == AgreementState.DRAFT
    words = {"organisation": room.recipient.ref}
    staffroom.enter(client, room.requester)
    assert "Sign for" not in page(client, "agreement", draft.ref)
    assert client.post(place("agreement-sign", draft.ref), words).status_code == 403
    staffroom.enter(client := Client(), room.recipient_admin)
    assert "waits for you" in page(client, "agreements")
    assert "Sign for State university" in page(client, "agreement", draft.ref)
    elsewhere = {"organisation": room.stranger.ref}
    assert client.post(place("agreement-sign", draft.ref), elsewhere).status_code == 404
    client.post(place("agreement-sign", draft.ref), words)
    assert Agreement.objects.get(pk=draft.pk).state == AgreementState.IN_FORCE
    assert client.post(place("agreement-sign", draft.ref), words).status_code == 409


def test_an_agreement_is_suspended_resumed_and_ended(room: Staffroom, client: Client) -> None:
    ref = room.agreement.ref

    def state() -> str:
        return Agreement.objects.get(ref=ref).state

    staffroom.enter(client, room.recipient_admin)
    client.post(place("agreement-suspend", ref))
    assert state() == AgreementState.SUSPENDED
    assert "Resume" not in page(client, "agreement", ref), "the holder's clients, the holder's word"
    assert client.post(place("agreement-resume", ref)).status_code == 403
    staffroom.enter(client := Client(), room.holder_admin)
    client.post(place("agreement-resume", ref))
    assert state() == AgreementState.IN_FORCE
    client.post(place("agreement-end", ref))
    assert state() == AgreementState.ENDED
    assert "End the agreement" not in page(client, "agreement", ref)


# receiving ------------------------------------------------------------------------------------


def test_a_key_is_registered_by_an_administrator(room: Staffroom, client: Client) -> None:
    staffroom.enter(client, room.recipient_admin)
    fresh = str(x25519.Identity.generate().to_public())
    proof = staffroom.proof(room.recipient_admin)
    given = {"public_key": f"  {fresh}\n", "fingerprint": fingerprint(fresh)[:8], **proof}
    client.post(place("key-register", room.recipient.ref), given)
    current = RecipientKey.objects.get(organisation=room.recipient, ended_at__isnull=True)
    assert current.public_key == fresh
    assert fresh in page(client, "keys")


def test_a_private_key_pasted_by_mistake_is_refused(room: Staffroom, client: Client) -> None:
    staffroom.enter(client, room.recipient_admin)
    private = str(x25519.Identity.generate())
    given = {"public_key": private, "fingerprint": "0" * 8, **staffroom.proof(room.recipient_admin)}
    answer = client.post(place("key-register", room.recipient.ref), given)
    assert answer.status_code == 400
    assert "no age public key" in answer.content.decode()
    assert RecipientKey.objects.filter(organisation=room.recipient).count() == 1


def test_numbers_of_people_are_shown_in_bands(room: Staffroom) -> None:
    asked = staffroom.approved(room)
    version = answered.dataset_version(dataset=room.dataset, rows=7_431, people=3_217)
    release = answered.prepared(
        request=asked,
        version=version,
        rows=4_099,
        rows_withheld=3_332,
        people=1_777,
        people_withheld=1_440,
        grounds={"no_consent": 1_433, "withdrawn": 7},
    )
    for who in (room.requester, room.steward, room.members[0]):
        staffroom.enter(client := Client(), who)
        shown = page(client, "release", release.ref) + page(client, "releases")
        shown += page(client, "datasets") + page(client, "request", asked.ref)
        assert "2,001 to 5,000" in shown
        assert "1,001 to 2,000" in shown
        # Who receives learns one band; by ground it is for the holder and the board.
        assert ("no yes was given" in shown) == (who != room.requester)
        assert ("fewer than 11" in shown) == (who != room.requester)
        for number in (7_431, 3_217, 4_099, 3_332, 1_777, 1_440, 1_433):
            assert str(number) not in shown
            assert f"{number:,}" not in shown


@pytest.mark.parametrize("ground", VoidGround)
def test_a_void_package_tells_nobody_that_somebody_in_it_stopped(
    room: Staffroom, ground: VoidGround
) -> None:
    given = {"voided_at": timezone.now(), "void_ground": ground}
    release = answered.prepared(request=staffroom.approved(room), **given)
    for who in (room.requester, room.steward):
        staffroom.enter(client := Client(), who)
        shown = unescape(page(client, "release", release.ref))
        hers = ground in (VoidGround.PERSON_SAID_NO, VoidGround.CONSENT_ENDED)
        assert ("what is inside changed" in shown) == hers
        assert (str(ground.label) in shown) != hers


def test_a_refusal_names_its_grounds_to_whoever_asked(room: Staffroom, client: Client) -> None:
    refused = answered.release(
        request=staffroom.approved(room),
        state="refused",
        answered_at=timezone.now(),
        entry=answered.entry(type="release:refused"),
        grounds={"no_key": 3_217},
    )
    staffroom.enter(client, room.requester)
    shown = page(client, "release", refused.ref)
    assert "the recipient has no current key" in shown
    assert "3,001" not in shown
    assert "2,001" not in shown


def test_a_release_is_seen_by_those_who_asked_the_holders_stewards_and_the_board(
    room: Staffroom, client: Client
) -> None:
    release = answered.prepared(request=staffroom.approved(room))
    seen = {}
    for who in ("requester", "steward", "outsider", "advocate"):
        inside = staffroom.enter(Client(), getattr(room, who))
        seen[who] = inside.get(place("release", release.ref)).status_code
    assert seen == {"requester": 200, "steward": 200, "outsider": 404, "advocate": 404}
    inside = staffroom.enter(Client(), room.members[1])
    assert "Download" not in page(inside, "release", release.ref)
    staffroom.enter(client, room.steward)
    assert "Download" not in page(client, "release", release.ref)
    assert client.post(place("release-package", release.ref)).status_code == 403
    staffroom.enter(client := Client(), room.requester)
    assert client.get(place("release-package", release.ref)).status_code == 405


def test_a_waiting_release_has_no_proof_yet(room: Staffroom, client: Client) -> None:
    release = answered.release(request=staffroom.approved(room))
    staffroom.enter(client, room.requester)
    assert client.get(place("release-proof", release.ref)).status_code == 409
    assert client.post(place("release-package", release.ref)).status_code == 503


# stopping -------------------------------------------------------------------------------------


def test_a_stop_said_aloud_is_recorded_and_nothing_else_is_told(
    room: Staffroom, client: Client
) -> None:
    text = said.terms(published_at=timezone.now() - timedelta(days=400))
    staffroom.yes(room, staffroom.enrolled(room, "A-17"), text)
    other = staffroom.yes(room, staffroom.enrolled(room, "A-18"), text)
    staffroom.enter(client, room.advocate)
    done = client.post(
        place("stop"), {"holder": room.holder.ref, "number": " A-17 ", "recipient": ""}, follow=True
    ).content.decode()
    assert "Stop recorded" in done
    assert room.recipient.name not in done
    assert "A-17" not in done
    stopped = Consent.objects.exclude(pk=other.pk).get()
    assert stopped.ending == Ending.WITHDRAWN
    other.refresh_from_db()
    assert other.ended_at is None


def test_a_number_nobody_has_is_refused(room: Staffroom, client: Client) -> None:
    staffroom.enter(client, room.advocate)
    answer = client.post(
        place("stop"), {"holder": room.holder.ref, "number": "Z-9", "recipient": ""}
    )
    assert answer.status_code == 409
    assert "not known here" in answer.content.decode()


def test_a_stop_is_for_advocates_and_for_their_own_organisation(
    room: Staffroom, client: Client
) -> None:
    words = {"holder": room.holder.ref, "number": "A-17", "recipient": ""}
    staffroom.enter(client, room.requester)
    assert client.get(place("stop")).status_code == 403
    assert client.post(place("stop"), words).status_code == 403
    staffroom.enter(client := Client(), room.advocate)
    answer = client.post(place("stop"), words | {"holder": room.stranger.ref})
    assert "Select a valid choice" in answer.content.decode()
