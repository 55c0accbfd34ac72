"""The few ways in which Sayso says no to a caller. Doors translate each once."""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied

from common import words


@dataclass(frozen=True)
class Fault:
    """One thing about this installation that must be put right: `code` is stable, `says` tells a
    person what it is and what to do."""

    code: str
    says: str


class SaysoError(Exception):
    """Base of what Sayso raises on purpose: `code` is stable, `message` is for a person.

    `message` is English; `told` is the same in the reader's language, for a page.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def told(self) -> str:
        return words.told(self.message)


class RuleBroken(SaysoError):
    """The deed is not possible in this state. Doors answer 409."""


class BadInput(SaysoError):
    """What was sent cannot be read: says what was wrong, where and what to do. Doors answer 400.

    `where` names the argument of the deed, where it is one.
    """

    def __init__(self, code: str, message: str, *, where: str = "") -> None:
        super().__init__(code, message)
        self.where = where


class NotReady(SaysoError):
    """Sayso cannot prove or do this at present, so it does nothing. Doors answer 503."""


class Void(SaysoError):
    """What was prepared may no longer be handed over. Doors answer 410."""


class NotPermitted(PermissionDenied):
    """This user may not do this. Django and DRF answer 403 by themselves."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
