"""A worker reads a person's page: she sees on her own that it was read, and the log says so."""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.inputs import taking
from consent.actions.subjects import hold
from consent.actions.wiping import written
from consent.models import Look, Subject
from consent.permissions import check_can_help
from consent.queries import helping
from governance.models import User


@taking()
def look(*, subject: Subject, by: User, at: datetime, via: Via) -> None:
    """Kept before anything is shown, once for each hour in which somebody looks.

    Raises NotPermitted unless `by` is an advocate who helps her.
    """
    check_can_help(by, subject)
    seen(subject=subject, by=by, at=at, via=via)


def seen(*, subject: Subject, by: User, at: datetime, via: Via) -> None:
    """Keep that somebody who may do so reads what is hers; the caller has asked whether they may."""
    found = {"subject": subject, "worker": by, "hour": helping.hour_of(at)}
    if Look.objects.filter(**found).exists():
        return
    with transaction.atomic():
        hold([subject.slot])
        if not Look.objects.filter(**found).exists():  # asked again: two tabs at once
            Look.objects.create(**found)
            written(EntryType.SUBJECT_READ, subject, by=by, at=at, via=via)
