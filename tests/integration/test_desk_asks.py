"""An advocate asks a client for a yes at the desk; what she answers is not the desk's to see."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.vocabulary import Via
from consent.actions import proposals
from consent.models import Proposal
from tests import staffroom
from tests.factories import consent as said
from tests.staffroom import Staffroom

pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Staffroom:
    found = staffroom.build()
    staffroom.enrolled(found, "A-17")
    return found


def asked(room: Staffroom, client: Client, **changes: Any) -> Any:
    text = said.terms()
    given = {
        "holder": room.holder.ref,
        "number": "A-17",
        "recipient": room.recipient.ref,
        "purpose": room.purpose.code,
        "kinds": [category.code for category in room.categories],
        "terms": str(text),
        "days": "",
    }
    return client.post("/desk/asks/", {**given, **changes})


def test_an_advocate_asks_by_client_number(room: Staffroom) -> None:
    answer = asked(room, staffroom.enter(Client(), room.advocate))
    assert answer["Location"] == "/desk/asks/done/"
    proposal = Proposal.objects.get()
    assert (proposal.recipient, proposal.purpose) == (room.recipient, room.purpose)
    assert proposal.days == min(90, room.purpose.longest_days)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"number": "nobody-9"}, "not known here"),
        ({"kinds": []}, "Choose at least one kind."),
        ({"days": "700"}, "days at most"),
    ],
)
def test_what_cannot_be_asked_comes_back_with_why(
    change: dict[str, Any], words: str, room: Staffroom
) -> None:
    answer = asked(room, staffroom.enter(Client(), room.advocate), **change)
    assert answer.status_code in {200, 409}
    assert words in answer.content.decode()
    assert not Proposal.objects.exists()


def test_a_no_and_silence_are_told_alike_r10(room: Staffroom) -> None:
    client = staffroom.enter(Client(), room.advocate)
    asked(room, client)
    silent = asked(room, client)
    proposals.refuse(
        proposal=Proposal.objects.get(), by=room.advocate, at=timezone.now(), via=Via.DESK
    )
    refused = asked(room, client)
    assert silent.status_code == refused.status_code == 409
    assert "asked for this already" in refused.content.decode()


def test_whoever_is_no_advocate_does_not_ask(room: Staffroom) -> None:
    assert staffroom.enter(Client(), room.steward).get("/desk/asks/").status_code == 403
