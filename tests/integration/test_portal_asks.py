"""She is asked to share: reads, chooses, checks and signs; or says no; and what she never wants."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.actions import sequence
from consent.actions import consents, objections, proposals
from consent.models import Consent, Lifting, Objection, Proposal
from consent.queries import sharing
from consent.vocabulary import ProposalState, Standing
from tests import survivors
from tests.survivors import WORDS, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    cache.clear()
    return survivors.build()


@pytest.fixture
def client(world: World) -> Client:
    found = Client()
    found.force_login(world.her, backend="django.contrib.auth.backends.ModelBackend")
    return found


def at(name: str, *args: str) -> str:
    return reverse(f"portal:{name}", args=args)


def named(client: Client) -> None:
    client.post(at("names"), {"passphrase": WORDS})


def choice(world: World, *, yes: int = 1, length: str = "90") -> dict[str, str]:
    answers = {f"kind-{each.code}": "no" for each in world.categories}
    for each in world.categories[:yes]:
        answers[f"kind-{each.code}"] = "yes"
    return {**answers, "length": length}


def signing(world: World, **changes: str) -> dict[str, str]:
    return {**choice(world), "read": "on", "signature": world.her.username, **changes}


def state(proposal: Proposal) -> str:
    return Proposal.objects.get(pk=proposal.pk).state


def hers(world: World) -> Any:
    return Consent.objects.filter(subject=world.subject, ended_at__isnull=True)


def test_what_she_is_asked_stands_on_top_of_the_first_page(client: Client, world: World) -> None:
    survivors.asked_to_share(world)
    page = client.get("/").content.decode()
    assert page.index("You are asked to share") < page.index("You share with")
    assert "Maple" not in page


def test_a_yes_takes_three_pages_and_nothing_is_chosen_for_her(
    client: Client, world: World
) -> None:
    proposal = survivors.asked_to_share(world)
    named(client)
    first = client.get(at("asked", proposal.ref)).content.decode()
    ticked = re.findall(r'name="kind-[^"]*" value="(\w+)"[^>]* checked', first)
    assert ticked == ["no"] * len(world.categories)
    checked = client.post(at("asked_check", proposal.ref), choice(world)).content.decode()
    assert world.categories[0].label_en in checked
    assert world.categories[1].label_en not in checked
    assert state(proposal) == ProposalState.OPEN  # nothing before she signs
    ended = client.post(at("asked_sign", proposal.ref), signing(world), follow=True)
    assert "You said yes" in ended.content.decode()
    consent = Proposal.objects.get().consent
    assert consent is not None
    assert [item.version.category for item in consent.category_set.items.all()] == [
        world.categories[0]
    ]


def test_a_no_is_one_action_and_a_confirmation_as_large_as_a_yes(
    client: Client, world: World
) -> None:
    proposal = survivors.asked_to_share(world)
    home = client.get("/").content.decode()
    assert at("asked_no", proposal.ref) in home  # one
    before = hers(world).count()
    client.post(at("asked_no", proposal.ref))  # two
    assert (state(proposal), hers(world).count()) == (ProposalState.REFUSED, before)
    named(client)
    again = survivors.asked_to_share(world, "court")
    for page in (
        client.get(at("asked", again.ref)),
        client.post(at("asked_check", again.ref), choice(world)),
    ):
        buttons = re.findall(r'class="(button[^"]*)"', page.content.decode().partition("<main")[2])
        assert set(buttons) == {"button quiet"}


def test_without_the_name_she_can_say_no_and_not_yes(client: Client, world: World) -> None:
    proposal = survivors.asked_to_share(world)
    page = client.get(at("asked", proposal.ref)).content.decode()
    assert "Maple" not in page
    assert at("asked_check", proposal.ref) not in page
    assert at("asked_no", proposal.ref) in page
    for step in ("check", "sign"):
        answer = client.post(at(f"asked_{step}", proposal.ref), signing(world))
        assert answer["Location"] == at("asked", proposal.ref)
    assert state(proposal) == ProposalState.OPEN


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        ({"signature": "somebody-else-7"}, "not the name"),
        ({"read": ""}, "Tick the box"),
    ],
)
def test_nobody_signs_with_another_name_or_unread(
    spoilt: dict[str, str], words: str, client: Client, world: World
) -> None:
    proposal = survivors.asked_to_share(world)
    named(client)
    given = {key: value for key, value in {**signing(world), **spoilt}.items() if value}
    page = client.post(at("asked_sign", proposal.ref), given).content.decode()
    assert words in page
    assert f'name="kind-{world.categories[0].code}" value="yes"' in page  # nothing is lost
    assert state(proposal) == ProposalState.OPEN


def test_police_stand_on_a_page_of_their_own_with_a_lawyer_first(
    client: Client, world: World
) -> None:
    proposal = survivors.asked_to_share(world, "police")
    assert at("asked_first", proposal.ref) in client.get("/").content.decode()
    page = client.get(at("asked_first", proposal.ref)).content.decode()
    assert page.index("Talk to a lawyer first") < page.index("Go on and read")
    named(client)
    client.post(at("asked_sign", proposal.ref), signing(world))
    assert state(proposal) == ProposalState.OPEN  # the lawyer was not ticked
    client.post(at("asked_sign", proposal.ref), signing(world, lawyer="on"))
    assert state(proposal) == ProposalState.WAITING


def test_she_sees_the_wait_and_starts_it_or_takes_it_back(client: Client, world: World) -> None:
    proposal = survivors.waiting(world)
    home = client.get("/").content.decode()
    assert "Until then nothing goes out" in home
    assert at("asked_now", proposal.ref) in home
    assert at("asked_back", proposal.ref) in home
    assert client.post(at("asked_now", proposal.ref)).status_code == 302
    assert state(proposal) == ProposalState.GIVEN
    client.post(at("asked_back", proposal.ref))  # too late: it is a sharing now
    assert state(proposal) == ProposalState.GIVEN


def test_what_she_takes_back_does_not_start(client: Client, world: World) -> None:
    proposal = survivors.waiting(world)
    client.post(at("asked_back", proposal.ref))
    assert proposals.settle_due(at=proposal.takes_effect_at) == 0
    assert state(proposal) == ProposalState.CANCELLED


@pytest.mark.parametrize("first", ["asked_no", "asked_sign"])
@pytest.mark.parametrize("then", ["asked_no", "asked_sign", "asked_later"])
def test_sent_twice_or_from_another_tab_the_first_one_counts(
    first: str, then: str, client: Client, world: World
) -> None:
    proposal = survivors.asked_to_share(world)
    named(client)
    client.post(at(first, proposal.ref), signing(world))
    known = state(proposal)
    answer = client.post(at(then, proposal.ref), signing(world))
    assert answer["Location"] == at("asked_done", proposal.ref)
    assert state(proposal) == known


def test_after_its_day_it_says_that_it_ran_out(client: Client, world: World) -> None:
    proposal = survivors.asked_to_share(world)
    proposals.settle_due(at=proposal.answer_by)
    page = client.get(at("asked", proposal.ref), follow=True).content.decode()
    assert "This ran out" in page


@pytest.mark.parametrize(
    "step", ["asked", "first", "check", "sign", "no", "later", "now", "back", "done"]
)
def test_what_somebody_else_is_asked_is_nowhere(step: str, client: Client, world: World) -> None:
    proposal = survivors.asked_to_share(world)
    client.force_login(
        world.other.subject.account, backend="django.contrib.auth.backends.ModelBackend"
    )
    name = "asked" if step == "asked" else f"asked_{step}"
    nowhere = client.get("/nowhere/").content
    for method in ("get", "post"):
        answer = getattr(client, method)(at(name, proposal.ref))
        assert answer.status_code in {404, 405}
        assert answer.status_code == 405 or answer.content == nowhere


# --- less ------------------------------------------------------------------------------------------


def test_she_shares_less_and_not_so_long_at_once(client: Client, world: World) -> None:
    client.post(at("change", world.on.ref), {"kinds": [world.categories[0].code], "until": "7"})
    world.on.refresh_from_db()
    assert world.on.ending == "superseded"
    less = hers(world).get(recipient=world.on.recipient)
    assert less.category_set.items.count() == 1
    assert less.ends < timezone.now() + timedelta(days=7, seconds=1)


def test_what_was_stopped_while_the_form_was_open_says_so_and_loses_nothing(
    client: Client, world: World
) -> None:
    client.get(at("change", world.on.ref))
    consents.withdraw(consent=world.on, by=world.her, at=timezone.now(), via="portal")
    answer = client.post(
        at("change", world.on.ref), {"kinds": [world.categories[0].code], "until": "7"}
    )
    assert answer.status_code == 409
    assert "had ended before you pressed" in answer.content.decode()
    assert not hers(world).filter(recipient=world.on.recipient).exists()


# --- never ----------------------------------------------------------------------------------------


def never(client: Client, **named_: str) -> None:
    client.post(at("never"), named_)


def test_each_kind_of_no_counts_at_once(client: Client, world: World) -> None:
    wanted = {
        "place": world.on.recipient.ref,
        "kind": "police",
        "reason": world.purpose.code,
        "what": world.categories[0].code,
        "everything": "all",
    }
    for name, value in wanted.items():
        never(client, **{name: value})
    said = Objection.objects.filter(subject=world.subject, lifted_at__isnull=True).order_by("pk")
    place, kind, reason, what, everything = said
    assert place.recipient == world.on.recipient
    assert (kind.recipient_kind, reason.purpose, what.category) == (
        "police",
        world.purpose,
        world.categories[0],
    )
    assert (everything.recipient, everything.recipient_kind, everything.purpose) == (None, "", None)
    never(client, everything="all")  # twice is once
    assert said.count() == 5


def test_a_freeze_never_keeps_her_own_list_and_copy_from_her(client: Client, world: World) -> None:
    never(client, everything="all")
    found = sharing.one(world.her, world.on.ref, timezone.now())
    assert found is not None
    assert found.standing == Standing.OBJECTED
    sequence()  # proofs need the signed log
    assert client.get(at("history")).status_code == 200
    copy = client.post(at("copy"), {"passphrase": WORDS})
    assert copy.status_code == 200
    assert copy["Content-Type"] == "application/zip"
    assert b"".join(copy.streaming_content)


def test_a_no_is_taken_back_after_its_wait_or_by_her_at_once(client: Client, world: World) -> None:
    never(client, kind="police")
    objection = Objection.objects.get(subject=world.subject, lifted_at__isnull=True)
    client.post(at("never_undo", objection.ref))
    assert "It still counts until" in client.get(at("never")).content.decode()
    client.post(at("never_keep", objection.ref))
    assert Lifting.objects.get().cancelled_at is not None
    client.post(at("never_undo", objection.ref))
    client.post(at("never_now", objection.ref))
    objection.refresh_from_db()
    assert objection.lifted_at is not None


def test_another_persons_no_is_nowhere(client: Client, world: World) -> None:
    other = objections.make(
        subject=world.other.subject,
        by=world.other.subject.account,
        at=timezone.now(),
        via="portal",
    )
    for deed in ("undo", "keep", "now"):
        assert client.post(at(f"never_{deed}", other.ref)).status_code == 404
    assert not Lifting.objects.exists()
