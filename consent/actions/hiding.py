"""A person hides one recipient, with everything about it, from her own pages; and shows it again.

Nothing that is shared changes by it: a stop to everything stops this too.
"""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import Via
from common.inputs import taking
from consent.actions.subjects import hold
from consent.models import Consent, Hidden, Subject
from consent.permissions import check_is_herself
from governance.models import Organisation, User


@taking()
@transaction.atomic
def hide(*, consent: Consent, by: User, at: datetime, via: Via) -> None:
    """Whoever this sharing goes to is seen on her pages no more, wherever she is known.

    Raises NotPermitted unless `by` is the person herself. Twice is once.
    """
    check_is_herself(by, consent.subject)
    people = list(Subject.objects.filter(account=by).order_by("slot"))
    hold(each.slot for each in people)
    for each in people:
        Hidden.objects.get_or_create(
            subject=each, recipient=consent.recipient, defaults={"hidden_at": at}
        )


@taking()
@transaction.atomic
def show(*, recipient: Organisation, by: User, at: datetime, via: Via) -> None:
    """It is seen again; nothing happens where it was not hidden."""
    Hidden.objects.filter(subject__account=by, recipient=recipient).delete()
