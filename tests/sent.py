"""A file that came through the machines' door, as the tests that look for leaks want it."""

from django.utils import timezone

from release.actions import receiving, uploads
from release.vocabulary import UploadState
from tests import sheets
from tests.sheets import canary
from tests.worlds import World, hand


def refused_upload(world: World) -> str:
    """A file full of canaries, of which every second row is refused, so that there is a report."""
    about, helped = (category.code for category in world.categories)
    mapping = sheets.MAPPING.format(about=about, helped=helped, columns='"client", "other"')
    who = hand(world.home.steward)
    arrival = receiving.begin(dataset=world.home.dataset, **who)
    bad = [*sheets.rows(["c-1"]), f"c-9,,31/02,{canary('c-9')},x,many,y", ""]
    arrival.write("\n".join(bad).encode())
    sent = receiving.receive(
        dataset=world.home.dataset,
        arrival=arrival,
        sha256=arrival.finish(),
        mapping=mapping.encode(),
        **who,
    )
    answered = uploads.run(upload=sent, at=timezone.now())
    assert (answered.state, bool(answered.report)) == (UploadState.REFUSED, True)
    return answered.ref
