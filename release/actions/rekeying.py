"""The keys that are rotated row by row: a holder's root, and the identity of the file of noes.

Each may be broken off anywhere and done again: it goes on where it was, the former key opens until
nothing is left that only it opens, and one entry says so. Everything else goes on meanwhile.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from audit import queries as log
from audit.vocabulary import Via
from consent.models import Subject
from consent.queries import keys
from governance import permissions
from governance.actions import rotated
from governance.models import Agreement, Organisation, User
from governance.storage import noes_file
from release.storage import undisturbed

CHUNK = 2000
Progress = Callable[[int, int], None]


def renew_root(
    *,
    organisation: Organisation,
    by: User,
    at: datetime,
    via: Via,
    progress: Progress = lambda _done, _of: None,
) -> int:
    """The holder's people's keys hang on a new root key; gives how many were wrapped anew.

    What recipients know rows by stays the same within an agreement, and client numbers go on being
    found: those two are kept as they were derived, and lead to no root. Raises NotPermitted unless
    `by` administers the organisation or convenes; NotReady where a key is not there.
    """
    permissions.check_can_keep_keys(by, organisation)
    with undisturbed():
        ring = log.key_ring()
        sign = ring.begin_root(organisation.ref, _stays(organisation))
        # Whoever enrols does so under this lock, and reads the ring inside it: from here on nobody
        # is wrapped by the former root.
        with transaction.atomic():
            Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
        done = _wrap_anew(organisation, progress)
        rotated.written_once(f"{organisation.ref}/root-{sign}", "root", by=by, at=at, via=via)
        ring.finish_root(organisation.ref)
    return done


def _stays(organisation: Organisation) -> list[str]:
    agreements = Agreement.objects.filter(holder=organisation).order_by("pk")
    known_by = [f"person-key:{ref}" for ref in agreements.values_list("ref", flat=True)]
    return [keys.CLIENT_NUMBER, *known_by]


def _wrap_anew(organisation: Organisation, progress: Progress) -> int:
    people = Subject.objects.filter(holder=organisation, shredded_at__isnull=True).order_by("slot")
    of, done, seen, after = people.count(), 0, 0, -1
    while True:
        with transaction.atomic():
            rows = people.select_for_update(no_key=True).only("slot", "wrapped_key")
            some = list(rows.filter(slot__gt=after)[:CHUNK])
            if not some:
                return done
            wrapped = keys.wrapped_anew(organisation.ref, [bytes(p.wrapped_key) for p in some])
            changed = []
            for person, anew in zip(some, wrapped, strict=True):
                if anew is not None:
                    person.wrapped_key = anew
                    changed.append(person)
            Subject.objects.bulk_update(changed, ["wrapped_key"], batch_size=200)
        after, seen, done = some[-1].slot, seen + len(some), done + len(changed)
        progress(seen, max(of, seen))


def renew_noes_identity(*, by: User, at: datetime, via: Via) -> int:
    """The file of noes opens with a new identity only; gives how many noes were sealed anew.

    Raises NotPermitted unless `by` convenes; NotReady where a key, the file or its disk is missing:
    then both identities stay.
    """
    permissions.check_can_keep_keys(by, None)
    with undisturbed():
        ring = log.key_ring()
        ring.begin_noes()
        newest, *former = ring.noes_identities()
        done = noes_file().seal_anew(newest, former)
        sign = rotated.sign_of(str(newest.to_public()))
        rotated.written_once(f"noes/age-{sign}", "noes", by=by, at=at, via=via)
        ring.finish_noes()
    return done
