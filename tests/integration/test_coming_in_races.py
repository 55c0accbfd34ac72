"""Two at once: a code brings in one, one code stands open, a refusal and a use exclude each other."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.vocabulary import Via
from consent.actions import enrolment, survivors
from consent.models import EnrolmentCode, Subject
from consent.vocabulary import CodeKind
from governance.models import PaperCode, User
from governance.vocabulary import UserKind
from tests import staffroom
from tests.coming import NUMBER, OWN, give
from tests.integration.test_governance_races import at_once
from tests.staffroom import Staffroom, hand

pytestmark = pytest.mark.django_db(transaction=True)
OTHERS = "velvet harbor puzzle kettle orbit"


@pytest.fixture
def room() -> Staffroom:
    found = staffroom.build()
    staffroom.enrolled(found, NUMBER)
    return found


def redeem(code: str, name: str = "meadow-kettle-41") -> User:
    words = {"code": code, "username": name, "password": OWN}
    return enrolment.redeem(**words, at=timezone.now(), via=Via.PORTAL)


def hers(her: User) -> dict[str, Any]:
    return {"by": her, "at": timezone.now(), "via": Via.PORTAL}


def test_one_code_brings_in_one_of_two_who_type_it_at_once(room: Staffroom) -> None:
    _made, code = give(room)
    outcomes = at_once(lambda: redeem(code), lambda: redeem(code, "other-name-11"))
    assert sorted(outcomes) == ["code_over", "done"]
    newcomer = User.objects.filter(kind=UserKind.SURVIVOR).exclude(pk=room.survivor.pk).get()
    assert Subject.objects.get().account == newcomer


def test_of_two_codes_given_at_once_one_stands_open(room: Staffroom) -> None:
    assert at_once(lambda: give(room), lambda: give(room)) == ["done", "done"]
    assert EnrolmentCode.objects.count() == 2
    assert EnrolmentCode.objects.filter(cancelled_at__isnull=True).count() == 1


def test_a_code_is_taken_back_or_used_and_never_both(room: Staffroom) -> None:
    made, code = give(room)
    outcomes = at_once(
        lambda: redeem(code), lambda: enrolment.cancel(code=made, **hand(room.advocate))
    )
    made.refresh_from_db()
    assert (made.used_at is None) != (made.cancelled_at is None)
    assert sorted(outcomes) in (["code_closed", "done"], ["code_over", "done"])
    assert (Subject.objects.get().account is None) == (made.used_at is None)


def test_she_refuses_or_it_sets_new_words_and_never_both(room: Staffroom) -> None:
    her = redeem(give(room)[1])
    made, code = give(room, CodeKind.RETURN)
    at = made.opens_at + timedelta(seconds=1)
    outcomes = at_once(
        lambda: enrolment.recover(code=code, password=OTHERS, at=at, via=Via.PORTAL),
        lambda: enrolment.cancel(code=made, **hers(her)),
    )
    made.refresh_from_db()
    her.refresh_from_db()
    assert sorted(outcomes) in (["code_closed", "done"], ["code_over", "done"])
    assert her.check_password(OTHERS) == (made.cancelled_at is None)


def test_a_code_of_her_paper_is_used_once_and_a_shut_way_in_stays_shut(room: Staffroom) -> None:
    her = redeem(give(room)[1])
    paper = survivors.make_paper(**hers(her))

    def back(code: str) -> User:
        given = {"username": her.username, "code": code, "password": OTHERS}
        return survivors.come_back(**given, at=timezone.now(), via=Via.PORTAL)

    first, second = paper.back_in[:2]
    assert sorted(at_once(lambda: back(first), lambda: back(first))) == ["code_over", "done"]
    outcomes = at_once(
        lambda: back(second),
        lambda: survivors.shut_by_paper(code=paper.shut, at=timezone.now(), via=Via.PORTAL),
    )
    assert outcomes[1] == "done"
    her.refresh_from_db()
    assert her.shut_at is not None
    assert PaperCode.objects.filter(used_at__isnull=False).count() in {2, 3}
