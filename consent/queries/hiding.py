"""What a person does not want to see on her own pages. Nothing that is shared hangs on it."""

from django.db.models import QuerySet

from consent.models import Hidden
from governance.models import Organisation, User


def of(account: User) -> QuerySet[Organisation]:
    """The recipients that are not seen on this sign-in's pages, in the order of hiding."""
    rows = Hidden.objects.filter(subject__account=account)
    found = Organisation.objects.filter(pk__in=rows.values("recipient"))
    return found.order_by("pk")


def recipients(account: User) -> frozenset[int]:
    """Their keys."""
    rows = Hidden.objects.filter(subject__account=account)
    return frozenset(rows.values_list("recipient_id", flat=True))
