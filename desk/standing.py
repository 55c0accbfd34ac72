"""What one staff user may do at the desk, and the pages that offers."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from desk import second_factor
from desk.hand import hand
from governance import permissions
from governance.models import Organisation, Seat, User
from governance.queries import agreements, boards, people, requests
from release.queries import recalls


@dataclass(frozen=True)
class Standing:
    """For which organisations somebody acts, in which ways, and where they sit."""

    organisations: list[Organisation]
    asks: list[Organisation]
    stewards: list[Organisation]
    advises: list[Organisation]
    administers: list[Organisation]
    audits: list[Organisation]
    seats: list[Seat]
    to_answer: int
    to_sign: int
    to_delete: int

    @property
    def checked(self) -> bool:
        """Whether findings of auditors may concern them."""
        return bool(self.audits or self.stewards or self.administers or self.seats)


@dataclass(frozen=True)
class Link:
    """One page somebody may go to; `count` is how much waits for them there."""

    address: str
    words: str
    here: bool
    count: int = 0


def of(user: User, at: datetime) -> Standing:
    own = list(people.organisations_of(user, at))
    held = permissions.held_in(user) if own else frozenset()

    def where(granted: str) -> list[Organisation]:
        return [organisation for organisation in own if (organisation.pk, granted) in held]

    seats = boards.seats_of(user, at).select_related("board").order_by("board__name")
    sits = permissions.boards_held(user)
    seated = [seat for seat in seats if seat.board_id in sits]
    asks, administers = where(permissions.ASK), where(permissions.ADMINISTER)
    return Standing(
        organisations=own,
        asks=asks,
        stewards=where(permissions.STEWARD),
        advises=where(permissions.ADVISE),
        administers=administers,
        audits=[each for each in where(permissions.AUDIT) if each.kind in permissions.READERS],
        seats=seated,
        # Every page asks this: what could not wait for somebody is not counted.
        to_answer=requests.to_answer(user, at).count() if seated else 0,
        to_sign=agreements.to_sign(user, at).count() if administers else 0,
        to_delete=recalls.waiting(user).count() if asks else 0,
    )


def mine(request: HttpRequest) -> Standing:
    """The standing of whoever is at the desk at this moment."""
    now = hand(request)
    return of(now["by"], now["at"])


def links(request: HttpRequest) -> list[Link]:
    """The pages for whoever is at the desk; none before the second factor."""
    if not request.user.is_authenticated or not second_factor.passed(request):
        return []
    standing = mine(request)
    offered = [("desk:home", _("Overview"), 0, True)]
    offered += [
        ("desk:requests", _("Requests"), standing.to_answer, True),
        ("desk:agreements", _("Agreements"), standing.to_sign, bool(standing.organisations)),
        ("desk:releases", _("Releases"), 0, bool(standing.organisations)),
        (
            "desk:recalls",
            _("Asked back"),
            standing.to_delete,
            bool(standing.asks or standing.stewards or standing.seats),
        ),
        ("desk:datasets", _("Datasets"), 0, True),
        ("desk:keys", _("Recipient key"), 0, bool(standing.administers)),
        ("desk:texts", _("Texts"), 0, bool(standing.administers)),
        ("desk:people", _("People"), 0, bool(standing.administers)),
        ("desk:fetching", _("What you may fetch"), 0, bool(standing.asks)),
        ("desk:work", _("Work list"), 0, bool(standing.stewards)),
        ("desk:stop", _("Record a stop"), 0, bool(standing.advises)),
        ("desk:contest", _("Something is wrong"), 0, bool(standing.advises)),
        ("desk:clients", _("Whom you help"), 0, bool(standing.advises)),
        ("desk:clients-waiting", _("Without a helper"), 0, bool(standing.administers)),
        ("desk:codes", _("Give a code"), 0, bool(standing.advises)),
        ("desk:shutting", _("Shut or freeze"), 0, bool(standing.advises)),
        ("desk:block", _("Keep a colleague away"), 0, bool(standing.advises)),
        (
            "desk:speaking",
            _("Who may say yes"),
            0,
            bool(standing.advises or standing.administers),
        ),
        (
            "desk:wiping",
            _("Wiping and holds"),
            0,
            bool(standing.advises or standing.administers),
        ),
        ("desk:audit", _("Audit"), 0, bool(standing.audits)),
        ("desk:findings", _("Findings"), 0, standing.checked),
        ("desk:auditors", _("For auditors"), 0, bool(standing.stewards)),
        ("desk:join", _("Join with a code"), 0, True),
        ("desk:replace-device", _("Sign-in device"), 0, True),
        ("desk:places", _("Where you are signed in"), 0, True),
    ]
    return [
        Link(
            address=reverse(name),
            words=words,
            here=_here(request.path, reverse(name)),
            count=count,
        )
        for name, words, count, shown in offered
        if shown
    ]


def _here(path: str, address: str) -> bool:
    if address in {reverse("desk:home"), reverse("desk:clients")}:
        return path == address
    return path.startswith(address)
