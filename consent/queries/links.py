"""Which records a person joined under her sign-in."""

from django.db.models import QuerySet

from consent.models import SubjectLink
from governance.models import User


def of(account: User) -> QuerySet[SubjectLink]:
    """Those that stand, the oldest first."""
    rows = SubjectLink.objects.filter(
        account=account, subject__account=account, split_at__isnull=True
    )
    return rows.select_related("subject__holder", "former").order_by("linked_at", "pk")
