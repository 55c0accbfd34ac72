"""Whether anything may leave at all now, whoever asks for whatever."""

from common.errors import NotReady
from common.planned import Reading
from common.words import sentence as _
from governance.actions import filing
from governance.queries import noes

# Said to whoever asks: how many have said no is not theirs to know. Operators see why elsewhere.
SHUT = _(
    "Nothing leaves at present. Whoever looks after this service can see why. Ask again later."
)


def check_open() -> None:
    """Raises NotReady, saying why, where this installation must let nothing leave now.

    Asked before a release is prepared and before anything is handed over. A no that could not be
    filed is filed here where that is possible by now.
    """
    check(noes.against())


def asking() -> Reading[NotReady | None]:
    """The same, to be asked beside other things: `check` says what the answer means."""
    try:
        return noes.asking()
    except NotReady as reason:
        told = SHUT
        raise NotReady(reason.code, told) from reason


def check(reason: NotReady | None) -> None:
    """Raises NotReady where this is a reason against it still."""
    if reason is not None and reason.code == "noes_unwritable":
        try:
            filing.file_waiting()
        except NotReady as still:
            reason = still
        else:
            reason = noes.against()
    if reason is not None:
        told = SHUT
        raise NotReady(reason.code, told) from reason
