"""What shredding leaves: in files, in the log, and in what the database lets go."""

import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit.models import Detail
from audit.queries import key_ring
from audit.queries.tampered import Tampered
from consent.actions import holds
from consent.actions.subjects import client_digest, digest_key
from consent.models import Consent, ConsentEvent, LegalHold, Shredding, Subject, SubjectKey
from governance.models import KeptNo
from governance.queries import noes
from governance.storage import noes_file, unpacked
from release.actions import keeping
from release.actions.shredding import carry_out_due
from release.tasks import tick
from tests.append_only import triggers_lifted
from tests.shredding import HER, LATER, PAPER, ask, due, hold, shred, verify
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return small_world(4, each=1)


# --- what is left in files ------------------------------------------------------------------------


def dump() -> bytes:
    """Everything that the database and the data folder hold, as bytes."""
    if connection.vendor == "postgresql":
        name = connection.settings_dict["NAME"]
        given = {key: connection.settings_dict[key] for key in ("HOST", "PORT", "USER")}
        flags = [
            f"--host={given['HOST']}",
            f"--port={given['PORT']}",
            f"--username={given['USER']}",
        ]
        body = subprocess.run(
            ["pg_dump", *flags, str(name)], check=True, capture_output=True
        ).stdout
    else:
        path = Path(str(connection.settings_dict["NAME"]))
        body = b"".join(each.read_bytes() for each in sorted(path.parent.glob(f"{path.name}*")))
    files = [each for each in settings.SAYSO_DATA.rglob("*") if each.is_file()]
    return body + b"".join(each.read_bytes() for each in files)


def spelled(value: bytes) -> list[bytes]:
    return [value, value.hex().encode()]


def test_her_digest_her_key_and_every_word_about_her_stand_nowhere_any_more(world):
    holder = world.home.organisation
    digest = client_digest(digest_key(holder), HER)
    key = bytes(world.subject(HER).wrapped_key)
    world.no(HER)
    world.yes(HER, signature="binder canary-heron-78", authority="")
    world.pause(HER)
    waits = due(world)
    hold_ = hold(world, ends=timezone.now() + timedelta(days=1))
    holds.lift(hold=hold_, **hand(world.home.warden))
    with triggers_lifted():  # as if all of that were long ago
        LegalHold.objects.update(
            placed_at=timezone.now() - 3 * LATER,
            ends=timezone.now() - 2 * LATER,
            lifted_at=timezone.now() - 2 * LATER,
        )
    told = [unpacked(bytes(each.facts)) for each in noes.about(waits.subject_id)]
    assert any(digest.hex().encode() in facts for facts in told)
    canaries = [*spelled(digest), *spelled(key), b"canary-heron-78"]
    before = dump()
    assert all(any(each in before for each in two) for two in (canaries[:2], canaries[2:4]))
    assert carry_out_due(at=timezone.now()) == 1  # its file, outside both, comes later
    after = dump()
    assert [each for each in canaries if each in after] == []
    told = [unpacked(bytes(each.facts)) for each in KeptNo.objects.all()]
    assert not any(digest.hex().encode() in facts for facts in told)
    assert PAPER.encode() not in after
    assert b"canary-heron-77" not in after
    verify()


def test_the_file_of_noes_loses_what_led_to_her_and_keeps_every_no(world):
    holder = world.home.organisation
    digest = client_digest(digest_key(holder), HER).hex()
    world.no(HER)
    world.no("c-2")
    marks = list(noes.view().marks)
    shred(world)
    assert list(noes.view().marks)[: len(marks)] == marks
    assert not any(digest in facts for facts in in_file())
    assert any(client_digest(digest_key(holder), "c-2").hex() in facts for facts in in_file())
    assert noes.against() is None


def in_file() -> Iterator[str]:
    view = noes.view()
    identities = key_ring().noes_identities()
    for _, packed in noes_file().opened(list(view.marks), view, identities):
        yield unpacked(packed).decode()


# --- tampering ------------------------------------------------------------------------------------


@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_a_detail_that_was_changed_or_is_gone_is_named(world, harm):
    asked = ask(world)
    tick(timezone.now())
    verify()
    with triggers_lifted():
        rows = Detail.objects.filter(pk=asked.entry_id)
        rows.update(sealed=b"other") if harm == "changed" else rows.delete()
    asked.entry.refresh_from_db()
    with pytest.raises(Tampered) as found:
        verify()
    assert found.value.place == f"detail of entry {asked.entry.seq}"


def test_reconcile_says_how_much_it_could_compare_in_part_only(world):
    world.fetch(world.prepare())
    shred(world)
    said = StringIO()
    keeping.sweep()
    call_command("reconcile", by=world.chair.username, stdout=said)
    assert "compared in part only" in said.getvalue()


def refused(deed: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
        deed()


def test_the_database_lets_nothing_go_but_what_shredding_wipes_and_only_then(world):
    consent = world.consent(HER)
    her, other = Consent.objects.filter(pk=consent.pk), Consent.objects.exclude(pk=consent.pk)
    number = SubjectKey.objects.filter(subject=consent.subject)
    wiped = {"signature": "wiped", "authority": "wiped", "recorded_by": None}
    refused(lambda: her.update(**wiped))
    refused(number.delete)
    world.no("c-2")
    refused(lambda: KeptNo.objects.update(facts=b""))
    refused(lambda: ConsentEvent.objects.update(by=None))
    ask(world, "c-3")
    refused(lambda: Shredding.objects.update(asked_at=timezone.now()))
    refused(lambda: Shredding.objects.all()._raw_delete("default"))
    shred(world)
    refused(lambda: her.update(signature="other"))
    refused(
        lambda: her.update(ended_at=datetime(2020, 1, 1, tzinfo=timezone.get_current_timezone()))
    )
    refused(lambda: other.update(**wiped))
    refused(lambda: Subject.objects.filter(pk=consent.subject_id).update(shredded_at=None))
