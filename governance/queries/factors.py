"""Readings of what somebody signs in with besides a password: second factors, and links to a provider.

They stand in the sign-in library's own tables. Doors write them and check what is shown; a rung knows
only that there are rows, whose they are, and what ends them.
"""

from django.apps import apps
from django.db.models import Model, QuerySet

from governance.models import User


def of(user: User) -> QuerySet[Model]:
    """This user's second factors."""
    return _rows("mfa", "Authenticator", user)


def links_of(user: User) -> QuerySet[Model]:
    """By which OpenID Connect providers this user is signed in."""
    return _rows("socialaccount", "SocialAccount", user)


def _rows(app: str, table: str, user: User) -> QuerySet[Model]:
    found: QuerySet[Model] = apps.get_model(app, table)._default_manager.filter(user_id=user.pk)
    return found
