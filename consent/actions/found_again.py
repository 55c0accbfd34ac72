"""Whom a kept no was about, looked up in a database that has forgotten some of it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from audit.vocabulary import Via
from consent.actions import subjects
from consent.models import Subject
from consent.queries import facts
from governance.models import Organisation, User

Told = Mapping[str, Any]


def place(person: Told) -> tuple[str, int, int]:
    """One person, whatever leads to her: the holder, the slot, and since when it has been hers."""
    return person["holder"], person["slot"], person["enrolled"]


def subject(
    told: Told, gone: Collection[tuple[str, int, int]], by: User, at: datetime, via: Via
) -> Subject | None:
    """The person as she is known here; one who has been forgotten is enrolled again, so that no
    paper signed before her no ever comes into force. Whoever was shredded later in the file (`gone`)
    is not: her number is to lead nowhere."""
    person = told.get("person")
    if person is None:
        return None
    holder = Organisation.objects.filter(ref=person["holder"]).first()
    if holder is None:
        return None
    digests = [bytes.fromhex(each) for each in person["digests"]]
    if place(person) in gone:
        digests = []
    found = subjects.find(holder, digests)
    if not found and digests:
        found = subjects.enrol(holder=holder, digests=digests[:1], by=by, at=at, via=via)
    if found:
        wanted = Subject.objects.filter(slot__in=found.values())
    else:  # no client number led to her: only her old slot, if it is still hers
        wanted = Subject.objects.filter(slot=person["slot"])
    known = wanted.select_related("holder").first()
    if not found and known is not None and facts.stamp(known.enrolled_at) != person["enrolled"]:
        return None
    return known
