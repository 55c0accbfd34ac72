"""Publishing the texts people say yes to."""

from datetime import datetime
from hashlib import sha256

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.inputs import of, taking
from common.words import sentence as _
from consent.models import Terms
from governance import permissions
from governance.actions import trail
from governance.models import Organisation, User

LONGEST_TEXT = 100_000


@taking(
    code=of(Terms, "code"),
    version=of(Terms, "version", least=1),
    language=of(Terms, "language", slug=True),
    title=of(Terms, "title"),
    text=of(Terms, "text", most=LONGEST_TEXT),
)
def publish(
    *,
    code: str,
    version: int,
    language: str,
    title: str,
    text: str,
    organisation: Organisation,
    by: User,
    at: datetime,
    via: Via,
) -> Terms:
    """Publish one text in one language; it never changes afterwards.

    Raises NotPermitted unless `by` administers `organisation`; BadInput on a text or title that is empty or too long;
    RuleBroken where this version exists with another text.
    """
    permissions.check_can_administer(by, organisation)
    digest = sha256(text.encode()).hexdigest()
    with transaction.atomic():
        existing = Terms.objects.filter(code=code, version=version, language=language).first()
        if existing is not None:
            if existing.digest == digest and existing.title == title:
                return existing
            raise RuleBroken("terms_exist", _("This version exists already. Publish the next one."))
        terms = Terms.objects.create(
            code=code,
            version=version,
            language=language,
            title=title,
            text=text,
            digest=digest,
            published_at=at,
        )
        trail.record(
            type=EntryType.TERMS_PUBLISHED,
            by=by,
            at=at,
            via=via,
            resource=str(terms),
            detail_commit=digest,
        )
    return terms
