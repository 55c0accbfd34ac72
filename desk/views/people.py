"""Who works here: inviting them, and letting them go."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.errors import BadInput, RuleBroken
from desk import standing
from desk.forms.people import InviteForm
from desk.forms.signin import ProveAgainForm
from desk.hand import hand
from governance import permissions
from governance.actions import invitations, leaving
from governance.models import Organisation, User
from governance.queries import arrivals
from governance.queries import people as readings
from governance.rules import INVITERS
from governance.vocabulary import Role, UserKind


@require_GET
def many(request: HttpRequest) -> HttpResponse:
    """For each organisation somebody administers: who is there, who may come, what waits."""
    now = hand(request)
    administered = standing.mine(request).administers
    if not administered:
        raise PermissionDenied
    waiting = [
        (reset, arrivals.hands_over(reset.user, reset.organisation, now["at"]))
        for reset in arrivals.waiting_resets(now["at"])
    ]
    page = {
        "bodies": [_body(organisation, now["by"], now["at"]) for organisation in administered],
        "others": _without_administrator(now["by"], administered),
        "elsewhere": [
            (person, permissions.can_off_board(now["by"], person, None))
            for person in arrivals.stood_in_for(now["by"], now["at"])
        ],
        "resets": [
            (reset, reset.asked_by_id != now["by"].pk)
            for reset, allowed in waiting
            if now["by"].pk in allowed.users
        ],
    }
    return render(request, "desk/people.html", page)


@require_http_methods(["GET", "POST"])
def invite(request: HttpRequest, ref: str) -> HttpResponse:
    now = hand(request)
    organisation = get_object_or_404(Organisation, ref=ref)
    roles = [role for role in INVITERS if permissions.can_grant(now["by"], organisation, role)]
    if not roles:
        raise Http404
    form = InviteForm(request.POST or None, user=now["by"], roles=roles)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            invitation, code = invitations.invite(
                organisation=organisation,
                roles=[Role(role) for role in form.cleaned_data["roles"]],
                **now,
            )
        except (RuleBroken, BadInput) as refusal:
            form.add_error("roles", refusal.told)
            status = 400 if isinstance(refusal, BadInput) else 409
        else:
            return render(
                request, "desk/invited_code.html", {"invitation": invitation, "code": code}
            )
    page = {"form": form, "organisation": organisation}
    return render(request, "desk/invite.html", page, status=status)


@require_POST
def withdraw(request: HttpRequest, ref: str) -> HttpResponse:
    now = hand(request)
    found = get_object_or_404(arrivals.open_invitations(now["at"]), ref=ref)
    if not permissions.can_withdraw(now["by"], found.organisation):
        raise Http404
    invitations.withdraw(invitation=found, **now)
    messages.success(request, _("Taken back. The code opens nothing any more."))
    return redirect("desk:people")


@require_http_methods(["GET", "POST"])
def off_board(request: HttpRequest, ref: str) -> HttpResponse:
    """Everything somebody holds, wherever it is."""
    return _let_go(request, ref, None)


@require_http_methods(["GET", "POST"])
def off_board_here(request: HttpRequest, ref: str, organisation: str) -> HttpResponse:
    """What somebody holds in one organisation."""
    return _let_go(request, ref, get_object_or_404(Organisation, ref=organisation))


def _let_go(request: HttpRequest, ref: str, organisation: Organisation | None) -> HttpResponse:
    now = hand(request)
    person = get_object_or_404(User.objects.exclude(kind=UserKind.SURVIVOR), ref=ref)
    if person.ended_at is not None or not permissions.can_off_board(
        now["by"], person, organisation
    ):
        raise Http404
    form = ProveAgainForm(request.POST or None, user=now["by"])
    if request.method == "POST" and form.is_valid():
        left = leaving.off_board(user=person, organisation=organisation, **now)
        messages.success(request, _told(left))
        return redirect("desk:people")
    page = {
        "form": form,
        "person": person,
        "organisation": organisation,
        "held": readings.memberships(person, now["at"]),
    }
    return render(request, "desk/off_board.html", page)


def _told(left: leaving.Left) -> str:
    roles = ngettext("%(n)s role ended.", "%(n)s roles ended.", left.roles) % {"n": left.roles}
    if left.account:
        return _("The account has ended and every open session with it.") + " " + roles
    return _("Every open session has ended; what they hold elsewhere stays.") + " " + roles


def _body(organisation: Organisation, by: User, at: Any) -> dict[str, Any]:
    held: dict[User, list[Role]] = {}
    for membership in readings.members(organisation, at).order_by("user__username", "role"):
        held.setdefault(membership.user, []).append(Role(membership.role))
    return {
        "organisation": organisation,
        "people": [
            {
                "user": user,
                "roles": roles,
                "may_reset": user.kind == UserKind.STAFF and arrivals.through(user, by, at)[0],
                "may_end": permissions.can_off_board(by, user, None),
                "may_end_here": permissions.can_off_board(by, user, organisation),
            }
            for user, roles in held.items()
        ],
        "invitations": arrivals.open_invitations(at).filter(organisation=organisation),
    }


def _without_administrator(by: User, administered: list[Organisation]) -> list[Organisation]:
    """Organisations whose first administrator the community may invite."""
    known = {organisation.pk for organisation in administered}
    if not permissions.can_convene(by):
        return []
    return [
        organisation
        for organisation in readings.organisations()
        if organisation.pk not in known
        and permissions.can_grant(by, organisation, Role.ADMINISTRATOR)
    ]
