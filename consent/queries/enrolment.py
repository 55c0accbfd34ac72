"""Readings of codes with which people come in, or come in again."""

from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.encoding import force_bytes

from common import codes
from consent.models import EnrolmentCode
from consent.vocabulary import CodeKind
from governance import permissions
from governance.models import Membership, Organisation, User
from governance.vocabulary import Role

USE = "enrolment"


def digest(code: str) -> str:
    """What is kept of a code from now on."""
    return _digests(code)[0]


def open_codes(at: datetime) -> QuerySet[EnrolmentCode]:
    """Neither used nor cancelled nor over at this instant; also those that open only later."""
    return EnrolmentCode.objects.filter(
        used_at__isnull=True,
        cancelled_at__isnull=True,
        expires_at__gt=at,
        subject__shredded_at__isnull=True,
    ).select_related("subject__holder", "subject__account", "issued_by")


def code(typed: str, at: datetime) -> EnrolmentCode | None:
    """What this code is for, where it is open and whoever gave it still sits beside her.

    A code of somebody who has left opens nothing, also where she has come back since.
    """
    found = _living(open_codes(at)).filter(digest__in=_digests(typed)).first()
    if found is None or not permissions.can_advise(found.issued_by, found.subject.holder):
        return None
    return found


def given_at(holders: Collection[Organisation], at: datetime) -> QuerySet[EnrolmentCode]:
    """The open codes of these holders, the latest first; none of somebody who has left."""
    found = _living(open_codes(at)).filter(subject__holder__in=holders)
    return found.order_by("-issued_at", "-pk")


def given_to(holder: Organisation, typed: str) -> EnrolmentCode | None:
    """The code with these signs that was ever given to a client of this holder, used or not."""
    given = EnrolmentCode.objects.filter(subject__holder=holder, digest__in=_digests(typed))
    return given.select_related("subject__holder").first()


def _living(codes: QuerySet[EnrolmentCode]) -> QuerySet[EnrolmentCode]:
    """Whose giver has had the role, without a break, since giving it."""
    role = Membership.objects.filter(
        user=OuterRef("issued_by"),
        organisation=OuterRef("subject__holder"),
        role=Role.ADVOCATE,
        started_at__lte=OuterRef("issued_at"),
        ended_at__isnull=True,
    )
    return codes.filter(Exists(role))


def coming_back(account: User, at: datetime) -> list[EnrolmentCode]:
    """Codes with which somebody may soon set new words for this account: she can refuse each."""
    found = open_codes(at).filter(subject__account=account, kind=CodeKind.RETURN)
    return list(found.order_by("issued_at", "pk"))


def _digests(typed: str) -> list[str]:
    """By the service's present secret and, while it is changed, by its former ones."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [codes.keyed(typed, USE, force_bytes(secret)) for secret in secrets]
