"""A person comes in with a code, comes in again, shuts and closes her way in: the deeds."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from common.errors import BadInput, NotPermitted, RuleBroken
from consent.actions import consents, enrolment, shutting, subjects, survivors
from consent.models import EnrolmentCode, Objection, Subject
from consent.queries import enrolment as queries
from consent.vocabulary import CodeKind
from governance.actions import leaving, memberships, sittings
from governance.models import Membership, PaperCode, Sitting, User
from governance.vocabulary import Device, Role, UserKind
from tests import staffroom
from tests.factories import consent as said
from tests.staffroom import Staffroom, hand

pytestmark = pytest.mark.django_db
NUMBER = "A-17"
WORDS = "copper lantern meadow thirty swans"
OTHERS = "velvet harbor puzzle kettle orbit"


@pytest.fixture
def room() -> Staffroom:
    cache.clear()
    found = staffroom.build()
    staffroom.enrolled(found, NUMBER)
    return found


def give(room: Staffroom, kind: CodeKind = CodeKind.ARRIVAL, **given: Any) -> Any:
    asked = {"holder": room.holder, "number": NUMBER, "kind": kind, "talked": True}
    return enrolment.issue(**{**asked, **hand(room.advocate), **given})


def redeem(code: str, at: datetime | None = None, **given: Any) -> User:
    words = {"username": "meadow-kettle-41", "password": WORDS, "language": "es"}
    return enrolment.redeem(
        **{**words, "code": code, "at": at or timezone.now(), "via": Via.PORTAL, **given}
    )


def recover(code: str, at: datetime) -> User:
    return enrolment.recover(code=code, password=OTHERS, at=at, via=Via.PORTAL)


def arrived(room: Staffroom) -> User:
    return redeem(give(room)[1])


def hers(her: User) -> dict[str, Any]:
    return {"by": her, "at": timezone.now(), "via": Via.PORTAL}


def last(type_: EntryType) -> Entry:
    return Entry.objects.filter(type=type_).latest("pk")


def subject() -> Subject:
    return Subject.objects.get()


# --- the first code -------------------------------------------------------------------------------


def test_a_code_makes_her_sign_in_and_ties_her_record_to_it(room: Staffroom) -> None:
    made, code = give(room)
    her = redeem(code)
    assert (her.kind, her.language, her.check_password(WORDS)) == (UserKind.SURVIVOR, "es", True)
    assert subject().account == her
    made.refresh_from_db()
    assert made.used_at is not None
    assert made.expires_at - made.opens_at == timedelta(hours=72)


def test_the_log_names_neither_her_nor_her_sign_in(room: Staffroom) -> None:
    her = arrived(room)
    for type_ in (EntryType.USER_CREATED, EntryType.INVITATION_MADE, EntryType.INVITATION_ACCEPTED):
        entry = last(type_)
        assert her.ref not in (entry.actor, entry.resource)
        assert entry.actor in {"person", room.advocate.ref}
    assert last(EntryType.USER_CREATED).resource == ""


def test_what_is_kept_of_a_code_opens_nothing_without_the_services_secret(
    room: Staffroom, settings: Any
) -> None:
    made, code = give(room)
    assert code.replace("-", "") not in made.digest
    assert queries.code(code.upper().replace("-", " "), timezone.now()) == made
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another secret, " * 4
    assert queries.code(code, timezone.now()) is None
    settings.SECRET_KEY_FALLBACKS = [former]
    assert queries.code(code, timezone.now()) == made


def test_R28_no_code_before_the_two_have_talked_about_devices(room: Staffroom) -> None:
    with pytest.raises(BadInput, match="which device is safe") as refusal:
        give(room, talked=False)
    assert refusal.value.where == "talked"
    assert not EnrolmentCode.objects.exists()


@pytest.mark.parametrize("who", ["steward", "holder_admin", "requester", "outsider", "convener"])
def test_only_an_advocate_of_the_holder_gives_a_code(room: Staffroom, who: str) -> None:
    with pytest.raises(NotPermitted):
        give(room, **hand(getattr(room, who)))


def test_a_number_that_is_not_known_gets_no_code(room: Staffroom) -> None:
    with pytest.raises(RuleBroken, match="not known here"):
        give(room, number="A-18")


def test_a_code_works_once(room: Staffroom) -> None:
    _made, code = give(room)
    redeem(code)
    with pytest.raises(RuleBroken) as refusal:
        redeem(code, username="other-name-11")
    assert refusal.value.code == "code_over"
    assert User.objects.filter(kind=UserKind.SURVIVOR).exclude(pk=room.survivor.pk).count() == 1


@pytest.mark.parametrize(("after", "opens"), [(-1, True), (0, False)])
def test_a_code_ends_to_the_second(room: Staffroom, after: int, opens: bool) -> None:
    made, code = give(room)
    at = made.expires_at + timedelta(seconds=after)
    if opens:
        assert redeem(code, at=at).pk
    else:
        with pytest.raises(RuleBroken):
            redeem(code, at=at)


def test_a_newer_code_takes_the_place_of_the_former(room: Staffroom) -> None:
    first, former = give(room)
    _second, newer = give(room)
    first.refresh_from_db()
    assert first.cancelled_at is not None
    with pytest.raises(RuleBroken):
        redeem(former)
    assert redeem(newer).pk


def test_a_cancelled_code_opens_nothing(room: Staffroom) -> None:
    made, code = give(room)
    enrolment.cancel(code=made, **hand(room.advocate))
    with pytest.raises(RuleBroken):
        redeem(code)
    with pytest.raises(RuleBroken, match="already"):
        enrolment.cancel(code=made, **hand(room.advocate))


@pytest.mark.parametrize("who", ["steward", "outsider", "survivor"])
def test_nobody_else_cancels_it(room: Staffroom, who: str) -> None:
    made, _code = give(room)
    with pytest.raises(NotPermitted):
        enrolment.cancel(code=made, **hand(getattr(room, who)))


def test_a_code_dies_with_the_role_of_whoever_gave_it(room: Staffroom) -> None:
    _made, code = give(room)
    held = Membership.objects.get(user=room.advocate, role=Role.ADVOCATE)
    memberships.end(membership=held, **hand(room.holder_admin))
    with pytest.raises(RuleBroken):
        redeem(code)


def test_a_leavers_codes_die(room: Staffroom) -> None:
    _made, code = give(room)
    leaving.off_board(user=room.advocate, **hand(room.holder_admin))
    with pytest.raises(RuleBroken):
        redeem(code)


def test_who_has_a_sign_in_gets_no_first_code(room: Staffroom) -> None:
    arrived(room)
    with pytest.raises(RuleBroken, match="a sign-in already"):
        give(room)


def test_a_name_that_is_taken_leaves_the_code_unused(room: Staffroom) -> None:
    _made, code = give(room)
    with pytest.raises(RuleBroken) as refusal:
        redeem(code, username=room.survivor.username)
    assert refusal.value.code == "username_taken"
    assert redeem(code).pk


def test_words_that_are_too_easy_leave_the_code_unused(room: Staffroom) -> None:
    _made, code = give(room)
    with pytest.raises(BadInput):
        redeem(code, password="short")
    assert not subject().account
    assert redeem(code).pk


# --- coming in again ------------------------------------------------------------------------------


def test_a_second_code_waits_a_day_and_then_sets_new_words(room: Staffroom) -> None:
    her = arrived(room)
    survivors.make_paper(**hers(her))
    made, code = give(room, CodeKind.RETURN)
    assert made.opens_at - made.issued_at == timedelta(hours=24)
    with pytest.raises(RuleBroken):
        recover(code, made.opens_at - timedelta(seconds=1))
    again = recover(code, made.opens_at)
    assert again == her
    assert (again.check_password(OTHERS), again.check_password(WORDS)) == (True, False)
    assert not PaperCode.objects.filter(user=her).exists()
    with pytest.raises(RuleBroken):
        recover(code, made.opens_at)


def test_who_has_no_sign_in_gets_no_second_code(room: Staffroom) -> None:
    with pytest.raises(RuleBroken, match="has no sign-in"):
        give(room, CodeKind.RETURN)


def test_neither_code_opens_what_the_other_is_for(room: Staffroom) -> None:
    _made, first = give(room)
    with pytest.raises(RuleBroken):
        recover(first, timezone.now())
    redeem(first)
    made, second = give(room, CodeKind.RETURN)
    with pytest.raises(RuleBroken):
        redeem(second, at=made.opens_at, username="other-name-11")


def test_a_first_code_never_sets_new_words_without_the_day_of_waiting(room: Staffroom) -> None:
    _made, first = give(room)
    subjects.give_account(subject=subject(), account=room.survivor, **hand(room.advocate))
    with pytest.raises(RuleBroken):
        recover(first, timezone.now())
    with pytest.raises(RuleBroken):
        redeem(first)


def test_she_refuses_a_code_from_inside_and_it_opens_nothing(room: Staffroom) -> None:
    her = arrived(room)
    made, code = give(room, CodeKind.RETURN)
    assert queries.coming_back(her, timezone.now()) == [made]
    enrolment.cancel(code=made, **hers(her))
    assert queries.coming_back(her, timezone.now()) == []
    with pytest.raises(RuleBroken):
        recover(code, made.opens_at)
    assert last(EntryType.RESET_WITHDRAWN).actor == "person"


# --- her paper ------------------------------------------------------------------------------------


def come_back(code: str, name: str = "meadow-kettle-41") -> User:
    return survivors.come_back(
        username=name, code=code, password=OTHERS, at=timezone.now(), via=Via.PORTAL
    )


def test_each_code_of_her_paper_gets_her_back_in_once(room: Staffroom) -> None:
    her = arrived(room)
    paper = survivors.make_paper(**hers(her))
    assert len(set(paper.back_in)) == survivors.BACK_IN
    assert come_back(paper.back_in[0], "Meadow-Kettle-41 ").check_password(OTHERS)
    with pytest.raises(RuleBroken):
        come_back(paper.back_in[0])
    assert come_back(paper.back_in[1]).pk


def test_a_code_of_another_name_or_of_a_former_paper_opens_nothing(room: Staffroom) -> None:
    her = arrived(room)
    former = survivors.make_paper(**hers(her))
    newer = survivors.make_paper(**hers(her))
    for code, name in [
        (former.back_in[0], her.username),
        (newer.back_in[0], room.survivor.username),
        (newer.shut, her.username),
    ]:
        with pytest.raises(RuleBroken):
            come_back(code, name)


def test_her_code_shuts_the_way_in_and_leaves_her_sharing_alone(room: Staffroom) -> None:
    her, subject_ = arrived(room), subject()
    yes = staffroom.yes(room, subject_, said.terms())
    paper = survivors.make_paper(**hers(her))
    sittings.begin(user=her, device=Device.PHONE, at=timezone.now())
    survivors.shut_by_paper(code=paper.shut, at=timezone.now(), via=Via.PORTAL)
    her.refresh_from_db()
    yes.refresh_from_db()
    assert her.shut_at is not None
    assert her.shut_at == her.signed_out_at
    assert not Sitting.objects.filter(user=her).exists()
    assert yes.ended_at is None
    with pytest.raises(RuleBroken):
        survivors.shut_by_paper(code=paper.shut, at=timezone.now(), via=Via.PORTAL)
    with pytest.raises(RuleBroken):
        come_back(paper.back_in[0])  # whoever found the paper does not open it again
    made, code = give(room, CodeKind.RETURN)
    assert recover(code, made.opens_at).shut_at is None


def test_new_words_end_every_other_sign_in(room: Staffroom) -> None:
    her = arrived(room)
    sittings.begin(user=her, device=Device.PHONE, at=timezone.now())
    survivors.change_words(password=OTHERS, **hers(her))
    her.refresh_from_db()
    assert her.check_password(OTHERS)
    assert her.signed_out_at is not None
    assert not Sitting.objects.filter(user=her).exists()


@pytest.mark.parametrize("deed", ["change_words", "make_paper", "close", "speak"])
def test_these_are_a_survivors_deeds_alone(room: Staffroom, deed: str) -> None:
    given: dict[str, Any] = {"change_words": {"password": OTHERS}, "speak": {"language": "es"}}
    with pytest.raises(NotPermitted):
        getattr(survivors, deed)(**given.get(deed, {}), **hand(room.steward))


# --- shutting, freezing, closing ------------------------------------------------------------------


def on_her_word(room: Staffroom, deed: str, **given: Any) -> None:
    asked = {"holder": room.holder, "number": NUMBER, **hand(room.advocate), **given}
    getattr(shutting, deed)(**asked)


def test_R28_shutting_and_freezing_are_two_things(room: Staffroom) -> None:
    her = arrived(room)
    on_her_word(room, "shut")
    her.refresh_from_db()
    assert her.shut_at is not None
    assert not Objection.objects.exists()
    on_her_word(room, "freeze")
    no = Objection.objects.get()
    assert (no.recipient, no.recipient_kind, no.purpose, no.category) == (None, "", None, None)
    with pytest.raises(RuleBroken, match="shut already"):
        on_her_word(room, "shut")


def test_closing_ends_the_sign_in_and_no_sharing(room: Staffroom) -> None:
    her, subject_ = arrived(room), subject()
    yes = staffroom.yes(room, subject_, said.terms())
    on_her_word(room, "close")
    her.refresh_from_db()
    yes.refresh_from_db()
    assert (her.is_active, her.has_usable_password()) == (False, False)
    assert her.ended_at is not None
    assert yes.ended_at is None
    assert redeem(give(room)[1], username="other-name-11") == subject().account
    consents.withdraw(consent=yes, **hers(subject().account))


def test_she_closes_it_herself(room: Staffroom) -> None:
    her = arrived(room)
    survivors.close(**hers(her))
    her.refresh_from_db()
    assert her.ended_at is not None
    assert last(EntryType.USER_ENDED).resource == ""
    with pytest.raises(NotPermitted):
        survivors.close(**hers(her))


@pytest.mark.parametrize("deed", ["shut", "close", "freeze"])
@pytest.mark.parametrize("who", ["steward", "holder_admin", "outsider"])
def test_only_an_advocate_of_the_holder_does_it(room: Staffroom, deed: str, who: str) -> None:
    arrived(room)
    with pytest.raises(NotPermitted):
        on_her_word(room, deed, **hand(getattr(room, who)))


@pytest.mark.parametrize("deed", ["shut", "close"])
def test_where_there_is_no_sign_in_nothing_is_shut(room: Staffroom, deed: str) -> None:
    with pytest.raises(RuleBroken, match="no sign-in"):
        on_her_word(room, deed)


# --- where somebody is signed in ------------------------------------------------------------------


def test_one_ends_the_others_and_never_somebody_elses(room: Staffroom) -> None:
    her, at = arrived(room), timezone.now()
    phone, computer = (
        sittings.begin(user=her, device=each, at=at) for each in (Device.PHONE, Device.COMPUTER)
    )
    theirs = sittings.begin(user=room.survivor, device=Device.PHONE, at=at)
    with pytest.raises(RuleBroken):
        survivors.end_place(sitting=theirs, **hers(her))
    survivors.end_others(keep=phone.ref, **hers(her))
    assert set(Sitting.objects.all()) == {phone, theirs}
    assert computer.pk
    survivors.end_all(**hers(her))
    assert set(Sitting.objects.all()) == {theirs}


def test_what_is_over_is_forgotten_when_the_next_begins(room: Staffroom) -> None:
    her, at = arrived(room), timezone.now()
    sittings.begin(user=her, device=Device.PHONE, at=at - timedelta(minutes=20))
    kept = sittings.begin(user=her, device=Device.PHONE, at=at)
    assert list(Sitting.objects.filter(user=her)) == [kept]
