"""The command that lets a machine in."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from governance import permissions
from governance.models import ApiToken
from governance.vocabulary import Role, UserKind
from tests.factories import governance as made
from tests.integration.api_world import bearer

pytestmark = pytest.mark.django_db


@pytest.fixture
def names() -> dict[str, str]:
    """An organisation with its administrator and a machine that may ask."""
    organisation = made.organisation()
    administrator = made.user()
    machine = made.user(kind=UserKind.MACHINE)
    granted(administrator, organisation, Role.ADMINISTRATOR)
    granted(machine, organisation, Role.REQUESTER)
    return {
        "organisation": organisation.ref,
        "by": administrator.username,
        "machine": machine.username,
    }


def granted(user, organisation, role):
    made.membership(user=user, organisation=organisation, role=role, started_at=timezone.now())
    permissions.grant(user, organisation, role)


def issue(names: dict[str, str], **options: object) -> tuple[str, str]:
    told, aside = StringIO(), StringIO()
    call_command(
        "issue_token",
        names["organisation"],
        names["machine"],
        "nightly fetch",
        stdout=told,
        stderr=aside,
        **{"by": names["by"], **options},
    )
    return told.getvalue(), aside.getvalue()


def test_the_secret_is_all_that_is_printed_and_it_opens_the_door(names):
    told, aside = issue(names)
    secret = told.strip()
    assert told == f"{secret}\n"
    assert secret not in aside
    assert bearer(secret).get("/api/datasets/").status_code == 200
    assert secret not in str(list(ApiToken.objects.values()))
    entry = Entry.objects.get(type=EntryType.TOKEN_ISSUED)
    assert entry.via == Via.COMMAND
    assert secret not in bytes(entry.leaf).decode()


@pytest.mark.parametrize(
    ("changes", "options", "says"),
    [
        ({"organisation": "org-2222222222222"}, {}, "no such organisation"),
        ({"machine": "nobody"}, {}, "no such machine user"),
        ({"by": "nobody"}, {}, "no such administrator"),
        ({}, {"days": 0}, "token_days"),
        ({}, {"days": 100_000}, "token_days"),
    ],
)
def test_what_cannot_be_issued_is_refused_in_one_sentence(names, changes, options, says):
    with pytest.raises(CommandError, match=says):
        issue({**names, **changes}, **options)
    assert not ApiToken.objects.exists()


def test_only_the_organisations_administrator_lets_a_machine_in(names):
    with pytest.raises(CommandError, match="may_not_administer"):
        issue({**names, "by": made.user().username})


def test_a_person_never_gets_a_token(names):
    with pytest.raises(CommandError, match="token_for_machine"):
        issue({**names, "machine": names["by"]})
