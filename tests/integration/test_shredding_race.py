"""Shredding against releases at the same time: nothing prepared or handed over later holds her."""

from threading import Event, Thread

import pytest
from django.db import connections
from django.utils import timezone

from common.errors import NotReady, Void
from release.actions.shredding import carry_out_due
from release.models import Download, Release
from release.queries.standing import used
from tests.shredding import due, looked
from tests.worlds import World, small_world

pytestmark = pytest.mark.django_db(transaction=True)


def until(over: Event, downloads: int) -> None:
    """Wait until so much was handed over, half a minute at most."""
    for _ in range(600):
        if Download.objects.count() >= downloads:
            return
        over.wait(0.05)


def test_nothing_that_comes_after_a_shredding_holds_her_and_somebody_was_at_it():
    world = small_world(3, each=1)
    waits, over = due(world), Event()

    def read(world: World) -> None:
        while not over.is_set():
            try:
                world.fetch(world.prepare())
            except (NotReady, Void):
                continue
        connections.close_all()

    readers = [Thread(target=read, args=(world,)) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        until(over, 2)  # they are at it
        assert carry_out_due(at=timezone.now()) == 1
        until(over, Download.objects.count() + 2)
    finally:
        over.set()
        for reader in readers:
            reader.join()
    waits.subject.refresh_from_db()
    slot, at = waits.subject_id, waits.subject.shredded_at
    held = {release.pk for release in Release.objects.all() if slot in used(release).tolist()}
    assert Download.objects.filter(release__in=held).exists()
    assert Download.objects.filter(at__gt=at).exists()
    assert not Release.objects.filter(pk__in=held, answered_at__gt=at).exists()
    assert not Download.objects.filter(release__in=held, at__gt=at).exists()
    assert looked()[0] == []
