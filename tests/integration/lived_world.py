"""A world that lived, its log compared with what is kept, and hands that reach past the guards."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from audit.models import Entry
from common.errors import NotPermitted, Void
from consent.models import (
    Consent,
    ConsentEvent,
)
from governance.actions import agreements, memberships, people
from governance.models import User
from governance.vocabulary import Role, UserKind
from oversight.queries.checks import CHECKS
from oversight.vocabulary import Finding, Kind, Told
from release.actions import keeping
from release.models import Inquiry, Release
from release.vocabulary import DownloadPart, ReleaseState
from tests.append_only import unguarded
from tests.sheets import numbers
from tests.worlds import World, hand, lasting_world

Harm = tuple[Callable[[World], Any], Kind, str]
"""What is done, which kind of finding names it, and words of its sentence."""

PEOPLE = 9  # the last one never says yes


def live(world: World) -> None:
    """Everything that one installation sees in a year, in little."""
    about, _helped = world.categories
    first = world.prepare()
    world.fetch(first)
    b"".join(world.hand_over(first, DownloadPart.PART, number=1).chunks)
    world.hand_over(first, DownloadPart.MANIFEST)
    world.pause("c-3", until=timezone.now() + timedelta(days=2))
    world.no("c-2")
    with pytest.raises(Void):
        world.fetch(first)
    world.run(Release.objects.get(replaces=first))
    world.resume("c-3")
    world.lift(world.object("c-4"))
    world.object("c-5", category=about)
    world.yes("c-6", categories=[about])  # supersedes, and is less
    world.yes("c-2")
    world.fetch(world.prepare())
    for number in ("c-1", "c-2", "c-5", "c-6", "nobody"):
        world.inquire(number)
    with pytest.raises(NotPermitted):
        world.inquire("c-1", by=world.requester)
    with pytest.raises(NotPermitted):
        world.hand_over(first, by=world.home.steward)
    agreements.suspend(agreement=world.home.agreement, **hand(world.home.warden))
    assert world.prepare().state == ReleaseState.REFUSED
    agreements.resume(agreement=world.home.agreement, **hand(world.home.warden))
    world.fetch(world.prepare())
    keeping.wipe(at=timezone.now())
    world.pause("c-8", until=timezone.now() + timedelta(days=2))


@contextmanager
def lived() -> Iterator[World]:
    with lasting_world(PEOPLE, each=1, yes=numbers(PEOPLE - 1), part_rows=3) as found:
        keeping.sweep()  # what other tests left in the folder of this process
        live(found)
        yield found


def findings() -> list[Told]:
    return [finding for _, check in CHECKS for finding in check(lambda count: None)]


def nobody_is_named(world: World, told: str) -> None:
    for number in range(1, PEOPLE + 1):
        assert str(world.subject(f"c-{number}").slot) not in told.replace("/", " ").split()
    for consent in Consent.objects.all():
        assert consent.ref not in told


def found_and_named(world: World, harm: Harm) -> None:
    """Done past the guards, it is named by a finding of its kind, which names nobody."""
    do, kind, words = harm
    with unguarded():
        put_back = do(world)
        try:
            found = findings()
        finally:
            if callable(put_back):
                put_back()
    told = [str(one) for one in found if isinstance(one, Finding) and one.kind == kind]
    assert any(words in each for each in told), [str(one) for one in found]
    nobody_is_named(world, " ".join(map(str, found)))


def auditor_of(world: World) -> User:
    name = f"calm-heron-{secrets.randbelow(10**6)}"
    user = people.create_user(username=name, kind=UserKind.STAFF, **hand(world.chair))
    commons = world.chair.memberships.get(role=Role.ADMINISTRATOR).organisation
    memberships.grant(user=user, organisation=commons, role=Role.AUDITOR, **hand(world.chair))
    return user


def reconciled(auditor: User) -> tuple[int, str]:
    """The exit code of the command, and everything that it says."""
    out = StringIO()
    try:
        call_command("reconcile", "--by", auditor.username, stdout=out)
    except CommandError as ended:
        return ended.returncode, f"{out.getvalue()}{ended}"
    return 0, out.getvalue()


def first_release() -> Release:
    found = Release.objects.filter(state="prepared").order_by("pk").first()
    assert found is not None
    return found


def last_release() -> Release:
    """The package that was handed over last and waits, not void, to be fetched again."""
    return Release.objects.filter(state="prepared", voided_at=None).latest("pk")


def void_release() -> Release:
    return Release.objects.filter(voided_at__isnull=False).latest("pk")


def entry_of(release: Release) -> Entry:
    return Entry.objects.get(pk=release.entry_id)


def gone(row: Any) -> None:
    """Deleted past the guards, with nothing that hangs on it."""
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [row.pk])  # noqa: S608 - our own table


def call_sql(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def changed(row: Any, **values: Any) -> None:
    assert type(row)._default_manager.filter(pk=row.pk).update(**values) == 1


def entry(type: str, **values: Any) -> Entry:
    return Entry.objects.create(
        **{
            "version": 1,
            "type": type,
            "time": timezone.now(),
            "actor": "clock",
            "via": "task",
            "decision": "done",
            "subjects_band": "0",
            "nonce": secrets.token_bytes(16),
            "leaf": b"{}",
            "leaf_hash": secrets.token_bytes(32),
            **values,
        }
    )


def permitted() -> Inquiry:
    return Inquiry.objects.filter(permitted=True).order_by("pk")[0]


def event(happening: str) -> ConsentEvent:
    return ConsentEvent.objects.filter(happening=happening).latest("pk")
