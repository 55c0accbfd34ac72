"""How staff come in, and how they come in again when they have lost what they sign in with."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from common import ids
from common.constraints import one_of, ordered, together
from common.sensitivity import Sensitivity
from governance.models.people import Organisation, User
from governance.vocabulary import ResetKind, Role

SHA256 = r"^[0-9a-f]{64}$"


class Invitation(models.Model):
    """One person may come in to one organisation, once, with a code of which the digest is kept."""

    ref = models.CharField(max_length=32, unique=True, default=ids.invitation_reference)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="invitations"
    )
    # Nobody invites the very first administrator.
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        **dict.fromkeys(
            ["id", "ref", "organisation", "invited_by", "created_at", "expires_at"],
            Sensitivity.INTERNAL,
        ),
        **dict.fromkeys(["accepted_at", "accepted_by", "withdrawn_at"], Sensitivity.INTERNAL),
        "digest": Sensitivity.SECRET,
    }

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(digest__regex=SHA256), name="invitation_digest_is_sha256"
            ),
            ordered("created_at", "expires_at", name="invitation_starts_before_end"),
            together("accepted_at", "accepted_by", name="invitation_accepted_by_somebody"),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(withdrawn_at__isnull=True),
                name="invitation_accepted_or_withdrawn",
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class InvitedRole(models.Model):
    """One role that an invitation brings with it."""

    invitation = models.ForeignKey(Invitation, on_delete=models.PROTECT, related_name="roles")
    role = models.CharField(max_length=16, choices=Role.choices)

    sensitivity: ClassVar = dict.fromkeys(["id", "invitation", "role"], Sensitivity.INTERNAL)

    class Meta:
        constraints = [
            one_of("role", Role, name="invited_role_known"),
            models.UniqueConstraint(fields=["invitation", "role"], name="invited_role_once"),
        ]

    def __str__(self) -> str:
        return f"invited role {self.pk}"


class AccountReset(models.Model):
    """Two others let somebody set a lost password or device anew: one asks, another agrees.

    Each tells the person half of a code. A hand that is empty is the operator's at the machine.
    """

    ref = models.CharField(max_length=32, unique=True, default=ids.reset_reference)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="resets")
    # Whose administrators have a hand in it; none: the community's.
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, related_name="+"
    )
    kind = models.CharField(max_length=16, choices=ResetKind.choices)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    first_digest = models.CharField(max_length=64, unique=True)
    agreed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    agreed_at = models.DateTimeField(null=True)
    second_digest = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 - unique
    used_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        **dict.fromkeys(
            ["id", "ref", "organisation", "asked_by", "asked_at", "expires_at"],
            Sensitivity.INTERNAL,
        ),
        **dict.fromkeys(["agreed_by", "agreed_at", "closed_at"], Sensitivity.INTERNAL),
        **dict.fromkeys(["user", "kind", "used_at", "told_at"], Sensitivity.PERSONAL),
        **dict.fromkeys(["first_digest", "second_digest"], Sensitivity.SECRET),
    }

    class Meta:
        constraints = [
            one_of("kind", ResetKind, name="reset_kind_known"),
            ordered("asked_at", "expires_at", name="reset_starts_before_end"),
            models.CheckConstraint(
                condition=Q(first_digest__regex=SHA256)
                & (Q(second_digest__isnull=True) | Q(second_digest__regex=SHA256)),
                name="reset_digests_are_sha256",
            ),
            together("agreed_at", "second_digest", name="reset_agreed_with_a_code"),
            models.CheckConstraint(
                condition=Q(asked_by__isnull=True)
                | Q(agreed_by__isnull=True)
                | ~Q(asked_by=F("agreed_by")),
                name="reset_by_two",
            ),
            models.CheckConstraint(
                condition=Q(agreed_at__isnull=True)
                | Q(asked_by__isnull=False)
                | Q(agreed_by__isnull=False),
                name="reset_by_one_operator_at_most",
            ),
            models.CheckConstraint(
                condition=(Q(asked_by__isnull=True) | ~Q(asked_by=F("user")))
                & (Q(agreed_by__isnull=True) | ~Q(agreed_by=F("user"))),
                name="reset_never_by_the_person",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True)
                | (Q(agreed_at__isnull=False) & Q(closed_at__isnull=True)),
                name="reset_used_after_agreement",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(used_at__isnull=True, closed_at__isnull=True),
                name="reset_one_open",
            ),
        ]

    def __str__(self) -> str:
        return self.ref
