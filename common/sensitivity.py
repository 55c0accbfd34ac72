"""How much one stored value can reveal. Every model field declares it; a test refuses a gap."""

from enum import StrEnum


class Sensitivity(StrEnum):
    """What reading one value of a model's field would give away.

    PUBLIC: may be printed anywhere. INTERNAL: says how the service is run. PSEUDONYM: leads to one
    person for whoever holds more. PERSONAL: is about one person. SECRET: opens something.
    """

    PUBLIC = "public"
    INTERNAL = "internal"
    PSEUDONYM = "pseudonym"
    PERSONAL = "personal"
    SECRET = "secret"  # noqa: S105 - a word, not a password
