"""Keys are rotated while everything goes on: nothing is lost, an entry says so, the old one is gone."""

import base64
from io import StringIO

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.management import CommandError, call_command
from pyrage import x25519

from audit import queries as log
from audit.actions import sequence
from audit.models import Entry
from audit.vocabulary import EntryType, Via
from common.errors import BadInput, NotPermitted, NotReady
from common.keyring import BACKUPS
from consent.models import Subject
from consent.queries import keys
from governance.actions import keyrings
from governance.queries import noes
from governance.storage import noes_file
from release.actions import preparing, rekeying, resealing, versions
from release.models import Resealing, StoredPart
from release.queries import versions as readings
from release.storage import store, undisturbed, unseal
from tests.gate import before
from tests.sheets import numbers, rows
from tests.worlds import World, hand, load, small_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return small_world(4, each=1, part_rows=2)


def rotations() -> list[tuple[str, str]]:
    found = Entry.objects.filter(type=EntryType.KEY_ROTATED, reason__in=REASONS)
    return list(found.order_by("pk").values_list("reason", "resource"))


REASONS = ["wrapping", "sealing", "log", "root", "noes", "backup"]


def known_by(world: World) -> set[tuple[str, str]]:
    """How Delta knows each client of a new package."""
    package = world.open_package(world.fetch(world.prepare()))
    client, person = package.columns.index("region"), package.columns.index("person")
    return {(str(row[client]), str(row[person])) for row in package.rows}


def ring():
    return keys.ring()


def test_a_new_identity_seals_every_part_anew_and_the_former_opens_nothing(world):
    home = world.home.organisation
    former = ring().identity(home.ref)
    old = {part.name for part in StoredPart.objects.all()}
    assert len(old) >= 2
    done = resealing.renew_identity(organisation=home, **hand(world.home.warden))
    assert done == len(old)
    names = set(store().names(f"parts/{world.home.dataset.ref}"))
    assert not names & old
    assert len(names) == len(old)
    (identity,) = ring().identities(home.ref)
    for name in names:
        assert unseal(store().open(name), identity)
        with pytest.raises(NotReady):
            unseal(store().open(name), former)
    assert [reason for reason, _ in rotations()] == ["sealing"]
    assert world.received(world.prepare()) == set(numbers(4))


def test_a_second_rotation_follows_the_first_and_loads_go_on(world):
    home = world.home
    resealed = 0
    for each in (2, 3):
        resealed += StoredPart.objects.count()
        resealing.renew_identity(organisation=home.organisation, **hand(home.warden))
        load(home, world, rows(numbers(4), each=each), 2)
    assert len(rotations()) == 2
    assert Resealing.objects.count() == resealed
    assert world.received(world.prepare()) == set(numbers(4))
    names = list(store().names(f"parts/{home.dataset.ref}"))
    assert len(names) == StoredPart.objects.count()


def test_a_load_that_began_before_a_rotation_is_not_left_behind(world, monkeypatch):
    home = world.home
    before(
        monkeypatch,
        versions._Load,
        "_commit",
        lambda: resealing.renew_identity(organisation=home.organisation, **hand(home.warden)),
    )
    with pytest.raises(NotReady) as refusal:
        load(home, world, rows(numbers(4), each=3), 2)
    assert refusal.value.code == "key_rotated"
    load(home, world, rows(numbers(4), each=3), 2)
    assert world.received(world.prepare()) == set(numbers(4))


def test_a_release_that_is_written_meanwhile_waits_and_is_written_later(world):
    waiting = world.ask()
    home = world.home.organisation
    with pytest.MonkeyPatch.context() as patch:
        before(
            patch,
            preparing,
            "_write",
            lambda: resealing.renew_identity(organisation=home, **hand(world.home.warden)),
        )
        with pytest.raises(NotReady) as refusal:
            world.run(waiting)
        assert refusal.value.code == "part_missing"
    assert world.received(world.run(waiting)) == set(numbers(4))


def test_a_part_that_is_missing_or_changed_stops_the_rotation_and_both_keys_stay(world):
    home = world.home.organisation
    name = StoredPart.objects.order_by("-pk")[0].name
    kept = store().open(name)
    for broken, code in ((None, "part_missing"), (b"other", "part_changed")):
        store().delete(name)
        if broken is not None:
            store().put(name, broken)
        with pytest.raises(NotReady) as refusal:
            resealing.renew_identity(organisation=home, **hand(world.home.warden))
        assert refusal.value.code == code
        assert len(ring().identities(home.ref)) == 2
    assert not rotations()
    store().put(name, kept)
    resealing.renew_identity(organisation=home, **hand(world.home.warden))
    assert world.received(world.prepare()) == set(numbers(4))


def test_another_wrapping_key_and_everything_goes_on(world):
    home = world.home.organisation
    subject = world.subject("c-1")
    nonce = b"n" * 16
    tag = keys.tag_of(subject, nonce)
    kek = (ring().folder / f"{home.ref}.kek").read_bytes()
    for organisation in (home, None):
        name = organisation.ref if organisation else "service"
        wrapped_by = keyrings.rewrap(organisation=organisation, **hand(world.chair))
        assert ring().wrapped_by(name) == wrapped_by
        assert rotations()[-1] == ("wrapping", f"{name}/kek-{wrapped_by}")
    assert (ring().folder / f"{home.ref}.kek").read_bytes() != kek
    assert keys.tag_of(subject, nonce) == tag
    assert world.received(world.prepare()) == set(numbers(4))


def test_old_checkpoints_stay_verifiable_under_a_new_log_key(world):
    sequence()
    former = log.log_verifier().render()
    told = keyrings.renew_log_key(**hand(world.chair))
    assert told == log.log_verifier().render() != former
    assert world.received(world.prepare()) == set(numbers(4))
    out = StringIO()
    call_command("verify_log", stdout=out)
    assert "The log holds" in out.getvalue()
    call_command("log_key", stdout=out)
    assert out.getvalue().splitlines()[-2:] == [told, former]
    entry = log.entry_about(EntryType.KEY_ROTATED, f"log/{log.log_verifier().key_id.hex()}")
    assert former.split("+")[1] in signed_by(log.checkpoint_over(entry).note)
    with pytest.raises(CommandError, match="No known key"):
        call_command("verify_log", "--key", former, stdout=out)


def signed_by(note: str) -> str:
    """The id of the key that signed a note, in hexadecimal."""
    return base64.b64decode(note.rstrip("\n").rsplit(" ", 1)[1])[:4].hex()


def test_a_new_root_wraps_every_persons_key_anew_and_the_former_opens_none(world):
    home = world.home.organisation
    people = {person.slot: bytes(person.wrapped_key) for person in Subject.objects.all()}
    own = {slot: keys.unwrap(home.ref, [wrapped]) for slot, wrapped in people.items()}
    called = known_by(world)
    nonce, her = b"n" * 16, world.subject("c-1")
    tag = keys.tag_of(her, nonce)
    former = AESGCM(ring().derived(home.ref, keys.SUBJECT_WRAP))
    assert rekeying.renew_root(organisation=home, **hand(world.home.warden)) == len(people) == 4
    for person in Subject.objects.all():
        wrapped = bytes(person.wrapped_key)
        assert keys.unwrap(home.ref, [wrapped]) == own[person.slot]
        with pytest.raises(InvalidTag):
            former.decrypt(wrapped[: keys.NONCE], wrapped[keys.NONCE :], None)
    with pytest.raises(NotReady):  # what a thief of an older copy has, opens nothing here
        keys.unwrap(home.ref, [people[her.slot]])
    assert keys.tag_of(world.subject("c-1"), nonce) == tag
    assert known_by(world) == called
    assert [reason for reason, _ in rotations()] == ["root"]
    assert rekeying.renew_root(organisation=home, **hand(world.home.warden)) == len(people)
    assert known_by(world) == called


def test_a_root_that_is_rotated_half_way_opens_everything_and_goes_on(world, monkeypatch):
    home = world.home.organisation
    own = [keys.own_key(person) for person in Subject.objects.order_by("slot")]
    monkeypatch.setattr(rekeying, "CHUNK", 2)
    steps: list[int] = []

    def broken(done: int, of: int) -> None:
        steps.append(done)
        raise NotReady("killed", "between two stretches")

    for done in (2, 4):
        with pytest.raises(NotReady, match="between"):
            rekeying.renew_root(organisation=home, progress=broken, **hand(world.home.warden))
        assert steps.pop() == 2
        assert [keys.own_key(person) for person in Subject.objects.order_by("slot")] == own
        load(world.home, world, rows([*numbers(4), f"c-{done + 5}"]), 2)  # somebody is enrolled
        own = [keys.own_key(person) for person in Subject.objects.order_by("slot")]
        assert not rotations()
    rekeying.renew_root(organisation=home, **hand(world.home.warden))
    assert [keys.own_key(person) for person in Subject.objects.order_by("slot")] == own
    assert len(rotations()) == 1
    assert not ring()._organisation(home.ref).get("former")


def test_a_client_number_is_found_while_the_root_is_rotated(world):
    home = world.home.organisation
    slot = world.subject("c-1").slot
    ring().begin_root(home.ref, [keys.CLIENT_NUMBER])
    client = keys.client(home, "c-1").now()
    assert client is not None
    assert client.slot == slot
    rekeying.renew_root(organisation=home, **hand(world.home.warden))
    assert keys.client(home, "c-1").now() == client


def test_every_no_opens_with_the_new_identity_of_their_file_and_none_with_the_former(world):
    world.no("c-1")
    (former,) = ring().noes_identities()
    before = noes.view()
    told = [facts for _, facts in noes_file().opened(list(before.marks), before, [former])]
    assert told
    assert rekeying.renew_noes_identity(**hand(world.chair)) == len(told)
    seen = noes.view()
    (newest,) = ring().noes_identities()
    assert list(seen.marks) == list(before.marks)
    assert [facts for _, facts in noes_file().opened(list(seen.marks), seen, [newest])] == told
    for mark in seen.marks:
        with pytest.raises(NotReady):
            list(noes_file().opened([mark], seen, [former]))
    assert [reason for reason, _ in rotations()] == ["noes"]
    assert noes.against() is None
    world.no("c-2")
    assert world.received(world.prepare()) == {"c-3", "c-4"}


def test_a_backup_is_sealed_no_more_to_whom_was_taken_off(world):
    kept, gone = (x25519.Identity.generate() for _ in range(2))
    for each in (kept, gone):
        ring().add_backup_recipient(str(each.to_public()))
    public = str(gone.to_public())
    try:
        left = keyrings.drop_backup_recipient(public=public, **hand(world.chair))
        assert left == [str(each) for each in ring().backup_recipients()]
        assert left == [str(kept.to_public())]
        assert [reason for reason, _ in rotations()] == ["backup"]
        with pytest.raises(BadInput):
            keyrings.drop_backup_recipient(public=public, **hand(world.chair))
        with pytest.raises(NotReady) as refusal:
            keyrings.drop_backup_recipient(public=left[0], **hand(world.chair))
        assert refusal.value.code == "backup_key_missing"
        assert [str(each) for each in ring().backup_recipients()] == left
        assert len(rotations()) == 1
    finally:
        (ring().folder / BACKUPS).unlink()


def test_only_administrators_have_keys_rotated(world):
    home = world.home.organisation
    for deed in (
        lambda by: keyrings.rewrap(organisation=home, **hand(by)),
        lambda by: resealing.renew_identity(organisation=home, **hand(by)),
        lambda by: rekeying.renew_root(organisation=home, **hand(by)),
    ):
        for nobody in (world.requester, world.home.steward, world.recipient_admin):
            with pytest.raises(NotPermitted):
                deed(nobody)
        deed(world.home.warden)
    for deed in (
        lambda by: keyrings.rewrap(organisation=None, **hand(by)),
        lambda by: keyrings.renew_log_key(**hand(by)),
        lambda by: rekeying.renew_noes_identity(**hand(by)),
    ):
        with pytest.raises(NotPermitted):
            deed(world.home.warden)
        deed(world.chair)


def test_two_changes_of_keys_do_not_run_at_once(world):
    home = world.home.organisation
    with undisturbed(), pytest.raises(NotReady) as refusal:
        resealing.renew_identity(organisation=home, **hand(world.home.warden))
    assert refusal.value.code == "undisturbed"
    assert len(ring().identities(home.ref)) == 1


def test_the_command_says_what_it_did_and_what_to_do_now(world):
    home = world.home.organisation.ref
    out = StringIO()
    for arguments in (
        ["wrapping", "--by", "north-hazel-7"],
        ["wrapping", "--organisation", home, "--by", "river-birch-1"],
        ["sealing", "--organisation", home, "--by", "river-birch-1"],
        ["root", "--organisation", home, "--by", "river-birch-1"],
        ["noes", "--by", "north-hazel-7"],
        ["log", "--by", "north-hazel-7"],
    ):
        call_command("rotate_key", *arguments, stdout=out)
    assert "make a backup now" in out.getvalue()
    for arguments, words in (
        (["sealing", "--by", "river-birch-1"], "Say whose"),
        (["root", "--by", "river-birch-1"], "Say whose"),
        (["log", "--organisation", home, "--by", "north-hazel-7"], "one such key"),
        (["noes", "--organisation", home, "--by", "north-hazel-7"], "one such key"),
        (["backup", "--by", "north-hazel-7"], "Say which public key"),
        (["noes", "--without", "age1q", "--by", "north-hazel-7"], "Say which public key"),
        (["log", "--by", "nobody"], "no active user"),
        (["wrapping", "--organisation", "org-nobody", "--by", "river-birch-1"], "no organisation"),
        (["log", "--by", "river-birch-1"], "may not"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("rotate_key", *arguments, stdout=out)


def test_a_file_sealed_to_the_newest_key_is_where_the_reading_says(world):
    resealing.renew_identity(
        organisation=world.home.organisation,
        by=world.home.warden,
        at=world.home.agreement.starts,
        via=Via.COMMAND,
    )
    version = StoredPart.objects.all()[0].version
    found = readings.sources(version)
    assert [number for number, _, _ in found] == [
        part.number for part in version.parts.order_by("pk")
    ]
    assert all(store().exists(name) for _, name, _ in found)
    assert isinstance(ring().identity(world.home.organisation.ref), x25519.Identity)
