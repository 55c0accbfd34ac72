"""A survivor's own sign-in: her secret words, the codes she keeps on paper, shutting and closing it.

None of it touches what she shares. The log names no survivor: these entries say that somebody did
this and not who. Each door asks for her words again before it lets her change anything.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common import codes
from common.errors import NotPermitted, RuleBroken
from common.inputs import Number, Text, of, taking
from common.words import sentence as _
from governance.actions import people, scopes, sittings, trail
from governance.models import PaperCode, Sitting, User
from governance.queries import factors
from governance.queries import sittings as queries
from governance.vocabulary import Closing, PaperUse, UserKind

CODE = Text(most=codes.LONGEST, least=1, name=_("Code"))
BACK_IN = 6
"""How many codes that get her back in stand on one paper."""


@dataclass(frozen=True)
class Paper:
    """What she writes down or prints; told once and kept as digests only."""

    back_in: list[str]
    shut: str


@taking(password=people.PASSWORD)
@transaction.atomic
def change_words(*, password: str, by: User, at: datetime, via: Via) -> User:
    """Her secret words are new; wherever else she was signed in, she is not any more.

    Raises BadInput where they are too easy to guess.
    """
    person = _hers(by)
    people.set_password(person, password)
    person.signed_out_at = at
    person.save(update_fields=["password", "signed_out_at"])
    Sitting.objects.filter(user=person).delete()
    _record(EntryType.USER_CHANGED, person, at, via, "words")
    return person


@taking()
@transaction.atomic
def make_paper(*, by: User, at: datetime, via: Via) -> Paper:
    """New codes for her paper; those of a former paper open and shut nothing any more."""
    person = _hers(by)
    paper = Paper([codes.fresh() for _each in range(BACK_IN)], codes.fresh())
    PaperCode.objects.filter(user=person).delete()
    PaperCode.objects.bulk_create(
        PaperCode(user=person, use=use, digest=codes.digest(code, use), made_at=at)
        for use, code in [
            *((PaperUse.BACK_IN, each) for each in paper.back_in),
            (PaperUse.SHUT, paper.shut),
        ]
    )
    _record(EntryType.USER_CHANGED, person, at, via, "codes")
    return paper


@taking()
@transaction.atomic
def note_second(*, added: bool, by: User, at: datetime, via: Via) -> User:
    """Her sign-in asks for a second thing from now on, or for one less; with one more, wherever else
    she was signed in she is not any more.

    The door keeps and checks the thing itself; this writes down that it changed, in its transaction.
    """
    person = _hers(by)
    if added:
        person.signed_out_at = at
        person.save(update_fields=["signed_out_at"])
        Sitting.objects.filter(user=person).delete()
    _record(EntryType.USER_CHANGED, person, at, via, "second_factor")
    return person


@taking(code=CODE)
@transaction.atomic
def show_paper(*, code: str, by: User, at: datetime, via: Via) -> None:
    """In place of the second thing she shows one code of her paper, which is used up.

    Raises RuleBroken where the code is not hers or was used.
    """
    person = _hers(by)
    found = queries.paper(code, PaperUse.BACK_IN)
    if found is None or found.user_id != person.pk:
        raise _over()
    found.used_at = at
    found.save(update_fields=["used_at"])
    _record(EntryType.USER_CHANGED, person, at, via, "paper")


@taking(username=of(User, "username"), code=CODE, password=people.PASSWORD, shown=Number(least=0))
@transaction.atomic
def come_back(
    *, username: str, code: str, password: str, at: datetime, via: Via, shown: int | None = None
) -> User:
    """With one code of her paper and her made-up name she sets new words; the code is used up.

    `shown`: the second factor that the door has seen, by its number; needed where she has one, so
    that a paper alone never opens what she has locked twice. Raises RuleBroken where name and code
    do not belong together, the code was used, the second factor is missing, or the way in is shut:
    then only her advocate opens it. BadInput where the words are too easy to guess.
    """
    found = queries.paper(code, PaperUse.BACK_IN)
    if found is None or found.user.username.casefold() != username.strip().casefold():
        raise _over()
    person = User.objects.select_for_update(no_key=True).get(pk=found.user_id)
    found = queries.paper(code, PaperUse.BACK_IN)  # again, under the lock: a code works once
    if found is None or person.shut_at is not None:
        raise _over()
    hers = factors.of(person)
    if hers.exists() and not hers.filter(pk=shown).exists():
        raise RuleBroken("second_missing", _("First show the second thing this sign-in asks for."))
    people.set_password(person, password)
    person.signed_out_at = at
    person.save(update_fields=["password", "signed_out_at"])
    Sitting.objects.filter(user=person).delete()
    found.used_at = at
    found.save(update_fields=["used_at"])
    _record(EntryType.USER_CHANGED, person, at, via, "back")
    return person


@taking(code=CODE)
def shut_by_paper(*, code: str, at: datetime, via: Via) -> None:
    """Whoever has this code shuts her way in, from any device: nobody signs in before her advocate
    has given her a new code. What she shares stays as it is.

    Raises RuleBroken where the code shuts nothing (any more).
    """
    with scopes.closing(act=Closing.ACCOUNT_SHUT) as moment:
        found = queries.paper(code, PaperUse.SHUT)
        if found is None:
            raise _over()
        person = User.objects.select_for_update(no_key=True).get(pk=found.user_id)
        if queries.paper(code, PaperUse.SHUT) is None:
            raise _over()
        found.used_at = moment.at
        found.save(update_fields=["used_at"])
        lock(person=person, at=moment.at)
        moment.tell(what="shut", user=person.ref)
        _record(EntryType.USER_CHANGED, person, moment.at, via, "shut")


@taking()
def close(*, by: User, at: datetime, via: Via) -> None:
    """She closes her way in for good. What she shares goes on until she says stop or its end."""
    with scopes.closing(act=Closing.ACCOUNT_ENDED) as moment:
        person = _hers(by)
        finish(person=person, at=moment.at)
        moment.tell(what="account", user=person.ref)
        _record(EntryType.USER_ENDED, person, moment.at, via, "closed")


@taking(language=of(User, "language"))
@transaction.atomic
def speak(*, language: str, by: User, at: datetime, via: Via) -> None:
    """In which language she is met when she signs in."""
    person = _hers(by)
    person.language = language
    person.save(update_fields=["language"])
    _record(EntryType.USER_CHANGED, person, at, via, "language")


@taking()
def end_place(*, sitting: Sitting, by: User, at: datetime, via: Via) -> None:
    """She signs one of her devices out. Raises RuleBroken where it is not hers or over already."""
    sittings.end(sitting=sitting, by=by, at=at, via=via)


@taking(keep=sittings.REF)
def end_others(*, keep: str, by: User, at: datetime, via: Via) -> None:
    """She signs all her devices out but the one whose sitting has the reference `keep`."""
    sittings.end_others(keep=keep, by=by, at=at, via=via)


@taking()
def end_all(*, by: User, at: datetime, via: Via) -> None:
    """She signs all her devices out, this one too."""
    sittings.end_all(by=by, at=at, via=via)


def lock(*, person: User, at: datetime) -> None:
    """The row of an account that is shut, inside the deed that shuts it."""
    person.shut_at = person.signed_out_at = at
    person.save(update_fields=["shut_at", "signed_out_at"])
    Sitting.objects.filter(user=person).delete()


def finish(*, person: User, at: datetime) -> None:
    """The row of an account that ends, inside the deed that ends it."""
    person.is_active, person.ended_at, person.signed_out_at = False, at, at
    person.set_unusable_password()
    person.save(update_fields=["is_active", "ended_at", "signed_out_at", "password"])
    Sitting.objects.filter(user=person).delete()
    PaperCode.objects.filter(user=person).delete()
    factors.of(person).delete()


def _hers(by: User) -> User:
    """Her own row, held."""
    person = User.objects.select_for_update(no_key=True).get(pk=by.pk)
    if person.kind != UserKind.SURVIVOR or not person.is_active or person.shut_at is not None:
        raise NotPermitted("not_hers", _("This is for a survivor's own sign-in."))
    return person


def _record(type: EntryType, person: User, at: datetime, via: Via, reason: str) -> None:
    trail.record(type=type, by=person, at=at, via=via, reason=reason)


def _over() -> RuleBroken:
    return RuleBroken("code_over", _("This code does not open anything, or not any more."))
