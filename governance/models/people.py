"""Organisations, the people and machines that sign in, and what they may do where."""

from datetime import UTC
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac
from guardian.models import UserObjectPermissionBase

from common import ids
from common.constraints import one_of, ordered
from common.sensitivity import Sensitivity
from governance.vocabulary import OrganisationKind, Role, UserKind


class Organisation(models.Model):
    """A body that holds, asks for, governs or oversees data."""

    ref = models.CharField(max_length=32, unique=True, default=ids.organisation_reference)
    name = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=32, choices=OrganisationKind.choices)
    created_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "ref": Sensitivity.PUBLIC,
        "name": Sensitivity.PUBLIC,
        "kind": Sensitivity.PUBLIC,
        "created_at": Sensitivity.PUBLIC,
        "verified_at": Sensitivity.PUBLIC,
    }

    class Meta:
        constraints = [one_of("kind", OrganisationKind, name="organisation_kind_known")]
        permissions = [
            ("steward_organisation", "look after this organisation's datasets"),
            ("ask_organisation", "ask for data in this organisation's name"),
            ("audit_organisation", "audit this organisation"),
            ("help_organisation", "sit beside this organisation's clients"),
            ("administer_organisation", "sign and administer for this organisation"),
        ]

    def __str__(self) -> str:
        return self.ref


class UserManager(BaseUserManager["User"]):
    """Makes users of one kind; the kind never changes afterwards."""

    def create_user(
        self, username: str, password: str | None = None, *, kind: str = UserKind.STAFF
    ) -> "User":
        user = self.model(username=username, kind=kind)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """Someone, or some machine, that can sign in at the one door for its kind."""

    ref = models.CharField(max_length=32, unique=True, default=ids.user_reference)
    username = models.CharField(max_length=80, unique=True, validators=[ASCIIUsernameValidator()])
    kind = models.CharField(max_length=16, choices=UserKind.choices)
    language = models.CharField(max_length=8, default="en")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # Sessions begun before it are over, in whatever store they lie.
    signed_out_at = models.DateTimeField(null=True)
    # Two administrators have let this person begin anew: nobody signs in until the codes are used.
    shut_at = models.DateTimeField(null=True)
    # For ever: who comes back comes with a new account.
    ended_at = models.DateTimeField(null=True)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "ref": Sensitivity.PSEUDONYM,
        "username": Sensitivity.PERSONAL,
        "password": Sensitivity.SECRET,
        "last_login": Sensitivity.PERSONAL,
        "is_superuser": Sensitivity.INTERNAL,
        "kind": Sensitivity.INTERNAL,
        "language": Sensitivity.PERSONAL,
        "is_active": Sensitivity.INTERNAL,
        "created_at": Sensitivity.INTERNAL,
        "signed_out_at": Sensitivity.PERSONAL,
        "shut_at": Sensitivity.PERSONAL,
        "ended_at": Sensitivity.PERSONAL,
    }

    class Meta:
        constraints = [
            one_of("kind", UserKind, name="user_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=UserKind.STAFF) | Q(is_superuser=False),
                name="user_superuser_is_staff",
            ),
        ]

    def __str__(self) -> str:
        return self.ref

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must know to be of this user: it changes with the password, and when the
        user is signed out everywhere, so no session store has to be searched."""
        over = self.signed_out_at.astimezone(UTC).isoformat() if self.signed_out_at else ""
        salt = "governance.User.session"
        known = f"{self.password}\n{over}"
        return salted_hmac(salt, known, secret=secret, algorithm="sha256").hexdigest()


class Membership(models.Model):
    """One staff or machine user's role in one organisation, from a start to an end."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(max_length=16, choices=Role.choices)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "user": Sensitivity.INTERNAL,
        "organisation": Sensitivity.INTERNAL,
        "role": Sensitivity.INTERNAL,
        "started_at": Sensitivity.INTERNAL,
        "ended_at": Sensitivity.INTERNAL,
    }

    class Meta:
        constraints = [
            one_of("role", Role, name="membership_role_known"),
            ordered("started_at", "ended_at", name="membership_starts_before_end"),
            models.UniqueConstraint(
                fields=["user", "organisation", "role"],
                condition=Q(ended_at__isnull=True),
                name="membership_once_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"membership {self.pk}"


class OrganisationUserPermission(UserObjectPermissionBase):
    """What one user may do in one organisation, as guardian keeps it."""

    content_object = models.ForeignKey(Organisation, on_delete=models.CASCADE)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "permission": Sensitivity.INTERNAL,
        "user": Sensitivity.INTERNAL,
        "content_object": Sensitivity.INTERNAL,
    }

    class Meta(UserObjectPermissionBase.Meta):
        pass

    def __str__(self) -> str:
        return f"organisation permission {self.pk}"


class BoardUserPermission(UserObjectPermissionBase):
    """That one user sits on one board, as guardian keeps it."""

    content_object = models.ForeignKey("governance.Board", on_delete=models.CASCADE)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "permission": Sensitivity.INTERNAL,
        "user": Sensitivity.INTERNAL,
        "content_object": Sensitivity.INTERNAL,
    }

    class Meta(UserObjectPermissionBase.Meta):
        pass

    def __str__(self) -> str:
        return f"board permission {self.pk}"


class RecipientKey(models.Model):
    """The age public key to which packages for one organisation are sealed."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="recipient_keys"
    )
    public_key = models.CharField(max_length=80)
    registered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    registered_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "organisation": Sensitivity.INTERNAL,
        "public_key": Sensitivity.INTERNAL,
        "registered_by": Sensitivity.INTERNAL,
        "registered_at": Sensitivity.INTERNAL,
        "ended_at": Sensitivity.INTERNAL,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation"],
                condition=Q(ended_at__isnull=True),
                name="recipient_key_one_current",
            ),
            models.CheckConstraint(
                condition=Q(public_key__startswith="age1"), name="recipient_key_is_age"
            ),
            ordered("registered_at", "ended_at", name="recipient_key_starts_before_end"),
        ]

    def __str__(self) -> str:
        return f"recipient key {self.pk}"


class ApiToken(models.Model):
    """A machine user's way in for one organisation: only its SHA-256 is kept; it can be revoked."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_tokens")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="api_tokens"
    )
    digest = models.CharField(max_length=64, unique=True)
    label = models.CharField(max_length=80)
    # Who was told the secret: it ends with their account.
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "user": Sensitivity.INTERNAL,
        "organisation": Sensitivity.INTERNAL,
        "digest": Sensitivity.SECRET,
        "label": Sensitivity.INTERNAL,
        "issued_by": Sensitivity.INTERNAL,
        "created_at": Sensitivity.INTERNAL,
        "expires_at": Sensitivity.INTERNAL,
        "revoked_at": Sensitivity.INTERNAL,
    }

    class Meta:
        constraints = [
            ordered("created_at", "expires_at", name="api_token_starts_before_end"),
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="api_token_digest_is_sha256"
            ),
        ]

    def __str__(self) -> str:
        return f"api token {self.pk}"


class DataKey(models.Model):
    """One staff member's own random key, under which what she writes beside her deeds is sealed."""

    user = models.OneToOneField(
        User, on_delete=models.PROTECT, primary_key=True, related_name="data_key"
    )
    # Wrapped by the service's key from the key ring.
    wrapped = models.BinaryField(max_length=64)

    sensitivity: ClassVar = {"user": Sensitivity.INTERNAL, "wrapped": Sensitivity.SECRET}

    def __str__(self) -> str:
        return f"data key {self.pk}"
