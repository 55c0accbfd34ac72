"""Where somebody is signed in: one ends, the others end, and what is over is forgotten."""

from datetime import timedelta

import pytest
from django.utils import timezone

from common.errors import RuleBroken
from consent.actions import survivors
from governance.actions import sittings
from governance.models import Sitting
from governance.vocabulary import Device
from tests import staffroom
from tests.staffroom import Staffroom, hand

pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Staffroom:
    return staffroom.build()


def test_one_ends_the_others_and_never_somebody_elses(room: Staffroom) -> None:
    her, at = room.survivor, timezone.now()
    phone, computer = (
        sittings.begin(user=her, device=each, at=at) for each in (Device.PHONE, Device.COMPUTER)
    )
    theirs = sittings.begin(user=room.steward, device=Device.PHONE, at=at)
    with pytest.raises(RuleBroken):
        survivors.end_place(sitting=theirs, **hand(her))
    survivors.end_others(keep=phone.ref, **hand(her))
    assert set(Sitting.objects.all()) == {phone, theirs}
    assert computer.pk
    survivors.end_all(**hand(her))
    assert set(Sitting.objects.all()) == {theirs}


def test_what_is_over_is_forgotten_when_the_next_begins(room: Staffroom) -> None:
    her, at = room.survivor, timezone.now()
    sittings.begin(user=her, device=Device.PHONE, at=at - timedelta(minutes=20))
    kept = sittings.begin(user=her, device=Device.PHONE, at=at)
    assert list(Sitting.objects.filter(user=her)) == [kept]
