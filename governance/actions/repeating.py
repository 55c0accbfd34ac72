"""What organisations, boards and the community said no to is said again after a restore.

The steps of `consent.actions.replaying`, inside its transaction. What this database never knew, or
has ended already, needs nothing: nothing leaves by it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from oauth2_provider.models import AccessToken

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from governance import permissions
from governance.actions import categories, scopes, trail
from governance.models import (
    AccessRequest,
    Agreement,
    ApiToken,
    ClientSecret,
    DataCategory,
    Dataset,
    Field,
    FieldClassification,
    Invitation,
    MachineClient,
    Membership,
    Purpose,
    RecipientKey,
    Seat,
    User,
)
from governance.rules import (
    AgreementVerb,
    DatasetVerb,
    RequestVerb,
    agreement_after,
    closing,
    dataset_after,
    request_after,
)
from governance.vocabulary import REPLAYED, Care, FieldSensitivity, Role, UserKind

Told = Mapping[str, Any]
Outcome = tuple[EntryType, str] | None  # the entry's type and what it is about


def repeat(told: Told, *, by: User, at: datetime, via: Via, moment: scopes.Moment) -> bool:
    """Say one of them again; says whether anything changed. `moment` is the one of saying it."""
    outcome = KINDS[told["what"]](told, by, moment, via)
    if outcome is None:
        return False
    type_, resource = outcome
    trail.record(
        type=type_,
        by=by,
        at=at,
        via=via,
        resource=resource if type_ != EntryType.PURPOSE_CHANGED else "",
        purpose=resource if type_ == EntryType.PURPOSE_CHANGED else "",
        reason=REPLAYED,
        epoch_everyone=moment.everyone,
    )
    return True


def _agreement(told: Told, _by: User, _moment: scopes.Moment, _via: Via) -> Outcome:
    found = Agreement.objects.select_for_update().filter(ref=told["ref"]).first()
    verb = AgreementVerb(told["verb"])
    if found is None or not _stepped(found, lambda: agreement_after(found.state, verb)):
        return None
    ended = verb == AgreementVerb.END
    return EntryType.AGREEMENT_ENDED if ended else EntryType.AGREEMENT_SUSPENDED, found.ref


def _request(told: Told, _by: User, _moment: scopes.Moment, _via: Via) -> Outcome:
    found = AccessRequest.objects.select_for_update().filter(ref=told["ref"]).first()
    if found is None or not _stepped(found, lambda: request_after(found.state, RequestVerb.END)):
        return None
    return EntryType.REQUEST_ENDED, found.ref


def _dataset(told: Told, _by: User, _moment: scopes.Moment, _via: Via) -> Outcome:
    found = Dataset.objects.select_for_update().filter(ref=told["ref"]).first()
    verb = DatasetVerb(told["verb"])
    if found is None or not _stepped(found, lambda: dataset_after(found.state, verb)):
        return None
    retired = verb == DatasetVerb.RETIRE
    return EntryType.DATASET_RETIRED if retired else EntryType.DATASET_PAUSED, found.ref


def _purpose(told: Told, _by: User, moment: scopes.Moment, _via: Via) -> Outcome:
    column = {"paused_at": "paused_at", "retired_at": "retired_at"}[told["column"]]
    held = Purpose.objects.select_for_update()
    found = held.filter(code=told["code"], **{f"{column}__isnull": True}).first()
    if found is None:
        return None
    setattr(found, column, moment.at)
    found.save(update_fields=[column])
    return EntryType.PURPOSE_CHANGED, found.code


def _field(told: Told, by: User, moment: scopes.Moment, via: Via) -> Outcome:
    found = (
        Field.objects.select_for_update(of=("self",))
        .select_related("dataset")
        .filter(dataset__ref=told["dataset"], name=told["name"])
        .first()
    )
    if found is None:
        return None
    category = DataCategory.objects.filter(code=told["category"]).first()
    before = (found.category_id, found.field_sensitivity, found.narrative)
    if category is not None:
        found.category = category
    found.field_sensitivity = FieldSensitivity(told["sensitivity"])
    # A category that is not known here: the field stays in until somebody classifies it anew.
    found.narrative = bool(told["narrative"]) or category is None
    if (found.category_id, found.field_sensitivity, found.narrative) == before:
        return None
    found.save(update_fields=["category", "field_sensitivity", "narrative"])
    FieldClassification.objects.create(
        field=found,
        category_id=found.category_id,
        field_sensitivity=found.field_sensitivity,
        narrative=found.narrative,
        classified_by=by,
        classified_at=moment.at,
    )
    touched = {before[0], found.category_id}
    categories.publish(categories=touched, by=by, at=moment.at, via=via)
    return EntryType.FIELD_CLASSIFIED, f"{found.dataset.ref}/{found.name}"


def _care(told: Told, _by: User, _moment: scopes.Moment, _via: Via) -> Outcome:
    found = DataCategory.objects.select_for_update().filter(code=told["code"]).first()
    if found is None or found.care != Care.ORDINARY:
        return None
    found.care = Care(told["care"])
    found.save(update_fields=["care"])
    return EntryType.CATEGORY_RESTRICTED, f"{found.code}/{found.care}"


def _membership(told: Told, _by: User, moment: scopes.Moment, _via: Via) -> Outcome:
    found = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("user", "organisation")
        .filter(
            user__ref=told["user"],
            organisation__ref=told["organisation"],
            role=told["role"],
            started_at=datetime.fromisoformat(told["started_at"]),
            ended_at__isnull=True,
        )
        .first()
    )
    if found is None:
        return None
    found.ended_at = closing(found.started_at, moment.at)
    found.save(update_fields=["ended_at"])
    permissions.take_back(found.user, found.organisation, Role(found.role))
    return EntryType.MEMBERSHIP_ENDED, f"{found.organisation.ref}/{found.user.ref}"


def _key(told: Told, _by: User, moment: scopes.Moment, _via: Via) -> Outcome:
    found = (
        RecipientKey.objects.select_for_update(of=("self",))
        .filter(
            organisation__ref=told["organisation"],
            public_key=told["public_key"],
            ended_at__isnull=True,
        )
        .first()
    )
    if found is None:
        return None
    found.ended_at = closing(found.registered_at, moment.at)
    found.save(update_fields=["ended_at"])
    return EntryType.KEY_ENDED, told["organisation"]


def _seat(told: Told, _by: User, moment: scopes.Moment, _via: Via) -> Outcome:
    found = (
        Seat.objects.select_for_update(of=("self",))
        .select_related("board", "user")
        .filter(
            board__ref=told["board"],
            user__ref=told["user"],
            started_at=datetime.fromisoformat(told["started_at"]),
            ended_at__isnull=True,
        )
        .first()
    )
    if found is None:
        return None
    found.ended_at = closing(found.started_at, moment.at)
    found.save(update_fields=["ended_at"])
    permissions.unseat(found.user, found.board)
    return EntryType.SEAT_ENDED, f"{found.board.ref}/seat-{found.pk}"


def _token(told: Told, _by: User, moment: scopes.Moment, _via: Via) -> Outcome:
    found = (
        ApiToken.objects.select_for_update(of=("self",))
        .select_related("organisation", "user")
        .filter(digest=told["digest"], revoked_at__isnull=True)
        .first()
    )
    if found is None:
        return None
    found.revoked_at = moment.at
    found.save(update_fields=["revoked_at"])
    whose = f"{found.organisation.ref}/{found.user.ref}"
    return EntryType.TOKEN_REVOKED, f"{whose}/token-{found.pk}"


def _client(told: Told, _by: User, moment: scopes.Moment, _via: Via) -> Outcome:
    found = (
        MachineClient.objects.select_for_update(of=("self",))
        .select_related("organisation", "user", "application")
        .filter(application__client_id=told["client"], ended_at__isnull=True)
        .first()
    )
    if found is None:
        return None
    found.ended_at = closing(found.created_at, moment.at)
    found.save(update_fields=["ended_at"])
    return _shut_out(found)


def _secret(told: Told, _by: User, _moment: scopes.Moment, _via: Via) -> Outcome:
    until = datetime.fromisoformat(told["until"])
    found = (
        ClientSecret.objects.select_for_update(of=("self",))
        .select_related("client__organisation", "client__user")
        .filter(digest=told["digest"], expires_at__gt=until)
        .first()
    )
    if found is None:
        return None
    found.expires_at = closing(found.created_at, until)
    found.save(update_fields=["expires_at"])
    return _shut_out(found.client)


def _shut_out(client: MachineClient) -> Outcome:
    AccessToken.objects.filter(application=client.application_id).delete()
    whose = f"{client.organisation.ref}/{client.user.ref}"
    return EntryType.TOKEN_REVOKED, f"{whose}/client-{client.pk}"


def _invitation(told: Told, _by: User, moment: scopes.Moment, _via: Via) -> Outcome:
    found = Invitation.objects.select_for_update().filter(
        ref=told["ref"], accepted_at__isnull=True, withdrawn_at__isnull=True
    )
    invitation = found.first()
    if invitation is None:
        return None
    invitation.withdrawn_at = moment.at
    invitation.save(update_fields=["withdrawn_at"])
    return EntryType.INVITATION_WITHDRAWN, f"{told['organisation']}/{told['ref']}"


def _account(told: Told, _by: User, moment: scopes.Moment, _via: Via) -> Outcome:
    person = _person(told)
    if person is None:
        return None
    person.is_active, person.ended_at, person.signed_out_at = False, moment.at, moment.at
    person.set_unusable_password()
    person.save(update_fields=["signed_out_at", "is_active", "ended_at", "password"])
    return EntryType.USER_ENDED, _named(person)


def _shut(told: Told, _by: User, moment: scopes.Moment, _via: Via) -> Outcome:
    """Whatever opened the account then is not known here: two people let her begin anew once more,
    and a survivor gets a new code from her advocate."""
    person = _person(told)
    if person is None:
        return None
    person.shut_at = person.signed_out_at = moment.at
    person.save(update_fields=["shut_at", "signed_out_at"])
    return EntryType.USER_CHANGED, _named(person)


def _named(person: User) -> str:
    """The log names no survivor, not even by an opaque reference."""
    return "" if person.kind == UserKind.SURVIVOR else person.ref


def _person(told: Told) -> User | None:
    held = User.objects.select_for_update(no_key=True)
    return held.filter(ref=told["user"], ended_at__isnull=True).first()


KINDS: Mapping[str, Callable[[Told, User, scopes.Moment, Via], Outcome]] = {
    "agreement": _agreement,
    "request": _request,
    "dataset": _dataset,
    "purpose": _purpose,
    "field": _field,
    "care": _care,
    "membership": _membership,
    "key": _key,
    "seat": _seat,
    "token": _token,
    "client": _client,
    "secret": _secret,
    "invitation": _invitation,
    "account": _account,
    "shut": _shut,
}


def _stepped(row: Agreement | AccessRequest | Dataset, after: Callable[[], str]) -> bool:
    """Take the step if there is one from here: where there is none, nothing left by it anyway."""
    try:
        row.state = after()
    except RuleBroken:
        return False
    row.save(update_fields=["state"])
    return True
