"""Gathering what a decision looks at: the only reading of a release."""

from datetime import datetime
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import Exists, OuterRef

from common.keyring import KeyRing
from consent.queries.sets import consent_sets, lasting_sets, open_sets
from consent.rules import Ask, ConsentSets, Slots
from governance.models import (
    AccessRequest,
    Agreement,
    AgreementDataset,
    AgreementPurpose,
    Membership,
    RecipientKey,
    RequestField,
)
from governance.queries import catalogue
from governance.vocabulary import (
    AgreementState,
    Care,
    DatasetState,
    FieldType,
    OrganisationKind,
    PurposeKind,
    RequestState,
    Role,
)
from release.models import DatasetVersion, Presence, Release, VersionColumn
from release.rules.bits import slots_of
from release.rules.decide import AgreementFact, Facts, FieldFact, RequestFact, WholeFacts


def ring() -> KeyRing:
    return KeyRing(settings.SAYSO_KEYS, may_create=settings.DEMO)


def current_version(release: Release) -> DatasetVersion | None:
    """The newest loaded version of the dataset that was asked for."""
    return (
        DatasetVersion.objects.filter(dataset_id=release.request.dataset_id)
        .order_by("-number")
        .first()
    )


def current_key(release: Release) -> RecipientKey | None:
    """The recipient's current public key."""
    return RecipientKey.objects.filter(
        organisation_id=release.recipient_id, ended_at__isnull=True
    ).first()


def gather_whole(release: Release, version: DatasetVersion | None) -> WholeFacts:
    """What a whole release hangs on, apart from people; read afresh at every call."""
    request = (
        AccessRequest.objects.select_related("dataset", "purpose", "agreement", "requester")
        .annotate(
            covers_dataset=Exists(
                AgreementDataset.objects.filter(
                    agreement=OuterRef("agreement"), dataset=OuterRef("dataset")
                )
            ),
            covers_purpose=Exists(
                AgreementPurpose.objects.filter(
                    agreement=OuterRef("agreement"), purpose=OuterRef("purpose")
                )
            ),
            has_key=Exists(
                RecipientKey.objects.filter(
                    organisation=release.recipient_id, ended_at__isnull=True
                )
            ),
            has_member=Exists(
                Membership.objects.filter(
                    user=release.asked_by_id,
                    user__is_active=True,
                    organisation=OuterRef("requester"),
                    role=Role.REQUESTER,
                    ended_at__isnull=True,
                )
            ),
        )
        .get(pk=release.request_id)
    )
    return WholeFacts(
        request=RequestFact(RequestState(request.state), request.starts, request.ends),
        agreement=_agreement(
            release,
            request.agreement,
            covers_dataset=request.covers_dataset,
            covers_purpose=request.covers_purpose,
        ),
        dataset=DatasetState(request.dataset.state),
        purpose_kind=PurposeKind(request.purpose.kind),
        purpose_active=request.purpose.paused_at is None and request.purpose.retired_at is None,
        recipient_kind=OrganisationKind(request.requester.kind),
        has_key=request.has_key,
        has_member=request.has_member,
        has_version=version is not None,
        fields=_fields(release, version),
    )


def gather_facts(
    release: Release, version: DatasetVersion | None, since: datetime, until: datetime
) -> Facts:
    """Everything `decide` looks at, good for the whole of [since, until]."""
    return Facts(
        whole=gather_whole(release, version),
        words=gather_words(release, since, until),
        present=present(version),
        since=since,
        until=until,
    )


def gather_words(
    release: Release, since: datetime, until: datetime, slots: Slots | None = None
) -> ConsentSets:
    """People's words on this release; with `slots`, only theirs."""
    return consent_sets(**_asked(release, since, until, slots))


def gather_open(
    release: Release, since: datetime, until: datetime, slots: Slots | None = None
) -> ConsentSets:
    """The same without `others`: who is still open, not why the rest is not."""
    return open_sets(**_asked(release, since, until, slots))


def gather_lasting(release: Release, at: datetime, slots: Slots | None = None) -> ConsentSets:
    """Whose yes has not come to an end at `at`, also where it is paused or has not begun."""
    return lasting_sets(**_asked(release, at, at, slots))


def _asked(
    release: Release, since: datetime, until: datetime, slots: Slots | None
) -> dict[str, Any]:
    return {
        "holder": release.holder_id,
        "ask": Ask(
            recipient=release.recipient_id,
            recipient_kind=release.recipient.kind,
            purpose=release.purpose_id,
        ),
        "since": since,
        "until": until,
        "slots": None if slots is None else slots.tolist(),
    }


def present(version: DatasetVersion | None) -> Slots:
    """Everybody named in any row of the version, sorted."""
    if version is None:
        return np.empty(0, dtype=np.int32)
    return slots_of(Presence.objects.filter(version=version).values_list("block", "bits"))


def column_types(version: DatasetVersion) -> dict[str, FieldType]:
    """The columns a version holds, with their types."""
    return {
        name: FieldType(kind)
        for name, kind in version.columns.values_list("field__name", "field__type")
    }


def _agreement(
    release: Release, agreement: Agreement, *, covers_dataset: bool, covers_purpose: bool
) -> AgreementFact | None:
    if agreement.holder_id != release.holder_id or agreement.recipient_id != release.recipient_id:
        return None
    return AgreementFact(
        state=AgreementState(agreement.state),
        starts=agreement.starts,
        ends=agreement.ends,
        covers_dataset=covers_dataset,
        covers_purpose=covers_purpose,
        categories=frozenset(agreement.categories.values_list("category_id", flat=True)),
    )


def _fields(release: Release, version: DatasetVersion | None) -> tuple[FieldFact, ...]:
    """The approved fields that the version holds, in the dataset's order."""
    held = VersionColumn.objects.filter(version=version, field=OuterRef("field"))
    asked = [
        row.field
        for row in RequestField.objects.filter(Exists(held), request=release.request_id)
        .select_related("field__category")
        .order_by("field__position")
    ]
    versions = catalogue.covering_versions(asked)
    return tuple(
        FieldFact(
            name=field.name,
            category=field.category_id,
            versions=versions[field.pk],
            narrative=field.narrative,
            care=Care(field.category.care),
        )
        for field in asked
    )
