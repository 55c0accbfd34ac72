"""Inviting, beginning anew, leaving, in any order: no code works twice, two are two, gone is gone."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.backends import ModelBackend
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from audit.vocabulary import Via
from common.errors import BadInput, NotPermitted, RuleBroken
from governance import permissions
from governance.actions import invitations, leaving, memberships, people, resets
from governance.models import AccountReset, Membership, Organisation, User
from governance.queries import arrivals
from governance.rules import INVITATION_LIFE, SETTLED
from governance.vocabulary import OrganisationKind, ResetKind, Role
from tests.lengths import examples

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
PASSWORD = "seven-quiet-lanterns-drift"
REFUSED = (RuleBroken, BadInput, NotPermitted)
who = st.integers(0, 7)


@dataclass
class Halves:
    """One reset as the test knows it: its row, each half, and who gave it."""

    pk: int
    asker: int
    first: str
    second: str = ""
    agreer: int = 0


@dataclass
class Seen:
    """What the test counts beside the service."""

    accepted: dict[str, int] = field(default_factory=dict)
    used: dict[int, int] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)


class Coming(RuleBasedStateMachine):
    """Three administrators of one body, one of the community, some staff; a clock that goes on."""

    codes = Bundle("codes")
    asked = Bundle("asked")
    agreed = Bundle("agreed")

    def __init__(self) -> None:
        super().__init__()
        self.point = transaction.savepoint()
        self.at, self.seen, self.names = START, Seen(), 0

    @initialize()
    def world(self) -> None:
        convener = people.create_first_administrator(
            username="convener",
            password=PASSWORD,
            organisation_name="Community",
            at=self.at,
            via=Via.COMMAND,
        )
        self.body = Organisation.objects.create(
            name="Harbour", kind=OrganisationKind.SERVICE_PROVIDER, created_at=self.at
        )
        self.everybody = [convener]
        roles = [Role.ADMINISTRATOR] * 3 + [Role.STEWARD, Role.ADVOCATE, Role.AUDITOR]
        for number, role in enumerate(roles):
            user = User.objects.create_user(f"staff-{number}", PASSWORD)
            by = convener if number == 0 else self.everybody[1]
            memberships.grant(
                user=user, organisation=self.body, role=role, by=by, at=self.at, via=Via.COMMAND
            )
            self.everybody.append(user)
        self.at += SETTLED

    def one(self, number: int) -> User:
        """Read anew: what a door would know of whoever acts."""
        return User.objects.get(pk=self.everybody[number % len(self.everybody)].pk)

    def hand(self, number: int) -> dict[str, object]:
        return {"by": self.one(number), "at": self.at, "via": Via.DESK}

    @rule(hours=st.integers(1, 60))
    def time_passes(self, hours: int) -> None:
        self.at += timedelta(hours=hours)

    @rule(target=codes, by=who, role=st.sampled_from(Role))
    def invite(self, by: int, role: Role) -> str:
        acting = self.one(by)
        try:
            _, code = invitations.invite(organisation=self.body, roles=[role], **self.hand(by))
        except REFUSED:
            return ""
        assert acting.pk not in self.seen.gone
        return code

    @rule(code=codes)
    def come_in(self, code: str) -> None:
        self.names += 1
        known = arrivals.invitation(code, self.at) if code else None
        try:
            user = invitations.accept(
                code=code,
                username=f"newcomer-{self.names}",
                password=PASSWORD,
                at=self.at,
                via=Via.DESK,
            )
        except REFUSED:
            return
        assert known is not None
        assert self.at < known.created_at + INVITATION_LIFE
        assert known.invited_by_id not in self.seen.gone
        self.seen.accepted[code] = self.seen.accepted.get(code, 0) + 1
        self.everybody.append(user)

    @rule(target=asked, by=who, person=who, kind=st.sampled_from(ResetKind))
    def ask(self, by: int, person: int, kind: ResetKind) -> Halves | None:
        acting, about = self.one(by), self.one(person)
        try:
            reset, first = resets.ask(user=about, kind=kind, **self.hand(by))
        except REFUSED:
            return None
        assert acting.pk != about.pk
        assert not {acting.pk, about.pk} & self.seen.gone
        return Halves(reset.pk, acting.pk, first)

    @rule(target=agreed, halves=asked, by=who)
    def agree(self, halves: Halves | None, by: int) -> Halves | None:
        if halves is None:
            return None
        acting = self.one(by)
        try:
            reset, second = resets.agree(
                reset=AccountReset.objects.get(pk=halves.pk), **self.hand(by)
            )
        except REFUSED:
            return None
        assert acting.pk not in {halves.asker, reset.user_id}
        assert not {acting.pk, halves.asker} & self.seen.gone
        assert permissions.can_administer(acting, self.body) or permissions.can_convene(acting)
        begun = Membership.objects.filter(user=acting, role=Role.ADMINISTRATOR)
        assert begun.filter(started_at__lte=self.at - SETTLED, ended_at__isnull=True).exists()
        return Halves(halves.pk, halves.asker, halves.first, second, acting.pk)

    @rule(halves=agreed, swap=st.booleans(), half=st.booleans())
    def begin_anew(self, halves: Halves | None, swap: bool, half: bool) -> None:
        if halves is None:
            return
        reset = AccountReset.objects.get(pk=halves.pk)
        pair = (halves.first, halves.first if half else halves.second)
        try:
            resets.use(
                first=pair[swap],
                second=pair[not swap],
                by=reset.user,
                at=self.at,
                via=Via.DESK,
                password=PASSWORD,
                former=PASSWORD,
            )
        except REFUSED:
            return
        assert not half
        assert reset.user_id not in self.seen.gone
        self.seen.used[halves.pk] = self.seen.used.get(halves.pk, 0) + 1

    @rule(by=who, person=who, here=st.booleans())
    def leave(self, by: int, person: int, here: bool) -> None:
        about = self.one(person)
        where = {"organisation": self.body} if here else {}
        try:
            left = leaving.off_board(user=about, **where, **self.hand(by))
        except REFUSED:
            return
        if left.account:
            self.seen.gone.add(about.pk)

    @rule(code=consumes(codes), by=who)
    def take_back(self, code: str, by: int) -> None:
        found = arrivals.invitation(code, self.at) if code else None
        if found is not None:
            try:
                invitations.withdraw(invitation=found, **self.hand(by))
            except REFUSED:
                return
            assert arrivals.invitation(code, self.at) is None

    @invariant()
    def no_code_works_twice(self) -> None:
        assert all(times == 1 for times in self.seen.accepted.values())
        assert all(times == 1 for times in self.seen.used.values())

    @invariant()
    def two_are_two_and_neither_is_the_person(self) -> None:
        for reset in AccountReset.objects.filter(agreed_at__isnull=False):
            people_in_it = {reset.asked_by_id, reset.agreed_by_id, reset.user_id}
            assert len(people_in_it) == 3

    @invariant()
    def who_has_gone_holds_nothing_and_never_signs_in(self) -> None:
        for user in User.objects.filter(pk__in=self.seen.gone):
            assert not ModelBackend().user_can_authenticate(user)
            assert not user.has_usable_password()
            assert not Membership.objects.filter(user=user, ended_at__isnull=True).exists()
            assert not permissions.can_administer(user, self.body)
            assert not arrivals.open_invitations(self.at).filter(invited_by=user).exists()

    @invariant()
    def who_is_shut_out_waits_for_a_code(self) -> None:
        for user in User.objects.filter(shut_at__isnull=False, ended_at__isnull=True):
            assert AccountReset.objects.filter(user=user, agreed_at__isnull=False).exists()

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.point)


def test_in_any_order_no_code_works_twice_two_are_two_and_gone_is_gone():
    run_state_machine_as_test(
        Coming,
        settings=settings(
            max_examples=examples(40),
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
