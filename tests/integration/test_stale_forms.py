"""Every form sent too late, twice, from an old tab or after going back: a clear answer, nothing lost,
nothing half done and never a 500. The forms are those of test_nasty_forms; a new one is here by itself.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from audit.vocabulary import Via
from consent.actions import consents, proposals
from consent.models import Proposal
from governance.actions import leaving, requests
from governance.models import AccessRequest, User
from tests import nasty, staffroom, survivors
from tests.integration.test_nasty_forms import FORMS, PROOF, Case, device, world_of
from tests.staffroom import Staffroom, hand
from tests.survivors import WORDS

pytestmark = [pytest.mark.database, pytest.mark.django_db]

# What somebody may mean to do again, each with its reason; the second sending says it once more.
AGAIN: dict[str, str] = {
    "desk.forms.audit.CaseForm": "a second case, which closes like any other",
    "desk.forms.audit.FindingForm": "a second finding, which the auditor closes",
    "desk.forms.audit.ReviewForm": "a judgement is added, never changed; the latest counts",
    "desk.forms.audit.SayForm": "an answer is added to the finding, never changed",
    "desk.forms.deeds.DraftForm": "a second draft, which asks nobody and ends with a press",
    "desk.forms.people.InviteForm": "a second code: the first page with its own may not have come",
    "desk.forms.speaking.SpokenYesForm": "the same yes anew, in place of the first",
    "portal.forms.Speak": "the same language, once more",
}
# They need the signed log, whose entries settle after a transaction that commits: in the tests' own
# they cannot. test_audit_desk.py, test_audit_checks.py and test_portal_copies.py send them.
SETTLE = {
    "desk.forms.audit.SearchForm",
    "desk.forms.audit.WorksheetForm",
    "portal.own_forms.Whole",
}
SIGN_INS = {"/sign-in/", "/start/", "/desk/sign-in/", "/begin/", "/lost/", "/desk/invited/"}
SIGN_INS |= {"/desk/anew/"}
# Forms that who is not signed in fills in: a session that is gone is none to lose.
OPEN = {
    *(f"portal.forms.{name}" for name in ("SignIn", "Code", "ShutCode", "BackIn")),
    *(f"desk.forms.people.{name}" for name in ("InvitedForm", "AnewForm")),
    "desk.forms.signin.SignInForm",
}
SENTENCE = re.compile(r"[.?!]\s*(<|$)", re.MULTILINE)


@pytest.fixture(autouse=True)
def _clean_slate() -> None:
    cache.clear()


def sent(client: Client, case: Case, place: str, good: dict[str, Any]) -> Any:
    cache.clear()
    return client.get(place, good) if case.asks else client.post(place, good)


def really_good(client: Client, case: Case, world: Any) -> dict[str, Any]:
    """What stands in the case, with the secrets of whoever sends it."""
    good = {**case.good(world)}
    who = User.objects.filter(pk=client.session.get("_auth_user_id", 0)).first()
    if who is not None and good.get("password") == PROOF["password"]:
        good |= staffroom.proof(who)
    if who is not None and "passphrase" in good:
        good["passphrase"] = WORDS
    return good


def told(answer: Any) -> bool:
    """It leads somewhere, or says something."""
    if answer.status_code in {301, 302, 303}:
        return bool(answer["Location"])
    if not answer.get("Content-Type", "").startswith("text/html"):
        return bool(answer.status_code == 200)  # a file
    return answer.status_code < 500 and SENTENCE.search(answer.content.decode()) is not None


def same_session(client: Client) -> Client:
    """Another tab, whose browser checks that forms carry their token."""
    tab = Client(raise_request_exception=False, enforce_csrf_checks=True)
    for name, morsel in client.cookies.items():
        tab.cookies[name] = morsel.value
    return tab


@pytest.mark.parametrize("name", sorted(FORMS.keys() - SETTLE))
def test_a_form_sent_late_twice_or_from_an_old_tab_is_answered_in_words(name: str) -> None:
    case, world = FORMS[name], world_of(name)
    client, place = case.client(world), case.place(world)
    good = really_good(client, case, world)
    page = client.get(place)
    if case.device:
        good |= device(case, page.context["form"], world)
    before = nasty.everything()
    if not case.asks:
        old = same_session(client).post(place, good)  # its token is gone
        assert (old.status_code, "open too long" in old.content.decode()) == (403, True)
    gone = sent(Client(raise_request_exception=False), case, place, good)
    if name not in OPEN:
        assert gone.status_code == 302, gone.status_code
        assert gone["Location"] in SIGN_INS
    assert nasty.everything() == before, "too late, and yet something was written"
    first = sent(client, case, place, good)
    assert told(first), first.status_code
    once = nasty.everything()
    second = sent(client, case, place, good)
    assert told(second), second.status_code
    twice = nasty.everything()
    assert (twice != once) == (name in AGAIN)
    back = client.get(place)  # out of the history
    assert back.status_code in {200, 302, 404, 405, 409}, back.status_code
    assert told(back), back.status_code


# --- ended while a form was open ------------------------------------------------------------------


def hers(world: survivors.World) -> dict[str, Any]:
    return {"by": world.her, "at": timezone.now(), "via": Via.PORTAL}


def stopped(world: survivors.World) -> None:
    """Her yes, by herself on another device."""
    consents.withdraw(consent=world.on, **hers(world))


def taken_back(world: survivors.World) -> None:
    """Every ask for a yes, by whoever asked."""
    for asked in Proposal.objects.filter(closed_at__isnull=True):
        proposals.cancel(proposal=asked, by=asked.asked_by, at=timezone.now(), via=Via.DESK)


def ended(room: Staffroom) -> None:
    requests.end(request=AccessRequest.objects.get(), **hand(room.requester))


def off_boarded(who: str) -> Callable[[Staffroom], None]:
    def leave(room: Staffroom) -> None:
        leaving.off_board(user=getattr(room, who), **hand(room.convener))

    return leave


ENDED: dict[str, Callable[[Any], object]] = {
    "portal.forms.Change": stopped,
    "portal.forms.Pause": stopped,
    "portal.forms.Choice": taken_back,
    "portal.forms.Signing": taken_back,
    "desk.forms.deeds.VoteForm": ended,
    "desk.forms.deeds.DraftForm": off_boarded("requester"),
    "desk.forms.deeds.StopForm": off_boarded("advocate"),
    "desk.forms.people.InviteForm": off_boarded("holder_admin"),
}


def test_the_lists_are_about_forms_that_are() -> None:
    assert {*AGAIN, *OPEN, *SETTLE, *ENDED} <= set(FORMS)


@pytest.mark.parametrize("name", ENDED)
def test_what_ended_while_its_form_was_open_stays_ended_and_the_page_says_so(name: str) -> None:
    case, world = FORMS[name], world_of(name)
    client, place = case.client(world), case.place(world)
    good = really_good(client, case, world)
    ENDED[name](world)
    before = nasty.everything()
    answer = sent(client, case, place, good)
    assert answer.status_code in {302, 404, 409}, answer.status_code
    assert told(client.get(answer["Location"]) if answer.status_code == 302 else answer)
    assert nasty.everything() == before
