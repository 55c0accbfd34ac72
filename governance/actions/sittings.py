"""Where somebody is signed in: begun, seen and ended at the border of each door.

A sitting is what a session must still have behind it. Its row goes and the session is over at its
next request, in whatever store it lies.
"""

from datetime import datetime, timedelta

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.inputs import of, taking
from common.words import sentence as _
from governance.actions import trail
from governance.models import Sitting, User
from governance.queries import sittings as queries
from governance.vocabulary import Device, UserKind

REF = of(Sitting, "ref", least=0)
SEEN_EVERY = timedelta(minutes=1)
"""Nobody needs to know it finer, and a page is not worth a write."""


@taking()
@transaction.atomic
def begin(*, user: User, device: Device, at: datetime) -> Sitting:
    """Somebody has signed in; what was over of theirs is forgotten."""
    Sitting.objects.filter(user=user).exclude(queries.lasting(at)).delete()
    return Sitting.objects.create(user=user, device=Device(device), began_at=at, seen_at=at)


@taking()
def see(*, sitting: Sitting, at: datetime) -> None:
    """They are still there."""
    if at - sitting.seen_at >= SEEN_EVERY:
        Sitting.objects.filter(pk=sitting.pk).update(seen_at=at)


@taking(ref=REF)
def leave(*, ref: str, at: datetime) -> None:
    """A session has ended by itself or by hand; whose it was is not asked."""
    Sitting.objects.filter(ref=ref).delete()


@taking()
@transaction.atomic
def end(*, sitting: Sitting, by: User, at: datetime, via: Via) -> None:
    """One of one's own is over. Raises RuleBroken where it is somebody else's or over already."""
    gone, _each = Sitting.objects.filter(pk=sitting.pk, user=by).delete()
    if not gone:
        raise RuleBroken("not_signed_in", _("Nobody is signed in there any more."))
    _record(by, at, via)


@taking(keep=REF)
@transaction.atomic
def end_others(*, keep: str, by: User, at: datetime, via: Via) -> int:
    """All of one's own but the one with the reference `keep`; says how many ended."""
    gone, _each = Sitting.objects.filter(user=by).exclude(ref=keep).delete()
    _record(by, at, via)
    return gone


@taking()
@transaction.atomic
def end_all(*, by: User, at: datetime, via: Via) -> None:
    """Signed out everywhere, this device too."""
    person = User.objects.select_for_update(no_key=True).get(pk=by.pk)
    person.signed_out_at = at
    person.save(update_fields=["signed_out_at"])
    Sitting.objects.filter(user=person).delete()
    _record(person, at, via)


def _record(by: User, at: datetime, via: Via) -> None:
    """The log names no survivor, not even by an opaque reference."""
    resource = "" if by.kind == UserKind.SURVIVOR else by.ref
    trail.record(
        type=EntryType.USER_CHANGED, by=by, at=at, via=via, resource=resource, reason="signed_out"
    )
