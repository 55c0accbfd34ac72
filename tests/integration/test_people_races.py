"""Two at once: a code brings in one, two hands agree once, whoever leaves keeps nothing."""

from datetime import timedelta

import pytest

from audit.vocabulary import Via
from governance import permissions
from governance.actions import invitations, leaving, memberships, resets, scopes, tokens
from governance.models import (
    AccountReset,
    ApiToken,
    Invitation,
    Membership,
    Organisation,
    User,
)
from governance.queries import arrivals
from governance.vocabulary import ResetKind, Role, UserKind
from tests.integration.governance_world import NOW, PASSWORD, build, member, staff, stamp
from tests.integration.test_arrivals import invited
from tests.integration.test_governance_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
SETTLED = NOW + timedelta(days=8)


def test_one_code_brings_in_one_of_two_who_type_it_at_once():
    world = build()
    for turn in range(3):
        _, code = invited(world)

        def come(name: str, code: str = code, turn: int = turn) -> object:
            return invitations.accept(
                code=code, username=f"{name}-{turn}", password=PASSWORD, at=NOW, via=Via.DESK
            )

        outcomes = at_once(lambda come=come: come("one"), lambda come=come: come("other"))
        assert sorted(outcomes) == ["done", "invitation_over"]
    assert Membership.objects.filter(user__username__regex="^(one|other)-").count() == 3


def test_of_two_beginnings_at_once_one_code_opens():
    scopes.ensure([])
    codes: list[str] = []

    def begin() -> None:
        codes.append(invitations.begin(organisation_name="North", at=NOW, via=Via.COMMAND)[1])

    assert at_once(begin, begin) == ["done", "done"]
    assert Organisation.objects.count() == 1
    assert [bool(arrivals.invitation(code, NOW)) for code in codes].count(True) == 1
    assert Invitation.objects.filter(withdrawn_at__isnull=True).count() == 1


def test_of_two_who_agree_at_once_one_is_told_the_second_half():
    world = build()
    admins = [
        member(world.holder_admin, name, world.holder, Role.ADMINISTRATOR)
        for name in ("second-admin-3", "third-admin-4")
    ]
    reset, _ = resets.ask(
        user=world.steward, kind=ResetKind.BOTH, **stamp(world.holder_admin, SETTLED)
    )
    outcomes = at_once(
        *[lambda by=by: resets.agree(reset=reset, **stamp(by, SETTLED)) for by in admins]
    )
    assert sorted(outcomes) == ["done", "reset_over"]
    assert AccountReset.objects.get().agreed_by in admins


def test_two_halves_typed_twice_at_once_are_used_once():
    world = build()
    second = member(world.holder_admin, "second-admin-3", world.holder, Role.ADMINISTRATOR)
    reset, one = resets.ask(
        user=world.steward, kind=ResetKind.BOTH, **stamp(world.holder_admin, SETTLED)
    )
    _, other = resets.agree(reset=reset, **stamp(second, SETTLED))

    def use(password: str) -> object:
        given = {"first": one, "second": other, "password": password}
        return resets.use(**given, **stamp(world.steward, SETTLED))

    outcomes = at_once(lambda: use(PASSWORD), lambda: use(PASSWORD[::-1]))
    assert sorted(outcomes) == ["codes_over", "done"]


def test_whoever_leaves_while_given_a_role_keeps_nothing():
    world = build()
    for turn in range(3):
        leaver = member(world.holder_admin, f"leaver-{turn}", world.holder, Role.STEWARD)
        given = {"user": leaver, "organisation": world.recipient, "role": Role.AUDITOR}
        outcomes = at_once(
            lambda leaver=leaver: leaving.off_board(user=leaver, **stamp(world.convener)),
            lambda given=given: memberships.grant(**given, **stamp(world.recipient_admin)),
        )
        assert outcomes[0] == "done"
        assert outcomes[1] in {"done", "account_ended"}
        assert not Membership.objects.filter(user=leaver, ended_at__isnull=True).exists()
        assert not permissions.can_audit(User.objects.get(pk=leaver.pk), world.recipient)


def test_whoever_leaves_while_issuing_a_token_leaves_none_behind():
    world = build()
    machine = staff(world.recipient_admin, "copper-mill-90", UserKind.MACHINE)
    here = {"user": machine, "organisation": world.recipient}
    memberships.grant(role=Role.REQUESTER, **here, **stamp(world.recipient_admin))
    for turn in range(3):
        leaver = member(
            world.recipient_admin, f"leaver-{turn}", world.recipient, Role.ADMINISTRATOR
        )
        outcomes = at_once(
            lambda leaver=leaver: leaving.off_board(user=leaver, **stamp(world.convener)),
            lambda leaver=leaver: tokens.issue(label="nightly", **here, **stamp(leaver)),
        )
        assert outcomes[0] == "done"
        assert outcomes[1] in {"done", "may_not_administer"}
        assert not ApiToken.objects.filter(issued_by=leaver, revoked_at__isnull=True).exists()
